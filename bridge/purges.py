"""Purges: one attachment is removed everywhere that we reach, on the record.

The commit that orders it takes the file's name out of every body, so from then on nobody is shown it; each mirror's
lane deletes what was posted, and the lane `files` the bytes. Both go on after a crash, and doing it twice is doing it
once. Bytes that another file has, too, stay for that one: a file is an upload, and its links are dead at once.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic

from bridge.attachments import carries, without
from bridge.carriers import Carrier, carriers_of
from bridge.errors import KakehashiError
from bridge.files import Files
from bridge.messages import Body, FilePart
from bridge.ports import Delivered, Delivery, LaneState, Store, Stored, Written
from bridge.relay import Relay
from routing.decide import Refusal
from routing.effects import FILES, PurgeFile
from routing.facts import Side
from routing.ids import InputKey, MessageId, NetworkName, OperatorId, SessionId
from routing.inputs import FilePurgeOrdered, PurgeReason

REMAINS = "purge-remains"
"""Where an adapter notes what it could not delete, as `purge-remains/<session>/<file>/<mirror>`."""

LOOK_EVERY = 0.2
"""Seconds between two looks at the lanes."""


async def note_remains(store: Store, network: NetworkName, delivery: Delivery, file: str, where: str) -> None:
    """An operator uploaded it there, at `where`, and only they can delete it. Raises StoreUnavailableError."""
    left = {"network": network, "where": where, "whose": "an operator"}
    await store.put(f"{REMAINS}/{delivery.session.id}/{file}/{delivery.effect.mirror}", json.dumps(left))


ELSEWHERE = (
    "copies that people made: downloads, screenshots, forwarded messages",
    "the customer's and the operators' browsers, for as long as a link to it would have lived",
    "backups made before now, and what the chat network keeps by its own rules",
)
"""Where a purge does not reach, whatever we do."""


class PurgeError(KakehashiError):
    """There is no such attachment."""


@dataclass(frozen=True, slots=True)
class Attached:
    """An attachment as the command line lists it. No name: it may tell as much as what is in it."""

    file: str
    media_type: str
    size: int
    message: MessageId
    side: Side
    at: int
    purged: bool


class Purges:
    """Orders purges, and is the destination of PurgeFile: a `bridge.ports.Network` without threads."""

    name = FILES

    def __init__(self, store: Store, relay: Relay, files: Files) -> None:
        self._store = store
        self._relay = relay
        self._files = files

    # ------------------------------------------------------------------ ordering

    async def attached(self, session: SessionId) -> list[Attached]:
        """Every attachment of the session's, oldest first; each once."""
        found: dict[str, Attached] = {}
        for one in await carriers_of(self._store, session):
            for body in one.bodies.values():
                for part in body.parts:
                    if isinstance(part, FilePart) and part.file not in found:
                        shown = (part.file, part.media_type, part.size, one.message, one.side, one.at, part.purged)
                        found[part.file] = Attached(*shown)
        return list(found.values())

    async def order(self, stored: Stored, file: str, why: PurgeReason, by: OperatorId | None) -> bool:
        """Have the file removed. False when it was ordered before. Raises PurgeError when the session has no such file,
        and as the relay does."""
        carriers = await carriers_of(self._store, stored.session.id)
        named = [one for one in carriers if any(_names(body, file) for body in one.bodies.values())]
        if not named:
            raise PurgeError(
                f"{stored.session.code} has no attachment {file}",
                mend=f"see `kakehashi files list {stored.session.code}`",
            )
        fresh = [one for one in named if any(carries(body, file) for body in one.bodies.values())]
        for one in fresh:
            await self._order(stored.session.id, one, file, why, by)
        return bool(fresh)

    async def _order(
        self, session: SessionId, one: Carrier, file: str, why: PurgeReason, by: OperatorId | None
    ) -> None:
        still = {revision: body for revision, body in one.bodies.items() if carries(body, file)}
        event = FilePurgeOrdered(one.message, file, one.side, why, one.revisions[-1], one.withdrawn, by)
        # A wording that came since is another order: the first one's commit did not know of it.
        key = InputKey(f"purge/{one.message}/{file}/{'.'.join(map(str, sorted(still)))}")
        bodies = tuple(Written(one.message, revision, without(body, file)) for revision, body in still.items())
        answer = await self._relay.from_bridge(session, event, key, bodies=bodies)
        if isinstance(answer, Refusal):
            raise AssertionError("a purge is accepted in every state")

    # ------------------------------------------------------------------ what is left

    async def wait(self, session: SessionId, networks: Sequence[NetworkName], patience: float) -> list[LaneState]:
        """Until every lane of the session's is empty, or `patience` seconds are over: what is left then."""
        end = monotonic() + patience
        while waiting := [state for to in networks if (state := await self._store.lane_states(session, to))]:
            if monotonic() >= end:
                break
            await asyncio.sleep(LOOK_EVERY)
        return waiting

    async def remaining(self, session: SessionId, file: str) -> list[str]:
        """What the networks would not let us delete, one line each; no words."""
        kept, mine = await self._store.shelf(REMAINS), f"{REMAINS}/{session}/{file}/"
        found = [json.loads(text) for name, text in kept.items() if name.startswith(mine)]
        return [f"{one.get('network')} {one.get('where')}: uploaded there by {one.get('whose')}" for one in found]

    # ------------------------------------------------------------------ the port

    async def start(self) -> None:
        """There is nothing to connect to."""

    async def stop(self) -> None:
        """Nor to leave."""

    async def deliver(self, delivery: Delivery) -> Delivered:
        effect, session = delivery.effect, delivery.session
        if not isinstance(effect, PurgeFile):
            raise AssertionError("nothing but PurgeFile leads here")
        for one in [] if session.erased else await carriers_of(self._store, session.id):
            if any(carries(body, effect.file) for body in one.bodies.values()):
                await self._order(session.id, one, effect.file, PurgeReason.OTHER, None)
        await self._files.delete(effect.file)
        return Delivered()

    async def find(self, delivery: Delivery) -> list[Delivered]:
        """Nothing to look for: deleting again does no harm."""
        del delivery
        return []

    async def remove_double(self, delivery: Delivery, double: Delivered) -> None:
        raise AssertionError("nothing is ever found here, and so nothing twice")

    async def refresh(self, delivery: Delivery) -> None:
        raise AssertionError("no session lives here")

    def ready(self) -> str | None:
        return None


def _names(body: Body, file: str) -> bool:
    return any(isinstance(part, FilePart) and part.file == file for part in body.parts)
