"""Blockages: what a lane waits for until a person mends it, said where people can still read it.

A channel that is archived, or a thread that is locked, cannot say so itself. The desk page shows it beside each session
and `doctor` counts it; but who sits before the network looks at neither. So one line goes to a place that does take
posts: the channel above a locked thread, another of the desk's channels, else another desk's. Where there is none (a
forum that is the only desk, on a server that opens no thread any more), who is on call is told directly, else some of
the desk's operators. It names the desk or the session, the platform's word and the mend, and nothing of a customer's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

import structlog

from bridge.errors import DeliveryError, KakehashiError
from bridge.handover import SupportsAnnouncing, SupportsTelling
from bridge.pages import Words
from bridge.ports import Delivery, Network, Store
from routing.ids import DeskId, NetworkName, OperatorId, Place
from routing.policy import Desk, Policy

SAID_EVERY = 3600 * 1000
"""ms until the same blockage is said again: long enough to mend it, too short to forget it."""

SAY_WITHIN = 20.0
"""Seconds for one announcement."""

TOLD = 3
"""Operators of a desk who are told directly where nobody is on call."""

IN_VAIN = 30.0
"""Seconds without another try where neither a place of a network nor anybody took the line: what is wrong then is wrong
with all of it, and the health pages say so."""

log = structlog.get_logger(__name__)


class Blockages:
    """A `bridge.lanes.Blockages`. `title` is what a desk is called in a language."""

    def __init__(
        self,
        store: Store,
        policy: Callable[[], Policy],
        networks: Mapping[NetworkName, Network],
        words: Words,
        title: Callable[[DeskId, str], str] = lambda desk, _language: desk,
    ) -> None:
        self._store = store
        self._policy = policy
        self._networks = networks
        self._words = words
        self._title = title
        self._saying: dict[str, asyncio.Task[None]] = {}
        self._not_before: dict[NetworkName, float] = {}

    def met(self, delivery: Delivery, error: DeliveryError) -> None:
        """A lane waits for a person. Returns at once; a hundred lanes may meet the same thing."""
        mirror = next((one for one in delivery.session.mirrors if one.number == delivery.effect.mirror), None)
        clock = asyncio.get_running_loop().time()
        if mirror is None or clock < self._not_before.get(mirror.network, clock):
            return
        about = mirror.place if error.of_place else delivery.session.id
        name = f"blocked/{mirror.network}/{about}/{error.code}"
        if name not in self._saying:
            task = asyncio.get_running_loop().create_task(self._say(name, delivery, mirror.place, error))
            self._saying[name] = task
            task.add_done_callback(lambda _: self._saying.pop(name, None))

    async def stop(self) -> None:
        for task in list(self._saying.values()):
            task.cancel()
        await asyncio.gather(*self._saying.values(), return_exceptions=True)

    async def _say(self, name: str, delivery: Delivery, place: Place, error: DeliveryError) -> None:
        """Once in an hour, in the first place that takes it. It is the lane's own matter whether it goes on."""
        network: object = self._networks.get(delivery.effect.to)
        try:
            if not isinstance(network, SupportsAnnouncing) or await self._store.get(name) is not None:
                return
            for one in self._places(delivery, place, blocked=error.of_place):
                if await self._is_said(network, one, name, self._text(delivery, place, error)):
                    await self._store.put(name, one, SAID_EVERY)
                    return
            if await self._are_told(delivery, name, self._text(delivery, place, error)):
                await self._store.put(name, "people", SAID_EVERY)
                return
            self._not_before[delivery.effect.to] = asyncio.get_running_loop().time() + IN_VAIN
            log.error("blockage_not_said", place=place, code=error.code)
        except KakehashiError as failed:
            log.warning("blockage_not_said", place=place, code=error.code, reason=failed.what)

    async def _is_said(self, network: SupportsAnnouncing, place: Place, key: str, text: str) -> bool:
        try:
            async with asyncio.timeout(SAY_WITHIN):
                if not await network.announced(place, key, await self._store.now() - SAID_EVERY):
                    await network.announce(place, key, text)
            return True
        except (DeliveryError, TimeoutError):
            return False

    async def _are_told(self, delivery: Delivery, key: str, text: str) -> bool:
        """Whether anybody is: who is on call, else the first of the desk's operators who can be reached."""
        policy = self._policy()
        desk = policy.desks.get(delivery.session.desk)
        if desk is None:
            return False
        now = await self._store.now()
        on_call = policy.on_call(desk, now)
        if on_call is not None and await self._is_told(on_call, delivery.effect.to, key, text):
            return True
        told = 0
        theirs = [one for one in policy.operators.values() if one.id != on_call and one.works_at(desk.id)]
        for one in sorted(theirs, key=lambda one: (one.hours is not None and not one.hours.open_at(now), one.id)):
            told += told < TOLD and await self._is_told(one.id, delivery.effect.to, key, text)
        return told > 0

    async def _is_told(self, operator: OperatorId, near: NetworkName, key: str, text: str) -> bool:
        """On the network that it is about, else on another one."""
        for _, network in sorted(self._networks.items(), key=lambda one: one[0] != near):
            with suppress(DeliveryError, TimeoutError):
                async with asyncio.timeout(SAY_WITHIN):
                    if isinstance(network, SupportsTelling) and await network.tell(operator, key, text):
                        log.info("blockage_told", operator=operator)
                        return True
        return False

    def _places(self, delivery: Delivery, place: Place, *, blocked: bool) -> Iterator[Place]:
        """The nearest first: its own, as long as that takes posts, those of its desk, those of the others."""
        desks = [one for one in self._policy().desks.values() if one.network == delivery.effect.to]
        near_first = sorted(desks, key=lambda one: one.id != delivery.session.desk)
        every = dict.fromkeys((place, *(one for desk in near_first for one in desk.places)))
        return (one for one in every if not blocked or one != place)

    def _text(self, delivery: Delivery, place: Place, error: DeliveryError) -> str:
        session = delivery.session
        desk = self._desk_at(place, session.desk)
        language = next(iter(desk.languages), session.language) if desk is not None else session.language
        named = self._title(desk.id, language) if desk is not None else session.desk
        key = "blocked.place" if error.of_place else "blocked.thread"
        said = self._words(language, key, desk=named, place=place, code=session.code, error=error.code)
        return f"{said}\n{error.mend}".strip()

    def _desk_at(self, place: Place, otherwise: DeskId) -> Desk | None:
        desks = self._policy().desks
        found = desks.get(otherwise)
        if found is not None and place in found.places:
            return found
        return next((one for one in desks.values() if place in one.places), found)
