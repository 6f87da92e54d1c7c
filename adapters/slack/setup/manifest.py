"""The manifest that creates the app: least scopes, the events we hear, and how they come in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.slack.controls.commands import COMMAND
from adapters.slack.controls.shortcuts import for_manifest
from bridge.errors import SettingsError
from config.settings import SlackSettings

SCOPES: Mapping[str, str] = {
    "channels:history": "hear replies in public channels, and look for what became of a post",
    "channels:join": "join a desk's public channel",
    "channels:read": "check a desk's channel",
    "commands": "answer /chat",
    "chat:write": "post, change and delete our own messages",
    "files:read": "fetch what operators attach",
    "files:write": "show what customers attach",
    "groups:history": "as channels:history, in private channels",
    "groups:read": "as channels:read, for private channels",
    "im:history": "as channels:history, where we have called who is on call",
    "im:write": "call who is on call, in a direct message",
    "reactions:read": "hear that an operator looks into a message",
    "reactions:write": "show a customer's reaction at the reply",
}
"""Each with what it is for. Nothing reads people's names or other channels; of direct
messages only our own come to our eyes, since no event of them is subscribed to."""

PRESENCE_SCOPE = "users:read"
"""Asked for only where presence is switched on."""

EVENTS = (
    "app_home_opened",
    "app_uninstalled",
    "channel_id_changed",
    "channel_shared",
    "channel_unshared",
    "member_left_channel",
    "message.channels",
    "message.groups",
    "reaction_added",
    "reaction_removed",
    "tokens_revoked",
)


OF_PEOPLE = ("team_leave", "user_change")
"""Who left the workspace: told to those alone who may read people. Without, whoever left can write nothing anyway."""


def scopes(settings: SlackSettings) -> frozenset[str]:
    """What the app must be granted with these settings."""
    return frozenset((*SCOPES, *([PRESENCE_SCOPE] if settings.presence else ())))


APP_HOME = {"home_tab_enabled": True, "messages_tab_enabled": True, "messages_tab_read_only_enabled": True}
"""The tab of messages stays on, or Slack refuses the direct message that calls who is on call. Nobody writes there:
nothing would hear it."""


def _command(public_url: str) -> dict[str, Any]:
    """`should_escape`: people and channels come by their ids, as in messages. Over a socket it has no address."""
    shape = {
        "command": COMMAND,
        "description": "My sessions, who waits, away and back",
        "usage_hint": "queue | mine | away | back | find K7Q2 | help",
        "should_escape": True,
    }
    return shape | ({"url": f"{public_url}/slack/commands"} if public_url else {})


def manifest(settings: SlackSettings, public_url: str) -> dict[str, Any]:
    """The app's manifest. `public_url` is the service's address without a slash behind, used with HTTP events only.

    Raises SettingsError where Slack would refuse it: it delivers to HTTPS addresses alone.
    """
    by_http = settings.events == "http"
    if by_http and not public_url.startswith("https://"):
        raise SettingsError(
            "Slack delivers events to HTTPS addresses alone",
            where=f"public_url = {public_url}",
            mend='set public_url to the address that Slack reaches, or use Socket Mode: slack.mode = "socket"',
        )
    interactivity: dict[str, Any] = {"is_enabled": True}
    subscriptions: dict[str, Any] = {"bot_events": sorted((*EVENTS, *(OF_PEOPLE if settings.presence else ())))}
    if by_http:
        interactivity["request_url"] = f"{public_url}/slack/interactions"
        subscriptions["request_url"] = f"{public_url}/slack/events"
    return {
        "display_information": {
            "name": "Kakehashi",
            "description": "Customers' chats, one thread each",
            "long_description": (
                "Kakehashi brings each customer's chat from the website into a thread of its desk's channel. "
                "A reply in the thread goes to the customer; a reply that begins with “note:” stays inside. "
                "The buttons on the first post claim and resolve the session."
            ),
            "background_color": "#1f3a5f",
        },
        "features": {
            "app_home": APP_HOME,
            "bot_user": {"display_name": "kakehashi", "always_online": True},
            "slash_commands": [_command(public_url if by_http else "")],
            "shortcuts": for_manifest(),
        },
        "oauth_config": {"scopes": {"bot": sorted(scopes(settings))}},
        "settings": {
            "event_subscriptions": subscriptions,
            "interactivity": interactivity,
            "org_deploy_enabled": False,
            "socket_mode_enabled": not by_http,
            "token_rotation_enabled": False,
        },
    }
