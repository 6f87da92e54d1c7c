"""Slack's limits, kept by us before Slack has to: beyond them it answers 429, and may drop a post. See
`bridge.networks.pacing` for the line in which whoever is short of tokens waits.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from time import monotonic

from adapters.slack.refs import NAME
from bridge.errors import KakehashiError
from bridge.networks.pacing import PATIENCE, UNNAMED, Bucket, Rate, Urgency
from bridge.ports import Store
from config.settings import SlackRates

HELD = 2.0
"""Seconds for which a turn that has come is kept for its post, which is made at once unless the store is slow."""

TIERS = {
    "conversations.join": 50,
    "conversations.info": 50,
    "conversations.history": 50,
    "conversations.replies": 50,
    "chat.update": 50,
    "chat.delete": 50,
    "reactions.add": 50,
    "reactions.remove": 20,
    "files.delete": 50,
    "chat.postEphemeral": 100,
    "assistant.threads.setStatus": 100,
    "files.getUploadURLExternal": 100,
    "files.completeUploadExternal": 100,
    "files.info": 100,
    "conversations.open": 50,
    "users.getPresence": 50,
    "reactions.get": 50,
    "users.conversations": 50,
    "users.info": 100,
    "users.list": 20,
    "usergroups.list": 20,
    "conversations.list": 20,
    "conversations.members": 100,
    "chat.getPermalink": 100,
    "team.info": 50,
    "bots.info": 50,
    "emoji.list": 20,
    "views.open": 100,
    "views.push": 100,
    "views.update": 100,
    "views.publish": 100,
}
"""Calls a minute, per workspace (Slack's tiers 2 to 4). Every method that we call is here, or in UNPACED."""

UNPACED = frozenset(("auth.test", "apps.connections.open"))
"""Called when the service starts, when a socket is renewed, and by `doctor`: the team is known after the first."""

MARGIN = 0.8
"""How much of a tier we use at once: its minute need not begin with ours."""


class Pacing:
    """All of the app's limits. `team` is known after the first auth.test; before it nothing that is paced is called."""

    def __init__(self, store: Store, rates: SlackRates) -> None:
        self._store = store
        self._rates = rates
        self._buckets: dict[str, Bucket] = {}
        self._held: dict[str, float] = {}
        self.team = ""

    async def admit(
        self, method: str, channel: str, urgency: Urgency, patience: float = PATIENCE, ticket: str = ""
    ) -> None:
        """Return when the call may be made: at once with a `ticket` for which the tokens are held. Raises DeliveryError
        (transient, with the time to come back)."""
        if ticket and self._held.pop(ticket, 0.0) > monotonic():
            return
        self._forget_the_late()
        await self._admitted(method, channel, urgency, None, patience)

    def hold_now(self, ticket: str, method: str, channel: str) -> bool:
        """The same without waiting, where the tokens are at hand."""
        limits = list(self._limits(method, channel))
        if not all(bucket.has_token for bucket in limits):
            return False
        for bucket in limits:
            bucket.take_now()
        self._held[ticket] = monotonic() + HELD
        return True

    async def hold(self, ticket: str, method: str, channel: str, urgency: Urgency, since: int) -> bool:
        """Wait in line, however long, for what this call needs, and keep it for whoever comes with this ticket at once.
        Returns whether there was less than was asked for: the channel is behind.

        `since` (ms since 1970): since when this has waited, here or elsewhere.
        """
        behind = await self._admitted(method, channel, urgency, since, None)
        self._held[ticket] = monotonic() + HELD
        return behind

    def _forget_the_late(self) -> None:
        """Turns for which nobody came: they are in order of coming."""
        while self._held and next(iter(self._held.values())) < monotonic() - HELD:
            self._held.pop(next(iter(self._held)))

    def drop(self, ticket: str) -> None:
        """Nobody comes for it any more. Its tokens are lost, as all that are not used."""
        self._held.pop(ticket, None)

    async def _admitted(
        self, method: str, channel: str, urgency: Urgency, since: int | None, patience: float | None
    ) -> bool:
        """One limit after the other, the narrowest first: a crowd that waits for its channel must not sit on what all
        channels share."""
        behind = False
        for bucket in self._limits(method, channel):
            if not bucket.take_now():
                began = await self._store.now() if since is None else since
                turn = bucket.queue(urgency, began, patience)
                await bucket.wait(turn, patience)
                behind = behind or turn.behind
        return behind

    async def pause(self, method: str, channel: str, seconds: float | None) -> float:
        """Slack answered 429 to this call: nobody makes another before then. Other methods stay usable. Returns the
        seconds to wait, which Slack may not have named."""
        name = self._name(method, channel)
        if name not in self._buckets:
            return seconds or UNNAMED
        waited = self._buckets[name].shut(seconds)
        with suppress(KakehashiError):  # the others learn of it from Slack then; what Slack said here still counts
            await self._store.pause(name, await self._store.now() + round(waited * 1000))
        return waited

    def close(self) -> None:
        for bucket in self._buckets.values():
            bucket.close()

    def _limits(self, method: str, channel: str) -> Iterator[Bucket]:
        if method == "chat.postMessage":
            yield self._bucket(self._name(method, channel), self._in_channel())
            yield self._bucket(f"{NAME}/{self.team}/{method}", self._in_workspace())
        elif method in TIERS:
            yield self._bucket(self._name(method, channel), self._of_tier(TIERS[method]))

    def _name(self, method: str, channel: str) -> str:
        return f"{NAME}/{self.team}/{channel if method == 'chat.postMessage' else method}"

    def _bucket(self, name: str, rate: Rate) -> Bucket:
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._buckets[name] = Bucket(self._store, name, rate)
        return bucket

    def _in_channel(self) -> Rate:
        return Rate(self._rates.posts_per_second, self._rates.burst)

    def _in_workspace(self) -> Rate:
        per_minute = self._rates.posts_per_minute
        return Rate(per_minute / 60, max(1, int(per_minute * MARGIN)))

    def _of_tier(self, per_minute: int) -> Rate:
        calls = per_minute * self._rates.tier_multiplier
        return Rate(calls / 60, max(1, int(calls * MARGIN)))
