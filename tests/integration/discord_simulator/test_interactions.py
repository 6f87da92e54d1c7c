"""Buttons, menus, windows and commands, over the gateway and over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import discord as library
import pytest
from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from discord import app_commands

from tests.integration.discord_simulator.clients import Client, Rest, refused, running
from tests.simulators.discord import Channel, DiscordSimulator, Message, Permission, Person
from tests.simulators.discord.interactions import Ask

Json = dict[str, Any]
Handler = Callable[[library.Interaction[Any]], Awaitable[Any]]


class Desk(Client):
    """Answers interactions with `handler`; `seen` holds each one."""

    def __init__(self, handler: Handler) -> None:
        super().__init__()
        self.handler = handler
        self.seen: list[library.Interaction[Any]] = []
        self.wrong: list[BaseException] = []

    async def on_interaction(self, interaction: library.Interaction[Any]) -> None:
        self.seen.append(interaction)
        try:
            await self.handler(interaction)
        except library.HTTPException as refusal:
            self.wrong.append(refusal)


async def say_hello(interaction: library.Interaction[Any]) -> None:
    await interaction.response.send_message("hello")


@pytest.fixture
async def desk(discord: DiscordSimulator, support: Channel) -> AsyncIterator[Desk]:
    async with running(Desk(say_hello), discord) as client:
        assert isinstance(client, Desk)
        yield client


def view(*items: Any) -> Any:
    made = library.ui.View(timeout=None)
    for item in items:
        made.add_item(item)
    return made


@pytest.fixture
async def card(desk: Desk, support: Channel, discord: DiscordSimulator) -> Message:
    """A message with a button, one that is greyed out, and a menu."""
    options = [library.SelectOption(label="Aiko", value="a"), library.SelectOption(label="Kenji", value="k")]
    items = (
        library.ui.Button[Any](label="Claim", custom_id="claim:1"),
        library.ui.Button[Any](label="Grey", custom_id="grey", disabled=True),
        library.ui.Select[Any](custom_id="assign", options=options, max_values=2),
    )
    await desk.place(support.id).send("card", view=view(*items))
    return discord.messages(support)[0]


# --- pressing -----------------------------------------------------------------------------------------------------


async def test_a_click_reaches_the_app_and_its_answer_stands_below(
    discord: DiscordSimulator, desk: Desk, support: Channel, card: Message, kenji: Person
) -> None:
    outcome = await kenji.click(support, card, "Claim")
    assert (outcome.ok, outcome.type) == (True, 4)
    [interaction] = desk.seen
    assert interaction.data is not None
    assert (str(interaction.user.id), interaction.data.get("custom_id")) == (kenji.id, "claim:1")
    assert interaction.message is not None
    assert str(interaction.message.id) == card.id
    assert discord.read(support) == ["card", "hello"]


async def test_what_is_greyed_out_or_not_there_cannot_be_pressed(
    support: Channel, card: Message, kenji: Person
) -> None:
    for wanted in ("Grey", "Nothing"):
        with pytest.raises(LookupError):
            await kenji.click(support, card, wanted)


async def test_a_choice_comes_by_value_and_only_from_what_is_offered(
    desk: Desk, support: Channel, card: Message, kenji: Person
) -> None:
    await kenji.choose(support, card, "assign", "Aiko", "k")
    assert desk.seen[0].data is not None
    assert desk.seen[0].data.get("values") == ["a", "k"]
    with pytest.raises(LookupError):
        await kenji.choose(support, card, "assign", "nobody")
    with pytest.raises(ValueError, match="0 choices"):
        await kenji.choose(support, card, "assign")


async def test_a_menu_of_people_resolves_them(
    discord: DiscordSimulator, desk: Desk, support: Channel, kenji: Person, aiko: Person
) -> None:
    await desk.place(support.id).send("whom?", view=view(library.ui.UserSelect[Any](custom_id="whom")))
    await kenji.choose(support, discord.messages(support)[0], "whom", aiko.id)
    assert desk.seen[0].data is not None
    resolved: Any = desk.seen[0].data.get("resolved")
    assert resolved["users"][aiko.id]["username"] == "aiko"


async def test_an_update_changes_the_message_that_was_pressed(
    discord: DiscordSimulator, desk: Desk, support: Channel, card: Message, kenji: Person
) -> None:
    desk.handler = lambda i: i.response.edit_message(content="claimed", view=None)
    await kenji.click(support, card, "Claim")
    assert discord.read(support) == ["claimed"]
    assert card.components == []


async def test_a_whisper_is_seen_by_one_and_told_to_nobody(
    discord: DiscordSimulator, desk: Desk, support: Channel, card: Message, kenji: Person, aiko: Person
) -> None:
    desk.handler = lambda i: i.response.send_message("psst", ephemeral=True)
    await kenji.click(support, card, "Claim")
    assert [m.content for m in kenji.whispers()] == ["psst"]
    assert not aiko.whispers()
    assert discord.read(support) == ["card"]
    with refused(10008, 404):
        await desk.place(support.id).fetch_message(int(kenji.whispers()[0].id))


async def test_a_deferred_answer_is_filled_in_later_and_followed_up(
    discord: DiscordSimulator, desk: Desk, support: Channel, card: Message, kenji: Person
) -> None:
    async def later(interaction: library.Interaction[Any]) -> None:
        await interaction.response.defer(thinking=True)

    desk.handler = later
    await kenji.click(support, card, "Claim")
    loading = discord.messages(support)[1]
    assert loading.flags & 128
    await desk.seen[0].edit_original_response(content="done")
    assert (loading.content, loading.flags & 128) == ("done", 0)
    further = await desk.seen[0].followup.send("and more", wait=True)
    assert discord.read(support) == ["card", "done", "and more"]
    await further.delete()
    await desk.seen[0].delete_original_response()
    assert discord.read(support) == ["card"]


async def test_the_first_follow_up_of_a_loading_answer_is_that_answer(
    discord: DiscordSimulator, desk: Desk, support: Channel, card: Message, kenji: Person
) -> None:
    async def later(interaction: library.Interaction[Any]) -> None:
        await interaction.response.defer(thinking=True, ephemeral=True)
        await interaction.followup.send("done")

    desk.handler = later
    await kenji.click(support, card, "Claim")
    await discord.until(lambda: [m.content for m in kenji.whispers()] == ["done"])


async def test_a_first_answer_after_three_seconds_finds_nobody(
    discord: DiscordSimulator, desk: Desk, support: Channel, card: Message, kenji: Person
) -> None:
    release = asyncio.Event()

    async def late(interaction: library.Interaction[Any]) -> None:
        await release.wait()
        await interaction.response.send_message("late")

    desk.handler = late
    pressing = asyncio.create_task(kenji.click(support, card, "Claim"))
    await discord.until(lambda: desk.seen)
    discord.clock.advance(3.1)
    outcome = await pressing
    assert (outcome.ok, outcome.reason) == (False, "no answer")
    release.set()
    await discord.until(lambda: desk.wrong)
    assert isinstance(desk.wrong[0], library.NotFound)
    assert desk.wrong[0].code == 10062


async def test_a_second_first_answer_is_refused(
    desk: Desk, support: Channel, card: Message, kenji: Person, rest: Rest
) -> None:
    await kenji.click(support, card, "Claim")
    [interaction] = desk.seen
    route = f"POST /interactions/{interaction.id}/{interaction.token}/callback"
    status, answer, _ = await rest.call(route, {"type": 6})
    assert (status, answer["code"]) == (400, 40060)


async def test_a_token_lasts_a_quarter_of_an_hour(
    discord: DiscordSimulator, desk: Desk, support: Channel, card: Message, kenji: Person
) -> None:
    await kenji.click(support, card, "Claim")
    discord.clock.advance(899)
    await desk.seen[0].followup.send("in time")
    discord.clock.advance(2)
    with refused(50027, 401):
        await desk.seen[0].followup.send("too late")


async def test_following_up_comes_after_answering(
    discord: DiscordSimulator, desk: Desk, support: Channel, card: Message, kenji: Person
) -> None:
    desk.handler = lambda i: i.followup.send("too early")
    pressing = asyncio.create_task(kenji.click(support, card, "Claim"))
    await discord.until(lambda: desk.wrong)
    assert isinstance(desk.wrong[0], library.NotFound)
    assert desk.wrong[0].code == 10015
    discord.clock.advance(4)
    assert not (await pressing).ok


async def test_nobody_who_listens_is_told_at_once(
    discord: DiscordSimulator, rest: Rest, support: Channel, kenji: Person
) -> None:
    buttons = [{"type": 1, "components": [{"type": 2, "style": 1, "label": "x", "custom_id": "x"}]}]
    _, sent, _ = await rest.say(support.id, content="card", components=buttons)
    outcome = await kenji.click(support, sent["id"], "x")
    assert (outcome.ok, outcome.reason) == (False, "nobody listens")


async def test_an_archived_threads_card_cannot_be_updated_by_its_click(
    discord: DiscordSimulator, desk: Desk, support: Channel, aiko: Person
) -> None:
    thread = aiko.open_thread(support, "old")
    await desk.place(thread.id).send("card", view=view(library.ui.Button[Any](label="x", custom_id="x")))
    aiko.archive(thread)
    discord.habits.wakes_before_click = False
    desk.handler = lambda i: i.response.edit_message(content="changed")
    pressing = asyncio.create_task(aiko.click(thread, discord.messages(thread)[0], "x"))
    await discord.until(lambda: desk.wrong)
    assert isinstance(desk.wrong[0], library.HTTPException)
    assert (desk.wrong[0].code, desk.wrong[0].status) == (50083, 403)
    discord.clock.advance(4)
    assert not (await pressing).ok


async def test_a_click_wakes_an_archived_thread_first_and_a_locked_one_has_no_live_buttons(
    discord: DiscordSimulator, desk: Desk, support: Channel, kenji: Person, aiko: Person
) -> None:
    thread = aiko.open_thread(support, "old")
    await desk.place(thread.id).send("card", view=view(library.ui.Button[Any](label="x", custom_id="x")))
    card = discord.messages(thread)[0]
    aiko.archive(thread)
    assert (await kenji.click(thread, card, "x")).ok
    assert not thread.archived
    aiko.archive(thread)
    discord.deny(support, kenji.id, Permission.SEND_MESSAGES_IN_THREADS)
    with pytest.raises(PermissionError):
        await kenji.click(thread, card, "x")
    aiko.unarchive(thread)
    aiko.lock(thread)
    with pytest.raises(LookupError, match="greyed out"):
        await aiko.click(thread, card, "x")


# --- windows ------------------------------------------------------------------------------------------------------


class Note(library.ui.Modal, title="Note"):
    """One line that is needed, and one that is not."""

    subject: library.ui.TextInput[Any] = library.ui.TextInput(label="Subject", custom_id="subject", max_length=10)
    body: library.ui.TextInput[Any] = library.ui.TextInput(label="Body", custom_id="body", required=False)


async def test_a_window_is_opened_filled_in_and_sent(
    discord: DiscordSimulator, desk: Desk, support: Channel, card: Message, kenji: Person
) -> None:
    desk.handler = lambda i: i.response.send_modal(Note(custom_id="note:1"))
    await kenji.click(support, card, "Claim")
    assert kenji.modal()["title"] == "Note"
    with pytest.raises(ValueError, match="subject"):
        await kenji.submit({"body": "no subject"})
    with pytest.raises(ValueError, match="subject"):
        await kenji.submit({"subject": "x" * 11})
    with pytest.raises(LookupError):
        await kenji.submit({"colour": "red"})
    desk.handler = lambda i: i.response.edit_message(content="noted", view=None)
    assert (await kenji.submit({"subject": "hello"})).ok
    submitted = desk.seen[1]
    assert submitted.data is not None
    assert submitted.data.get("custom_id") == "note:1"
    rows: Any = submitted.data.get("components")
    values = [row["components"][0]["value"] for row in rows]
    assert values == ["hello", ""]
    assert discord.read(support) == ["noted"]
    with pytest.raises(LookupError):
        kenji.modal()


def asking(**more: Any) -> Json:
    """A row of a window with one field."""
    field = {"type": 4, "custom_id": "x", "style": 1, "label": "x"}
    return {"type": 1, "components": [field | more]}


class Closing(library.ui.Modal, title="Close"):
    """A menu and a text under labels, as newer windows have them."""

    outcome: library.ui.Label[Any] = library.ui.Label(
        text="Outcome",
        component=library.ui.Select(
            custom_id="outcome",
            options=[library.SelectOption(label="Solved", value="s"), library.SelectOption(label="Spam", value="x")],
        ),
    )
    words: library.ui.Label[Any] = library.ui.Label(
        text="Words", component=library.ui.TextInput(custom_id="words", required=False, default="thanks")
    )


async def test_a_windows_fields_may_stand_under_labels(
    desk: Desk, support: Channel, card: Message, kenji: Person
) -> None:
    window = Closing(custom_id="close")
    desk.handler = lambda i: i.response.send_modal(window)
    await kenji.click(support, card, "Claim")
    with pytest.raises(LookupError):
        await kenji.submit({"outcome": "Unheard of"})
    desk.handler = lambda i: i.response.send_message("closed", ephemeral=True)
    await kenji.submit({"outcome": "Solved"})
    assert desk.seen[1].data is not None
    labels: Any = desk.seen[1].data.get("components")
    assert [label["component"].get("values") or label["component"]["value"] for label in labels] == [["s"], "thanks"]


def labelled(**more: Any) -> Json:
    """A field under a label."""
    options = [{"label": "A", "value": "a"}, {"label": "B", "value": "b"}]
    return {"type": 18, "label": "x", "component": {"custom_id": "x", "options": options} | more}


async def test_a_window_may_ask_by_radio_buttons_and_boxes(
    discord: DiscordSimulator, desk: Desk, rest: Rest, support: Channel, kenji: Person
) -> None:
    asked = discord.interactions.begin(Ask.COMPONENT, kenji.member, support, {"custom_id": "x"})
    parts = [labelled(type=21, custom_id="one"), labelled(type=22, custom_id="many", max_values=2)]
    data = {"title": "t", "custom_id": "c", "components": parts}
    route = f"POST /interactions/{asked.id}/{asked.token}/callback"
    assert (await rest.call(route, {"type": 9, "data": data}))[0] == 204
    with pytest.raises(ValueError, match="one"):
        await kenji.submit({"many": ["a"]})
    with pytest.raises(ValueError, match="many"):
        await kenji.submit({"one": "a"})
    assert (await kenji.submit({"one": "a", "many": ["a", "b"]})).ok
    assert desk.seen[0].data is not None
    labels: Any = desk.seen[0].data.get("components")
    assert [one["component"].get("values") or one["component"]["value"] for one in labels] == ["a", ["a", "b"]]


BAD_WINDOWS: dict[str, Json] = {
    "a required menu that takes nothing": {"components": [labelled(type=3, min_values=0)]},
    "a field that is greyed out": {"components": [labelled(type=3, disabled=True)]},
    "a button under a label": {"components": [labelled(type=2, style=1, label="x")]},
    "a menu in a row": {"components": [{"type": 1, "components": [labelled(type=3)["component"]]}]},
    "one radio button": {"components": [labelled(type=21, options=[{"label": "A", "value": "a"}])]},
    "eleven boxes": {
        "components": [labelled(type=22, options=[{"label": str(n), "value": str(n)} for n in range(11)])]
    },
    "long title": {"title": "x" * 46},
    "no fields": {"components": []},
    "six fields": {"components": [asking(custom_id=str(n)) for n in range(6)]},
    "long label": {"components": [asking(label="x" * 46)]},
    "too long a text": {"components": [asking(max_length=4_001)]},
    "a button": {"components": [{"type": 2, "style": 1, "label": "x", "custom_id": "x"}]},
}


@pytest.mark.parametrize("what", BAD_WINDOWS)
async def test_windows_that_discord_refuses(
    discord: DiscordSimulator, rest: Rest, support: Channel, kenji: Person, what: str
) -> None:
    asked = discord.interactions.begin(Ask.COMPONENT, kenji.member, support, {"custom_id": "x"})
    data = {"title": "t", "custom_id": "c", "components": [asking()]} | BAD_WINDOWS[what]
    route = f"POST /interactions/{asked.id}/{asked.token}/callback"
    status, answer, _ = await rest.call(route, {"type": 9, "data": data})
    assert (status, answer["code"]) == (400, 50035)


# --- commands -----------------------------------------------------------------------------------------------------


@pytest.fixture
async def tree(discord: DiscordSimulator, support: Channel) -> AsyncIterator[app_commands.CommandTree[Any]]:
    """A client with the library's own command tree, synced to the guild."""
    async with running(Client(), discord) as client:
        tree = app_commands.CommandTree(client)
        chat = app_commands.Group(name="chat", description="The desk")

        @chat.command(description="Look about")
        async def home(interaction: library.Interaction[Any], desk: str = "all") -> None:
            await interaction.response.send_message(f"home of {desk}", ephemeral=True)

        @home.autocomplete("desk")
        async def desks(interaction: library.Interaction[Any], current: str) -> list[app_commands.Choice[str]]:
            return [app_commands.Choice(name=n, value=n) for n in ("support", "sales") if n.startswith(current)]

        @tree.context_menu(name="Make a note")
        async def note(interaction: library.Interaction[Any], message: library.Message) -> None:
            await interaction.response.send_message(f"noted {message.content}")

        @tree.command(description="For moderators")
        @app_commands.default_permissions(manage_messages=True)
        async def sweep(interaction: library.Interaction[Any], days: int) -> None:
            await interaction.response.send_message(f"swept {days}")

        @tree.context_menu(name="Who is it")
        async def who(interaction: library.Interaction[Any], member: library.Member) -> None:
            await interaction.response.send_message(f"it is {member.name}", ephemeral=True)

        tree.add_command(chat)
        guild = library.Object(int(discord.guild.id))
        tree.copy_global_to(guild=guild)
        await tree.sync(guild=guild)
        yield tree


