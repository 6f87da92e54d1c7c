"""The address that invites the bot to a server, with what it needs there and no more."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

import aiohttp

from adapters.discord.heard.shape import Given
from adapters.discord.places.permissions import INVITED_WITH
from adapters.discord.wire.client import AGENT
from bridge.errors import KakehashiError, SettingsError
from config.settings import DiscordSettings
from config.values import is_loopback

AUTHORIZE = "https://discord.com/oauth2/authorize"
SCOPES = ("bot", "applications.commands")

PATIENCE = 8.0
"""Seconds."""


def invitation(application: str) -> str:
    asked = {"client_id": application, "scope": " ".join(SCOPES), "permissions": str(int(INVITED_WITH))}
    return f"{AUTHORIZE}?{urlencode(asked)}"


async def application_of(settings: DiscordSettings) -> str:
    """Whose bot the token is of. Raises KakehashiError."""
    if settings.bot_token is None:
        mend = "set it, or name the application: kakehashi discord invite --application ID (page “General Information”)"
        raise SettingsError(
            "without a bot token nobody knows which application it is", where="discord.bot_token", mend=mend
        )
    url = f"{settings.api_url.rstrip('/')}/oauth2/applications/@me"
    headers = {"Authorization": f"Bot {settings.bot_token.get_secret_value()}", "User-Agent": AGENT}
    direct = is_loopback(urlsplit(url).hostname or "")
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(PATIENCE), trust_env=not direct) as session,
            session.get(url, headers=headers) as answer,
        ):
            status, told = answer.status, await answer.json() if answer.status == 200 else None
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise KakehashiError("Discord does not answer", where="discord.api_url", mend="try again") from error
    if status == 401:
        mend = "copy it anew from the page “Bot” of the application"
        raise SettingsError("Discord does not take the bot token", where="discord.bot_token", mend=mend)
    if status != 200:
        raise KakehashiError(f"Discord does not say who we are (HTTP {status})", where=url, mend="try again")
    return Given.of(told, "application").id("id", must=True)
