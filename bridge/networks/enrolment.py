"""Enrolment: which of a network's users may speak as an operator, and who wrote without being one.

The directory knows whose user is whose; this keeps beside it what ends that in a place, and what an administrator
should hear of. Both stand in the store, so that every process and the command line see the same.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Sequence
from time import monotonic

import structlog

from bridge.directory import Directory
from bridge.doctor import Finding
from bridge.ports import Store
from routing.ids import MessageId, NetworkName, OperatorId
from routing.session import Session

NOTED_FOR = 3_600.0
"""Seconds between two records of one and the same person who is not enrolled."""

REMEMBERED = 1_000

_log = structlog.get_logger(__name__)


class Enrolment:
    """Of one network. A user is named as the adapter names them: Slack's `team:user`."""

    def __init__(self, store: Store, directory: Directory, network: NetworkName) -> None:
        self._store = store
        self._directory = directory
        self._network = network
        self._noted: OrderedDict[str, float] = OrderedDict()

    def operator(self, user: str, place: str, *, home: bool) -> OperatorId | None:
        """Who this is, in a thread of this place; None for whoever may not speak for us there."""
        return self._directory.by_network_user(self._network, user, place=place, home=home)

    def known_as(self, user: str, operator: OperatorId | None, session: Session, message: MessageId) -> OperatorId:
        """As whom this user may change a message: what they wrote before they were enrolled stays theirs."""
        recorded = OperatorId(f"{self._network}:{user}")
        spoken, held = session.spoken(message), session.held(message)
        if recorded in (spoken.by if spoken else "", held.by if held else ""):
            return recorded
        return operator or recorded

    async def note(self, user: str, place: str) -> None:
        """Somebody wrote who is not enrolled: `doctor` names them. Seldom written, however much they write."""
        if self._noted.get(user, 0.0) > monotonic():
            return
        self._noted[user] = monotonic() + NOTED_FOR
        if len(self._noted) > REMEMBERED:
            self._noted.popitem(last=False)
        record = json.dumps({"place": place, "at": await self._store.now()})
        await self._store.put(f"{_space(self._network)}/{user}", record)
        _log.warning("not_enrolled", network=self._network, user=user, place=place)

    async def lose(self, user: str, place: str, why: str, *, home: bool) -> None:
        """They have lost the place (empty: the network), and do not speak there any more until they are linked anew."""
        operator = self._directory.by_network_user(self._network, user, place=place, home=home)
        if operator is None:
            return
        await self._directory.lose(self._network, user, place, why)
        _log.warning("enrolment_ended", network=self._network, user=user, operator=operator, place=place, why=why)

    async def findings(self) -> Sequence[Finding]:
        """What an administrator should do about it."""
        await self._directory.refresh()
        found = [self._unknown(name.rpartition("/")[2]) for name in await self._store.shelf(_space(self._network))]
        for loss in self._directory.losses(self._network):
            account = self._directory.account_of(self._network, loss.user)
            where = f"has left {loss.place}" if loss.place else f"is not on {self._network} with us any more"
            told = f"{account or loss.user} {where}: what they write there is held"
            mend = f"if they may reply again: kakehashi operators link {account or 'ACCOUNT'} {loss.user}"
            found.append(Finding("warn", told, mend))
        return [one for one in found if one is not None]

    def _unknown(self, user: str) -> Finding | None:
        if self._directory.account_of(self._network, user):
            return None
        told = f"{user} has written in {self._network} and is not enrolled: it was held"
        return Finding("warn", told, f"if they are an operator: kakehashi operators link ACCOUNT {user}")


def _space(network: NetworkName) -> str:
    return f"not-enrolled-{network}"
