"""What operators do in Slack is taken in, in order. Committed first, acknowledged then.

`take` returns when what a payload tells is durable: committed to its session, or kept in the store where its thread is
not known yet. It raises when the store cannot take it, and Slack then sends the payload again.
"""

from __future__ import annotations

import asyncio
from asyncio import Lock
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from weakref import WeakValueDictionary

import structlog

from adapters.slack.controls.buttons import Buttons
from adapters.slack.controls.windows import Windows
from adapters.slack.inward.deferred import Deferred
from adapters.slack.inward.deletions import Deletions, is_deletion
from adapters.slack.inward.downloads import Downloads
from adapters.slack.inward.explanations import Explanations
from adapters.slack.inward.fetching import Fetching
from adapters.slack.inward.missed import Missed, NothingMissed
from adapters.slack.inward.reactions import Reactions, is_reaction
from adapters.slack.inward.reading import Reading
from adapters.slack.inward.utterances import Utterances
from adapters.slack.parse import (
    App,
    ChannelMoved,
    ChannelShared,
    Happening,
    Ignored,
    InThread,
    PersonLeft,
    Pressed,
    Said,
    Shortcut,
    TokensRevoked,
    Withdrawn,
    event,
    parse,
)
from adapters.slack.people import People
from adapters.slack.places.membership import Membership
from adapters.slack.places.threads import Threads
from adapters.slack.refs import NAME, Root
from adapters.slack.render import Wording
from adapters.slack.shown.ephemerals import Tell
from adapters.slack.wire.shape import GarbledError
from bridge.directory import Directory
from bridge.networks.late import Late
from bridge.networks.typed_templates import TypedTemplates
from bridge.networks.whereabouts import Whereabouts
from bridge.ports import Placed, Store, Unplaced
from bridge.relay import Door, Receipt, Relay
from routing.ids import InputKey, OperatorId, ThreadRef
from routing.inputs import DeletionDoubted, OperatorWithdrew

OVERTAKES_AFTER = 1.0
"""Seconds that input waits for earlier input of its thread that another process is busy with."""

LOOK_AGAIN = 0.05
"""Seconds between looks whether it is done."""

Payload = Mapping[str, Any]

_log = structlog.get_logger(__name__)


