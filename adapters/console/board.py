"""The lists: one row per session, held in memory, rebuilt from the store's lines and kept fresh by the feed.

A row is what the rules know of a session. What a person wants to see beside it (the customer's name, the last line)
is read when a row is shown, and kept as long as the session's head stays the same.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from adapters.console.rows import OPEN, Promise, Row, may_see, row_of, row_of_line
from bridge.directory import Operator
from bridge.messages import Body
from bridge.ports import Line, Store, Stored
from routing.facts import Side
from routing.ids import DeskId, OperatorId, SessionId
from routing.policy import Policy
from routing.session import Session, Spoken, State

LISTS = ("waiting", "mine", "all", "closed")
"""Waiting: nobody has taken it. Mine: taken by me. All: both, of everybody. Closed: resolved or closed."""

SHOWN = 200
"""Rows of one list: more than a person looks through. The counts count all."""

DRESSED = 5_000
"""Rows whose words are kept in memory."""

PREVIEW = 140
"""Characters of the last line in a row."""

READ_AT_ONCE = 64
"""Sessions that are read together when every row has to be looked at."""

_log = structlog.get_logger(__name__)


class Sessions(Protocol):
    """What the desk asks the relay when it only reads. `forgotten` counts how often hints may have been missed."""

    @property
    def forgotten(self) -> int: ...
    async def session(self, session: SessionId) -> Stored | None: ...
    def outdated(self, session: SessionId, head: int) -> None: ...


@dataclass(frozen=True, slots=True)
class _Dress:
    """What is read for showing a row at a certain head."""

    head: int
    name: str
    last: dict[str, object] | None
    incoming: tuple[int, ...]


class Board:
    """All rows of all desks. `load` comes first."""

    def __init__(
        self, store: Store, sessions: Sessions, policy: Callable[[], Policy], promise: Promise | None = None
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._policy = policy
        self._promise = promise or Promise()
        self._rows: dict[SessionId, Row] = {}
        self._counts: Counter[tuple[DeskId, str, str]] = Counter()
        self._over: dict[SessionId, Row] = {}  # those that the desk has taken over
        self._dresses: OrderedDict[SessionId, _Dress] = OrderedDict()
        self._forgotten = 0  # the relay's count when every row was looked at last

    async def load(self) -> None:
        """Read every desk's lines. Desks that the policy has no more are named in the log, while they have sessions."""
        self._forgotten = self._sessions.forgotten
        for line in await self._lines():
            self._put(row_of_line(line, self._policy(), self._promise))
        homeless = Counter(row.desk for row in self._rows.values() if row.desk not in self._policy().desks)
        for desk, count in homeless.items():
            _log.warning("desk_not_in_policy", desk=desk, sessions=count)

    async def behind(self) -> list[SessionId]:
        """Sessions that say something else than the row here: a hint about them was lost."""
        forgotten = self._sessions.forgotten
        moved = await self._moved() if forgotten != self._forgotten else []
        behind = [*moved, *await self._behind_their_lines()]
        self._forgotten = forgotten
        return behind

    async def _moved(self) -> list[SessionId]:
        """Sessions that are further on than their row, whatever their lines say: not every message renews a line."""
        rows, moved = list(self._rows.values()), []
        for start in range(0, len(rows), READ_AT_ONCE):
            some = rows[start : start + READ_AT_ONCE]
            found = await asyncio.gather(*(self._sessions.session(row.session) for row in some))
            heads = [stored.head if stored is not None else -1 for stored in found]
            moved += [row.session for row, head in zip(some, heads, strict=True) if head > row.head]
        return moved

    async def _behind_their_lines(self) -> list[SessionId]:
        """A line comes after its session, so one that is older says nothing."""
        heads = {line.session: line.head for line in await self._lines()}
        vanished = {session: row.head + 1 for session, row in self._rows.items() if session not in heads}
        newer = {session: head for session, head in heads.items() if head > self._head(session)}
        for session, head in {**vanished, **newer}.items():
            self._sessions.outdated(session, head)
        return [*vanished, *newer]

    async def update(self, session: SessionId) -> Row | None:
        """The session's row as the relay knows it now. A closed session's is not kept."""
        stored = await self._sessions.session(session)
        if stored is None:
            return None
        row = self.row(stored)
        self._undress(row)
        if row.head >= self._head(session):
            self._put(row)
        return self._rows.get(session, row)

    def row(self, stored: Stored) -> Row:
        """A session as it stands in a list."""
        return row_of(stored, self._policy(), self._promise)

    def get(self, session: SessionId) -> Row | None:
        return self._rows.get(session)

    def named(self, code: str) -> SessionId | None:
        """An open session by its short code: the board knows it a moment before the index does."""
        return next((row.session for row in self._rows.values() if row.code == code), None)

    def listed(self, name: str, operator: Operator, desk: DeskId | None) -> tuple[list[Row], bool]:
        """The rows of a list of what is open, in order, and whether there are more than are shown."""
        rows = [row for row in self._seen_by(operator, desk) if row.in_list(name, operator.id)]
        rows.sort(key=lambda row: row.rank)
        return rows[:SHOWN], len(rows) > SHOWN

    async def done(self, operator: Operator, desk: DeskId | None) -> tuple[list[Row], bool]:
        """What was resolved or closed last."""
        desks = [one for one in await self._desks() if desk in (None, one) and operator.serves(one)]
        named = await asyncio.gather(*(self._store.closed(one, SHOWN) for one in desks))
        found = await asyncio.gather(*(self._sessions.session(session) for some in named for session in some))
        resolved = [row for row in self._seen_by(operator, desk) if row.state not in OPEN]
        rows = {row.session: row for row in [*resolved, *(self.row(stored) for stored in found if stored)]}
        latest = sorted(rows.values(), key=lambda row: -row.last_at)
        return latest[:SHOWN], len(latest) > SHOWN

    def _seen_by(self, operator: Operator, desk: DeskId | None) -> list[Row]:
        return [row for row in self._rows.values() if desk in (None, row.desk) and may_see(operator, row)]

    def counts(self, operator: Operator) -> dict[str, dict[str, int]]:
        """By desk that the operator serves: how many wait, are theirs, and are open.

        A desk that the policy has no more counts for as long as it has open sessions.
        """
        open_at = {desk for (desk, kind, _), count in self._counts.items() if kind == "open" and count}
        return {
            desk: {
                "waiting": self._counts[desk, "waiting", ""],
                "mine": self._counts[desk, "held", operator.id],
                "all": self._counts[desk, "open", ""],
            }
            for desk in dict.fromkeys((*self._policy().desks, *sorted(open_at)))
            if operator.serves(desk)
        }

    def outages(self, operator: Operator) -> list[dict[str, object]]:
        """Networks that do not answer, as far as it shows in what this operator sees, and since when (ms)."""
        found: dict[str, int] = {}
        for row in self._over.values():
            desk = self._policy().desks.get(row.desk)
            if desk is not None and row.taken_over is not None and may_see(operator, row):
                found[desk.network] = min(found.get(desk.network, row.taken_over), row.taken_over)
        return [{"network": network, "since": since} for network, since in sorted(found.items())]

    def held(self) -> dict[OperatorId, list[Row]]:
        """By operator, what each of them holds."""
        held: dict[OperatorId, list[Row]] = {}
        for row in self._rows.values():
            if row.state in OPEN and row.assignee is not None:
                held.setdefault(row.assignee, []).append(row)
        return held

    def offers(self, operator: OperatorId) -> list[Row]:
        """What somebody is being offered, the first in the queue first."""
        return sorted((row for row in self._rows.values() if row.offered_to(operator)), key=lambda row: row.rank)

    async def shown(self, rows: Iterable[Row]) -> list[dict[str, object]]:
        """The rows as the page takes them, with the customer's name and the last line."""
        rows = list(rows)
        dresses = await asyncio.gather(*map(self._dress, rows))
        return [_as_shown(row, dress) for row, dress in zip(rows, dresses, strict=True)]

    # ------------------------------------------------------------------ the books

    async def _lines(self) -> list[Line]:
        return [line for found in await asyncio.gather(*map(self._store.lines, await self._desks())) for line in found]

    async def _desks(self) -> list[DeskId]:
        """Every desk of the policy, and those that were in it once: somebody may still wait there."""
        return list(dict.fromkeys((*self._policy().desks, *await self._store.desks())))

    def _head(self, session: SessionId) -> int:
        row = self._rows.get(session)
        return row.head if row else -1

    def _put(self, row: Row) -> None:
        before = self._rows.pop(row.session, None)
        self._over.pop(row.session, None)
        if before is not None:
            self._counts.subtract(_tallies(before))
        if row.state is not State.CLOSED:
            self._rows[row.session] = row
            if row.taken_over is not None:
                self._over[row.session] = row
            self._counts.update(_tallies(row))

    def _undress(self, row: Row) -> None:
        """Words of an older head are not shown any more; they may have been erased, and are not kept either."""
        known = self._dresses.get(row.session)
        if known is not None and known.head < row.head:
            del self._dresses[row.session]

    async def _dress(self, row: Row) -> _Dress:
        known = self._dresses.get(row.session)
        if known is not None and known.head == row.head:
            self._dresses.move_to_end(row.session)
            return known
        dress = await self._read(row)
        self._dresses[row.session] = dress
        if len(self._dresses) > DRESSED:
            self._dresses.popitem(last=False)
        return dress

    async def _read(self, row: Row) -> _Dress:
        stored = await self._sessions.session(row.session)
        if stored is None:
            return _Dress(row.head, "", None, ())
        session = stored.session
        if session.erased:  # the fact comes before the deletion: what is still there must not be shown, or kept here
            return _Dress(row.head, "", {"side": "", "by": "", "text": "", "gone": "erased", "files": 0}, ())
        about, last = await asyncio.gather(self._store.about(row.session), self._last(session))
        incoming = tuple(said.at for said in session.recent if said.side is Side.CUSTOMER)
        return _Dress(row.head, about.name, last, incoming)

    async def _last(self, session: Session) -> dict[str, object] | None:
        if not session.recent:
            return None
        said = session.recent[-1]
        body = None if said.withdrawn else (await self._store.bodies(session.id, [(said.message, said.revision)]))[0]
        return _preview(said, body)


