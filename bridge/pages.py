"""Pages: many late sessions, one page. What shall ring is kept in the store; what rings is brought in line with it.

Each rung that pages, each acknowledgement and each answer changes an entry on the shelf `page/`: a *caller*, one for
each escalation and pager. Callers of one desk and pager are a *group*, and a group has one page: the first
caller opens it, later ones bring its count up to date, and it is resolved when the last one has been answered.

Every process looks at the shelf each second and works out the next *move* of each group (`next_move`, which is pure).
Who moves claims the group first, by swapping its record, calls the pager, and writes what came of it. Nothing is
remembered elsewhere, so a kill between any two lines leaves a claim that runs out, and the same move is made again
under the same key: for a pager that keeps books it is the same page.

Two things are never done. A key that is being resolved is never called again (it would be resolved late, and its page
lost): a group that closes says so first, and callers that come then open a group of their own. And an acknowledged page
is never expected to ring: an acknowledgement that was not kept, and whoever is late after it, go on under a new key.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, tzinfo
from enum import Enum, auto
from functools import partial
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import structlog

from bridge.errors import DeliveryError, Fault, KakehashiError
from bridge.pagers import KeepsPages, PageCall, Pager, in_time
from bridge.ports import Store
from bridge.relay import Answer, Receipt
from routing import inputs as i
from routing.effects import Page
from routing.facts import Cause
from routing.ids import DeskId, EffectId, InputKey, OperatorId, SessionId
from routing.session import Session

LOOK_EVERY = 1.0
"""Seconds between looks at the shelf."""

GATHER = 2_000
"""ms that the first caller of a group waits for others: what is late for one cause is late at once."""

UPDATE_EVERY = 10_000
"""ms between two updates of a page at a pager that keeps books. PagerDuty takes about 120 events a minute per key."""

TELL_EVERY = 5 * 60_000
"""ms between two calls about a growing group that ring: at a pager that is only told, and after an acknowledgement."""

RING_EVERY = 60_000
"""ms between two messages to a pager that is only told, when a rung is repeated."""

CLAIMED_FOR = 20_000
"""ms that a claim holds: longer than a call may take, so that no two processes call for one group at once."""

BACK_OFF, BACK_OFF_AT_MOST = 2_000, 120_000
"""ms until a call that failed is made again; doubled each time."""

RESOLVE_AGAIN = 60_000
"""ms after which a resolved page is resolved once more, lest a call that was lost in a hung connection came after."""

CHECK_EVERY = 60_000
"""ms between two looks whether each caller's session is escalated still."""

REMEMBERED = 32
"""Webhook events that a group remembers, so that none counts twice."""

SKEW = 60_000
"""ms by which a pager's clock may be behind ours."""

THE_PAGER = OperatorId("PagerDuty")
"""Who acknowledged, when the pager names somebody whom we do not know. Accounts have small letters only."""

log = structlog.get_logger(__name__)


class Door(Protocol):
    """The relay, as far as pages need it."""

    async def from_bridge(self, session: SessionId, event: i.BridgeInput, key: InputKey) -> Answer: ...
    async def from_operator(self, session: SessionId, event: i.OperatorInput, key: InputKey) -> Answer: ...


class Words(Protocol):
    """The wording of pages: a text by language and key, with its gaps filled. `count` chooses the plural form."""

    def __call__(self, language: str, key: str, /, **words: object) -> str: ...


# ------------------------------------------------------------------ what is kept


@dataclass(frozen=True, slots=True)
class Caller:
    """One escalation that calls one pager. Written by the session's lane only, in its order.

    `effect` is the latest rung that asked; `since` is since when the customer has waited, `asked` when it first paged.
    """

    session: SessionId
    code: str
    desk: DeskId
    language: str
    topic: str
    cause: Cause
    since: int
    asked: int
    effect: EffectId
    acknowledged: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """What rings for a desk at a pager. Changed by swapping the whole of it.

    `key` is the page's name at the pager, and `past` are names that went before and are to be resolved. `covered` are
    the escalations that the last accepted call spoke of, with the rung that had asked; `told` those whose sessions know
    it. `quiet`: the page was acknowledged, so that nothing rings under this key. `heard` are the pager's own latest
    words about it, by their ids, and `heard_at` when the last one was said.
    """

    key: str
    number: int = 1
    past: tuple[str, ...] = ()
    covered: Mapping[str, str] = field(default_factory=dict)
    told: tuple[str, ...] = ()
    at: int = 0
    quiet: bool = False
    closing: bool = False
    claim: str = ""
    until: int = 0
    tries: int = 0
    due: int = 0
    heard: tuple[str, ...] = ()
    heard_at: int = 0


