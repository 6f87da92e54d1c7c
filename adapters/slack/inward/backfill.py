"""Backfill: what people did in Slack while nobody heard is read from the threads of open sessions.

It goes the way of events, under the same keys: what was heard after all, or is delivered hours later by a retry, is
found to be there already. Within a thread what was missed comes before whatever is heard now: an event of a thread
that has not been read back waits for it. The process with the lease reads the threads of its partition, those with
the latest words first and at the lowest urgency; a thread in which somebody writes meanwhile is read at once, and not
behind a reading that still waits for its turn: whatever is read twice is carried out once.

A thread costs a call, of which there are fifty a minute. So where many are open, their roots are read first, 200 in a
call: a thread that nobody has written in since before the gap, and in which nothing could have been changed or deleted
since, is passed over.

Reactions bear no time: what stands at a message is compared with what we know (`standing`). Where the customer would be
told of one, the thread is read even if nobody has written in it.

A message that is gone is left alone, and the thread says so: history tells neither who deleted it nor when.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import structlog

from adapters.slack.inward.standing import Standing
from adapters.slack.parse import App, message_id
from adapters.slack.places.history import SKEW, History, Message
from adapters.slack.refs import NAME, Root, micros
from adapters.slack.wire.client import WebApi
from adapters.slack.wire.gates import SCOPE_MISSING
from bridge.errors import DeliveryError, Fault, KakehashiError
from bridge.networks.hearing import Hearing
from bridge.networks.pacing import Urgency
from bridge.ports import Placed, Store, Stored
from bridge.relay import Relay
from routing.ids import InputKey, MessageId, SessionId, ThreadRef, partition_in
from routing.inputs import DeletionDoubted
from routing.reactions import may_be_told
from routing.session import State

LOOK_EVERY = 2.0
"""Seconds between looks for a gap."""

PATIENCE = 30.0
"""Seconds that a thread waits for its turn at the lowest urgency. Nobody waits for that."""

MANY = 10
"""Threads of one channel from which on their roots are read first."""

REMEMBERED = 50_000
"""Threads that were read back."""

PATROL_EVERY = 300.0
"""Seconds between looks whether what people write is told to us at all."""

PATROLLED = 5
"""Threads of one patrol, those with the latest words."""

LATE = 120_000
"""ms after which an event counts as not coming: Slack's first retries are over by then."""

UNHEARD = f"{NAME}-unheard"
UNHEARD_FOR = 3_600_000
"""ms for which `doctor` speaks of it."""

Recover = Callable[[Mapping[str, Any], Placed], Awaitable[None]]
"""Carries one message of a thread out as its event would have been; raises KakehashiError to have it tried again."""

_log = structlog.get_logger(__name__)


