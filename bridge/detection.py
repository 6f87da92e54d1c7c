"""Detection: what language the customer writes in, found out after the message is stored and beside its way.

It is best effort on purpose. A message waits for nothing here; what does not fit into the queue is not looked at, and
a detector that is slow, stuck or broken costs an offer and nothing else. `routing.language` decides what follows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import structlog

from bridge.errors import KakehashiError
from bridge.messages import Body
from bridge.metrics import Metrics
from bridge.ports import Entry, Stored
from bridge.relay import Relay
from routing.facts import CustomerMessageAdded, Side
from routing.ids import InputKey, MessageId, SessionId
from routing.inputs import LanguageDetected
from routing.language import same_language
from routing.session import Session

FIRST = 3
"""Messages of a customer that are looked at whatever they look like; later ones only where they seem to differ."""

QUEUED = 256
"""Messages waiting to be looked at. A detector that falls behind so far is not going to catch up by waiting."""

LONGEST = 2.0
"""Seconds for one message; ordinarily it is a tenth of a millisecond."""

GLANCE = 80
"""Characters that tell whether a message may be in another language."""

log = structlog.get_logger(__name__)


class Detector(Protocol):
    """Tells what a text is written in. Called in a thread of its own, one text at a time."""

    def detect(self, text: str) -> str | None:
        """`ja`, `zh-Hans`, `zh-Hant`, `en` …, or None where that cannot be told. May take its time, and may raise."""
        ...


@dataclass(frozen=True, slots=True)
class _Seen:
    """A message to be looked at, and what the session was like then."""

    session: SessionId
    message: MessageId
    text: str
    spared: tuple[str, ...]  # languages that are no news: the session's own, and those offered before


class Detection:
    """A `bridge.feed.Listener`: hears of every commit of this process, and looks at what customers wrote."""

    def __init__(self, relay: Relay, detector: Detector, metrics: Metrics, longest: float = LONGEST) -> None:
        self._relay = relay
        self._detector = detector
        self._metrics = metrics
        self._longest = longest
        self._queue: asyncio.Queue[_Seen] = asyncio.Queue(QUEUED)
        self._thread: ThreadPoolExecutor | None = None
        self._running: Future[str | None] | None = None
        self._free = asyncio.Lock()

    def heard(self, stored: Stored, entries: Sequence[Entry], bodies: Mapping[tuple[MessageId, int], Body]) -> None:
        session = stored.session
        for message in (one.fact.message for one in entries if isinstance(one.fact, CustomerMessageAdded)):
            body = bodies.get((message, 0))
            if body is not None and body.text and _is_worth_a_look(session, body.text):
                self._take(_Seen(session.id, message, body.text, _spared(session)))

    def _take(self, seen: _Seen) -> None:
        try:
            self._queue.put_nowait(seen)
        except asyncio.QueueFull:
            self._metrics.shed("detection")

    async def run(self) -> None:
        """Look at one message after the other, until cancelled."""
        try:
            while True:
                await self._look_at_next()
        finally:
            self.close()

    async def _look_at_next(self) -> None:
        seen = await self._queue.get()
        try:
            await self._look(seen)
        except KakehashiError as error:
            log.info("language_not_noted", session=seen.session, reason=error.what)
        finally:
            self._queue.task_done()

    async def _look(self, seen: _Seen) -> None:
        language = await self.language_of(seen.text)
        if language is None or any(same_language(language, one) for one in seen.spared):
            return
        event = LanguageDetected(seen.message, language)
        await self._relay.from_bridge(seen.session, event, InputKey(f"language/{seen.message}"))

    async def language_of(self, text: str) -> str | None:
        """What the text is written in; None, too, when the detector takes too long, or fails."""
        try:
            async with asyncio.timeout(self._longest), self._free:
                return await self._ask(text)
        except TimeoutError:
            log.warning("detection_slow")
        except Exception as error:
            log.warning("detection_broke", error=type(error).__name__)  # its message might hold the text
        return None

    async def _ask(self, text: str) -> str | None:
        """In the one thread. While that is still busy with a text that was given up, nothing more is asked of it."""
        if self._running is not None and not self._running.done():
            return None
        self._thread = self._thread or ThreadPoolExecutor(1, "detection")
        self._running = self._thread.submit(self._detector.detect, text)
        return await asyncio.shield(asyncio.wrap_future(self._running))

    def close(self) -> None:
        """Let the thread go. Whatever it is still looking at is nobody's business any more."""
        if self._thread is not None:
            self._thread.shutdown(wait=False, cancel_futures=True)
            self._thread = None


def _spared(session: Session) -> tuple[str, ...]:
    return (session.language, *session.offered_languages)


def _is_worth_a_look(session: Session, text: str) -> bool:
    """The first messages are; later ones where a glance at their letters says that the language may have changed."""
    written = sum(one.side is Side.CUSTOMER for one in session.recent)
    return written <= FIRST or _seems_other(text[:GLANCE], session.language)


def _seems_other(text: str, language: str) -> bool:
    kana = any("\u3041" <= letter <= "\u30fa" for letter in text)
    han = any("\u4e00" <= letter <= "\u9fff" for letter in text)
    if language == "ja":
        return not kana
    if same_language(language, "zh"):
        return kana or not han
    return kana or han or any("\uac00" <= letter <= "\ud7a3" for letter in text)
