"""The roster: an operator's own work at one glance, whatever network they look from.

What they hold, who waits at their desks, how they stand, and the figures of today. All of it is read at the moment of
asking: from the desks' lists (see `bridge.views`), the operators' records and the milestones. Nothing is kept here but
copies, which are brought up to date by what has changed; whoever acts on a row has `decide` verify it.

Names of customers are in it, so an answer is for the operator's own eyes: shown to them alone.
"""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from typing import Any

from bridge.availability import Availability
from bridge.directory import Directory
from bridge.index import listed
from bridge.ports import Line, Store, Stored
from bridge.setbacks import Setback
from bridge.setbacks import standing as standing_of
from bridge.team import urgency
from bridge.views import summary
from routing.availability import Standing
from routing.figures import Figures, Milestone, figures
from routing.ids import (
    CustomerKey,
    DeskId,
    NetworkName,
    OperatorId,
    Place,
    SessionId,
    ShortCode,
    ThreadRef,
    Topic,
    read_code,
)
from routing.policy import MINUTE, Desk, Policy, Promised
from routing.queue import Waiting, order
from routing.session import State, TurnOf

SHOWN = 20
"""Sessions of a list that are looked up with names and threads; the rest are counted."""

FOUND = 5
"""Sessions of one customer in an answer, the latest ones."""

WHOLE_EVERY = 10 * MINUTE
"""ms between two readings of a whole day: whatever came late, it is in the figures then."""

LATE = 2 * MINUTE
"""ms for which a milestone may come after its moment: lists are drawn some seconds after their commits."""


@dataclass(frozen=True, slots=True)
class Row:
    """A session in one line. Times are ms since 1970 (UTC). `urgency`: `past` a promise, `near` one, or neither.
    `thread` is where it lives now, on `network`; None while it has no root yet. `setback` is what is held up on the way
    there, `unreached` that our latest reply has not reached a customer who left."""

    session: SessionId
    code: ShortCode
    desk: DeskId
    topic: Topic
    language: str
    state: State
    turn: TurnOf
    until: int | None = None
    waiting_since: int | None = None
    urgency: str = ""
    offered: bool = False
    name: str = ""
    network: NetworkName | None = None
    thread: ThreadRef | None = None
    setback: Setback | None = None
    unreached: bool = False


@dataclass(frozen=True, slots=True)
class Queue:
    """A desk's waiting sessions, the first to be served first; `count` of them, of which `rows` are shown."""

    desk: DeskId
    count: int
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Day:
    """A desk's figures since midnight there, of the day `date`. `promises`: it promises a first response at all."""

    desk: DeskId
    date: str
    figures: Figures
    promises: bool


@dataclass(frozen=True, slots=True)
class Sheet:
    """All of it. `mine` are those that are held and those that are offered to them; `held` counts the former."""

    operator: OperatorId
    language: str
    now: int
    standing: Standing
    languages: tuple[str, ...]
    mine: tuple[Row, ...]
    more: int
    held: int
    queues: tuple[Queue, ...]
    days: tuple[Day, ...]
    done: Figures


@dataclass(slots=True)
class _Lines:
    """A desk's list as it was read last."""

    mark: int = -1
    lines: dict[SessionId, Line] = field(default_factory=dict)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(slots=True)
class _Passed:
    """A desk's milestones since `since`, read at `at`, and as a whole at `whole_at`."""

    since: int
    at: int
    whole_at: int
    milestones: set[Milestone]