class Move(Enum):
    """What is to be done next for a group."""

    OPEN = auto()
    CALL = auto()  # the same page again: newer words, or one more ring
    RENEW = auto()  # a new page: the one before was acknowledged, and would not ring
    ACKNOWLEDGE = auto()
    TELL = auto()  # sessions whose page was accepted hear of it
    CLOSE = auto()
    FINISH = auto()  # what was closed leaves the books


def next_move(callers: Mapping[str, Caller], group: Group | None, now: int, *, keeps: bool) -> Move | None:
    """What a group needs next, if anything.

    `callers` by escalation; `now` in ms by the store's clock; `keeps`: whether its pager keeps books.
    """
    if group is None:
        first = min((one.asked for one in callers.values()), default=None)
        return None if first is None or now < first + GATHER else Move.OPEN
    if now < group.until or now < group.due:
        return None  # somebody is at it, or it failed a moment ago
    if group.closing:
        return Move.FINISH
    if not callers:
        return Move.CLOSE
    return _call_of(callers, group, now, keeps=keeps)


def _call_of(callers: Mapping[str, Caller], group: Group, now: int, *, keeps: bool) -> Move | None:
    if set(group.covered) & set(callers) - set(group.told):
        return Move.TELL
    again = [one for name, one in callers.items() if group.covered.get(name, one.effect) != one.effect]
    if again and (keeps or now >= group.at + RING_EVERY):
        return Move.RENEW if group.quiet else Move.CALL
    late = [name for name in callers if name not in group.covered]
    if late and group.quiet:
        return Move.RENEW if now >= group.at + TELL_EVERY else None  # who acknowledged does not know of them
    if late and now >= group.at + (UPDATE_EVERY if keeps else TELL_EVERY):
        return Move.CALL
    if keeps and not group.quiet and not late and all(one.acknowledged for one in callers.values()):
        return Move.ACKNOWLEDGE
    return None


# ------------------------------------------------------------------ the shelf


@dataclass(frozen=True, slots=True)
class Shelf:
    """Everything about pages, as one look found it."""

    callers: Mapping[tuple[DeskId, str], Mapping[str, Caller]]
    groups: Mapping[tuple[DeskId, str], Group]

    @property
    def names(self) -> set[tuple[DeskId, str]]:
        return {*self.callers, *self.groups}


