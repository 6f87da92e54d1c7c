"""People, groups of people, bots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulators.slack import shapes
from tests.simulators.slack.refusal import Refusal
from tests.simulators.slack.workspace import Json, User

from .conversations import paged
from .registry import Call, method

if TYPE_CHECKING:
    from tests.simulators.slack.simulator import SlackSimulator


@method("users.info", scopes="users:read", tier=4)
def info(slack: SlackSimulator, call: Call) -> Json:
    return {"user": _shape(slack, _user(slack, call))}


@method("users.list", scopes="users:read", tier=2)
def listing(slack: SlackSimulator, call: Call) -> Json:
    shown = [_shape(slack, user) for user in slack.workspace.users.values()]
    return paged("members", shown, call.arguments, default=1_000)


@method("users.getPresence", scopes="users:read")
def presence(slack: SlackSimulator, call: Call) -> Json:
    return {"presence": _user(slack, call).presence}


@method("usergroups.list", scopes="usergroups:read", tier=2)
def usergroups(slack: SlackSimulator, call: Call) -> Json:
    wanted = call.arguments.flag("include_users")
    groups = [g if wanted else {k: v for k, v in g.items() if k != "users"} for g in _groups(slack)]
    return {"usergroups": groups}


@method("bots.info", scopes="users:read")
def bot(slack: SlackSimulator, call: Call) -> Json:
    app = slack.workspace.app
    if call.arguments.text("bot") not in ("", app.bot_id):
        raise Refusal("bot_not_found")
    return {"bot": shapes.bot(slack.workspace) | {"user_id": app.bot.id}}


def _groups(slack: SlackSimulator) -> list[Json]:
    return list(slack.workspace.usergroups.values())


def _user(slack: SlackSimulator, call: Call) -> User:
    user = slack.workspace.users.get(call.arguments.text("user"))
    if user is None:
        raise Refusal("user_not_found")
    return user


def _shape(slack: SlackSimulator, user: User) -> Json:
    return shapes.user(user, email="users:read.email" in slack.workspace.app.scopes)
