"""What operators do on Discord becomes input of their sessions.

The gateway has no acknowledgement: what is heard is either committed, or kept in the store until it is, or tried again
here until the store takes it. What a process had in its hands when it died is read back from the threads by the next
one that listens, from each thread's mark on.
"""

from __future__ import annotations

import asyncio
import itertools
from asyncio import Lock
from collections.abc import Callable, Coroutine, Mapping
from typing import Any
from weakref import WeakValueDictionary

import structlog

from adapters.discord import markdown
from adapters.discord.backfill import Backfill
from adapters.discord.buttons import place_of
from adapters.discord.downloads import Downloads, NotFetchedError
from adapters.discord.interactions import Interactions
from adapters.discord.manners import manner
from adapters.discord.mentions import Names
from adapters.discord.parse import (
    App,
    Asked,
    Happening,
    Ignored,
    InThread,
    Purged,
    Revised,
    Said,
    ThreadSeen,
    ThreadsSeen,
    Withdrawn,
    parse,
)
from adapters.discord.people import People
from adapters.discord.presses import Door
from adapters.discord.refs import NAME
from adapters.discord.shape import GarbledError
from adapters.discord.threads import Threads
from adapters.discord.whispers import Whispers
from bridge.card import Wording
from bridge.deferred import Deferred
from bridge.directory import Directory
from bridge.errors import DeliveryError, KakehashiError
from bridge.files import FileRefused
from bridge.marks import cut
from bridge.messages import Body, FilePart, TextPart
from bridge.ports import Placed, Store, Stored, Unplaced
from bridge.relay import Relay
from routing.decide import Refusal
from routing.ids import InputKey, OperatorId, ThreadRef
from routing.inputs import INSIDE, DeletionDoubted, OperatorRevised, OperatorWithdrew, OperatorWrote, Origin

TRIES = (0.1, 0.5, 2.0, 5.0)
"""Seconds between tries while the store does not take what was heard; the last one repeats."""

_log = structlog.get_logger(__name__)


