"""What operators do on Discord becomes input of their sessions.

The gateway has no acknowledgement: what is heard is either committed, or kept in the store until it is, or tried again
here until the store takes it. What a process had in its hands when it died is read back from the threads by the next
one that listens (`backfill`), and comes before what that one hears.
"""

from __future__ import annotations

import asyncio
import itertools
from asyncio import Lock
from collections.abc import Callable, Coroutine, Mapping
from typing import Any
from weakref import WeakValueDictionary

import structlog

from adapters.discord.controls.interactions import Interactions
from adapters.discord.heard.app import App
from adapters.discord.heard.happenings import (
    Asked,
    Happening,
    Ignored,
    InThread,
    Moderated,
    Purged,
    Reacted,
    ReactionsCleared,
    Revised,
    Said,
    ThreadSeen,
    ThreadsSeen,
    Typing,
    Withdrawn,
)
from adapters.discord.heard.quotes import Quotes
from adapters.discord.heard.reading import Reading
from adapters.discord.heard.shape import GarbledError
from adapters.discord.inward.backfill import Backfill
from adapters.discord.inward.contents import Contents
from adapters.discord.inward.deletions import Deletions
from adapters.discord.inward.downloads import Downloads
from adapters.discord.inward.explanations import Explanations
from adapters.discord.inward.fetching import Fetching
from adapters.discord.inward.reactions import Reactions
from adapters.discord.inward.standing import Standing
from adapters.discord.inward.typed import Language, Typed
from adapters.discord.inward.unread import Unread
from adapters.discord.inward.utterances import Utterances
from adapters.discord.inward.whispers import Whispers
from adapters.discord.inward.writers import Writers
from adapters.discord.parse import parse
from adapters.discord.people import People
from adapters.discord.places.history import History
from adapters.discord.places.threads import Threads
from adapters.discord.refs import NAME, Root
from bridge.directory import Directory
from bridge.errors import DeliveryError, KakehashiError
from bridge.messages import FilePart
from bridge.networks import explanations
from bridge.networks.canned import Canned
from bridge.networks.card import Wording
from bridge.networks.deferred import Deferred
from bridge.networks.late import Late
from bridge.networks.orders import Orders
from bridge.networks.whereabouts import Whereabouts
from bridge.ports import Placed, Store, Unplaced
from bridge.relay import Door, Relay
from routing.ids import ThreadRef

TRIES = (0.1, 0.5, 2.0, 5.0)
"""Seconds between tries while the store does not take what was heard; the last one repeats."""

_log = structlog.get_logger(__name__)


