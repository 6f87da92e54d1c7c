"""Cards as they are at this moment: what one needs is read here; what it says, and how it looks, is elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from bridge.directory import Directory
from bridge.networks import card
from bridge.networks.card import Card, Title, Wording
from bridge.networks.names import Assignee
from bridge.ports import Delivery, Placed, Store
from routing.ids import NetworkName, OperatorId
from routing.policy import Policy
from routing.session import State

Drawn = TypeVar("Drawn")


@dataclass(frozen=True, slots=True)
class Current:
    """A card to be drawn. `moved`: the session lives in another thread now. `assignee` tells how an operator is called
    on it."""

    content: Card
    placed: Placed
    state: State
    moved: bool
    assignee: Callable[[OperatorId], Assignee]


class Cards(Generic[Drawn]):
    """Of one network. `admin_link` leads to a customer in the site's own admin; empty: it has none. `drawing` makes of
    a card what the network takes."""

    def __init__(
        self,
        store: Store,
        directory: Directory,
        network: NetworkName,
        wording: Wording,
        title: Title,
        *,
        policy: Callable[[], Policy],
        drawing: Callable[[Current], Drawn],
        admin_link: str = "",
    ) -> None:
        self._store = store
        self._directory = directory
        self._network = network
        self._wording = wording
        self._title = title
        self._policy = policy
        self._drawing = drawing
        self._admin_link = admin_link

    async def draw(self, delivery: Delivery) -> Drawn:
        """The card of the delivery's mirror. Raises StoreUnavailableError."""
        session, mirror = delivery.session, delivery.effect.mirror
        here = session.mirror.number == mirror
        content = card.card(
            session,
            delivery.about,
            now=await self._store.now(),
            wording=self._wording,
            title=self._title,
            earlier=await card.past(self._store, session),
            admin_link=self._admin_link,
            here=here,
            check_demanded=self._policy().topic(session.topic).identity_check,
        )

        def assignee(operator: OperatorId) -> Assignee:
            return self._assignee(operator, session.language)

        return self._drawing(Current(content, Placed(session.id, mirror), session.state, not here, assignee))

    def _assignee(self, operator: OperatorId, language: str) -> Assignee:
        """By the public name; a user of the network's whom the directory does not know, by their name there."""
        if self._directory.get(operator) is None and operator.startswith(f"{self._network}:"):
            return Assignee(user=operator.rpartition(":")[2])
        return Assignee(name=self._directory.public_name(operator, language))
