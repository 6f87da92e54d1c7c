"""The Events API: who is told what, retries, and what becomes of an app that does not listen."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Literal

from .mischief import Fault, Rule
from .transport import Outcome
from .workspace import Channel, Json

if TYPE_CHECKING:
    from .simulator import SlackSimulator

SCOPE_OF_EVENT = {
    "message.channels": "channels:history", "message.groups": "groups:history", "message.im": "im:history",
    "app_mention": "app_mentions:read", "reaction_added": "reactions:read", "reaction_removed": "reactions:read",
    "file_shared": "files:read", "file_created": "files:read", "file_deleted": "files:read",
    "channel_archive": "channels:read", "channel_unarchive": "channels:read", "channel_rename": "channels:read",
    "channel_created": "channels:read", "channel_deleted": "channels:read",
    "group_archive": "groups:read", "group_unarchive": "groups:read", "group_rename": "groups:read",
}  # fmt: skip
"""The scope without which a subscription stays silent."""
_HOUR = 3_600.0


@dataclass
class Delivery:
    """One event on its way. `attempts` holds each outcome; `sent` and `acknowledged` are time.perf_counter()."""

    event_id: str
    callback: Json
    state: Literal["pending", "acknowledged", "lost"] = "pending"
    attempts: list[Outcome] = field(default_factory=list)
    sent: float = 0.0
    acknowledged: float = 0.0
    number: int = 0

    @property
    def event(self) -> Json:
        event: Json = self.callback["event"]
        return event


class Events:
    """Tells the app what happens, as often as Slack would."""

    def __init__(self, slack: SlackSimulator) -> None:
        self._slack = slack
        self.deliveries: deque[Delivery] = deque(maxlen=50_000)
        self.disabled = False
        self.pending = 0
        """Deliveries that are neither acknowledged nor lost."""
        self._dues: list[float] = []
        self._held: list[Json] = []
        self._tally: deque[tuple[float, bool]] = deque()
        self._failures = 0

    def emit(self, event: Json, channel: Channel | None = None, subscription: str = "") -> None:
        """Send the event if the app subscribed to it, was granted its scope, and is in the channel."""
        if self._is_heard(event, channel, subscription or str(event["type"])):
            self._dispatch(event, channel)

    def _is_heard(self, event: Json, channel: Channel | None, subscription: str) -> bool:
        app = self._slack.workspace.app
        if app.revoked or self.disabled or subscription not in app.events:
            return False
        if SCOPE_OF_EVENT.get(subscription, "") not in app.scopes | {""}:
            return False
        everywhere = subscription.startswith("channel_")  # public news reach every app
        return channel is None or everywhere or app.bot.id in channel.members

    def _dispatch(self, event: Json, channel: Channel | None) -> None:
        rule = self._slack.mischief.for_event(str(event["type"]), event)
        fault = rule.fault if rule else None
        callback = self.callback(event, shared=channel is not None and channel.is_shared)
        if fault is Fault.LOSE_EVENT:
            return
        if fault is Fault.REORDER:
            self._held.append(callback)
            return
        self.send(callback, rule)
        for _ in range(rule.copies if rule and fault is Fault.DUPLICATE else 0):
            self.send(callback | {"event_id": self._slack.workspace.mint("Ev")})
        self.release_held()

    def release_held(self) -> None:
        """Let go what waited to be overtaken."""
        held, self._held = self._held, []
        for callback in reversed(held):
            self.send(callback)

    def callback(self, event: Json, *, shared: bool = False) -> Json:
        """The event in its wrapping, under an event_id of its own."""
        workspace, app = self._slack.workspace, self._slack.workspace.app
        authorization = {"enterprise_id": None, "team_id": workspace.team_id, "user_id": app.bot.id}
        return {
            "token": app.verification_token,
            "team_id": workspace.team_id,
            "context_team_id": workspace.team_id,
            "context_enterprise_id": None,
            "api_app_id": app.id,
            "event": event,
            "type": "event_callback",
            "event_id": workspace.mint("Ev"),
            "event_time": int(time.time()),
            "authorizations": [authorization | {"is_bot": True, "is_enterprise_install": False}],
            "is_ext_shared_channel": shared,
            "event_context": f"4-{workspace.mint('ctx')}",
        }

    def send(self, callback: Json, rule: Rule | None = None) -> Delivery:
        """Start delivering a callback; also for tests that replay or forge one."""
        delivery = Delivery(callback["event_id"], callback)
        delivery.number = self.deliveries[-1].number + 1 if self.deliveries else 1
        self.deliveries.append(delivery)
        self.pending += 1
        self._slack.spawn(self._deliver(delivery, rule))
        return delivery

    async def _deliver(self, delivery: Delivery, rule: Rule | None) -> None:
        try:
            if rule and rule.fault is Fault.DELAY:
                await self._rest(rule.seconds)
            await self._attempts(delivery)
            if rule and rule.fault is Fault.RETRY_ACKED and delivery.state == "acknowledged":
                await self._attempt(delivery, 1, "http_timeout")
        finally:
            self.pending -= 1
            self._slack.happenings.wake()

    async def _attempts(self, delivery: Delivery) -> None:
        """At once, then the retries; each delay counts from the failure before it."""
        reason = ""
        for number, delay in enumerate((0.0, *self._delays())):
            await self._rest(delay)
            outcome = await self._attempt(delivery, number, reason)
            if outcome.ok:
                return
            if outcome.no_retry or self.disabled:
                break
            reason = outcome.reason
        delivery.state = "lost"

    @property
    def resting(self) -> int:
        """How many of the pending deliveries wait for the time of their next attempt."""
        return len(self._dues)

    async def _rest(self, seconds: float) -> None:
        if seconds <= 0:
            return
        due = self._slack.clock.now() + seconds
        self._dues.append(due)
        self._slack.happenings.wake()
        try:
            await self._slack.clock.sleep(seconds)
        finally:
            self._dues.remove(due)

    def _delays(self) -> tuple[float, ...]:
        habits = self._slack.habits
        return habits.retry_delays + ((_HOUR,) * 24 if habits.delayed_events else ())

    async def _attempt(self, delivery: Delivery, number: int, reason: str) -> Outcome:
        delivery.sent = time.perf_counter()
        outcome = await self._slack.transport.attempt("events_api", delivery.callback, number, reason)
        delivery.attempts.append(outcome)
        if outcome.ok and delivery.state == "pending":
            delivery.state, delivery.acknowledged = "acknowledged", time.perf_counter()
        self._count(outcome.ok)
        return outcome

    def _count(self, ok: bool) -> None:
        """Over 95 % failures in an hour disable the subscription, until somebody switches it on again."""
        now = self._slack.clock.now()
        self._tally.append((now, ok))
        self._failures += not ok
        while self._tally[0][0] < now - _HOUR:
            self._failures -= not self._tally.popleft()[1]
        habits, total = self._slack.habits, len(self._tally)
        if total >= habits.disable_minimum and self._failures > habits.disable_above * total:
            self.disabled = True

    def enable(self) -> None:
        """Somebody switches the subscription on again in the app's settings."""
        self.disabled = False
        self._tally.clear()
        self._failures = 0

    async def settled(self, *, leap: bool = False, timeout: float = 60.0) -> None:
        """Return when no event is on its way any more; one lost after all its retries is not.

        With `leap`, Slack's clock leaps to the next retry whenever all that is left waits for one. AssertionError
        when it takes longer than `timeout` real seconds.
        """
        await self._slack.until(lambda: not self.pending or (leap and self._all_rest()), timeout=timeout)
        while self.pending:
            due = min(self._dues)
            self._slack.clock.advance(due - self._slack.clock.now())
            await self._slack.until(partial(self._is_over, due), timeout=timeout)
            await self._slack.until(self._all_rest, timeout=timeout)

    def _is_over(self, due: float) -> bool:
        return due not in self._dues

    def _all_rest(self) -> bool:
        return self.resting == self.pending
