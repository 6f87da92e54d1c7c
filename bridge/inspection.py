"""Looking into a living installation: what the commands see of the engine, and the answers they give as plain values.

Nothing here holds words: ids, times (ISO 8601, UTC) and the platforms' own error words only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import fields
from typing import Any, Protocol

from bridge.directory import Directory
from bridge.doctor import Finding
from bridge.errors import KakehashiError
from bridge.files import Files
from bridge.ports import LaneState, Network, Store, Stored
from bridge.relay import Relay
from bridge.takeovers import SPACE
from bridge.transcript import moment
from routing.facts import Fact
from routing.ids import NetworkName, OperatorId, SessionId, partition_in, read_code
from routing.policy import Policy
from routing.session import State
from routing.timers import timers

NO_ADAPTER = "no adapter configured"
NO_ADAPTER_MEND = "put its settings back, or give the effects up with `kakehashi outbox discard`"


class NotFoundError(KakehashiError):
    """What was asked for is not there."""


class Engine(Protocol):
    """An engine that is connected and delivers nothing itself: what `bridge.main.inspect` opens for one command."""

    @property
    def store(self) -> Store: ...
    @property
    def relay(self) -> Relay: ...
    @property
    def directory(self) -> Directory: ...
    @property
    def networks(self) -> Mapping[NetworkName, Network]:
        """Not started."""
        ...

    @property
    def files(self) -> Files: ...
    @property
    def checks(self) -> Sequence[Finding]:
        """What connecting to the store has found out about it."""
        ...

    def policy(self) -> Policy: ...
    async def hash_password(self, password: str, account: str) -> str:
        """What is kept of an operator's password. Raises KakehashiError for one that will not do."""
        ...

    async def sign_in_link(self, operator: OperatorId) -> str:
        """A link that signs this operator in once, for a quarter of an hour."""
        ...


async def find(store: Store, name: str) -> Stored:
    """The session of a short code, in either case and width, or of a session id. Raises NotFoundError."""
    code = read_code(name)
    session = await store.session_by_code(code) if code is not None else None
    stored = await store.load(session or SessionId(name)) if session or _is_session_id(name) else None
    if stored is None:
        raise NotFoundError(f"there is no session {name}", mend="see `kakehashi sessions list --state any`")
    return stored


def _is_session_id(name: str) -> bool:
    try:
        return partition_in(SessionId(name)) >= 0
    except ValueError:
        return False


async def why(engine: Engine, stored: Stored) -> dict[str, Any]:
    """Where a session stands and what it waits for: last fact, pending effects, leases, next deadline."""
    session, store = stored.session, engine.store
    journal = await store.journal(session.id, max(stored.head - 1, 0))
    due = timers(session, engine.policy())
    first = min(due, key=lambda name: due[name], default=None)
    return {
        "code": session.code,
        "session": session.id,
        "state": session.state,
        "turn": session.turn.of,
        "customer_is": session.presence,
        "assignee": session.assignee,
        "last_fact": described(journal[-1].fact) if journal else None,
        "pending": [pending(state) for state in await _lanes(engine, session.id)],
        "leases": [await _lease(store, to, session.id) for to in await destinations(engine)],
        "next_deadline": None if first is None else {"timer": first, "at": moment(due[first])},
    }


async def _lanes(engine: Engine, session: SessionId) -> list[LaneState]:
    states = [await engine.store.lane_states(session, to) for to in await destinations(engine)]
    return [state for state in states if state is not None]


async def _lease(store: Store, to: NetworkName, session: SessionId) -> dict[str, Any]:
    name = f"{to}@{partition_in(session)}"
    holder, term, until = await store.holder(name)
    held = bool(holder) and until > await store.now()
    return {"lease": name, "holder": holder if held else None, "term": term}


def pending(state: LaneState) -> dict[str, Any]:
    """A lane with something in it."""
    head = state.head
    return {
        "session": state.lane.session,
        "to": state.lane.to,
        "effects": state.effects,
        "first": None if head is None else type(head).__name__,
        "effect": None if head is None else head.id,
        "attempts": state.attempts,
        "error": state.error or None,
        "due": moment(state.due) if state.due else None,
        "set_aside": state.aside,
    }


async def destinations(engine: Engine) -> list[NetworkName]:
    """Every network that may have lanes: those of the settings, then those that were taken out of them."""
    return [*engine.networks, *await unserved(engine)]


async def unserved(engine: Engine) -> list[NetworkName]:
    """Networks that lanes were made for, and that the settings have no more."""
    return [to for to in await engine.store.destinations() if to not in engine.networks]


