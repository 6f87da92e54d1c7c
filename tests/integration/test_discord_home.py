"""What operators ask of their own work, and of a session, by `/chat` and by a message's menu; and the home."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.discord.controls import home
from bridge.directory import Operator
from bridge.errors import StoreUnavailableError
from bridge.templates import Template
from routing import facts as f
from routing.ids import CustomerKey, DeskId, InputKey, OperatorId
from routing.inputs import CustomerEnded, OperatorTransferred, Outcome
from routing.session import State, TurnOf
from tests.integration.discord_house import DISCORD, House, house
from tests.simulators.discord import Channel, DiscordSimulator, Fault, Person
from tests.simulators.discord.permissions import BOT

KENJI = OperatorId("kenji")
HELLO = Template("hello", {"en": "Hello {customer}."}, title="A greeting")
CHANGE = "PATCH /webhooks/{webhook_id}/{webhook_token}/messages/{message_id}"
COMMANDS = "/applications/{application_id}/commands"


@pytest.fixture
def desk(discord: DiscordSimulator) -> Channel:
    return discord.channel("support", "forum", private=True)


@pytest.fixture
def kenji(discord: DiscordSimulator, desk: Channel) -> Person:
    return letting_in(discord, desk, "kenji")


def letting_in(discord: DiscordSimulator, desk: Channel, name: str) -> Person:
    person = discord.person(name, locale="en-US")
    discord.allow(desk, person.id, BOT, quietly=True)
    return person


@pytest.fixture
async def here(
    engine_url: str, tmp_path: Path, discord: DiscordSimulator, desk: Channel, kenji: Person
) -> AsyncIterator[House]:
    """Two desks, of which Kenji serves the first."""
    other = discord.channel("other", "text", private=True)
    parts = {"templates": lambda _desk: (HELLO,)}
    async with house(engine_url, tmp_path, discord, desks=[desk, other], parts=parts, asks=True) as one:
        await enrol(one, kenji)
        await one.listens()
        await registered(one)
        yield one


async def enrol(here: House, person: Person, *languages: str, desk: str = "support") -> None:
    known = Operator(
        OperatorId(person.name),
        person.name,
        {"en": person.name.title()},
        desks=(DeskId(desk),),
        languages=languages or ("en",),
        network_users={DISCORD: (person.id,)},
    )
    await here.directory.add(known)


async def registered(here: House) -> None:
    await here.discord.until(lambda: any(one["name"] == "chat" for one in here.discord.guild.app.commands.values()))


async def asks(here: House, person: Person, command: str, place: Any = None, **options: str) -> str:
    """What this person reads after `/chat …`; nobody else does."""
    outcome = await person.slash(place or here.desk, f"chat {command}", **options)
    assert (outcome.ok, outcome.type) == (True, 4), outcome
    return here.discord.seen(person.whispers()[-1])


async def listed(here: House, person: Person, command: str, *words: str) -> str:
    """The answer, once lists have been drawn so far: they follow their commits within moments."""
    async with asyncio.timeout(60):
        while True:
            answer = await asks(here, person, command)
            if all(word in answer for word in words):
                return answer
            await asyncio.sleep(0.1)


def customer(name: str) -> CustomerKey:
    return CustomerKey("main", name)


# ------------------------------------------------------------------ of their own work


async def test_the_queue_names_who_waits_at_ones_own_desks_with_the_way_there(here: House, kenji: Person) -> None:
    first = await here.writes("hello", customer=customer("ana"), name="Ana @everyone **b**")
    thread = await here.thread()
    other = await here.writes("hello", customer=customer("bo"), name="Bo")
    move = OperatorTransferred(OperatorId("aiko"), DeskId("other"))
    await here.relay.from_operator(other.stored.session.id, move, InputKey("move"))
    answer = await listed(here, kenji, "queue", first.stored.session.code, "waiting since")

    async def is_off() -> bool:
        lines = await here.store.lines(DeskId("support"))
        return other.stored.session.id not in {line.session for line in lines}

    await here.until(is_off)
    answer = await asks(here, kenji, "queue")
    assert "Bo" not in answer, "that desk is not theirs"
    assert thread.id in str(kenji.whispers()[-1].embeds)
    assert kenji.whispers()[-1].pings == []


async def test_mine_found_and_help_are_answered(here: House, kenji: Person) -> None:
    assert "You have no session" in await asks(here, kenji, "mine")
    receipt = await here.writes("hello", customer=customer("Acc-77"))
    code = receipt.stored.session.code
    for sought in (code, code.lower(), "Acc-77"):
        assert code in await asks(here, kenji, "find", sought=sought)
    assert "No session" in await asks(here, kenji, "find", sought="ZZZZ")
    answer = await asks(here, kenji, "help")
    assert "/chat queue" in answer
    assert "!claim" in answer


async def test_a_session_is_completed_while_its_code_is_typed(here: House, kenji: Person) -> None:
    receipt = await here.writes("hello", name="Hanako")
    code = receipt.stored.session.code
    await listed(here, kenji, "queue", code)
    assert await kenji.complete(here.desk, "chat find", "sought", "hana") == [f"{code} · Hanako · en"]
    assert await kenji.complete(here.desk, "chat find", "sought", "nobody") == []
    stranger = letting_in(here.discord, here.desk, "stranger")
    assert await stranger.complete(here.desk, "chat find", "sought", "") == []


async def test_away_and_back_change_who_is_offered_sessions(here: House, kenji: Person) -> None:
    assert "You take no new sessions" in await asks(here, kenji, "away")
    assert "You take new sessions" in await asks(here, kenji, "back")


async def test_who_is_not_enrolled_learns_how_and_nothing_else(here: House) -> None:
    await here.writes("hello")
    stranger = letting_in(here.discord, here.desk, "stranger")
    for command in ("home", "queue", "away", "help"):
        assert f"operators link ACCOUNT {stranger.id}" in await asks(here, stranger, command)
    assert "Hanako" not in "".join(map(here.discord.seen, stranger.whispers()))


async def test_a_command_that_another_release_has_registered_is_answered_as_well(here: House, kenji: Person) -> None:
    """Two releases run side by side for a while, and Discord has the commands of one of them."""
    await registered(here)
    (chat,) = [one for one in here.discord.guild.app.commands.values() if one["name"] == "chat"]
    chat["options"].append({"type": 1, "name": "of_tomorrow", "description": "not known here"})
    assert "Try again" in await asks(here, kenji, "of_tomorrow")


async def test_an_operator_is_answered_in_their_own_language(here: House) -> None:
    sato = letting_in(here.discord, here.desk, "sato")
    await enrol(here, sato, "ja")
    assert "自分の担当する会話を見る" in await asks(here, sato, "help")


async def test_the_store_being_away_is_said(here: House, kenji: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_args: Any, **_more: Any) -> Any:
        raise StoreUnavailableError("the store is away")

    with monkeypatch.context() as patch:
        patch.setattr(here.store, "milestones", away)
        assert "Not stored yet" in await asks(here, kenji, "home")


# ------------------------------------------------------------------ the home


async def test_the_home_is_drawn_anew_with_each_press(here: House, kenji: Person) -> None:
    receipt = await here.writes("hello")
    code = receipt.stored.session.code
    await listed(here, kenji, "queue", code)
    shown = await asks(here, kenji, "home")
    assert code in shown
    home = kenji.whispers()[-1]
    assert (await kenji.click(here.desk, home, "Take new sessions")).type == 7
    assert "You take new sessions" in here.discord.seen(home)
    assert (await kenji.click(here.desk, home, "Take a break")).ok
    assert "You take no new sessions" in here.discord.seen(home)
    assert (await kenji.click(here.desk, home, "Claim next")).ok
    assert f"{code} is yours" in here.discord.seen(home)
    assert (await here.session()).session.assignee == KENJI

    async def is_mine() -> bool:
        assert (await kenji.click(here.desk, home, "Refresh")).ok
        mine, _, waiting = here.discord.seen(home).partition("Waiting")
        return code in mine and code not in waiting

    await here.until(is_mine)
    assert len([one for one in kenji.whispers() if "My sessions" in here.discord.seen(one)]) == 1


async def test_the_home_follows_what_changes_and_says_so_when_it_does_not_any_more(
    here: House, discord: DiscordSimulator, kenji: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home, "LOOK_EVERY", 0.05)
    assert "refreshes by itself until" in await asks(here, kenji, "home")
    former = kenji.whispers()[-1]
    await asks(here, kenji, "home")
    shown = kenji.whispers()[-1]
    await discord.until(lambda: "does not refresh by itself any more" in discord.seen(former))
    code = (await here.writes("hello")).stored.session.code
    await discord.until(lambda: code in discord.seen(shown))
    assert code not in discord.seen(former)
    assert "refreshes by itself until" in discord.seen(shown)
    changes = len(discord.calls_of(CHANGE))
    await listed(here, kenji, "queue", code)
    assert len(discord.calls_of(CHANGE)) <= changes + 1, "what has not changed is not drawn again"
    monkeypatch.setattr(home, "KEPT_FOR", -1.0)
    assert (await kenji.click(here.desk, shown, "Refresh")).ok
    await discord.until(lambda: "does not refresh by itself any more" in discord.seen(shown))
    receipt = await here.writes("hello", customer=customer("bo"), name="Bo")
    await listed(here, kenji, "queue", receipt.stored.session.code)
    assert receipt.stored.session.code not in discord.seen(shown)


async def test_who_is_unlinked_sees_nothing_new_in_their_home(
    here: House, discord: DiscordSimulator, kenji: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home, "LOOK_EVERY", 0.05)
    await asks(here, kenji, "home")
    shown = kenji.whispers()[-1]
    known = here.directory.get(KENJI)
    assert known is not None
    await here.directory.change(replace(known, network_users={}))
    before = discord.seen(shown)
    code = (await here.writes("hello")).stored.session.code
    mary = letting_in(discord, here.desk, "mary")
    await enrol(here, mary)
    await listed(here, mary, "queue", code)
    await asks(here, mary, "home")
    await discord.until(lambda: code in discord.seen(mary.whispers()[-1]))
    assert discord.seen(shown) == before


async def test_when_the_process_ends_the_home_says_that_it_stays_as_it_is(
    engine_url: str, tmp_path: Path, discord: DiscordSimulator, desk: Channel, kenji: Person
) -> None:
    async with house(engine_url, tmp_path, discord, desks=[desk], asks=True) as one:
        await enrol(one, kenji)
        await one.listens()
        await registered(one)
        await asks(one, kenji, "home")
    assert "does not refresh by itself any more" in discord.seen(kenji.whispers()[-1])


async def test_a_press_that_the_gateway_tells_again_claims_once(
    here: House, discord: DiscordSimulator, kenji: Person
) -> None:
    for name in ("ana", "bo"):
        receipt = await here.writes("hello", customer=customer(name), name=name)
        await listed(here, kenji, "queue", receipt.stored.session.code)
    await asks(here, kenji, "home")
    assert (await kenji.click(here.desk, kenji.whispers()[-1], "Claim next")).ok

    async def has_left_the_line() -> bool:
        return "ana" not in await asks(here, kenji, "queue")

    await here.until(has_left_the_line)
    (press,) = [one for one in discord.interactions.all.values() if "|next" in str(one.data.get("custom_id"))]
    discord.events.emit("INTERACTION_CREATE", discord.interactions.payload(press))
    await here.settled()
    waiting = await here.store.load(receipt.stored.session.id)
    assert waiting is not None
    assert waiting.session.assignee is None, "who is next still waits"


async def test_a_home_from_before_a_restart_can_still_be_pressed(
    engine_url: str, tmp_path: Path, discord: DiscordSimulator, desk: Channel, kenji: Person
) -> None:
    prefix = f"restart{desk.id}"
    async with house(engine_url, tmp_path, discord, desks=[desk], prefix=prefix, asks=True) as one:
        await enrol(one, kenji)
        await one.listens()
        await registered(one)
        await asks(one, kenji, "home")
    home = kenji.whispers()[-1]
    puts = len(discord.calls_of(f"PUT {COMMANDS}"))
    async with house(engine_url, tmp_path, discord, desks=[desk], prefix=prefix, asks=True) as other:
        await other.listens()
        assert (await kenji.click(desk, home, "Take new sessions")).ok
        assert "You take new sessions" in discord.seen(home)
        await discord.until(lambda: len(discord.calls_of(f"GET {COMMANDS}")) == 2)
    assert (puts, len(discord.calls_of(f"PUT {COMMANDS}"))) == (1, 1), "what Discord has is not registered again"


async def test_doctor_says_whether_discord_has_our_commands(here: House, discord: DiscordSimulator) -> None:
    async def told() -> list[str]:
        return [one.what for one in await here.network.doctor() if "/chat" in one.what and one.level in ("ok", "warn")]

    assert await told() == ["/chat and the entries of a message's menu are registered"]
    commands = discord.guild.app.commands
    chat = next(name for name, one in commands.items() if one["name"] == "chat")
    commands[chat] = {**commands[chat], "description": "Another"}
    assert await told() == ["Discord has another release's /chat"]
    del commands[chat]
    assert await told() == ["Discord does not have our commands yet (/chat)"]


async def test_commands_that_could_not_be_registered_are_tried_again(
    engine_url: str, tmp_path: Path, discord: DiscordSimulator, desk: Channel, kenji: Person
) -> None:
    discord.mischief.add(Fault.SERVER_ERROR, f"PUT {COMMANDS}", times=2)
    async with house(engine_url, tmp_path, discord, desks=[desk], asks=True) as one:
        await enrol(one, kenji)
        await one.listens()
        await registered(one)
        assert len(discord.calls_of(f"PUT {COMMANDS}")) == 3


# ------------------------------------------------------------------ of a session


async def facts(here: House, kind: type[f.Fact]) -> list[Any]:
    entries = await here.store.journal((await here.session()).session.id)
    return [entry.fact for entry in entries if isinstance(entry.fact, kind)]


async def test_a_session_is_worked_by_commands_in_its_thread(here: House, kenji: Person) -> None:
    await here.writes("hello")
    thread = await here.thread()
    code = (await here.session()).session.code
    assert f"{code} is yours" in await asks(here, kenji, "claim", thread)
    assert "Kept as a note" in await asks(here, kenji, "note", thread, words="canary: called before")
    assert "Sent to the customer" in await asks(here, kenji, "send", thread, words="Hello from a command")
    assert await here.replies_seen() == ["Hello from a command"]
    assert "canary" not in "".join(await here.customer_sees())
    await here.shows(thread, "canary", "Hello from a command")
    assert "is no time" in await asks(here, kenji, "hold", thread, until="soon")
    assert "an update is promised by" in await asks(here, kenji, "hold", thread, until="2h")
    assert (await here.session()).session.turn.of is TurnOf.HELD
    assert "not solved" in await asks(here, kenji, "resolve", thread, outcome="unsolved")
    session = (await here.session()).session
    assert (session.state, session.outcome) == (State.RESOLVED, Outcome.UNSOLVED)


async def test_a_transfer_by_command_takes_names_and_completes_them(here: House, kenji: Person) -> None:
    await here.writes("hello")
    thread = await here.thread()
    assert await kenji.complete(thread, "chat transfer", "desk", "oth") == ["other"]
    assert await kenji.complete(thread, "chat hold", "until", "1 h") == ["1 h", "1 hour"]
    assert "There is no such desk" in await asks(here, kenji, "transfer", thread, desk="nowhere")
    assert "moved to other" in await asks(here, kenji, "transfer", thread, desk="OTHER", reason="theirs")
    assert (await here.session()).session.desk == DeskId("other")
    await here.shows(thread, "theirs")


async def test_a_command_without_words_opens_its_window(here: House, kenji: Person) -> None:
    await here.writes("hello")
    thread = await here.thread()
    for command, title in (("hold", "Hold"), ("note", "Note"), ("transfer", "Transfer"), ("resolve", "Resolve")):
        assert (await kenji.slash(thread, f"chat {command}")).type == 9
        assert str(kenji.modal()["title"]).startswith(title)
    assert (await kenji.submit({"outcome": "solved"})).type == 4
    assert "is resolved: solved" in here.discord.seen(kenji.whispers()[-1])


async def test_a_template_is_sought_by_command(here: House, kenji: Person) -> None:
    await here.writes("hello")
    thread = await here.thread()
    assert await kenji.complete(thread, "chat template", "code", "greet") == [";hello · A greeting"]
    assert (await kenji.slash(thread, "chat template", code=";hello")).type == 9
    await kenji.submit({})
    assert await here.replies_seen() == ["Hello Hanako."]
    assert "no template ;none" in await asks(here, kenji, "template", thread, code="none")


async def test_a_command_about_a_session_says_where_it_belongs(here: House, kenji: Person) -> None:
    assert "write `/chat claim` there" in await asks(here, kenji, "claim")
    assert "write `/chat template` there" in await asks(here, kenji, "template")


async def test_a_command_that_the_rules_refuse_says_why(here: House, kenji: Person) -> None:
    await here.writes("hello")
    thread = await here.thread()
    await here.does(CustomerEnded())
    assert "closed" in await asks(here, kenji, "claim", thread)
    assert "closed" in await asks(here, kenji, "send", thread, words="too late: canary")
    assert "canary" in here.discord.seen(kenji.whispers()[-1])


# ------------------------------------------------------------------ a message's menu


async def test_a_note_is_sent_from_its_menu_and_a_note_is_made_on_a_message(here: House, kenji: Person) -> None:
    await here.writes("what about my money")
    thread = await here.thread()
    await here.shows(thread, "my money")
    note = kenji.say(thread, "note: We are on it")

    async def is_kept() -> bool:
        return bool(await facts(here, f.NoteAdded))

    await here.until(is_kept)
    assert (await kenji.message_menu(thread, note, "Send to customer")).ok
    assert await here.replies_seen() == ["We are on it"]
    (theirs,) = [one for one in here.discord.messages(thread) if "my money" in here.discord.seen(one)]
    assert (await kenji.message_menu(thread, theirs, "Note on this")).type == 9
    (field,) = [one["component"] for one in kenji.modal()["components"]]
    assert field["value"].startswith("> ")
    assert "my money" in field["value"]
    await kenji.submit({"words": f"{field['value']}odd"})
    assert len(await facts(here, f.NoteAdded)) == 2


async def test_a_messages_menu_opens_the_same_windows(here: House, kenji: Person) -> None:
    await here.writes("hello")
    thread = await here.thread()
    card = here.card(thread)
    for entry, title in (("Transfer this session", "Transfer"), ("Resolve this session", "Resolve")):
        assert (await kenji.message_menu(thread, card, entry)).type == 9
        assert str(kenji.modal()["title"]).startswith(title)
    assert (await kenji.message_menu(thread, card, "Reply from templates")).type == 4
    assert "Reply from templates" in here.discord.seen(kenji.whispers()[-1])


async def test_a_messages_menu_elsewhere_says_that_it_is_no_customers_thread(
    here: House, discord: DiscordSimulator, kenji: Person
) -> None:
    lunch = discord.channel("lunch")
    message = kenji.say(lunch, "lunch?")
    assert (await kenji.message_menu(lunch, message, "Resolve this session")).ok
    assert "no customer's thread" in discord.seen(kenji.whispers()[-1])
