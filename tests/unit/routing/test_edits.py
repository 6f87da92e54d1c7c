"""What an edit did that its author may not have meant: they are told, and of nothing else."""

from __future__ import annotations

import pytest

from routing import inputs as i
from routing.decide import Decision
from routing.edits import Became, became
from routing.ids import MessageId
from routing.inputs import Manner, Origin
from tests.unit.routing.builders import AIKO, KENJI, Talk, answered

M = MessageId("s:1")


def edited(talk: Talk, manner: Manner = Manner.PLAIN, revision: int = 1) -> Became | None:
    before = talk.session
    verdict = talk.hears(i.OperatorRevised(M, AIKO, revision, manner=manner))
    assert before is not None
    return became(before, verdict.session if isinstance(verdict, Decision) else before, M, manner)


def with_words(manner: Manner) -> Talk:
    """A session of Aiko's, with a message of hers."""
    talk = answered()
    talk.accepts(i.OperatorWrote(M, AIKO, "T1:UA", Origin(1), manner))
    return talk


def test_a_reply_that_has_other_words_is_just_that() -> None:
    assert edited(with_words(Manner.PLAIN)) is None


@pytest.mark.parametrize("manner", i.INSIDE)
def test_a_reply_becomes_a_note_and_never_a_reply_again(manner: Manner) -> None:
    talk = with_words(Manner.PLAIN)
    assert edited(talk, manner) is Became.REPLY_BECAME_NOTE
    assert edited(talk, manner, 2) is None, "it was said before"
    assert edited(talk, Manner.PLAIN, 3) is Became.REPLY_STAYS_WITHDRAWN


def test_a_note_stays_one_unless_it_is_marked_as_one_anyway() -> None:
    assert edited(with_words(Manner.NOTE)) is Became.NOTE_STAYS_NOTE
    assert edited(with_words(Manner.NOTE), Manner.NOTE) is None
    assert edited(with_words(Manner.ADDRESSED), Manner.ADDRESSED) is None


def test_a_note_that_was_sent_follows_until_it_is_marked_as_a_note_and_is_not_sent_again() -> None:
    talk = with_words(Manner.NOTE)
    talk.accepts(i.OperatorSent(M, AIKO))
    assert edited(talk) is None, "the reply says what the note says"
    assert edited(talk, Manner.NOTE, 2) is Became.REPLY_BECAME_NOTE
    assert edited(talk, Manner.PLAIN, 3) is Became.NOTE_STAYS_WITHDRAWN


def test_of_what_somebody_else_sent_there_is_nothing_to_say() -> None:
    talk = with_words(Manner.NOTE)
    talk.accepts(i.OperatorSent(M, KENJI))
    assert edited(talk) is None
