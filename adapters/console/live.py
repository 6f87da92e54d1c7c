"""What open pages are told as it happens: rows that changed, who is writing, and that they are still heard.

One WebSocket per page, from us to the page only; whatever a page wants goes through the API. Changes are gathered:
while one round of rows is being read, the next one fills. A page that reads too slowly is cut, and reads all anew when
it comes back, as it does after any gap.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import structlog
from aiohttp import WSCloseCode, web

from adapters.console.accounts import Accounts, Seat
from adapters.console.board import Board
from adapters.console.rows import Row, may_see
from bridge.availability import Availability
from bridge.errors import KakehashiError, StoreUnavailableError
from bridge.feed import Feed, Signal
from bridge.incidents import Incident, Incidents
from bridge.ports import Hint, Store
from routing.availability import Standing
from routing.ids import OperatorId, SessionId
from routing.session import Session

BEAT = 20.0  # seconds: proxies cut silent connections at 60
POLL = 5.0  # seconds: how long a lost hint may go unnoticed
REMEMBERED = 10_000  # names of changed sessions; when there are more, the lines are compared instead
BACKLOG = 256  # frames: a page that is so far behind reads all anew
HERE_FOR = 75_000  # ms: three beats and a little, then an operator counts as away
SIGNED_OUT = 4401  # our close code: sign in again, do not reconnect

_HERE = "desk-here/"

_log = structlog.get_logger(__name__)


class _Page:
    """One open page."""

    def __init__(self, socket: web.WebSocketResponse, seat: Seat) -> None:
        self.socket = socket
        self.seat = seat
        self.frames: asyncio.Queue[str] = asyncio.Queue(BACKLOG)
        self.slow = False
        self.told: dict[str, object] = {}  # of what is not a session, the latest that was said

    def push(self, frame: Mapping[str, object]) -> None:
        try:
            self.frames.put_nowait(json.dumps(frame, ensure_ascii=False))
        except asyncio.QueueFull:
            self.slow = True

    def push_if_new(self, kind: str, said: object) -> None:
        if self.told.get(kind) != said:
            self.told[kind] = said
            self.push({"t": kind, kind: said})

    async def write(self) -> None:
        """Send what is pushed, until cancelled or too far behind."""
        while not self.slow:
            await self.socket.send_str(await self.frames.get())
        await self.socket.close(code=WSCloseCode.TRY_AGAIN_LATER)


class Live:
    """A watcher of the feed, and the pages that hear of it. `running` spans its life."""

    def __init__(
        self,
        board: Board,
        feed: Feed,
        store: Store,
        accounts: Accounts,
        availability: Availability,
        incidents: Incidents,
    ) -> None:
        self._availability = availability
        self._incidents = incidents
        self._board = board
        self._feed = feed
        self._store = store
        self._accounts = accounts
        self._pages: set[_Page] = set()
        self._dirty: set[SessionId] = set()
        self._wake = asyncio.Event()
        self._settling = asyncio.Lock()
        self._looked = -POLL  # when the lines were compared last, by the loop's clock

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Watch the feed, and keep the board. Raises StoreUnavailableError when the lines cannot be read at first."""
        await self._board.load()
        self._looked = asyncio.get_running_loop().time()
        unwatch = self._feed.watch(self)
        tasks = [asyncio.create_task(each) for each in (self._push_changes(), self._look_for_lost_hints())]
        try:
            yield
        finally:
            unwatch()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    # ------------------------------------------------------------------ the feed's watcher

    def changed(self, session: SessionId, head: int) -> None:
        """Called on every commit, desk or no desk: while no page is open, the name is all that is kept."""
        del head
        if len(self._dirty) < REMEMBERED:
            self._dirty.add(session)
        else:
            self._looked = -POLL  # the lines tell, when somebody asks
        if self._pages:
            self._wake.set()

    def signalled(self, signal: Signal) -> None:
        if signal.kind not in ("typing", "noting"):
            return
        row = self._board.get(signal.session)
        frame = {
            "t": "typing",
            "session": signal.session,
            "operator": signal.operator,
            "note": signal.kind == "noting",
        }
        for page in self._who_may_see(row) if row else ():
            if page.seat.operator.id != signal.operator:
                page.push(frame)

    # ------------------------------------------------------------------ pages

    async def serve(self, request: web.Request, seat: Seat) -> web.WebSocketResponse:
        """A page's connection, until either side ends it."""
        socket = web.WebSocketResponse(heartbeat=BEAT, compress=False, max_msg_size=4096)
        await socket.prepare(request)
        page = _Page(socket, seat)
        self._pages.add(page)
        self._wake.set()
        tasks = [asyncio.create_task(each) for each in (page.write(), self._keep(page))]
        try:
            async for _ in socket:
                pass  # a page has nothing to say here
        finally:
            self._pages.discard(page)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return socket

    async def dismiss(self, seat: Seat) -> None:
        """The seat was given up: its pages here are closed now, those of other processes at their next beat."""
        for page in [page for page in self._pages if page.seat.digest == seat.digest]:
            await page.socket.close(code=SIGNED_OUT)

    async def close(self) -> None:
        """The process goes: pages come back to another one."""
        for page in tuple(self._pages):
            await page.socket.close(code=WSCloseCode.GOING_AWAY)

    async def here(self) -> set[OperatorId]:
        """Who has a page open, in any process."""
        now = await self._store.now()
        names = await self._store.names(_HERE)
        times = await asyncio.gather(*map(self._store.get, names))
        return {
            OperatorId(name.removeprefix(_HERE))
            for name, at in zip(names, times, strict=True)
            if at and now - int(at) < HERE_FOR
        }

    async def noting(self, session: Session, operator: OperatorId) -> None:
        """Somebody writes a note. Only desks hear of it: no customer is named, so no customer's page is told."""
        signal = Signal("noting", session.id, operator=operator)
        self._feed.pass_on("", signal)
        if self._feed.others:
            fields = {"kind": signal.kind, "operator": operator, "message": ""}
            with contextlib.suppress(KakehashiError):  # best effort, as all signals
                await self._store.signal(Hint(session.id, "", 0, signal=fields))

    async def _keep(self, page: _Page) -> None:
        """The beat: the page hears us, the seat is looked at, and the operator counts as here."""
        while True:
            with contextlib.suppress(StoreUnavailableError):
                seat = await self._accounts.look(page.seat)
                if seat is None:
                    await page.socket.close(code=SIGNED_OUT)
                    return
                page.seat = seat  # desks may have been given or taken
                await self._store.put(_HERE + page.seat.operator.id, str(await self._store.now()))
            page.push({"t": "beat", "now": await self._store.now()})
            await asyncio.sleep(BEAT)

    # ------------------------------------------------------------------ changes

    async def settle(self) -> None:
        """Bring the board up to date, as far as this process knows, and tell the pages what that changed.

        Raises StoreUnavailableError; what was not told then is told later.
        """
        async with self._settling:
            if asyncio.get_running_loop().time() - self._looked >= POLL:
                await self._compare()
            dirty, self._dirty = self._dirty, set()
            try:
                await self._push(dirty)
            except BaseException:
                self._looked = -POLL
                raise

    async def _compare(self) -> None:
        """Look for changes whose hint was lost."""
        self._dirty.update(await self._board.behind())
        self._looked = asyncio.get_running_loop().time()

    async def _push_changes(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self.settle()
            except Exception as error:  # one session that cannot be read must not leave every page without news
                _log.warning("desk_pages_not_told", error=type(error).__name__)

    async def _push(self, dirty: set[SessionId]) -> None:
        if not dirty:
            return
        found = await asyncio.gather(*map(self._board.update, dirty))
        rows = [row for row in found if row is not None]
        shown = await self._board.shown(rows) if self._pages else []
        now = await self._store.now()
        for page in tuple(self._pages):
            page.push(self._news(page, rows, shown, now))

    def _news(self, page: _Page, rows: list[Row], shown: list[dict[str, object]], now: int) -> dict[str, Any]:
        operator = page.seat.operator
        mine = [show for row, show in zip(rows, shown, strict=True) if may_see(operator, row)]
        gone = [row.session for row in rows if not may_see(operator, row)]
        return {
            "t": "rows",
            "rows": mine,
            "gone": gone,
            "counts": self._board.counts(operator),
            "outages": self._board.outages(operator),
            "now": now,
        }

    async def _look_for_lost_hints(self) -> None:
        while True:
            await asyncio.sleep(POLL)
            if self._pages:
                self._looked = -POLL
                self._wake.set()
                with contextlib.suppress(KakehashiError):  # it is said with the next look
                    await self.tell()

    async def tell(self) -> None:
        """How the operators of the open pages stand, and what is broken just now, where that is another than before."""
        standings, current = await self._availability.everyone(), await self._incidents.current()
        broken = [as_incident(one) for one in current]
        for page in tuple(self._pages):
            standing = standings.get(page.seat.operator.id)
            if standing is not None:
                page.push_if_new("standing", as_standing(standing))
            page.push_if_new("incidents", broken)

    def _who_may_see(self, row: Row) -> list[_Page]:
        return [page for page in self._pages if may_see(page.seat.operator, row)]


def as_standing(standing: Standing) -> dict[str, object]:
    """How an operator stands, for a page. Times are ms since 1970 (UTC)."""
    return {
        "on": standing.on,
        "because": standing.because,
        "since": standing.since or None,
        "until": standing.until,
        "hands_back_at": standing.hands_back_at,
    }


def as_incident(incident: Incident) -> dict[str, object]:
    """An incident as every page knows it."""
    return {
        "id": incident.id,
        "titles": dict(incident.titles),
        "banners": dict(incident.banners),
        "since": incident.since,
        "by": incident.by,
        "ended_at": incident.ended_at,
        "ended_by": incident.ended_by,
    }
