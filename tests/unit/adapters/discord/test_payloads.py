"""Every kind of event and interaction that Discord documents, whole or as bare as it may come, means what it should.

A row says what a payload stands for, and what of it counts. The payloads are written here after the documentation;
nothing in them is anybody's.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapters.discord.heard import happenings as p
from adapters.discord.heard.app import App
from adapters.discord.parse import parse
from adapters.discord.refs import EPOCH, Post, Root, custom_id
from bridge.ports import Placed
from routing.ids import MessageId, SessionId

APP = App("900000000000000900", "900000000000000901")
GUILD, DESK, THREAD = "100000000000000001", "200000000000000002", "300000000000000003"
AIKO = "400000000000000004"
WRITTEN = 1_700_416_800_000
MESSAGE, OTHER = (str(((WRITTEN - EPOCH) << 22) + number) for number in (7, 8))
ROOT = Root(GUILD, THREAD)
PLACED = Placed(SessionId("main.0.abc"), 1)

USER: dict[str, Any] = {
    "id": AIKO, "username": "aiko", "discriminator": "0", "global_name": "Aiko", "avatar": None, "public_flags": 64,
    "avatar_decoration_data": {"asset": "a_1", "sku_id": "1", "expires_at": None}, "collectibles": None,
    "primary_guild": {"identity_guild_id": "1", "identity_enabled": True, "tag": "OPS", "badge": "b"},
}  # fmt: skip
OF_OLD: dict[str, Any] = {"id": AIKO, "username": "aiko", "discriminator": "9999", "avatar": "a_0"}
"""A user as before 2023: with a number behind the name, and no name to be shown by."""
MEMBER: dict[str, Any] = {
    "roles": ["500000000000000005"], "nick": None, "avatar": None, "banner": None, "premium_since": None,
    "joined_at": "2015-04-26T06:26:56.936000+00:00", "deaf": False, "mute": False, "flags": 0, "pending": False,
    "communication_disabled_until": None,
}  # fmt: skip
WHOLE_MEMBER = {**MEMBER, "user": USER, "permissions": "2147483647", "unusual_dm_activity_until": None}
BARE: dict[str, Any] = {
    "id": MESSAGE, "channel_id": THREAD, "guild_id": GUILD, "author": USER, "content": "hello", "type": 0,
    "timestamp": "2023-11-19T18:00:00.000000+00:00", "edited_timestamp": None, "tts": False, "pinned": False,
    "mention_everyone": False, "mentions": [], "mention_roles": [], "attachments": [], "embeds": [], "flags": 0,
    "components": [], "member": MEMBER,
}  # fmt: skip
BOT = {**USER, "id": "700000000000000007", "bot": True}


def message(**more: Any) -> dict[str, Any]:
    return {name: value for name, value in {**BARE, **more}.items() if value is not ...}


def file(**more: Any) -> dict[str, Any]:
    url = "https://cdn.discordapp.com/attachments/1/2/a.png?ex=65d903de&is=65c68ede&hm=2481&"
    plain = {"id": "600000000000000006", "filename": "a.png", "size": 33_445, "url": url, "proxy_url": url}
    return {name: value for name, value in {**plain, **more}.items() if value is not ...}


def thread(**more: Any) -> dict[str, Any]:
    state = {
        "archived": False, "auto_archive_duration": 10_080, "archive_timestamp": "2023-11-19T18:00:00+00:00",
        "locked": False, "create_timestamp": None,
    }  # fmt: skip
    plain = {"id": THREAD, "guild_id": GUILD, "parent_id": DESK, "owner_id": APP.user, "type": 11, "name": "K7Q2"}
    return {**plain, "last_message_id": MESSAGE, "thread_metadata": state, "member_count": 2, "flags": 0, **more}


def asked(kind: int, data: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    plain = {
        "id": "800000000000000008", "application_id": APP.application, "type": kind, "token": "aW50ZXJhY3Rpb24",
        "version": 1, "guild_id": GUILD, "guild": {"id": GUILD, "locale": "en-US", "features": []}, "locale": "ja",
        "channel_id": THREAD, "channel": {"id": THREAD, "type": 11, "permissions": "0", "thread_metadata": {}},
        "guild_locale": "en-US", "member": WHOLE_MEMBER, "app_permissions": "442368", "entitlements": [], "context": 0,
        "authorizing_integration_owners": {"0": GUILD, "1": AIKO}, "attachment_size_limit": 10_485_760,
        **({"data": data} if data is not None else {}),
    }  # fmt: skip
    return {name: value for name, value in {**plain, **more}.items() if value is not ...}


Row = tuple[str, dict[str, Any], type[p.Happening], dict[str, Any]]

MESSAGES: dict[str, Row] = {
    "a person's words": ("MESSAGE_CREATE", message(), p.Said, {"text": "hello", "root": ROOT, "blank": False}),
    "as bare as history may have them": (
        "MESSAGE_CREATE",
        {"id": MESSAGE, "channel_id": THREAD, "guild_id": GUILD, "author": OF_OLD, "content": "hello", "type": 0},
        p.Said,
        {"author": p.Author(GUILD, AIKO, "aiko"), "files": (), "reply_to": None, "voice": False},
    ),
    "fields that are new to us": (
        "MESSAGE_CREATE",
        message(position=3, resolved={}, shared_client_theme=None, nonce=4_611_686_018, call=None, later={"x": [1]}),
        p.Said,
        {"text": "hello"},
    ),
    "small ids as numbers, as Discord writes them back": (
        "MESSAGE_CREATE", message(id=123, channel_id=20, guild_id=1), p.Said, {"id": "123", "root": Root("1", "20")},
    ),
    "the largest id": ("MESSAGE_CREATE", message(id=str(2**64 - 1)), p.Said, {"id": "18446744073709551615"}),
    "a reply": (
        "MESSAGE_CREATE",
        message(
            type=19,
            message_reference={"type": 0, "channel_id": THREAD, "message_id": OTHER, "guild_id": GUILD},
            referenced_message=message(id=OTHER, author={**USER, "id": "1"}),
        ),
        p.Said,
        {"reply_to": Post(GUILD, THREAD, OTHER), "answered": "1"},
    ),
    "a reply to what was deleted": (
        "MESSAGE_CREATE",
        message(type=19, message_reference={"channel_id": THREAD, "message_id": OTHER}, referenced_message=None),
        p.Said,
        {"reply_to": Post(GUILD, THREAD, OTHER), "answered": "", "text": "hello"},
    ),
    "a reply to a webhook's post, which has no user": (
        "MESSAGE_CREATE",
        message(
            type=19,
            message_reference={"channel_id": THREAD, "message_id": OTHER},
            referenced_message=message(id=OTHER, webhook_id="5", author={"id": "5", "username": "h", "avatar": None}),
        ),
        p.Said,
        {"answered": ""},
    ),
    "a reference without a message": (
        "MESSAGE_CREATE", message(message_reference={"channel_id": DESK}), p.Said, {"reply_to": None},
    ),
    "a forward": (
        "MESSAGE_CREATE",
        message(
            content="",
            flags=1 << 14,
            message_reference={"type": 1, "channel_id": DESK, "message_id": OTHER, "guild_id": GUILD},
            message_snapshots=[
                {
                    "message": {
                        "type": 0, "content": "from there", "embeds": [], "attachments": [file()], "flags": 0,
                        "timestamp": "2023-11-19T18:00:00+00:00", "edited_timestamp": None, "mentions": [USER],
                        "mention_roles": [], "sticker_items": [{"id": "9", "name": "wave", "format_type": 4}],
                        "components": [],
                    }
                }
            ],
        ),
        p.Said,
        {"reply_to": None, "blank": False},
    ),
    "a forward of long ago, with stickers as they were told then": (
        "MESSAGE_CREATE",
        message(
            content="",
            message_reference={"type": 1},
            message_snapshots=[{"message": {"content": "", "stickers": [{"id": 9, "name": "wave", "format_type": 1}]}}],
        ),
        p.Said,
        {"forwarded": (p.Forwarded("", stickers=(p.Sticker("9", "wave", 1),)),)},
    ),
    "a forward whose words are withheld": (
        "MESSAGE_CREATE",
        message(content="", message_reference={"type": 1}, message_snapshots=[{"message": {"content": ""}}]),
        p.Said,
        {"forwarded": (p.Forwarded(""),)},
    ),
    "a reference of a kind that is new": (
        "MESSAGE_CREATE", message(message_reference={"type": 7, "message_id": OTHER}), p.Said, {"forwarded": ()},
    ),
    "a voice message": (
        "MESSAGE_CREATE",
        message(
            content="",
            flags=1 << 13,
            attachments=[file(filename="v.ogg", content_type="audio/ogg", duration_secs=5.1, waveform="AAA=")],
        ),
        p.Said,
        {"voice": True},
    ),
    "seconds that are whole": (
        "MESSAGE_CREATE", message(flags=1 << 13, attachments=[file(duration_secs=5)]), p.Said, {"voice": True},
    ),
    "a GIF sticker": (
        "MESSAGE_CREATE",
        message(content="", sticker_items=[{"id": "9", "name": "wave", "format_type": 4}]),
        p.Said,
        {"stickers": (p.Sticker("9", "wave", 4),), "blank": False},
    ),
    "a sticker of a kind that is new": (
        "MESSAGE_CREATE",
        message(sticker_items=[{"id": "9", "name": "wave", "format_type": 9}]),
        p.Said,
        {"stickers": (p.Sticker("9", "wave", 9),)},
    ),
    "a poll": (
        "MESSAGE_CREATE",
        message(content="", poll={"question": {"text": "Which?"}, "answers": [], "expiry": None, "layout_type": 1}),
        p.Said,
        {"blank": False, "other": True},
    ),
    "an invitation to play": (
        "MESSAGE_CREATE", message(content="", activity={"type": 1, "party_id": "x"}), p.Said, {"other": True},
    ),
    "a theme that is shared": (
        "MESSAGE_CREATE",
        message(content="", shared_client_theme={"colors": ["5865F2"], "gradient_angle": 0, "base_mix": 58}),
        p.Said,
        {"blank": False, "other": True},
    ),
    "words that are withheld": ("MESSAGE_CREATE", message(content=""), p.Said, {"blank": True}),
    "in silence": ("MESSAGE_CREATE", message(flags=1 << 12), p.Said, {"text": "hello"}),
    "with bits that are new": ("MESSAGE_CREATE", message(flags=1 << 30), p.Said, {"text": "hello", "voice": False}),
    "flags left out": ("MESSAGE_CREATE", message(flags=...), p.Said, {"voice": False}),
    "an edit": (
        "MESSAGE_UPDATE",
        message(edited_timestamp="2023-11-19T18:01:00.250000+00:00", content="hallo"),
        p.Revised,
        {"text": "hallo", "revision": 60_250},
    ),
    "an edit in whole seconds": (
        "MESSAGE_UPDATE",
        message(edited_timestamp="2023-11-19T18:01:00+00:00"),
        p.Revised,
        {"revision": 60_000},
    ),
    "an edit at another meridian": (
        "MESSAGE_UPDATE",
        message(edited_timestamp="2023-11-20T03:01:00.250000+09:00"),
        p.Revised,
        {"revision": 60_250},
    ),
    "an edit in Z": (
        "MESSAGE_UPDATE",
        message(edited_timestamp="2023-11-19T18:01:00.250Z"),
        p.Revised,
        {"revision": 60_250},
    ),
    "an edit of a message whose id is of the future": (
        "MESSAGE_UPDATE",
        message(edited_timestamp="2023-11-19T18:01:00.250000+00:00", id=str(2**63)),
        p.Revised,
        {"revision": WRITTEN + 60_250 - EPOCH},
    ),
    "an edit without a zone": (
        "MESSAGE_UPDATE",
        message(edited_timestamp="2023-11-19T18:01:00.250000"),
        p.Revised,
        {"revision": 60_250},
    ),
    "a message that was taken back": (
        "MESSAGE_DELETE", {"id": MESSAGE, "channel_id": THREAD, "guild_id": GUILD}, p.Withdrawn, {"root": ROOT},
    ),
    "many at once": (
        "MESSAGE_DELETE_BULK", {"ids": [MESSAGE, OTHER], "channel_id": THREAD, "guild_id": GUILD}, p.Purged, {},
    ),
    "a moderator's deletion, in the audit log": (
        "GUILD_AUDIT_LOG_ENTRY_CREATE",
        {
            "id": "9", "guild_id": GUILD, "user_id": OTHER, "target_id": AIKO, "action_type": 72,
            "options": {"channel_id": THREAD, "count": "1"},
        },
        p.Moderated, {"channel": THREAD, "author": AIKO, "by": OTHER},
    ),
}  # fmt: skip

NOBODYS: dict[str, tuple[str, dict[str, Any]]] = {
    "what we wrote": ("MESSAGE_CREATE", message(author={**USER, "id": APP.user, "bot": True})),
    "what we wrote, told without saying that we are a bot": (
        "MESSAGE_CREATE", message(author={"id": APP.user, "username": "kakehashi"}),
    ),
    "another bot's": ("MESSAGE_CREATE", message(author=BOT)),
    "an answer to a command": (
        "MESSAGE_CREATE",
        message(
            type=20,
            author=BOT,
            application_id=BOT["id"],
            webhook_id=BOT["id"],
            interaction_metadata={"id": "1", "type": 2, "user": USER, "authorizing_integration_owners": {"0": GUILD}},
            interaction={"id": "1", "type": 2, "name": "help", "user": USER},
        ),
    ),
    "an answer to a message's menu": ("MESSAGE_CREATE", message(type=23, author=BOT, referenced_message=None)),
    "a webhook's, whose author is no user": (
        "MESSAGE_CREATE", message(webhook_id="5", author={"id": "5", "username": "CI", "avatar": None}, member=...),
    ),
    "a crosspost": (
        "MESSAGE_CREATE",
        message(
            flags=2,
            webhook_id="5",
            mention_channels=[{"id": "1", "guild_id": "2", "name": "news", "type": 5}],
            message_reference={"type": 0, "channel_id": "1", "guild_id": "2", "message_id": "3"},
        ),
    ),
    "Discord's own": ("MESSAGE_CREATE", message(author={**USER, "system": True})),
    "the result of a poll, in the name of who asked": (
        "MESSAGE_CREATE",
        message(
            type=46,
            content="",
            embeds=[{"type": "poll_result", "fields": [{"name": "poll_question_text", "value": "Which?"}]}],
            message_reference={"type": 0, "channel_id": THREAD, "message_id": OTHER},
        ),
    ),
    "a direct message": ("MESSAGE_CREATE", message(guild_id=..., member=...)),
    "a message for one alone": ("MESSAGE_CREATE", message(guild_id=..., member=..., flags=1 << 6)),
    "a preview": ("MESSAGE_UPDATE", message(embeds=[{"type": "article", "url": "https://example.com"}])),
    "a pin": ("MESSAGE_UPDATE", message(pinned=True)),
    "a preview as it was told of old, by itself": (
        "MESSAGE_UPDATE", {"id": MESSAGE, "channel_id": THREAD, "guild_id": GUILD, "embeds": []},
    ),
    "our own edit": (
        "MESSAGE_UPDATE",
        message(author={**USER, "id": APP.user}, edited_timestamp="2023-11-19T18:01:00+00:00"),
    ),
    "a direct message that was taken back": ("MESSAGE_DELETE", {"id": MESSAGE, "channel_id": THREAD}),
    "direct messages that were taken back": ("MESSAGE_DELETE_BULK", {"ids": [MESSAGE], "channel_id": THREAD}),
    "a channel's change in the audit log": (
        "GUILD_AUDIT_LOG_ENTRY_CREATE",
        {"id": "9", "guild_id": GUILD, "user_id": OTHER, "target_id": THREAD, "action_type": 11, "changes": []},
    ),
    "a button that is not ours": (
        "INTERACTION_CREATE", asked(3, {"custom_id": "click_me", "component_type": 2, "id": 2}, message=message()),
    ),
    "an entry of a person's menu": (
        "INTERACTION_CREATE", asked(2, {"id": "1", "name": "High five", "type": 2, "target_id": AIKO}),
    ),
    "an activity that is begun": ("INTERACTION_CREATE", asked(2, {"id": "1", "name": "launch", "type": 4})),
    "another app's": ("INTERACTION_CREATE", asked(2, {"id": "1", "name": "x", "type": 1}, application_id="1")),
    "a kind of interaction that is new": ("INTERACTION_CREATE", asked(9, {})),
    "a command in a direct message": (
        "INTERACTION_CREATE",
        asked(2, {"id": "1", "name": "chat", "type": 1}, guild_id=..., guild=..., member=..., user=USER, context=1),
    ),
}  # fmt: skip

SYSTEM = (*range(1, 19), 21, 22, *range(24, 30), 31, 32, *range(36, 40), 44, 46, 99)
"""Kinds of message that Discord writes itself, in a person's name; 99 is none yet."""

