"""Who somebody in Slack is to us: an operator, somebody who is not enrolled, or a guest from another workspace."""

from __future__ import annotations

from collections.abc import Callable

from adapters.slack.parse import App, Author
from bridge.networks.enrolment import Enrolment
from routing.ids import MessageId, OperatorId
from routing.session import Session


class People:
    """`app` tells who we are, or raises DeliveryError while that is not known."""

    def __init__(self, enrolment: Enrolment, app: Callable[[], App]) -> None:
        self._enrolment = enrolment
        self._app = app

    def named(self, user: str) -> str:
        """A user of our own workspace, whole: the same id elsewhere is somebody else."""
        return f"{self._app().team}:{user}"

    def is_guest(self, author: Author) -> bool:
        """From another workspace (Slack Connect): they read along, and answer no customer."""
        return not author.belongs_to(self._app().team)

    def operator(self, author: Author, channel: str = "") -> OperatorId | None:
        """Whose words these are; None for whoever may not speak for us in this channel."""
        if self.is_guest(author):
            return None
        return self._enrolment.operator(self.named(author.user), channel, home=True)

    def of(self, user: str, channel: str = "") -> OperatorId | None:
        """The operator that a user of our own workspace is, in this channel."""
        return self.operator(Author(user, frozenset((self._app().team,))), channel)

    def known_as(self, user: str, channel: str, session: Session, message: MessageId) -> OperatorId:
        """As whom they may change a message: what they wrote before they were enrolled stays theirs."""
        return self._enrolment.known_as(self.named(user), self.of(user, channel), session, message)

    async def note_unknown(self, user: str, channel: str) -> None:
        await self._enrolment.note(self.named(user), channel)
