"""Beside a message's way: what is looked at, what it costs at most, and that nothing ever waits for it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import cast

import pytest

from bridge.detection import FIRST, QUEUED, Detection, Detector
from bridge.errors import OverloadedError
from bridge.messages import Body, TextPart
from bridge.metrics import Metrics
from bridge.ports import Entry, Stored
from bridge.relay import Relay
from routing import inputs as i
from routing.facts import CustomerMessageAdded
from routing.ids import InputKey, MessageId, SessionId
from tests.unit.routing.builders import AIKO, Talk, opening

LONGEST = 5.0
"""Seconds; but for the test of one that hangs."""


@dataclass
class Inbox:
    """The relay, as far as it is called from here."""

    came: list[tuple[i.Input, InputKey]] = field(default_factory=list)
    overloaded: bool = False

    async def from_bridge(self, session: SessionId, event: i.Input, key: InputKey) -> None:
        del session
        if self.overloaded:
            raise OverloadedError("too much is under way")
        self.came.append((event, key))


@dataclass
class Says:
    """A detector that finds the same in every text, and remembers what it was shown."""

    language: str | None
    shown: list[str] = field(default_factory=list)

    def detect(self, text: str) -> str | None:
        self.shown.append(text)
        return self.language


class Hangs:
    """A detector that answers only once it is released."""

    def __init__(self) -> None:
        self.entered, self.released = threading.Event(), threading.Event()
        self.calls = 0

    def detect(self, text: str) -> str | None:
        del text
        self.calls += 1
        self.entered.set()
        self.released.wait()
        return "ja"


class Breaks:
    def detect(self, text: str) -> str | None:
        raise ValueError(f"cannot read {text}")


@dataclass
class Scene:
    """A customer's talk, told to the detection as the feed tells it."""

    detection: Detection
    inbox: Inbox
    talk: Talk = field(default_factory=Talk)

    def writes(self, message: str, text: str, language: str = "en") -> None:
        event = i.CustomerWrote(MessageId(message), opening(language=language))
        before = len(self.talk.facts)
        session = self.talk.accepts(event)
        entries = [Entry(n, "t", None, fact) for n, fact in enumerate(self.talk.facts[before:])]
        bodies = {(MessageId(message), 0): Body((TextPart(text),))}
        self.detection.heard(Stored(session, len(self.talk.facts), 0, "", "e"), entries, bodies)

    async def looks(self) -> None:
        """Until everything in the queue was looked at."""
        while not self.detection._queue.empty():
            await self.detection._look(self.detection._queue.get_nowait())


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


def scene(detector: Detector, metrics: Metrics, longest: float = LONGEST) -> Scene:
    inbox = Inbox()
    return Scene(Detection(cast(Relay, inbox), detector, metrics, longest), inbox)


async def test_another_language_enters_as_an_input_under_the_messages_own_key(metrics: Metrics) -> None:
    one = scene(Says("ja"), metrics)
    one.writes("c:1", "出金できません")
    await one.looks()
    assert one.inbox.came == [(i.LanguageDetected(MessageId("c:1"), "ja"), "language/c:1")]


@pytest.mark.parametrize(("session", "found"), [("en", "en"), ("zh-Hans", "zh-Hant"), ("en", None)])
async def test_what_is_no_news_is_not_entered(metrics: Metrics, session: str, found: str | None) -> None:
    one = scene(Says(found), metrics)
    one.writes("c:1", "x", session)
    await one.looks()
    assert one.inbox.came == []


async def test_what_was_offered_before_is_not_entered_again(metrics: Metrics) -> None:
    one = scene(Says("ja"), metrics)
    one.writes("c:1", "出金できません")
    await one.looks()
    one.talk.accepts(i.LanguageDetected(MessageId("c:1"), "ja"))
    one.writes("c:2", "出金できません")
    await one.looks()
    assert len(one.inbox.came) == 1