UNHEARD = (
    "APPLICATION_COMMAND_PERMISSIONS_UPDATE", "AUTO_MODERATION_ACTION_EXECUTION", "AUTO_MODERATION_RULE_CREATE",
    "CHANNEL_PINS_UPDATE", "ENTITLEMENT_CREATE", "GUILD_BAN_ADD", "GUILD_EMOJIS_UPDATE",
    "GUILD_INTEGRATIONS_UPDATE", "GUILD_MEMBERS_CHUNK", "GUILD_MEMBER_ADD", "GUILD_SCHEDULED_EVENT_CREATE",
    "GUILD_SOUNDBOARD_SOUNDS_UPDATE", "GUILD_STICKERS_UPDATE", "INTEGRATION_CREATE", "INVITE_CREATE",
    "MESSAGE_POLL_VOTE_ADD", "PRESENCE_UPDATE", "RATE_LIMITED", "READY", "RESUMED", "SOUNDBOARD_SOUNDS",
    "STAGE_INSTANCE_CREATE", "SUBSCRIPTION_CREATE", "THREAD_MEMBERS_UPDATE", "THREAD_MEMBER_UPDATE", "USER_UPDATE",
    "VOICE_CHANNEL_EFFECT_SEND", "VOICE_SERVER_UPDATE", "VOICE_STATE_UPDATE", "WEBHOOKS_UPDATE", "OF_NEXT_YEAR",
)  # fmt: skip

