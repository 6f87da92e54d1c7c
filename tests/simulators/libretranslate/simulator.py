"""The server: `POST /translate`, `GET /languages`, and whatever `mood` makes of them."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Self

from aiohttp import web

MODERN = ("en", "ja", "ko", "zh-Hans", "zh-Hant")
OLD = ("en", "ja", "ko", "zh", "zt")
_FIELDS = {"q", "source", "target", "format", "api_key", "alternatives"}
_MARKS = "!?.,;"


class Mood(Enum):
    """What becomes of a translation."""

    FINE = auto()
    HANG = auto()  # no answer, for as long as anybody waits
    BREAK = auto()  # 500
    SLOWDOWN = auto()  # 429, as Flask-Limiter says it
    WAIT = auto()  # 429 with a Retry-After
    BANNED = auto()  # 403
    HTML = auto()  # a proxy's page, with status 200
    CUT = auto()  # the connection ends in the middle of the answer
    MOVED = auto()  # 301 to somewhere else
    HUGE = auto()
    NO_TEXT = auto()  # JSON, but not what was asked for
    LIST = auto()
    EMPTY = auto()
    CONTROL = auto()  # control characters among the words
    DROPS = auto()  # a hole is lost
    DOUBLES = auto()  # one stands there twice
    INVENTS = auto()  # an address that was in no original
    WIDE = auto()  # holes come back in full-width brackets, with spaces: what models really do


@dataclass(frozen=True, slots=True)
class Asked:
    """One request to translate, as it came."""

    text: str
    source: str
    target: str
    key: str


class LibreTranslateSimulator:
    """`async with` it, and use `url`. `keys`: it then wants one of these; `limit`: characters, -1 for none."""

    def __init__(
        self, *, languages: tuple[str, ...] = MODERN, keys: tuple[str, ...] = (), limit: int = -1, targets: bool = True
    ) -> None:
        self.languages = languages
        self.keys = keys
        self.limit = limit
        self.targets = targets
        self.mood = Mood.FINE
        self.asked: list[Asked] = []
        self.url = ""
        self._runner: web.AppRunner | None = None
        self._release = asyncio.Event()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.add_routes([web.get("/languages", self._languages), web.post("/translate", self._translate)])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._release.set()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _languages(self, request: web.Request) -> web.Response:
        del request
        told = [{"code": one, "name": one} for one in self.languages]
        every = list(self.languages)
        return web.json_response([one | {"targets": every} for one in told] if self.targets else told)

    async def _translate(self, request: web.Request) -> web.StreamResponse:
        if request.content_type != "application/json":
            raise AssertionError("the bridge speaks JSON to it")
        asked: dict[str, Any] = await request.json()
        if set(asked) - _FIELDS or asked.get("format") != "text":
            raise AssertionError(f"not of this API: {sorted(asked)}")
        refusal = self._refusal(request, asked)
        if refusal is not None:
            return refusal
        self.asked.append(Asked(asked["q"], asked["source"], asked["target"], asked.get("api_key", "")))
        return await self._answer(request, _translated(asked["q"], asked["target"]))

    def _refusal(self, request: web.Request, asked: dict[str, Any]) -> web.Response | None:
        english = request.headers.get("Accept-Language", "").startswith("en")
        if self.keys and not asked.get("api_key"):
            sentence = "Please contact the server operator to get an API key" if english else "キーを取得してください"
            return _error(400, sentence)
        if self.keys and asked["api_key"] not in self.keys:
            return _error(403, "Invalid API key")
        for name in ("q", "source", "target"):
            if not asked.get(name):
                return _error(400, f"Invalid request: missing {name} parameter")
        if self.limit != -1 and len(asked["q"]) > self.limit:
            return _error(400, f"Invalid request: request ({len(asked['q'])}) exceeds text limit ({self.limit})")
        unknown = [asked[name] for name in ("source", "target") if asked[name] not in self.languages]
        return _error(400, f"{unknown[0]} is not supported") if unknown else None

    async def _answer(self, request: web.Request, made: str) -> web.StreamResponse:
        mood = self.mood
        if mood is Mood.HANG:
            await self._release.wait()
        if mood is Mood.CUT:
            return await _cut(request)
        if mood in _REFUSALS:
            return _REFUSALS[mood]()
        return web.json_response(_LIES[mood](made) if mood in _LIES else {"translatedText": made})


def _translated(text: str, target: str) -> str:
    """Every word comes back, named by its language; entities are resolved, and the case follows the original's."""
    made = html.unescape(f"{target}: {text}")
    if text.rstrip()[-1:] in _MARKS and made[-1] != text.rstrip()[-1]:
        made += text.rstrip()[-1]
    if text.islower():
        return made.lower()
    return made.upper() if text.isupper() else made


def _error(status: int, sentence: str, **headers: str) -> web.Response:
    return web.json_response({"error": sentence}, status=status, headers=headers)


async def _cut(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "500"})
    await response.prepare(request)
    await response.write(b'{"translatedText": "half of')
    if request.transport is not None:
        request.transport.abort()
    return response


_REFUSALS: dict[Mood, Callable[[], web.Response]] = {
    Mood.HANG: lambda: _error(500, "too late"),
    Mood.BREAK: lambda: _error(500, "Cannot translate text: the model broke"),
    Mood.SLOWDOWN: lambda: _error(429, "Slowdown: 30 per 1 minute"),
    Mood.WAIT: lambda: _error(429, "Slowdown: 30 per 1 minute", **{"Retry-After": "1"}),
    Mood.BANNED: lambda: _error(403, "Too many request limits violations"),
    Mood.HTML: lambda: web.Response(text="<html><h1>Log in to the Wi-Fi</h1></html>", content_type="text/html"),
    Mood.MOVED: lambda: web.Response(status=301, headers={"Location": "http://127.0.0.1:9/translate"}),
}
_LIES: dict[Mood, Callable[[str], dict[str, object]]] = {
    Mood.HUGE: lambda made: {"translatedText": made * 100_000},
    Mood.NO_TEXT: lambda made: {"result": made},
    Mood.LIST: lambda made: {"translatedText": [made]},
    Mood.EMPTY: lambda _made: {"translatedText": "  "},
    Mood.CONTROL: lambda made: {"translatedText": f"{made}\x00\x1b[31m"},
    Mood.DROPS: lambda made: {"translatedText": re.sub(r"\[\d+\]", "", made, count=1)},
    Mood.DOUBLES: lambda made: {"translatedText": f"{made} [1]"},
    Mood.INVENTS: lambda made: {"translatedText": f"{made} bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"},
    Mood.WIDE: lambda made: {"translatedText": re.sub(r"\[(\d+)\]", r"［ \1 ］", made)},
}
