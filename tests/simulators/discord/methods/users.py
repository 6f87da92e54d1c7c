"""The bot itself, its application, and the gateway's address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulators.discord import intents, shapes
from tests.simulators.discord.guild import Json
from tests.simulators.discord.refusal import Refusal

from .registry import Call, method

if TYPE_CHECKING:
    from tests.simulators.discord.simulator import DiscordSimulator


@method("GET /users/@me")
def get_me(discord: DiscordSimulator, call: Call) -> Json:
    return shapes.me(discord.guild.app.bot)


@method("GET /users/@me/guilds")
def my_guilds(discord: DiscordSimulator, call: Call) -> list[Json]:
    guild = discord.guild
    if guild.bot is None:
        return []
    return [{"id": guild.id, "name": guild.name, "icon": None, "banner": None, "owner": False, "features": [],
             "permissions": str(int(discord.bot_permissions))}]  # fmt: skip


@method("GET /users/{user_id}")
def get_user(discord: DiscordSimulator, call: Call) -> Json:
    user = discord.guild.users.get(call["user_id"])
    if user is None:
        raise Refusal.unknown("User")
    return shapes.user(user)


@method("POST /users/@me/channels", limit=(10, 10.0))
def open_direct(discord: DiscordSimulator, call: Call) -> Json:
    user = discord.guild.users.get(str(call.fields.get("recipient_id")))
    if user is None:
        raise Refusal.unknown("User")
    return shapes.channel(discord.guild.direct_channel(user), discord.guild)


@method("GET /applications/@me")
def application(discord: DiscordSimulator, call: Call) -> Json:
    app = discord.guild.app
    return {
        "id": app.id, "name": app.name, "icon": None, "description": "", "summary": "", "bot_public": False,
        "bot_require_code_grant": False, "verify_key": discord.public_key, "owner": shapes.user(app.owner),
        "team": None,
        "bot": shapes.user(app.bot), "flags": intents.app_flags(app.privileged), "rpc_origins": [], "hook": True,
        "redirect_uris": [], "interactions_endpoint_url": app.interactions_url,
        "role_connections_verification_url": None, "approximate_guild_count": 1, "approximate_user_install_count": 0,
        "integration_types_config": {"0": {}},
    }  # fmt: skip


@method("GET /oauth2/applications/@me")
def oauth_application(discord: DiscordSimulator, call: Call) -> Json:
    return application(discord, call)


@method("PATCH /applications/@me")
def change_application(discord: DiscordSimulator, call: Call) -> Json:
    """Where interactions go is set in the portal here (`use_http`), which looks at the address first."""
    if "interactions_endpoint_url" in call.fields:
        raise Refusal(400, 50035, "Invalid Form Body", errors={
            "interactions_endpoint_url": {"_errors": [{
                "code": "APPLICATION_INTERACTIONS_ENDPOINT_URL_INVALID",
                "message": "The specified interactions endpoint url could not be verified.",
            }]},
        })  # fmt: skip
    return application(discord, call)


@method("GET /gateway/bot")
def gateway_bot(discord: DiscordSimulator, call: Call) -> Json:
    left = discord.gateway.identifies_left
    start = {
        "total": discord.habits.identifies_a_day,
        "remaining": left,
        "reset_after": 86_400_000,
        "max_concurrency": 1,
    }
    return {"url": discord.gateway_url, "shards": 1, "session_start_limit": start}
