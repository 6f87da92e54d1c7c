"""Reactions, edits in several mirrors and deletions that nobody owns, as rules."""

from __future__ import annotations

from dataclasses import replace

import pytest

from routing import effects as e
from routing import facts as f
from routing import inputs as i
from routing.decide import Decision, Nothing, Refusal
from routing.ids import MessageId
from routing.inputs import Origin
from routing.policy import MINUTE
from routing.reactions import plain
from routing.session import Reason
from routing.view import CustomerMessage, CustomerReaction, customer_view
from tests.unit.routing.builders import AIKO, JA, KENJI, POLICY, Talk, opening

WORDS, REPLY, NOTE = MessageId("c:1"), MessageId("o:1"), MessageId("o:2")
EYES = i.OperatorReacted(WORDS, KENJI, "👀", True, Origin(1))


def claimed() -> Talk:
    talk = Talk(POLICY)
    talk.hears(i.CustomerWrote(WORDS, opening()))
    talk.hears(i.OperatorClaimed(KENJI))
    return talk


def answered() -> Talk:
    talk = claimed()
    talk.hears(i.OperatorReplied(REPLY, KENJI, Origin(1)))
    return talk


def decided(talk: Talk, event: i.Input, after: int = 1_000) -> Decision:
    result = talk.hears(event, after=after)
    assert isinstance(result, Decision), result
    return result


def told(talk: Talk, event: i.Input) -> list[str]:
    events = [customer_view(fact) for fact in decided(talk, event).facts]
    return [getattr(one, "key", "") for one in events if one is not None]


def test_the_assignees_eyes_on_the_customers_words_tell_them_once_in_a_turn() -> None:
    talk = claimed()
    assert told(talk, EYES) == ["looking_into_it"]
    assert told(talk, EYES) == []
    talk.hears(i.CustomerWrote(MessageId("c:2")))
    assert told(talk, replace(EYES, message=MessageId("c:2"))) == []


def test_in_our_next_turn_they_are_told_again() -> None:
    talk = claimed()
    told(talk, EYES)
    talk.hears(i.OperatorReplied(REPLY, KENJI, Origin(1)), after=1_000)
    talk.hears(i.CustomerWrote(MessageId("c:2")), after=1_000)
    assert told(talk, replace(EYES, message=MessageId("c:2"))) == ["looking_into_it"]


@pytest.mark.parametrize(
    "event",
    [
        replace(EYES, operator=AIKO),
        replace(EYES, reaction="👍"),
        replace(EYES, on=False),
        replace(EYES, message=REPLY),
    ],
)
def test_everything_else_of_operators_stays_inside(event: i.OperatorReacted) -> None:
    talk = answered()
    talk.hears(i.CustomerWrote(MessageId("c:2")))
    assert told(talk, event) == []


def test_who_was_answered_is_not_told_that_somebody_looks() -> None:
    assert told(answered(), EYES) == []


def test_a_desk_that_lists_no_reaction_tells_of_none() -> None:
    desks = {name: replace(desk, told_reactions=()) for name, desk in POLICY.desks.items()}
    talk = claimed()
    talk.policy = replace(POLICY, desks=desks)
    assert told(talk, EYES) == []


def test_a_sign_is_known_in_any_skin_and_with_any_mark() -> None:
    assert plain("👍🏽") == plain("👍") == "👍"
    assert plain("❤️") == plain("❤")


def test_an_operators_reaction_is_mirrored_only_where_it_was_not_made() -> None:
    assert decided(claimed(), EYES).effects == ()
    (effect,) = decided(claimed(), replace(EYES, origin=Origin())).effects
    assert isinstance(effect, e.ReactToMessage)
    assert (effect.message, effect.on) == (WORDS, True)


def test_a_customers_reaction_is_theirs_to_see_and_reaches_the_mirror() -> None:
    result = decided(answered(), i.CustomerReacted(REPLY, "👍", True))
    assert [customer_view(one) for one in result.facts] == [CustomerReaction(result.facts[0].at, REPLY, "👍", True)]
    assert [type(one) for one in result.effects] == [e.ReactToMessage]


