"""From Slack's payloads to what happened: pure, no network, no store.

Everything that Slack may send is decided here on purpose; what means nothing to us is `Ignored` with its reason, which
is for the logs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.slack.refs import Aim, Root, micros, read_aim
from adapters.slack.text.markup import emoji_in
from adapters.slack.wire.shape import CHOSEN, GONE, LEFT, MOVED, PRESSED, SAID
from bridge.ports import Placed
from routing.ids import InputKey, MessageId

Payload = Mapping[str, Any]


_SPOKEN = frozenset(("", "file_share", "thread_broadcast", "me_message"))
"""Subtypes of a person's own words. A broadcast is a reply that is shown in the channel too; it is still a reply."""


@dataclass(frozen=True, slots=True)
class App:
    """Who we are, so that our own doings are known as ours. `bot` is empty where Slack names none."""

    team: str
    user: str
    bot: str

    def wrote(self, message: Payload) -> bool:
        """Whether a message that was read back is ours."""
        return message.get("bot_id") == self.bot if self.bot else message.get("user") == self.user


@dataclass(frozen=True, slots=True)
class Author:
    """A person, as an event names them. `teams` are all that it mentions: a stranger's is not ours."""

    user: str
    teams: frozenset[str]

    def belongs_to(self, team: str) -> bool:
        return self.teams <= {team}


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file as an event names it; Slack Connect gives only the id and asks for `check_file_info`."""

    id: str
    name: str = ""
    media_type: str = ""
    url: str = ""
    known: bool = True


@dataclass(frozen=True, slots=True)
class Said:
    """A person wrote in a thread. `text` and `blocks` are still in Slack's form, the latter as they came. `parent` is
    the root's author, where named. `shared` is what messages said that they forwarded with it."""

    key: InputKey
    root: Root
    ts: str
    author: Author
    text: str
    emoji: Mapping[str, str]
    files: tuple[Attachment, ...] = ()
    parent: str = ""
    blocks: object = None
    shared: tuple[str, ...] = ()

    @property
    def message(self) -> MessageId:
        return message_id(self.root.channel, self.ts)

    @property
    def original(self) -> InputKey:
        """The key of the message itself, whatever this happening is."""
        return message_key(self.root, self.ts)


@dataclass(frozen=True, slots=True)
class Revised(Said):
    """A person changed their message. `revision` grows with each change."""

    revision: int = 1


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A person's message was deleted. Slack does not say by whom; `author` is whose it was."""

    key: InputKey
    root: Root
    ts: str
    author: str
    parent: str = ""

    @property
    def message(self) -> MessageId:
        return message_id(self.root.channel, self.ts)


@dataclass(frozen=True, slots=True)
class Pressed:
    """Somebody pressed a button of ours, or chose from a menu.

    `root` is None where Slack does not say in which thread: on a line that only one person sees. `trigger` opens one
    modal, within 3 s. `answer` is a response_url, which takes five answers in half an hour; `only_theirs`: what was
    pressed is shown to nobody else, and can be changed by that alone.
    """

    key: InputKey
    root: Root | None
    action: str
    aim: Aim
    author: Author
    channel: str = ""
    trigger: str = ""
    answer: str = ""
    only_theirs: bool = False
    quote: str = ""
    ts: str = ""  # of the message in whose menu it was chosen

    @property
    def placed(self) -> Placed:
        return self.aim.placed


@dataclass(frozen=True, slots=True)
class Shortcut:
    """Somebody chose one of our entries in a message's menu: `name` is its callback id, `text` the message's words."""

    key: InputKey
    root: Root
    ts: str
    name: str
    author: Author
    text: str = ""
    trigger: str = ""
    answer: str = ""

    @property
    def message(self) -> MessageId:
        return message_id(self.root.channel, self.ts)