def _tallies(row: Row) -> Sequence[tuple[DeskId, str, str]]:
    """What a row adds to the counts of its desk."""
    if row.state not in OPEN:
        return ()
    whose = [(row.desk, "held" if row.assignee else "waiting", row.assignee or "")]
    return (row.desk, "open", ""), *whose, *([(row.desk, "waiting", "")] if row.unattended else ())


def _preview(said: Spoken, body: Body | None) -> dict[str, object]:
    """The last line, cut short: who said it, its first words, or why there are none."""
    gone = "withdrawn" if said.withdrawn else "erased" if body is None else ""
    text = " ".join(body.text[: PREVIEW * 2].split())[:PREVIEW] if body else ""
    return {"side": said.side, "by": said.by, "text": text, "gone": gone, "files": len(body.files) if body else 0}


def _as_shown(row: Row, dress: _Dress) -> dict[str, object]:
    return {
        "session": row.session,
        "code": row.code,
        "desk": row.desk,
        "head": row.head,
        "state": row.state,
        "language": row.language,
        "topic": row.topic,
        "assignee": row.assignee,
        "waiting_since": row.waiting_since,
        "turn": row.turn,
        "until": row.until,
        "presence": row.presence,
        "last_at": row.last_at,
        "verified": row.verified,
        "near_at": row.near_at,
        "past_at": row.past_at,
        "place": row.place if row.waiting_since is not None else None,
        "emergency": row.emergency,
        "escalation": row.escalation,
        "check": row.check,
        "offer": {"operator": row.offer[0], "until": row.offer[1]} if row.offer else None,
        "incident": row.incident,
        "opens_at": row.opens_at,
        "taken_over": row.taken_over,
        "unattended": row.unattended,
        "network": row.network,
        "name": dress.name,
        "last": dress.last,
        "incoming": dress.incoming,
    }