class Inbound:
    """`app` tells who we are; `moved` hears of a channel's new id, `shared` that one may be shared with another
    organisation, `revoked` that our token is gone; `alone`: no other process is on this store."""

    def __init__(
        self,
        *,
        store: Store,
        relay: Relay,
        door: Door,
        threads: Threads,
        downloads: Downloads,
        directory: Directory,
        people: People,
        membership: Membership,
        wording: Wording,
        tell: Tell,
        windows: Windows,
        typed: TypedTemplates[Said],
        respond: Callable[[str, Mapping[str, Any]], Awaitable[None]],
        app: Callable[[], App],
        whereabouts: Whereabouts,
        late: Late,
        moved: Callable[[str, str], Awaitable[None]],
        shared: Callable[[], None],
        revoked: Callable[[], None],
        alone: Callable[[], bool],
        deletions: Deletions,
        reactions: Reactions,
        public_place: Callable[[str, str], str | None],
    ) -> None:
        self._store = store
        self._relay = relay
        self._door = door
        self._threads = threads
        self._membership = membership
        self._tell = tell
        self._app = app
        self._moved = moved
        self._shared = shared
        self._revoked = revoked
        self._alone = alone
        self._deletions = deletions
        self._reactions = reactions
        self._turns: WeakValueDictionary[ThreadRef, Lock] = WeakValueDictionary()
        reading = Reading(directory, people, wording, public_place)
        explanations = Explanations(
            wording=wording, directory=directory, people=people, tell=tell, whereabouts=whereabouts, reading=reading
        )
        self._fetching = Fetching(
            store=store,
            relay=relay,
            threads=threads,
            downloads=downloads,
            people=people,
            wording=wording,
            tell=tell,
        )
        self.utterances = Utterances(
            store=store,
            relay=relay,
            door=door,
            people=people,
            typed=typed,
            late=late,
            reading=reading,
            fetching=self._fetching,
            explanations=explanations,
        )
        self._buttons = Buttons(
            store=store,
            relay=relay,
            door=door,
            threads=threads,
            people=people,
            app=app,
            windows=windows,
            respond=respond,
            wording=wording,
            tell=tell,
            explanations=explanations,
        )
        self.deferred = Deferred(store, self._carry_out)
        self.missed: Missed = NothingMissed()

    async def take(self, payload: Payload) -> None:
        """Returns when it is durable, or means nothing. Raises StoreUnavailableError or OverloadedError, and
        KakehashiError while we do not know who we are: it is not stored then, and should be sent again. Raises
        GarbledError for what Slack never sends."""
        happening, told = _parsed(payload, self._app()), payload.get("event")
        if is_reaction(told):
            await _making_sense(self._reactions.take(told, self.deferred))
        elif is_deletion(told):
            await _making_sense(self._deleted(happening, told))
        elif isinstance(happening, Ignored):
            _log.debug("slack_ignored", because=happening.because)
        elif isinstance(happening, Pressed):
            await self._buttons.pressed(happening)
        elif isinstance(happening, Shortcut):
            await self._buttons.shortcut(happening)
        elif isinstance(happening, ChannelMoved):
            await self._moved(happening.old, happening.new)
        elif isinstance(happening, ChannelShared):
            self._shared()
        elif isinstance(happening, PersonLeft):
            await self._membership.left(happening)
        elif isinstance(happening, TokensRevoked):
            self._revoked()
        else:
            patience = asyncio.get_running_loop().time() + OVERTAKES_AFTER
            async with self._turn(happening.root):
                await self._in_thread(happening, payload["event"], patience)

    def _turn(self, root: Root) -> Lock:
        """One input of a thread at a time: each arrives in a task of its own, and they must not overtake here."""
        lock = self._turns.get(root.ref)
        if lock is None:
            lock = self._turns[root.ref] = Lock()
        return lock

    # ------------------------------------------------------------------ in a thread

    async def _in_thread(self, happening: InThread, body: Payload, patience: float) -> None:
        placed = await self._threads.placed(happening.root)
        if placed is None and self._is_foreign(happening):
            return
        has_files = isinstance(happening, Said) and bool(happening.files)
        owed = placed is not None and await self.missed.owes(happening.root, placed.session)
        if placed is None or has_files or owed or self.deferred.holds(happening.root.ref):
            await self._keep(happening, body)
        else:
            await self._let_earlier_pass(happening, patience)
            await self.utterances.act(happening, placed, ())

    async def _let_earlier_pass(self, happening: InThread, patience: float) -> None:
        """Wait, until `patience` (the loop's clock) is over, for what another process still has in its hands: pictures
        that it fetches, say, and that these words are about. Keys of one thread sort by the time of their messages."""
        if not isinstance(happening, Said) or self._alone():
            return
        while any(key < happening.key for key in await self._store.unplaced_in(NAME, happening.root.ref)):
            if asyncio.get_running_loop().time() >= patience:
                _log.info("slack_input_overtakes", input=happening.key)
                return
            await asyncio.sleep(LOOK_AGAIN)

    def _is_foreign(self, happening: InThread) -> bool:
        """A thread that certainly is not ours: people talk in the channel, too. A deleted root tells nothing."""
        if happening.parent and happening.parent not in (self._app().user, "USLACKBOT"):
            return True
        return self._threads.is_foreign(happening.root)

    async def _keep(self, happening: InThread, body: Payload) -> None:
        now = await self._store.now()
        await self.deferred.keep(Unplaced(happening.key, happening.root.ref, dict(body), now))

    async def _carry_out(self, unplaced: Unplaced) -> None:
        """The deferred way: place the thread, fetch the files, then do as with any other."""
        if is_reaction(unplaced.payload):
            return await self._reactions.carry_out(unplaced.payload)
        happening = event(unplaced.payload, self._app())
        if not isinstance(happening, InThread):
            await self._deletions.is_cleared(unplaced)  # of a post of our own: kept to be counted
            return None
        placed = await self._threads.placed(happening.root)
        if placed is None:
            placed = await self._threads.read(happening.root, self._app())
        if placed is None:
            _log.debug("slack_ignored", because="a thread of other people's")
            return None
        await self.missed.catch_up(happening.root, placed)
        if isinstance(happening, Withdrawn) and not await self._deletions.is_the_authors(unplaced, happening):
            return await self._deletion_ignored(happening, placed)
        parts = await self._fetching.fetched(happening) if isinstance(happening, Said) else ()
        return await self.utterances.act(happening, placed, parts)

    async def _deletion_ignored(self, withdrawn: Withdrawn, placed: Placed) -> None:
        key = InputKey(f"{withdrawn.key}/ignored")
        answer = await self._relay.from_bridge(placed.session, DeletionDoubted(withdrawn.message), key)
        if isinstance(answer, Receipt) and answer.fresh:
            self._tell.beside(self._deletions.offer(withdrawn, placed, answer.stored.session.language))

    async def recover(self, body: Payload, placed: Placed) -> None:
        """What was said in a thread while nobody heard. Raises KakehashiError to have it tried again."""
        happening = event(body, self._app())
        if isinstance(happening, InThread):
            parts = await self._fetching.fetched(happening) if isinstance(happening, Said) else ()
            await self.utterances.act(happening, placed, parts)

    async def _deleted(self, happening: Happening, told: Payload) -> None:
        if not isinstance(happening, Withdrawn) or not await self._drop_held(happening):
            await self._deletions.keep(told, self.deferred)

    async def _drop_held(self, withdrawn: Withdrawn) -> bool:
        """Words that nobody has sent yet: whoever deleted them, nobody loses anything, and they must not leave."""
        placed = await self._threads.placed(withdrawn.root)
        stored = await self._relay.session(placed.session) if placed else None
        pending = stored.session.held(withdrawn.message) if stored else None
        if stored is None or pending is None:
            return False
        event = OperatorWithdrew(withdrawn.message, OperatorId(pending.by))
        return isinstance(await self._door.from_operator(stored.session.id, event, withdrawn.key), Receipt)


def _parsed(payload: Payload, app: App) -> Happening:
    try:
        return parse(payload, app)
    except ValueError as wrong:
        raise GarbledError(f"not what Slack sends: {wrong}") from wrong


async def _making_sense(taken: Awaitable[None]) -> None:
    """For what is read as it is taken."""
    try:
        await taken
    except ValueError as wrong:
        raise GarbledError(f"not what Slack sends: {wrong}") from wrong