class Pages:
    """`desk_url` is the desk page's address, `zone` the time zone in which a desk's operators read times."""

    def __init__(
        self,
        store: Store,
        door: Door,
        pagers: Mapping[str, Pager],
        words: Words,
        holder: str,
        *,
        desk_url: str = "",
        zone: Callable[[DeskId], tzinfo] = lambda _desk: ZoneInfo("UTC"),
    ) -> None:
        self._store = store
        self._door = door
        self._pagers = pagers
        self._words = words
        self._holder = holder
        self._desk_url = desk_url
        self._zone = zone
        self._nudge = asyncio.Event()
        self._checked = 0

    @property
    def pagers(self) -> Mapping[str, Pager]:
        return self._pagers

    # ------------------------------------------------------------------ what the lanes bring

    async def ask(self, effect: Page, session: Session) -> None:
        """A rung pages. Whoever was answered meanwhile needs none any more."""
        if session.escalation is None or session.escalation.id != effect.escalation:
            return
        known = await self._entries(effect.escalation, effect.pager)
        name = next(iter(known), _caller_name(session.desk, effect.pager, effect.escalation))
        before = known.get(name)
        if before is not None and before.effect == effect.id:
            return
        asked = before.asked if before else await self._store.now()
        await self._store.put(name, _encode(_caller(session, effect, asked, before)))
        self._nudge.set()

    async def acknowledge(self, escalation: EffectId) -> None:
        """Somebody has it."""
        for name, caller in (await self._entries(escalation)).items():
            await self._store.put(name, _encode(replace(caller, acknowledged=True)))
        self._nudge.set()

    async def end(self, escalation: EffectId) -> None:
        """It is answered, or nothing is left to answer."""
        for name in await self._entries(escalation):
            await self._store.forget(name)
        self._nudge.set()

    async def _entries(self, escalation: EffectId, pager: str = "") -> dict[str, Caller]:
        """An escalation's callers, by name. It stays in the group that it is in, wherever its session moves."""
        kept = await self._store.shelf(PAGE)
        wanted = {name: text for name, text in kept.items() if name.endswith(f"/{escalation}")}
        return {name: _decode_caller(text) for name, text in wanted.items() if pager in ("", name.split("/")[2])}

    # ------------------------------------------------------------------ what a pager says

    async def acknowledged(self, pager: str, key: str, who: OperatorId, *, at: int, event: str) -> bool:
        """Somebody acknowledged a page at the pager itself, at `at` (ms since 1970, UTC). `event` is its own id for it.

        Returns once every session of the page has it on record; True when there were any. An event that comes again
        changes nothing. Raises StoreUnavailableError or OverloadedError when it has to come again.
        """
        found = await self._page_called(pager, key)
        if found is None:
            return False
        name, group, callers = found
        if event in group.heard:
            return True
        seen = [one for one in callers.values() if one.asked <= at + SKEW]  # of those who came later they know nothing
        for caller in seen:
            said = i.OperatorAcknowledged(who, via=pager)
            await self._door.from_operator(caller.session, said, InputKey(f"{pager}/{event}"))
        await self._change(name, lambda one: _heard(one, key, event, at, quiet=True))
        return bool(seen)

    async def reopened(self, pager: str, key: str, *, at: int, event: str) -> None:
        """The pager itself rings again: its patience with whoever had acknowledged is over."""
        found = await self._page_called(pager, key)
        if found is not None:
            await self._change(found[0], lambda one: _heard(one, key, event, at, quiet=False))

    async def _page_called(self, pager: str, key: str) -> tuple[tuple[DeskId, str], Group, Mapping[str, Caller]] | None:
        shelf = await self._look()
        for name, group in shelf.groups.items():
            if name[1] == pager and key in (group.key, *group.past) and not group.closing:
                return name, group, shelf.callers.get(name, {})
        return None

    async def _change(self, name: tuple[DeskId, str], change: Callable[[Group], Group]) -> None:
        """Change a group's record, whatever others do to it meanwhile."""
        while (text := await self._store.get(_group_name(name))) is not None:
            if await self._store.swap(_group_name(name), text, _encode(change(_decode_group(text)))):
                return

    # ------------------------------------------------------------------ the work

    async def run(self) -> None:
        """Bring pagers in line with the shelf, until cancelled."""
        while True:
            try:
                await self.tick()
            except KakehashiError as error:
                log.warning("pages_not_read", reason=error.what)
            self._nudge.clear()
            try:
                async with asyncio.timeout(LOOK_EVERY):
                    await self._nudge.wait()
            except TimeoutError:
                continue

    async def tick(self) -> None:
        """One look. A pager that does not answer holds up its own groups only."""
        now = await self._store.now()
        if now >= self._checked + CHECK_EVERY:
            await self._forget_the_answered()
            self._checked = now
        shelf = await self._look()
        moves = [self._move(name, shelf, now) for name in sorted(shelf.names)]
        for failure in await asyncio.gather(*moves, self._resolve_past(now), return_exceptions=True):
            if isinstance(failure, KakehashiError):
                log.warning("page_put_off", reason=failure.what)
            elif isinstance(failure, BaseException):
                raise failure

    async def overdue(self) -> int:
        """ms that the longest waiting caller has waited for its page to be accepted; 0 when none waits."""
        now, shelf = await self._store.now(), await self._look()
        waiting = [
            caller.asked
            for name, callers in shelf.callers.items()
            for escalation, caller in callers.items()
            if name[1] in self._pagers and not (name in shelf.groups and escalation in shelf.groups[name].covered)
        ]
        return now - min(waiting, default=now)

    async def _look(self) -> Shelf:
        callers: dict[tuple[DeskId, str], dict[str, Caller]] = defaultdict(dict)
        kept, groups = await asyncio.gather(self._store.shelf(PAGE), self._store.shelf(GROUP))
        for name, text in kept.items():
            _, desk, pager, escalation = name.split("/")
            callers[DeskId(desk), pager][escalation] = _decode_caller(text)
        records = {(DeskId(name.split("/")[1]), name.split("/")[2]): _decode_group(one) for name, one in groups.items()}
        return Shelf(callers, records)

    async def _forget_the_answered(self) -> None:
        """The lanes do this; but a delivery may have been discarded by hand, or set aside."""
        for name, text in (await self._store.shelf(PAGE)).items():
            stored = await self._store.load(_decode_caller(text).session)
            ladder = stored.session.escalation if stored else None
            if ladder is None or ladder.id != name.rpartition("/")[2]:
                await self._store.forget(name)

    async def _move(self, name: tuple[DeskId, str], shelf: Shelf, now: int) -> None:
        pager = self._pagers.get(name[1])
        if pager is None:
            return  # the settings have it no more: its callers leave with their answers
        callers, group = shelf.callers.get(name, {}), shelf.groups.get(name)
        move = next_move(callers, group, now, keeps=isinstance(pager, KeepsPages))
        if move in (Move.OPEN, Move.CALL, Move.RENEW):
            await self._call(name, pager, callers, _begun(name, callers, group, move), group, now)
        elif group is None:
            return
        elif move is Move.ACKNOWLEDGE:
            await self._acknowledge(name, pager, group, now)
        elif move is Move.TELL:
            await self._tell(name, callers, group)
        elif move is Move.CLOSE:
            await self._swap(name, group, replace(group, closing=True))
            self._nudge.set()
        elif move is Move.FINISH:
            await self._finish(name, group, now)

    async def _swap(self, name: tuple[DeskId, str], before: Group | None, after: Group | None) -> bool:
        texts = [None if one is None else _encode(one) for one in (before, after)]
        return await self._store.swap(_group_name(name), *texts)

    async def _call(
        self,
        name: tuple[DeskId, str],
        pager: Pager,
        callers: Mapping[str, Caller],
        begun: Group,
        before: Group | None,
        now: int,
    ) -> None:
        claimed = replace(begun, claim=self._holder, until=now + CLAIMED_FOR)
        if not await self._swap(name, before, claimed):
            return
        try:
            await in_time(pager.page(self._page(name[0], begun, callers, now, pager)))
        except DeliveryError as error:
            await self._failed(name, claimed, error, now)
            return
        covered = {escalation: caller.effect for escalation, caller in callers.items()}
        log.info("page_accepted", pager=pager.name, desk=name[0], key=begun.key, callers=len(callers))
        await self._resolve_later(name[1], begun.past, now)
        await self._change(name, lambda one: _accepted(one, covered, now) if _is(one, claimed) else one)
        self._nudge.set()

    async def _failed(self, name: tuple[DeskId, str], claimed: Group, error: DeliveryError, now: int) -> None:
        log.warning("pager_failed", pager=name[1], desk=name[0], fault=error.fault, code=error.code)
        await self._change(name, lambda one: _put_off(one, error, now) if _is(one, claimed) else one)

    async def _acknowledge(self, name: tuple[DeskId, str], pager: Pager, group: Group, now: int) -> None:
        claimed = replace(group, claim=self._holder, until=now + CLAIMED_FOR)
        if not isinstance(pager, KeepsPages) or not await self._swap(name, group, claimed):
            return
        try:
            await in_time(pager.acknowledge(group.key))
        except DeliveryError as error:
            await self._failed(name, claimed, error, now)
            return
        await self._change(name, lambda one: replace(_free(one), quiet=True) if _is(one, claimed) else one)

    async def _tell(self, name: tuple[DeskId, str], callers: Mapping[str, Caller], group: Group) -> None:
        """The sessions hear that their page was accepted, and so do their customers. Told twice is told once."""
        untold = sorted(set(group.covered) & set(callers) - set(group.told))
        await asyncio.gather(*(self._tell_one(callers[one].session, one, name[1]) for one in untold))
        told = {*untold, *group.told} & set(callers)
        await self._change(name, lambda one: replace(one, told=tuple(sorted(told))) if one.key == group.key else one)
        self._nudge.set()

    async def _tell_one(self, session: SessionId, escalation: str, pager: str) -> None:
        accepted = i.PageAccepted(EffectId(escalation), pager)
        answer = await self._door.from_bridge(session, accepted, InputKey(f"paged/{escalation}/{pager}"))
        log.info("page_told", session=session, fresh=isinstance(answer, Receipt))

    async def _finish(self, name: tuple[DeskId, str], group: Group, now: int) -> None:
        """What is to be resolved is written down before the group goes."""
        await self._resolve_later(name[1], (group.key, *group.past), now)
        await self._swap(name, group, None)
        self._nudge.set()

    async def _resolve_later(self, pager: str, keys: Sequence[str], now: int) -> None:
        if self._keeper(pager) is not None:
            for key in keys:
                await self._store.put(f"{PAST}/{pager}/{key}", _past(now, 2))

    async def _resolve_past(self, now: int) -> None:
        for name, text in (await self._store.shelf(PAST)).items():
            _, pager_name, key = name.split("/", 2)
            left, keeper = json.loads(text), self._keeper(pager_name)
            if keeper is None:
                await self._store.forget(name)  # the settings have it no more
            elif left["due"] <= now:
                await self._resolve(name, text, keeper, key, left["times"], now)

    def _keeper(self, pager: str) -> KeepsPages | None:
        found: object = self._pagers.get(pager)
        return found if isinstance(found, KeepsPages) else None

    async def _resolve(self, name: str, text: str, pager: KeepsPages, key: str, times: int, now: int) -> None:
        if not await self._store.swap(name, text, _past(now + CLAIMED_FOR, times)):
            return
        try:
            await in_time(pager.resolve(key))
        except DeliveryError as error:
            log.warning("page_not_resolved", key=key, fault=error.fault, code=error.code)
            times = 1 if error.fault is Fault.POISON else 0
        if times > 1:
            await self._store.put(name, _past(now + RESOLVE_AGAIN, times - 1))
        elif times:
            await self._store.forget(name)

    # ------------------------------------------------------------------ what a page says

    def _page(self, desk: DeskId, group: Group, callers: Mapping[str, Caller], now: int, pager: Pager) -> PageCall:
        """One line that decides. The link opens the session that this call is about."""
        first = _foremost(callers, group, rings=not isinstance(pager, KeepsPages))
        emergency = any(one.cause is Cause.EMERGENCY for one in callers.values())
        words = partial(self._words, pager.language)
        parts = self._parts(desk, list(callers.values()), first, now, words)
        return PageCall(
            key=group.key,
            line=" · ".join([words("page.emergency"), *parts] if emergency else parts),
            link=f"{self._desk_url}/#{first.code}" if self._desk_url else "",
            severity="critical" if emergency else "error",
            at=first.since,
            details={"desk": desk, "codes": " ".join(sorted(one.code for one in callers.values())[:CODES])},
        )

    def _parts(
        self, desk: DeskId, callers: Sequence[Caller], first: Caller, now: int, words: Callable[..., str]
    ) -> list[str]:
        languages, topics = {one.language for one in callers}, {one.topic for one in callers}
        spoken = first.language if len(languages) == 1 else ", ".join(sorted(languages)[:3])
        about = (first.topic or desk) if len(topics) == 1 else desk
        return [
            *dict.fromkeys((spoken, about)),  # a desk is often called after its language
            words("page.waiting", since=spelt(first.since, now, self._zone(desk))),
            words("page.people", count=len(callers)),
        ]


