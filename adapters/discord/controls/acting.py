"""Who acts, and on which session: found before anything that people ask of a session is done."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.discord.controls.replies import Reply
from adapters.discord.heard.happenings import Author
from adapters.discord.people import People
from bridge.networks.explanations import Explanations
from bridge.ports import Placed, Store, Stored
from bridge.relay import Relay
from routing.ids import OperatorId, ThreadRef
from routing.session import Reason


@dataclass(frozen=True, slots=True)
class Act:
    """An operator who asks something of a session, in one of its threads, and the answer that they wait for."""

    stored: Stored
    placed: Placed
    operator: OperatorId
    author: Author
    reply: Reply

    @property
    def language(self) -> str:
        return self.stored.session.language


class Acting:
    def __init__(self, store: Store, relay: Relay, people: People, explanations: Explanations) -> None:
        self._store = store
        self._relay = relay
        self._people = people
        self._explanations = explanations

    async def of(self, placed: Placed | None, author: Author, reply: Reply) -> Act | None:
        """None: there is no such session, or whoever asks is no operator there; they were told."""
        stored = await self._relay.session(placed.session) if placed is not None else None
        if placed is None or stored is None:
            await reply.tell("told.no_session_here", reply.language)
            return None
        place = place_of(stored, placed)
        operator = self._people.operator(author.user, place)
        if operator is None:
            await reply.tell("told.not_enrolled", stored.session.language, author=author.user)
            await self._people.note_unknown(author.user, place)
            return None
        return Act(stored, placed, operator, author, reply)

    async def why(self, act: Act, reason: Reason) -> str:
        """A refusal in words, with the way to where the talk goes on."""
        threads = await self._store.threads(act.placed.session)
        return await self._explanations.why(reason, threads.get(act.placed.mirror, ThreadRef("")), act.stored)


def place_of(stored: Stored, placed: Placed) -> str:
    """The channel of the thread that something was done in."""
    return next((one.place for one in stored.session.mirrors if one.number == placed.mirror), "")
