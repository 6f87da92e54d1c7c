"""What operators do in windows: opened from the card and from a message's menu, filled in, and refused in place."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from adapters.slack.controls import windows
from bridge.directory import Operator
from bridge.errors import StoreUnavailableError
from bridge.relay import Receipt
from bridge.templates import Template
from routing import facts as f
from routing.decide import Refusal
from routing.ids import DeskId, InputKey, OperatorId, SessionId, Topic
from routing.inputs import CustomerEnded, OperatorHeld, OperatorInput, OperatorTransferred, Outcome
from routing.session import Reason, State, TurnOf
from tests.integration.slack_house import SLACK, House, house
from tests.simulators.slack import Person, SlackSimulator
from tests.simulators.slack.workspace import Json, Message

REFUND = Template("refund", {"en": "Dear {customer}, {amount} is on its way."}, topics=(Topic("transfers"),))
HELLO = Template("hello", {"en": "Hello {customer}, {operator} here."}, title="A greeting")
FOREIGN = Template("foreign", {"ja": "こんにちは"})
TAGS = {"fees": {"en": "Fees"}, "kyc": {"en": "Identity"}}


@pytest.fixture
async def here(
    engine_url: str, tmp_path: Path, slack: SlackSimulator, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[House]:
    monkeypatch.setattr(windows, "OPEN_WITHIN", 30.0)
    desks = [slack.channel("support"), slack.channel("refunds")]
    slack.habits.ack_timeout = slack.habits.trigger_life = 30.0  # what is too late, other tests tell
    parts = {"templates": lambda desk: (REFUND, HELLO, FOREIGN), "tags": lambda: TAGS}
    async with house(engine_url, tmp_path, slack, desks=desks, parts=parts, by_http=True) as one:
        await one.writes("my money?")
        yield one


async def opens(here: House, person: Person, action: str, *, choice: str = "") -> Json:
    """Press a button of the card, or choose from its menu; the window that opened."""
    root = await here.root()
    if choice:
        outcome = await person.click(here.desk, root, "menu", value=_option(root, choice))
    else:
        outcome = await person.click(here.desk, root, action)
    assert outcome.ok
    await here.slack.until(lambda: _has_modal(person))
    return person.modal().body


def _option(root: Message, choice: str) -> str:
    menu = root.blocks[-1]["elements"][-1]
    return next(str(one["value"]) for one in menu["options"] if choice in one["value"])


def _has_modal(person: Person) -> bool:
    try:
        return bool(person.modal())
    except LookupError:
        return False


async def facts(here: House, kind: type[f.Fact]) -> list[Any]:
    entries = await here.store.journal((await here.session()).session.id)
    return [entry.fact for entry in entries if isinstance(entry.fact, kind)]


def labels(view: Json) -> list[str]:
    return [str(block["block_id"]) for block in view["blocks"] if block["type"] == "input"]


def said_by(answer: Any) -> str:
    return " ".join(answer.answer.get("errors", {}).values())


async def test_a_note_is_stored_before_slack_is_answered_and_stays_inside(here: House, kenji: Person) -> None:
    await opens(here, kenji, "note")
    assert (await kenji.submit({"words": "canary: called the bank"})).ok
    assert [fact.operator for fact in await facts(here, f.NoteAdded)]
    assert not _has_modal(kenji)
    assert "canary" not in "".join(await here.customer_sees())
    await here.slack.until(lambda: "canary: called the bank" in "\n".join(here.slack.thread(here.desk, _root(here).ts)))


def _root(here: House) -> Message:
    return here.slack.roots(here.desk)[0]


async def test_the_same_submission_twice_is_one_note(here: House, kenji: Person) -> None:
    await opens(here, kenji, "note")
    view = kenji.modal()
    view.body = view.body | {"state": {"values": {"words": {"words": {"type": "x", "value": "once"}}}}}
    payload = here.slack.interactions.view_event("view_submission", kenji.user, view)
    for _ in range(2):
        assert (await here.slack.interactions.send("interactive", payload)).ok
    assert len(await facts(here, f.NoteAdded)) == 1


async def test_a_transfer_moves_it_with_its_reason_in_both_places(here: House, kenji: Person) -> None:
    assert labels(await opens(here, kenji, "", choice="transfer")) == ["desk", "reason"]
    refused = await kenji.submit({"desk": "support"})
    assert (list(refused.answer["errors"]), "already" in said_by(refused)) == (["desk"], True)
    assert (await kenji.submit({"desk": "refunds", "reason": "needs a refund"})).answer == {}
    assert (await here.session()).session.desk == DeskId("refunds")
    elsewhere = here.slack.find_channel("refunds")
    root = await here.root(elsewhere)
    for place, ts in ((here.desk, _root(here).ts), (elsewhere, root.ts)):
        await here.slack.until(lambda: "needs a refund" in "\n".join(here.slack.thread(place, ts)))  # noqa: B023 - awaited
    assert "needs a refund" not in "".join(await here.customer_sees())


async def test_a_hold_says_what_is_promised_and_a_time_that_cannot_be_is_refused_at_its_field(
    here: House, kenji: Person
) -> None:
    await opens(here, kenji, "hold")
    refused = await kenji.submit({"until": 1_000_000, "words": "never said"})
    assert list(refused.answer["errors"]) == ["until"]
    assert await here.replies_seen() == []
    assert (await kenji.submit({"within": "60", "words": "I will check with the bank."})).answer == {}
    session = (await here.session()).session
    assert (session.turn.of, await here.replies_seen()) == (TurnOf.HELD, ["I will check with the bank."])


async def test_a_hold_that_is_refused_has_promised_nothing_and_can_be_put_right_in_the_same_window(
    here: House, kenji: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    await opens(here, kenji, "hold")
    known = here.relay.from_operator

    async def is_full(session: SessionId, event: OperatorInput, *more: Any, **said: Any) -> Any:
        """The desk has no room for another one that is held."""
        full = isinstance(event, OperatorHeld)
        return Refusal(Reason.AT_CAPACITY) if full else await known(session, event, *more, **said)

    with monkeypatch.context() as patch:
        patch.setattr(here.relay, "from_operator", is_full)
        assert said_by(await kenji.submit({"within": "60", "words": "By four o'clock."}))
    assert await here.replies_seen() == []
    assert (await kenji.submit({"within": "30", "words": "By three o'clock."})).answer == {}
    assert await here.replies_seen() == ["By three o'clock."]
    assert (await here.session()).session.turn.of is TurnOf.HELD


async def test_it_is_resolved_with_outcome_and_tags(here: House, kenji: Person) -> None:
    await opens(here, kenji, "resolve")
    await kenji.submit({"outcome": "unsolved", "tags": ["kyc"]})
    session = (await here.session()).session
    assert (session.state, session.outcome, session.tags) == (State.RESOLVED, Outcome.UNSOLVED, ("kyc",))


async def test_a_template_is_chosen_seen_filled_in_and_sent_as_the_customer_reads_it(
    here: House, kenji: Person
) -> None:
    view = await opens(here, kenji, "templates")
    offered = [one["value"] for one in view["blocks"][1]["element"]["options"]]
    assert offered == ["refund", "hello"], "those of the topic first, and none without words in the language"
    await kenji.submit({"template": "refund"})
    step = kenji.modal().body
    assert step["blocks"][1]["text"]["text"] == "Dear Hanako, {amount} is on its way."
    assert labels(step) == ["gap.amount"]
    assert (await kenji.submit({"gap.amount": "5.00 USDT"})).answer == {"response_action": "clear"}
    assert await here.replies_seen() == ["Dear Hanako, 5.00 USDT is on its way."]
    assert not _has_modal(kenji)
    await opens(here, kenji, "templates")
    await kenji.submit({"template": "hello"})
    await kenji.submit({})
    assert (await here.replies_seen())[-1] == "Hello Hanako, Support here."


async def test_a_session_that_ended_while_the_window_was_open_says_so(here: House, kenji: Person) -> None:
    await opens(here, kenji, "hold")
    await here.does(CustomerEnded())
    answer = await kenji.submit({"within": "30"})
    assert "closed" in said_by(answer)
    assert _has_modal(kenji)


async def test_what_cannot_be_stored_keeps_the_window_and_its_words(
    here: House, kenji: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_args: Any, **_more: Any) -> Any:
        raise StoreUnavailableError("the store is away")

    await opens(here, kenji, "note")
    with monkeypatch.context() as patch:
        patch.setattr(here.relay, "from_operator", away)
        assert "Nothing is lost" in said_by(await kenji.submit({"words": "keep me"}))
    assert (await kenji.submit({"words": "keep me"})).answer == {}
    assert len(await facts(here, f.NoteAdded)) == 1


async def test_who_is_blocked_is_told_nothing_and_writes_in_vain_until_it_is_lifted(here: House, kenji: Person) -> None:
    await opens(here, kenji, "", choice="block")
    with pytest.raises(ValueError, match="sure"):
        await kenji.submit({"how_long": "30"})
    assert (await kenji.submit({"how_long": "30", "sure": ["yes"]})).answer == {}
    session = (await here.session()).session
    assert (session.state, session.outcome, session.blocked_by is not None) == (State.CLOSED, Outcome.SPAM, True)
    assert (await here.customer_sees())[-1] == "<closed>"
    with pytest.raises(AssertionError):
        await here.writes("let me in")
    await here.slack.until(lambda: "unblock" in str(_root(here).blocks))
    assert (await kenji.click(here.desk, _root(here), "menu", value=_option(_root(here), "unblock"))).ok
    assert isinstance(await here.writes("thank you"), Receipt)


async def test_history_shows_what_was_said_before_in_inert_text(here: House, kenji: Person) -> None:
    code = (await here.session()).session.code
    await here.does(CustomerEnded())
    await here.writes("again <!channel>")
    await here.does(CustomerEnded())
    await here.writes("and again")
    root = await here.root(number=2)
    assert (await kenji.click(here.desk, root, "menu", value=_option(root, "history"))).ok
    await here.slack.until(lambda: _has_modal(kenji))
    shown = str(kenji.modal().body["blocks"])
    assert code in shown
    assert "my money?" in shown
    assert "again <!channel>" in shown
    assert "submit" not in kenji.modal().body


async def test_history_leaves_out_what_was_said_at_desks_that_are_not_the_operators(here: House, kenji: Person) -> None:
    users = {SLACK: (f"{here.slack.workspace.team_id}:{kenji.id}",)}
    await here.directory.add(Operator(OperatorId("kenji"), "kenji", desks=(DeskId("support"),), network_users=users))
    code, mary = (await here.session()).session.code, OperatorId("mary")
    session = (await here.session()).session.id
    await here.relay.from_operator(session, OperatorTransferred(mary, DeskId("refunds")), InputKey("t/1"))
    await here.does(CustomerEnded())
    await here.writes("again")
    root = await here.root(number=1)
    assert (await kenji.click(here.desk, root, "menu", value=_option(root, "history"))).ok
    await here.slack.until(lambda: _has_modal(kenji))
    shown = str(kenji.modal().body["blocks"])
    assert code not in shown
    assert "my money?" not in shown


async def test_who_has_lost_the_channel_sends_nothing_from_a_window_that_is_open_still(
    here: House, kenji: Person
) -> None:
    await opens(here, kenji, "hold")
    kenji.leave(here.desk)
    await here.settled()
    refused = await kenji.submit({"within": "60", "words": "You will get it twice."})
    assert "not enrolled" in said_by(refused)
    assert await here.replies_seen() == []


@pytest.mark.parametrize(
    ("shortcut", "window"),
    [
        ("note_on_this", "note"),
        ("reply_from_template", "templates"),
        ("transfer_session", "transfer"),
        ("resolve_session", "resolve"),
    ],
)
async def test_a_messages_menu_opens_the_same_windows(here: House, kenji: Person, shortcut: str, window: str) -> None:
    await here.thread(1)
    message = here.slack.replies(here.desk, _root(here).ts)[0]
    assert (await kenji.message_shortcut(here.desk, message, shortcut)).ok
    await here.slack.until(lambda: _has_modal(kenji))
    assert kenji.modal().body["callback_id"] == window
    if window == "note":
        await kenji.submit({"words": "odd"})
        note = (await facts(here, f.NoteAdded))[0]
        body = (await here.store.bodies((await here.session()).session.id, [(note.message, 0)]))[0]
        assert body is not None
        assert body.text.startswith("> ")
        assert body.text.endswith("\nodd")


async def test_a_messages_menu_elsewhere_says_that_it_is_no_customers_thread(here: House, kenji: Person) -> None:
    lunch = kenji.say(here.desk, "lunch?")
    assert (await kenji.message_shortcut(here.desk, lunch, "resolve_session")).ok
    await here.slack.until(lambda: any(one.user == kenji.id for one in here.slack.workspace.ephemerals))
    assert not _has_modal(kenji)


async def test_a_returning_customers_card_names_what_was_before(here: House) -> None:
    code = (await here.session()).session.code
    await here.does(CustomerEnded())
    await here.writes("again")
    second = await here.root(number=1)
    assert f"Earlier sessions: 1, last {code}" in here.slack.seen(second)


async def test_a_templates_code_is_typed_in_any_width_and_the_thread_shows_what_was_sent(
    here: House, kenji: Person
) -> None:
    typed = kenji.say(here.desk, '；ｒｅｆｕｎｄ amount="5.00 USDT"', thread_ts=(await here.root()).ts)
    await here.settled()
    assert await here.replies_seen() == ["Dear Hanako, 5.00 USDT is on its way."]
    await here.slack.until(lambda: "Dear Hanako, 5.00" in "\n".join(here.slack.thread(here.desk, _root(here).ts)))
    kenji.edit(here.desk, typed, ";refund amount=6.00")
    await here.settled()
    assert (await here.replies_seen())[-1] == "Dear Hanako, 6.00 is on its way."


async def test_what_a_typed_template_lacks_stops_it_and_a_code_that_is_none_stays_inside(
    here: House, kenji: Person
) -> None:
    root = await here.root()
    kenji.say(here.desk, ";refund", thread_ts=root.ts)
    kenji.say(here.desk, ";refnud canary", thread_ts=root.ts)
    await here.settled()
    await here.slack.until(lambda: len([one for one in here.slack.workspace.ephemerals if one.user == kenji.id]) == 2)
    told = [one.text for one in here.slack.workspace.ephemerals if one.user == kenji.id]
    assert ["lacks amount" in one or "Did you mean ;refund?" in one for one in told] == [True, True]
    assert await here.replies_seen() == []
    assert len(await facts(here, f.NoteAdded)) == 1
