"""What `doctor` finds of our commands: whether Discord has them as this release says them."""

from __future__ import annotations

from adapters.discord.controls import slash
from adapters.discord.wire.client import RestApi
from adapters.discord.wire.patience import patiently
from bridge.doctor import Finding
from bridge.errors import DeliveryError
from bridge.networks.card import Wording

_MEND = "start Kakehashi: the process that listens registers them within a minute, and its log says why where it cannot"


async def commands(api: RestApi, application: str, wording: Wording) -> Finding:
    path = f"/applications/{application}/commands"
    try:
        there = await patiently(lambda: api.get(path, with_localizations="true"))
    except DeliveryError as error:
        return Finding("warn", f"nobody could look whether Discord has our commands ({error.code})", error.mend)
    if slash.same(there or [], slash.definitions(wording)):
        return Finding("ok", f"/{slash.COMMAND} and the entries of a message's menu are registered")
    if any(one.get("name") == slash.COMMAND for one in there or []):
        return Finding("warn", f"Discord has another release's /{slash.COMMAND}", _MEND)
    return Finding("warn", f"Discord does not have our commands yet (/{slash.COMMAND})", _MEND)