class Roster:
    """`site` is the installation's name, for customers' accounts; `zone` gives a desk's time zone."""

    def __init__(
        self,
        store: Store,
        directory: Directory,
        policy: Callable[[], Policy],
        availability: Availability,
        *,
        site: str = "main",
        zone: Callable[[DeskId], tzinfo] = lambda _desk: UTC,
    ) -> None:
        self._store = store
        self._directory = directory
        self._policy = policy
        self.availability = availability
        self._site = site
        self.zone = zone
        self._lines: dict[DeskId, _Lines] = {}
        self._passed: dict[DeskId, _Passed] = {}

    # ------------------------------------------------------------------ who asks

    def knows(self, operator: OperatorId) -> bool:
        """Whether this is an operator of ours; a stranger has no desks."""
        return operator in self._policy().operators

    def desks(self, operator: OperatorId) -> list[Desk]:
        """Those that they serve, in the policy's order, and whose places they have not left."""
        policy = self._policy()
        profile = policy.operators.get(operator)
        mine = [desk for desk in policy.desks.values() if profile is not None and profile.works_at(desk.id)]
        return [desk for desk in mine if not self._has_left(operator, desk)]

    def _has_left(self, operator: OperatorId, desk: Desk) -> bool:
        lost = self._directory.lost_by(operator, desk.network)
        return bool(lost) and all(place in lost for place in desk.places)

    def language(self, operator: OperatorId) -> str:
        """The language to speak to them in: the one that they speak best, else that of their name or their desk."""
        account, profile = self._directory.get(operator), self._policy().operators.get(operator)
        spoken = profile.languages if profile else {}
        desks = [tag for desk in self.desks(operator) for tag in desk.languages]
        names = list(profile.names) if profile and len(profile.names) == 1 else []
        best = sorted(spoken, key=lambda tag: -spoken[tag])
        return next(iter([*(account.languages if account else ()), *best, *names, *desks]), "en")

    def place(self, desk: DeskId, network: NetworkName) -> Place | None:
        """Where a desk lives on a network, if it does."""
        known = self._policy().desks.get(desk)
        return known.place if known is not None and known.network == network else None

    # ------------------------------------------------------------------ the sheet

    async def sheet(self, operator: OperatorId, shown: int = SHOWN) -> Sheet:
        """Everything, with at most `shown` rows in each list. Raises StoreUnavailableError."""
        desks, now = self.desks(operator), await self._store.now()
        lines = await asyncio.gather(*(self._read(desk.id) for desk in desks))
        days = await asyncio.gather(*(self._day(desk, now) for desk in desks))
        known = [line for some in lines for line in some.values()]
        mine = sorted((one for one in known if listed(one).occupies == operator), key=_first_owed)
        queues = [self._queue(desk.id, some, shown) for desk, some in zip(desks, lines, strict=True)]
        rows = await self._rows([*mine[:shown], *(line for _, _, some in queues for line in some)], operator, now)
        return Sheet(
            operator=operator,
            language=self.language(operator),
            now=now,
            standing=await self.availability.of(operator),
            languages=tuple(self._policy().operators[operator].languages) if self.knows(operator) else (),
            mine=tuple(rows[one.session] for one in mine[:shown]),
            more=max(0, len(mine) - shown),
            held=sum(one.summary.get("state") == State.ASSIGNED for one in mine),
            queues=tuple(Queue(desk, count, tuple(rows[one.session] for one in some)) for desk, count, some in queues),
            days=tuple(day for day, _ in days),
            done=figures([one for _, passed in days for one in passed], 0, operator),
        )

    async def next_for(self, operator: OperatorId, passed: Collection[SessionId] = ()) -> SessionId | None:
        """Who is to be served next at their desks, of all whom nobody else is being offered, but for `passed`."""
        lines = await asyncio.gather(*(self._read(desk.id) for desk in self.desks(operator)))
        waiting = [one for some in lines for one in self._waiting(some)]
        free = [one for one in waiting if one.offered_to in (None, operator) and one.session not in passed]
        return order(free, self._policy())[0].session if free else None

    def _queue(self, desk: DeskId, lines: Mapping[SessionId, Line], shown: int) -> tuple[DeskId, int, list[Line]]:
        waiting = order(self._waiting(lines), self._policy())
        return desk, len(waiting), [lines[one.session] for one in waiting[:shown]]

    def _waiting(self, lines: Mapping[SessionId, Line]) -> list[Waiting]:
        """All who wait at an open desk."""
        rows = map(listed, lines.values())
        return [row.waiting for row in rows if row.waiting is not None and not row.waiting.closed]

    async def _read(self, desk: DeskId) -> Mapping[SessionId, Line]:
        reading = self._lines.setdefault(desk, _Lines())
        async with reading.turn:
            news = await self._store.line_news(desk, reading.mark)
            before = {} if news.whole else reading.lines
            gone = set(news.gone)
            reading.lines = {one: line for one, line in before.items() if one not in gone}
            reading.lines |= {line.session: line for line in news.lines}
            reading.mark = news.mark
            return reading.lines

    # ------------------------------------------------------------------ rows

    async def _rows(self, lines: Sequence[Line], operator: OperatorId, now: int) -> dict[SessionId, Row]:
        rows = await asyncio.gather(*(self._row(line, operator, now) for line in lines))
        return {row.session: row for row in rows}

    async def _row(self, line: Line, operator: OperatorId, now: int, stored: Stored | None = None) -> Row:
        known: Mapping[str, Any] = line.summary
        stored = stored or await self._store.load(line.session)
        row = Row(
            session=line.session,
            code=line.code,
            desk=line.desk,
            topic=Topic(known.get("topic") or ""),
            language=known.get("language") or "",
            state=State(known["state"]),
            turn=TurnOf(known.get("turn") or TurnOf.OURS),
            until=known.get("until"),
            waiting_since=known.get("waiting_since"),
            urgency=urgency(known, now),
            offered=(known.get("offer") or {}).get("operator") == operator,
        )
        if stored is None:
            return row
        mirror = stored.session.mirror
        about, threads, setback = await asyncio.gather(
            self._store.about(line.session),
            self._store.threads(line.session),
            standing_of(self._store, stored.session),
        )
        return replace(
            row,
            name=about.name,
            network=mirror.network,
            thread=threads.get(mirror.number),
            setback=setback,
            unreached=stored.session.unreached is not None,
        )

    async def find(self, operator: OperatorId, sought: str) -> list[Row]:
        """The session of a code, else a customer's latest ones by their account; at the operator's desks only."""
        code = read_code(sought)
        named = await self._store.session_by_code(code) if code is not None else None
        sessions = [named] if named is not None else await self._sessions_of(sought)
        stored = [one for one in await asyncio.gather(*map(self._store.load, sessions[-FOUND:])) if one is not None]
        mine = {desk.id for desk in self.desks(operator)}
        now, policy = await self._store.now(), self._policy()
        lines = [
            (Line(one.session.id, one.session.code, one.session.desk, one.head, summary(one.session, policy)), one)
            for one in reversed(stored)
            if one.session.desk in mine
        ]
        return list(await asyncio.gather(*(self._row(line, operator, now, one) for line, one in lines)))

    async def _sessions_of(self, account: str) -> list[SessionId]:
        """An account is the site's own word: as it was typed, or in its usual width."""
        typed = account.strip()
        for name in dict.fromkeys((typed, unicodedata.normalize("NFKC", typed))):
            found = await self._store.sessions_of(CustomerKey(self._site, name)) if name else []
            if found:
                return found
        return []

    # ------------------------------------------------------------------ figures

    async def _day(self, desk: Desk, now: int) -> tuple[Day, set[Milestone]]:
        zone = self.zone(desk.id)
        since = midnight(now, zone)
        passed = await self._milestones(desk.id, since, now)
        promises = any(one.kind is Promised.FIRST_RESPONSE for one in desk.promises)
        date = f"{datetime.fromtimestamp(since / 1000, zone):%Y-%m-%d}"
        return Day(desk.id, date, figures(passed, since), promises), passed

    async def _milestones(self, desk: DeskId, since: int, now: int) -> set[Milestone]:
        known = self._passed.get(desk)
        if known is None or known.since != since or now - known.whole_at > WHOLE_EVERY:
            found = set(await self._store.milestones(desk, since))
            self._passed[desk] = _Passed(since, now, now, found)
            return found
        known.milestones |= set(await self._store.milestones(desk, max(since, known.at - LATE)))
        known.at = now
        return known.milestones


def midnight(now: int, zone: tzinfo) -> int:
    """When the day began, by the clocks of `zone`."""
    here = datetime.fromtimestamp(now / 1000, zone)
    return int(here.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)


def _first_owed(line: Line) -> tuple[bool, Any, SessionId]:
    """Whom we owe an answer first, the longest waiting before the others."""
    since = line.summary.get("waiting_since")
    return (since is None, since or line.summary.get("last_at") or 0, line.session)
