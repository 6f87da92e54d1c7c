"""Refuges: a thread whose first post meets a place that takes nothing is opened in another one of the desk's pool.
Where there is none, whoever waits goes to the first of the desk's fallbacks that takes posts.

Only what certainly stands nowhere is moved: the place has refused its root. What waits behind the root goes where the
root goes. A thread that is open already stays, since people know it; the built-in desk takes its session over.
"""

from __future__ import annotations

import structlog

from bridge.berths import Berths
from bridge.errors import KakehashiError
from bridge.ports import Delivery, Store
from bridge.relay import Receipt, Relay
from routing.effects import OpenThread
from routing.facts import Mirror
from routing.ids import DeskId, InputKey, Place
from routing.inputs import PlaceLost
from routing.session import Session

log = structlog.get_logger(__name__)


class Refuges:
    """A `bridge.lanes.Refuge`."""

    def __init__(self, store: Store, relay: Relay, berths: Berths) -> None:
        self._store = store
        self._relay = relay
        self._berths = berths

    async def move(self, delivery: Delivery, code: str) -> bool:
        """Whether its root has another place now. Raises nothing: where it fails, the lane waits as any other."""
        effect, session = delivery.effect, delivery.session
        mirror = next((one for one in session.mirrors if one.number == effect.mirror), None)
        if not isinstance(effect, OpenThread) or mirror is None:
            return False
        try:
            desk, to = await self._way(session, mirror)
            if to is None:
                return False
            key = InputKey(f"refuge/{effect.id}/{mirror.place}/{to}/{session.last_at}")
            lost = PlaceLost(mirror.number, mirror.place, to, code, desk)
            answer = await self._relay.from_bridge(session.id, lost, key)
        except KakehashiError as error:
            log.warning("thread_not_moved", session=session.id, place=mirror.place, reason=error.what)
            return False
        log.warning("thread_moved", session=session.id, place=mirror.place, to=to, desk=desk, code=code)
        return isinstance(answer, Receipt)

    async def _way(self, session: Session, mirror: Mirror) -> tuple[DeskId | None, Place | None]:
        """The fallback, if one is to take the session, and the place."""
        to = self._berths.refuge(session, mirror.place)
        if to is not None or mirror.number != session.mirror.number:
            return None, to
        return self._berths.fallback(session, await self._store.now()) or (None, None)
