"""Pagers as a destination of lanes: what a session's effects ask of them goes onto the shelf, in the session's order.

Delivering here is a matter of writing it down. What then rings, and when, is the business of `bridge.pages`, which
brings the pagers in line with the shelf. So a delivery has one outcome, may be made twice, and never waits for a pager.
"""

from __future__ import annotations

from collections.abc import Sequence

from bridge.doctor import Finding, SupportsDoctor
from bridge.errors import DeliveryError, Fault
from bridge.pages import Pages
from bridge.ports import Delivered, Delivery
from routing.effects import ONCALL, AcknowledgePage, EndPage, Page


class OncallNetwork:
    """A `bridge.ports.Network` without places, threads and cards."""

    name = ONCALL

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def start(self) -> None:
        """Pagers are called when there is something to say. A dead one shows in the health pages."""

    async def stop(self) -> None:
        """The pagers stay open: the health pages call them to the last."""

    async def deliver(self, delivery: Delivery) -> Delivered:
        """Write it down. Raises DeliveryError (POISON) for a pager that the settings do not have."""
        effect = delivery.effect
        if isinstance(effect, Page):
            if effect.pager not in self._pages.pagers:
                raise DeliveryError(Fault.POISON, "no_such_pager", mend=f"configure pagers.{effect.pager}")
            await self._pages.ask(effect, delivery.session)
        elif isinstance(effect, AcknowledgePage):
            await self._pages.acknowledge(effect.escalation)
        elif isinstance(effect, EndPage):
            await self._pages.end(effect.escalation)
        else:
            raise DeliveryError(Fault.POISON, "not_for_pagers")
        return Delivered()

    async def find(self, delivery: Delivery) -> list[Delivered]:
        """Nothing to look for: to deliver it again has the same outcome."""
        return []

    async def remove_double(self, delivery: Delivery, double: Delivered) -> None:
        """There is none: an escalation has one entry for each pager, whoever writes it."""

    async def refresh(self, delivery: Delivery) -> None:
        """There are no cards here."""

    def ready(self) -> str | None:
        return None

    async def doctor(self) -> Sequence[Finding]:
        """What each pager says of itself."""
        found: list[Finding] = []
        for pager in self._pages.pagers.values():
            if isinstance(pager, SupportsDoctor):
                found += await pager.doctor()
        return found