AROUND: dict[str, Row] = {
    "a reaction": (
        "MESSAGE_REACTION_ADD",
        {
            "user_id": AIKO, "channel_id": THREAD, "message_id": MESSAGE, "guild_id": GUILD, "member": WHOLE_MEMBER,
            "emoji": {"id": None, "name": "🔥"}, "message_author_id": APP.user, "burst": True, "type": 1,
            "burst_colors": ["#ff0000"],
        },
        p.Reacted,
        {"sign": "🔥", "post": Post(GUILD, THREAD, MESSAGE), "added": True},
    ),
    "a server's own emoji, whose name is gone": (
        "MESSAGE_REACTION_REMOVE",
        {
            "user_id": AIKO, "channel_id": THREAD, "message_id": MESSAGE, "guild_id": GUILD, "burst": False, "type": 0,
            "emoji": {"id": "41771983429993937", "name": None, "animated": True},
        },
        p.Reacted,
        {"added": False},
    ),
    "all reactions": (
        "MESSAGE_REACTION_REMOVE_ALL",
        {"channel_id": THREAD, "message_id": MESSAGE, "guild_id": GUILD},
        p.ReactionsCleared,
        {"sign": ""},
    ),
    "all of one sign": (
        "MESSAGE_REACTION_REMOVE_EMOJI",
        {"channel_id": THREAD, "message_id": MESSAGE, "guild_id": GUILD, "emoji": {"id": None, "name": "👍"}},
        p.ReactionsCleared,
        {"sign": "👍"},
    ),
    "somebody types": (
        "TYPING_START",
        {"channel_id": THREAD, "guild_id": GUILD, "user_id": AIKO, "timestamp": 1_700_416_860, "member": WHOLE_MEMBER},
        p.Typing,
        {"root": ROOT},
    ),
    "a thread is opened": ("THREAD_CREATE", thread(newly_created=True), p.ThreadSeen, {"last": MESSAGE}),
    "a thread of a forum": (
        "THREAD_UPDATE",
        thread(applied_tags=["7", "8"], message_count=0, total_message_sent=0, last_message_id=None),
        p.ThreadSeen,
        {"tags": ("7", "8"), "last": "", "channel": DESK},
    ),
    "a thread that is over": (
        "THREAD_UPDATE",
        thread(thread_metadata={"archived": True, "locked": True, "auto_archive_duration": 60}),
        p.ThreadSeen,
        {"archived": True, "locked": True},
    ),
    "a private thread that we were added to": (
        "THREAD_CREATE",
        thread(type=12, member={"id": THREAD, "user_id": APP.user, "join_timestamp": "2023-11-19T18:00:00+00:00"}),
        p.ThreadSeen,
        {"root": ROOT},
    ),
    "a thread is deleted": (
        "THREAD_DELETE", {"id": THREAD, "guild_id": GUILD, "parent_id": DESK, "type": 11}, p.ThreadGone, {"root": ROOT},
    ),
    "threads that came in sight": (
        "THREAD_LIST_SYNC",
        {"guild_id": GUILD, "channel_ids": [DESK], "threads": [thread()], "members": []},
        p.ThreadsSeen,
        {"channels": (DESK,)},
    ),
    "a server": (
        "GUILD_CREATE",
        {"id": GUILD, "name": "g", "unavailable": False, "threads": [thread()], "channels": [], "members": []},
        p.ThreadsSeen,
        {"guild": GUILD},
    ),
    "a server without the word whether it is there": (
        "GUILD_CREATE", {"id": GUILD, "threads": [thread(), thread(id=OTHER)]}, p.ThreadsSeen, {"guild": GUILD},
    ),
    "a server that is away": ("GUILD_CREATE", {"id": GUILD, "unavailable": True}, p.GuildGone, {"away": True}),
    "a server that is lost": ("GUILD_DELETE", {"id": GUILD, "unavailable": True}, p.GuildGone, {"away": True}),
    "a server that put us out": ("GUILD_DELETE", {"id": GUILD}, p.GuildGone, {"away": False}),
    "a forum is changed": (
        "CHANNEL_UPDATE",
        {"id": DESK, "guild_id": GUILD, "type": 15, "available_tags": [], "flags": 16, "permission_overwrites": []},
        p.ChannelChanged,
        {"channel": DESK, "gone": False},
    ),
    "a channel of a kind that is new": (
        "CHANNEL_CREATE", {"id": DESK, "guild_id": GUILD, "type": 77}, p.ChannelChanged, {"channel": DESK},
    ),
    "somebody left": ("GUILD_MEMBER_REMOVE", {"guild_id": GUILD, "user": OF_OLD}, p.PersonLeft, {"user": AIKO}),
}  # fmt: skip

