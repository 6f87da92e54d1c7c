"""What operators do in windows: opened from the card, filled in, refused with their words kept, on either channel."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bridge.directory import Operator
from bridge.errors import StoreUnavailableError
from bridge.relay import Receipt
from bridge.templates import Template
from routing import facts as f
from routing.ids import DeskId, InputKey, OperatorId, Topic
from routing.inputs import CustomerEnded, OperatorTransferred, Outcome
from routing.session import State, TurnOf
from tests.integration.discord_house import DISCORD, House, house
from tests.simulators.discord import Channel, DiscordSimulator, Fault, Person
from tests.simulators.discord.components import every, fields
from tests.simulators.discord.guild import Json
from tests.simulators.discord.permissions import BOT
from tests.simulators.discord.transport import Outcome as Answered

REFUND = Template("refund", {"en": "Dear {customer}, {amount} is on its way."}, topics=(Topic("transfers"),))
HELLO = Template("hello", {"en": "Hello {customer}, {operator} here."}, title="A greeting")
FOREIGN = Template("foreign", {"ja": "こんにちは"})
TAGS = {"fees": {"en": "Fees"}, "kyc": {"en": "Identity"}}
PARTS: dict[str, Any] = {"templates": lambda desk: (REFUND, HELLO, FOREIGN), "tags": lambda: TAGS}


@pytest.fixture
def desk(discord: DiscordSimulator, request: pytest.FixtureRequest) -> Channel:
    """A forum; a test marked so is told in a text channel, too, where the card stands above its thread."""
    return discord.channel("support", getattr(request, "param", "forum"), private=True)


in_both = pytest.mark.parametrize("desk", ["forum", "text"], indirect=True)


@pytest.fixture
def kenji(discord: DiscordSimulator, desk: Channel) -> Person:
    person = discord.person("kenji")
    discord.allow(desk, person.id, BOT, quietly=True)
    return person


@pytest.fixture
async def here(
    engine_url: str, tmp_path: Path, discord: DiscordSimulator, desk: Channel, kenji: Person
) -> AsyncIterator[House]:
    refunds = discord.channel("refunds", "text", private=True)
    async with house(engine_url, tmp_path, discord, desks=[desk, refunds], parts=PARTS) as one:
        await one.enrol(kenji)
        await one.listens()
        await one.writes("my money?")
        await one.thread()
        yield one


async def presses(here: House, person: Person, label: str, number: int = 0) -> Answered:
    """Press a button of the card, or choose it from the card's menu."""
    thread = await here.thread(number)
    card = here.card(thread)
    where = thread if thread.id in thread.messages else here.desk
    labels = {str(one.get("label")) for one in every(card.components) if one["type"] == 2}
    answered = await (
        person.click(where, card, label) if label in labels else person.choose(where, card, "More", label)
    )
    assert answered.ok
    return answered


async def opens(here: House, person: Person, label: str) -> Json:
    await presses(here, person, label)
    return person.modal()


async def facts(here: House, kind: type[f.Fact]) -> list[Any]:
    entries = await here.store.journal((await here.session()).session.id)
    return [entry.fact for entry in entries if isinstance(entry.fact, kind)]


def asked(window: Json) -> list[str]:
    return [str(one["custom_id"]) for one in fields(window)]


def whispered(here: House, person: Person) -> str:
    """What stands before this person alone, the last of it."""
    return here.discord.seen(person.whispers()[-1])


@in_both
async def test_a_note_is_stored_and_stays_inside(here: House, kenji: Person) -> None:
    await opens(here, kenji, "Note")
    assert (await kenji.submit({"words": "canary: called the bank"})).type == 6
    assert len(await facts(here, f.NoteAdded)) == 1
    assert "canary" not in "".join(await here.customer_sees())
    await here.shows(await here.thread(), "canary: called the bank")


