"""Setbacks: what operators do not see where they work, and how they hear of it.

What a network refuses for ever is set aside, and its session says so: in the thread, where a message is missing, and on
the desk page. What is held up, because of a channel that is archived or a network that does not answer, cannot be said
in that thread: the desk page shows it beside the session for as long as it lasts, and `doctor` counts it.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from bridge.errors import KakehashiError
from bridge.ports import Lane, Store
from bridge.relay import Relay
from routing.effects import (
    CallOperators,
    Effect,
    OpenThread,
    PostHistory,
    PostMessage,
    ReviseMessage,
    WithdrawMessage,
)
from routing.ids import InputKey, NetworkName
from routing.inputs import EffectSetAside
from routing.session import Session

TOLD = (OpenThread, PostMessage, ReviseMessage, WithdrawMessage, PostHistory, CallOperators)
"""What is missed when it is not there. A line of the bridge's own is not: a line about it would fail alike."""

log = structlog.get_logger(__name__)


class Setbacks:
    """A `bridge.lanes.Setbacks`."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    async def set_aside(self, lane: Lane, effect: Effect, code: str) -> None:
        """Have the session say it. Where that fails `outbox list` still shows it."""
        if not isinstance(effect, TOLD):
            return
        message = effect.message if isinstance(effect, PostMessage | ReviseMessage | WithdrawMessage) else None
        change = isinstance(effect, ReviseMessage | WithdrawMessage)
        event = EffectSetAside(effect.mirror, code, message, change)
        try:
            await self._relay.from_bridge(lane.session, event, InputKey(f"aside/{effect.id}"))
        except KakehashiError as error:
            log.warning("setback_not_told", session=lane.session, effect=effect.id, reason=error.what)


@dataclass(frozen=True, slots=True)
class Setback:
    """What is held up. `uncertain`: it may be there already, and is being looked for."""

    network: NetworkName
    code: str
    effects: int
    uncertain: bool

    @property
    def shown(self) -> dict[str, object]:
        """As the desk page takes it, beside the network's name."""
        return {"code": self.code, "effects": self.effects, "uncertain": self.uncertain}


async def standing(store: Store, session: Session) -> Setback | None:
    """What of the session's is held up on the network where it lives now. Raises StoreUnavailableError."""
    lane = await store.lane_states(session.id, session.mirror.network)
    if lane is None or not lane.error:
        return None
    return Setback(session.mirror.network, lane.error, lane.effects, lane.uncertain)