class Inbound:
    """`app` tells who we are; `reads` is the language that an operator reads."""

    def __init__(
        self,
        *,
        store: Store,
        relay: Relay,
        door: Door,
        interactions: Interactions,
        threads: Threads,
        downloads: Downloads,
        directory: Directory,
        people: People,
        whispers: Whispers,
        whereabouts: Whereabouts,
        history: History,
        writers: Writers,
        backfill: Backfill,
        contents: Contents,
        late: Late,
        deletions: Deletions,
        canned: Canned,
        orders: Orders | None,
        reads: Language | None,
        wording: Wording,
        app: Callable[[], App],
        public_place: Callable[[str, str], str | None],
        unread: Unread,
    ) -> None:
        self._unread = unread
        self._store = store
        self._relay = relay
        self._door = door
        self._interactions = interactions
        self._threads = threads
        self._people = people
        self._whispers = whispers
        self._backfill = backfill
        self._app = app
        reading = Reading(directory, wording, public_place)
        told = Explanations(explanations.Explanations(wording, directory, whereabouts), reading, whispers, late)
        self._fetching = Fetching(
            store=store,
            relay=relay,
            downloads=downloads,
            history=history,
            people=people,
            whispers=whispers,
            app=app,
        )
        self._utterances = Utterances(
            store=store,
            relay=relay,
            door=door,
            people=people,
            reading=reading,
            fetching=self._fetching,
            whispers=whispers,
            quotes=Quotes(store),
            explanations=told,
            contents=contents,
            typed=Typed(
                store=store,
                door=door,
                people=people,
                reading=reading,
                whispers=whispers,
                explanations=told,
                canned=canned,
                orders=orders,
                language=reads,
            ),
        )
        self._reactions = Reactions(store, relay, door, people)
        self._writers = writers
        self._deletions = deletions
        self._turns: WeakValueDictionary[ThreadRef, Lock] = WeakValueDictionary()
        self._tasks: dict[asyncio.Task[None], float] = {}
        self.deferred = Deferred(store, NAME, self._carry_out)
        backfill.recover, backfill.standing = self._with_files, Standing(store, relay, door, people)
        backfill.gone, backfill.cleared = self._found_gone, deletions.clearing

    def hear(self, kind: str, data: Any, told: str) -> None:
        """An event of the gateway, in order. Returns at once; what follows does not overtake it within its thread."""
        try:
            happening = parse(kind, data, self._app(), told)
        except GarbledError as error:
            _log.warning("discord_event_garbled", kind=kind, reason=error.what)
            self._unread.hear(kind)
            return
        if isinstance(happening, ThreadsSeen):
            for thread in happening.threads if happening.channels else ():  # at the beginning they are read otherwise
                self._spawn(self._until_read_back(thread))
        elif isinstance(happening, Typing):
            self._writers.hear(happening)
        elif not isinstance(happening, Ignored):
            if isinstance(happening, Said):
                self._writers.ended(happening.root, happening.author.user)
            self._spawn(self._until_taken(happening, kind, data))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        loop = asyncio.get_running_loop()
        task = loop.create_task(work)
        self._tasks[task] = loop.time()
        task.add_done_callback(self._tasks.pop)

    @property
    def behind(self) -> int:
        """ms for which the oldest of what was heard has waited to be taken."""
        since = next(iter(self._tasks.values()), None)
        return round((asyncio.get_running_loop().time() - since) * 1000) if since is not None else 0

    @property
    def busy(self) -> bool:
        return bool(self._tasks)

    async def stop(self) -> None:
        """What is under way is finished, as long as the store takes it."""
        self._unread.stop()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5.0)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.deferred.stop()
        await self._writers.stop()

    async def _until_taken(self, happening: Happening, kind: str, data: Mapping[str, Any]) -> None:
        """Nobody sends it again: it is tried until the store has it. Whoever pressed sees that it failed, and presses
        again."""
        if isinstance(happening, Said | Revised | Withdrawn):
            async with self._turn(happening.root.ref):
                await self._insist(lambda: self._in_thread(happening, kind, data), kind)
        elif isinstance(happening, Reacted | ReactionsCleared) and self._reactions.concerns(happening):
            root = Root(happening.post.guild, happening.post.channel)
            async with self._turn(root.ref):
                await self._insist(lambda: self._at_a_post(root, happening), kind)
        elif isinstance(happening, Purged) and happening.withdrawn:
            async with self._turn(happening.withdrawn[0].root.ref):
                await self._insist(lambda: self._purged(happening), kind)
        elif isinstance(happening, Moderated):
            await self._insist(lambda: self._deletions.moderated(happening), kind)
        elif isinstance(happening, Asked):
            await self._insist(lambda: self._interactions.take(happening), kind, tries=1)

    async def _until_read_back(self, thread: ThreadSeen) -> None:
        """What is heard of it from now on waits until what was missed is known."""
        async with self._turn(thread.root.ref):
            await self._insist(lambda: self._backfill.seen(thread), "backfill")

    async def _insist(self, work: Callable[[], Coroutine[Any, Any, None]], kind: str, tries: int = 0) -> None:
        for number in itertools.count(1):
            pause = TRIES[min(number, len(TRIES)) - 1]
            try:
                return await work()
            except DeliveryError as error:
                pause = error.retry_after or pause
                _log.warning("discord_input_put_off", kind=kind, reason=error.code)
            except KakehashiError as error:
                _log.warning("discord_input_put_off", kind=kind, reason=error.what)
            except Exception:
                _log.exception("discord_input_broke", kind=kind)
                return None
            if number == tries:
                return None
            await asyncio.sleep(pause)
        return None

    def _turn(self, thread: ThreadRef) -> Lock:
        """One input of a thread at a time: each is taken in a task of its own, and they must not overtake here."""
        lock = self._turns.get(thread)
        if lock is None:
            lock = self._turns[thread] = Lock()
        return lock

    # ------------------------------------------------------------------ in a thread

    async def _in_thread(self, happening: InThread, kind: str, data: Mapping[str, Any]) -> None:
        placed = await self._threads.placed(happening.root)
        if placed is None and self._threads.is_foreign(happening.root):
            return
        if placed is not None:
            await self._backfill.catch_up(happening.root, placed)
        if isinstance(happening, Withdrawn):
            await self._deletions.take(happening, placed, data, self.deferred)
            return
        has_files = isinstance(happening, Said) and happening.to_be_fetched
        if placed is None or has_files or self.deferred.holds(happening.root.ref):
            now = await self._store.now()
            payload = {"kind": kind, "data": dict(data)}
            await self.deferred.keep(Unplaced(happening.key, happening.root.ref, payload, now))
        else:
            await self._act(happening, placed, ())

    async def _at_a_post(self, root: Root, happening: Reacted | ReactionsCleared) -> None:
        placed = await self._threads.placed(root)
        if placed is None and not self._threads.is_foreign(root):
            placed = await self._threads.read(root, self._app())
        if placed is not None:
            await self._reactions.act(happening, placed)

    async def _carry_out(self, unplaced: Unplaced) -> None:
        """The deferred way: place the thread, fetch the files, then do as with any other."""
        payload = unplaced.payload
        happening = parse(str(payload["kind"]), payload["data"], self._app())
        if not isinstance(happening, Said | Revised | Withdrawn):
            return
        placed = await self._threads.placed(happening.root)
        placed = placed or await self._threads.read(happening.root, self._app())
        if placed is None:
            return
        await self._backfill.catch_up(happening.root, placed)
        if isinstance(happening, Withdrawn) and not await self._deletions.is_the_authors(
            unplaced, happening, placed, self.deferred
        ):
            await self._deletions.ignored(happening, placed)
            return
        await self._with_files(happening, placed)

    async def _with_files(self, happening: InThread, placed: Placed) -> None:
        files = await self._fetching.fetched(happening, placed) if isinstance(happening, Said) else ()
        await self._act(happening, placed, files)

    async def _act(self, happening: InThread, placed: Placed, files: tuple[FilePart, ...]) -> None:
        await self._utterances.act(happening, placed, files)
        if type(happening) is Said:
            await self._backfill.mark(happening)

    async def _found_gone(self, withdrawn: Withdrawn, placed: Placed) -> None:
        await self._deletions.found_gone(withdrawn, placed, self.deferred)

    async def _purged(self, purged: Purged) -> None:
        """Only moderators and apps delete many at once: the customer keeps what its author has not taken back."""
        await self._deletions.clearing(purged.withdrawn[0].root)
        for one in purged.withdrawn:
            placed = await self._threads.placed(one.root)
            if placed is not None:
                await self._deletions.swept(one, placed)
