"""Membership: who has left the server, or sees a desk's channel no more, does not answer its customers any more.

Discord tells of it only whoever has the privileged intent for members, which is asked for nothing else. So it is found
by looking, now and then, at each enrolled person alone: whoever saw a channel at the last look and does not now has
left it. Where nobody sees it any more it is the channel that was changed, and not they.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import structlog

from adapters.discord.heard.shape import Given
from adapters.discord.places.channels import Channel, Channels
from adapters.discord.places.permissions import P, Server, may
from adapters.discord.refs import NAME
from adapters.discord.wire.client import RestApi
from adapters.discord.wire.patience import patiently
from bridge.directory import Directory
from bridge.doctor import Finding
from bridge.errors import DeliveryError, KakehashiError
from bridge.networks.enrolment import Enrolment
from bridge.ports import Store
from routing.ids import Place

EVERY = 600.0
"""Seconds between two looks."""

NOBODY = frozenset(("unknown_member", "unknown_user"))
"""What Discord says of who is not on the server (10007), or not there at all (10013)."""

IDLE = 5.0
"""Seconds until it is asked again whether it is this process that looks."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Look:
    """One round: each person is asked about once on each server. None: they are not on it."""

    roles: dict[tuple[str, str], Sequence[str] | None] = field(default_factory=dict)


class Membership:
    """`places` are the desks' channels; `holds`: it is this process that looks."""

    def __init__(
        self,
        api: RestApi,
        store: Store,
        channels: Channels,
        enrolment: Enrolment,
        directory: Directory,
        places: Callable[[], Sequence[Place]],
        holds: Callable[[], bool],
    ) -> None:
        self._api = api
        self._store = store
        self._channels = channels
        self._enrolment = enrolment
        self._directory = directory
        self._places = places
        self._holds = holds
        self._looking = asyncio.Lock()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            if self._holds():
                await self.look()
                await asyncio.sleep(EVERY)
            else:
                await asyncio.sleep(IDLE)

    async def look(self) -> None:
        """Compare each channel with the last look. What cannot be read now is compared the next time."""
        async with self._looking:
            look = _Look()
            for place in self._places():
                try:
                    await self._compare(place, look)
                except KakehashiError as error:
                    _log.info("discord_members_unknown", channel=place, reason=error.what)

    async def _compare(self, place: Place, look: _Look) -> None:
        name = f"{NAME}/members/{place}"
        kept = await self._store.get(name)
        before, now = set(json.loads(kept or "[]")), await self._who_sees(place, look)
        away, seen = self._away(look), {user for user, sees in now.items() if sees}
        lost = before.intersection(now) - seen if seen else before & away
        for user in sorted(lost):
            await self._enrolment.lose(user, place, "left", home=True)
        after = sorted(before.intersection(now) - lost | seen)
        if kept is None or after != sorted(before):
            await self._store.put(name, json.dumps(after))

    def _away(self, look: _Look) -> set[str]:
        """Who is on none of the servers that were looked at."""
        found = {user for (_, user), roles in look.roles.items() if roles is not None}
        return {user for _, user in look.roles} - found

    async def _who_sees(self, place: Place, look: _Look) -> dict[str, bool]:
        """Each person who is linked, and whether they can see the channel. Raises DeliveryError."""
        channel = await patiently(lambda: self._channels.look(place))
        server = await patiently(lambda: self._channels.server(channel))
        return {user: await self._sees(server, channel, user, look) for user in self._users()}

    async def _sees(self, server: Server, channel: Channel, user: str, look: _Look) -> bool:
        if (server.id, user) not in look.roles:
            look.roles[server.id, user] = await self._roles(server, user)
        roles = look.roles[server.id, user]
        if roles is None:
            return False
        allowed = may(server, channel.overwrites, user, roles)
        return allowed is None or P.VIEW_CHANNEL in allowed

    async def _roles(self, server: Server, user: str) -> Sequence[str] | None:
        try:
            told = await patiently(lambda: self._api.get(f"/guilds/{server.id}/members/{user}"))
        except DeliveryError as error:
            if error.code in NOBODY:
                return None
            raise
        return Given.of(told, "member").ids("roles")

    def _users(self) -> Iterator[str]:
        for operator in sorted(self._directory.profiles()):
            yield from self._directory.users_of(operator, NAME)

    # ------------------------------------------------------------------ the check-up

    async def findings(self) -> list[Finding]:
        """Who is linked, and cannot answer anybody. Reads only."""
        users, look = list(self._users()), _Look()
        if not users:
            mend = "kakehashi operators link ACCOUNT USER_ID (“Copy User ID” in their menu)"
            return [Finding("warn", "nobody is linked to Discord: whatever is written there is held", mend)]
        found = {place: sees for place in self._places() if (sees := await self._quietly(place, look)) is not None}
        blind = [user for user in users if found and not any(sees.get(user) for sees in found.values())]
        return [self._blind(user, look) for user in blind]

    async def _quietly(self, place: Place, look: _Look) -> dict[str, bool] | None:
        try:
            return await self._who_sees(place, look)
        except DeliveryError:
            return None  # the channel's own findings name it

    def _blind(self, user: str, look: _Look) -> Finding:
        account = self._directory.account_of(NAME, user) or user
        if user in self._away(look):
            return Finding(
                "warn",
                f"{account} is linked to {user}, who is on no server that has a desk",
                f"invite them, or kakehashi operators unlink {account} {user}",
            )
        mend = "give them, or the operators' role, “View Channel” in a desk's channel"
        return Finding("warn", f"{account} ({user}) sees no desk's channel", mend)
