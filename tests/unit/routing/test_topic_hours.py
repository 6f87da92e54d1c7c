"""A topic with hours of its own: what is written outside them waits for desk and topic both, and says until when."""

from __future__ import annotations

from dataclasses import replace

import pytest

from routing import inputs as i
from routing.hours import ALWAYS, Hours, opens_together
from routing.ids import MessageId
from routing.policy import TopicRules
from routing.view import CustomerNotice
from tests.unit.routing.builders import ACCOUNT, EN, POLICY, Talk, opening

DESK = Hours(((2_000_000, 3_000_000), (5_000_000, 6_000_000)))
TOPIC = Hours(((1_000_000, 1_500_000), (5_500_000, 6_500_000)))


@pytest.mark.parametrize(
    ("at", "opens"),
    [(0, 5_500_000), (2_500_000, 5_500_000), (5_600_000, 5_600_000), (6_100_000, None)],
)
def test_two_calendars_open_together(at: int, opens: int | None) -> None:
    assert opens_together(DESK, TOPIC, at) == opens_together(TOPIC, DESK, at) == opens


def test_what_is_always_open_is_open_now() -> None:
    assert opens_together(ALWAYS, ALWAYS, 7) == 7
    assert opens_together(ALWAYS, Hours(()), 7) is None


@pytest.mark.parametrize(("rules", "opens"), [(TopicRules(ACCOUNT, hours=TOPIC), 5_500_000), (None, None)])
def test_a_session_waits_for_its_topic_as_it_waits_for_its_desk(rules: TopicRules | None, opens: int | None) -> None:
    talk = Talk(replace(POLICY, topic_rules={ACCOUNT: rules} if rules else {}), now=2_000_000)
    talk.accepts(i.CustomerWrote(MessageId("c:first"), opening()))
    (told,) = [event for event in talk.customer_saw() if isinstance(event, CustomerNotice)]
    assert (told.key, told.until) == (("queued", None) if opens is None else ("outside_hours", opens))
    assert talk.session is not None
    assert talk.session.opens_at == opens


def test_an_emergency_waits_for_no_hours() -> None:
    closed = replace(POLICY.desks[EN], hours=DESK)
    rules = {ACCOUNT: TopicRules(ACCOUNT, emergency=True, hours=TOPIC)}
    talk = Talk(replace(POLICY, desks={**POLICY.desks, EN: closed}, topic_rules=rules), now=0)
    talk.accepts(i.CustomerWrote(MessageId("c:first"), opening()))
    assert talk.session is not None
    assert talk.session.opens_at is None