BUTTON = {"custom_id": custom_id("claim", PLACED), "component_type": 2, "id": 2}
STOOD = message(id=OTHER, author={**USER, "id": APP.user, "bot": True}, application_id=APP.application)
WINDOW = custom_id("note", PLACED)

ASKED: dict[str, Row] = {
    "a ping": (
        "INTERACTION_CREATE",
        {"id": "8", "application_id": APP.application, "type": 1, "token": "t", "version": 1, "entitlements": []},
        p.Pinged,
        {},
    ),
    "a button": (
        "INTERACTION_CREATE",
        asked(3, BUTTON, message=STOOD),
        p.Pressed,
        {"action": "claim", "placed": PLACED, "post": Post(GUILD, THREAD, OTHER), "only_theirs": False, "choices": ()},
    ),
    "a button beneath what only one sees": (
        "INTERACTION_CREATE", asked(3, BUTTON, message={**STOOD, "flags": 64}), p.Pressed, {"only_theirs": True},
    ),
    "a button on what stands in the channel of the thread": (
        "INTERACTION_CREATE",
        asked(3, BUTTON, message={**STOOD, "channel_id": DESK}, channel_id=DESK),
        p.Pressed,
        {"post": Post(GUILD, DESK, OTHER)},
    ),
    "a button, told without the channel's id": (
        "INTERACTION_CREATE", asked(3, BUTTON, message=STOOD, channel_id=...), p.Pressed, {"root": ROOT},
    ),
    "a choice": (
        "INTERACTION_CREATE",
        asked(3, {"custom_id": custom_id("menu", PLACED), "component_type": 3, "values": ["block"]}, message=STOOD),
        p.Pressed,
        {"choices": ("block",)},
    ),
    "people who were chosen": (
        "INTERACTION_CREATE",
        asked(
            3,
            {
                "custom_id": custom_id("menu", PLACED), "component_type": 5, "id": 3, "values": [AIKO],
                "resolved": {"users": {AIKO: USER}, "members": {AIKO: MEMBER}},
            },
            message=STOOD,
        ),
        p.Pressed,
        {"choices": (AIKO,)},
    ),
    "a command with its part": (
        "INTERACTION_CREATE",
        asked(
            2,
            {
                "id": "9", "name": "chat", "type": 1, "guild_id": GUILD,
                "options": [{"name": "find", "type": 1, "options": [{"name": "sought", "type": 3, "value": "K7Q2"}]}],
            },
        ),
        p.Commanded,
        {"words": ("chat", "find"), "options": {"sought": "K7Q2"}, "focused": ""},
    ),
    "a command with a part of a part, and all that can be typed": (
        "INTERACTION_CREATE",
        asked(
            2,
            {
                "id": "9", "name": "chat", "type": 1, "resolved": {"users": {AIKO: USER}, "attachments": {"6": file()}},
                "options": [
                    {
                        "name": "desk", "type": 2,
                        "options": [
                            {
                                "name": "set", "type": 1,
                                "options": [
                                    {"name": "count", "type": 4, "value": 3},
                                    {"name": "on", "type": 5, "value": True},
                                    {"name": "share", "type": 10, "value": 0.5},
                                    {"name": "who", "type": 6, "value": AIKO},
                                ],
                            }
                        ],
                    }
                ],
            },
        ),
        p.Commanded,
        {"words": ("chat", "desk", "set"), "options": {"count": "3", "on": "true", "share": "0.5", "who": AIKO}},
    ),
    "a command that has no options": (
        "INTERACTION_CREATE", asked(2, {"id": "9", "name": "chat", "type": 1}), p.Commanded, {"words": ("chat",)},
    ),
    "what is being typed, half of it": (
        "INTERACTION_CREATE",
        asked(
            4,
            {
                "id": "9", "name": "chat", "type": 1, "version": "1",
                "options": [
                    {
                        "name": "find", "type": 1,
                        "options": [
                            {"name": "sought", "type": 3, "value": "", "focused": True}, {"name": "desk", "type": 3},
                        ],
                    }
                ],
            },
        ),
        p.Commanded,
        {"words": ("chat", "find"), "focused": "sought", "options": {"sought": "", "desk": ""}},
    ),
    "an entry of a message's menu": (
        "INTERACTION_CREATE",
        asked(
            2,
            {
                "id": "9", "name": "Send", "type": 3, "target_id": OTHER,
                "resolved": {"messages": {OTHER: message(id=OTHER, guild_id=..., member=...)}},
            },
        ),
        p.Shortcut,
        {"message": MessageId(f"d:{THREAD}:{OTHER}"), "text": "hello", "name": "Send"},
    ),
    "a window with labels": (
        "INTERACTION_CREATE",
        asked(
            5,
            {
                "custom_id": WINDOW, "resolved": {"attachments": {"6": file()}},
                "components": [
                    {"type": 10, "id": 1},
                    {"type": 18, "id": 2, "component": {"type": 4, "id": 3, "custom_id": "words", "value": "a note"}},
                    {"type": 18, "id": 4, "component": {"type": 3, "id": 5, "custom_id": "tags", "values": ["a", "b"]}},
                    {"type": 18, "id": 6, "component": {"type": 19, "id": 7, "custom_id": "files", "values": ["6"]}},
                    {"type": 18, "id": 8, "component": {"type": 21, "id": 9, "custom_id": "one", "value": "x"}},
                    {"type": 18, "id": 10, "component": {"type": 23, "id": 11, "custom_id": "sure", "value": True}},
                ],
            },
            message=STOOD,
        ),
        p.Submitted,
        {
            "action": "note",
            "values": {
                "words": ("a note",), "tags": ("a", "b"), "files": ("6",), "one": ("x",), "sure": ("true",),
            },
        },
    ),
    "a window as of old, in rows, from a command": (
        "INTERACTION_CREATE",
        asked(
            5,
            {
                "custom_id": WINDOW,
                "components": [{"type": 1, "components": [{"type": 4, "custom_id": "words", "value": "x"}]}],
            },
        ),
        p.Submitted,
        {"values": {"words": ("x",)}},
    ),
    "a window in which nothing was chosen": (
        "INTERACTION_CREATE",
        asked(
            5,
            {
                "custom_id": WINDOW,
                "components": [
                    {"type": 18, "component": {"type": 3, "custom_id": "tags", "values": []}},
                    {"type": 18, "component": {"type": 21, "custom_id": "one", "value": None}},
                    {"type": 18, "component": {"type": 4, "custom_id": "words", "value": ""}},
                ],
            },
        ),
        p.Submitted,
        {"values": {"tags": (), "one": (), "words": ()}},
    ),
}  # fmt: skip