async def test_a_transfer_moves_it_with_its_reason_in_both_places(here: House, kenji: Person) -> None:
    assert asked(await opens(here, kenji, "Transfer")) == ["desk", "operator", "reason"]
    await kenji.submit({"desk": "support", "reason": "canary"})
    assert "already" in whispered(here, kenji)
    assert "canary" in whispered(here, kenji), "what was written is not lost"
    await opens(here, kenji, "Transfer")
    await kenji.submit({"desk": "refunds", "reason": "needs a refund"})
    assert (await here.session()).session.desk == DeskId("refunds")
    await here.shows(await here.thread(), "needs a refund")
    refunds = here.discord.find_channel("refunds")
    await here.discord.until(lambda: here.discord.threads(refunds))
    await here.shows(here.discord.threads(refunds)[0], "needs a refund")
    assert "needs a refund" not in "".join(await here.customer_sees())


async def test_a_hold_says_what_is_promised_and_a_time_that_cannot_be_is_refused_with_the_words(
    here: House, kenji: Person
) -> None:
    for wrong, why in (("soon", "is no time"), ("0m", "has passed")):
        await opens(here, kenji, "Hold")
        await kenji.submit({"until": wrong, "words": "never said"})
        assert why in whispered(here, kenji)
        assert "never said" in whispered(here, kenji)
    assert await here.replies_seen() == []
    await opens(here, kenji, "Hold")
    assert (await kenji.submit({"within": "60", "words": "I will check with the bank."})).type == 6
    session = (await here.session()).session
    assert (session.turn.of, await here.replies_seen()) == (TurnOf.HELD, ["I will check with the bank."])


async def test_it_is_resolved_with_outcome_and_tags(here: House, kenji: Person) -> None:
    await opens(here, kenji, "Resolve")
    await kenji.submit({"outcome": "unsolved", "tags": ["kyc"]})
    session = (await here.session()).session
    assert (session.state, session.outcome, session.tags) == (State.RESOLVED, Outcome.UNSOLVED, ("kyc",))


async def picks(here: House, person: Person, code: str) -> Json:
    """Choose a template; the window that opened."""
    await presses(here, person, "Reply from templates")
    picker = person.whispers()[-1]
    (menu,) = [one for one in every(picker.components) if one["type"] == 3]
    assert [one["value"] for one in menu["options"]] == ["refund", "hello"], "of the topic first; none of no language"
    assert (await person.choose(await here.thread(), picker, menu["custom_id"], code)).ok
    return person.modal()


@in_both
async def test_a_template_is_chosen_seen_filled_in_and_sent_as_the_customer_reads_it(
    here: House, kenji: Person
) -> None:
    window = await picks(here, kenji, "refund")
    assert asked(window) == ["reply:refund", "gap.amount"]
    assert fields(window)[0]["value"] == "Dear Hanako, {amount} is on its way."
    assert (await kenji.submit({"gap.amount": "5.00 USDT"})).type == 7
    assert await here.replies_seen() == ["Dear Hanako, 5.00 USDT is on its way."]
    assert whispered(here, kenji) == "Sent to the customer."
    assert kenji.whispers()[-1].components == [], "what was sent is not sent again by the same menu"
    await here.shows(await here.thread(), "Dear Hanako, 5.00 USDT")


async def test_a_template_may_be_changed_before_it_is_sent_and_no_gap_goes_out(here: House, kenji: Person) -> None:
    await picks(here, kenji, "hello")
    await kenji.submit({"reply:hello": "Good morning Hanako, {operator} or Kenji here."})
    assert await here.replies_seen() == ["Good morning Hanako, {operator} or Kenji here."]
    await picks(here, kenji, "refund")
    await kenji.submit({"reply:refund": "We send {amount} at once.", "gap.amount": "5.00"})
    assert (await here.replies_seen())[1:] == ["We send 5.00 at once."]


