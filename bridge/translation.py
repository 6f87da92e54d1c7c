"""Translation: a machine's words beside the original, made on a lane of their own.

The original is delivered by its network's lane and never waits for this one. A translator may hang, refuse, lie or
break: then the original stands alone, and the desk is told so. It is sent a message's words and nothing about whose
they are, never a note. Addresses, ids and amounts stay here, and are put back byte for byte.
"""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Protocol

import structlog

from bridge import verbatim
from bridge.errors import DeliveryError, Fault, KakehashiError, OverloadedError, StoreUnavailableError
from bridge.messages import TEXT_LIMIT, Body, TextPart
from bridge.ports import Delivered, Delivery
from bridge.quotations import unquoted
from bridge.relay import Relay
from routing.effects import TRANSLATION, TranslateMessage
from routing.facts import Side
from routing.ids import EffectId, InputKey
from routing.inputs import MessageNotTranslated, MessageTranslated, Untranslated
from routing.language import same_language
from routing.policy import Policy
from routing.session import Session, Spoken

PATIENCE = 600.0
"""Seconds after which a message goes without: by then it has been read, or answered, in the original."""

REMEMBERED = 10_000
"""Effects of which we know when they were first tried."""

AT_ONCE = 4
"""Requests under way: a translator of one's own works on some threads, and one that is asked more answers nobody."""

PLACE_WITHIN = 1.0
"""Seconds to wait for a place among them."""

PAUSE, PAUSE_AT_MOST = 2.0, 60.0
"""Seconds. After a failure nobody asks for a while, longer each time, so that it can come back to its feet."""

GROWTH, SHORT = 8, 400
"""A translation that is so many times as long as its original, and longer than a short one may be, is none."""

log = structlog.get_logger(__name__)


class TranslatorError(KakehashiError):
    """It did not translate. `later`: another attempt may help; `retry_after` in seconds where it said when."""

    def __init__(self, code: str, *, later: bool, retry_after: float | None = None, mend: str = "") -> None:
        super().__init__(f"not translated: {code}", mend=mend)
        self.code = code
        self.later = later
        self.retry_after = retry_after


class Translator(Protocol):
    """Makes one language of another. One call is one attempt, with a deadline of its own."""

    async def translate(self, text: str, source: str, target: str) -> str:
        """Plain text in, plain text out; languages as our locales name them. Raises TranslatorError and nothing else.

        Holes (`[1]`, `[2]` …) stand for what must come through; whatever becomes of them is noticed here.
        """
        ...

    async def close(self) -> None: ...


LanguageOf = Callable[[str], Awaitable[str | None]]
"""What a text is written in, where it can be told: `Detection.language_of`."""


