"""Calls and alerts beyond a session's thread, and where they are made.

`@here` and `@everyone` ring in a thread only whom it has among its members, so they stand in the channel above it; so
does the line about all who waited for the desk to open. A forum has no such place: there they stay in the session's own
post. What is said where nobody sees the thread is one line that decides, and none of the customer's words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from adapters.discord.heard.app import App
from adapters.discord.outward.calls import Calls
from adapters.discord.outward.lines import Lines
from adapters.discord.places.channels import Channel, Channels
from adapters.discord.places.roots import place_of
from adapters.discord.refs import Root
from adapters.discord.render import Rendered, clock
from adapters.discord.text.markup import escape
from bridge.networks.card import Title, Wording
from bridge.ports import Delivered, Delivery
from routing.effects import AlertDesk, CallOperators
from routing.policy import RungKind

Called = AlertDesk | CallOperators


@dataclass(frozen=True, slots=True)
class Told:
    """A line, and the channel that it belongs to; None: the session's thread."""

    rendered: Rendered
    channel: Channel | None = None


class Beyond:
    """`app` tells who we are, or raises DeliveryError while that is not known."""

    def __init__(
        self, lines: Lines, calls: Calls, channels: Channels, wording: Wording, title: Title, app: Callable[[], App]
    ) -> None:
        self._lines = lines
        self._calls = calls
        self._channels = channels
        self._wording = wording
        self._title = title
        self._app = app

    async def told(self, delivery: Delivery, *, directly: bool = True) -> Told | None:
        """What is said, and where; None when nobody is to be called. Not `directly`: who is on call is called at the
        desk. Raises DeliveryError."""
        effect = delivery.effect
        if isinstance(effect, AlertDesk):
            return await self._alert(delivery, effect)
        if not isinstance(effect, CallOperators):
            raise AssertionError("only calls and alerts leave a thread")
        return await self._call(delivery, effect, directly=directly)

    async def _alert(self, delivery: Delivery, effect: AlertDesk) -> Told | None:
        called = await self._calls.called(delivery.session, effect)
        if called is None:
            return None
        rendered = self._calls.alert(delivery.session, effect, called)
        if not (rendered.everyone or called.waiting):
            return Told(rendered)
        channel = await self._above(place_of(delivery))
        if channel is None or called.waiting:
            return Told(rendered, channel)
        return Told(self._one_line(delivery, rendered), channel)

    async def _call(self, delivery: Delivery, effect: CallOperators, *, directly: bool) -> Told:
        rendered, user = self._calls.line(delivery.session, effect), self._calls.user_of(effect)
        if directly and effect.kind is RungKind.ON_CALL and user is not None:
            return Told(self._one_line(delivery, rendered), await self._lines.direct(user))
        if effect.kind not in (RungKind.CHANNEL, RungKind.ON_CALL):
            return Told(rendered)
        named = effect.to_whom if effect.kind is RungKind.CHANNEL else ""
        channel = await self._above(named or place_of(delivery))
        return Told(self._one_line(delivery, rendered), channel) if channel is not None else Told(rendered)

    async def _above(self, place: str) -> Channel | None:
        """The channel, where it takes messages."""
        channel = await self._channels.of(place)
        return None if channel.is_forum else channel

    def _one_line(self, delivery: Delivery, rendered: Rendered) -> Rendered:
        """Which session, since when, the words, and the way there."""
        session = delivery.session
        known = [session.code, escape(session.language), escape(self._title(session.topic, session.language))]
        if session.waiting_since is not None:
            known.append(self._wording(session.language, "call.since", time=clock(session.waiting_since)))
        told = [f"**{' · '.join(known)}**", rendered.content]
        if delivery.thread:
            told.append(f"[{self._wording(session.language, 'call.open')}](<{Root.of(delivery.thread).link}>)")
        return Rendered("\n".join(told), users=rendered.users, roles=rendered.roles, everyone=rendered.everyone)

    async def post(self, delivery: Delivery, told: Told) -> Delivered:
        """Say it in its channel. Raises DeliveryError."""
        if told.channel is None:
            raise AssertionError("what belongs into the thread is said there")
        post = await self._lines.say(delivery.effect.id, told.channel, told.rendered)
        return Delivered(posts=(post.ref,))

    async def find(self, delivery: Delivery) -> list[Delivered]:
        """Those that stand in a channel. See `bridge.ports.Network`."""
        found = await self._lines.find(delivery.effect.id, delivery.session.opened_at, self._app())
        return [Delivered(posts=(post.ref,)) for post in found]
