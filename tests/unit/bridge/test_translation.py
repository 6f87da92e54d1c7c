"""The translator's lane: what is sent out, what is believed of the answer, and what follows when there is none."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import cast

import pytest

from bridge.errors import DeliveryError, Fault, OverloadedError
from bridge.messages import About, Body, FilePart, TextPart
from bridge.ports import Delivered, Delivery
from bridge.relay import Relay
from bridge.translation import PATIENCE, Translation, TranslatorError
from routing import inputs as i
from routing.effects import TRANSLATION, PostLine, TranslateMessage
from routing.ids import EffectId, InputKey, MessageId, NetworkName, SessionId
from routing.session import Session
from tests.unit.routing.builders import AIKO, EN, JA, POLICY, Talk, opening

TXID = "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"
TRANSLATING = replace(POLICY, desks={EN: POLICY.desks[EN], JA: POLICY.desks[JA]}, translates=True)


@dataclass
class Inbox:
    """The relay, as far as it is called from here."""

    came: list[tuple[i.Input, InputKey, str | None]] = field(default_factory=list)
    overloaded: bool = False

    async def from_bridge(self, session: SessionId, event: i.Input, key: InputKey, *, body: Body | None) -> None:
        del session
        if self.overloaded:
            raise OverloadedError("too much is under way")
        self.came.append((event, key, body.text if body else None))


@dataclass
class Machine:
    """A translator. `says`: its answer, with `{}` for what it was given; `fails`: what it raises instead."""

    says: str = "said: {}"
    fails: TranslatorError | None = None
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    held: asyncio.Event | None = None
    begun: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    closed: bool = False

    async def translate(self, text: str, source: str, target: str) -> str:
        self.asked.append((text, source, target))
        self.begun.put_nowait(text)
        if self.held is not None:
            await self.held.wait()
        if self.fails is not None:
            raise self.fails
        return self.says.replace("{}", text)

    async def close(self) -> None:
        self.closed = True


@dataclass
class Scene:
    """A Korean customer at the English desk."""

    machine: Machine = field(default_factory=Machine)
    inbox: Inbox = field(default_factory=Inbox)
    detected: str | None = None
    patience: float = PATIENCE
    talk: Talk = field(default_factory=lambda: Talk(TRANSLATING))

    def __post_init__(self) -> None:
        self.talk.accepts(i.CustomerWrote(MessageId("c:1"), opening(language="ko")))
        self.translation = Translation(
            cast(Relay, self.inbox), self.machine, self.language_of, lambda: TRANSLATING, self.patience
        )

    async def language_of(self, text: str) -> str | None:
        del text
        return self.detected

    @property
    def session(self) -> Session:
        assert self.talk.session
        return self.talk.session

    def delivery(self, text: str | None, message: str = "c:1", language: str = "en", number: int = 0) -> Delivery:
        effect = TranslateMessage(
            id=EffectId(f"e{number}"),
            to=TRANSLATION,
            mirror=0,
            message=MessageId(message),
            revision=0,
            language=language,
        )
        body = None if text is None else Body((TextPart(text),))
        return Delivery(effect, self.session, About(name="Kim"), body=body)

    async def carries(self, text: str | None, **changed: str) -> list[i.Input]:
        assert await self.translation.deliver(self.delivery(text, **changed)) == Delivered()  # type: ignore[arg-type]  # names of fields
        return [event for event, _, _ in self.inbox.came]

    async def misses(self, text: str = "출금이 안 돼요") -> i.Untranslated:
        """Why there is no translation of it."""
        (event,) = await self.carries(text)
        assert isinstance(event, i.MessageNotTranslated)
        return event.why


async def test_a_translation_enters_with_its_body_under_the_effects_own_key() -> None:
    scene = Scene()
    await scene.carries("출금이 안 돼요")
    assert scene.machine.asked == [("출금이 안 돼요", "ko", "en")]
    event = i.MessageTranslated(MessageId("c:1"), 0, "en")
    assert scene.inbox.came == [(event, "translated/e0", "said: 출금이 안 돼요")]


async def test_addresses_and_amounts_never_leave_and_come_back_byte_for_byte() -> None:
    scene = Scene()
    await scene.carries(f"{TXID} 0.5 BTC 어디 있나요")
    assert scene.machine.asked[0][0] == "[1] [2] 어디 있나요"
    assert scene.inbox.came[0][2] == f"said: {TXID} 0.5 BTC 어디 있나요"


@pytest.mark.parametrize(
    "lie",
    [
        "lost",
        "{} [1]",
        "{} [3]",
        f"{{}} {TXID}",
        "{} 1,000",
        "",
        "   ",
        "x" * 5_000,
        "{}\x00",
        "{}\x1b[31m",
        "{}\ud800",
    ],
)
async def test_a_translation_that_is_not_to_be_believed_is_dropped_and_said_so(lie: str) -> None:
    scene = Scene(Machine(says=lie))
    assert await scene.misses("0.5 BTC 어디 있나요") is i.Untranslated.ALTERED


async def test_the_language_of_the_words_goes_before_that_of_the_session() -> None:
    scene = Scene(detected="zh-Hans")
    await scene.carries("提现不到账")
    assert scene.machine.asked[0][1:] == ("zh-Hans", "en")


async def test_who_writes_the_desks_language_already_needs_no_machine() -> None:
    assert await Scene(detected="en").carries("my withdrawal is stuck") == []


async def test_a_reply_is_read_as_the_desks_language() -> None:
    scene = Scene()
    scene.talk.accepts(i.OperatorReplied(MessageId("o:1"), AIKO))
    await scene.carries("Please wait", message="o:1", language="ko")
    assert scene.machine.asked == [("Please wait", "en", "ko")]


async def test_a_note_is_not_sent_even_if_it_were_asked_for() -> None:
    scene = Scene()
    scene.talk.accepts(i.OperatorNoted(MessageId("n:1"), AIKO))
    assert await scene.carries("suspicious", message="n:1", language="ko") == []
    assert scene.machine.asked == []


@pytest.mark.parametrize("text", [None, "", "  ", TXID, "0.5 BTC", "👍"])
async def test_what_was_erased_or_has_no_words_is_left_alone(text: str | None) -> None:
    scene = Scene()
    assert await scene.carries(text) == []
    assert scene.machine.asked == []


async def test_files_stay_here() -> None:
    scene = Scene()
    delivery = scene.delivery("x")
    picture = FilePart("f1", "passport.png", "image/png", 1)
    await scene.translation.deliver(replace(delivery, body=Body((picture,))))
    assert scene.machine.asked == []


async def test_words_that_were_taken_back_are_not_sent() -> None:
    scene = Scene()
    scene.talk.accepts(i.CustomerWithdrew(MessageId("c:1")))
    assert await scene.carries("출금이 안 돼요") == []
    assert scene.machine.asked == []


async def test_what_the_machine_refuses_is_not_tried_again() -> None:
    assert await Scene(Machine(fails=TranslatorError("too_long", later=False))).misses() is i.Untranslated.REFUSED


async def test_a_machine_that_is_away_is_tried_again_later_and_by_nobody_meanwhile() -> None:
    scene = Scene(Machine(fails=TranslatorError("timeout", later=True)))
    for expected in ("timeout", "paused"):
        with pytest.raises(DeliveryError) as caught:
            await scene.carries("출금이 안 돼요")
        assert (caught.value.fault, caught.value.code) == (Fault.TRANSIENT, expected)
    assert len(scene.machine.asked) == 1
    assert scene.inbox.came == []


async def test_told_to_wait_for_hours_it_asks_again_sooner() -> None:
    scene = Scene(Machine(fails=TranslatorError("slowdown", later=True, retry_after=7_200)))
    with pytest.raises(DeliveryError) as caught:
        await scene.carries("출금이 안 돼요")
    assert caught.value.retry_after == 60


async def test_when_patience_is_over_the_original_stands_alone_and_says_so() -> None:
    scene = Scene(Machine(fails=TranslatorError("timeout", later=True)), patience=0.0)
    assert await scene.misses() is i.Untranslated.UNAVAILABLE
    assert scene.machine.asked == []


async def test_more_is_not_asked_at_once_than_the_machine_can_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.translation.PLACE_WITHIN", 0.01)
    scene = Scene(Machine(held=asyncio.Event()))
    busy = [asyncio.create_task(scene.translation.deliver(scene.delivery("안녕", number=n))) for n in range(4)]
    for _ in busy:
        await scene.machine.begun.get()
    with pytest.raises(DeliveryError) as caught:
        await scene.translation.deliver(scene.delivery("안녕", number=9))
    assert caught.value.code == "busy"
    assert scene.machine.held
    scene.machine.held.set()
    await asyncio.gather(*busy)
    assert len(scene.inbox.came) == 4


async def test_what_could_not_be_stored_is_translated_again() -> None:
    scene = Scene()
    scene.inbox.overloaded = True
    with pytest.raises(DeliveryError) as caught:
        await scene.carries("안녕")
    assert caught.value.fault is Fault.TRANSIENT


async def test_nothing_else_leads_here_and_nothing_is_left_to_find() -> None:
    scene = Scene()
    line = PostLine(id=EffectId("x"), to=NetworkName("translation"), mirror=1, key="moved")
    with pytest.raises(AssertionError):
        await scene.translation.deliver(replace(scene.delivery("x"), effect=line))
    assert await scene.translation.find(scene.delivery("x")) == []


async def test_a_machine_that_is_away_makes_the_service_no_less_ready() -> None:
    scene = Scene(Machine(fails=TranslatorError("timeout", later=True)))
    await scene.translation.start()
    with pytest.raises(DeliveryError):
        await scene.carries("안녕")
    assert scene.translation.ready() is None
    await scene.translation.stop()
    assert scene.machine.closed