class Translation:
    """The destination of TranslateMessage, as a `bridge.ports.Network` without threads and without operators."""

    name = TRANSLATION

    def __init__(
        self,
        relay: Relay,
        translator: Translator,
        language_of: LanguageOf,
        policy: Callable[[], Policy],
        patience: float = PATIENCE,
    ) -> None:
        self._relay = relay
        self._translator = translator
        self._language_of = language_of
        self._policy = policy
        self._patience = patience
        self._tried: dict[EffectId, float] = {}
        self._places = asyncio.Semaphore(AT_ONCE)
        self._failures = 0
        self._paused_until = 0.0

    async def start(self) -> None:
        """Nothing is asked before there is something to translate: a translator that is away delays no start."""

    async def stop(self) -> None:
        await self._translator.close()

    async def deliver(self, delivery: Delivery) -> Delivered:
        effect, body = delivery.effect, delivery.body
        if not isinstance(effect, TranslateMessage):
            raise AssertionError("nothing but TranslateMessage leads here")
        spoken = delivery.session.spoken(effect.message)
        if body is None or spoken is None or spoken.side is Side.NOTE or spoken.withdrawn:
            return Delivered()  # erased, taken back, or long ago
        text = unquoted(body).text  # a quotation follows its message, and no translation of it would
        masked = verbatim.mask(text)
        source = await self._source(text, spoken, delivery.session) if masked.has_words else effect.language
        if same_language(source, effect.language):
            return Delivered()  # nothing to translate
        await self._carry_out(delivery.session, effect, masked, source)
        self._tried.pop(effect.id, None)
        return Delivered()

    async def _source(self, text: str, spoken: Spoken, session: Session) -> str:
        """What it is written in; where that cannot be told, what its author is expected to write."""
        detected = await self._language_of(text)
        if detected is not None:
            return detected
        if spoken.side is Side.CUSTOMER:
            return session.language
        desk = self._policy().desk_of(session.desk, session.language, session.topic)
        return desk.languages[0] if desk.languages else session.language

    async def _carry_out(
        self, session: Session, effect: TranslateMessage, masked: verbatim.Masked, source: str
    ) -> None:
        if self._is_too_late(effect.id):
            await self._miss(session, effect, Untranslated.UNAVAILABLE)
            return
        try:
            made = await self._translated(masked.text, source, effect.language)
        except TranslatorError as error:
            log.info("not_translated", session=session.id, message=effect.message, code=error.code)
            if error.later:
                raise DeliveryError(Fault.TRANSIENT, error.code, retry_after=_capped(error.retry_after)) from error
            await self._miss(session, effect, Untranslated.REFUSED)
            return
        whole = masked.filled(made) if _is_believable(made, masked.text) else None
        if whole is None:
            log.warning("translation_dropped", session=session.id, message=effect.message)
            await self._miss(session, effect, Untranslated.ALTERED)
            return
        event = MessageTranslated(effect.message, effect.revision, effect.language)
        await self._enter(session, event, effect, Body((TextPart(whole),)))

    def _is_too_late(self, effect: EffectId) -> bool:
        """Counted from this process's first attempt: whoever takes the lane over tries for as long again."""
        if len(self._tried) >= REMEMBERED:
            self._tried.clear()
        now = monotonic()
        return now - self._tried.setdefault(effect, now) >= self._patience

    async def _miss(self, session: Session, effect: TranslateMessage, why: Untranslated) -> None:
        await self._enter(session, MessageNotTranslated(effect.message, effect.revision, effect.language, why), effect)

    async def _enter(
        self,
        session: Session,
        event: MessageTranslated | MessageNotTranslated,
        effect: TranslateMessage,
        body: Body | None = None,
    ) -> None:
        """The key is the effect's, so that an effect that is carried out twice is kept once."""
        try:
            await self._relay.from_bridge(session.id, event, InputKey(f"translated/{effect.id}"), body=body)
        except (StoreUnavailableError, OverloadedError) as error:
            raise DeliveryError(Fault.TRANSIENT, "not_stored") from error

    # ------------------------------------------------------------------ asking

    async def _translated(self, text: str, source: str, target: str) -> str:
        rest = self._paused_until - monotonic()
        if rest > 0:
            raise TranslatorError("paused", later=True, retry_after=rest)
        try:
            await asyncio.wait_for(self._places.acquire(), PLACE_WITHIN)
        except TimeoutError:
            raise TranslatorError("busy", later=True) from None
        try:
            made = await self._translator.translate(text, source, target)
        except TranslatorError as error:
            self._pause(error)
            raise
        finally:
            self._places.release()
        self._failures = 0
        return made

    def _pause(self, error: TranslatorError) -> None:
        """What it will not translate is that text's matter; all else is everybody's."""
        if error.later:
            self._failures += 1
            rest = _capped(error.retry_after) or min(PAUSE * 2 ** min(self._failures - 1, 8), PAUSE_AT_MOST)
            self._paused_until = monotonic() + rest

    # ------------------------------------------------------------------ the rest of the port

    async def find(self, delivery: Delivery) -> list[Delivered]:
        """What an attempt left is in the journal, under the effect's own key; asking again does no harm."""
        del delivery
        return []

    async def remove_double(self, delivery: Delivery, double: Delivered) -> None:
        """There is none: the journal takes each key once."""

    async def refresh(self, delivery: Delivery) -> None:
        """There is no card here."""

    def ready(self) -> str | None:
        """The service is as ready as ever without: the originals go their way."""
        return None


def _capped(seconds: float | None) -> float | None:
    """Told to wait for hours we ask again sooner: patience ends sooner still."""
    return min(seconds, PAUSE_AT_MOST) if seconds else None


def _is_believable(made: str, original: str) -> bool:
    """A plain text of a plausible length: whatever a provider answers is shown to people under our name."""
    if not made.strip() or len(made) > min(max(GROWTH * len(original), SHORT), 3 * TEXT_LIMIT):
        return False
    return not any(unicodedata.category(letter) in ("Cc", "Cs") and letter not in "\n\r\t" for letter in made)
