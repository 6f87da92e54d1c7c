"""LibreTranslate's HTTP API: `POST /translate` and `GET /languages`, as its servers really answer.

What they do (libretranslate/app.py): every refusal is a 400 with a sentence in the caller's language, so we ask for
English; a missing key is a 400, a wrong one or a ban a 403; "Slowdown" is a 429, mostly without Retry-After; whatever
breaks in the model is a 500. Chinese is `zh-Hans` and `zh-Hant` on its own site, `zh` and `zt` on most others.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

import aiohttp

from bridge.translation import TranslatorError

ANSWER_AT_MOST = 256 * 1024
"""Bytes. Four thousand characters, eight times as long, in UTF-8 and escaped, are not more."""

LANGUAGES_KEPT = 3_600.0
"""Seconds for which we believe what a server can translate: models are installed seldom."""

_SPELLINGS = {
    "zh-Hans": ("zh-Hans", "zh", "zh-CN", "zh_CN"),
    "zh-Hant": ("zh-Hant", "zt", "zh-TW", "zh_TW"),
}
"""How servers spell what we call so."""

_READS_TOO = {"zh-Hant": ("zh-Hans", "zh")}
"""A source may be read as its neighbour; a target may not: nobody here asked for the other script."""

_KEY = "set translation.api_key to a key that this server knows"
_ADDRESS = "is translation.url the base address of a LibreTranslate server?"


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Any:
        """Raises TranslatorError for what is no JSON: a proxy's error page, a portal's log-in."""
        if "json" not in self.headers.get("Content-Type", ""):
            raise TranslatorError("not_json", later=True, mend=_ADDRESS)
        try:
            return json.loads(self.content)
        except ValueError:
            raise TranslatorError("not_json", later=True, mend=_ADDRESS) from None


class LibreTranslate:
    """A `bridge.translation.Translator`. `url` is the base address, with https unless it is loopback; `timeout` in
    seconds, for one whole request. The client is made on first use, in the running loop."""

    def __init__(self, url: str, api_key: str = "", timeout: float = 8.0) -> None:
        self._url = url.rstrip("/")
        self._api_key = api_key
        self._timeout = aiohttp.ClientTimeout(total=timeout, sock_connect=min(3.0, timeout))
        self._session: aiohttp.ClientSession | None = None
        self._pairs: Mapping[str, frozenset[str]] = {}
        self._pairs_until = 0.0

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def translate(self, text: str, source: str, target: str) -> str:
        ours, theirs = await self._pair(source, target)
        asked = {"q": text, "source": ours, "target": theirs, "format": "text"}
        if self._api_key:
            asked["api_key"] = self._api_key
        answer = (await self._ask("POST", "translate", asked)).json()
        made = answer.get("translatedText") if isinstance(answer, dict) else None
        if not isinstance(made, str):
            raise TranslatorError("garbled", later=False)
        return made

    # ------------------------------------------------------------------ languages

    async def _pair(self, source: str, target: str) -> tuple[str, str]:
        """Both as this server spells them. Raises TranslatorError where it does not translate the one to the other."""
        pairs = await self._languages()
        for ours in _spelt(source, reading=True):
            for theirs in _spelt(target):
                if theirs in pairs.get(ours, ()):
                    return ours, theirs
        raise TranslatorError("unsupported", later=False, mend=f"install {source} to {target} on the server")

    async def _languages(self) -> Mapping[str, frozenset[str]]:
        if monotonic() >= self._pairs_until:
            self._pairs = _pairs((await self._ask("GET", "languages")).json())
            self._pairs_until = monotonic() + LANGUAGES_KEPT
        return self._pairs

    # ------------------------------------------------------------------ one request

    async def _ask(self, method: str, path: str, asked: Mapping[str, str] | None = None) -> _Answer:
        """One attempt. Redirects are not followed: the words go to the address that was set, and nowhere else."""
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout, headers={"Accept-Language": "en"})
        try:
            request = self._session.request(method, f"{self._url}/{path}", json=asked, allow_redirects=False)
            async with request as response:
                content = await _read(response)
                answer = _Answer(response.status, response.headers, content)
        except TimeoutError:
            raise TranslatorError("timeout", later=True) from None
        except aiohttp.ClientError as error:
            raise TranslatorError(type(error).__name__, later=True) from error
        _refuse(answer)
        return answer


async def _read(response: aiohttp.ClientResponse) -> bytes:
    content = b""
    async for chunk in response.content.iter_chunked(64 * 1024):
        content += chunk
        if len(content) > ANSWER_AT_MOST:
            raise TranslatorError("too_large", later=False)
    return content


def _refuse(answer: _Answer) -> None:
    """Raise for whatever is not a plain yes. A sentence of the server's may hold the text, and is not passed on."""
    status = answer.status
    if status == 200:
        return
    if status == 400:
        raise _refusal(answer)
    if status == 429:
        raise TranslatorError("slowdown", later=True, retry_after=_seconds(answer.headers.get("Retry-After")))
    if status in (401, 403):
        raise TranslatorError("forbidden", later=True, mend=_KEY)
    if 300 <= status < 400:
        raise TranslatorError("redirected", later=True, mend=_ADDRESS)
    raise TranslatorError(f"status_{status}", later=True, mend="" if status >= 500 else _ADDRESS)


def _refusal(answer: _Answer) -> TranslatorError:
    told = answer.json()
    sentence = str(told.get("error", "")) if isinstance(told, dict) else ""
    if "API key" in sentence:
        return TranslatorError("key_needed", later=True, mend=_KEY)
    if "text limit" in sentence:
        return TranslatorError("too_long", later=False, mend="raise the server's --char-limit to 4000 or more")
    return TranslatorError("refused", later=False)


def _spelt(language: str, *, reading: bool = False) -> tuple[str, ...]:
    spellings = _SPELLINGS.get(language, (language, language.split("-")[0]))
    return (*spellings, *_READS_TOO.get(language, ())) if reading else spellings


def _pairs(told: Any) -> Mapping[str, frozenset[str]]:
    """What the server translates into what. Servers before 1.3.8 do not say, and translate all into all."""
    if not isinstance(told, Sequence):
        raise TranslatorError("garbled", later=True, mend=_ADDRESS)
    known = [one for one in told if isinstance(one, dict) and isinstance(one.get("code"), str)]
    every = [one["code"] for one in known]
    return {one["code"]: frozenset(map(str, one.get("targets") or every)) for one in known}


def _seconds(header: str | None) -> float | None:
    """Of a Retry-After in seconds; one with a date is as good as none."""
    return float(header) if header is not None and header.isdecimal() else None
