"""Kenji at the built-in desk: its page's HTTP, and a list for each desk of the policy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.scenarios.customer import Json, text_of
from tests.scenarios.operator import Operator, browser_like
from tests.scenarios.reading import stand
from tests.service import Running, until


@dataclass
class ConsoleDesk:
    """A `tests.scenarios.desks.Desk`. Kenji is whoever signed in by the link that `up` printed."""

    client: Operator
    network: str = "console"
    operator: str = "owner"
    most: int = 4_000
    keeps_operators_words: bool = False
    said: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    noted: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    copies: int = 1
    """How often the page sends what it has no answer to; under one id."""

    # ------------------------------------------------------------------ the stage

    def settings(self) -> Mapping[str, str | int]:
        return {}

    def place(self, desk: str) -> str:
        del desk
        return 'network = "console"'

    def people(self) -> str:
        return '[operators.owner]\nnames = { en = "Kenji" }\ncapacity = 100\n'

    async def opens(self, processes: Sequence[Running]) -> None:
        self.client.addresses = [one.url for one in processes]
        await self.client.sign_in(processes[0].sign_in_link)
        await self.client.asks("me/names", {"names": {"en": "Kenji"}})

    # ------------------------------------------------------------------ what stands there

    async def comes_to(self, code: str, desk: str) -> None:
        session = await self.client.session_of(code)

        async def is_there() -> bool:
            return bool((await self.client.look(session))["row"]["desk"] == desk)

        await until(is_there, f"{code} is at {desk}")

    async def threads(self, code: str) -> int:
        return int(await self.client.session_of(code) != "")

    async def card(self, code: str) -> str:
        shown = await self.look(code)
        names = {one["id"]: one["names"].get("en", "") for one in (await self.client.asks("me"))["people"]}
        return " · ".join([shown["row"]["code"], shown["card"]["name"], names.get(shown["row"]["assignee"], "")])

    async def look(self, code: str) -> Json:
        return await self.client.look(await self.client.session_of(code))

    async def lines(self, code: str) -> list[Json]:
        """Those that somebody said."""
        return [one for one in await self.client.lines(await self.client.session_of(code)) if "side" in one]

    async def thread(self, code: str) -> Sequence[str]:
        return [each for line in await self.lines(code) for each in _read(line)]

    async def shows(self, code: str, *words: str) -> None:
        async def is_there() -> bool:
            return stand(words, await self.thread(code))

        await until(is_there, f"{code} shows {words}")

    async def everything(self) -> str:
        """Every session whose code is known here, wherever it stands."""
        return "\n".join([str(await self.client.look(one)) for one in self.client.known.values()])

    async def files(self, code: str) -> int:
        return sum(part["type"] == "file" for line in await self.lines(code) for part in line["parts"] or ())

    # ------------------------------------------------------------------ what Kenji does

    async def say(self, code: str, text: str) -> str:
        said = await self._send(code, "reply", text)
        self.said[code].append(text)
        return said

    async def note(self, code: str, text: str) -> str:
        said = await self._send(code, "note", text)
        self.noted[code].append(text)
        return said

    async def _send(self, code: str, what: str, text: str) -> str:
        named, session = self.client.new_id(), await self.client.session_of(code)
        for _ in range(self.copies):
            await self.client.does(session, what, id=named, parts=_parts(text))
        return f"o:{named}"

    async def edit(self, code: str, said: str, text: str) -> None:
        await self.client.does(await self.client.session_of(code), "revise", message=said, parts=_parts(text))

    async def withdraw(self, code: str, said: str) -> None:
        await self.client.does(await self.client.session_of(code), "withdraw", message=said)

    async def claim(self, code: str) -> None:
        await self.client.does(await self.client.session_of(code), "claim")

    async def resolve(self, code: str) -> None:
        await self.client.does(await self.client.session_of(code), "resolve")


def _parts(text: str) -> list[Json]:
    return [{"type": "text", "text": text}]


def _read(line: Json) -> list[str]:
    """A line that somebody said: its words with what they were before, and a machine's beneath them."""
    if line["withdrawn"]:
        return ["(withdrawn)"]
    former = "".join(f" ({one})" for one in line["former"])
    beneath = [line["translation"]["text"]] if line["translation"] else []
    return [f"{line['by'].title()} {line['side']}: {text_of(line['parts'])}{former}", *beneath]


@asynccontextmanager
async def console_desk() -> AsyncIterator[ConsoleDesk]:
    async with browser_like() as browser:
        yield ConsoleDesk(Operator(browser, []))
