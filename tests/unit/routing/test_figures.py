"""Figures of a day: what the facts of its sessions say, and nothing else."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from routing import inputs as i
from routing.facts import DeskOpened, PromiseMissed
from routing.figures import Figures, Milestone, Passed, figures, milestones
from routing.hours import Hours
from routing.ids import MessageId, SessionId
from routing.policy import MINUTE
from routing.session import Session
from tests.unit.routing.builders import AIKO, BUSY, EN, JA, KENJI, Talk, answered, opened, opening

FIRST = MessageId("o:first")


def told(*talks: Talk) -> list[Milestone]:
    return [one for talk in talks for one in milestones(talk.facts)]


def story(number: int, *, waits: int, by: str = AIKO) -> Talk:
    """A customer who comes, is answered after so many minutes, and helped."""
    talk = Talk(policy=BUSY, now=number * 1_000)
    start = opening(session=SessionId(f"main.1.{number}"))
    talk.accepts(i.CustomerWrote(MessageId("c:first"), start))
    if waits >= 5:
        talk.accepts(i.DeadlineFell(), after=5 * MINUTE)
    talk.accepts(i.OperatorReplied(FIRST, AIKO if by == AIKO else KENJI), after=(waits % 5 or 5) * MINUTE)
    talk.accepts(i.OperatorResolved(AIKO if by == AIKO else KENJI))
    return talk


def test_a_day_is_the_sum_of_what_happened_on_it() -> None:
    waits = opened(session=SessionId("main.1.waits"))
    quick, slow, other = story(1, waits=2), story(2, waits=9), story(3, waits=4, by=KENJI)
    assert any(isinstance(fact, PromiseMissed) for fact in slow.facts), "five minutes were promised"
    day = told(waits, quick, slow, other)
    assert figures(day, 0) == Figures(opened=4, answered=3, kept=2, resolved=3, median=4 * MINUTE)
    assert figures(day, 0, AIKO) == Figures(answered=2, kept=1, resolved=2, median=(2 + 9) * MINUTE // 2)
    assert figures(day, 0, KENJI) == Figures(answered=1, kept=1, resolved=1, median=4 * MINUTE)
    assert figures(day, 10**12) == Figures()


def test_only_the_first_response_counts_and_it_counts_for_the_desk_that_gave_it() -> None:
    talk = opened()
    talk.accepts(i.OperatorTransferred(AIKO, JA))
    talk.accepts(i.OperatorReplied(FIRST, KENJI))
    talk.accepts(i.OperatorReplied(MessageId("o:second"), AIKO))
    assert [(one.kind, one.desk, one.operator) for one in told(talk)] == [
        (Passed.OPENED, EN, None),
        (Passed.ANSWERED, JA, KENJI),
    ]


def test_a_note_is_no_response() -> None:
    talk = opened()
    talk.accepts(i.OperatorNoted(FIRST, AIKO))
    assert figures(told(talk), 0).answered == 0


def test_what_was_reopened_is_resolved_no_more_until_it_is_again() -> None:
    talk = answered()
    talk.accepts(i.OperatorResolved(AIKO))
    assert figures(told(talk), 0).resolved == 1
    talk.accepts(i.CustomerWrote(MessageId("c:again")))
    assert figures(told(talk), 0).resolved == 0
    talk.accepts(i.OperatorResolved(AIKO))
    assert figures(told(talk), 0) == replace(figures(told(answered()), 0), resolved=1)


def test_what_silence_resolved_is_the_assignees() -> None:
    talk = answered()
    talk.accepts(i.CustomerReceived(FIRST))
    session: Session = talk.accepts(i.DeadlineFell(), after=25 * 60 * MINUTE)
    assert session.resolved_at is not None
    assert figures(told(talk), 0, AIKO).resolved == 1


def test_who_wrote_at_night_waits_from_when_the_desk_opens() -> None:
    night = replace(
        BUSY, desks={**BUSY.desks, EN: replace(BUSY.desks[EN], hours=Hours(((10 * MINUTE, 10**15),)), promises=())}
    )
    talk = Talk(policy=night, now=0)
    talk.accepts(i.CustomerWrote(MessageId("c:first"), opening()))
    talk.accepts(i.DeadlineFell(), after=10 * MINUTE)
    assert any(isinstance(fact, DeskOpened) for fact in talk.facts)
    talk.accepts(i.OperatorReplied(FIRST, AIKO), after=3 * MINUTE)
    assert figures(told(talk), 0).median == 3 * MINUTE


@given(st.randoms(use_true_random=False), st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_the_order_of_telling_and_telling_twice_change_nothing(random: object, waits: list[int]) -> None:
    day = told(*(story(number, waits=minutes) for number, minutes in enumerate(waits, 1)))
    twice = [*day, *day]
    random.shuffle(twice)  # type: ignore[attr-defined]  # Hypothesis gives it no type
    assert figures(twice, 0) == figures(day, 0)