async def test_a_template_obeys_undo(
    engine_url: str, tmp_path: Path, discord: DiscordSimulator, desk: Channel, kenji: Person
) -> None:
    rules = {"undo": 60_000}
    async with house(engine_url, tmp_path, discord, desks=[desk], parts=PARTS, rules=rules) as one:
        await one.enrol(kenji)
        await one.listens()
        await one.writes("my money?")
        await picks(one, kenji, "hello")
        await kenji.submit({})
        assert "Goes to the customer in 60 s" in whispered(one, kenji)
        thread = await one.thread()
        await one.shows(thread, "Hello Hanako", "Goes to the customer")
        assert await one.replies_seen() == []
        (line,) = [message for message in discord.messages(thread) if "Goes to" in discord.seen(message)]
        assert (await kenji.click(thread, line, "Undo")).ok
        assert "Undone" in whispered(one, kenji)
        await one.settled()
        assert await one.replies_seen() == []
        offer = kenji.whispers()[-1]
        assert (await kenji.click(thread, offer, "Send to customer")).ok
        await one.reads("Hello Hanako, Kenji here.")
        assert whispered(one, kenji) == "Sent to the customer."


async def test_a_choice_can_be_taken_back_and_made_again(here: House, kenji: Person) -> None:
    window = await picks(here, kenji, "hello")
    kenji.close_modal()
    picker, thread = kenji.whispers()[-1], await here.thread()
    (menu,) = [one for one in every(picker.components) if one["type"] == 3]
    assert (await kenji.choose(thread, picker, menu["custom_id"])).type == 6
    assert (await kenji.choose(thread, picker, menu["custom_id"], "hello")).type == 9
    assert asked(kenji.modal()) == asked(window)
    assert (await kenji.choose(thread, here.card(thread), "More")).type == 6


async def test_a_window_that_discord_does_not_take_is_said(
    here: House, discord: DiscordSimulator, kenji: Person
) -> None:
    callback = "POST /interactions/{interaction_id}/{webhook_token}/callback"
    discord.mischief.add(Fault.SERVER_ERROR, callback)
    assert (await presses(here, kenji, "Note")).type == 4
    assert "Please press again" in whispered(here, kenji)


async def test_a_session_that_ended_while_the_window_was_open_says_so(here: House, kenji: Person) -> None:
    await opens(here, kenji, "Hold")
    await here.does(CustomerEnded())
    await kenji.submit({"within": "30", "words": "canary"})
    assert "closed" in whispered(here, kenji)
    assert "canary" in whispered(here, kenji)


@in_both
async def test_a_window_of_a_session_that_moved_leads_to_where_it_goes_on(here: House, kenji: Person) -> None:
    await opens(here, kenji, "Hold")
    session = (await here.session()).session.id
    await here.relay.from_operator(session, OperatorTransferred(OperatorId("kenji"), DeskId("refunds")), InputKey("t"))
    refunds = here.discord.find_channel("refunds")
    await here.discord.until(lambda: here.discord.threads(refunds))
    await here.thread()
    await here.lanes_are_empty()
    await kenji.submit({"within": "30", "words": "canary"})
    told = whispered(here, kenji)
    assert "moved to another desk" in told
    assert here.discord.threads(refunds)[0].id in told
    assert await here.replies_seen() == []


async def test_what_cannot_be_stored_is_said_and_can_be_sent_again(
    here: House, kenji: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_args: Any, **_more: Any) -> Any:
        raise StoreUnavailableError("the store is away")

    await opens(here, kenji, "Note")
    with monkeypatch.context() as patch:
        patch.setattr(here.relay, "from_operator", away)
        await kenji.submit({"words": "keep me"})
    assert "Not stored" in whispered(here, kenji)
    assert "keep me" in whispered(here, kenji)
    assert await facts(here, f.NoteAdded) == []


async def test_who_is_blocked_writes_in_vain_until_it_is_lifted(here: House, kenji: Person) -> None:
    await opens(here, kenji, "Block")
    with pytest.raises(ValueError, match="sure"):
        await kenji.submit({"how_long": "30"})
    assert (await kenji.submit({"how_long": "30", "sure": ["yes"]})).type == 6
    session = (await here.session()).session
    assert (session.state, session.outcome, session.blocked_by is not None) == (State.CLOSED, Outcome.SPAM, True)
    with pytest.raises(AssertionError):
        await here.writes("let me in")
    card = here.card(await here.thread())
    await here.discord.until(lambda: "Lift the block" in str(card.components))
    await presses(here, kenji, "Lift the block")
    assert isinstance(await here.writes("thank you"), Receipt)