@dataclass(frozen=True, slots=True)
class ChannelMoved:
    """A channel has another id now."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class ChannelShared:
    """Some channel is shared with another organisation, or no longer."""


@dataclass(frozen=True, slots=True)
class PersonLeft:
    """A person of our workspace left a channel, or (`channel` empty) the workspace."""

    user: str
    channel: str = ""


@dataclass(frozen=True, slots=True)
class TokensRevoked:
    """The app was uninstalled, or its token taken away."""


@dataclass(frozen=True, slots=True)
class Ignored:
    because: str


InThread = Said | Revised | Withdrawn
Happening = InThread | Pressed | Shortcut | ChannelMoved | ChannelShared | PersonLeft | TokensRevoked | Ignored


def message_id(channel: str, ts: str) -> MessageId:
    return MessageId(f"s:{channel}:{ts}")


def message_key(root: Root, ts: str, *change: str) -> InputKey:
    return InputKey("/".join(("slack", root.team, root.channel, ts, *change)))


def parse(payload: Payload, app: App) -> Happening:
    """What a payload of the Events API or of an interaction tells. Raises ValueError for what Slack never sends."""
    kind = payload.get("type")
    if kind == "event_callback":
        return event(payload.get("event"), app)
    if kind == "block_actions":
        return _pressed(payload, app)
    if kind == "message_action":
        return _shortcut(payload, app)
    return Ignored(f"a payload of type {kind}")


def event(body: object, app: App) -> Happening:
    """What one event tells. Raises ValueError for what Slack never sends."""
    if not isinstance(body, Mapping):
        raise ValueError("event is no object")
    kind = body.get("type")
    if kind == "message":
        SAID.check(body, "event")
        return _message(body, app)
    if kind == "channel_id_changed":
        MOVED.check(body, "event")
        return ChannelMoved(_given(body, "old_channel_id"), _given(body, "new_channel_id"))
    if kind in ("channel_shared", "channel_unshared"):
        return ChannelShared()
    if kind == "member_left_channel":
        LEFT.check(body, "event")
        return PersonLeft(_given(body, "user"), _given(body, "channel"))
    if kind in ("team_leave", "user_change"):
        GONE.check(body, "event")
        return _gone(body, kind, app)
    if kind in ("tokens_revoked", "app_uninstalled"):
        return TokensRevoked()
    return Ignored(f"an event of type {kind}")


def _gone(body: Payload, kind: str, app: App) -> Happening:
    user: Payload = body.get("user") or {}
    if (user.get("team_id") or app.team) != app.team:
        return Ignored("a person of another workspace")
    if kind == "team_leave" or user.get("deleted") is True:
        return PersonLeft(_given(user, "id"))
    return Ignored("a change of a person's profile")


def _given(body: Payload, name: str) -> str:
    """A text that must be there. Its type was checked before."""
    value = body.get(name)
    if not value:
        raise ValueError(f"{name} is missing")
    return str(value)


def _message(body: Payload, app: App) -> Happening:
    subtype = body.get("subtype") or ""
    if subtype == "message_changed":
        return _changed(body, app)
    if subtype == "message_deleted":
        return _deleted(body, app)
    if body.get("hidden") or "message" in body:
        return Ignored("the root's own news (message_replied comes without its subtype)")
    if subtype not in _SPOKEN:
        return Ignored(f"a message of subtype {subtype}")
    return _unless_foreign(body, app) or _said(body, _root(body, _given(body, "channel"), app), app)


def _said(message: Payload, root: Root, app: App) -> Said:
    shared = _shared(message)
    files = [*(message.get("files") or ()), *(file for one in shared for file in _nested(one))]
    return Said(
        key=message_key(root, _given(message, "ts")),
        root=root,
        ts=_given(message, "ts"),
        author=_author(message, app),
        text=message.get("text") or "",
        emoji=emoji_in(message.get("blocks")),
        files=tuple(map(_attachment, files)),
        parent=message.get("parent_user_id") or "",
        blocks=message.get("blocks"),
        shared=tuple(str(one.get("text") or one.get("fallback") or "") for one in shared),
    )


def _nested(shared: Payload) -> list[Payload]:
    files = shared.get("files")
    return [one for one in files if isinstance(one, Mapping)] if isinstance(files, list) else []


def _shared(message: Payload) -> list[Payload]:
    """Messages that were forwarded. A link to one unfurls likewise, and is none."""
    attached = message.get("attachments") or ()
    return [one for one in attached if isinstance(one, Mapping) and one.get("is_share") is True]


def _changed(body: Payload, app: App) -> Happening:
    message = body.get("message") or {}
    if message.get("subtype") == "tombstone":
        return Ignored("a root with replies was deleted; replies are read by thread, and the next post opens another")
    if not message.get("edited") or not _differs(message, body.get("previous_message") or {}):
        return Ignored("a change that nobody made by hand (an unfurled link, a new reply count)")
    if (message.get("subtype") or "") not in _SPOKEN:
        return Ignored("a change of something that is not a person's words")
    foreign = _unless_foreign(message, app)
    if foreign:
        return foreign
    root = _root(message, _given(body, "channel"), app)
    said = _said(message, root, app)
    edited = _given(message["edited"], "ts")
    return Revised(
        key=message_key(root, said.ts, "message_changed", edited),
        root=root,
        ts=said.ts,
        author=said.author,
        text=said.text,
        emoji=said.emoji,
        files=said.files,
        parent=said.parent,
        blocks=said.blocks,
        shared=said.shared,
        revision=max(1, (micros(edited) - micros(said.ts)) // 1_000),
    )


def _differs(message: Payload, previous: Payload) -> bool:
    return not previous or message.get("text") != previous.get("text") or _file_ids(message) != _file_ids(previous)


def _file_ids(message: Payload) -> list[str]:
    return [str(one.get("id")) for one in message.get("files") or ()]


def _deleted(body: Payload, app: App) -> Happening:
    previous = body.get("previous_message") or {}
    if previous and (foreign := _unless_foreign(previous, app)):
        return foreign
    if not previous:
        return Ignored("a deletion of something that Slack does not name")
    if not _author(previous, app).belongs_to(app.team):
        return Ignored("a deletion of a guest's words, which never were a reply")
    root, ts = _root(previous, _given(body, "channel"), app), _given(body, "deleted_ts")
    return Withdrawn(
        key=message_key(root, ts, "message_deleted"),
        root=root,
        ts=ts,
        author=previous["user"],
        parent=previous.get("parent_user_id") or "",
    )


def _unless_foreign(message: Payload, app: App) -> Ignored | None:
    """Why this is nobody's reply in a thread; None when it is one."""
    if message.get("bot_id") or message.get("user") in (app.user, "USLACKBOT", None):
        return Ignored("a bot's message, perhaps our own")
    thread = message.get("thread_ts")
    if not thread or thread == message.get("ts"):
        return Ignored("a message outside of threads")
    return None


