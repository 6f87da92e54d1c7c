"""Cards as they are at this moment: what one needs is read here; what it says and how it looks is elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Container

from adapters.discord import card as drawn
from adapters.discord.refs import NAME
from adapters.discord.render import Rendered
from bridge import card as said
from bridge.card import Action, Title, Wording
from bridge.directory import Directory
from bridge.names import Assignee
from bridge.ports import Delivery, Placed, Store
from routing.ids import OperatorId
from routing.policy import Policy


class Cards:
    """`admin_link` leads to a customer in the site's own admin; empty: it has none. `offers`: what can be done from a
    card."""

    def __init__(
        self,
        store: Store,
        directory: Directory,
        wording: Wording,
        title: Title,
        *,
        policy: Callable[[], Policy],
        admin_link: str = "",
        offers: Container[Action] = frozenset(Action),
    ) -> None:
        self._store = store
        self._directory = directory
        self._wording = wording
        self._title = title
        self._policy = policy
        self._admin_link = admin_link
        self._offers = offers

    async def draw(self, delivery: Delivery) -> Rendered:
        """The card of the delivery's mirror. Raises StoreUnavailableError."""
        session, mirror = delivery.session, delivery.effect.mirror
        here = session.mirror.number == mirror
        content = said.card(
            session,
            delivery.about,
            now=await self._store.now(),
            wording=self._wording,
            title=self._title,
            earlier=await said.past(self._store, session),
            admin_link=self._admin_link,
            here=here,
            check_demanded=self._policy().topic(session.topic).identity_check,
        )

        def assignee(operator: OperatorId) -> Assignee:
            return self._assignee(operator, session.language)

        return drawn.card(
            content,
            Placed(session.id, mirror),
            state=session.state,
            assignee=assignee,
            wording=self._wording,
            moved=not here,
            offers=self._offers,
        )

    def _assignee(self, operator: OperatorId, language: str) -> Assignee:
        """By the public name; somebody of Discord's whom the directory does not know, by mention."""
        if self._directory.get(operator) is None and operator.startswith(f"{NAME}:"):
            return Assignee(user=operator.rpartition(":")[2])
        return Assignee(name=self._directory.public_name(operator, language))