KNOWN = {**MESSAGES, **AROUND, **ASKED}


@pytest.mark.parametrize("name", KNOWN)
def test_each_documented_payload_means_what_it_should(name: str) -> None:
    kind, body, wanted, parts = KNOWN[name]
    happening = parse(kind, json.loads(json.dumps(body)), APP)
    assert type(happening) is wanted, happening
    assert {part: getattr(happening, part) for part in parts} == parts


@pytest.mark.parametrize("name", NOBODYS)
def test_what_nobody_wrote_or_asked_at_a_desk_is_left(name: str) -> None:
    kind, body = NOBODYS[name]
    assert isinstance(parse(kind, body, APP), p.Ignored)


@pytest.mark.parametrize("kind", SYSTEM)
def test_what_discord_writes_in_a_persons_name_is_not_theirs(kind: int) -> None:
    assert isinstance(parse("MESSAGE_CREATE", message(type=kind), APP), p.Ignored)


@pytest.mark.parametrize("kind", UNHEARD)
@pytest.mark.parametrize("body", [{}, {"user": {"id": 1}}, None, []])
def test_events_that_mean_nothing_here_are_left_whatever_they_hold(kind: str, body: object) -> None:
    assert isinstance(parse(kind, body, APP), p.Ignored)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (file(), "a.png"),
        (file(title="入金 明細", filename="unknown.png"), "入金 明細.png"),
        (file(title="入金 明細.PNG", filename="unknown.png"), "入金 明細.PNG"),
        (file(title="v1.2", filename="v1.2.tar.gz"), "v1.2.gz"),
        (file(title="Makefile", filename="Makefile"), "Makefile"),
        (file(title="profile", filename=".profile"), "profile"),
        (file(title=None), "a.png"),
    ],
)
def test_a_file_is_called_as_its_sender_called_it(given: dict[str, Any], name: str) -> None:
    said = parse("MESSAGE_CREATE", message(attachments=[given]), APP)
    assert isinstance(said, p.Said)
    assert [one.name for one in said.files] == [name]