def _foremost(callers: Mapping[str, Caller], group: Group, *, rings: bool) -> Caller:
    """Whom a call is about: an emergency before anything else, and nobody's before what somebody has on.

    `rings`: this call itself rings, so that it is about whom it tells of for the first time. Else only the call that
    opened the page rang, and what joined it later leaves its link alone. Then whoever has waited longest.
    """

    def place(one: tuple[str, Caller]) -> tuple[bool, bool, bool, int, str]:
        escalation, caller = one
        told = group.covered.get(escalation)
        other = told == caller.effect if rings else told is None
        return caller.cause is not Cause.EMERGENCY, caller.acknowledged, other, caller.since, caller.code

    return min(callers.items(), key=place)[1]


CODES = 20
"""Short codes that a page names; the desk's list has them all."""


def spelt(at: int, now: int, zone: tzinfo) -> str:
    """A moment as a page says it: `02:51 JST`, with its date when that is not today's. A page is read late."""
    moment, today = (datetime.fromtimestamp(one / 1000, zone) for one in (at, now))
    name = moment.strftime("%Z")
    if name in AMBIGUOUS or not name.isalpha():
        offset = moment.strftime("%z")
        name = f"UTC{offset[:3]}:{offset[3:5]}"
    day = "" if moment.date() == today.date() else f"{moment:%Y-%m-%d} "
    return f"{day}{moment:%H:%M} {name}"


