"""Threads: opening them (in forums with their first message), waking and closing them, who is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulators.discord import access, composing, shapes, snowflakes
from tests.simulators.discord.access import moderates, need, need_message, need_place, need_thread
from tests.simulators.discord.guild import Channel, Json, Kind, Message, Sort, Thread
from tests.simulators.discord.happenings import new_thread
from tests.simulators.discord.permissions import P
from tests.simulators.discord.refusal import Complaints, Refusal

from .registry import Call, method

if TYPE_CHECKING:
    from tests.simulators.discord.simulator import DiscordSimulator

NAME, APPLIED = 100, 5
AUTO_ARCHIVE = (60, 1_440, 4_320, 10_080)
"""Minutes."""
_LIMIT = (50, 300.0)


# --- opening ------------------------------------------------------------------------------------------------------


def _check(fields: Json, *, is_new: bool) -> None:
    complaints = Complaints()
    if is_new and fields.get("name") is None:
        complaints.required("name")
    if fields.get("name") is not None:
        complaints.length("name", str(fields["name"]).strip(), NAME, 1)
    if fields.get("auto_archive_duration") is not None:
        complaints.choice("auto_archive_duration", fields["auto_archive_duration"], AUTO_ARCHIVE)
    if fields.get("applied_tags") is not None:
        complaints.count("applied_tags", fields["applied_tags"], APPLIED)
    complaints.settle()


@method("POST /channels/{channel_id}/threads", limit=_LIMIT, status=201)
def start(discord: DiscordSimulator, call: Call) -> Json:
    """A thread by itself; in a forum a post, whose first message has the thread's own id."""
    parent = need_place(discord, call["channel_id"])
    if parent.kind is Kind.FORUM:
        return _post(discord, call, parent)
    if parent.kind not in (Kind.TEXT, Kind.ANNOUNCEMENT):
        raise Refusal(400, 50024, "Cannot execute action on this channel type")
    _check(call.fields, is_new=True)
    kind = Kind(call.fields.get("type") or Kind.PRIVATE_THREAD)
    need(discord, parent, P.CREATE_PRIVATE_THREADS if kind is Kind.PRIVATE_THREAD else P.CREATE_PUBLIC_THREADS)
    thread = _thread(discord, call, parent)
    thread.kind = kind
    thread.invitable = bool(call.fields.get("invitable", True))
    discord.happenings.open_thread(parent, thread)
    if kind is not Kind.PRIVATE_THREAD:
        announce(discord, parent, thread)
    discord.note_thread(call, parent, thread)
    return shapes.thread(thread, discord.guild)


def announce(discord: DiscordSimulator, parent: Channel, thread: Thread) -> None:
    """The line in the channel that tells of a thread without a message of its own."""
    line = Message(discord.guild.mint(), parent.id, thread.owner_id, thread.name, Sort.THREAD_CREATED)
    line.reference = {"type": 0, "channel_id": thread.id, "guild_id": discord.guild.id}
    discord.happenings.post(parent, line)


@method("POST /channels/{channel_id}/messages/{message_id}/threads", limit=_LIMIT, status=201)
def start_from_message(discord: DiscordSimulator, call: Call) -> Json:
    parent = need_place(discord, call["channel_id"])
    message = need_message(parent, call["message_id"])
    if parent.kind not in (Kind.TEXT, Kind.ANNOUNCEMENT):
        raise Refusal(400, 50024, "Cannot execute action on this channel type")
    _check(call.fields, is_new=True)
    need(discord, parent, P.CREATE_PUBLIC_THREADS)
    if message.id in discord.guild.hung:
        raise Refusal(400, 160004, "A thread has already been created for this message")
    thread = _thread(discord, call, parent, message.id)
    discord.happenings.open_thread(parent, thread)
    begin(discord, parent, thread)
    discord.note_thread(call, parent, thread)
    return shapes.thread(thread, discord.guild)


def begin(discord: DiscordSimulator, parent: Channel, thread: Thread) -> None:
    """The first line of a thread that hangs on a message: only a reference to it."""
    line = Message(discord.guild.mint(), thread.id, thread.owner_id, "", Sort.THREAD_STARTER_MESSAGE)
    line.reference = {"type": 0, "message_id": thread.id, "channel_id": parent.id, "guild_id": discord.guild.id}
    discord.happenings.post(thread, line)


def _thread(discord: DiscordSimulator, call: Call, parent: Channel, thread_id: str = "") -> Thread:
    owner = discord.guild.app.bot.id
    thread = new_thread(discord, parent, str(call.fields["name"]).strip(), owner, id=thread_id)
    thread.auto_archive = call.fields.get("auto_archive_duration") or parent.auto_archive
    thread.slowmode = int(call.fields.get("rate_limit_per_user") or 0)
    return thread