def test_another_reaction_takes_the_place_of_the_first() -> None:
    talk = answered()
    decided(talk, i.CustomerReacted(REPLY, "👍", True))
    kinds = [type(fact) for fact in decided(talk, i.CustomerReacted(REPLY, "🙏", True)).facts]
    assert kinds == [f.ReactionRemoved, f.ReactionAdded]
    assert talk.session is not None
    assert talk.session.reaction_to(REPLY) == "🙏"


def test_the_same_again_changes_nothing_and_neither_does_taking_off_what_is_not_there() -> None:
    talk = answered()
    decided(talk, i.CustomerReacted(REPLY, "👍", True))
    assert isinstance(talk.hears(i.CustomerReacted(REPLY, "👍", True)), Nothing)
    assert isinstance(talk.hears(i.CustomerReacted(REPLY, "🙏", False)), Nothing)
    assert decided(talk, i.CustomerReacted(REPLY, "👍", False)).session.reactions == ()


@pytest.mark.parametrize("message", [WORDS, NOTE, MessageId("o:unknown")])
def test_a_customer_reacts_to_replies_and_to_nothing_else(message: MessageId) -> None:
    talk = answered()
    talk.hears(i.OperatorNoted(NOTE, KENJI, Origin(1)))
    assert talk.hears(i.CustomerReacted(message, "👍", True)) == Refusal(Reason.UNKNOWN_MESSAGE)


def test_an_old_reply_can_be_reacted_to() -> None:
    old = i.CustomerReacted(MessageId("o:old"), "👍", True, committed=True)
    assert decided(answered(), old).session.reaction_to(MessageId("o:old")) == "👍"


def test_an_edit_reaches_every_mirror_but_where_it_was_made_and_a_withdrawal_of_a_reply_that_one_too() -> None:
    talk = answered()
    talk.hears(i.OperatorTransferred(KENJI, JA))
    revised = decided(talk, i.CustomerRevised(WORDS, 1)).effects
    withdrawn = decided(talk, i.OperatorWithdrew(REPLY, KENJI)).effects
    assert [(type(one), one.mirror) for one in revised] == [(e.ReviseMessage, 1), (e.ReviseMessage, 2)]
    assert [(type(one), one.mirror) for one in withdrawn] == [(e.WithdrawMessage, 2), (e.WithdrawMessage, 1)]


def test_what_quotes_a_message_is_shown_anew_with_it_and_a_note_to_operators_only() -> None:
    talk, note = answered(), MessageId("n:1")
    talk.hears(i.OperatorNoted(note, KENJI))
    talk.hears(i.OperatorTransferred(KENJI, JA))
    decision = decided(talk, i.CustomerWithdrew(WORDS, quoted_in=(REPLY, note)))
    shown = [event for fact in decision.facts if (event := customer_view(fact)) is not None]
    assert [(one.message, one.withdrawn, one.requoted) for one in shown if isinstance(one, CustomerMessage)] == [
        (WORDS, True, False),
        (REPLY, False, True),
    ]
    changed = [(one.message, one.mirror) for one in decision.effects if isinstance(one, e.ReviseMessage)]
    assert changed == [(REPLY, 2), (note, 1), (note, 2)]


def test_a_reply_that_was_taken_back_is_not_brought_up_again_by_what_it_quoted() -> None:
    talk = answered()
    talk.hears(i.OperatorWithdrew(REPLY, KENJI))
    decision = decided(talk, i.CustomerRevised(WORDS, 1, quoted_in=(REPLY,)))
    assert not [one for one in decision.facts if isinstance(one, f.QuoteChanged)]


def test_a_deletion_that_is_not_the_authors_is_said_once_and_takes_nothing_from_the_customer() -> None:
    talk = answered()
    talk.hears(i.OperatorReplied(MessageId("o:3"), KENJI, Origin(1)))
    first = decided(talk, i.DeletionDoubted(REPLY))
    second = decided(talk, i.DeletionDoubted(MessageId("o:3")))
    assert [one.key for one in first.effects if isinstance(one, e.PostLine)] == ["deletion_ignored"]
    assert second.effects == ()
    assert all(customer_view(fact) is None for fact in (*first.facts, *second.facts))


def test_the_deletion_of_old_words_is_no_news() -> None:
    assert isinstance(answered().hears(i.DeletionDoubted(REPLY), after=16 * MINUTE), Nothing)