async def test_only_the_first_messages_and_those_that_seem_to_differ_are_looked_at(metrics: Metrics) -> None:
    says = Says(None)
    one = scene(says, metrics)
    for number in range(10):
        one.writes(f"c:{number}", f"still waiting {number}")
    one.writes("c:ja", "出金できません")
    await one.looks()
    assert len(says.shown) == FIRST + 1
    assert says.shown[-1] == "出金できません"


@pytest.mark.parametrize(
    ("language", "text", "looked_at"),
    [
        ("ja", "出金できません", False),
        ("ja", "my withdrawal is stuck", True),
        ("ja", "提现不到账", True),
        ("zh-Hans", "提现不到账", False),
        ("zh-Hans", "出金できません", True),
        ("zh-Hant", "hello there", True),
        ("en", "hello there", False),
        ("en", "출금이 안 돼요", True),
    ],
)
async def test_a_glance_tells_whether_a_later_message_may_be_in_another_language(
    metrics: Metrics, language: str, text: str, looked_at: bool
) -> None:
    says = Says(None)
    one = scene(says, metrics)
    for number in range(FIRST):
        one.writes(f"c:{number}", "x", language)
    await one.looks()
    one.writes("c:later", text, language)
    await one.looks()
    assert (text in says.shown) is looked_at


async def test_operators_words_are_not_looked_at(metrics: Metrics) -> None:
    says = Says("ja")
    one = scene(says, metrics)
    session = one.talk.accepts(i.CustomerWrote(MessageId("c:1"), opening()))
    one.talk.accepts(i.OperatorReplied(MessageId("o:1"), AIKO))
    facts = [fact for fact in one.talk.facts if not isinstance(fact, CustomerMessageAdded)]
    bodies = {(MessageId("o:1"), 0): Body((TextPart("こんにちは"),))}
    one.detection.heard(Stored(session, 3, 0, "", "e"), [Entry(0, "t", None, fact) for fact in facts], bodies)
    await one.looks()
    assert says.shown == []


async def test_the_queue_is_bounded_and_what_does_not_fit_is_counted(metrics: Metrics) -> None:
    one = scene(Says(None), metrics)
    for number in range(QUEUED + 5):
        Scene(one.detection, one.inbox).writes(f"c:{number}", "hello")
    assert one.detection._queue.qsize() == QUEUED
    assert metrics.registry.get_sample_value("kakehashi_shed_total", {"what": "detection"}) == 5


async def test_a_detector_that_breaks_costs_its_message_and_no_other(metrics: Metrics) -> None:
    assert await scene(Breaks(), metrics).detection.language_of("x") is None


@pytest.fixture
def hangs() -> Iterator[Hangs]:
    one = Hangs()
    yield one
    one.released.set()


async def test_a_detector_that_hangs_is_given_up_and_asked_nothing_more_until_it_is_back(
    metrics: Metrics, hangs: Hangs
) -> None:
    detection = scene(hangs, metrics, longest=0.05).detection
    assert await detection.language_of("x") is None
    assert await detection.language_of("y") is None
    assert hangs.calls == 1
    hangs.released.set()
    assert detection._running
    await asyncio.wrap_future(detection._running)
    assert await detection.language_of("z") == "ja"
    detection.close()


async def test_while_it_hangs_messages_go_their_way(metrics: Metrics, hangs: Hangs) -> None:
    one = scene(hangs, metrics)
    one.writes("c:1", "出金できません")
    running = asyncio.create_task(one.detection.run())
    await asyncio.to_thread(hangs.entered.wait)
    one.writes("c:2", "出金できません")  # returns at once: there is nothing in it to wait for
    assert one.talk.session
    assert one.talk.session.messages == 2
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_an_overloaded_relay_ends_nothing(metrics: Metrics) -> None:
    one = scene(Says("ja"), metrics)
    one.inbox.overloaded = True
    running = asyncio.create_task(one.detection.run())
    for number in range(2):
        one.writes(f"c:{number}", "出金できません")
    await one.detection._queue.join()
    one.inbox.overloaded = False
    one.writes("c:last", "出金できません")
    await one.detection._queue.join()
    assert len(one.inbox.came) == 1
    assert not running.done()
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
