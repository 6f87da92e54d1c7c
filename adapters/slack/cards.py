"""Cards as they are at this moment: what one needs is read here; what it says and how it looks is elsewhere."""

from __future__ import annotations

from collections.abc import Callable

from adapters.slack import card as drawn
from adapters.slack.refs import NAME
from adapters.slack.render import Rendered
from bridge import card as said
from bridge.card import Title, Wording
from bridge.directory import Directory
from bridge.names import Assignee
from bridge.ports import Delivery, Placed, Store
from routing.ids import OperatorId
from routing.policy import Policy


class Cards:
    """`admin_link` leads to a customer in the site's own admin; empty: it has none."""

    def __init__(
        self,
        store: Store,
        directory: Directory,
        wording: Wording,
        title: Title,
        *,
        policy: Callable[[], Policy],
        admin_link: str = "",
    ) -> None:
        self._store = store
        self._directory = directory
        self._wording = wording
        self._title = title
        self._policy = policy
        self._admin_link = admin_link

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

        placed = Placed(session.id, mirror)
        return drawn.card(content, placed, assignee=assignee, wording=self._wording, moved=not here)

    def _assignee(self, operator: OperatorId, language: str) -> Assignee:
        """By the public name; somebody of Slack's whom the directory does not know, by their Slack name."""
        if self._directory.get(operator) is None and operator.startswith(f"{NAME}:"):
            return Assignee(user=operator.rpartition(":")[2])
        return Assignee(name=self._directory.public_name(operator, language))
