"""What `doctor` finds of Discord: token, intents, and what the bot may do in each desk's channel. Reads only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from adapters.discord.heard.shape import Given, time_of
from adapters.discord.inward.contents import SWITCH, may_read
from adapters.discord.places.channels import HIDE, Channel, Channels
from adapters.discord.places.forum_tags import ForumTags
from adapters.discord.places.permissions import NEEDS, P, Permission, Server, is_public, may, missing
from adapters.discord.setup.endpoint import endpoint
from adapters.discord.setup.tag_checkup import forum_tags
from adapters.discord.wire.client import RestApi
from adapters.discord.wire.patience import patiently
from bridge.doctor import Finding
from bridge.errors import DeliveryError
from routing.ids import Place
from routing.policy import Policy, no_policy


@dataclass(frozen=True, slots=True)
class Setup:
    """What is looked at: the desks' channels, and our own end of interactions over HTTP."""

    places: Sequence[Place]
    policy: Policy = field(default_factory=no_policy)
    tags: ForumTags | None = None
    public_key: str | None = None
    address: str = ""


async def checkup(api: RestApi, channels: Channels, setup: Setup) -> list[Finding]:
    try:
        told = Given.of(await patiently(lambda: api.get("/applications/@me")), "application")
        user = Given.of(await patiently(lambda: api.get("/users/@me")), "user").id("id", must=True)
    except DeliveryError as error:
        return [Finding("fail", f"Discord does not take the bot token ({error.code})", error.mend)]
    found = [Finding("ok", f"Discord knows the bot as {told.text('name')}")]
    if not may_read(told):
        found.append(Finding("fail", "the bot may not read what operators write", SWITCH))
    found += [one async for one in endpoint(told, setup.public_key, setup.address)]
    here = _Here(api, channels, user, setup)
    return [*found, *[one for place in setup.places for one in await here.place(place)]]


class _Here:
    """The bot, `user`, on its servers."""

    def __init__(self, api: RestApi, channels: Channels, user: str, setup: Setup) -> None:
        self._api = api
        self._channels = channels
        self._user = user
        self._setup = setup

    async def place(self, place: Place) -> list[Finding]:
        try:
            channel = await patiently(lambda: self._channels.look(place))
            server = await patiently(lambda: self._channels.server(channel))
            told = await patiently(lambda: self._api.get(f"/guilds/{server.id}/members/{self._user}"))
            member = Given.of(told, "member")
        except DeliveryError as error:
            return [Finding("fail", f"no thread can be opened in the channel {place} ({error.code})", error.mend)]
        roles = member.ids("roles")
        allowed = may(server, channel.overwrites, self._user, roles)
        return [
            Finding("ok", f"#{channel.name} is {_kind(channel)}"),
            *_lacking(channel, allowed),
            *_silenced(channel, member, allowed),
            *_needless(channel, server, roles),
            *_readers(channel, server, allow_public=self._channels.allow_public),
            *self._tags(channel, allowed),
            *self._personas(channel, allowed),
        ]

    def _tags(self, channel: Channel, allowed: Permission | None) -> Iterator[Finding]:
        if channel.is_forum and self._setup.tags is not None:
            desks = [one for one in self._setup.policy.desks.values() if channel.id in one.places]
            yield from forum_tags(channel, desks, self._setup.tags, allowed)

    def _personas(self, channel: Channel, allowed: Permission | None) -> Iterator[Finding]:
        wanted = any(one.personas for one in self._setup.policy.desks.values() if channel.id in one.places)
        if wanted and allowed is not None and P.MANAGE_WEBHOOKS not in allowed:
            what = f"#{channel.name}: the bot lacks “Manage Webhooks”, so customers' posts do not bear their names"
            yield Finding("warn", what, "switch it on for the bot in the channel's permissions, or personas off")


def _lacking(channel: Channel, allowed: Permission | None) -> Iterator[Finding]:
    """A line for each permission that is missing, with what it is for."""
    for one in missing(allowed, forum=channel.is_forum):
        need = NEEDS[one]
        name = need.named(forum=channel.is_forum)
        what = f"#{channel.name}: the bot lacks “{name}”: it is there to {need.purpose}"
        mend = (
            f"switch “{name}” on for the bot in the channel's permissions (`kakehashi discord invite` asks for it, too)"
        )
        yield Finding("fail" if need.vital else "warn", what, mend)


def _silenced(channel: Channel, member: Given, allowed: Permission | None) -> Iterator[Finding]:
    """Whoever is timed out may look, and nothing else, whatever their roles say; but for administrators."""
    until = member.text("communication_disabled_until")
    if allowed is not None and until and time_of(until) > datetime.now(UTC):
        yield Finding(
            "fail", f"#{channel.name}: the bot is timed out until {until}", "remove its timeout on the server"
        )


def _needless(channel: Channel, server: Server, roles: Sequence[str]) -> Iterator[Finding]:
    if P.ADMINISTRATOR in server.granted(roles):
        mend = "take “Administrator” from its roles: `kakehashi discord invite` asks for what it needs"
        yield Finding("warn", f"#{channel.name}: the bot is an administrator of the server, and needs not be", mend)


def _readers(channel: Channel, server: Server, *, allow_public: bool) -> Iterator[Finding]:
    if not is_public(server, channel.overwrites):
        return
    told = f"everyone can see #{channel.name}: whoever is on the server reads what customers write"
    if allow_public:
        yield Finding("warn", told, f"{HIDE}; then set discord.allow_public_channels = false")
    else:
        yield Finding("fail", f"{told}; nothing is posted there", HIDE)


def _kind(channel: Channel) -> str:
    return "a forum: each session is a post" if channel.is_forum else "a text channel: each session is a thread"