async def test_slash_commands_with_subcommands_options_and_suggestions(
    discord: DiscordSimulator, tree: Any, support: Channel, kenji: Person, aiko: Person
) -> None:
    assert (await kenji.slash(support, "chat home", desk="sales")).ok
    assert [m.content for m in kenji.whispers()] == ["home of sales"]
    assert await kenji.complete(support, "chat home", "desk", "su") == ["support"]
    with pytest.raises(PermissionError):
        await kenji.slash(support, "sweep", days=1)
    await aiko.slash(support, "sweep", days=1)
    assert discord.read(support) == ["swept 1"]
    with pytest.raises(ValueError, match="days"):
        await aiko.slash(support, "sweep")
    with pytest.raises(LookupError):
        await kenji.slash(support, "unknown")


async def test_a_messages_menu_and_no_commands_in_archived_threads(
    discord: DiscordSimulator, tree: Any, support: Channel, kenji: Person, aiko: Person
) -> None:
    said = kenji.say(support, "remember")
    assert (await kenji.message_menu(support, said, "Make a note")).ok
    assert discord.read(support) == ["remember", "noted remember"]
    await kenji.user_menu(support, aiko.id, "Who is it")
    assert [m.content for m in kenji.whispers()] == ["it is aiko"]
    thread = aiko.open_thread(support, "old")
    aiko.archive(thread)
    with pytest.raises(PermissionError):
        await aiko.slash(thread, "chat home")


