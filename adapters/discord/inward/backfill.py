"""Backfill: what people did on Discord while nobody heard is read from the threads of open sessions.

A client that is killed, or whose session Discord has dropped, is told nothing of what was said meanwhile: each READY
notes a gap (`bridge.networks.hearing`). What is read goes the way of events, under the same keys, so what was heard
after all is found to be there already. Within a thread what was missed comes before whatever is heard now.

Three thousand threads are not read one by one: a survey tells of all which of them may have been written in. A thread
whose latest message is older than the gap, and in which nothing is young enough to have been edited or deleted since,
is passed over.

An edit bears its time. A message that is not in its place any more was deleted, if Discord says of that very message
that it does not know it; many at once, or several people's, are nobody's taking back, and what is heard of at that
moment is counted with them. Reactions bear neither time nor
order: what stands at a post is compared with what we know (`standing`). Where the customer would be told of one, the
thread is read even if nobody has written in it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence

import structlog

from adapters.discord.heard.app import App
from adapters.discord.heard.happenings import InThread, Revised, Said, ThreadSeen, Withdrawn
from adapters.discord.heard.shape import GarbledError
from adapters.discord.inward.standing import Standing
from adapters.discord.parse import edit, message
from adapters.discord.places.channels import Channels
from adapters.discord.places.history import SKEW, History, Message, snowflake
from adapters.discord.places.survey import Survey, surveyed
from adapters.discord.places.threads import Threads
from adapters.discord.refs import NAME, Root, made_at, message_key, written_at
from bridge.errors import DeliveryError, Fault, KakehashiError
from bridge.networks.hearing import Hearing
from bridge.ports import Placed, Store, Stored
from bridge.relay import Relay
from routing.deletions import is_clearing
from routing.ids import InputKey, Place, SessionId, ThreadRef, partition_in
from routing.inputs import DeletionDoubted
from routing.reactions import may_be_told
from routing.session import Pending, Spoken, State

KEPT = 90 * 24 * 3600 * 1000
"""ms for which a mark is kept: longer than Discord keeps an idle thread active."""

LOOK_EVERY = 1.0
"""Seconds between looks for a gap."""

FORMER = 15 * 60_000
"""ms. What is older than that, nobody may edit any more."""

REMEMBERED = 50_000
"""Threads that were read back."""

Recover = Callable[[InThread, Placed], Awaitable[None]]
"""Carries one happening out as its event would have been; raises KakehashiError to have it tried again."""

_log = structlog.get_logger(__name__)


class Backfill:
    """`leads` says whether this process is the one that listens; `places` are the desks' channels, `app` who we are.
    `recover` and what follows are set by who acts on events."""

    recover: Recover
    standing: Standing
    gone: Callable[[Withdrawn, Placed], Awaitable[None]]
    cleared: Callable[[Root], Awaitable[None]]

    def __init__(
        self,
        *,
        store: Store,
        relay: Relay,
        threads: Threads,
        channels: Channels,
        at_once: History,
        at_leisure: History,
        hearing: Hearing,
        app: Callable[[], App],
        leads: Callable[[], bool],
        places: Callable[[], Sequence[Place]],
        unit: float = 1.0,
    ) -> None:
        self._store = store
        self._relay = relay
        self._threads = threads
        self._channels = channels
        self._at_once = at_once
        self._at_leisure = at_leisure
        self._hearing = hearing
        self._app = app
        self._leads = leads
        self._places = places
        self._unit = unit
        self._caught: OrderedDict[tuple[ThreadRef, int], None] = OrderedDict()

    # ------------------------------------------------------------------ for whoever acts on an event

    async def mark(self, said: Said) -> None:
        """It was taken: in its thread nothing older is waited for."""
        if int(said.id) > int(await self._mark(said.root)):
            await self._store.put(_name(said.root), said.id, KEPT)

    async def catch_up(self, root: Root, placed: Placed) -> None:
        """Read the thread back, if that is owed: it comes before what is heard in it now. Raises KakehashiError."""
        await self._hearing.sure()
        await self._catch_up(root, placed, self._at_once)

    async def seen(self, thread: ThreadSeen) -> None:
        """A thread of a channel that we come to see again. Raises KakehashiError."""
        placed = await self._placed(thread) if thread.last else None
        mark = await self._mark(thread.root)
        if placed is not None and int(thread.last) > int(mark):
            await self._read_if_it_can_be(thread.root, placed, made_at(mark), self._at_leisure)

    async def _placed(self, thread: ThreadSeen) -> Placed | None:
        """One whose opening's answer was lost is known by its card."""
        placed = await self._threads.placed(thread.root)
        if placed is None and thread.channel in self._places() and not self._threads.is_foreign(thread.root):
            placed = await self._threads.read(thread.root, self._app())
        return placed

    async def _catch_up(self, root: Root, placed: Placed, history: History) -> None:
        since = self._hearing.gap_of(placed.session)
        if since is not None and (root.ref, since) not in self._caught:
            await self._read_if_it_can_be(root, placed, since, history)
            self._remember(root, since)

    async def _read_if_it_can_be(self, root: Root, placed: Placed, since: int, history: History) -> None:
        """Of a thread that Discord will not show us nothing can be read back, and what is heard in it must not wait."""
        try:
            await self._read(root, placed, since, history)
        except DeliveryError as error:
            if error.fault not in (Fault.BLOCKED, Fault.POISON) or error.code == "unauthorized":
                raise
            _log.warning("discord_thread_not_read", session=placed.session, code=error.code)

    def _remember(self, root: Root, since: int) -> None:
        self._caught[root.ref, since] = None
        if len(self._caught) > REMEMBERED:
            self._caught.popitem(last=False)

    async def _mark(self, root: Root) -> str:
        return await self._store.get(_name(root)) or root.thread

    # ------------------------------------------------------------------ all that is open

    async def run(self) -> None:
        """Close the gaps while this process is the one that listens, until cancelled."""
        while True:
            try:
                if self._leads():
                    await self._hearing.sure()
                    await self._close_gaps()
            except KakehashiError as error:
                _log.warning("discord_backfill_put_off", reason=error.what)
            await asyncio.sleep(LOOK_EVERY * self._unit)

    async def _close_gaps(self) -> None:
        gaps = dict(self._hearing.gaps)
        if not gaps:
            return
        put_off: set[int] = set()
        lines = await self._open_threads()
        places = {*self._places(), *(await self._places_of(lines))}
        survey = await surveyed(self._channels, self._at_leisure, places, min(gaps.values()), self._is_ours)
        owed = dict.fromkeys([*lines, *await self._listed(survey)])
        for root, placed in owed:
            if not (self._is_caught(root, placed) or await self._closed_one(root, placed, survey)):
                put_off.add(partition_in(placed.session))
        for partition, since in gaps.items():
            if partition not in put_off and self._leads():
                await self._hearing.closed(partition, since)

    def _is_ours(self, thread: Message) -> bool:
        return thread.get("owner_id") == self._app().user

    def _is_caught(self, root: Root, placed: Placed) -> bool:
        since = self._hearing.gap_of(placed.session)
        return since is None or (root.ref, since) in self._caught

    async def _closed_one(self, root: Root, placed: Placed, survey: Survey) -> bool:
        """Whether nothing is left to read in this thread."""
        try:
            if not await self._is_quiet(root, placed, survey):
                await self._catch_up(root, placed, self._at_leisure)
        except KakehashiError as error:
            _log.warning("discord_backfill_put_off", session=placed.session, reason=error.what)
            return False
        return True

    async def _is_quiet(self, root: Root, placed: Placed, survey: Survey) -> bool:
        """Nothing was written since the gap began, and nothing that people wrote is young enough to have changed."""
        since, stored = self._hearing.gap_of(placed.session), await self._relay.session(placed.session)
        if since is None or stored is None:
            return since is None
        old = survey.is_older(root, since) and not _written_in(root, placed, stored, _window(stored, since))
        quiet = old and not may_be_told(stored.session)
        if quiet:
            self._remember(root, since)
        return quiet

    async def _places_of(self, owed: Sequence[tuple[Root, Placed]]) -> set[Place]:
        """A desk may have had another channel when they were opened."""
        stored = [await self._relay.session(placed.session) for _, placed in owed]
        return {one.session.mirror.place for one in stored if one is not None}

    async def _listed(self, survey: Survey) -> list[tuple[Root, Placed]]:
        """Those of open sessions, the lists of the desks apart: these are derived, and may be behind."""
        found = []
        for root in survey.roots:
            placed = await self._threads.placed(root)
            if placed is None and not self._threads.is_foreign(root):
                placed = await self._threads.read(root, self._app())
            if placed is not None and await self._thread_of(placed.session) == (root, placed):
                found.append((root, placed))
        return found

    async def _open_threads(self) -> list[tuple[Root, Placed]]:
        """Those with the latest words first: somebody waits there."""
        lines = [line for desk in await self._store.desks() for line in await self._store.lines(desk)]
        lines.sort(key=lambda line: -int(str(line.summary.get("last_at") or 0)))
        found = [await self._thread_of(line.session) for line in lines]
        return [one for one in found if one is not None]

    async def _thread_of(self, session: SessionId) -> tuple[Root, Placed] | None:
        stored = await self._relay.session(session)
        if stored is None or stored.session.state is State.CLOSED or stored.session.mirror.network != NAME:
            return None
        number = stored.session.mirror.number
        thread = (await self._store.threads(session)).get(number)
        return (Root.of(thread), Placed(session, number)) if thread else None

    # ------------------------------------------------------------------ one thread

    async def _read(self, root: Root, placed: Placed, since: int, history: History) -> None:
        """Carry out what was not heard."""
        before = await self._relay.session(placed.session)  # what is said from here on is not missing from the thread
        window, asked = _window(before, since), await self._store.now()
        told = await history.after(root.thread, snowflake(window), pages=None)
        if told is None:
            return  # the thread is gone, and nobody's words with it
        found, mark = 0, await self._mark(root)
        for one in told:
            found += await self._take_if_it_makes_sense(root, placed, one, since, mark)
        if before is not None:
            await self._take_what_is_gone(root, placed, before, {str(one["id"]) for one in told}, window, history)
        await self.standing.read_back(root, placed, told, since, asked, history)
        if found:
            _log.info("discord_backfilled", session=placed.session, messages=found)

    async def _take_if_it_makes_sense(self, root: Root, placed: Placed, told: Message, since: int, mark: str) -> bool:
        """One that is garbled is named and left out: whatever else people wrote must not wait for it."""
        try:
            return await self._take(root, placed, told, since, mark)
        except GarbledError as wrong:
            _log.error("discord_message_garbled", session=placed.session, reason=wrong.what)
            return False

    async def _take(self, root: Root, placed: Placed, told: Message, since: int, mark: str) -> bool:
        """Whether it was new to us."""
        said = message(told, root.guild, self._app())
        if not isinstance(said, Said) or said.blank:  # that its words are withheld is said when it is heard
            return False
        if not await self._store.has_body(placed.session, said.message):
            if made_at(said.id) < since - SKEW or int(said.id) <= int(mark):
                return False  # it was heard when it was said, and is nobody's reply
            await self.recover(said, placed)
            return True
        changed = edit(told, root.guild, self._app())
        if not isinstance(changed, Revised) or made_at(said.id) + changed.revision < since - SKEW:
            return False
        await self.recover(changed, placed)
        return True

    async def _take_what_is_gone(
        self, root: Root, placed: Placed, stored: Stored, there: set[str], window: int, history: History
    ) -> None:
        missing = [one for one in _written_in(root, placed, stored, window) if _number(one) not in there]
        gone = [one for one in missing if await history.is_deleted(root.thread, _number(one))]
        cleared = is_clearing([one.by for one in gone if isinstance(one, Spoken)])
        if cleared:
            await self.cleared(root)
        for one in gone:
            number = _number(one)
            _log.warning("discord_deleted_unheard", session=placed.session, message=one.message, cleared=cleared)
            if cleared and isinstance(one, Spoken):
                key = InputKey(f"{NAME}/unheard/{one.message}")
                await self._relay.from_bridge(placed.session, DeletionDoubted(one.message, unheard=True), key)
            else:
                key = message_key(root.guild, root.thread, number, "deleted")
                await self.gone(Withdrawn(key, root, number), placed)


def _window(stored: Stored | None, since: int) -> int:
    """From before the gap: what was written earlier may have been edited, or deleted, in it."""
    times = [one.at for one in stored.session.recent] if stored is not None else []
    times += [one.at for one in stored.session.pending] if stored is not None else []
    changed = min(since, max(min(times, default=since), since - FORMER))
    awaited = stored is not None and may_be_told(stored.session)
    return min(changed, stored.session.turn.since) if stored is not None and awaited else changed


def _written_in(root: Root, placed: Placed, stored: Stored, window: int) -> list[Spoken | Pending]:
    """What people have written in this thread from the window on, and have not deleted as far as we know. What waits to
    be sent is among it: a colleague must not send what its author has deleted."""
    said: list[Spoken | Pending] = [one for one in stored.session.recent if not one.withdrawn]
    return [
        one
        for one in (*said, *stored.session.pending)
        if one.mirror == placed.mirror
        and (written := written_at(one.message)) is not None
        and written[0] == root.thread
        and made_at(written[1]) >= window
    ]


def _number(spoken: Spoken | Pending) -> str:
    written = written_at(spoken.message)
    return written[1] if written else ""


def _name(root: Root) -> str:
    return f"{NAME}/mark/{root.thread}"
