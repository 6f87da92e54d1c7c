"""From a call's arguments to a message, with every check that Discord makes on the way."""

from __future__ import annotations

import copy
import mimetypes
import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import components, markdown
from .access import rights
from .guild import Attachment, Channel, Flag, Guild, Json, Message, Ping, Sort
from .permissions import NOTHING, P, Permission
from .refusal import Complaints, Refusal

if TYPE_CHECKING:
    from .simulator import DiscordSimulator

CONTENT, EMBEDS, EMBED_TEXT, FILES, NONCE, STICKERS = 2_000, 10, 6_000, 10, 25, 3
REQUEST_BYTES = 25 * 1024 * 1024
_EMBED_LENGTHS = {"title": 256, "description": 4_096}
_SETTABLE = Flag.SUPPRESS_EMBEDS | Flag.SUPPRESS_NOTIFICATIONS | Flag.IS_COMPONENTS_V2
_ALL = ("users", "roles", "everyone")


@dataclass
class Upload:
    """One file of a multipart form; `index` is the n of its `files[n]`."""

    index: int
    filename: str
    data: bytes
    content_type: str = ""


@dataclass
class Draft:
    """What a call wants posted: its arguments and files, and where, and with which rights."""

    channel: Channel
    body: Json
    files: list[Upload] = field(default_factory=list)
    rights: Permission = NOTHING


def draft(discord: DiscordSimulator, channel: Channel, body: Json, files: list[Upload]) -> Draft:
    """What the bot itself wants posted."""
    return Draft(channel, body, files, rights(discord, channel))


def new_message(discord: DiscordSimulator, wanted: Draft, author_id: str) -> Message:
    """The message that a call asks for; not yet anywhere."""
    body = wanted.body
    check(body, wanted.files)
    _check_size(discord, wanted.files)
    _check_rights(wanted)
    message = Message(discord.guild.mint(), wanted.channel.id, author_id)
    message.posted = discord.clock.now()
    message.flags = int(body.get("flags") or 0) & _SETTABLE
    message.tts = bool(body.get("tts"))
    message.nonce = body.get("nonce")
    message.stickers = [{"id": str(s), "name": "sticker", "format_type": 1} for s in body.get("sticker_ids") or []]
    _refer(discord, wanted, message)
    fill(discord, message, wanted)
    if not says_anything(message):
        raise Refusal(400, 50006, "Cannot send an empty message")
    message.pings = ring(discord.guild, message, wanted)
    return message


def says_anything(message: Message) -> bool:
    parts = (message.content, message.embeds, message.attachments, message.components, message.stickers)
    return any(parts) or bool(message.snapshots)


def fill(discord: DiscordSimulator, message: Message, wanted: Draft) -> None:
    """Set what a new message says, or what an edit names; what an edit leaves out stays."""
    body = wanted.body
    if "content" in body:
        message.content = markdown.taken_in(body["content"] or "")
    if "embeds" in body:
        message.embeds = [_embed(e) for e in body["embeds"] or []]
    if "components" in body:
        message.components = components.numbered(copy.deepcopy(body["components"] or []))
    if "attachments" in body or wanted.files:
        message.attachments = _attachments(discord.guild, message, wanted)


def ring(guild: Guild, message: Message, wanted: Draft) -> list[Ping]:
    """Note whom the message mentions; return whose phones ring for it."""
    text = "\n".join([message.content, *components.texts(message.components)])
    allowed = wanted.body.get("allowed_mentions")
    pings = [p for p in markdown.pings_in(text) if _rings(guild, p, allowed, wanted.rights)]
    message.mentions = [p.target for p in pings if p.kind == "user" and p.target in guild.users]
    message.mention_roles = [p.target for p in pings if p.kind == "role"]
    message.mention_everyone = any(p.kind in ("everyone", "here") for p in pings)
    replied = _replied_to(guild, message)
    if replied and (allowed is None or allowed.get("replied_user")) and replied not in message.mentions:
        message.mentions.append(replied)
        pings.append(Ping("user", replied))
    return pings