def _post(discord: DiscordSimulator, call: Call, forum: Channel) -> Json:
    """There is no nonce here: whoever repeats it posts twice."""
    _check(call.fields, is_new=True)
    need(discord, forum, P.SEND_MESSAGES)
    said = call.fields.get("message")
    if not isinstance(said, dict):
        complaints = Complaints()
        complaints.required("message")
        complaints.settle()
        raise AssertionError("a complaint was there to settle")
    thread = _thread(discord, call, forum)
    thread.applied_tags = _tags(discord, call, thread)
    if forum.requires_tag and not thread.applied_tags:
        raise Refusal(400, 40067, "A tag is required to create a forum post in this channel")
    wanted = composing.Draft(thread, said, call.files, access.rights(discord, forum))
    message = composing.new_message(discord, wanted, thread.owner_id)
    message.id = thread.id
    discord.happenings.open_thread(forum, thread)
    discord.happenings.post(thread, message)
    discord.note_thread(call, forum, thread)
    discord.note_post(call, "message", thread, message)
    return shapes.thread(thread, discord.guild) | {"message": discord.shape(thread, message)}


def _tags(discord: DiscordSimulator, call: Call, thread: Thread) -> list[str]:
    wanted = [str(t) for t in call.fields.get("applied_tags") or []]
    known = {t.id: t for t in discord.guild.channels[thread.parent_id].tags}
    if unknown := [t for t in wanted if t not in known]:
        complaints = Complaints()
        complaints.add("applied_tags", "APPLIED_TAGS_INVALID", f"Unknown tag {unknown[0]}")
        complaints.settle()
    if any(known[t].moderated for t in wanted) and not moderates(discord, thread):
        raise Refusal.no_permission()
    return wanted


# --- changing -----------------------------------------------------------------------------------------------------


def edit(discord: DiscordSimulator, call: Call, thread: Thread) -> Json:
    """PATCH of a thread. An archived one takes nothing but its waking, or what comes together with it."""
    _check(call.fields, is_new=False)
    fields = call.fields
    if thread.archived and fields.get("archived") is not False:
        raise Refusal.archived()
    _need_right(discord, thread, fields)
    if fields.get("name") is not None and fields["name"] != thread.name:
        need_rename_left(discord, thread)
    tags = _tags(discord, call, thread) if "applied_tags" in fields else None
    discord.happenings.update_thread(
        thread, archived=fields.get("archived"), locked=fields.get("locked"), name=fields.get("name"),
        auto_archive=fields.get("auto_archive_duration"), applied_tags=tags, by=discord.guild.app.bot.id,
    )  # fmt: skip
    discord.note_thread(call, discord.guild.channels[thread.parent_id], thread)
    return shapes.thread(thread, discord.guild)


def _need_right(discord: DiscordSimulator, thread: Thread, fields: Json) -> None:
    """Waking: who may speak there, unless it is locked. Locking: moderators. The rest: they and its maker."""
    if moderates(discord, thread):
        return
    if thread.locked or "locked" in fields or "rate_limit_per_user" in fields:
        raise Refusal.no_permission()
    wakes_only = set(fields) == {"archived"} and fields["archived"] is False
    if wakes_only:
        need(discord, thread, P.SEND_MESSAGES_IN_THREADS)
    elif thread.owner_id != discord.guild.app.bot.id:
        raise Refusal.no_permission()


def need_rename_left(discord: DiscordSimulator, channel: Channel) -> None:
    """Two in ten minutes; the headers show quota all the same."""
    wait = discord.limits.spend(f"rename {channel.id}", *discord.habits.renames)
    if wait is not None:
        raise Refusal.too_many(wait)


# --- members ------------------------------------------------------------------------------------------------------


@method("PUT /channels/{channel_id}/thread-members/@me", limit=(5, 1.0))
def join(discord: DiscordSimulator, call: Call) -> None:
    _join(discord, need_thread(discord, call["channel_id"]), discord.guild.app.bot.id)


@method("PUT /channels/{channel_id}/thread-members/{user_id}", limit=(5, 1.0))
def add_member(discord: DiscordSimulator, call: Call) -> None:
    thread = need_thread(discord, call["channel_id"])
    need(discord, thread, P.SEND_MESSAGES_IN_THREADS)
    if call["user_id"] not in discord.guild.members:
        raise Refusal.unknown("Member")
    _join(discord, thread, call["user_id"])
    line = Message(discord.guild.mint(), thread.id, discord.guild.app.bot.id, type=Sort.RECIPIENT_ADD)
    line.mentions = [call["user_id"]]
    discord.happenings.post(thread, line)


