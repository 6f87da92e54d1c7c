"""The Store port on Redis: standalone, Sentinel or Cluster, private or shared. See `keys` for what lies where."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from adapters.redis import codec
from adapters.redis.keys import LOOKED_OUT_FOR, Keys
from adapters.redis.wire import Wire, load_script
from bridge.errors import KakehashiError, LostLeaseError, StoreCorruptError, StoreUnavailableError
from bridge.messages import About, Body
from bridge.ports import (
    Commit,
    CommitResult,
    Committed,
    Conflict,
    Delivered,
    Duplicate,
    Entry,
    Fenced,
    Hint,
    Lane,
    LaneState,
    Lease,
    Line,
    LineNews,
    Pending,
    Placed,
    Reservations,
    Reserved,
    Settled,
    Stamp,
    Stored,
    Sweep,
    Unplaced,
)
from routing.effects import Effect, PostMessage, kept_under
from routing.figures import Milestone
from routing.ids import (
    CustomerKey,
    DeskId,
    EffectId,
    InputKey,
    MessageId,
    NetworkName,
    OperatorId,
    PostRef,
    SessionId,
    ShortCode,
    ThreadRef,
    partition_in,
    partition_of,
    short_code,
)
from routing.session import Session, State

SCRIPTS = Path(__file__).parent / "scripts"
TAIL = 64
"""Journal lines read at a time when looking for a position: most clients that come back missed a handful."""

CODES_AT_ONCE = 32
"""Short codes that a process takes at a time; what it does not use is a gap, and no code is given twice."""

CLOCK_EVERY = 5.0
"""Seconds between looks at the server's clock."""

PROCESS_TTL = 6_000
"""ms after which a process that has not said anything counts as dead: as soon as its leases are free to be taken."""

UNANSWERED = 10_000
"""Effects remembered of commits that were not answered. A forgotten one waits as if somebody else had stamped it."""

CLOSED_KEPT = 10_000
"""Closed sessions in a desk's list. The sessions themselves are kept; this is only the list."""


CHANGES_KEPT = 4_096
"""Latest changes of a desk's list that are remembered; who asks for older ones reads the whole list."""

MILESTONES_KEPT = 48 * 3_600_000
"""ms for which the figures' ground is kept: whatever the desk's time zone, its day began within them."""

WAITED_FOR = 250
"""ms for which a bucket's first in line is waited for, beyond the moment at which it was told to ask again."""

HANDLED_KEPT = 2 * 3_600_000
"""ms for which handling times are kept: twice what an estimate looks back."""