def _replied_to(guild: Guild, message: Message) -> str:
    if message.type is not Sort.REPLY or not message.reference:
        return ""
    place = guild.place(message.reference["channel_id"])
    found = place.messages.get(message.reference["message_id"]) if place else None
    return found.author_id if found and found.author_id in guild.users else ""


def _rings(guild: Guild, ping: Ping, allowed: Json | None, granted: Permission) -> bool:
    """Discord asks three things: does the app allow it, is there such a one, may the author do it."""
    kind = {"user": "users", "role": "roles"}.get(ping.kind, "everyone")
    if allowed is not None and not _is_allowed(allowed, kind, ping.target):
        return False
    if ping.kind == "user":
        return ping.target in guild.users
    may_all = P.MENTION_EVERYONE in granted
    if ping.kind == "role":
        role = guild.roles.get(ping.target)
        return role is not None and (role.mentionable or may_all)
    return may_all


def _is_allowed(allowed: Json, kind: str, target: str) -> bool:
    return kind in (allowed.get("parse") or []) or target in [str(i) for i in allowed.get(kind) or []]


def _refer(discord: DiscordSimulator, wanted: Draft, message: Message) -> None:
    reference = wanted.body.get("message_reference")
    if not reference:
        return
    place = discord.guild.place(str(reference.get("channel_id") or wanted.channel.id))
    found = place.messages.get(str(reference.get("message_id"))) if place else None
    if P.READ_MESSAGE_HISTORY not in wanted.rights:
        raise Refusal(400, 160002, "Cannot reply without permission to read message history")
    if place is None or found is None:
        if not reference.get("fail_if_not_exists", True):
            return
        complaints = Complaints()
        complaints.add("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
        complaints.settle()
        return
    message.reference = {"type": 0, "message_id": found.id, "channel_id": place.id, "guild_id": discord.guild.id}
    if reference.get("type") == 1:
        discord.happenings.forward(message, place, found)
    else:
        message.type = Sort.REPLY


# --- checks -------------------------------------------------------------------------------------------------------


def check(body: Json, files: list[Upload], path: str = "") -> None:
    """Refuse a form with anything wrong in it, naming each field."""
    complaints = Complaints()
    if body.get("content") is not None:
        complaints.length(f"{path}content", body["content"], CONTENT)
    if body.get("nonce") is not None and not isinstance(body["nonce"], int):
        complaints.length(f"{path}nonce", body["nonce"], NONCE)
    _check_embeds(body.get("embeds"), complaints)
    layout = bool(int(body.get("flags") or 0) & Flag.IS_COMPONENTS_V2)
    components.check(body.get("components"), complaints, layout=layout)
    if layout:
        _check_layout(body, complaints)
    _check_mentions(body.get("allowed_mentions"), complaints)
    if body.get("attachments") is not None:
        complaints.count("attachments", body["attachments"], FILES)
    if len(files) > FILES:
        complaints.add("files", "BASE_TYPE_MAX_LENGTH", f"Must be {FILES} or fewer in length.")
    complaints.count("sticker_ids", body.get("sticker_ids") or [], STICKERS)
    complaints.settle()


def _check_layout(body: Json, complaints: Complaints) -> None:
    for name in ("content", "embeds", "sticker_ids", "poll"):
        if body.get(name):
            words = f"The '{name}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2"
            complaints.add(name, "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", words)


def _check_mentions(allowed: Any, complaints: Complaints) -> None:
    if allowed is None:
        return
    parse = allowed.get("parse") or []
    for index, one in enumerate(parse):
        complaints.choice(f"allowed_mentions.parse.{index}", one, _ALL)
    for kind in ("users", "roles"):
        complaints.count(f"allowed_mentions.{kind}", allowed.get(kind) or [], 100)
        if kind in parse and allowed.get(kind):
            words = f'parse:["{kind}"] and {kind}: [ids...] are mutually exclusive.'
            complaints.add("allowed_mentions", "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", words)


def _check_embeds(embeds: Any, complaints: Complaints) -> None:
    if embeds is None:
        return
    complaints.count("embeds", embeds, EMBEDS)
    for index, embed in enumerate(embeds):
        _check_embed(embed, f"embeds.{index}", complaints)
    if sum(map(_embed_length, embeds)) > EMBED_TEXT:
        complaints.add("embeds", "MAX_EMBED_SIZE_EXCEEDED", f"Embed size exceeds maximum size of {EMBED_TEXT}")


def _check_embed(embed: Json, path: str, complaints: Complaints) -> None:
    for name, most in _EMBED_LENGTHS.items():
        if embed.get(name) is not None:
            complaints.length(f"{path}.{name}", embed[name], most)
    for name, key, most in (("footer", "text", 2_048), ("author", "name", 256)):
        if embed.get(name):
            complaints.length(f"{path}.{name}.{key}", embed[name].get(key), most, 1)
    fields = embed.get("fields") or []
    complaints.count(f"{path}.fields", fields, 25)
    for index, one in enumerate(fields):
        complaints.length(f"{path}.fields.{index}.name", one.get("name"), 256, 1)
        complaints.length(f"{path}.fields.{index}.value", one.get("value"), 1_024, 1)


def _embed_length(embed: Json) -> int:
    texts = [embed.get("title"), embed.get("description"), (embed.get("footer") or {}).get("text")]
    texts.append((embed.get("author") or {}).get("name"))
    for one in embed.get("fields") or []:
        texts += [one.get("name"), one.get("value")]
    return sum(len(str(text)) for text in texts if text)


def _embed(embed: Json) -> Json:
    """Its texts lose what a message's content loses."""
    whole: Json = _taken_in(copy.deepcopy(embed))
    return {"type": "rich"} | whole


def _taken_in(part: Any) -> Any:
    if isinstance(part, dict):
        return {name: _taken_in(value) for name, value in part.items()}
    if isinstance(part, list):
        return [_taken_in(value) for value in part]
    return markdown.taken_in(part) if isinstance(part, str) else part


def _check_size(discord: DiscordSimulator, files: list[Upload]) -> None:
    limit, together = discord.guild.file_limit, sum(len(f.data) for f in files)
    if any(len(f.data) > limit for f in files) or together > max(REQUEST_BYTES, limit):
        raise Refusal(413, 40005, "Request entity too large")


def _check_rights(wanted: Draft) -> None:
    needed = [(wanted.files, P.ATTACH_FILES), (wanted.body.get("embeds"), P.EMBED_LINKS)]
    if any(present and right not in wanted.rights for present, right in needed):
        raise Refusal.no_permission()


def _attachments(guild: Guild, message: Message, wanted: Draft) -> list[Attachment]:
    """The files that stay (an edit names them by id), then the new ones, whose `id` is the n of their `files[n]`."""
    named: list[Json] = wanted.body.get("attachments") or []
    about = {str(a.get("id")): a for a in named}
    old = {a.id: a for a in message.attachments}
    kept = [a for a in old.values() if "attachments" not in wanted.body or a.id in about]
    fresh = [_attachment(guild, f, about.get(str(f.index), {})) for f in wanted.files]
    if stray := about.keys() - old.keys() - {str(f.index) for f in wanted.files}:
        complaints = Complaints()
        complaints.add("attachments", "ATTACHMENT_NOT_FOUND", f"Attachment {min(stray)} not found.")
        complaints.settle()
    return kept + fresh


def _attachment(guild: Guild, file: Upload, about: Json) -> Attachment:
    filename = str(about.get("filename") or file.filename)
    kind = mimetypes.guess_type(filename)[0] or file.content_type or "application/octet-stream"
    name, title = named(filename)
    return Attachment(guild.mint(), name, file.data, kind, about.get("description"), about.get("title") or title)


def named(filename: str) -> tuple[str, str]:
    """A file's name as addresses can bear it, and what it was called without its ending, if that is not the same."""
    stem, dot, ending = filename.rpartition(".")
    stem, ending = (stem, ending) if dot else (filename, "")
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    kept = re.sub(r"[^A-Za-z0-9_.-]", "", "_".join(plain.split())).strip("._") or "unknown"
    name = f"{kept}.{ending}" if ending else kept
    return name, "" if name == filename.replace(" ", "_") else stem
