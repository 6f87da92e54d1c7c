"""What a delivery looks like: whose words they are, in whose dress, with what is said beneath them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from adapters.slack import render
from adapters.slack.outward import attached
from adapters.slack.outward.attached import DeskLink
from adapters.slack.render import Rendered, Wording
from adapters.slack.shown.rewording import reworded
from adapters.slack.wire.client import WebApi
from bridge.directory import Directory
from bridge.networks.bursts import Said
from bridge.networks.names import customer_name, persona
from bridge.networks.retelling import Retelling
from bridge.ports import Delivery, Store
from routing.effects import ReviseMessage
from routing.facts import Side
from routing.ids import OperatorId
from routing.session import Session

PERSONA = "chat:write.customize"
"""The scope with which a customer's posts bear their name. The manifest does not ask for it; it is used if granted."""


class Drawing:
    def __init__(self, api: WebApi, store: Store, directory: Directory, wording: Wording, desk_link: DeskLink) -> None:
        self._api = api
        self._directory = directory
        self._wording = wording
        self._desk_link = desk_link
        self._retelling = Retelling(store, directory, wording)

    def said(
        self, session: Session, delivery: Delivery, side: Side, operator: OperatorId | None, *, named: bool = True
    ) -> tuple[Rendered, ...]:
        if delivery.body is None:
            raise AssertionError("asked for with a body only")
        language = session.language
        if side is Side.CUSTOMER or operator is None:
            speaker = customer_name(delivery.about, language, self._wording)
        else:
            speaker = self._directory.public_name(operator, language)
        persona = side is Side.CUSTOMER and not delivery.body.files and (self._has_personas or not named)
        others = len(delivery.held) + delivery.body.purged
        rendered = render.said(
            side, delivery.body, speaker, language=language, wording=self._wording, persona=persona, others=others
        )
        *before, last = rendered
        return (*before, attached.beneath(last, delivery, self._wording, self._desk_link))

    def reworded(self, delivery: Delivery, effect: ReviseMessage) -> tuple[Rendered, ...]:
        spoken = delivery.session.spoken(effect.message)
        operator = OperatorId(spoken.by) if spoken and spoken.by else None
        *before, last = self.said(delivery.session, delivery, effect.side, operator)
        return (*before, reworded(last, delivery.former, delivery.session.language, self._wording))

    def in_burst(self, delivery: Delivery, said: Said, named: bool) -> Rendered:
        """A customer's message as a part of a post; what was taken back, as that."""
        session = delivery.session
        if said.body is None:
            return render.line(self._wording(session.language, "line.withdrawn"))
        whole = self.said(session, replace(delivery, body=said.body), Side.CUSTOMER, None, named=named)
        rendered = replace(whole[0], blocks=[block for one in whole for block in one.blocks])
        return reworded(rendered, said.former, session.language, self._wording) if said.edited else rendered

    async def history(self, delivery: Delivery) -> tuple[Rendered, ...]:
        """What was said before the mirror began, as it is worded now: all pages, of which `shown_of` are posted."""
        told, language = await self._retelling.told(delivery), delivery.session.language
        return render.history(told, language, self._wording, len(delivery.history) or render.HISTORIES)

    def persona(self, delivery: Delivery, side: Side) -> dict[str, str]:
        if side is not Side.CUSTOMER or not self._has_personas:
            return {}
        return {"username": persona(delivery.about, delivery.session.language, self._wording)}

    @property
    def _has_personas(self) -> bool:
        return PERSONA in self._api.scopes


def shown_of(pages: Sequence[Rendered], most: int = render.HISTORIES) -> range:
    """The numbers of the pages of a history that are posted."""
    return range(max(0, len(pages) - most), len(pages))