class RedisStore:
    """See `bridge.ports.Store`. Make it with `RedisStore.open`."""

    def __init__(self, wire: Wire, keys: Keys, partitions: int) -> None:
        self.partitions = partitions
        self._wire = wire
        self._keys = keys
        self._offset: float | None = None
        self._looked = 0.0
        self._looking: asyncio.Task[None] | None = None
        self._codes: list[ShortCode] = []
        self._noted: set[tuple[str, str]] = set()
        self._unanswered: OrderedDict[EffectId, int] = OrderedDict()
        script = load_script
        self._commit = script(SCRIPTS, "commit")
        self._take = script(SCRIPTS, "take")
        self._stamp_together = script(SCRIPTS, "stamp_together")
        self._unstamp = script(SCRIPTS, "unstamp")
        self._settle = script(SCRIPTS, "settle")
        self._put_off = script(SCRIPTS, "put_off")
        self._discard = script(SCRIPTS, "discard")
        self._hold = script(SCRIPTS, "hold")
        self._release = script(SCRIPTS, "release")
        self._draw = script(SCRIPTS, "draw")
        self._refreshed = script(SCRIPTS, "refreshed")
        self._line = script(SCRIPTS, "line")
        self._news = script(SCRIPTS, "news")
        self._reserve = script(SCRIPTS, "reserve")
        self._give_back = script(SCRIPTS, "give_back")
        self._attach = script(SCRIPTS, "attach")
        self._detach = script(SCRIPTS, "detach")
        self._timer = script(SCRIPTS, "timer")
        self._absent = script(SCRIPTS, "absent")
        self._swap = script(SCRIPTS, "swap")

    @classmethod
    async def open(cls, wire: Wire, prefix: str, partitions: int) -> RedisStore:
        """The partition count is fixed at the first start: `partitions` is only what that start would take.

        Raises KakehashiError for records that this release does not read.
        """
        keys = Keys(prefix)
        await wire.call(keys.meta, "HSETNX", keys.meta, "partitions", partitions, durable=True)
        await wire.call(keys.meta, "HSETNX", keys.meta, "schema", codec.SCHEMA, durable=True)
        fixed, schema = await wire.call(keys.meta, "HMGET", keys.meta, "partitions", "schema")
        _check_schema(int(schema), keys.meta)
        if int(schema) < codec.SCHEMA:  # from here on there are records of ours, which older releases are to refuse
            await wire.call(keys.meta, "HSET", keys.meta, "schema", codec.SCHEMA, durable=True)
        return cls(wire, keys, int(fixed))

    async def close(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
        await self._wire.close()

    def moved_to(self, endpoint_url: str) -> None:
        """The private server was restarted, perhaps on another socket: what is said from now on goes there."""
        self._wire.moved_to(endpoint_url)

    # ------------------------------------------------------------------ time

    async def now(self) -> int:
        if self._offset is None:
            await self._look_at_clock()
        elif time.monotonic() - self._looked > CLOCK_EVERY and self._looking is None:
            self._looking = asyncio.get_running_loop().create_task(self._look_quietly())
        return int((time.monotonic() + (self._offset or 0.0)) * 1000)

    async def _look_quietly(self) -> None:
        try:
            await self._look_at_clock()
        except KakehashiError:
            self._looked = time.monotonic()  # the offset that we have is good enough until the store is back
        finally:
            self._looking = None

    async def _look_at_clock(self) -> None:
        before = time.monotonic()
        seconds, micros = await self._wire.call(self._keys.meta, "TIME")
        after = time.monotonic()
        self._offset = int(seconds) + int(micros) / 1e6 - (before + after) / 2
        self._looked = after

    # ------------------------------------------------------------------ sessions

    async def commit(self, commit: Commit) -> CommitResult:
        await self._note(self._keys.destinations, {effect.to for effect in commit.effects})
        if commit.before is None:
            await self._name(commit.after.session)
        keys, args = self._arguments(commit)
        try:
            answer = await self._wire.run(self._commit, keys, args, durable=True)
        except BaseException:
            self._remember_unanswered(commit)
            raise
        kind = answer[0]
        if kind == "committed":
            return Committed(commit.after, frozenset(NetworkName(name) for name in answer[1:]))
        if kind == "duplicate":
            session, head = answer[1].split(" ")
            return Duplicate(SessionId(session), int(head))
        return Fenced() if kind == "fenced" else Conflict()

    async def _name(self, session: Session) -> None:
        """Its code, before it exists: in a cluster they live apart, and a code that leads nowhere harms nobody."""
        key = self._keys.code(session.code)
        await self._wire.call(key, "SET", key, session.id, durable=True)

    def _arguments(self, commit: Commit) -> tuple[list[str], list[str | int | bytes]]:
        session, before, after = commit.after.session, commit.before, commit.after
        partition = partition_in(session.id)
        owner = before.session.customer if before else session.customer
        step = "open" if before is None else "close" if session.state is State.CLOSED else "go"
        step = step if owner == session.customer else "leave"  # it is another account's session from now on
        lanes: dict[NetworkName, list[Effect]] = {}
        for effect in commit.effects:
            lanes.setdefault(effect.to, []).append(effect)
        common = self._keys.of_commit(session.id, owner, session.mirror.network)
        fence = self._keys.lease(commit.fence[0]) if commit.fence else self._keys.of(partition, "lease:none")
        keys = [*common[:8], fence, *common[8:]]
        bodies = self._bodies_to_write(commit)
        args: list[str | int | bytes] = [
            commit.key,
            before.head if before else 0,
            after.head,
            after.visible,
            after.tag,
            after.epoch,
            codec.encode_session(session),
            session.id,
            step,
            "" if commit.deadline is None else commit.deadline,
            commit.fence[1] if commit.fence else "",
            self._keys.wake,
            str(session.customer),
            "ic" if commit.refresh else "",
            commit.refresh_card_at,
            len(commit.entries),
            len(bodies),
            len(lanes),
            session.previous or "",
            session.last_at,
        ]
        args += [codec.encode_entry(entry) for entry in commit.entries]
        for field, value in bodies:
            args += [field, value]
        for name, effects in lanes.items():
            keys += self._keys.of_lane(session.id, name)
            args += [name, self._term_for(commit, effects[0]), len(effects)]
            for effect in effects:
                args += [effect.id, codec.encode_effect(effect)]
        return keys, args

    @staticmethod
    def _bodies_to_write(commit: Commit) -> list[tuple[str, bytes]]:
        bodies = [(_body_field(one.message, one.revision), codec.encode_body(one.body)) for one in commit.bodies]
        if commit.about is not None:
            bodies.append((ABOUT, codec.encode_about(commit.about)))
        return bodies

    def _remember_unanswered(self, commit: Commit) -> None:
        """Should it have been made after all, it has stamped effects for us that nobody here was told to send."""
        for effect in commit.effects:
            if effect.to in commit.terms:
                self._unanswered[effect.id] = commit.terms[effect.to]
        while len(self._unanswered) > UNANSWERED:
            self._unanswered.popitem(last=False)

    def _term_for(self, commit: Commit, first: Effect) -> int | str:
        """The term under which a lane's first effect may be answered `direct`; '' for none.

        A repeated commit asks for no such answer: the first one may still be made, and its stamp means nothing to us.
        """
        return "" if first.id in self._unanswered else commit.terms.get(first.to, "")

    async def _note(self, key: str, names: Iterable[str]) -> None:
        """Put names into a set that only grows; each process does so once a name."""
        for name in names:
            if (key, name) not in self._noted:
                await self._wire.call(key, "SADD", key, name, durable=True)
                self._noted.add((key, name))

    async def _noted_in(self, key: str) -> list[str]:
        return sorted(await self._wire.call(key, "SMEMBERS", key))

    async def load(self, session: SessionId) -> Stored | None:
        key = self._keys.session(session, "snapshot")
        return _stored(key, await self._wire.call(key, "HGETALL", key))

    async def open_session(self, customer: CustomerKey) -> SessionId | None:
        key = self._keys.customer(customer, partition_of(customer, self.partitions))
        opened, last = await self._wire.call(key, "HMGET", key, "open", "last")
        return SessionId(opened or last) if opened or last else None

    async def sessions_of(self, customer: CustomerKey) -> list[SessionId]:
        key = self._keys.customers_sessions(customer, partition_of(customer, self.partitions))
        return [SessionId(one) for one in await self._wire.call(key, "LRANGE", key, 0, -1)]

    async def wrote_before(self, customer: CustomerKey, key: InputKey) -> Duplicate | None:
        seen = [self._keys.session(session, "seen") for session in await self.sessions_of(customer)]
        for found in await asyncio.gather(*(self._wire.call(one, "HGET", one, key) for one in seen)):
            if found:
                session, head = found.split(" ")
                return Duplicate(SessionId(session), int(head))
        return None

    async def attach(self, customer: CustomerKey, session: SessionId) -> bool:
        partition = partition_of(customer, self.partitions)
        latest = await self.open_session(customer)
        stored = await self.load(latest) if latest is not None and latest != session else None
        closed = latest if stored is None or stored.session.state is State.CLOSED else ""
        keys = [self._keys.customer(customer, partition), self._keys.customers_sessions(customer, partition)]
        return bool(await self._wire.run(self._attach, keys, [session, closed or ""], durable=True))

    async def detach(self, customer: CustomerKey, session: SessionId) -> None:
        key = self._keys.customer(customer, partition_of(customer, self.partitions))
        await self._wire.run(self._detach, [key], [session], durable=True)

    async def journal(self, session: SessionId, start: int = 0, stop: int | None = None) -> list[Entry]:
        key = self._keys.session(session, "journal")
        lines = await self._wire.call(key, "LRANGE", key, start, -1 if stop is None else stop - 1)
        return _entries(key, lines)

    async def visible_since(self, session: SessionId, position: int) -> list[Entry]:
        key = self._keys.session(session, "journal")
        found: list[Entry] = []
        stop = await self._wire.call(key, "LLEN", key)
        while stop > 0:
            start = max(0, stop - TAIL)
            lines = await self._wire.call(key, "LRANGE", key, start, stop - 1)
            visible = [entry for entry in _entries(key, lines) if entry.visible is not None]
            found = [entry for entry in visible if (entry.visible or 0) >= position] + found
            if visible and (visible[0].visible or 0) <= position:
                break
            stop = start
        return found

    async def bodies(self, session: SessionId, wanted: Sequence[tuple[MessageId, int]]) -> list[Body | None]:
        if not wanted:
            return []
        key = self._keys.session(session, "bodies")
        texts = await self._wire.call(key, "HMGET", key, *(_body_field(*one) for one in wanted))
        return [codec.decode_body(text) if text else None for text in texts]

    async def about(self, session: SessionId) -> About:
        key = self._keys.session(session, "bodies")
        return codec.decode_about(await self._wire.call(key, "HGET", key, ABOUT))

    async def has_body(self, session: SessionId, message: MessageId) -> bool:
        key = self._keys.session(session, "bodies")
        return bool(await self._wire.call(key, "HEXISTS", key, _body_field(message, 0)))

    async def mint_code(self) -> ShortCode:
        if not self._codes:
            last = int(await self._wire.call(self._keys.codes, "INCRBY", self._keys.codes, CODES_AT_ONCE, durable=True))
            self._codes = [short_code(number) for number in range(last - 1, last - CODES_AT_ONCE - 1, -1)]
        return self._codes.pop()

    async def session_by_code(self, code: ShortCode) -> SessionId | None:
        key = self._keys.code(code)
        found = await self._wire.call(key, "GET", key)
        return SessionId(found) if found else None

    async def sessions(self) -> AsyncIterator[SessionId]:
        for partition in range(self.partitions):
            key, start = self._keys.of(partition, "sessions"), 0
            while page := await self._wire.call(key, "ZRANGE", key, start, start + 499):
                for session in page:
                    yield SessionId(session)
                start += len(page)

    async def erase(self, session: SessionId) -> None:
        key = self._keys.session(session, "bodies")
        await self._wire.call(key, "DEL", key, durable=True)

    async def rewrite(self) -> None:
        """Have the append-only file written anew, so that erased words leave the disk too. Returns when it is done.

        Raises StoreUnavailableError where the server does not let us, or did not manage.
        """
        for node in self._wire.primaries(self._keys.meta):
            await self._rewritten(node)  # one that began before the erasure would still write the words
            await self._wire.call(node, "BGREWRITEAOF")
            if "aof_last_bgrewrite_status:ok" not in await self._rewritten(node):
                raise StoreUnavailableError("Redis could not rewrite its file", mend="see its log: is the disk full?")

    async def _rewritten(self, node: str) -> str:
        """Wait until no rewrite is under way. Returns what the server says of its persistence."""
        while True:
            text = str(await self._wire.call(node, "INFO", "persistence"))
            if "aof_rewrite_in_progress:0" in text and "aof_rewrite_scheduled:0" in text:
                return text
            await asyncio.sleep(0.05)

    # ------------------------------------------------------------------ lanes

    def _lane_keys(self, lane: Lane, *names: str) -> list[str]:
        partition = partition_in(lane.session)
        rest = [self._keys.per_destination(partition, name, lane.to) for name in names]
        return [self._keys.lane(lane.session, lane.to), *rest]

    async def take(self, lane: Lane, term: int) -> Pending | None:
        keys = self._lane_keys(lane, "busy", "tried", "lease")
        head = _pending(await self._wire.run(self._take, keys, [term, lane.session, ""], durable=True))
        if head is None or not self._nobody_was_told(head):
            return self._told(head)
        return Pending(head.effect) if await self.stamp(lane, term, head.effect.id) else None

    def _nobody_was_told(self, head: Pending) -> bool:
        """Whether its stamp is that of a commit of ours which was never answered: then nobody has begun to send it."""
        return head.stamp is not None and self._unanswered.get(head.effect.id) == head.stamp.term

    def _told(self, head: Pending | None) -> Pending | None:
        """From here on an effect that bore no stamp may be sent at any moment, and its next stamp counts."""
        if head is not None and head.stamp is None:
            self._unanswered.pop(head.effect.id, None)
        return head

    async def stamp(self, lane: Lane, term: int, effect: EffectId) -> bool:
        self._unanswered.pop(effect, None)
        keys = self._lane_keys(lane, "busy", "tried", "lease")
        return _pending(await self._wire.run(self._take, keys, [term, lane.session, effect], durable=True)) is not None

    async def following(self, lane: Lane, limit: int) -> list[Effect]:
        (key,) = self._lane_keys(lane)
        found: list[Effect] = []
        for item in await self._wire.call(key, "LRANGE", key, 1, limit):
            try:
                found.append(_effect(item))
            except StoreCorruptError:
                break  # whoever comes to it says so
        return found

    async def stamp_together(self, lane: Lane, term: int, effects: Sequence[EffectId], *, again: bool = False) -> bool:
        for effect in effects:
            self._unanswered.pop(effect, None)
        keys, args = self._lane_keys(lane, "tried", "lease"), [term, 1 if again else 0, *effects]
        return _unfenced(await self._wire.run(self._stamp_together, keys, args, durable=True)) == "stamped"

    async def unstamp(self, lane: Lane, term: int, effects: Sequence[EffectId]) -> None:
        keys = self._lane_keys(lane, "tried", "lease")
        _unfenced(await self._wire.run(self._unstamp, keys, [term, *effects]))

    async def settle(self, lane: Lane, term: int, effect: Effect, done: Delivered, *, sweep_at: int | None) -> Settled:
        fields = _posts_to_write(effect, done)
        return await self._settled(lane, term, effect, fields, sweep_at, "")

    async def set_aside(self, lane: Lane, term: int, effect: Effect, error: str) -> Settled:
        return await self._settled(lane, term, effect, [], None, error.replace(" ", "_") or "unknown")

    async def _settled(
        self, lane: Lane, term: int, effect: Effect, fields: Sequence[str], sweep_at: int | None, error: str
    ) -> Settled:
        keys = self._lane_keys(lane, "busy", "tried", "lease")
        keys.append(self._keys.session(lane.session, "posts"))
        partition = partition_in(lane.session)
        keys += [
            self._keys.per_destination(partition, name, lane.to) for name in ("sweeps", "swept", "errors", "aside")
        ]
        args = [term, effect.id, lane.session, "" if sweep_at is None else sweep_at, error, len(fields) // 2, *fields]
        return Settled(self._told(_pending(await self._wire.run(self._settle, keys, args, durable=True))))

    async def put_off(self, lane: Lane, term: int, due: int, error: str, *, certain: bool) -> None:
        keys = self._lane_keys(lane, "busy", "tried", "lease", "errors")
        _pending(await self._wire.run(self._put_off, keys, [term, lane.session, due, error, 1 if certain else 0]))

    async def waiting_lanes(self, partition: int, to: NetworkName, now: int) -> list[Lane]:
        key = self._keys.per_destination(partition, "busy", to)
        return [Lane(SessionId(one), to) for one in await self._wire.call(key, "ZRANGEBYSCORE", key, "-inf", now)]

    async def backlog(self, partition: int, to: NetworkName, now: int) -> tuple[int, int]:
        """Lanes that are due, and since when the oldest has been (0 when none is)."""
        key = self._keys.per_destination(partition, "busy", to)
        count, first = await asyncio.gather(
            self._wire.call(key, "ZCOUNT", key, "-inf", now),
            self._wire.call(key, "ZRANGE", key, 0, 0, "WITHSCORES"),
        )
        return int(count), int(float(first[1])) if count else 0

    async def lane_states(self, session: SessionId, to: NetworkName) -> LaneState | None:
        lane = Lane(session, to)
        (key,) = self._lane_keys(lane)
        errors = self._keys.per_destination(partition_in(session), "errors", to)
        busy = self._keys.per_destination(partition_in(session), "busy", to)
        count, head, error, due = await asyncio.gather(
            self._wire.call(key, "LLEN", key),
            self._wire.call(key, "LINDEX", key, 0),
            self._wire.call(errors, "HGET", errors, session),
            self._wire.call(busy, "ZSCORE", busy, session),
        )
        if not head:
            return None
        attempts, _, word = (error or "0 ").partition(" ")
        effect = _effect(head)
        tried = self._keys.per_destination(partition_in(session), "tried", to)
        stamped = bool(error) and await self._wire.call(tried, "HEXISTS", tried, effect.id)
        return LaneState(lane, count, effect, int(float(due or 0)), int(attempts), word, uncertain=bool(stamped))

    async def destinations(self) -> list[NetworkName]:
        return [NetworkName(name) for name in await self._noted_in(self._keys.destinations)]

    async def stuck_lanes(self, to: NetworkName, *, waiting: bool = False) -> list[LaneState]:
        stuck: list[LaneState] = []
        for partition in range(self.partitions):
            for session in await self._busy(partition, to) if waiting else await self._failed(partition, to):
                state = await self.lane_states(SessionId(session), to)
                stuck += [state] if state else []
            stuck += await self._set_aside(partition, to)
        return stuck

    async def _busy(self, partition: int, to: NetworkName) -> list[str]:
        key = self._keys.per_destination(partition, "busy", to)
        return list(await self._wire.call(key, "ZRANGE", key, 0, -1))

    async def _failed(self, partition: int, to: NetworkName) -> list[str]:
        key = self._keys.per_destination(partition, "errors", to)
        return list(await self._wire.call(key, "HKEYS", key))

    async def _set_aside(self, partition: int, to: NetworkName) -> list[LaneState]:
        key = self._keys.per_destination(partition, "aside", to)
        states = []
        for text in await self._wire.call(key, "HVALS", key):
            session, error, item = text.split(" ", 2)
            states.append(LaneState(Lane(SessionId(session), to), 1, _effect(item), 0, 1, error, aside=True))
        return states

    async def retry(self, lane: Lane) -> None:
        key = self._keys.per_destination(partition_in(lane.session), "busy", lane.to)
        await self._wire.call(key, "ZADD", key, "XX", 0, lane.session)

    async def discard(self, lane: Lane, effect: EffectId) -> bool:
        keys = self._lane_keys(lane, "busy", "tried", "aside", "errors")
        return bool(await self._wire.run(self._discard, keys, [effect, lane.session], durable=True))

    async def sweeps(self, partition: int, to: NetworkName, now: int) -> list[Sweep]:
        due = self._keys.per_destination(partition, "sweeps", to)
        ids = await self._wire.call(due, "ZRANGEBYSCORE", due, "-inf", now)
        if not ids:
            return []
        key = self._keys.per_destination(partition, "swept", to)
        found = []
        for effect, text in zip(ids, await self._wire.call(key, "HMGET", key, *ids), strict=True):
            if text is None:  # `swept` came no further than its first half
                await self._wire.call(due, "ZREM", due, effect)
                continue
            session, item = text.split(" ", 1)
            found.append(Sweep(SessionId(session), _effect(item)))
        return found

    async def swept(self, to: NetworkName, sweep: Sweep) -> None:
        partition = partition_in(sweep.session)
        due = self._keys.per_destination(partition, "sweeps", to)
        kept = self._keys.per_destination(partition, "swept", to)
        await self._wire.call(kept, "HDEL", kept, sweep.effect.id)
        await self._wire.call(due, "ZREM", due, sweep.effect.id)

    async def sweep_later(self, to: NetworkName, sweep: Sweep, due: int) -> None:
        partition = partition_in(sweep.session)
        key, kept = (self._keys.per_destination(partition, name, to) for name in ("sweeps", "swept"))
        item = codec.encode_effect(sweep.effect).decode()
        await self._wire.call(kept, "HSET", kept, sweep.effect.id, f"{sweep.session} {sweep.effect.id} {item}")
        await self._wire.call(key, "ZADD", key, due, sweep.effect.id)

    async def threads(self, session: SessionId) -> Mapping[int, ThreadRef]:
        posts = await self._posts(session)
        return {int(key[len(ROOT) :]): ThreadRef(value) for key, value in posts.items() if key.startswith(ROOT)}

    async def posts(self, session: SessionId, message: MessageId, mirror: int) -> tuple[PostRef, ...]:
        key = self._keys.session(session, "posts")
        found = await self._wire.call(key, "HGET", key, _post_field(message, mirror))
        return tuple(PostRef(one) for one in found.split("\n")) if found else ()

    async def posted(self, session: SessionId, messages: Sequence[MessageId]) -> set[MessageId]:
        posts = await self._posts(session)
        reached = {key.rpartition("#")[0] for key in posts}
        return {message for message in messages if message in reached}

    async def all_posts(self, session: SessionId, mirror: int) -> tuple[PostRef, ...]:
        posts = await self._posts(session)
        mine = [value for key, value in posts.items() if key.endswith(f"#{mirror}") and value]
        return tuple(PostRef(one) for value in mine for one in value.split("\n"))

    async def _posts(self, session: SessionId) -> dict[str, str]:
        key = self._keys.session(session, "posts")
        return _pairs(await self._wire.call(key, "HGETALL", key))

    async def place(self, network: NetworkName, thread: ThreadRef, placed: Placed) -> None:
        key = self._keys.thread(network, thread)
        await self._wire.call(key, "SET", key, f"{placed.session} {placed.mirror}", durable=True)

    async def placed(self, network: NetworkName, thread: ThreadRef) -> Placed | None:
        key = self._keys.thread(network, thread)
        found = await self._wire.call(key, "GET", key)
        if not found:
            return None
        session, mirror = found.split(" ")
        return Placed(SessionId(session), int(mirror))

    async def keep_unplaced(self, network: NetworkName, unplaced: Unplaced) -> None:
        key = self._keys.unplaced(network)
        record = {"thread": unplaced.thread, "payload": unplaced.payload, "at": unplaced.at}
        among = self._keys.unplaced_in(network, unplaced.thread)
        await asyncio.gather(
            self._wire.call(key, "HSETNX", key, unplaced.key, codec.encode_plain(record), durable=True),
            self._wire.call(among, "SADD", among, unplaced.key),
            self._wire.call(among, "EXPIRE", among, LOOKED_OUT_FOR),
        )

    async def unplaced(self, network: NetworkName) -> list[Unplaced]:
        key = self._keys.unplaced(network)
        kept = []
        for name, text in _pairs(await self._wire.call(key, "HGETALL", key)).items():
            record = codec.decode_plain(text)
            kept.append(Unplaced(InputKey(name), ThreadRef(record["thread"]), record["payload"], record["at"]))
        return sorted(kept, key=lambda one: one.at)

    async def unplaced_in(self, network: NetworkName, thread: ThreadRef) -> frozenset[InputKey]:
        key = self._keys.unplaced_in(network, thread)
        return frozenset(InputKey(one) for one in await self._wire.call(key, "SMEMBERS", key))

    async def drop_unplaced(self, network: NetworkName, unplaced: Unplaced) -> None:
        key, among = self._keys.unplaced(network), self._keys.unplaced_in(network, unplaced.thread)
        await self._wire.call(among, "SREM", among, unplaced.key)
        await self._wire.call(key, "HDEL", key, unplaced.key)

    # ------------------------------------------------------------------ views

    async def stale_views(self, partition: int, to: NetworkName, now: int) -> list[SessionId]:
        key = self._keys.per_destination(partition, "stale", to)
        return [SessionId(one) for one in await self._wire.call(key, "ZRANGEBYSCORE", key, "-inf", now)]

    async def view_refreshed(self, to: NetworkName, session: SessionId, head: int, again_at: int) -> None:
        stale = self._keys.per_destination(partition_in(session), "stale", to)
        keys = [self._keys.session(session, "snapshot"), stale]
        await self._wire.run(self._refreshed, keys, [session, head, again_at])

    async def put_line(self, line: Line) -> None:
        record = codec.encode_plain({"code": line.code, **line.summary})
        closed = line.summary.get("state") == State.CLOSED
        await self._note(self._keys.desks, (line.desk,))
        await self._set_line(line.desk, line.session, line.head, "" if closed else record)
        if closed:
            await self._list_closed(line)

    async def _list_closed(self, line: Line) -> None:
        key = self._keys.closed(line.desk)
        await self._wire.call(key, "ZADD", key, await self.now(), line.session)
        await self._wire.call(key, "ZREMRANGEBYRANK", key, 0, -CLOSED_KEPT - 1)

    async def drop_line(self, desk: DeskId, session: SessionId, head: int) -> None:
        await self._set_line(desk, session, head, "")

    async def _set_line(self, desk: DeskId, session: SessionId, head: int, record: str) -> None:
        await self._wire.run(self._line, self._line_keys(desk), [session, head, record, CHANGES_KEPT])

    def _line_keys(self, desk: DeskId) -> list[str]:
        return [self._keys.desk(desk), self._keys.of_desk(desk, "changed"), self._keys.of_desk(desk, "marks")]

    async def desks(self) -> list[DeskId]:
        return [DeskId(name) for name in await self._noted_in(self._keys.desks)]

    async def lines(self, desk: DeskId) -> list[Line]:
        key = self._keys.desk(desk)
        return [_line(desk, *one) for one in _pairs(await self._wire.call(key, "HGETALL", key)).items()]

    async def line_news(self, desk: DeskId, mark: int) -> LineNews:
        now, kind, *rest = await self._wire.run(self._news, self._line_keys(desk), [mark])
        pairs = _pairs(rest)
        lines = tuple(_line(desk, session, text) for session, text in pairs.items() if text)
        gone = tuple(SessionId(session) for session, text in pairs.items() if not text)
        return LineNews(int(now), kind == "whole", lines, gone)

    async def note_handled(self, desk: DeskId, session: SessionId, at: int, took: int) -> None:
        key = self._keys.of_desk(desk, "handled")
        await self._wire.call(key, "ZADD", key, at, f"{session} {took}")
        await self._wire.call(key, "ZREMRANGEBYSCORE", key, "-inf", at - HANDLED_KEPT)

    async def handled(self, desk: DeskId, since: int) -> list[int]:
        key = self._keys.of_desk(desk, "handled")
        found = await self._wire.call(key, "ZRANGEBYSCORE", key, since, "+inf")
        return [int(one.rpartition(" ")[2]) for one in found]

    async def note_milestones(self, milestones: Sequence[Milestone]) -> None:
        for one in milestones:
            key = self._keys.of_desk(one.desk, "milestones")
            await self._wire.call(key, "ZADD", key, one.at, codec.encode_milestone(one))
        for desk, at in {one.desk: one.at for one in milestones}.items():
            key = self._keys.of_desk(desk, "milestones")
            await self._wire.call(key, "ZREMRANGEBYSCORE", key, "-inf", at - MILESTONES_KEPT)

    async def milestones(self, desk: DeskId, since: int) -> list[Milestone]:
        key = self._keys.of_desk(desk, "milestones")
        found = await self._wire.call(key, "ZRANGEBYSCORE", key, since, "+inf")
        return [codec.decode_milestone(desk, one) for one in found]

    async def closed(self, desk: DeskId, limit: int) -> list[SessionId]:
        key = self._keys.closed(desk)
        return [SessionId(one) for one in await self._wire.call(key, "ZREVRANGE", key, 0, limit - 1)]

    # ------------------------------------------------------------------ reservations

    async def reserve(self, operator: OperatorId, session: SessionId, capacity: int | None) -> Reserved:
        keys = [self._keys.reserved(operator), self._keys.given(operator)]
        args = [session, "" if capacity is None else capacity]
        return Reserved(await self._wire.run(self._reserve, keys, args, durable=True))

    async def confirm_reservation(self, operator: OperatorId, session: SessionId, at: int) -> None:
        key = self._keys.reserved(operator)
        await self._wire.call(key, "HSETNX", key, session, at, durable=True)

    async def give_back(self, operator: OperatorId, session: SessionId, before: int | None = None) -> bool:
        args = [session, "" if before is None else before]
        return bool(await self._wire.run(self._give_back, [self._keys.reserved(operator)], args, durable=True))

    async def reservations(self, operator: OperatorId) -> Reservations:
        key, given = self._keys.reserved(operator), self._keys.given(operator)
        places, at = await asyncio.gather(self._wire.call(key, "HGETALL", key), self._wire.call(given, "GET", given))
        return Reservations({SessionId(one): int(since) for one, since in _pairs(places).items()}, int(at or 0))

    # ------------------------------------------------------------------ timers and presence

    async def due_timers(self, partition: int, now: int) -> list[SessionId]:
        key = self._keys.of(partition, "timers")
        return [SessionId(one) for one in await self._wire.call(key, "ZRANGEBYSCORE", key, "-inf", now)]

    async def timed(self, partition: int) -> list[SessionId]:
        key = self._keys.of(partition, "timers")
        return [SessionId(one) for one in await self._wire.call(key, "ZRANGE", key, 0, -1)]

    async def set_timer(self, session: SessionId, head: int, due: int | None) -> None:
        keys = [self._keys.session(session, "snapshot"), self._keys.of(partition_in(session), "timers")]
        await self._wire.run(self._timer, keys, [session, head, "" if due is None else due])

    async def alive(self, sessions: Sequence[SessionId], now: int) -> None:
        by_key: dict[str, list[str | int]] = {}
        for session in sessions:
            by_key.setdefault(self._keys.of(partition_in(session), "presence"), []).extend((now, session))
        await asyncio.gather(*(self._wire.call(key, "ZADD", key, *members) for key, members in by_key.items()))

    async def absent(self, partition: int, before: int) -> list[SessionId]:
        key = self._keys.of(partition, "presence")
        return [SessionId(one) for one in await self._wire.call(key, "ZRANGEBYSCORE", key, "-inf", before)]

    async def absence_noted(self, session: SessionId, before: int) -> None:
        await self._wire.run(self._absent, [self._keys.of(partition_in(session), "presence")], [session, before])

    # ------------------------------------------------------------------ leases

    async def hold(self, name: str, holder: str, ttl: int) -> Lease | None:
        term = await self._wire.run(self._hold, [self._keys.lease(name)], [holder, ttl], durable=True)
        return Lease(name, int(term)) if term else None

    async def hold_many(self, names: Sequence[str], holder: str, ttl: int) -> list[Lease | None]:
        return list(await asyncio.gather(*(self.hold(name, holder, ttl) for name in names)))

    async def release(self, lease: Lease, holder: str) -> None:
        await self._wire.run(self._release, [self._keys.lease(lease.name)], [holder, lease.term])

    async def holder(self, name: str) -> tuple[str, int, int]:
        key = self._keys.lease(name)
        holder, term, until = await self._wire.call(key, "HMGET", key, "holder", "term", "until")
        return holder or "", int(term or 0), int(until or 0)

    async def processes(self, holder: str, now: int) -> list[str]:
        key = self._keys.processes
        await self._wire.call(key, "ZADD", key, now, holder)
        await self._wire.call(key, "ZREMRANGEBYSCORE", key, "-inf", now - PROCESS_TTL)
        return list(await self._wire.call(key, "ZRANGE", key, 0, -1))

    async def leave(self, holder: str) -> None:
        """This process stops."""
        await self._wire.call(self._keys.processes, "ZREM", self._keys.processes, holder)

    # ------------------------------------------------------------------ limits and small secrets

    async def draw(
        self,
        bucket: str,
        wanted: int,
        rate: float,
        burst: int,
        rank: int | None = None,
        most: tuple[int, int] | None = None,
    ) -> tuple[int, int]:
        args = [wanted, rate, burst, "" if rank is None else rank, WAITED_FOR, *(most or ())]
        given, wait = await self._wire.run(self._draw, [self._keys.bucket(bucket)], args)
        return int(given), int(wait)

    async def pause(self, bucket: str, until: int) -> None:
        key = self._keys.bucket(bucket)
        await self._wire.call(key, "HSET", key, "pause", until, "tokens", 0, "at", until)
        await self._wire.call(key, "PEXPIREAT", key, until + 60_000)

    async def put(self, name: str, value: str, ttl: int | None = None) -> None:
        if ttl is None:
            key = self._keys.book(name)
            await self._wire.call(key, "HSET", key, name, value, durable=True)
        else:
            key = self._keys.secret(name)
            await self._wire.call(key, "SET", key, value, "PX", ttl, durable=True)

    async def get(self, name: str) -> str | None:
        book, secret = self._keys.book(name), self._keys.secret(name)
        lasting, passing = await asyncio.gather(
            self._wire.call(book, "HGET", book, name), self._wire.call(secret, "GET", secret)
        )
        value: str | None = lasting if lasting is not None else passing
        return value

    async def take_once(self, name: str) -> str | None:
        key = self._keys.secret(name)
        value: str | None = await self._wire.call(key, "GETDEL", key, durable=True)
        return value

    async def swap(self, name: str, before: str | None, after: str | None) -> bool:
        args = [name, *("" if one is None else f"={one}" for one in (before, after))]
        return bool(await self._wire.run(self._swap, [self._keys.book(name)], args, durable=True))

    async def names(self, prefix: str) -> list[str]:
        key = self._keys.book(prefix)
        return sorted(name for name in await self._wire.call(key, "HKEYS", key) if name.startswith(prefix))

    async def shelf(self, space: str) -> Mapping[str, str]:
        key = self._keys.book(f"{space}/")
        return _pairs(await self._wire.call(key, "HGETALL", key))

    async def forget(self, name: str) -> None:
        book, secret = self._keys.book(name), self._keys.secret(name)
        await self._wire.call(book, "HDEL", book, name, durable=True)
        await self._wire.call(secret, "DEL", secret, durable=True)

    # ------------------------------------------------------------------ wake-ups

    async def hints(self) -> AsyncIterator[Hint | None]:
        while True:
            try:
                async with self._wire.subscription(self._keys.wake) as messages:
                    async for data in messages:
                        hint = _hint(data) if data is not None else None
                        if data is None or hint is not None:
                            yield hint
            except (OSError, TimeoutError, StoreUnavailableError, self._wire.errors):
                await asyncio.sleep(1.0)  # hints are only hints: everybody polls too

    async def signal(self, hint: Hint) -> None:
        body = codec.encode_plain({"session": hint.session, "customer": hint.customer, "signal": hint.signal or {}})
        await self._wire.call(self._keys.wake, "PUBLISH", self._keys.wake, body)


def _line(desk: DeskId, session: str, text: str) -> Line:
    head, record = text.split(" ", 1)
    summary = codec.decode_plain(record)
    return Line(SessionId(session), ShortCode(summary.pop("code")), desk, int(head), summary)


def _check_schema(schema: int, where: str) -> None:
    """A release reads its own records and those of the one before."""
    reads = f"its records have the number {schema}, and this release reads {max(codec.SCHEMA - 1, 1)} to {codec.SCHEMA}"
    if schema > codec.SCHEMA:
        mend = "start that release again, or restore a backup from before the upgrade"
        raise KakehashiError(f"a newer release has written this data: {reads}", where=where, mend=mend)
    if schema < codec.SCHEMA - 1:
        mend = "start the releases in between first, one after the other"
        raise KakehashiError(f"a release too old has written this data: {reads}", where=where, mend=mend)


ABOUT = "about"
ROOT = "root#"


def _body_field(message: MessageId, revision: int) -> str:
    return f"{message}#{revision}"


def _post_field(message: MessageId, mirror: int) -> str:
    return f"{message}#{mirror}"


def _posts_to_write(effect: Effect, done: Delivered) -> list[str]:
    """What an effect made, as fields: the mirror's root, the message's posts, or posts of the bridge's own."""
    fields: list[str] = []
    if done.thread is not None:
        fields += [f"{ROOT}{effect.mirror}", done.thread]
    if isinstance(effect, PostMessage):
        fields += [_post_field(effect.message, effect.mirror), "\n".join(done.posts)]
    elif done.posts:
        fields += [_post_field(kept_under(effect), effect.mirror), "\n".join(done.posts)]
    return fields


def _stored(key: str, answer: Any) -> Stored | None:
    fields = _pairs(answer)
    if not fields:
        return None
    try:
        return codec.decode_stored(fields)
    except UNREADABLE as error:
        raise StoreCorruptError("a snapshot cannot be read", where=key, mend="rebuild it from its journal") from error


UNREADABLE = (KeyError, ValueError, TypeError, AttributeError)
"""What reading a foreign or damaged record may raise."""


def _entries(key: str, lines: Sequence[str]) -> list[Entry]:
    try:
        return [codec.decode_entry(line) for line in lines]
    except UNREADABLE as error:
        raise StoreCorruptError("a journal cannot be read", where=key, mend="restore it from a backup") from error


def _pairs(answer: Any) -> dict[str, str]:
    """HGETALL's answer: a map over RESP3, a flat list over RESP2."""
    if isinstance(answer, dict):
        return answer
    return dict(zip(answer[::2], answer[1::2], strict=True))


def _unfenced(answer: Any) -> str:
    if answer[0] == "fenced":
        raise LostLeaseError("the lease is another process's now")
    return str(answer[0])


def _pending(answer: Any) -> Pending | None:
    if answer[0] == "fenced":
        raise LostLeaseError("the lease is another process's now")
    if answer[0] != "head":
        return None
    term, _, at = answer[2].partition(":")
    return Pending(_effect(answer[1]), Stamp(int(term), int(at)) if answer[2] else None)


def _effect(item: str) -> Effect:
    try:
        return codec.decode_effect(item.split(" ", 1)[1])
    except (IndexError, *UNREADABLE) as error:
        name = item.split(" ", 1)[0][:32]
        mend = "a newer release knows it; else `outbox discard` it"
        raise StoreCorruptError("an effect cannot be read", where=f"effect {name}", mend=mend) from error


def _hint(data: str) -> Hint | None:
    """None for what is no hint: anybody may say anything on a channel."""
    try:
        if data.startswith("{"):
            told = codec.decode_plain(data)
            return Hint(SessionId(told["session"]), told["customer"], 0, signal=told["signal"])
        session, head, customer, *lanes = data.split(" ")
        return Hint(SessionId(session), customer, int(head), tuple(NetworkName(lane) for lane in lanes))
    except UNREADABLE:
        return None
