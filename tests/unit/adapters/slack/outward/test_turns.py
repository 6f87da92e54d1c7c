"""Turns: what a delivery waits for, and how urgent it is."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.slack.outward.turns import channel_of, urgency_of
from bridge.messages import About
from bridge.networks.pacing import Urgency
from bridge.networks.turns import since
from bridge.ports import Delivery
from routing import effects as e
from routing import inputs as i
from routing.facts import Side
from routing.ids import EffectId, MessageId, NetworkName, PostRef, ThreadRef
from routing.policy import RungKind
from tests.unit.routing.builders import AIKO, Talk, opening

FIRST, SECOND = MessageId("c:1"), MessageId("c:2")
NAMED: dict[str, Any] = {"id": EffectId("e"), "to": NetworkName("slack"), "mirror": 1}


@pytest.fixture
def talk() -> Talk:
    one = Talk()
    one.accepts(i.CustomerWrote(FIRST, opening()))
    one.accepts(i.CustomerWrote(SECOND))
    return one


def delivery(talk: Talk, effect: e.Effect, thread: str = "T1:C9:1.1", *posts: str) -> Delivery:
    assert talk.session is not None
    there = ThreadRef(thread) if thread else None
    return Delivery(effect, talk.session, About(), there, posts=tuple(map(PostRef, posts)))


def message(name: MessageId, side: Side = Side.CUSTOMER) -> e.PostMessage:
    return e.PostMessage(message=name, revision=0, side=side, **NAMED)


def test_the_first_message_and_its_root_go_before_everything(talk: Talk) -> None:
    assert urgency_of(delivery(talk, e.OpenThread(**NAMED), "")) is Urgency.FIRST
    assert urgency_of(delivery(talk, message(FIRST))) is Urgency.FIRST
    assert urgency_of(delivery(talk, message(SECOND))) is Urgency.WORDS
    assert urgency_of(delivery(talk, message(FIRST, Side.REPLY))) is Urgency.WORDS


@pytest.mark.parametrize("kind", RungKind)
def test_who_is_called_in_the_thread_is_called_first_and_elsewhere_is_another_channel(
    talk: Talk, kind: RungKind
) -> None:
    in_thread = kind in (RungKind.THREAD, RungKind.GROUP)
    call = e.CallOperators(kind=kind, operator=AIKO, key="offered", **NAMED)
    assert urgency_of(delivery(talk, call)) is (Urgency.FIRST if in_thread else None)


def test_lines_come_after_words(talk: Talk) -> None:
    for effect in (e.PostLine(key="reopened", **NAMED), e.PostHistory(**NAMED)):
        assert urgency_of(delivery(talk, effect)) is Urgency.LINE
    translation = e.PostTranslation(message=FIRST, revision=0, language="en", **NAMED)
    assert urgency_of(delivery(talk, translation)) is Urgency.LINE
    assert urgency_of(delivery(talk, translation, "T1:C9:1.1", "T1:C9:1.2")) is None, "a newer revision posts nothing"


def test_what_changes_a_post_waits_for_no_post(talk: Talk) -> None:
    for effect in (
        e.ReviseMessage(message=FIRST, revision=1, side=Side.CUSTOMER, **NAMED),
        e.WithdrawMessage(message=FIRST, side=Side.CUSTOMER, **NAMED),
        e.DeleteMirror(**NAMED),
    ):
        assert urgency_of(delivery(talk, effect)) is None


def test_it_has_waited_since_it_was_written(talk: Talk) -> None:
    assert talk.session is not None
    assert since(delivery(talk, message(FIRST))) == talk.session.opened_at
    assert since(delivery(talk, message(SECOND))) == talk.session.last_at
    assert since(delivery(talk, e.OpenThread(**NAMED))) == talk.session.opened_at


def test_it_is_posted_where_its_thread_is_and_a_root_where_its_mirror_lives(talk: Talk) -> None:
    assert talk.session is not None
    assert channel_of(delivery(talk, message(FIRST))) == "C9"
    assert channel_of(delivery(talk, e.OpenThread(**NAMED), "")) == talk.session.mirror.place
