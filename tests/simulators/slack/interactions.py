"""Buttons, menus, shortcuts, slash commands, modals: payloads to the app, and what it may do with them afterwards.

They are sent once. An app that does not answer within three seconds makes the person see a warning; there is no retry.
"""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from aiohttp import web

from . import composing, shapes
from .refusal import Args, Refusal
from .transport import Kind, Outcome
from .workspace import Channel, Ephemeral, Json, Message, User, View

if TYPE_CHECKING:
    from .simulator import SlackSimulator


@dataclass
class ResponseUrl:
    """Where the app may answer an interaction: five times in thirty minutes."""

    channel: Channel
    user: str
    message: Message | None
    uses_left: int
    expires: float
    shown: Ephemeral | None = None


class Interactions:
    """Everything that starts with a person pressing something of the app's."""

    def __init__(self, slack: SlackSimulator) -> None:
        self._slack = slack
        self._triggers: dict[str, tuple[str, float]] = {}
        self._spent: set[str] = set()
        self._response_urls: dict[str, ResponseUrl] = {}

    async def send(self, kind: Kind, payload: Json) -> Outcome:
        """Deliver once; the outcome is what the person sees of it."""
        return await self._slack.transport.attempt(kind, payload)

    def mint_trigger(self, user: str) -> str:
        """A trigger_id: opens one view within three seconds."""
        trigger = f"{self._slack.workspace.mint('1')}.{secrets.token_hex(12)}"
        self._triggers[trigger] = (user, self._slack.clock.now() + self._slack.habits.trigger_life)
        return trigger

    def spend_trigger(self, trigger: str) -> str:
        """The person behind a trigger_id, which is then used up."""
        if trigger in self._spent:
            raise Refusal("exchanged_trigger_id")
        if trigger not in self._triggers:
            raise Refusal("invalid_trigger_id")
        user, expires = self._triggers.pop(trigger)
        if expires < self._slack.clock.now():
            raise Refusal("expired_trigger_id")
        self._spent.add(trigger)
        return user

    def mint_response_url(
        self, channel: Channel, user: str, message: Message | None, shown: Ephemeral | None = None
    ) -> str:
        """A URL to which the app can post without a token."""
        secret, habits = secrets.token_urlsafe(18), self._slack.habits
        expires = self._slack.clock.now() + habits.response_url_life
        self._response_urls[secret] = ResponseUrl(channel, user, message, habits.response_url_uses, expires, shown)
        return f"{self._slack.url}/response/{secret}"

    def base(self, kind: str, user: User) -> Json:
        """What all interactive payloads share."""
        workspace, app = self._slack.workspace, self._slack.workspace.app
        return {
            "type": kind,
            "token": app.verification_token,
            "api_app_id": app.id,
            "team": {"id": workspace.team_id, "domain": workspace.domain},
            "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team_id},
            "enterprise": None,
            "is_enterprise_install": False,
            "trigger_id": self.mint_trigger(user.id),
        }

    def block_actions(self, user: User, channel: Channel, message: Message, action: Json) -> Json:
        container: Json = {"type": "message", "message_ts": message.ts, "channel_id": channel.id}
        container |= {"is_ephemeral": False}
        if message.is_reply:
            container["thread_ts"] = message.thread_ts
        return self.base("block_actions", user) | {
            "container": container,
            "channel": {"id": channel.id, "name": channel.name},
            "message": shapes.message(self._slack.workspace, channel, message),
            "state": {"values": {}},
            "response_url": self.mint_response_url(channel, user.id, message),
            "actions": [action | {"action_ts": _now()}],
        }

    def ephemeral_actions(self, user: User, channel: Channel, shown: Ephemeral, action: Json) -> Json:
        """On what one person sees alone. The payload names no message, and no thread."""
        return self.base("block_actions", user) | {
            "container": {
                "type": "message",
                "message_ts": shown.ts,
                "channel_id": channel.id,
                "is_ephemeral": True,
            },
            "channel": {"id": channel.id, "name": channel.name},
            "state": {"values": {}},
            "response_url": self.mint_response_url(channel, user.id, None, shown),
            "actions": [action | {"action_ts": _now()}],
        }

    def view_actions(self, user: User, view: View, action: Json) -> Json:
        return self.base("block_actions", user) | {
            "container": {"type": "view", "view_id": view.id},
            "view": shapes.view(self._slack.workspace, view),
            "actions": [action | {"action_ts": _now()}],
        }

    def message_action(self, user: User, channel: Channel, message: Message, callback_id: str) -> Json:
        """A message shortcut."""
        return self.base("message_action", user) | {
            "callback_id": callback_id,
            "action_ts": _now(),
            "channel": {"id": channel.id, "name": channel.name},
            "message_ts": message.ts,
            "message": shapes.message(self._slack.workspace, channel, message),
            "response_url": self.mint_response_url(channel, user.id, message),
        }

    def shortcut(self, user: User, callback_id: str) -> Json:
        """A global shortcut: no channel, no response_url."""
        return self.base("shortcut", user) | {"callback_id": callback_id, "action_ts": _now()}

    def view_event(self, kind: str, user: User, view: View) -> Json:
        """view_submission or view_closed."""
        return self.base(kind, user) | {"view": shapes.view(self._slack.workspace, view), "response_urls": []}

    def slash(self, user: User, channel: Channel, command: str, text: str) -> Json:
        workspace, app = self._slack.workspace, self._slack.workspace.app
        return {
            "token": app.verification_token,
            "team_id": workspace.team_id,
            "team_domain": workspace.domain,
            "channel_id": channel.id,
            "channel_name": channel.name,
            "user_id": user.id,
            "user_name": user.name,
            "command": command,
            "text": text,
            "api_app_id": app.id,
            "is_enterprise_install": "false",
            "response_url": self.mint_response_url(channel, user.id, None),
            "trigger_id": self.mint_trigger(user.id),
        }

    def answer(self, payload: Json, channel: Channel, user: User) -> None:
        """An acknowledgement with a body answers a slash command like a post to its response_url."""
        if payload:
            self._respond(ResponseUrl(channel, user.id, None, 1, 0), Args(payload))

    async def handle_response(self, request: web.Request) -> web.Response:
        """`POST /response/{secret}`."""
        url = self._response_urls.get(request.match_info["secret"])
        try:
            body = json.loads(await request.read())
            self._respond(self._usable(url), Args(body if isinstance(body, dict) else {}))
        except ValueError:
            return web.json_response({"ok": False, "error": "invalid_payload"}, status=400)
        except Refusal as refusal:
            answer = {"ok": False, "error": refusal.error} | refusal.details
            return web.json_response(answer, status=404 if "url" in refusal.error else 400)
        return web.json_response({"ok": True})

    def _usable(self, url: ResponseUrl | None) -> ResponseUrl:
        if url is None:
            raise Refusal("invalid_url")
        if url.expires < self._slack.clock.now():
            raise Refusal("expired_url")
        if url.uses_left == 0:
            raise Refusal("used_url")
        url.uses_left -= 1
        return url

    def _respond(self, url: ResponseUrl, args: Args) -> None:
        channel, bot = url.channel, self._slack.workspace.app.bot.id
        target = url.message if url.message and url.message.ts in channel.messages else None
        if url.shown is not None and (args.flag("delete_original") or args.flag("replace_original")):
            self._change_shown(url.shown, args)
        elif target and args.flag("delete_original"):
            self._slack.happenings.delete(channel, target, bot)
        elif target and args.flag("replace_original"):
            previous = shapes.message(self._slack.workspace, channel, target)
            composing.fill(self._slack.workspace, target, args)
            self._slack.happenings.change(channel, target, previous, bot)
        else:
            self._respond_anew(url, args)

    def _change_shown(self, shown: Ephemeral, args: Args) -> None:
        """What one person saw alone goes, or says something else."""
        everybody = self._slack.workspace.ephemerals
        if args.flag("delete_original"):
            everybody.remove(shown)
        else:
            said = composing.compose(self._slack.workspace, args, shown.ts)
            everybody[everybody.index(shown)] = replace(shown, text=said.text, blocks=said.blocks)
        self._slack.happenings.wake()

    def _respond_anew(self, url: ResponseUrl, args: Args) -> None:
        """A new message: shown to that person only, unless `response_type` is in_channel."""
        channel = url.channel
        message = composing.compose(self._slack.workspace, args, channel.mint_ts())
        message.thread_ts = args.text("thread_ts")
        if args.text("response_type") == "in_channel":
            self._slack.happenings.post(channel, message)
            return
        shown = Ephemeral(channel.id, url.user, message.ts, message.text, message.blocks, message.thread_ts)
        self._slack.workspace.ephemerals.append(shown)
        self._slack.happenings.wake()


def _now() -> str:
    return f"{time.time():.6f}"
