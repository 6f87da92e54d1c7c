"""An app's message from its arguments: checked as Slack checks it, with every ping, link and unfurl that it causes."""

import copy
import json
from functools import partial
from typing import Any

from . import blocks as block_kit
from . import mrkdwn
from .access import need_scope
from .refusal import Args, Refusal
from .workspace import Json, Message, Workspace

TEXT_CUT = 40_000
"""Characters of `text` that chat.postMessage keeps."""
UPDATE_TEXT = 4_000
"""Characters of `text` above which chat.update refuses."""
METADATA_BYTES = 8_000


def compose(workspace: Workspace, args: Args, ts: str) -> Message:
    """The message that these arguments of chat.postMessage (or a response_url) ask for; not yet in any channel."""
    app = workspace.app
    message = Message(ts, app.bot.id, bot_id=app.bot_id)
    fill(workspace, message, args)
    message.metadata = metadata(args)
    _dress(workspace, message, args)
    return message


def fill(workspace: Workspace, message: Message, args: Args) -> None:
    """Give the message the text, blocks and attachments of these arguments, in place of any that it had."""
    text = args.text("text")[:TEXT_CUT]
    blocks = checked_blocks(args)
    attachments = args.structure("attachments", "invalid_attachments") or []
    if not (text.strip() or blocks or attachments):
        raise Refusal("no_text")
    message.parse = args.text("parse")
    message.link_names = args.flag("link_names")
    message.text = mrkdwn.stored(text, verbatim=message.parse == "none")
    message.blocks, message.attachments = _with_block_ids(workspace, blocks), attachments
    _note_effects(workspace, message, text, args)


def checked_blocks(args: Args) -> list[Json]:
    """The blocks; refused as a whole when anything is wrong with any."""
    blocks = args.structure("blocks", "invalid_blocks_format")
    if blocks is None:
        return []
    if errors := block_kit.errors_in(blocks):
        raise Refusal("invalid_blocks", errors=errors, response_metadata={"messages": errors})
    if block_kit.are_too_long(blocks):
        raise Refusal("msg_blocks_too_long")
    return list(blocks)


def metadata(args: Args) -> Json | None:
    """The message's metadata; None when there is none or it is `{}`."""
    found = args.structure("metadata", "invalid_metadata_format")
    if not found:
        return None
    if not isinstance(found, dict):
        raise Refusal("invalid_metadata_format")
    if not isinstance(found.get("event_type"), str) or not found["event_type"]:
        raise Refusal("invalid_metadata_schema")
    if not isinstance(found.get("event_payload"), dict):
        raise Refusal("invalid_metadata_schema")
    if len(json.dumps(found).encode()) > METADATA_BYTES:
        raise Refusal("metadata_too_large")
    return {"event_type": found["event_type"], "event_payload": found["event_payload"]}


def _dress(workspace: Workspace, message: Message, args: Args) -> None:
    icons = {k: args.text(k) for k in ("icon_emoji", "icon_url") if args.has(k)}
    if not (args.has("username") or icons):
        return
    need_scope(workspace.app, "chat:write.customize")
    message.username = args.text("username") or workspace.app.name
    message.icons = {name.removeprefix("icon_"): value for name, value in icons.items()}
    message.subtype = "bot_message"


def _with_block_ids(workspace: Workspace, blocks: list[Json]) -> list[Json]:
    """Slack names every block that the app left without an id."""
    named = copy.deepcopy(blocks)
    for block in named:
        block.setdefault("block_id", workspace.mint("b"))
    return named


def _note_effects(workspace: Workspace, message: Message, text: str, args: Args) -> None:
    by_name = partial(_id_of, workspace) if message.link_names or message.parse == "full" else None
    reading = mrkdwn.read(text, by_name=by_name, verbatim=message.parse == "none" and bool(message.blocks))
    if args.raw.get("mrkdwn") in (False, "false", "0"):
        reading.marks = []
    reading.add(block_kit.reading_of(message.blocks))
    for part in _attachment_texts(message.attachments):
        reading.add(mrkdwn.read(part))
    message.pings, message.links, message.marks = reading.pings, reading.links, reading.marks
    message.unfurls = [link.url for link in reading.links if _unfurls(link.url, args)]


def _unfurls(url: str, args: Args) -> bool:
    """Media unfurls unless forbidden, text when allowed; what a URL leads to is unknown, so either is enough."""
    links = args.flag("unfurl_links")
    media = args.flag("unfurl_media") or not args.has("unfurl_media")
    return url.startswith("http") and (links or media)


def _id_of(workspace: Workspace, sign: str, name: str) -> str:
    found = workspace.user_named(name) if sign == "@" else workspace.channel_named(name)
    return found.id if found else ""


def _attachment_texts(attachments: list[Any]) -> list[str]:
    names = ("pretext", "text", "fallback", "title", "footer")
    return [str(a[n]) for a in attachments if isinstance(a, dict) for n in names if n in a]