async def outbox(engine: Engine) -> list[dict[str, Any]]:
    """Every lane that is stuck, and every effect that was set aside, with the session's code.

    Of a network without an adapter every lane that holds something is stuck.
    """
    found = []
    for to in await destinations(engine):
        served = to in engine.networks
        for state in await engine.store.stuck_lanes(to, waiting=not served):
            stored = await engine.store.load(state.lane.session)
            trouble = {} if served else {"error": NO_ADAPTER, "mend": NO_ADAPTER_MEND}
            found.append({"code": stored.session.code if stored else None} | pending(state) | trouble)
    return found


async def neglected(engine: Engine) -> list[Finding]:
    """What waits where nobody looks: for networks that have no adapter, at desks that the policy does not have."""
    found = [*await _waiting_for_no_adapter(engine), *await _held_up(engine), *await _at_no_desk(engine)]
    return [*found, *await _taken_over(engine)]


async def _held_up(engine: Engine) -> list[Finding]:
    """What operators do not see where they work: sessions whose lane has failed, and what was set aside."""
    findings = []
    for to in engine.networks:
        reasons = Counter((state.error or "unknown", state.aside) for state in await engine.store.stuck_lanes(to))
        for (code, aside), count in sorted(reasons.items()):
            what = f"{to}: {'set aside' if aside else 'sessions held up'}: {count} ({code})"
            mend = "see `kakehashi outbox list`" if aside else "it goes on by itself once that is mended"
            findings.append(Finding("warn", what, mend))
    return findings


async def _waiting_for_no_adapter(engine: Engine) -> list[Finding]:
    findings = []
    for to in await unserved(engine):
        waiting = {state.lane.session for state in await engine.store.stuck_lanes(to, waiting=True)}
        if waiting:
            what = f"{to}: {NO_ADAPTER}; sessions with something waiting for it: {len(waiting)}"
            findings.append(Finding("warn", what, NO_ADAPTER_MEND))
    return findings


async def _taken_over(engine: Engine) -> list[Finding]:
    """Sessions that the built-in desk answers, because their network takes nothing."""
    since: dict[str, list[int]] = {}
    for name, at in (await engine.store.shelf(SPACE)).items():
        since.setdefault(name.split("/")[1], []).append(int(at))
    return [
        Finding(
            "warn",
            f"{network} has taken nothing since {moment(min(times))}; sessions answered at the desk: {len(times)}",
            "see `kakehashi outbox list` for why; they go back by themselves",
        )
        for network, times in since.items()
    ]


async def _at_no_desk(engine: Engine) -> list[Finding]:
    findings = []
    for desk in await engine.store.desks():
        left = 0 if desk in engine.policy().desks else len(await engine.store.lines(desk))
        if left:
            what = f"desk {desk} is not in the policy; its sessions that are not closed: {left}"
            mend = "is `kakehashi up` running? It hands them to the desks that would take them now"
            findings.append(Finding("warn", what, mend))
    return findings


async def sessions(store: Store, state: str, limit: int) -> list[dict[str, Any]]:
    """The newest sessions in a state, `open` (not closed) or `any`; newest first."""
    chosen = [stored async for stored in _every(store) if _in(stored, state)]
    chosen.sort(key=lambda stored: stored.session.opened_at, reverse=True)
    return [listed(stored) for stored in chosen[:limit]]


async def _every(store: Store) -> AsyncIterator[Stored]:
    async for session in store.sessions():
        stored = await store.load(session)
        if stored is not None:
            yield stored


def _in(stored: Stored, state: str) -> bool:
    now = stored.session.state
    return state == "any" or (now is not State.CLOSED if state == "open" else now == state)


def listed(stored: Stored) -> dict[str, Any]:
    """A session in one line."""
    session = stored.session
    return {
        "code": session.code,
        "session": session.id,
        "state": session.state,
        "desk": session.desk,
        "topic": session.topic,
        "language": session.language,
        "assignee": session.assignee,
        "messages": session.messages,
        "opened": moment(session.opened_at),
        "last": moment(session.last_at),
        "waiting_since": moment(session.waiting_since),
        "erased": session.erased,
    }


async def shown(store: Store, stored: Stored) -> dict[str, Any]:
    """A session with its whole journal; no words."""
    entries = await store.journal(stored.session.id)
    threads = await store.threads(stored.session.id)
    mirrors = [
        {
            "number": mirror.number,
            "network": mirror.network,
            "place": mirror.place,
            "thread": threads.get(mirror.number),
        }
        for mirror in stored.session.mirrors
    ]
    return listed(stored) | {"mirrors": mirrors, "journal": [described(entry.fact) for entry in entries]}


def described(fact: Fact) -> dict[str, Any]:
    """A fact as it is, with its time for people."""
    rest = {field.name: getattr(fact, field.name) for field in fields(fact) if field.name not in ("at", "raw")}
    return {"at": moment(fact.at), "fact": type(fact).__name__} | {key: _plain(value) for key, value in rest.items()}


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int) else str(value)
