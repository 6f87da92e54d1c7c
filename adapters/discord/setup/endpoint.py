"""What `doctor` finds of interactions over HTTP: whether key and address fit together, and whether it answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import aiohttp

from adapters.discord.heard.shape import Given
from bridge.doctor import Finding
from config.values import is_loopback

PATIENCE = 5.0
"""Seconds."""

FIELD = "“Interactions Endpoint URL” on the page “General Information”"


async def endpoint(application: Given, public_key: str | None, address: str) -> AsyncIterator[Finding]:
    """`application` as Discord has it; `public_key` and `address` as our settings do."""
    url, key = application.text("interactions_endpoint_url"), application.text("verify_key")
    if public_key is not None and key and public_key.casefold() != key.casefold():
        mend = "copy “Public Key” from the page “General Information”"
        yield Finding("fail", "discord.public_key is not the key of this application", mend)
    if public_key is None and url:
        mend = f"set discord.public_key, or empty {FIELD}: then they come over the gateway"
        yield Finding("fail", f"Discord sends what is pressed to {url}, and nothing takes it here", mend)
    if public_key is not None and not url:
        told = "interactions come over the gateway: Discord has no address for them"
        yield Finding("warn", told, f"write {address} in {FIELD}, or remove discord.public_key")
    if public_key is not None and url:
        yield await _reached(url, address)


async def _reached(url: str, address: str) -> Finding:
    """As Discord itself tries it: what nobody has signed is to be refused."""
    try:
        status = await _forged(url)
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        told = f"the interactions' address {url} does not answer from here ({type(error).__name__})"
        return Finding("warn", told, f"from the internet it has to; this installation's is {address}")
    if status != 401:
        told = f"{url} answers a forged interaction with {status} and not 401: Discord will take it off"
        return Finding("fail", told, f"have it lead to {address}")
    return Finding("ok", f"interactions come to {url}")


async def _forged(url: str) -> int:
    direct = is_loopback(urlsplit(url).hostname or "")
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(PATIENCE), trust_env=not direct) as session,
        session.post(url, data=b"{}", headers={"Content-Type": "application/json"}, allow_redirects=False) as answer,
    ):
        return answer.status