AMBIGUOUS = frozenset(("CST", "IST", "BST", "AST", "PST", "EST", "MST", "SST", "GST"))
"""Zone names that stand for several zones: China's CST is America's, too."""


# ------------------------------------------------------------------ records

PAGE, GROUP, PAST = "page", "paging", "unpaging"
"""The shelves: callers, groups, and keys that are to be resolved."""


def _caller_name(desk: DeskId, pager: str, escalation: str) -> str:
    return f"{PAGE}/{desk}/{pager}/{escalation}"


def _group_name(name: tuple[DeskId, str]) -> str:
    return f"{GROUP}/{name[0]}/{name[1]}"


def _caller(session: Session, effect: Page, asked: int, before: Caller | None) -> Caller:
    ladder = session.escalation
    return Caller(
        session=session.id,
        code=session.code,
        desk=before.desk if before else session.desk,
        language=session.language,
        topic=session.topic,
        cause=effect.cause,
        since=session.waiting_since or (ladder.since if ladder else asked),
        asked=asked,
        effect=effect.id,
    )


def _begun(name: tuple[DeskId, str], callers: Mapping[str, Caller], group: Group | None, move: Move) -> Group:
    """The group as the call will be made for it. A key is made of the first caller, and never used for another page."""
    if group is None:
        first = min(callers, key=lambda one: (callers[one].asked, one))
        return Group(f"{name[0]}.{first}")
    if move is not Move.RENEW:
        return group
    number = group.number + 1
    key = f"{group.key.removesuffix(f'.{group.number}')}.{number}"
    return replace(group, key=key, number=number, past=(*group.past, group.key), quiet=False, covered={})