def _root(message: Payload, channel: str, app: App) -> Root:
    return Root(app.team, channel, message["thread_ts"])


def _author(message: Payload, app: App) -> Author:
    named = (message.get(name) for name in ("team", "user_team", "source_team"))
    return Author(message["user"], frozenset(team for team in named if team) or frozenset((app.team,)))


def _attachment(file: Payload) -> Attachment:
    return Attachment(
        id=_given(file, "id"),
        name=file.get("name") or "",
        media_type=file.get("mimetype") or "",
        url=file.get("url_private_download") or file.get("url_private") or "",
        known=file.get("file_access") != "check_file_info",
    )


def attachment(file: Payload) -> Attachment:
    """A file as files.info describes it."""
    return _attachment(file)


def _pressed(payload: Payload, app: App) -> Happening:
    """Which actions there are, `presses` knows; here they are told from what is not ours by their value."""
    PRESSED.check(payload, "payload")
    action: Payload = next(iter(payload.get("actions") or ()), {})
    aim = read_aim(action.get("value") or (action.get("selected_option") or {}).get("value") or "")
    channel = (payload.get("channel") or {}).get("id") or ""
    container = payload.get("container") or {}
    thread, stands_at = container.get("thread_ts"), container.get("thread_ts") or container.get("message_ts")
    if aim is None or not stands_at or not action.get("action_id"):
        return Ignored("a button that is not ours")
    only_theirs = container.get("is_ephemeral") is True
    user = payload.get("user") or {}
    team = user.get("team_id") or (payload.get("team") or {}).get("id") or app.team
    person = _given(user, "id")
    key = "/".join(("slack", "action", channel, stands_at, person, _given(action, "action_ts")))
    return Pressed(
        InputKey(key),
        Root(app.team, channel, stands_at) if thread or not only_theirs else None,
        action["action_id"],
        aim,
        Author(person, frozenset((team,))),
        channel,
        payload.get("trigger_id") or "",
        payload.get("response_url") or "",
        only_theirs,
    )


def _shortcut(payload: Payload, app: App) -> Happening:
    CHOSEN.check(payload, "payload")
    message, channel = payload.get("message") or {}, (payload.get("channel") or {}).get("id") or ""
    user = payload.get("user") or {}
    person, ts = _given(user, "id"), _given(message, "ts")
    team = user.get("team_id") or (payload.get("team") or {}).get("id") or app.team
    return Shortcut(
        InputKey("/".join(("slack", "shortcut", channel, ts, person, _given(payload, "action_ts")))),
        Root(app.team, channel, message.get("thread_ts") or ts),
        ts,
        _given(payload, "callback_id"),
        Author(person, frozenset((team,))),
        message.get("text") or "",
        payload.get("trigger_id") or "",
        payload.get("response_url") or "",
    )
