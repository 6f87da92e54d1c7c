"""Operators who write in a thread: the customer is told while their words, as they are meant, would be a reply.

Discord says it every ten seconds of somebody's typing, and the customer's page believes it for six: so it is said once
more in between. It ends when they send, and is a signal: never kept, left out where anything is in the way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic

import structlog

from adapters.discord.heard.happenings import Typing
from adapters.discord.people import People
from adapters.discord.places.threads import Threads
from adapters.discord.refs import Root
from bridge.errors import KakehashiError
from bridge.feed import Signal
from bridge.relay import Relay
from routing.ids import OperatorId
from routing.inputs import Manner
from routing.intent import would_stay_inside
from routing.policy import Policy
from routing.session import Session, State

AGAIN_AFTER = 5.0
"""Seconds after which it is said once more."""

HEARD_EVERY = 3.0
"""Seconds within which one more sign of the same person is no news."""

AT_ONCE = 200
"""People who write at the same time; of more, nothing is said."""

_log = structlog.get_logger(__name__)


class Writers:
    """`clock` is monotonic, in seconds."""

    def __init__(
        self,
        relay: Relay,
        threads: Threads,
        people: People,
        policy: Callable[[], Policy],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._relay = relay
        self._threads = threads
        self._people = people
        self._policy = policy
        self._clock = clock
        self._under_way: dict[tuple[Root, str], tuple[float, asyncio.Task[None]]] = {}

    def hear(self, typing: Typing) -> None:
        """Somebody types now. Returns at once."""
        user = typing.author.user
        if self._people.operator(user) is None:
            return
        who = (typing.root, user)
        since, _ = self._under_way.get(who, (-HEARD_EVERY, None))
        if self._clock() < since + HEARD_EVERY or len(self._under_way) >= AT_ONCE:
            return
        self.ended(*who)
        task = asyncio.get_running_loop().create_task(self._show(typing.root, user))
        self._under_way[who] = (self._clock(), task)
        task.add_done_callback(lambda done: self._forget(who, done))

    def ended(self, root: Root, user: str) -> None:
        """They have sent what they wrote."""
        _, task = self._under_way.pop((root, user), (0.0, None))
        if task is not None:
            task.cancel()

    def _forget(self, who: tuple[Root, str], task: asyncio.Task[None]) -> None:
        if self._under_way.get(who, (0.0, None))[1] is task:
            del self._under_way[who]

    async def stop(self) -> None:
        tasks = [task for _, task in self._under_way.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _show(self, root: Root, user: str) -> None:
        try:
            for number in range(2):
                await asyncio.sleep(AGAIN_AFTER * number)
                await self._say(root, user)
            await asyncio.sleep(AGAIN_AFTER)
        except KakehashiError as error:
            _log.debug("discord_typing_not_shown", reason=error.what)

    async def _say(self, root: Root, user: str) -> None:
        placed = await self._threads.placed(root)
        stored = await self._relay.session(placed.session) if placed is not None else None
        if placed is None or stored is None or stored.session.mirror.number != placed.mirror:
            return
        session = stored.session
        operator = self._people.operator(user, session.mirror.place)
        if operator is not None and self._may_reply(session, operator):
            await self._relay.signal(session, Signal("typing", session.id, operator=operator))

    def _may_reply(self, session: Session, operator: OperatorId) -> bool:
        """Whoever writes a note, or beside a colleague who answers, is nobody's to see."""
        is_open = session.state is not State.CLOSED
        return is_open and would_stay_inside(session, self._policy(), Manner.PLAIN, operator) is None
