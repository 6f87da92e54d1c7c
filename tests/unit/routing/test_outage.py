"""While a network is silent the built-in desk answers, and the thread gets all of it in order afterwards."""

from __future__ import annotations

from dataclasses import replace

from routing import effects as e
from routing import facts as f
from routing import inputs as i
from routing.decide import Nothing, Refusal
from routing.facts import Side, Why
from routing.ids import MessageId, NetworkName
from routing.policy import Attachments, Policy
from routing.session import Reason, State
from routing.view import CustomerMessage, customer_view
from tests.unit.routing.builders import AIKO, BUSY, KENJI, POLICY, SECURITY, Talk, opening

HERE = next(iter(POLICY.desks.values())).network


def talk(policy: Policy = POLICY, **about: object) -> Talk:
    one = Talk(policy)
    one.accepts(i.CustomerWrote(MessageId("m1"), opening(**about)))
    return one


def silent(one: Talk, since: int = 5) -> None:
    one.accepts(i.NetworkFellSilent(HERE, since))


# ------------------------------------------------------------------ takeover


def test_a_takeover_is_said_in_the_thread_once_and_not_to_the_customer() -> None:
    one = talk()
    silent(one)
    assert (one.session and one.session.taken_over) == 5
    assert [effect.key for effect in one.effects if isinstance(effect, e.PostLine)] == ["taken_over"]
    assert isinstance(one.hears(i.NetworkFellSilent(HERE, 9)), Nothing)
    assert [fact for fact in one.facts if isinstance(fact, f.DeskTookOver) and customer_view(fact)] == []


def test_what_is_said_meanwhile_stands_in_its_lane_between_the_two_lines() -> None:
    one = talk()
    silent(one)
    one.accepts(i.OperatorReplied(MessageId("o:1"), AIKO))
    one.accepts(i.CustomerWrote(MessageId("m2")))
    one.accepts(i.NetworkCaughtUp(HERE))
    lane = [getattr(one, "key", None) or getattr(one, "message", "") for one in one.effects]
    assert lane == ["", "m1", "taken_over", "o:1", "assigned", "m2", "handed_back"]
    assert one.session is not None
    assert (one.session.taken_over, one.session.state, one.session.assignee) == (None, State.ASSIGNED, AIKO)


def test_a_network_on_which_the_session_never_was_changes_nothing() -> None:
    one = talk()
    assert isinstance(one.hears(i.NetworkFellSilent(NetworkName("elsewhere"), 5)), Nothing)
    assert isinstance(one.hears(i.NetworkCaughtUp(HERE)), Nothing)


def test_who_sits_before_the_silent_network_keeps_the_session_from_nobody() -> None:
    one = talk()
    one.accepts(i.OperatorClaimed(AIKO))
    assert one.hears(i.OperatorClaimed(KENJI)) == Refusal(Reason.ALREADY_CLAIMED)
    silent(one)
    assert one.accepts(i.OperatorClaimed(KENJI)).assignee == KENJI
    left = [fact for fact in one.facts if isinstance(fact, f.OperatorUnassigned)]
    assert [fact.why for fact in left] == [Why.TAKEN_OVER]
    assert [customer_view(fact) for fact in left] == [None]  # the next one is announced in the same breath


def test_who_took_it_since_or_has_spoken_since_keeps_it() -> None:
    one = talk()
    one.accepts(i.OperatorClaimed(AIKO))
    silent(one)
    one.accepts(i.OperatorReplied(MessageId("o:1"), AIKO))
    assert one.hears(i.OperatorClaimed(KENJI)) == Refusal(Reason.ALREADY_CLAIMED)
    other = talk()
    silent(other)
    other.accepts(i.OperatorClaimed(AIKO))
    assert other.hears(i.OperatorClaimed(KENJI)) == Refusal(Reason.ALREADY_CLAIMED)


# ------------------------------------------------------------------ attachments


def test_one_word_holds_attachments_back_and_an_identity_check_does_where_nobody_says() -> None:
    desk, checked = next(iter(BUSY.desks.values())), BUSY.topic(SECURITY)
    shown, held = replace(desk, attachments=Attachments.SHOWN), replace(desk, attachments=Attachments.HELD)
    plain = BUSY.topic(opening().topic)
    assert BUSY.holds_back(desk, checked.id)
    assert not BUSY.holds_back(desk, plain.id)
    assert not BUSY.holds_back(shown, checked.id)
    assert BUSY.holds_back(held, plain.id)
    strict = replace(BUSY, topic_rules={plain.id: replace(plain, attachments=Attachments.HELD)})
    assert strict.holds_back(shown, plain.id)


def test_what_was_held_back_once_stays_so_when_the_policy_changes() -> None:
    one = talk(BUSY, topic=SECURITY)
    assert [effect.held for effect in one.effects if isinstance(effect, e.PostMessage)] == [True]
    one.policy = replace(BUSY, topic_rules={})
    one.accepts(i.CustomerRevised(MessageId("m1"), 1))
    assert [effect.held for effect in one.effects if isinstance(effect, e.ReviseMessage)] == [True]
    one.accepts(i.CustomerWrote(MessageId("m2")))
    assert [effect.held for effect in one.effects if isinstance(effect, e.PostMessage)] == [True, False]


def purge(message: str = "m1", side: Side = Side.CUSTOMER, **more: object) -> i.FilePurgeOrdered:
    return i.FilePurgeOrdered(MessageId(message), "f1", side, i.PurgeReason.CUSTOMER_ASKED, **more)  # type: ignore[arg-type]  # by name


def test_a_purge_goes_to_every_mirror_and_to_the_store_of_files_in_any_state() -> None:
    one = talk()
    one.accepts(i.OperatorResolved(AIKO, i.Outcome.SPAM))
    assert one.accepts(purge(by=AIKO)).state is State.CLOSED
    assert [type(effect) for effect in one.effects[-3:]] == [e.RemoveFile, e.PostLine, e.PurgeFile]
    assert one.effects[-1].to == e.FILES
    (fact,) = [fact for fact in one.facts if isinstance(fact, f.FilePurged)]
    assert (fact.by, fact.why, fact.actor) == (AIKO, i.PurgeReason.CUSTOMER_ASKED, f.Actor.OPERATOR)


def test_the_customer_is_shown_the_message_anew_in_its_latest_wording() -> None:
    one = talk()
    one.accepts(i.CustomerRevised(MessageId("m1"), 2))
    one.accepts(purge(revision=0))
    assert customer_view(one.facts[-1]) == CustomerMessage(one.now, Side.CUSTOMER, MessageId("m1"), 2, purged=True)


def test_a_purge_brings_back_nothing_that_was_withdrawn_and_shows_no_note() -> None:
    one = talk()
    one.accepts(i.CustomerWithdrew(MessageId("m1")))
    one.accepts(purge())
    assert customer_view(one.facts[-1]) is None
    one.accepts(i.OperatorNoted(MessageId("n1"), AIKO))
    one.accepts(purge("n1", Side.NOTE))
    assert customer_view(one.facts[-1]) is None


def test_an_erased_session_has_no_attachments_to_purge() -> None:
    one = talk()
    one.accepts(i.ErasureOrdered())
    assert isinstance(one.hears(purge()), Nothing)