def _is(group: Group, claimed: Group) -> bool:
    """Whether a claim is still the one that was made: nobody has taken over since."""
    return (group.claim, group.until, group.key) == (claimed.claim, claimed.until, claimed.key)


def _free(group: Group) -> Group:
    return replace(group, claim="", until=0, tries=0, due=0)


def _accepted(group: Group, covered: Mapping[str, str], now: int) -> Group:
    return replace(_free(group), covered=covered, at=now, past=())


def _heard(group: Group, key: str, event: str, at: int, *, quiet: bool) -> Group:
    """What the pager said last counts, and each of its words once."""
    if group.key != key or event in group.heard:
        return group
    quiet = quiet if at >= group.heard_at else group.quiet
    return replace(group, quiet=quiet, heard=(*group.heard, event)[-REMEMBERED:], heard_at=max(at, group.heard_at))


def _put_off(group: Group, error: DeliveryError, now: int) -> Group:
    """It is tried again, later each time, or when the pager said."""
    wait = error.retry_after * 1000 if error.retry_after else min(BACK_OFF * 2**group.tries, BACK_OFF_AT_MOST)
    return replace(group, claim="", until=0, tries=min(group.tries + 1, 16), due=now + int(wait))


def _past(due: int, times: int) -> str:
    return json.dumps({"due": due, "times": times})


def _encode(record: Caller | Group) -> str:
    return json.dumps(asdict(record), sort_keys=True)


def _decode_caller(text: str) -> Caller:
    fields: dict[str, Any] = json.loads(text)
    return Caller(**{**fields, "cause": Cause(fields["cause"])})


def _decode_group(text: str) -> Group:
    fields: dict[str, Any] = {name: _tuple(value) for name, value in json.loads(text).items()}
    return Group(**fields)


def _tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value
