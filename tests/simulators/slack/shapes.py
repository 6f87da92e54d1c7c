"""The JSON in which Slack speaks of its workspace: messages, channels, people, files. Pure; nothing is decided here."""

from . import mrkdwn
from .workspace import Channel, File, Json, Message, User, View, Workspace


def message(workspace: Workspace, channel: Channel, m: Message, *, metadata: bool = False) -> Json:
    """A message as conversations.* and events show it; `metadata` only where the caller asked for it."""
    shape: Json = {"type": "message", "ts": m.ts, "text": m.text}
    shape |= _author(workspace, m)
    if m.blocks:
        shape["blocks"] = m.blocks
    if m.attachments:
        shape["attachments"] = m.attachments
    if m.client_msg_id:
        shape["client_msg_id"] = m.client_msg_id
    if m.subtype:
        shape["subtype"] = m.subtype
    if m.edited:
        shape["edited"] = {"user": m.edited[0], "ts": m.edited[1]}
    if m.files:
        shape["files"] = [file(workspace, workspace.files[f], stub=True) for f in m.files]
        shape["upload"] = False
        shape["display_as_bot"] = False
    if m.reactions:
        shape["reactions"] = [{"name": n, "users": u, "count": len(u)} for n, u in m.reactions.items()]
    if metadata and m.metadata:
        shape["metadata"] = m.metadata
    return shape | _thread(workspace, channel, m) | m.extra


def _author(workspace: Workspace, m: Message) -> Json:
    if m.is_tombstone:
        return {"user": "USLACKBOT", "hidden": True}
    if not m.bot_id:
        team_id = workspace.users[m.user].team_id if m.user in workspace.users else workspace.team_id
        return {"user": m.user, "team": team_id}
    if m.username:  # a persona: the real Slack leaves `user` out
        return {"bot_id": m.bot_id, "app_id": workspace.app.id, "username": m.username, "icons": m.icons}
    return {
        "user": m.user,
        "team": workspace.team_id,
        "bot_id": m.bot_id,
        "app_id": workspace.app.id,
        "bot_profile": bot(workspace) | {"team_id": workspace.team_id},
    }


def _thread(workspace: Workspace, channel: Channel, m: Message) -> Json:
    if m.is_reply:
        root = channel.messages.get(m.thread_ts)
        shape: Json = {"thread_ts": m.thread_ts}
        if root is not None:
            shape["parent_user_id"] = "USLACKBOT" if root.is_tombstone else root.user
        if m.broadcast and root is not None:
            shape["root"] = message(workspace, channel, root)
        return shape
    replies = channel.replies(m.ts)
    if not replies:
        return {"thread_ts": m.ts} if m.ts in channel.threads and m.is_tombstone else {}
    users = list(dict.fromkeys(r.user for r in replies))
    return {
        "thread_ts": m.ts,
        "reply_count": len(replies),
        "reply_users_count": len(users),
        "latest_reply": replies[-1].ts,
        "reply_users": users[:5],
        "is_locked": m.ts in channel.locked_threads,
        "subscribed": False,
    }


def channel_type(channel: Channel) -> str:
    return {"public": "channel", "private": "group", "im": "im"}[channel.kind]


