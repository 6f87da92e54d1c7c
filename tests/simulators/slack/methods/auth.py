"""Who the token is, and where its socket is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulators.slack.workspace import Json

from .registry import Call, method

if TYPE_CHECKING:
    from tests.simulators.slack.simulator import SlackSimulator


@method("auth.test", tier=None)
def auth_test(slack: SlackSimulator, call: Call) -> Json:
    workspace, app = slack.workspace, slack.workspace.app
    return {
        "url": f"https://{workspace.domain}.slack.com/",
        "team": workspace.name,
        "user": app.bot.name,
        "team_id": workspace.team_id,
        "user_id": app.bot.id,
        "bot_id": app.bot_id,
        "is_enterprise_install": False,
    }


@method("apps.connections.open", scopes="connections:write", tier=1, app_token=True)
def apps_connections_open(slack: SlackSimulator, call: Call) -> Json:
    return {"url": slack.sockets.issue_url()}


@method("team.info", scopes="team:read")
def team_info(slack: SlackSimulator, call: Call) -> Json:
    workspace = slack.workspace
    return {"team": {"id": workspace.team_id, "name": workspace.name, "domain": workspace.domain}}


@method("api.test", tier=None)
def api_test(slack: SlackSimulator, call: Call) -> Json:
    return {"args": call.args}
