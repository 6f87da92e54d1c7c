"""What Discord sends is decided on purpose, and nothing malformed is taken."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.discord.heard import happenings as p
from adapters.discord.heard.app import App
from adapters.discord.heard.shape import GarbledError
from adapters.discord.parse import message as of_history
from adapters.discord.parse import parse
from adapters.discord.refs import Post, Root, custom_id, made_at
from bridge.ports import Placed
from routing.ids import InputKey, MessageId, SessionId

APP = App("900", "901")
ROOT = Root("1", "20")
PLACED = Placed(SessionId("main.0.abc"), 1)
MADE = 1_700_000_000_000
ID = str((MADE - 1_420_070_400_000) << 22)
PERSON = {"id": "5", "username": "kenji", "global_name": "Kenji"}
MEMBER = {"nick": "Kenji S", "roles": ["7"], "joined_at": "2020-01-01T00:00:00+00:00"}


def message(**more: Any) -> dict[str, Any]:
    plain = {"id": ID, "channel_id": "20", "guild_id": "1", "type": 0, "content": "hi", "author": PERSON}
    return {**plain, "member": MEMBER, "attachments": [], "embeds": [], "edited_timestamp": None, "flags": 0, **more}


def asked(kind: int, data: dict[str, Any], **more: Any) -> dict[str, Any]:
    body = {"id": "88", "application_id": "901", "type": kind, "token": "t0", "guild_id": "1", "channel_id": "20"}
    return {**body, "member": {**MEMBER, "user": PERSON}, "data": data, "locale": "ja", **more}


def test_a_persons_words() -> None:
    said = parse("MESSAGE_CREATE", message(), APP)
    assert isinstance(said, p.Said)
    assert (said.root, said.text, said.blank) == (ROOT, "hi", False)
    assert said.author == p.Author("1", "5", "Kenji S", frozenset(("7",)))
    assert said.key == said.original == f"discord/1/20/{ID}"
    assert said.message == f"d:20:{ID}"


def test_history_reads_as_the_event_did() -> None:
    told = {name: value for name, value in message().items() if name not in ("guild_id", "member")}
    assert of_history(told, "1", APP) == p.Said(
        InputKey(f"discord/1/20/{ID}"), ROOT, ID, p.Author("1", "5", "Kenji"), "hi"
    )


@pytest.mark.parametrize(
    "more",
    [
        {"author": {**PERSON, "bot": True}},
        {"author": {"id": "900", "username": "kakehashi"}},
        {"author": {**PERSON, "system": True}},
        {"webhook_id": "33", "author": {"id": "33", "username": "Kenji", "bot": True}},
        {"type": 21},
        {"type": 4},
        {"type": 7},
        {"guild_id": None},
    ],
)
def test_what_no_person_wrote_at_a_desk_is_not_taken(more: dict[str, Any]) -> None:
    assert isinstance(parse("MESSAGE_CREATE", message(**more), APP), p.Ignored)


def test_a_message_that_names_nobody_is_none_that_discord_sends() -> None:
    """It is read back then, as whatever else could not be read."""
    with pytest.raises(GarbledError):
        parse("MESSAGE_CREATE", message(author=None), APP)


def test_files_stickers_and_voice_messages() -> None:
    file = {"id": "40", "filename": "voice.ogg", "size": 9, "url": "https://cdn/x", "content_type": "audio/ogg; c=1"}
    said = parse(
        "MESSAGE_CREATE",
        message(
            content="",
            attachments=[{**file, "duration_secs": 2.5}],
            sticker_items=[{"id": "41", "name": "wave", "format_type": 3}],
            flags=1 << 13,
        ),
        APP,
    )
    assert isinstance(said, p.Said)
    assert said.files == (p.Attachment("40", "voice.ogg", "audio/ogg", 9, "https://cdn/x", 2.5),)
    assert said.stickers == (p.Sticker("41", "wave", 3),)
    assert (said.voice, said.blank) == (True, False)


def test_a_message_without_anything_is_blank_as_all_are_without_the_intent() -> None:
    said = parse("MESSAGE_CREATE", message(content=""), APP)
    assert isinstance(said, p.Said)
    assert said.blank


def test_a_reply_names_what_it_answers() -> None:
    body = message(type=19, message_reference={"type": 0, "channel_id": "20", "message_id": "55", "guild_id": "1"})
    said = parse("MESSAGE_CREATE", body, APP)
    assert isinstance(said, p.Said)
    assert said.reply_to == Post("1", "20", "55")


def test_a_forward_holds_its_words_in_a_snapshot() -> None:
    inner = {"content": "from elsewhere", "attachments": [{"id": "4", "filename": "a.png", "size": 1, "url": "u"}]}
    body = message(content="", message_reference={"type": 1, "message_id": "5"}, message_snapshots=[{"message": inner}])
    said = parse("MESSAGE_CREATE", body, APP)
    assert isinstance(said, p.Said)
    assert said.forwarded == (p.Forwarded("from elsewhere", (p.Attachment("4", "a.png", "", 1, "u"),)),)
    assert (said.reply_to, said.blank) == (None, False)


def test_an_edit_has_a_key_and_a_revision_of_its_own() -> None:
    first = parse("MESSAGE_UPDATE", message(edited_timestamp="2023-11-14T22:13:21.250000+00:00"), APP)
    again = parse("MESSAGE_UPDATE", message(edited_timestamp="2023-11-14T22:13:21.250000+00:00", pinned=True), APP)
    later = parse("MESSAGE_UPDATE", message(edited_timestamp="2023-11-14T22:13:22+00:00"), APP)
    assert isinstance(first, p.Revised)
    assert isinstance(again, p.Revised)
    assert isinstance(later, p.Revised)
    assert first.key == again.key
    assert first.revision == MADE + 1_250 - made_at(ID)
    assert first.revision < later.revision
    assert first.original == parse("MESSAGE_CREATE", message(), APP).key  # type: ignore[union-attr]


def test_a_preview_that_appears_is_no_edit() -> None:
    assert isinstance(parse("MESSAGE_UPDATE", message(embeds=[{"type": "link"}]), APP), p.Ignored)
    assert isinstance(parse("MESSAGE_UPDATE", {"id": ID, "channel_id": "20", "embeds": []}, APP), p.Ignored)


def test_deletions_carry_ids_only() -> None:
    gone = parse("MESSAGE_DELETE", {"id": ID, "channel_id": "20", "guild_id": "1"}, APP)
    assert gone == p.Withdrawn(InputKey(f"discord/1/20/{ID}/deleted"), ROOT, ID)
    many = parse("MESSAGE_DELETE_BULK", {"ids": [ID, "6"], "channel_id": "20", "guild_id": "1"}, APP)
    assert isinstance(many, p.Purged)
    assert [one.id for one in many.withdrawn] == [ID, "6"]
    assert all(one.in_bulk for one in many.withdrawn)
    assert many.withdrawn[0].key == gone.key


def test_reactions_are_signs_of_a_session_and_each_time_one_is_put_is_its_own() -> None:
    body = {
        "user_id": "5",
        "channel_id": "20",
        "message_id": "6",
        "guild_id": "1",
        "emoji": {"id": None, "name": "👍🏽"},
    }
    one = parse("MESSAGE_REACTION_ADD", {**body, "member": {**MEMBER, "user": PERSON}}, APP, "s/1")
    other = parse("MESSAGE_REACTION_ADD", {**body, "member": {**MEMBER, "user": PERSON}}, APP, "s/9")
    off = parse("MESSAGE_REACTION_REMOVE", body, APP, "s/2")
    assert isinstance(one, p.Reacted)
    assert isinstance(other, p.Reacted)
    assert isinstance(off, p.Reacted)
    assert (one.post, one.sign, one.added) == (Post("1", "20", "6"), "👍", True)
    assert (off.added, len({one.key, other.key, off.key})) == (False, 3)
    own = parse("MESSAGE_REACTION_ADD", {**body, "emoji": {"id": "3", "name": "party"}}, APP)
    assert isinstance(own, p.Reacted)
    assert own.sign == ":party:"
    assert isinstance(parse("MESSAGE_REACTION_ADD", {**body, "user_id": "900"}, APP), p.Ignored)


def test_typing() -> None:
    body = {"channel_id": "20", "guild_id": "1", "user_id": "5", "timestamp": 1, "member": {**MEMBER, "user": PERSON}}
    typing = parse("TYPING_START", body, APP)
    assert isinstance(typing, p.Typing)
    assert (typing.root, typing.author.user) == (ROOT, "5")
    assert isinstance(parse("TYPING_START", {**body, "user_id": "900"}, APP), p.Ignored)


def test_threads_come_change_and_go() -> None:
    state = {"archived": True, "locked": True, "auto_archive_duration": 60}
    body = {"id": "20", "guild_id": "1", "parent_id": "2", "type": 11, "name": "n", "thread_metadata": state}
    seen = parse("THREAD_UPDATE", {**body, "applied_tags": ["3"]}, APP)
    assert seen == p.ThreadSeen(ROOT, "2", "n", archived=True, locked=True, tags=("3",))
    assert parse("THREAD_DELETE", {"id": "20", "guild_id": "1", "parent_id": "2", "type": 11}, APP) == p.ThreadGone(
        ROOT
    )
    synced = parse("THREAD_LIST_SYNC", {"guild_id": "1", "threads": [body], "members": []}, APP)
    assert isinstance(synced, p.ThreadsSeen)
    assert [one.root for one in synced.threads] == [ROOT]


def test_people_and_servers_that_leave() -> None:
    assert parse("GUILD_MEMBER_REMOVE", {"guild_id": "1", "user": PERSON}, APP) == p.PersonLeft("1", "5")
    assert parse("GUILD_DELETE", {"id": "1"}, APP) == p.GuildGone("1")
    assert parse("GUILD_DELETE", {"id": "1", "unavailable": True}, APP) == p.GuildGone("1", away=True)
    assert parse("CHANNEL_DELETE", {"id": "2", "guild_id": "1"}, APP) == p.ChannelChanged("1", "2", gone=True)


def test_a_button_and_what_is_chosen_from_a_menu() -> None:
    stood = {"id": "66", "channel_id": "20", "flags": 64}
    data = {"custom_id": custom_id("menu", PLACED, MessageId("d:20:6")), "component_type": 3, "values": ["block"]}
    pressed = parse("INTERACTION_CREATE", asked(3, data, message=stood), APP)
    assert isinstance(pressed, p.Pressed)
    assert (pressed.action, pressed.placed, pressed.aim.message) == ("menu", PLACED, "d:20:6")
    assert (pressed.aim.choice, pressed.post, pressed.only_theirs) == ("block", Post("1", "20", "66"), True)
    assert (pressed.key, pressed.interaction) == ("discord/interaction/88", p.Interaction("88", "t0", "ja"))


def test_a_window_that_was_filled_in() -> None:
    rows = [
        {"type": 1, "components": [{"type": 4, "custom_id": "words", "value": " a note "}]},
        {"type": 18, "component": {"type": 3, "custom_id": "tags", "values": ["a", "b"]}},
        {"type": 10},
    ]
    sent = parse("INTERACTION_CREATE", asked(5, {"custom_id": custom_id("note", PLACED), "components": rows}), APP)
    assert isinstance(sent, p.Submitted)
    assert (sent.action, sent.placed, sent.from_message) == ("note", PLACED, "message" in asked(5, {}))
    assert sent.values == {"words": (" a note ",), "tags": ("a", "b")}


def test_a_command_with_its_subcommand() -> None:
    inner = {"type": 1, "name": "away", "options": [{"type": 4, "name": "minutes", "value": 30}]}
    said = parse("INTERACTION_CREATE", asked(2, {"id": "3", "name": "chat", "type": 1, "options": [inner]}), APP)
    assert isinstance(said, p.Commanded)
    assert (said.words, said.options, said.focused) == (("chat", "away"), {"minutes": "30"}, "")


def test_a_messages_menu() -> None:
    data = {"id": "3", "name": "Send", "type": 3, "target_id": "6", "resolved": {"messages": {"6": {"content": "x"}}}}
    chosen = parse("INTERACTION_CREATE", asked(2, data), APP)
    assert isinstance(chosen, p.Shortcut)
    assert (chosen.name, chosen.message, chosen.text) == ("Send", "d:20:6", "x")


def test_what_is_not_ours_or_outside_of_a_server_is_left() -> None:
    stood = {"id": "66", "channel_id": "20"}
    foreign = asked(3, {"custom_id": "their:button", "component_type": 2}, message=stood)
    assert isinstance(parse("INTERACTION_CREATE", foreign, APP), p.Ignored)
    assert isinstance(parse("INTERACTION_CREATE", asked(3, {}, application_id="5", message=stood), APP), p.Ignored)
    assert isinstance(parse("INTERACTION_CREATE", asked(2, {}, guild_id=None), APP), p.Ignored)
    assert isinstance(parse("PRESENCE_UPDATE", {"whatever": 1}, APP), p.Ignored)
    assert isinstance(parse("INTERACTION_CREATE", {"id": "1", "token": "t", "type": 1}, APP), p.Pinged)


STOOD = {"id": "66", "channel_id": "20", "flags": 0}
WHOLE = {
    "MESSAGE_CREATE": message(
        attachments=[{"id": "4", "filename": "f", "size": 1, "url": "u"}],
        sticker_items=[{"id": "4", "name": "s", "format_type": 1}],
        message_reference={"type": 1, "message_id": "5"},
        message_snapshots=[{"message": {"content": "c"}}],
    ),
    "MESSAGE_UPDATE": message(edited_timestamp="2023-11-14T22:13:21+00:00"),
    "MESSAGE_DELETE_BULK": {"ids": ["1"], "channel_id": "20", "guild_id": "1"},
    "MESSAGE_REACTION_ADD": {
        "user_id": "5", "channel_id": "20", "message_id": "6", "guild_id": "1", "emoji": {"id": None, "name": "x"},
        "member": {"user": PERSON, "roles": []},
    },
    "INTERACTION_CREATE": asked(3, {"custom_id": custom_id("menu", PLACED), "values": ["block"]}, message=STOOD),
    "THREAD_CREATE": {"id": "20", "guild_id": "1", "parent_id": "2", "type": 11, "thread_metadata": {}},
}  # fmt: skip
JUNK: st.SearchStrategy[Any] = st.sampled_from(
    [None, 0, 1.5, True, "", "x", "\ud800", [], [0], {}, {"id": []}, "9" * 40]
)


def paths(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [here, *(path for name, one in inner for path in paths(one, (*here, name)))]


@settings(deadline=None)
@given(st.sampled_from(sorted(WHOLE)), st.data())
def test_nothing_malformed_gets_further_than_here(kind: str, data: st.DataObject) -> None:
    body = deepcopy(WHOLE[kind])
    path = data.draw(st.sampled_from(paths(body)[1:]))
    target: Any = body
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = data.draw(JUNK)
    wrong = refusal(kind, body)
    assert wrong is None or wrong.startswith(kind)  # it names the place, and holds nobody's words


def refusal(kind: str, body: object) -> str | None:
    try:
        parse(kind, body, APP)
    except GarbledError as wrong:
        return wrong.what
    return None


@pytest.mark.parametrize("kind", ["MESSAGE_CREATE", "MESSAGE_DELETE", "THREAD_CREATE", "INTERACTION_CREATE"])
@pytest.mark.parametrize("body", [None, [], "x", 3])
def test_what_is_no_object_is_refused(kind: str, body: object) -> None:
    with pytest.raises(GarbledError):
        parse(kind, body, APP)