def _join(discord: DiscordSimulator, thread: Thread, user_id: str) -> None:
    if thread.archived:
        raise Refusal.archived()
    discord.happenings.join_thread(thread, user_id)


@method("DELETE /channels/{channel_id}/thread-members/@me", limit=(5, 1.0))
def leave(discord: DiscordSimulator, call: Call) -> None:
    _leave(discord, need_thread(discord, call["channel_id"]), discord.guild.app.bot.id)


@method("DELETE /channels/{channel_id}/thread-members/{user_id}", limit=(5, 1.0))
def remove_member(discord: DiscordSimulator, call: Call) -> None:
    thread = need_thread(discord, call["channel_id"])
    need(discord, thread, P.MANAGE_THREADS)
    _leave(discord, thread, call["user_id"])


def _leave(discord: DiscordSimulator, thread: Thread, user_id: str) -> None:
    if thread.archived:
        raise Refusal.archived()
    discord.happenings.leave_thread(thread, user_id)


@method("GET /channels/{channel_id}/thread-members")
def members(discord: DiscordSimulator, call: Call) -> list[Json]:
    thread = need_thread(discord, call["channel_id"])
    if "members" not in discord.guild.app.privileged:
        raise Refusal.no_access()
    return [shapes.thread_member(thread, u) for u in thread.members]


@method("GET /channels/{channel_id}/thread-members/{user_id}")
def member(discord: DiscordSimulator, call: Call) -> Json:
    thread = need_thread(discord, call["channel_id"])
    user_id = discord.guild.app.bot.id if call["user_id"] == "@me" else call["user_id"]
    if user_id not in thread.members:
        raise Refusal.unknown("Member")
    return shapes.thread_member(thread, user_id)


# --- archives -----------------------------------------------------------------------------------------------------


@method("GET /channels/{channel_id}/threads/archived/public")
def archived_public(discord: DiscordSimulator, call: Call) -> Json:
    parent = need_place(discord, call["channel_id"])
    need(discord, parent, P.READ_MESSAGE_HISTORY)
    return _archives(discord, call, [t for t in _archived(discord, parent) if t.kind is not Kind.PRIVATE_THREAD])


@method("GET /channels/{channel_id}/threads/archived/private")
def archived_private(discord: DiscordSimulator, call: Call) -> Json:
    parent = need_place(discord, call["channel_id"])
    need(discord, parent, P.READ_MESSAGE_HISTORY | P.MANAGE_THREADS)
    return _archives(discord, call, [t for t in _archived(discord, parent) if t.kind is Kind.PRIVATE_THREAD])


@method("GET /channels/{channel_id}/users/@me/threads/archived/private")
def archived_joined(discord: DiscordSimulator, call: Call) -> Json:
    parent = need_place(discord, call["channel_id"])
    need(discord, parent, P.READ_MESSAGE_HISTORY)
    bot = discord.guild.app.bot.id
    mine = [t for t in _archived(discord, parent) if t.kind is Kind.PRIVATE_THREAD and bot in t.members]
    mine.sort(key=lambda t: -int(t.id))
    before = int(call.query.get("before") or 0)
    return _page(discord, call, [t for t in mine if not before or int(t.id) < before])


def _archived(discord: DiscordSimulator, parent: Channel) -> list[Thread]:
    return [t for t in discord.guild.threads_of(parent) if t.archived]


def _archives(discord: DiscordSimulator, call: Call, found: list[Thread]) -> Json:
    """Latest archived first, below the moment `before`."""
    if before := call.query.get("before"):
        limit = snowflakes.parsed(before)
        found = [t for t in found if snowflakes.parsed(t.archive_stamp) < limit]
    return _page(discord, call, sorted(found, key=lambda t: snowflakes.parsed(t.archive_stamp), reverse=True))


def _page(discord: DiscordSimulator, call: Call, found: list[Thread]) -> Json:
    limit = int(call.query.get("limit", 50))
    if not 2 <= limit <= 100:
        complaints = Complaints()
        complaints.add("limit", "NUMBER_TYPE_MAX", "int value should be between 2 and 100.")
        complaints.settle()
    page, bot = found[:limit], discord.guild.app.bot.id
    members = [shapes.thread_member(t, bot) for t in page if bot in t.members]
    shown = [shapes.thread(t, discord.guild) for t in page]
    return {"threads": shown, "members": members, "has_more": len(found) > limit}