def test_a_file_of_which_little_is_told() -> None:
    bare = {"id": "6", "filename": "a", "size": 1, "url": "u", "height": None, "width": None, "ephemeral": True}
    said = parse("MESSAGE_CREATE", message(attachments=[bare]), APP)
    assert isinstance(said, p.Said)
    assert said.files == (p.Attachment("6", "a", "", 1, "u"),)


def test_one_thread_that_is_malformed_hides_none_of_the_others() -> None:
    broken = {**thread(id=OTHER), "parent_id": None}
    for kind, key in (("GUILD_CREATE", "id"), ("THREAD_LIST_SYNC", "guild_id")):
        seen = parse(kind, {key: GUILD, "threads": [broken, thread()]}, APP)
        assert isinstance(seen, p.ThreadsSeen)
        assert [one.root for one in seen.threads] == [ROOT]


def test_an_edit_is_the_same_however_its_moment_is_written() -> None:
    moments = ("2023-11-19T18:01:00.250000+00:00", "2023-11-19T18:01:00.250Z", "2023-11-20T03:01:00.250000+09:00")
    keys = {getattr(parse("MESSAGE_UPDATE", message(edited_timestamp=one), APP), "key", None) for one in moments}
    assert len(keys) == 1


def test_a_preview_that_appears_beneath_an_edit_is_no_second_one() -> None:
    """Discord then writes the moment of the edit without its microseconds."""
    first = parse("MESSAGE_UPDATE", message(edited_timestamp="2023-11-19T18:01:00.766795+00:00"), APP)
    again = parse("MESSAGE_UPDATE", message(edited_timestamp="2023-11-19T18:01:00.766000+00:00", embeds=[{}]), APP)
    assert isinstance(first, p.Revised)
    assert isinstance(again, p.Revised)
    assert (first.key, first.revision) == (again.key, again.revision)