async def test_syncing_again_keeps_ids_and_drops_what_is_gone(discord: DiscordSimulator, tree: Any) -> None:
    before = {c["name"]: c["id"] for c in discord.guild.app.commands.values()}
    guild = library.Object(int(discord.guild.id))
    tree.remove_command("sweep", guild=guild)
    await tree.sync(guild=guild)
    after = {c["name"]: c["id"] for c in discord.guild.app.commands.values()}
    assert before.pop("sweep")
    assert after == before


BAD_COMMANDS: dict[str, list[Json]] = {
    "capital letters": [{"name": "Chat", "description": "x"}],
    "no description": [{"name": "chat"}],
    "long description": [{"name": "chat", "description": "x" * 101}],
    "two of a name": [{"name": "chat", "description": "x"}] * 2,
    "optional before required": [{"name": "c", "description": "x", "options": [
        {"type": 3, "name": "a", "description": "x"}, {"type": 3, "name": "b", "description": "x", "required": True},
    ]}],
}  # fmt: skip


@pytest.mark.parametrize("what", BAD_COMMANDS)
async def test_commands_that_discord_refuses(discord: DiscordSimulator, rest: Rest, what: str) -> None:
    route = f"PUT /applications/{discord.guild.app.id}/commands"
    status, answer, _ = await rest.call(route, BAD_COMMANDS[what])
    assert (status, answer["code"]) == (400, 50035)
    assert not discord.guild.app.commands