async def test_history_shows_what_was_said_before_in_inert_text(here: House, kenji: Person) -> None:
    code = (await here.session()).session.code
    await here.does(CustomerEnded())
    await here.writes("again @everyone")
    await presses(here, kenji, "History", number=1)
    shown = whispered(here, kenji)
    assert code in shown
    assert "my money?" in shown
    assert kenji.whispers()[-1].pings == []


async def test_history_leaves_out_what_was_said_at_desks_that_are_not_the_operators(here: House, kenji: Person) -> None:
    known = Operator(OperatorId("kenji"), "kenji", desks=(DeskId("support"),), network_users={DISCORD: (kenji.id,)})
    await here.directory.change(known)
    session = (await here.session()).session
    await here.relay.from_operator(
        session.id, OperatorTransferred(OperatorId("mary"), DeskId("refunds")), InputKey("t")
    )
    await here.does(CustomerEnded())
    await here.writes("again")
    await presses(here, kenji, "History", number=1)
    assert session.code not in whispered(here, kenji)
    assert "my money?" not in whispered(here, kenji)


async def test_who_is_not_enrolled_opens_no_window_and_sends_none(
    here: House, discord: DiscordSimulator, desk: Channel, kenji: Person
) -> None:
    stranger = discord.person("stranger")
    discord.allow(desk, stranger.id, BOT, quietly=True)
    await presses(here, stranger, "Note")
    assert f"operators link ACCOUNT {stranger.id}" in whispered(here, stranger)
    with pytest.raises(LookupError):
        stranger.modal()
    await opens(here, kenji, "Note")
    await here.directory.unlink(OperatorId("kenji"), DISCORD, kenji.id)
    await kenji.submit({"words": "canary"})
    assert "not enrolled" in whispered(here, kenji)
    assert await facts(here, f.NoteAdded) == []


@pytest.mark.parametrize("kind", ["forum", "text"])
async def test_an_old_button_and_an_old_window_work_after_a_restart(
    engine_url: str, tmp_path: Path, discord: DiscordSimulator, kenji: Person, kind: str
) -> None:
    desk = discord.channel("elsewhere", kind, private=True)
    discord.allow(desk, kenji.id, BOT, quietly=True)
    prefix = f"restart{desk.id}"
    async with house(engine_url, tmp_path, discord, desks=[desk], parts=PARTS, prefix=prefix) as one:
        await one.enrol(kenji)
        await one.listens()
        await one.writes("my money?")
        await presses(one, kenji, "Reply from templates")
        await opens(one, kenji, "Note")
        await one.lanes_are_empty()
    picker = kenji.whispers()[-1]
    async with house(engine_url, tmp_path, discord, desks=[desk], parts=PARTS, prefix=prefix) as other:
        await other.listens()
        assert (await kenji.submit({"words": "written before"})).type == 6
        thread = await other.thread()
        await other.shows(thread, "written before")
        await presses(other, kenji, "Claim")
        assert (await other.session()).session.assignee == "kenji"
        (menu,) = [one for one in every(picker.components) if one["type"] == 3]
        assert (await kenji.choose(thread, picker, menu["custom_id"], "hello")).ok
        assert (await kenji.submit({})).ok
        assert await other.replies_seen() == ["Hello Hanako, Kenji here."]


async def test_a_press_whose_work_takes_longer_than_discord_waits_is_answered_later(
    here: House, kenji: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.discord.controls.replies.AT_ONCE", 0.0)
    answered = await presses(here, kenji, "History")
    assert answered.type == 5
    await here.discord.until(lambda: "No earlier sessions" in whispered(here, kenji))
    await presses(here, kenji, "Note")
    await here.discord.until(lambda: "Please press again" in whispered(here, kenji))
