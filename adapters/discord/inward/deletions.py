"""Deletions: Discord tells neither whose a message was nor who deleted it. See `routing.deletions` for how its author
is told from others.

Where the bot may read the server's audit log, that says more: it has an entry when somebody deletes another's message,
by author and channel. Of more within minutes the entry only counts up, and nobody is told; so for as long each deletion
of theirs there is taken for somebody else's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.discord import render
from adapters.discord.heard.happenings import Moderated, Withdrawn
from adapters.discord.inward.whispers import Whispers
from adapters.discord.refs import NAME, Root, custom_id, made_at
from adapters.discord.shown import held
from bridge.directory import Directory
from bridge.errors import KakehashiError
from bridge.networks.deferred import Deferred
from bridge.networks.deletions import Clearings, Deletion, line_of
from bridge.ports import Placed, Store, Unplaced
from bridge.relay import Door, Receipt, Relay
from routing.deletions import OLD, SETTLE
from routing.ids import InputKey, MessageId, OperatorId
from routing.inputs import DeletionDoubted, OperatorWithdrew
from routing.session import Session

MODERATED = 5 * 60 * 1000
"""ms for which more deletions of the same kind are counted into one entry of the log."""


class Deletions:
    """`settle`: ms that a deletion waits for others."""

    def __init__(
        self,
        *,
        store: Store,
        relay: Relay,
        door: Door,
        directory: Directory,
        whispers: Whispers,
        settle: int = SETTLE,
    ) -> None:
        self._store = store
        self._relay = relay
        self._door = door
        self._directory = directory
        self._whispers = whispers
        self._clearings = Clearings(store, NAME, _read, settle)

    async def moderated(self, entry: Moderated) -> None:
        """The log says that somebody deletes another's messages. Raises StoreUnavailableError."""
        await self._store.put(_noted(entry.channel, entry.author), entry.by, MODERATED)

    async def take(
        self, withdrawn: Withdrawn, placed: Placed | None, data: Mapping[str, Any], deferred: Deferred
    ) -> None:
        """Durable when it returns, or too old to concern anybody. Raises StoreUnavailableError."""
        stored = await self._relay.session(placed.session) if placed is not None else None
        session, now = stored.session if stored is not None else None, await self._store.now()
        if session is not None and await self._drop_held(withdrawn, session):
            return
        if now - made_at(withdrawn.id) > OLD:
            return
        payload = {"kind": "MESSAGE_DELETE", "data": dict(data), "author": _author(session, withdrawn.message)}
        await deferred.keep(Unplaced(withdrawn.key, line_of(withdrawn.root.ref), payload, now))

    async def found_gone(self, withdrawn: Withdrawn, placed: Placed, deferred: Deferred) -> None:
        """It was deleted while nobody heard, perhaps a moment ago: it waits with what is heard of now, and is counted
        with that. Raises StoreUnavailableError."""
        root = withdrawn.root
        data = {"id": withdrawn.id, "channel_id": root.thread, "guild_id": root.guild}
        await self.take(withdrawn, placed, data, deferred)

    async def clearing(self, root: Root) -> None:
        """Many are deleted in this thread at once. Raises StoreUnavailableError."""
        await self._clearings.note(root.thread)

    async def swept(self, withdrawn: Withdrawn, placed: Placed) -> None:
        """One of many that were deleted at once, which no author can do. Raises StoreUnavailableError."""
        stored = await self._relay.session(placed.session)
        if stored is None or not await self._drop_held(withdrawn, stored.session):
            key = InputKey(f"{withdrawn.key}/ignored")
            await self._relay.from_bridge(placed.session, DeletionDoubted(withdrawn.message), key)

    async def _drop_held(self, withdrawn: Withdrawn, session: Session) -> bool:
        """Words that nobody has sent yet: whoever deleted them, nobody loses anything, and they must not leave."""
        pending = session.held(withdrawn.message)
        if pending is None:
            return False
        event = OperatorWithdrew(withdrawn.message, OperatorId(pending.by))
        return isinstance(await self._door.from_operator(session.id, event, withdrawn.key), Receipt)

    async def is_the_authors(
        self, unplaced: Unplaced, withdrawn: Withdrawn, placed: Placed, deferred: Deferred
    ) -> bool:
        """Wait until others would be here, then judge. Raises KakehashiError to be asked again."""
        cleared = await self._clearings.is_one(unplaced)
        stored = await self._relay.session(placed.session)
        author = _author(stored.session if stored is not None else None, withdrawn.message)
        if not author and deferred.holds(withdrawn.root.ref):
            raise KakehashiError("a message is deleted whose files are still being fetched")
        return not cleared and not await self._is_moderated(withdrawn, author)

    async def _is_moderated(self, withdrawn: Withdrawn, author: str) -> bool:
        for user in self._users(author):
            if await self._store.get(_noted(withdrawn.root.thread, user)) is not None:
                return True
        return False

    def _users(self, author: str) -> tuple[str, ...]:
        """Who that is here; somebody of Discord's whom the directory does not know bears it in their id."""
        known = self._directory.users_of(OperatorId(author), NAME)
        return known or ((author.rpartition(":")[2],) if author.startswith(f"{NAME}:") else ())

    async def ignored(self, withdrawn: Withdrawn, placed: Placed) -> None:
        """It stays with the customer. Its author is told, with the button that takes it back after all."""
        key = InputKey(f"{withdrawn.key}/ignored")
        answer = await self._relay.from_bridge(placed.session, DeletionDoubted(withdrawn.message), key)
        if isinstance(answer, Receipt) and answer.fresh:
            await self._offer(withdrawn, placed, answer.stored.session)

    async def _offer(self, withdrawn: Withdrawn, placed: Placed, session: Session) -> None:
        users = self._users(_author(session, withdrawn.message))
        text = self._whispers.wording(session.language, "told.deletion_ignored")
        label = self._whispers.wording(session.language, "button.withdraw")
        button = render.button(custom_id(held.WITHDRAW, placed, withdrawn.message), label)
        await self._whispers.call(withdrawn.root, users[:1], f"{withdrawn.key}/offer", text, render.row([button]))


def _author(session: Session | None, message: MessageId) -> str:
    pending = session.held(message) if session is not None else None
    spoken = session.spoken(message) if session is not None else None
    return pending.by if pending is not None else spoken.by or "" if spoken is not None else ""


def _read(unplaced: Unplaced) -> Deletion | None:
    payload, told = unplaced.payload, unplaced.payload.get("data")
    if payload.get("kind") != "MESSAGE_DELETE" or not isinstance(told, Mapping):
        return None
    return Deletion(str(told.get("channel_id")), str(payload.get("author") or ""))


def _noted(channel: str, user: str) -> str:
    return f"{NAME}/moderated/{channel}/{user}"