class Inbound:
    """`app` tells who we are; `place_of` is the channel that a thread's session has here."""

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
        backfill: Backfill,
        wording: Wording,
        app: Callable[[], App],
        public_place: Callable[[str, str], str | None],
    ) -> None:
        self._store = store
        self._relay = relay
        self._door = door
        self._interactions = interactions
        self._threads = threads
        self._downloads = downloads
        self._directory = directory
        self._people = people
        self._whispers = whispers
        self._backfill = backfill
        self._wording = wording
        self._app = app
        self._public_place = public_place
        self._turns: WeakValueDictionary[ThreadRef, Lock] = WeakValueDictionary()
        self._tasks: set[asyncio.Task[None]] = set()
        self.content_missing = False  # whether the last message held nothing at all
        self.deferred = Deferred(store, NAME, self._carry_out)

    def hear(self, kind: str, data: Any, told: str) -> None:
        """An event of the gateway, in order. Returns at once; what follows does not overtake it within its thread."""
        try:
            happening = parse(kind, data, self._app(), told)
        except GarbledError as error:
            _log.warning("discord_event_garbled", kind=kind, reason=error.what)
            return
        if isinstance(happening, ThreadsSeen):
            for thread in happening.threads:
                self._spawn(self._until_read_back(thread))
        elif not isinstance(happening, Ignored):
            self._spawn(self._until_taken(happening, kind, data))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @property
    def busy(self) -> bool:
        return bool(self._tasks)

    async def stop(self) -> None:
        """What is under way is finished, as long as the store takes it."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5.0)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.deferred.stop()

    async def _until_taken(self, happening: Happening, kind: str, data: Mapping[str, Any]) -> None:
        """Nobody sends it again: it is tried until the store has it. Whoever pressed sees that it failed, and presses
        again."""
        if isinstance(happening, Said | Revised | Withdrawn):
            async with self._turn(happening.root.ref):
                await self._insist(lambda: self._in_thread(happening, kind, data), kind)
        elif isinstance(happening, Purged):
            await self._insist(lambda: self._purged(happening), kind)
        elif isinstance(happening, Asked):
            await self._insist(lambda: self._interactions.take(happening), kind, tries=1)

    async def _until_read_back(self, thread: ThreadSeen) -> None:
        """What is heard of it from now on waits until what was missed is known."""
        async with self._turn(thread.root.ref):
            await self._insist(lambda: self._backfill.seen(thread, self._app(), self._with_files), "backfill")

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
        has_files = isinstance(happening, Said) and bool(happening.files)
        if placed is None or has_files or self.deferred.holds(happening.root.ref):
            now = await self._store.now()
            payload = {"kind": kind, "data": dict(data)}
            await self.deferred.keep(Unplaced(happening.key, happening.root.ref, payload, now))
        else:
            await self._act(happening, placed, ())

    async def _carry_out(self, unplaced: Unplaced) -> None:
        """The deferred way: place the thread, fetch the files, then do as with any other."""
        payload = unplaced.payload
        happening = parse(str(payload["kind"]), payload["data"], self._app())
        if not isinstance(happening, Said | Revised | Withdrawn):
            return
        placed = await self._threads.placed(happening.root)
        placed = placed or await self._threads.read(happening.root, self._app())
        if placed is not None:
            await self._with_files(happening, placed)

    async def _with_files(self, happening: InThread, placed: Placed) -> None:
        files = await self._fetched(happening) if isinstance(happening, Said) else ()
        await self._act(happening, placed, files)

    async def _act(self, happening: InThread, placed: Placed, files: tuple[FilePart, ...]) -> None:
        stored = await self._relay.session(placed.session)
        if stored is None:
            _log.warning("discord_session_unknown", session=placed.session, input=happening.key)
        elif isinstance(happening, Withdrawn):
            await self._withdrawn(happening, stored)
        elif isinstance(happening, Revised):
            await self._revised(happening, placed, stored)
        else:
            await self._said(happening, placed, stored, files)
        if type(happening) is Said:
            await self._backfill.mark(happening)

    async def _said(self, said: Said, placed: Placed, stored: Stored, files: tuple[FilePart, ...]) -> None:
        self.content_missing = said.blank  # without the intent every message is
        text = self._words(said, stored)
        meant, begins = manner(said.text, text.text)
        body = _body(cut(text, begins), files)
        if not body.parts:
            return
        operator, place = self._operator(said, stored), place_of(stored, placed)
        event = OperatorWrote(said.message, operator, said.author.user, Origin(placed.mirror), meant)
        answer = await self._door.from_operator(placed.session, event, said.original, body=body)
        if operator is None and meant not in INSIDE:
            await self._people.note_unknown(said.author.user, place)
        if isinstance(answer, Refusal):
            await self._whispers.refused(said, answer.reason, stored)

    async def _revised(self, revised: Revised, placed: Placed, stored: Stored) -> None:
        """A note stays a note, and a reply that is edited into one is taken back from the customer."""
        session, text = stored.session, self._words(revised, stored)
        meant, begins = manner(revised.text, text.text)
        spoken, pending = session.spoken(revised.message), session.held(revised.message)
        if meant in INSIDE and not (spoken or pending or await self._store.has_body(session.id, revised.message)):
            # The edit overtook its message, which is still to come: it then finds its key used.
            await self._said(revised, placed, stored, ())
            return
        who = self._people.known_as(revised.author.user, place_of(stored, placed), session, revised.message)
        said = spoken or pending
        kept = await self._store.bodies(session.id, [(revised.message, said.revision)]) if said else []
        files = kept[0].files if kept and kept[0] is not None and revised.files else ()
        event = OperatorRevised(revised.message, who, revised.revision, manner=meant)
        body = _body(cut(text, begins), files)
        answer = await self._door.from_operator(session.id, event, revised.key, body=body)
        if isinstance(answer, Refusal):
            await self._whispers.refused(revised, answer.reason, stored)

    async def _withdrawn(self, withdrawn: Withdrawn, stored: Stored) -> None:
        """Discord says neither whose it was nor who did it; it counts as its author's doing."""
        session, spoken = stored.session, stored.session.spoken(withdrawn.message)
        pending = session.held(withdrawn.message)
        by = pending.by if pending else spoken.by if spoken else ""
        if by:
            event = OperatorWithdrew(withdrawn.message, OperatorId(by))
            await self._door.from_operator(session.id, event, withdrawn.key)

    async def _purged(self, purged: Purged) -> None:
        """Only moderators and apps delete many at once: the customer keeps what its author has not taken back."""
        for one in purged.withdrawn:
            placed = await self._threads.placed(one.root)
            if placed is not None:
                key = InputKey(f"{one.key}/ignored")
                await self._relay.from_bridge(placed.session, DeletionDoubted(one.message), key)

    # ------------------------------------------------------------------ who, words and files

    def _operator(self, said: Said, stored: Stored) -> OperatorId | None:
        return self._people.operator(said.author.user, stored.session.mirror.place)

    def _words(self, said: Said, stored: Stored) -> TextPart:
        return markdown.read(said.text, self._names(stored.session.language))

    def _names(self, language: str) -> Names:
        def person(user: str) -> str | None:
            operator = self._directory.by_network_user(NAME, user, home=True)
            return self._directory.public_name(operator, language) if operator else None

        def place(channel: str) -> str | None:
            return self._public_place(channel, language)

        words = {kind: self._wording(language, f"mention.{kind}") for kind in ("somebody", "channel", "group")}
        return Names(person, place, **words)

    async def _fetched(self, said: Said) -> tuple[FilePart, ...]:
        """The files as ours. One that cannot be had is left out, and the operator is told."""
        if isinstance(said, Revised):
            return ()
        owner = f"operator:{self._people.operator(said.author.user) or said.author.user}"
        parts = []
        for file in said.files:
            try:
                parts.append(await self._downloads.keep(file, owner))
            except NotFetchedError as error:
                await self._whispers.file_refused(said, file.id, error.code)
            except FileRefused as error:
                if error.retry:
                    raise KakehashiError(f"a file was not taken yet ({error.code})") from error
                await self._whispers.file_refused(said, file.id, error.code)
        return tuple(parts)


def _body(text: TextPart, files: tuple[FilePart, ...]) -> Body:
    return Body((*((text,) if text.text.strip() else ()), *files))
