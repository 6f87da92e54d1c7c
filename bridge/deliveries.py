"""Deliveries: an effect with all that carries it out, read from the store or remembered from a moment ago."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from bridge.attachments import as_allowed
from bridge.messages import About, Body
from bridge.ports import Delivery, Lane, Store, Stored
from routing.effects import (
    AskAboutHeld,
    DeleteMirror,
    Effect,
    EndHeld,
    OpenThread,
    PostMessage,
    PostTranslation,
    ReactToMessage,
    RemoveFile,
    ReviseMessage,
    TranslateMessage,
    WithdrawMessage,
    WithdrawTranslation,
    kept_under,
)
from routing.facts import Side
from routing.ids import MessageId, PostRef, SessionId, ThreadRef, history_id
from routing.session import Session

Bodies = Mapping[tuple[MessageId, int], Body]

BEYOND = 0
"""The mirror of an effect whose destination has none: a pager, a translator. Mirrors are numbered from 1."""

FORMER = 5
"""Earlier wordings of a message that are shown beneath it. The desk page and the journal have them all."""

REMEMBERED = 20_000
"""Threads and names kept in memory; the store has them all."""

PEOPLE_FOR = 60.0
"""Seconds that a customer's name is kept in memory, erased or not: one reading a minute costs next to nothing."""


@dataclass(slots=True)
class Known:
    """What a lane's worker knows of its session without asking: it spares reads on the direct path."""

    stored: Stored | None = None
    bodies: Bodies | None = None


class Deliveries:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._threads: dict[tuple[SessionId, int], ThreadRef] = {}
        self._abouts: OrderedDict[SessionId, tuple[float, About]] = OrderedDict()

    async def of(self, lane: Lane, effect: Effect, known: Known) -> Delivery | None:
        """The effect with all that carries it out; None when there is nothing left to carry out."""
        stored = known.stored or await self._store.load(lane.session)
        if stored is None:
            return None
        posts = await self._posts(lane.session, effect)
        delivery = Delivery(
            effect=effect,
            session=stored.session,
            about=await self._about(stored),
            thread=await self._thread(lane.session, effect),
            body=await self._body(lane.session, effect, known),
            posts=posts,
            former=await self._former(lane.session, effect),
            history=() if posts else await self._history(stored.session, effect),
        )
        return as_allowed(delivery)

    async def _about(self, stored: Stored) -> About:
        session = stored.session.id
        if stored.session.erased:
            self._abouts.pop(session, None)
            return About()
        if session not in self._abouts:
            about = await self._store.about(session)
            self._abouts[session] = (asyncio.get_running_loop().time(), about)
            self._abouts.move_to_end(session)  # another worker may have been faster: they stay in order of reading
            return about
        return self._abouts[session][1]

    def forget(self, session: SessionId) -> None:
        """It may be an erasure: what is known of the customer is read anew."""
        self._abouts.pop(session, None)

    def forget_people(self) -> None:
        """The oldest go when there are too many, and all in time: a process need not hear of an erasure to obey it."""
        since = asyncio.get_running_loop().time() - PEOPLE_FOR
        while self._abouts:
            read_at, _about = next(iter(self._abouts.values()))
            if read_at > since and len(self._abouts) <= REMEMBERED:
                return
            self._abouts.popitem(last=False)

    async def _thread(self, session: SessionId, effect: Effect) -> ThreadRef | None:
        if isinstance(effect, OpenThread) or effect.mirror == BEYOND:
            return None
        key = (session, effect.mirror)
        if key not in self._threads:
            if len(self._threads) >= REMEMBERED:
                self._threads.clear()
            thread = (await self._store.threads(session)).get(effect.mirror)
            if thread is None:
                return None
            self._threads[key] = thread
        return self._threads[key]

    async def _body(self, session: SessionId, effect: Effect, known: Known) -> Body | None:
        if isinstance(effect, PostTranslation):
            key = (kept_under(effect), effect.revision)
        elif isinstance(effect, PostMessage | ReviseMessage | TranslateMessage | RemoveFile):
            key = (effect.message, effect.revision)
        else:
            return None
        if known.bodies is not None and key in known.bodies:
            return known.bodies[key]
        return (await self._store.bodies(session, [key]))[0]

    async def _former(self, session: SessionId, effect: Effect) -> tuple[Body, ...]:
        """The latest of them: a message that is changed again and again must not outgrow its post."""
        if not isinstance(effect, ReviseMessage) or effect.side is not Side.CUSTOMER:
            return ()
        first = max(0, effect.revision - FORMER)
        bodies = await self._store.bodies(session, [(effect.message, one) for one in range(first, effect.revision)])
        return tuple(body for body in bodies if body is not None)

    async def _posts(self, session: SessionId, effect: Effect) -> tuple[PostRef, ...]:
        if isinstance(effect, ReviseMessage | WithdrawMessage | ReactToMessage | RemoveFile):
            return await self._store.posts(session, effect.message, effect.mirror)
        if isinstance(effect, PostTranslation | WithdrawTranslation | AskAboutHeld | EndHeld):
            return await self._store.posts(session, kept_under(effect), effect.mirror)
        if isinstance(effect, DeleteMirror):
            return await self._store.all_posts(session, effect.mirror)
        return ()

    async def _history(self, session: Session, effect: Effect) -> tuple[PostRef, ...]:
        """A message that has no post here, and was not written here either, was said before the mirror began."""
        if effect.mirror == 1 or not isinstance(effect, ReviseMessage | WithdrawMessage | RemoveFile):
            return ()
        spoken = session.spoken(effect.message)
        if spoken is None or spoken.mirror == effect.mirror:
            return ()
        return await self._store.posts(session.id, history_id(effect.mirror), effect.mirror)

    def placed(self, session: SessionId, mirror: int, thread: ThreadRef) -> None:
        self._threads[session, mirror] = thread
