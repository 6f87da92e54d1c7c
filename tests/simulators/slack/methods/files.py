"""Files: ask for a URL, upload there, complete; the sharing then happens by itself."""

from __future__ import annotations

import mimetypes
import secrets
from typing import TYPE_CHECKING

from tests.simulators.slack import access, mrkdwn, shapes
from tests.simulators.slack.refusal import Args, Refusal
from tests.simulators.slack.workspace import Channel, File, Json, Message

from .registry import Call, method

if TYPE_CHECKING:
    from tests.simulators.slack.simulator import SlackSimulator


@method("files.getUploadURLExternal", scopes="files:write", tier=4)
def get_upload_url(slack: SlackSimulator, call: Call) -> Json:
    args = call.arguments
    name, length = args.needed("filename"), args.needed("length")
    if not length.isdigit() or int(length) == 0:
        raise Refusal.of_arguments("[ERROR] must be greater than 0 [json-pointer:/length]")
    workspace = slack.workspace
    file = File(
        workspace.mint("F"), name, int(length), workspace.app.bot.id, secrets.token_urlsafe(24),
        alt_text=args.text("alt_txt"), mimetype=mimetypes.guess_type(name)[0] or "application/octet-stream",
    )  # fmt: skip
    workspace.files[file.id] = file
    return {"upload_url": f"{slack.url}/upload/v1/{file.secret}", "file_id": file.id}


@method("files.completeUploadExternal", scopes="files:write", tier=4)
def complete_upload(slack: SlackSimulator, call: Call) -> Json:
    """All or nothing. Without a channel the files stay private to the app."""
    args = call.arguments
    files = _uploaded(slack, args)
    channels = _targets(slack, args)
    thread_ts = _thread(slack, channels, args)
    for file, entry in files:
        file.state, file.title = "complete", str(entry.get("title") or file.name)
    for channel in channels:
        shares = [file for file, _ in files]
        slack.share_later(call, channel, shares, args.text("initial_comment"), thread_ts)
    return {"files": [shapes.file(slack.workspace, file) for file, _ in files]}


def _uploaded(slack: SlackSimulator, args: Args) -> list[tuple[File, Json]]:
    entries = args.structure("files", "invalid_arguments")
    if not isinstance(entries, list) or not entries:
        raise Refusal.of_arguments("[ERROR] missing required field: files")
    files = []
    for entry in entries:
        file = slack.workspace.files.get(str(entry.get("id"))) if isinstance(entry, dict) else None
        if file is None or file.state == "pending":
            raise Refusal("file_not_found")
        if file.state != "uploaded":
            raise Refusal("file_update_failed")
        files.append((file, entry))
    return files


def _targets(slack: SlackSimulator, args: Args) -> list[Channel]:
    names = [args.text("channel_id"), *args.text("channels").split(",")]
    return [access.writable_channel(slack.workspace, name) for name in names if name]


def _thread(slack: SlackSimulator, channels: list[Channel], args: Args) -> str:
    thread_ts = args.text("thread_ts")
    if not thread_ts:
        return ""
    if len(channels) != 1:
        raise Refusal("invalid_arguments")
    loose = slack.habits.orphans_top_level
    return access.thread_for_reply(channels[0], thread_ts, orphans_top_level=loose)


def share(slack: SlackSimulator, channel: Channel, files: list[File], comment: str, thread_ts: str) -> Message:
    """What happens a while after the answer: a message from the bot, with the files and without metadata."""
    app = slack.workspace.app
    message = Message(channel.mint_ts(), app.bot.id, mrkdwn.stored(comment), bot_id=app.bot_id)
    message.thread_ts = thread_ts
    reading = mrkdwn.read(comment)
    message.pings, message.links = reading.pings, reading.links
    slack.happenings.share(channel, files, message)
    return message


@method("files.info", scopes="files:read", tier=4)
def info(slack: SlackSimulator, call: Call) -> Json:
    file = _visible(slack, call.arguments)
    shape = shapes.file(slack.workspace, file, shares=True)
    return {"file": shape, "comments": [], "response_metadata": {"next_cursor": ""}}


@method("files.delete", scopes="files:write", tier=3)
def delete(slack: SlackSimulator, call: Call) -> Json:
    file = _visible(slack, call.arguments)
    if file.owner != slack.workspace.app.bot.id:
        raise Refusal("cant_delete_file")
    slack.happenings.delete_file(file)
    return {}


def _visible(slack: SlackSimulator, args: Args) -> File:
    file = slack.workspace.files.get(args.needed("file"))
    if file is None or file.state == "pending" or not can_see(slack, file):
        raise Refusal("file_not_found")
    if file.state == "deleted":
        raise Refusal("file_deleted")
    return file


def can_see(slack: SlackSimulator, file: File) -> bool:
    """Its own files, and those shared where it is a member."""
    bot = slack.workspace.app.bot.id
    channels = slack.workspace.channels
    return file.owner == bot or any(bot in channels[c].members for c in file.shares if c in channels)
