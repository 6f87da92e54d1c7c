"""Who somebody on Discord is to us: an operator, or somebody who is not enrolled.

A user's id is the same on every server, so it names them by itself.
"""

from __future__ import annotations

from bridge.networks.enrolment import Enrolment
from routing.ids import MessageId, OperatorId
from routing.session import Session


class People:
    def __init__(self, enrolment: Enrolment) -> None:
        self._enrolment = enrolment

    def operator(self, user: str, place: str = "") -> OperatorId | None:
        """Whose words these are; None for whoever may not speak for us in this place."""
        return self._enrolment.operator(user, place, home=True)

    def known_as(self, user: str, place: str, session: Session, message: MessageId) -> OperatorId:
        """As whom they may change a message: what they wrote before they were enrolled stays theirs."""
        return self._enrolment.known_as(user, self.operator(user, place), session, message)

    async def note_unknown(self, user: str, place: str) -> None:
        await self._enrolment.note(user, place)