# --- over HTTP ----------------------------------------------------------------------------------------------------


class Endpoint:
    """An app's interactions endpoint; `checks`: whether it looks at signatures."""

    def __init__(self, discord: DiscordSimulator) -> None:
        self._key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(discord.public_key))
        self.checks = True
        self.answer: Json = {"type": 4, "data": {"content": "over HTTP"}}
        self.heard: list[Json] = []

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        try:
            signature = bytes.fromhex(request.headers["X-Signature-Ed25519"])
            self._key.verify(signature, request.headers["X-Signature-Timestamp"].encode() + body)
        except InvalidSignature:
            if self.checks:
                return web.Response(status=401)
        asked = json.loads(body)
        self.heard.append(asked)
        return web.json_response({"type": 1} if asked["type"] == 1 else self.answer)


@pytest.fixture
async def endpoint(discord: DiscordSimulator) -> AsyncIterator[tuple[Endpoint, str]]:
    endpoint, app = Endpoint(discord), web.Application()
    app.router.add_post("/interactions", endpoint.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield endpoint, f"http://127.0.0.1:{runner.addresses[0][1]}/interactions"
    await runner.cleanup()


async def test_an_endpoint_is_taken_when_it_answers_a_ping_and_refuses_a_forgery(
    discord: DiscordSimulator, endpoint: tuple[Endpoint, str]
) -> None:
    app, url = endpoint
    app.checks = False
    with pytest.raises(ValueError, match="forged"):
        await discord.use_http(url)
    app.checks = True
    await discord.use_http(url)
    with pytest.raises(ValueError, match="ping"):
        await discord.use_http(f"{url}/nowhere")


async def test_an_endpoint_that_stops_looking_at_signatures_is_taken_away(
    discord: DiscordSimulator, endpoint: tuple[Endpoint, str]
) -> None:
    app, url = endpoint
    await discord.use_http(url)
    assert await discord.check_endpoint()
    app.checks = False
    assert not await discord.check_endpoint()
    assert discord.guild.app.interactions_url is None


async def test_with_an_endpoint_interactions_come_there_and_not_over_the_gateway(
    discord: DiscordSimulator,
    desk: Desk,
    card: Message,
    endpoint: tuple[Endpoint, str],
    support: Channel,
    kenji: Person,
) -> None:
    app, url = endpoint
    await discord.use_http(url)
    outcome = await kenji.click(support, card, "Claim")
    assert (outcome.ok, outcome.status) == (True, 200)
    assert app.heard[-1]["data"]["custom_id"] == "claim:1"
    assert not desk.seen
    assert discord.read(support) == ["card", "over HTTP"]


async def test_a_click_needs_no_right_to_speak_and_a_hidden_channel_shows_no_button(
    discord: DiscordSimulator, desk: Desk, card: Message, support: Channel, kenji: Person
) -> None:
    discord.deny(support, discord.guild.id, Permission.SEND_MESSAGES)
    assert (await kenji.click(support, card, "Claim")).ok
    discord.deny(support, kenji.id, Permission.VIEW_CHANNEL)
    with pytest.raises(PermissionError):
        await kenji.click(support, card, "Claim")
