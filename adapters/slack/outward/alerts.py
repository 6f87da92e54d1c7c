"""Alerts on Slack: a session waits, and those who could take it should hear of it.

Names and groups are mentioned in the session's thread, which they then follow. `<!here>` and `<!channel>` are not
relied on in a thread, whose readers need not be the channel's: they stand in the channel, in one line that decides; so
does the line about all who waited for the desk to open.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from adapters.slack.outward.calls import Calls
from adapters.slack.places.history import History, with_effect
from adapters.slack.places.threads import metadata
from adapters.slack.refs import Post
from adapters.slack.render import Rendered, Wording, line
from adapters.slack.wire.client import WebApi
from bridge.networks.attention import Called
from bridge.networks.pacing import Urgency
from bridge.ports import Delivered, Delivery
from routing.effects import AlertDesk
from routing.policy import AlertBy
from routing.session import Session

Whom = Callable[[Session, AlertDesk], Awaitable[Called | None]]
"""See `bridge.networks.attention.Attention.whom`."""


async def everybody_here(session: Session, effect: AlertDesk) -> Called:
    """Where nobody knows who is on."""
    del session
    return Called(effect.by if effect.by is not AlertBy.AVAILABLE else AlertBy.HERE, group=effect.group)


@dataclass(frozen=True, slots=True)
class Told:
    """`text` is in Slack's markup."""

    text: str
    in_channel: bool
    whole_desk: bool = False


class Alerts:
    """`team` is the app's own workspace."""

    def __init__(self, api: WebApi, calls: Calls, wording: Wording, whom: Whom, team: Callable[[], str]) -> None:
        self._api = api
        self._history = History(api)
        self._calls = calls
        self._wording = wording
        self._whom = whom
        self._team = team

    async def told(self, delivery: Delivery, effect: AlertDesk) -> Told | None:
        """What is said, and where; None when nobody is to be called."""
        called = await self._whom(delivery.session, effect)
        if called is None:
            return None
        mention, in_channel = self._mention(called)
        count = {"count": str(called.waiting)} if called.waiting else {}
        words = self._wording(delivery.session.language, f"line.alert_{effect.why}", **count)
        return Told(f"{mention} {words}", in_channel or bool(called.waiting), bool(called.waiting))

    def _mention(self, called: Called) -> tuple[str, bool]:
        """(whom, whether only the channel reaches them)."""
        if called.by is AlertBy.GROUP:
            return f"<!subteam^{called.group}>", False
        users = [user for one in called.operators if (user := self._calls.user(one)) is not None]
        if users:
            return " ".join(f"<@{user}>" for user in users), False
        return ("<!channel>" if called.by is AlertBy.CHANNEL else "<!here>"), True

    async def post(self, delivery: Delivery, told: Told) -> Delivered:
        """A line in the desk's channel."""
        effect, place = delivery.effect, _place(delivery)
        rendered: Rendered = line(told.text) if told.whole_desk else self._calls.one_line(delivery, told.text)
        answer = await self._api.call(
            "chat.postMessage",
            urgency=Urgency.LINE,
            channel=place,
            metadata=metadata(effect.id, delivery.session.id, effect.mirror),
            **rendered.posted,
        )
        return Delivered(posts=(Post(self._team(), answer["channel"], answer["ts"]).ref,))

    async def find(self, delivery: Delivery) -> list[Delivered]:
        """Those that stand in the channel. See `bridge.ports.Network`."""
        place = _place(delivery)
        messages = await self._history.channel(place, delivery.session.opened_at)
        found = with_effect(messages, delivery.effect.id)
        return [Delivered(posts=(Post(self._team(), place, one["ts"]).ref,)) for one in found]


def _place(delivery: Delivery) -> str:
    return next(one.place for one in delivery.session.mirrors if one.number == delivery.effect.mirror)
