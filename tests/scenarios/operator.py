"""An operator at the built-in desk, without a browser: what the desk's page does, over /console/api.

A request whose answer was lost is repeated under its own id until somebody answers, as the page does.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.scenarios.customer import Json, text_of
from tests.service import DEADLINE, until

_numbers = itertools.count(1)
_BACK_OFF = 0.1  # seconds


@dataclass
class Operator:
    """`addresses`: processes of the service. `http` needs a cookie jar that takes cookies of an IP address."""

    http: aiohttp.ClientSession
    addresses: Sequence[str]
    replied: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """By session: the replies that were acknowledged, in their order."""
    noted: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    acknowledgements: int = 0
    known: dict[str, str] = field(default_factory=dict)
    """Sessions by their codes, as far as somebody has asked for them."""

    async def sign_in(self, link: str) -> None:
        """By the link that `up` printed."""
        await self._until_answered("POST", "sign-in/link", {"token": link.rsplit("/", 1)[1]})

    async def session_of(self, code: str) -> str:
        """The session's id, by the code that people use; once the index has it."""
        if code not in self.known:
            await until(lambda: self._finds(code), f"the desk finds {code}")
        return self.known[code]

    async def _finds(self, code: str) -> bool:
        with contextlib.suppress(aiohttp.ClientError):
            async with self._asked("GET", f"find?code={code}", None, self.addresses[0]) as response:
                if response.status == 200:
                    self.known[code] = (await response.json())["rows"][0]["session"]
        return code in self.known

    async def reply(self, session: str, text: str, **fields: Any) -> None:
        await self.does(session, "reply", parts=[{"type": "text", "text": text}], **fields)
        self.replied[session].append(text)

    async def note(self, session: str, text: str) -> None:
        await self.does(session, "note", parts=[{"type": "text", "text": text}])
        self.noted[session].append(text)

    @staticmethod
    def new_id() -> str:
        return f"desk-{next(_numbers):08}"

    async def does(self, session: str, what: str, **fields: Any) -> Json:
        """Any of the desk's actions, durable when it returns."""
        answer = await self._until_answered("POST", f"sessions/{session}/{what}", {"id": self.new_id(), **fields})
        self.acknowledgements += 1
        return answer

    async def upload(self, name: str, content: bytes) -> str:
        """A file of the operator's, not part of a message yet; its id. It fits into one chunk."""
        begun = await self._until_answered("POST", "uploads", {"name": name, "size": len(content)})
        headers = self._headers(self.addresses[0]) | {"Upload-Offset": "0"}
        place = f"{self.addresses[0]}/console/api/uploads/{begun['upload']}"
        async with self.http.patch(place, data=content, headers=headers) as response:
            assert response.status == 200, await response.text()
        return str((await self._until_answered("POST", f"uploads/{begun['upload']}/finish"))["file"]["id"])

    async def refused(self, session: str, what: str, **fields: Any) -> str:
        """Why the session's rules do not allow an action."""
        form = {"id": self.new_id(), **fields}
        async with self._asked("POST", f"sessions/{session}/{what}", form, self.addresses[0]) as response:
            assert response.status == 409, await response.text()
            return str((await response.json())["error"]["code"])

    async def asks(self, path: str, form: Json | None = None) -> Json:
        """Whatever else the page reads, or with a form asks for."""
        return await self._until_answered("POST" if form else "GET", path, form)

    async def look(self, session: str) -> Json:
        """The session as the page shows it: its row, its card and its latest lines."""
        return await self.asks(f"sessions/{session}")

    async def thread(self, session: str) -> list[tuple[str, str]]:
        """(side, text) of every line that somebody said, in order, from the beginning."""
        return [(one["side"], text_of(one["parts"])) for one in await self.lines(session) if "side" in one]

    async def told(self, session: str) -> list[str]:
        """The keys of the lines that nobody said."""
        return [one["key"] for one in await self.lines(session) if "key" in one]

    async def lines(self, session: str) -> list[Json]:
        """Everything that stands in the thread, whoever said it."""
        lines: list[Json] = []
        older = True
        while older:
            before = f"?before={lines[0]['index']}" if lines else ""
            answer = await self._until_answered("GET", f"sessions/{session}{before}")
            lines, older = [*answer["lines"], *lines], answer["older"]
        return lines

    # ------------------------------------------------------------------ requests

    async def _until_answered(self, method: str, path: str, form: Json | None = None) -> Json:
        async with asyncio.timeout(DEADLINE):
            for address in itertools.cycle(self.addresses):
                try:
                    async with self._asked(method, path, form, address) as response:
                        if response.status < 500:
                            assert response.status in (200, 201, 204), (
                                f"{path}: {response.status} {await response.text()}"
                            )
                            answer: Json = await response.json() if response.status != 204 else {}
                            return answer
                except (aiohttp.ClientError, OSError):
                    pass  # it died before it answered; the next one does, under the same id
                await asyncio.sleep(_BACK_OFF)
        raise AssertionError("the addresses never end")

    def _asked(self, method: str, path: str, form: Json | None, address: str) -> Any:
        url = f"{address}/console/api/{path}"
        return self.http.request(method, url, json=form, headers=self._headers(address))

    @staticmethod
    def _headers(address: str) -> dict[str, str]:
        return {"Origin": address, "X-Kakehashi-Desk": "1"}


def browser_like() -> aiohttp.ClientSession:
    """A client that keeps the cookies of an IP address, too."""
    return aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
