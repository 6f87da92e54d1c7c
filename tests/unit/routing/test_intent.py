"""Whether what somebody wrote in a thread is a reply, a note, or is held."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from routing import effects as e
from routing import facts as f
from routing import inputs as i
from routing.facts import Inside, Side
from routing.ids import MessageId, OperatorId, sent_id
from routing.inputs import Manner, Origin
from routing.policy import Attachments, OperatorProfile, PlainWords
from routing.session import State
from routing.timers import TimerName, timers
from routing.view import CustomerMessage
from tests.unit.routing.builders import AIKO, EN, JA, KENJI, POLICY, Talk, answered, opened, resolved

MARY = OperatorId("mary")
M = MessageId("s:1")


def ruled(**rules: Any) -> Talk:
    """A waiting session at a desk with these rules. Mary works elsewhere."""
    talk = opened()
    mary = OperatorProfile(MARY, {"en": "Mary"}, desks=(JA,))
    desks = {**POLICY.desks, EN: replace(POLICY.desks[EN], **rules)}
    talk.policy = replace(POLICY, desks=desks, operators={**POLICY.operators, MARY: mary})
    return talk


def writes(
    who: OperatorId | None, message: str = M, manner: Manner = Manner.PLAIN, mirror: int = 1, author: str = "T1:U1"
) -> i.OperatorWrote:
    return i.OperatorWrote(MessageId(message), who, author, Origin(mirror), manner)


def told(talk: Talk) -> list[tuple[str, int, bool]]:
    """What of ours the customer saw, in order: message, wording, whether it was taken back."""
    events = [one for one in talk.customer_saw() if isinstance(one, CustomerMessage) and one.side is not Side.CUSTOMER]
    return [(one.message, one.revision, one.withdrawn) for one in events]


def inside(talk: Talk) -> Inside | None:
    note = talk.facts[-1]
    assert isinstance(note, f.NoteAdded)
    return note.inside


# ------------------------------------------------------------------ whose words are what


def test_the_first_plain_words_to_an_unclaimed_session_claim_it() -> None:
    talk = ruled()
    session = talk.accepts(writes(AIKO))
    assert (session.state, session.assignee, told(talk)) == (State.ASSIGNED, AIKO, [(M, 0, False)])


def test_the_assignees_plain_words_are_a_reply_and_anyone_elses_a_note() -> None:
    talk = answered()
    talk.accepts(writes(KENJI, "s:2"))
    assert inside(talk) is Inside.ANOTHERS
    talk.accepts(writes(AIKO, "s:3"))
    assert [message for message, _, _ in told(talk)] == ["o:first", "s:3"]


def test_who_does_not_work_at_the_desk_claims_nothing_by_a_word() -> None:
    talk = ruled()
    session = talk.accepts(writes(MARY))
    assert (session.state, inside(talk), told(talk)) == (State.QUEUED, Inside.ELSEWHERE, [])


def test_words_to_a_colleague_are_a_note_even_the_assignees() -> None:
    talk = answered()
    talk.accepts(writes(AIKO, manner=Manner.ADDRESSED))
    assert (inside(talk), len(told(talk))) == (Inside.ADDRESSED, 1)


def test_what_was_said_elsewhere_is_a_note_until_somebody_sends_it() -> None:
    talk = answered()
    talk.accepts(writes(AIKO, manner=Manner.FORWARDED))
    assert (inside(talk), len(told(talk))) == (Inside.FORWARDED, 1)
    talk.accepts(i.OperatorSent(M, AIKO))
    assert len(told(talk)) == 2


def test_what_begins_as_a_note_is_one_and_nobody_asks_about_it() -> None:
    talk = ruled()
    talk.accepts(writes(AIKO, manner=Manner.NOTE))
    assert (inside(talk), told(talk)) == (None, [])


def test_a_desk_may_keep_all_plain_words_inside_and_a_reply_is_said_outright() -> None:
    talk = ruled(plain_words=PlainWords.NOTE)
    talk.accepts(i.OperatorClaimed(AIKO))
    talk.accepts(writes(AIKO))
    assert (inside(talk), told(talk)) == (Inside.DESK, [])
    talk.accepts(writes(AIKO, "s:2", Manner.REPLY))
    assert told(talk) == [("s:2", 0, False)]


def test_after_resolving_the_assignee_may_add_a_word() -> None:
    talk = resolved()
    session = talk.accepts(writes(AIKO))
    assert (session.state, told(talk)[-1]) == (State.RESOLVED, (M, 0, False))
    talk.accepts(writes(KENJI, "s:2"))
    assert inside(talk) is Inside.ANOTHERS


def test_a_thread_that_the_session_has_left_takes_notes_and_refuses_the_rest() -> None:
    talk = answered()
    talk.accepts(i.OperatorTransferred(AIKO, JA))
    for who in (AIKO, KENJI, None):
        assert talk.refuses(writes(who)) == "moved"
    talk.accepts(writes(AIKO, manner=Manner.NOTE))


def test_a_closed_session_takes_what_was_learnt_afterwards_and_no_reply() -> None:
    talk = answered()
    talk.accepts(i.CustomerEnded())
    for who in (AIKO, None):
        assert talk.refuses(writes(who)) == "session_closed"
    talk.accepts(writes(AIKO, manner=Manner.NOTE))
    assert talk.refuses(i.OperatorSent(M, AIKO)) == "session_closed"


# ------------------------------------------------------------------ who is not enrolled


def test_the_words_of_whoever_is_not_enrolled_wait_and_claim_nothing() -> None:
    talk = ruled()
    session = talk.accepts(writes(None))
    assert (session.state, told(talk), session.held(M) is not None) == (State.QUEUED, [], True)
    assert isinstance(talk.effects[-1], e.AskAboutHeld)
    assert TimerName.UNDO not in timers(session, talk.policy)


def test_an_operator_sends_them_under_their_own_name_once() -> None:
    talk = ruled()
    talk.accepts(writes(None))
    session = talk.accepts(i.OperatorSent(M, KENJI))
    reply = next(fact for fact in talk.facts if isinstance(fact, f.ReplyAdded))
    assert (reply.operator, session.assignee, session.held(M), told(talk)) == (KENJI, KENJI, None, [(M, 0, False)])
    assert talk.refuses(i.OperatorSent(M, AIKO)) == "sent_already"
    assert talk.refuses(i.OperatorUndid(M, AIKO)) == "sent_already"


def test_what_their_author_changes_after_somebody_sent_them_changes_nothing_for_the_customer() -> None:
    talk = ruled()
    talk.accepts(writes(None))
    talk.accepts(i.OperatorSent(M, KENJI))
    assert talk.refuses(i.OperatorRevised(M, OperatorId("slack:T1:U1"), 5)) == "not_author"


def test_kept_inside_they_are_a_note_of_whoever_wrote_them() -> None:
    talk = ruled()
    talk.accepts(writes(None))
    session = talk.accepts(i.OperatorUndid(M, KENJI))
    spoken = session.spoken(M)
    assert spoken is not None
    assert (spoken.side, spoken.by, told(talk)) == (Side.NOTE, "slack:T1:U1", [])


def test_what_leaves_are_the_words_as_they_stand_then() -> None:
    talk = ruled()
    talk.accepts(writes(None))
    talk.accepts(i.OperatorRevised(M, OperatorId("slack:T1:U1"), 7, committed=True))
    talk.accepts(i.OperatorSent(M, KENJI))
    assert told(talk) == [(M, 7, False)]


def test_what_their_author_deletes_before_it_is_sent_is_gone() -> None:
    talk = ruled()
    talk.accepts(writes(None))
    talk.accepts(i.OperatorWithdrew(M, OperatorId("slack:T1:U1"), committed=True))
    assert talk.refuses(i.OperatorSent(M, KENJI)) == "nothing_to_send"


def test_an_edit_that_makes_them_a_note_keeps_them_inside() -> None:
    talk = ruled()
    talk.accepts(writes(None))
    by = OperatorId("slack:T1:U1")
    talk.accepts(i.OperatorRevised(M, by, 7, committed=True, manner=Manner.NOTE))
    assert talk.session is not None
    spoken = talk.session.spoken(M)
    assert spoken is not None
    assert (spoken.side, spoken.revision, talk.session.pending) == (Side.NOTE, 7, ())


def test_what_an_edit_makes_words_to_a_colleague_stays_inside_or_is_taken_back() -> None:
    talk = ruled()
    talk.accepts(writes(None))
    by = OperatorId("slack:T1:U1")
    session = talk.accepts(i.OperatorRevised(M, by, 7, committed=True, manner=Manner.ADDRESSED))
    assert (session.pending, told(talk)) == ((), [])
    talk.accepts(writes(AIKO, "s:2"))
    talk.accepts(i.OperatorRevised(MessageId("s:2"), AIKO, 1, committed=True, manner=Manner.ADDRESSED))
    assert told(talk) == [("s:2", 0, False), ("s:2", 0, True)]


def test_files_that_are_held_back_stay_so_when_words_become_a_note_or_a_note_is_sent() -> None:
    talk = ruled(attachments=Attachments.HELD)
    talk.accepts(writes(None))
    talk.accepts(i.OperatorUndid(M, KENJI))
    talk.accepts(i.OperatorNoted(MessageId("o:2"), KENJI))
    assert talk.session is not None
    assert [one.held for one in talk.session.recent if one.side is Side.NOTE] == [True, True]
    desks = {name: replace(desk, attachments=Attachments.SHOWN) for name, desk in talk.policy.desks.items()}
    talk.policy = replace(talk.policy, desks=desks)
    session = talk.accepts(i.OperatorSent(MessageId("o:2"), KENJI))
    sent = session.spoken(sent_id(MessageId("o:2")))
    assert sent is not None
    assert sent.held
    assert [one.held for one in talk.effects if isinstance(one, e.PostMessage)][-1:] == [True]


def test_an_edit_that_overtook_held_words_is_theirs() -> None:
    talk = ruled()
    by = OperatorId("slack:T1:U1")
    talk.accepts(i.OperatorRevised(M, by, 3))
    talk.accepts(writes(None))
    talk.accepts(i.OperatorSent(M, KENJI))
    assert told(talk) == [(M, 3, False)]
    talk.accepts(i.OperatorWithdrew(MessageId("s:2"), by))
    talk.accepts(writes(None, "s:2"))
    assert talk.session is not None
    assert talk.session.pending == ()


def test_so_many_wait_and_no_more() -> None:
    talk = ruled()
    for number in range(8):
        talk.accepts(writes(None, f"s:{number}"))
    assert talk.refuses(writes(None, "s:8")) == "too_many_held"


def test_what_waits_when_the_session_moves_or_ends_stays_inside() -> None:
    for last in (i.OperatorTransferred(AIKO, JA), i.CustomerEnded()):
        talk = ruled()
        talk.accepts(writes(None))
        session = talk.accepts(last)
        assert (session.pending, told(talk)) == ((), [])
        assert talk.refuses(i.OperatorSent(M, KENJI)) in ("moved", "session_closed")


# ------------------------------------------------------------------ sending a note


def test_a_note_that_is_sent_stays_a_note_and_a_reply_with_its_words_is_added() -> None:
    talk = answered()
    talk.accepts(writes(KENJI))
    session = talk.accepts(i.OperatorSent(M, KENJI))
    note, reply = session.spoken(M), session.spoken(sent_id(M))
    assert note is not None
    assert reply is not None
    assert (note.side, reply.side, told(talk)[-1]) == (Side.NOTE, Side.REPLY, (sent_id(M), 0, False))
    assert isinstance(talk.effects[-1], e.PostMessage), "the thread shows that it went out"
    assert talk.refuses(i.OperatorSent(M, AIKO)) == "sent_already"


def test_its_authors_edit_and_withdrawal_follow_it_and_somebody_elses_words_stay_as_they_were_sent() -> None:
    mine, theirs = answered(), answered()
    for talk, sender in ((mine, KENJI), (theirs, AIKO)):
        talk.accepts(writes(KENJI))
        talk.accepts(i.OperatorSent(M, sender))
        talk.accepts(i.OperatorRevised(M, KENJI, 9))
    assert told(mine)[-1] == (sent_id(M), 9, False)
    assert told(theirs)[-1] == (sent_id(M), 0, False)
    for talk in (mine, theirs):
        talk.accepts(i.OperatorWithdrew(M, KENJI))
        assert told(talk)[-1][2], "what is not in the thread any more, the customer does not keep"


def test_marked_as_a_note_again_what_was_sent_is_taken_back() -> None:
    talk = answered()
    talk.accepts(writes(KENJI))
    talk.accepts(i.OperatorSent(M, KENJI))
    talk.accepts(i.OperatorRevised(M, KENJI, 9, manner=Manner.NOTE))
    assert told(talk)[-1] == (sent_id(M), 0, True)


def test_a_reply_that_is_edited_into_a_note_is_taken_back() -> None:
    talk = answered()
    talk.accepts(i.OperatorRevised(MessageId("o:first"), AIKO, 9, manner=Manner.NOTE))
    assert told(talk)[-1] == ("o:first", 0, True)


def test_an_edit_into_a_note_that_overtook_its_message_keeps_it_from_the_customer() -> None:
    talk = answered()
    talk.accepts(i.OperatorRevised(M, AIKO, 9, manner=Manner.NOTE))
    talk.accepts(writes(AIKO))
    assert told(talk)[-1] == (M, 0, True)


# ------------------------------------------------------------------ undo


def test_a_reply_may_be_taken_back_for_a_moment_and_then_leaves_by_itself() -> None:
    talk = ruled(undo=5_000)
    session = talk.accepts(writes(AIKO))
    assert (session.assignee, told(talk)) == (AIKO, []), "it claims at once"
    assert timers(session, talk.policy)[TimerName.UNDO] == talk.now + 5_000
    talk.ignores(i.DeadlineFell())
    talk.accepts(i.DeadlineFell(), after=5_000)
    assert told(talk) == [(M, 0, False)]
    assert isinstance(talk.effects[-1], e.EndHeld)


def test_undone_it_is_a_note_that_can_still_be_sent() -> None:
    talk = ruled(undo=5_000)
    talk.accepts(writes(AIKO))
    assert talk.refuses(i.OperatorUndid(M, KENJI)) == "not_author"
    talk.accepts(i.OperatorUndid(M, AIKO))
    talk.hears(i.DeadlineFell(), after=6_000)
    assert told(talk) == []
    talk.accepts(i.OperatorSent(M, AIKO))
    assert told(talk) == [(sent_id(M), 0, False)]


def test_sent_now_it_leaves_with_what_was_written_before_it_and_in_that_order() -> None:
    talk = ruled(undo=5_000)
    for message in ("s:1", "s:2", "s:3"):
        talk.accepts(writes(AIKO, message), after=1)
    talk.accepts(i.OperatorSent(MessageId("s:2"), AIKO))
    assert [message for message, _, _ in told(talk)] == ["s:1", "s:2"]


@pytest.mark.parametrize(
    "last",
    [
        i.OperatorResolved(AIKO),
        i.OperatorTransferred(AIKO, JA),
        i.OperatorReleased(AIKO),
        i.OperatorWentOff(AIKO),
        i.OperatorReplied(MessageId("o:2"), AIKO),
    ],
    ids=lambda one: type(one).__name__,
)
def test_what_comes_after_it_does_not_overtake_it(last: i.Input) -> None:
    talk = ruled(undo=5_000)
    talk.accepts(writes(AIKO))
    session = talk.accepts(last)
    assert (told(talk)[0], session.pending) == ((M, 0, False), ())


def test_words_that_no_thread_shows_are_asked_about_as_they_stand_and_shown_however_they_end() -> None:
    for end, side in ((i.OperatorUndid(M, AIKO), Side.NOTE), (i.OperatorSent(M, AIKO), Side.REPLY)):
        talk = ruled(undo=5_000)
        talk.accepts(i.OperatorWrote(M, AIKO, "T1:U1"))
        talk.accepts(i.OperatorRevised(M, AIKO, 7))
        assert len([one for one in talk.effects if isinstance(one, e.AskAboutHeld)]) == 2
        talk.accepts(end)
        shown = next(one for one in talk.effects if isinstance(one, e.PostMessage) and one.message == M)
        assert (shown.side, shown.revision) == (side, 7)


def test_who_ended_the_talk_is_told_nothing_more_and_its_author_hears_so() -> None:
    talk = ruled(undo=5_000)
    talk.accepts(writes(AIKO))
    talk.accepts(i.CustomerEnded())
    assert told(talk) == []
    assert "unsent" in [one.key for one in talk.effects if isinstance(one, e.PostLine)]


def test_more_than_can_be_undone_at_once_leave_in_their_order() -> None:
    talk = ruled(undo=60_000)
    for number in range(10):
        talk.accepts(writes(AIKO, f"s:{number}"), after=1)
    assert [message for message, _, _ in told(talk)] == ["s:0", "s:1"]
