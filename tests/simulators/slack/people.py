"""A scripted human. What they do happens at once; events go out by themselves. What they press waits for the app."""

from __future__ import annotations

import mimetypes
import secrets
import uuid
from typing import TYPE_CHECKING, Any

from . import blocks as block_kit
from . import mrkdwn, shapes
from .access import some_message
from .emoji import canonical
from .methods.views import add_view, replace, view_errors
from .transport import Outcome
from .workspace import Channel, Ephemeral, File, Json, Message, User, View

if TYPE_CHECKING:
    from .simulator import SlackSimulator

Place = Channel | str
"""A channel, its id, or its name."""


class Person:
    """Somebody in the workspace. Where a message is wanted, its ts will do."""

    def __init__(self, slack: SlackSimulator, user: User) -> None:
        self._slack = slack
        self.user = user

    @property
    def id(self) -> str:
        return self.user.id

    def say(
        self,
        place: Place,
        text: str,
        *,
        thread_ts: str = "",
        broadcast: bool = False,
        at: str | None = None,
        rich: list[Json] | None = None,
    ) -> Message:
        """Type a message (`<@U…>` and `<#C…>` are mentions, all else literal). `at` forces its ts; `rich` are the
        elements of its rich_text block, where the editor was used for more than words; `text` is then as it is sent.

        Raises ValueError in an archived channel or a locked thread, where Slack shows no composer.
        """
        channel = self._entered(place)
        if thread_ts in channel.locked_threads:
            raise ValueError("the thread is locked")
        message = self._typed(channel, text, thread_ts, at)
        if rich is not None:
            message.text, message.blocks = text, [self._formatted(rich)]
        message.broadcast = bool(thread_ts) and broadcast
        return self._slack.happenings.post(channel, message)

    def upload(
        self,
        place: Place,
        name: str,
        data: bytes,
        *,
        text: str = "",
        thread_ts: str = "",
        check_file_info: bool = False,
    ) -> Message:
        """Share a file. `check_file_info`: as from Slack Connect, where the event names nothing but its id."""
        channel = self._entered(place)
        file = File(
            self._slack.workspace.mint("F"), name, len(data), self.id, secrets.token_urlsafe(24), state="complete",
            data=data, mimetype=mimetypes.guess_type(name)[0] or "application/octet-stream",
            check_file_info=check_file_info,
        )  # fmt: skip
        self._slack.workspace.files[file.id] = file
        message = self._typed(channel, text, thread_ts)
        self._slack.happenings.share(channel, [file], message)
        return message

    def forward(self, place: Place, found: Message, *, text: str = "", thread_ts: str = "") -> Message:
        """Share a message: what it said comes as an attachment, beside a comment or alone."""
        message = self._typed(self._entered(place), text, thread_ts)
        about = {
            "is_msg_unfurl": True,
            "is_share": True,
            "author_id": found.user,
            "ts": found.ts,
            "mrkdwn_in": ["text"],
        }
        message.attachments = [about | {"text": found.text, "fallback": f"[a date] somebody: {found.text}"}]
        return self._slack.happenings.post(self._slack.find_channel(place), message)

    def _typed(self, channel: Channel, text: str, thread_ts: str, at: str | None = None) -> Message:
        message = Message(channel.mint_ts(at), self.id, mrkdwn.typed(text), thread_ts=thread_ts)
        message.client_msg_id = str(uuid.uuid4())
        message.blocks = [self._rich_text(text)] if text else []
        return message

    def _formatted(self, elements: list[Json]) -> Json:
        return {"type": "rich_text", "block_id": self._slack.workspace.mint("b"), "elements": elements}

    def _rich_text(self, text: str) -> Json:
        return mrkdwn.rich_text(text) | {"block_id": self._slack.workspace.mint("b")}

    def _entered(self, place: Place) -> Channel:
        channel = self._slack.find_channel(place)
        if channel.is_archived:
            raise ValueError(f"{channel.name} is archived")
        channel.members.add(self.id)
        return channel

    def edit(self, place: Place, message: Message | str, text: str, rich: list[Json] | None = None) -> Message:
        """Change one's own message. `rich` as in `say`."""
        channel, found = self._find(place, message)
        if found.user != self.id:
            raise ValueError("nobody can edit somebody else's message")
        previous = shapes.message(self._slack.workspace, channel, found)
        found.text, found.blocks = mrkdwn.typed(text), [self._rich_text(text)]
        if rich is not None:
            found.text, found.blocks = text, [self._formatted(rich)]
        self._slack.happenings.change(channel, found, previous, self.id)
        return found

    def delete(self, place: Place, message: Message | str) -> None:
        """Delete one's own message, or as an administrator somebody else's, the bot's included."""
        self._slack.happenings.delete(*self._find(place, message), self.id)

    def delete_file(self, file_id: str) -> None:
        self._slack.happenings.delete_file(self._slack.workspace.files[file_id])

    def react(self, place: Place, message: Message | str, name: str) -> None:
        channel, found = self._find(place, message)
        if (found.thread_ts or found.ts) in channel.locked_threads or channel.is_archived:
            raise ValueError("nobody can react here")
        name = canonical(name)
        if self.id not in found.reactions.get(name, []):  # a second press takes it off again, in Slack's own client
            self._slack.happenings.react(channel, found, name, self.id, added=True)

    def unreact(self, place: Place, message: Message | str, name: str) -> None:
        self._slack.happenings.react(*self._find(place, message), canonical(name), self.id, added=False)

    def lock(self, place: Place, thread_ts: str) -> None:
        """Nobody can reply in this thread any more."""
        self._slack.find_channel(place).locked_threads.add(thread_ts)

    def join(self, place: Place) -> None:
        self._slack.happenings.join(self._slack.find_channel(place), self.user)

    def leave(self, place: Place) -> None:
        self._slack.happenings.leave(self._slack.find_channel(place), self.user)

    def invite_bot(self, place: Place) -> None:
        channel = self._slack.find_channel(place)
        self._slack.happenings.join(channel, self._slack.workspace.app.bot, inviter=self.id)

    def remove_bot(self, place: Place) -> None:
        """Afterwards the app gets `not_in_channel` (or `channel_not_found` for a private channel)."""
        self._slack.happenings.leave(self._slack.find_channel(place), self._slack.workspace.app.bot)

    def archive(self, place: Place) -> None:
        self._slack.happenings.archive(self._slack.find_channel(place), self.id)

    def unarchive(self, place: Place) -> None:
        self._slack.happenings.archive(self._slack.find_channel(place), self.id, archived=False)

    def rename(self, place: Place, name: str) -> None:
        self._slack.happenings.rename(self._slack.find_channel(place), name, self.id)

    def be(self, presence: str) -> None:
        """`active` or `away`; no event tells of it."""
        self.user.presence = "active" if presence == "active" else "away"

    def open_home(self, tab: str = "home") -> None:
        self._slack.happenings.open_home(self.user, tab)

    async def click(self, place: Place, message: Message | str, action: str, *, value: str | None = None) -> Outcome:
        """Press a button (by action_id or label) or choose `value` in a menu; returns once the app answered or not.

        Raises LookupError when the message shows no such thing.
        """
        channel, found = self._find(place, message)
        chosen = _action(found.blocks, action, value)
        payload = self._slack.interactions.block_actions(self.user, channel, found, chosen)
        return await self._slack.interactions.send("interactive", payload)

    async def click_shown(self, action: str) -> Outcome:
        """Press a button on the latest line that this person alone sees. LookupError when none has it."""
        workspace = self._slack.workspace
        for shown in reversed(workspace.ephemerals):
            if shown.user != self.id or not any(True for _ in block_kit.buttons_in(shown.blocks)):
                continue
            channel = workspace.channels[shown.channel]
            chosen = _action(shown.blocks, action, None)
            payload = self._slack.interactions.ephemeral_actions(self.user, channel, shown, chosen)
            return await self._slack.interactions.send("interactive", payload)
        raise LookupError(f"{self.user.name} is shown no button")

    async def click_home(self, action: str, *, value: str | None = None) -> Outcome:
        """Press something on the app's home tab."""
        view = self._slack.workspace.homes[self.id]
        payload = self._slack.interactions.view_actions(self.user, view, _action(view.body["blocks"], action, value))
        return await self._slack.interactions.send("interactive", payload)

    async def message_shortcut(self, place: Place, message: Message | str, callback_id: str) -> Outcome:
        channel, found = self._find(place, message)
        payload = self._slack.interactions.message_action(self.user, channel, found, callback_id)
        return await self._slack.interactions.send("interactive", payload)

    async def shortcut(self, callback_id: str) -> Outcome:
        return await self._slack.interactions.send(
            "interactive", self._slack.interactions.shortcut(self.user, callback_id)
        )

    async def slash(self, place: Place, command: str, text: str = "", *, thread_ts: str = "") -> Outcome:
        """Type a slash command. In a thread, and where the app has no such command, Slack itself says so to the
        person, and the app hears nothing."""
        channel, app = self._slack.find_channel(place), self._slack.workspace.app
        if thread_ts:
            return self._refused(channel, f"{command} is not supported in threads. Sorry!", thread_ts)
        if "commands" not in app.scopes or (app.commands is not None and command not in app.commands):
            return self._refused(channel, f"{command} is not a valid command.")
        escaped = app.commands is None or app.commands[command]
        text = mrkdwn.typed(text) if escaped else text
        payload = self._slack.interactions.slash(self.user, channel, command, text)
        outcome = await self._slack.interactions.send("slash_commands", payload)
        if outcome.ok:
            self._slack.interactions.answer(outcome.answer, channel, self.user)
        return outcome

    def _refused(self, channel: Channel, text: str, thread_ts: str = "") -> Outcome:
        shown = Ephemeral(channel.id, self.id, channel.mint_ts(), text, [], thread_ts)
        self._slack.workspace.ephemerals.append(shown)
        return Outcome(False, "refused_by_slack")

    def modal(self) -> View:
        """The modal on top for this person; LookupError when there is none."""
        views = [v for v in self._slack.workspace.views.values() if v.user == self.id]
        if not views:
            raise LookupError(f"{self.user.name} has no modal open")
        return views[-1]

    async def submit(self, values: Json) -> Outcome:
        """Fill in the modal on top (action_id → value) and submit it; its `response_action` is obeyed."""
        view = self.modal()
        view.body = view.body | {"state": {"values": _filled(view.body["blocks"], values)}}
        payload = self._slack.interactions.view_event("view_submission", self.user, view)
        outcome = await self._slack.interactions.send("interactive", payload)
        if outcome.ok:
            self._obey(view, outcome.answer)
        return outcome

    async def close_modal(self) -> Outcome | None:
        """Dismiss the modal on top; the app hears of it only if it asked to."""
        view = self.modal()
        del self._slack.workspace.views[view.id]
        if not view.body.get("notify_on_close"):
            return None
        payload = self._slack.interactions.view_event("view_closed", self.user, view)
        return await self._slack.interactions.send("interactive", payload)

    def _obey(self, view: View, answer: Json) -> None:
        action, body = answer.get("response_action"), answer.get("view")
        if action == "errors":
            fields = {block["block_id"] for block in view.body["blocks"] if block["type"] == "input"}
            wrong = answer["errors"].keys() - fields
            if wrong or not answer["errors"]:
                raise ValueError(f"errors at fields that the window does not have: {', '.join(sorted(wrong))}")
        shown = isinstance(body, dict) and not view_errors(body, "modal")
        if action == "update" and shown:
            replace(view, body or {})
        elif action == "push" and shown:
            add_view(self._slack, body or {}, self.id, view)
        elif action == "clear":
            self._close_all()
        elif action is None:
            del self._slack.workspace.views[view.id]

    def _close_all(self) -> None:
        mine = [v.id for v in self._slack.workspace.views.values() if v.user == self.id]
        for view_id in mine:
            del self._slack.workspace.views[view_id]

    def _find(self, place: Place, message: Message | str) -> tuple[Channel, Message]:
        channel = self._slack.find_channel(place)
        return channel, some_message(channel, message if isinstance(message, str) else message.ts)


