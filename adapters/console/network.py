"""The desk as a network. It is our own store: what is committed is on the desk, so delivering is a matter of saying so.

Pages read the journal and hear of changes from the feed. Thread and post references exist so that "reached the desk"
means the same here as on Slack.
"""

from __future__ import annotations

from bridge.ports import Delivered, Delivery
from routing.effects import PostMessage
from routing.ids import NetworkName, PostRef, ThreadRef

NAME = NetworkName("console")


class ConsoleNetwork:
    """A `bridge.ports.Network` whose deliveries cannot fail: there is nothing between us and the page's source."""

    name = NAME

    async def start(self) -> None:
        """Operators' input flows through the desk's own server."""

    async def stop(self) -> None:
        """Nothing is held open here."""

    async def deliver(self, delivery: Delivery) -> Delivered:
        """The same answer for the same effect, however often it is asked for."""
        effect = delivery.effect
        thread = ThreadRef(f"{delivery.session.id}/{effect.mirror}")
        is_shown = isinstance(effect, PostMessage) and delivery.body is not None  # erased words reach nobody
        return Delivered(thread, (PostRef(effect.id),) if is_shown else ())

    async def find(self, delivery: Delivery) -> list[Delivered]:
        """What `deliver` answered, or would have: it has no other outcome."""
        return [await self.deliver(delivery)]

    async def remove_double(self, delivery: Delivery, double: Delivered) -> None:
        """There is none: an effect has one result here, whoever delivers it."""

    async def refresh(self, delivery: Delivery) -> None:
        """The pages draw the card from the session itself."""

    def ready(self) -> str | None:
        return None