class Backfill:
    """`leads` says whether this process holds the partition's lease; `app` who we are."""

    def __init__(
        self,
        *,
        store: Store,
        relay: Relay,
        api: WebApi,
        hearing: Hearing,
        recover: Recover,
        standing: Standing,
        app: Callable[[], App],
        leads: Callable[[int], bool],
        unit: float = 1.0,
    ) -> None:
        self._store = store
        self._relay = relay
        self._api = api
        self._hearing = hearing
        self._recover = recover
        self._standing = standing
        self._app = app
        self._leads = leads
        self._unit = unit
        self._at_leisure = History(api, Urgency.CARD, PATIENCE)
        self._at_once = History(api)
        self._caught: OrderedDict[tuple[ThreadRef, int], None] = OrderedDict()
        self.unheard_since: int | None = None

    # ------------------------------------------------------------------ for whoever acts on an event

    async def owes(self, root: Root, session: SessionId) -> bool:
        """Whether something may have been missed here that has to come first. Raises StoreUnavailableError."""
        await self._hearing.sure()
        since = self._hearing.gap_of(session)
        return since is not None and (root.ref, since) not in self._caught

    async def catch_up(self, root: Root, placed: Placed, *, at_once: bool = True) -> None:
        """Read the thread back, if that is owed. Raises KakehashiError when it could not be, to be tried again."""
        since = self._hearing.gap_of(placed.session)
        if since is not None and (root.ref, since) not in self._caught:
            await self._read_if_it_can_be(root, placed, since, self._at_once if at_once else self._at_leisure)
            self._remember(root, since)

    async def _read_if_it_can_be(self, root: Root, placed: Placed, since: int, history: History) -> None:
        """Of a thread that Slack will not show us (its channel is archived, or closed to us) nothing can be read back,
        and what is heard in it must not wait for that."""
        try:
            await self._read(root, placed, since, history)
        except DeliveryError as error:
            of_all = self._api.pulse.trouble is not None or error.code == SCOPE_MISSING
            if error.fault not in (Fault.BLOCKED, Fault.POISON) or of_all:
                raise  # it is not this thread's, and a person is told
            _log.warning("slack_thread_not_read", session=placed.session, code=error.code)

    def _remember(self, root: Root, since: int) -> None:
        self._caught[root.ref, since] = None
        if len(self._caught) > REMEMBERED:
            self._caught.popitem(last=False)

    # ------------------------------------------------------------------ all that is open

    async def run(self) -> None:
        """Close the gaps of the partitions that are ours, and look now and then whether Slack tells us everything."""
        loop = asyncio.get_running_loop()
        patrolled = loop.time()
        while True:
            try:
                await self._close_gaps()
                if loop.time() - patrolled >= PATROL_EVERY * self._unit:
                    patrolled = loop.time()
                    await self.patrol()
            except KakehashiError as error:
                _log.warning("slack_backfill_put_off", reason=error.what)
            await asyncio.sleep(LOOK_EVERY * self._unit)

    async def _close_gaps(self) -> None:
        gaps = {partition: since for partition, since in self._hearing.gaps.items() if self._leads(partition)}
        if not gaps:
            return
        put_off: set[int] = set()
        sessions = [session for session in await self._open_sessions() if partition_in(session) in gaps]
        await self._pass_over_the_quiet(sessions)
        for session in sessions:
            if not await self._closed_one(session):
                put_off.add(partition_in(session))
        for partition, since in gaps.items():
            if partition not in put_off:
                await self._hearing.closed(partition, since)

    async def _closed_one(self, session: SessionId) -> bool:
        """Whether nothing is left to read in the session's thread."""
        found = await self._thread_of(session)
        if found is None:
            return True
        try:
            await self.catch_up(*found, at_once=False)
        except DeliveryError as error:
            _log.warning("slack_backfill_put_off", session=session, code=error.code)
            return False
        return True

    async def _pass_over_the_quiet(self, sessions: Sequence[SessionId]) -> None:
        by_channel: dict[str, list[tuple[Root, Placed]]] = {}
        for session in sessions:
            found = await self._thread_of(session)
            if found is not None and (found[0].ref, self._hearing.gap_of(session)) not in self._caught:
                by_channel.setdefault(found[0].channel, []).append(found)
        for channel, threads in by_channel.items():
            if len(threads) >= MANY:
                await self._survey(channel, threads)

    async def _survey(self, channel: str, threads: Sequence[tuple[Root, Placed]]) -> None:
        """Of what it does not find, each is read by itself; so it must not cost more than half of that."""
        oldest = min(_ms(root.ts) for root, _ in threads)
        try:
            latest = await self._at_leisure.latest_replies(channel, oldest, len(threads) // 2)
        except DeliveryError as error:
            _log.info("slack_channel_not_surveyed", channel=channel, code=error.code)
            return
        quiet = [root for root, placed in threads if await self._is_quiet(root, placed, latest.get(root.ts))]
        _log.info("slack_threads_passed_over", channel=channel, threads=len(quiet), of=len(threads))

    async def _is_quiet(self, root: Root, placed: Placed, latest: int | None) -> bool:
        """Nothing was written from the window on, and nothing of ours is from then, which could be gone."""
        since, stored = self._hearing.gap_of(placed.session), await self._relay.session(placed.session)
        if since is None or stored is None or latest is None:
            return False
        window = _window(stored, since)
        old = latest < window - SKEW * 1_000 and not _written_in(root, placed, stored, window)
        quiet = old and not may_be_told(stored.session)
        if quiet:
            self._remember(root, since)
        return quiet

    async def _open_sessions(self) -> list[SessionId]:
        """Those with the latest words first: somebody waits there."""
        lines = [line for desk in await self._store.desks() for line in await self._store.lines(desk)]
        lines.sort(key=lambda line: -int(str(line.summary.get("last_at") or 0)))
        return [line.session for line in lines]

    async def _thread_of(self, session: SessionId) -> tuple[Root, Placed] | None:
        stored = await self._relay.session(session)
        if stored is None or stored.session.state is State.CLOSED or stored.session.mirror.network != NAME:
            return None
        number = stored.session.mirror.number
        thread = (await self._store.threads(session)).get(number)
        return (Root.of(thread), Placed(session, number)) if thread else None

    # ------------------------------------------------------------------ one thread

    async def _read(self, root: Root, placed: Placed, since: int, history: History) -> int:
        """Carry out what was not heard; how many messages that were."""
        before = await self._relay.session(placed.session)  # what is said from here on is not missing from the thread
        window, asked = _window(before, since), await self._store.now()
        thread = await history.thread(root, window)
        found = 0
        for message in thread.replies:
            found += await self._take_if_it_makes_sense(root, placed, message, since)
        if before is not None and thread.living:
            await self._say_what_is_gone(root, placed, before, thread.replies, window)
        await self._standing.read_back(root, placed, thread.replies, since, asked)
        if found:
            _log.info("slack_backfilled", session=placed.session, messages=found)
        return found

    async def _take_if_it_makes_sense(self, root: Root, placed: Placed, message: Message, since: int) -> bool:
        """One that is garbled is named and left out: whatever else people wrote must not wait for it."""
        try:
            return await self._take(root, placed, message, since)
        except (ValueError, LookupError, TypeError, AttributeError) as wrong:
            where = {"session": placed.session, "ts": message["ts"]}
            _log.error("slack_message_garbled", error=type(wrong).__name__, **where)
            return False

    async def _take(self, root: Root, placed: Placed, message: Message, since: int) -> bool:
        """Whether the message itself was new to us."""
        ts = str(message["ts"])
        name = message_id(root.channel, ts)
        if message.get("bot_id") or message.get("user") == self._app().user:
            return False
        known = await self._store.has_body(placed.session, name)
        if not known and _ms(ts) < since:
            return False  # it was heard when it was said, and is nobody's reply
        if not known:
            await self._recover(_as_event(root, message), placed)
            return await self._store.has_body(placed.session, name)
        edited = str((message.get("edited") or {}).get("ts") or "")
        if edited and _ms(edited) >= since:
            await self._recover(_as_edit(root, message), placed)
        return False

    async def _say_what_is_gone(
        self, root: Root, placed: Placed, stored: Stored, replies: tuple[Message, ...], window: int
    ) -> None:
        there = {message_id(root.channel, str(one["ts"])) for one in replies}
        for message in _written_in(root, placed, stored, window):
            if message not in there:
                _log.warning("slack_deleted_unheard", session=placed.session, message=message)
                key = InputKey(f"slack/unheard/{message}")
                await self._relay.from_bridge(placed.session, DeletionDoubted(message, unheard=True), key)

    # ------------------------------------------------------------------ are we told at all?

    async def patrol(self) -> None:
        """Read the busiest threads as if they had been missed. What is found there was never told to us: then Slack has
        stopped sending events, which it does without a word, and everything since is read back."""
        now = await self._store.now()
        late = int(LATE * self._unit)
        found: list[SessionId] = []
        ours = [session for session in await self._open_sessions() if self._leads(partition_in(session))]
        for session in ours[:PATROLLED]:
            thread = await self._thread_of(session)
            if thread is not None and await self._unheard(*thread, now - late - FORMER, now - late):
                found.append(session)
        if found:
            self.unheard_since = self.unheard_since or now
            await self._store.put(UNHEARD, str(self.unheard_since), UNHEARD_FOR)
            _log.error("slack_events_not_sent", sessions=found)
            await self._hearing.note_gap(now - late - FORMER)
        else:
            self.unheard_since = None

    async def _unheard(self, root: Root, placed: Placed, since: int, until: int) -> bool:
        thread = await self._at_leisure.thread(root, since)
        found = False
        for message in thread.replies:
            if since <= _ms(message["ts"]) <= until:
                found = await self._take_if_it_makes_sense(root, placed, message, since) or found
        return found


FORMER = 15 * 60_000
"""ms. What is older than that, nobody may edit any more."""


def _window(stored: Stored | None, since: int) -> int:
    """From before the gap: what was written earlier may have been edited, or deleted, in it."""
    earliest = min((one.at for one in stored.session.recent), default=since) if stored is not None else since
    changed = min(since, max(earliest, since - FORMER))
    awaited = stored is not None and may_be_told(stored.session)
    return min(changed, stored.session.turn.since) if stored is not None and awaited else changed


def _written_in(root: Root, placed: Placed, stored: Stored, window: int) -> list[MessageId]:
    """What people have written in this thread from the window on, and have not deleted as far as we know."""
    return [
        one.message
        for one in stored.session.recent
        if one.message.startswith(f"s:{root.channel}:")
        and one.mirror == placed.mirror
        and not one.withdrawn
        and _ms(one.message.rpartition(":")[2]) >= window
    ]


def _ms(ts: str) -> int:
    return micros(ts) // 1_000


def _as_event(root: Root, message: Message) -> dict[str, Any]:
    return {**message, "type": "message", "channel": root.channel, "thread_ts": root.ts}


def _as_edit(root: Root, message: Message) -> dict[str, Any]:
    changed = {**message, "thread_ts": root.ts}
    return {"type": "message", "subtype": "message_changed", "channel": root.channel, "message": changed}