def channel(workspace: Workspace, c: Channel) -> Json:
    """A conversation as conversations.info shows it."""
    shape: Json = {
        "id": c.id,
        "created": c.created,
        "is_archived": c.is_archived,
        "is_im": c.kind == "im",
        "is_org_shared": False,
        "is_ext_shared": c.is_shared,
        "is_shared": c.is_shared,
        "is_pending_ext_shared": c.is_pending_shared,
        "context_team_id": workspace.team_id,
    }
    if c.kind == "im":
        return shape | {"user": next(iter(c.members - {workspace.app.bot.id}), "")}
    return shape | {
        "name": c.name,
        "name_normalized": c.name,
        "is_channel": True,
        "is_group": False,
        "is_mpim": False,
        "is_private": c.kind == "private",
        "is_general": False,
        "is_member": workspace.app.bot.id in c.members,
        "creator": c.creator,
        "num_members": len(c.members),
        "topic": {"value": "", "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
        "previous_names": [],
    }


def user(u: User, *, email: bool) -> Json:
    """A person as users.info shows them; the address only with users:read.email."""
    profile = {"real_name": u.real_name, "display_name": u.name, "team": u.team_id}
    if email and not u.is_bot:
        profile["email"] = u.email
    return {
        "id": u.id,
        "team_id": u.team_id,
        "name": u.name,
        "real_name": u.real_name,
        "deleted": u.deleted,
        "tz": u.tz,
        "is_bot": u.is_bot,
        "is_app_user": False,
        "profile": profile,
    }


def bot(workspace: Workspace) -> Json:
    app = workspace.app
    return {"id": app.bot_id, "deleted": False, "name": app.name, "app_id": app.id, "updated": 0, "icons": {}}


def file(workspace: Workspace, f: File, *, stub: bool = False, shares: bool = False) -> Json:
    """A file; `stub` is the form in messages, where a Slack Connect file only says `check_file_info`."""
    if f.state == "deleted":
        return {"id": f.id, "mode": "tombstone"}
    if stub and f.check_file_info:
        return {"id": f.id, "mode": "file_access", "file_access": "check_file_info", "created": 0, "user": ""}
    path = f"{workspace.team_id}-{f.id}"
    base = f"{workspace.files_url}/files-pri/{path}"
    shape: Json = {
        "id": f.id,
        "created": f.created,
        "timestamp": f.created,
        "name": f.name,
        "title": f.title or f.name,
        "mimetype": f.mimetype,
        "filetype": f.name.rpartition(".")[2] or "binary",
        "user": f.owner,
        "user_team": workspace.team_id,
        "mode": "hosted",
        "file_access": "visible",
        "size": f.size,
        "alt_txt": f.alt_text,
        "is_external": False,
        "is_public": True,
        "public_url_shared": False,
        "url_private": f"{base}/{f.name}",
        "url_private_download": f"{base}/download/{f.name}",
        "permalink": f"https://{workspace.domain}.slack.com/files/{f.owner}/{f.id}/{f.name}",
    }
    if shares:
        shape["shares"] = _shares(workspace, f)
    return shape


def _shares(workspace: Workspace, f: File) -> Json:
    """Empty until the sharing, which runs by itself, has happened."""
    shares: Json = {}
    for channel_id, places in f.shares.items():
        c = workspace.channels[channel_id]
        spots = [
            {"ts": ts, "channel_name": c.name, "team_id": workspace.team_id, "share_user_id": f.owner}
            | ({"thread_ts": thread_ts} if thread_ts else {})
            for ts, thread_ts in places
        ]
        shares.setdefault("public" if c.kind == "public" else "private", {})[channel_id] = spots
    return shares


def view(workspace: Workspace, v: View) -> Json:
    """A view with what Slack adds to the app's own body."""
    app = workspace.app
    body = {"private_metadata": "", "callback_id": "", "state": {"values": {}}} | v.body
    return body | {
        "id": v.id,
        "team_id": workspace.team_id,
        "hash": v.hash,
        "root_view_id": v.root_id,
        "previous_view_id": v.previous_id or None,
        "app_id": app.id,
        "bot_id": app.bot_id,
        "app_installed_team_id": workspace.team_id,
    }


def seen(workspace: Workspace, m: Message) -> str:
    """The message as a person reads it: its blocks when it has any (one line per text), else its text."""
    if m.blocks and m.bot_id:
        texts = list(_block_texts(m.blocks))
        return "\n".join(seen_text(workspace, t) if marked else t for t, marked in texts)
    return seen_text(workspace, m.text)


def seen_text(workspace: Workspace, text: str) -> str:
    return mrkdwn.seen(text, lambda i: _name(workspace, i))


def _name(workspace: Workspace, some_id: str) -> str:
    known = workspace.users.get(some_id) or workspace.channels.get(some_id)
    return known.name if known else some_id


def _block_texts(value: object) -> list[tuple[str, bool]]:
    """Each text in reading order, and whether it is Slack's markup."""
    if isinstance(value, list):
        return _joined_rich_text(value) or [t for item in value for t in _block_texts(item)]
    if not isinstance(value, dict) or value.get("type") in ("button", "overflow"):
        return []
    if value.get("type") in ("plain_text", "mrkdwn", "markdown"):
        return [(str(value.get("text", "")), value["type"] != "plain_text")]
    return [t for inner in value.values() if isinstance(inner, dict | list) for t in _block_texts(inner)]


def _joined_rich_text(items: list[object]) -> list[tuple[str, bool]]:
    inline = {"text", "link", "emoji", "user", "channel", "broadcast", "usergroup", "date"}
    if not items or not all(isinstance(i, dict) and i.get("type") in inline for i in items):
        return []
    words = [str(i.get("text") or i.get("url") or i.get("name") or "") for i in items if isinstance(i, dict)]
    return [("".join(words), False)]