def _action(blocks: list[Json], wanted: str, value: str | None) -> Json:
    for block, element in block_kit.buttons_in(blocks):
        label = element.get("text", {}).get("text") if isinstance(element.get("text"), dict) else None
        if wanted in (element["action_id"], label):
            shared = {k: element[k] for k in ("type", "action_id", "text", "value") if k in element}
            return shared | {"block_id": block.get("block_id", "")} | _choice(element, value)
    raise LookupError(f"no button or menu {wanted!r}")


def _choice(element: Json, value: str | None) -> Json:
    if value is None:
        return {}
    if str(element["type"]).startswith("users"):
        return {"selected_user": value}
    groups = [g["options"] for g in element.get("option_groups", [])]
    for option in [*element.get("options", []), *(o for g in groups for o in g)]:
        if option["value"] == value:
            return {"selected_option": option}
    raise LookupError(f"no option {value!r}")


def _filled(blocks: list[Json], values: Json) -> dict[str, dict[str, Any]]:
    """What Slack sends of a form. Raises ValueError where it would not send it: something required is missing, or too
    long; and LookupError for what the form does not ask."""
    state: dict[str, dict[str, Any]] = {}
    asked = {element["action_id"] for _block, element in block_kit.buttons_in(blocks)}
    if unknown := values.keys() - asked:
        raise LookupError(f"the form has no {', '.join(sorted(unknown))}")
    for block, element in block_kit.buttons_in(blocks):
        filled = _fill(element, values.get(element["action_id"]))
        if block["type"] == "input" and not block.get("optional") and not any(filled.values()):
            raise ValueError(f"{element['action_id']} must be filled in")
        state.setdefault(block.get("block_id", ""), {})[element["action_id"]] = {"type": element["type"], **filled}
    return state


def _fill(element: Json, value: Any) -> Json:
    """An element as a person leaves it: what they chose, else what it began with."""
    kind = str(element["type"])
    if kind.startswith("multi_") or kind == "checkboxes":
        chosen = [_choice(element, one)["selected_option"] for one in value or ()]
        return {"selected_options": chosen or element.get("initial_options", [])}
    if "select" in kind or kind == "radio_buttons":
        return _choice(element, value) or {"selected_option": element.get("initial_option")}
    if kind == "datetimepicker":
        return {"selected_date_time": value or element.get("initial_date_time")}
    if len(str(value or "")) > int(element.get("max_length", 3_000)):
        raise ValueError(f"{element['action_id']} is too long")
    return {"value": value or element.get("initial_value")}
