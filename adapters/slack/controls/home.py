"""The app's home: an operator's own desk in Slack, drawn when they open it and kept up to date for a while.

Slack tells that a home was opened, never that it was closed. So it is looked at every few seconds for some minutes, and
published again only if something on it is another now; each publishing is the least urgent call of all, and waits for
everybody's words. `hash` names the view that ours is to replace: where another process was faster, Slack refuses, and
the next look decides on what is so then.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import structlog

from adapters.slack.render import Block
from adapters.slack.shown import sheet
from adapters.slack.shown.sheet import AWAY, BACK, NEXT
from adapters.slack.wire.client import WebApi
from adapters.slack.wire.shape import GarbledError, Shape
from bridge.errors import DeliveryError, KakehashiError
from bridge.networks.claims import claim_next
from bridge.networks.face import Face
from bridge.networks.pacing import Urgency
from bridge.networks.roster import Roster, Row
from bridge.relay import Door, Receipt
from routing.availability import Choice
from routing.ids import OperatorId

LOOK_EVERY = 5.0
"""Seconds between two looks at the homes that were opened: many changes cost one publishing."""

WATCHED_FOR = 600.0
"""Seconds since it was opened, or pressed, for which a home is kept up to date."""

WATCHED = 1_000
"""Homes kept up to date by one process."""

ROWS = 10
"""Sessions in each list."""

CHOICES = {AWAY: Choice.AWAY, BACK: Choice.ON}

OPENED = Shape(("user", "tab"), {"view": Shape(("hash",))})
PRESSED = Shape(
    objects={"user": Shape(("id", "team_id")), "view": Shape(("type", "hash"))},
    lists={"actions": Shape(("action_id", "action_ts"))},
)

Payload = Mapping[str, Any]

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Watched:
    """A home that somebody has open, perhaps. `drawn` is what it shows, but for the time of drawing."""

    user: str
    until: float
    hash: str = ""
    drawn: object = None
    notice: tuple[Block, ...] = ()
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Home:
    """`face(language)` says how things are called in it; `operator` whose user in our workspace (`team`) is whose."""

    def __init__(
        self,
        api: WebApi,
        roster: Roster,
        door: Door,
        operator: Callable[[str], OperatorId | None],
        face: Callable[[str], Face],
        team: Callable[[], str],
    ) -> None:
        self._api = api
        self._roster = roster
        self._door = door
        self._whose = operator
        self._face = face
        self._team = team
        self._watched: OrderedDict[str, _Watched] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    # ------------------------------------------------------------------ what comes in

    def takes(self, payload: Payload) -> bool:
        """Whether this is about a home."""
        event, view = payload.get("event"), payload.get("view")
        opened = isinstance(event, Mapping) and event.get("type") == "app_home_opened"
        pressed = payload.get("type") == "block_actions" and isinstance(view, Mapping) and view.get("type") == "home"
        return opened or pressed

    async def take(self, payload: Payload) -> None:
        """Opened: it is drawn a moment later. Pressed: returns when that is durable. Raises as `Inbound.take` does."""
        try:
            if payload.get("type") == "block_actions":
                PRESSED.check(payload, "payload")
                await self._pressed(payload)
            else:
                OPENED.check(payload["event"], "event")
                self._opened(payload["event"])
        except ValueError as wrong:
            raise GarbledError(f"not what Slack sends: {wrong}") from wrong

    def _opened(self, event: Payload) -> None:
        if event.get("tab") != "home" or not event.get("user"):
            return
        home = self._watch(str(event["user"]), event)
        home.notice, home.drawn = (), None
        self._spawn(self._publish(home))

    async def _pressed(self, payload: Payload) -> None:
        person: Payload = payload.get("user") or {}
        user = str(person.get("id") or "")
        if person.get("team_id") not in (None, self._team()):
            return  # the same id in another workspace is somebody else
        action: Payload = next(iter(payload.get("actions") or ()), {})
        operator = self._operator(user)
        if operator is None or action.get("action_id") not in (AWAY, BACK, NEXT):
            return
        home = self._watch(user, payload)
        if action["action_id"] == NEXT:
            home.notice = tuple(await self._claim_next(operator, user, str(action.get("action_ts"))))
        else:
            await self._roster.availability.choose(operator, CHOICES[action["action_id"]])
            home.notice = ()
        self._spawn(self._publish(home))

    def _watch(self, user: str, told: Payload) -> _Watched:
        home = self._watched.pop(user, None) or _Watched(user, 0.0)
        home.until = monotonic() + WATCHED_FOR
        home.hash = str((told.get("view") or {}).get("hash") or home.hash)
        self._watched[user] = home
        if len(self._watched) > WATCHED:
            self._watched.popitem(last=False)
        return home

    def _operator(self, user: str) -> OperatorId | None:
        found = self._whose(user)
        return found if found is not None and self._roster.knows(found) else None

    # ------------------------------------------------------------------ claim next

    async def _claim_next(self, operator: OperatorId, user: str, pressed: str) -> Sequence[Block]:
        """Take the one who is to be served next; what is said of it."""
        face = self._face(self._roster.language(operator))
        taken = await claim_next(self._roster, self._door, operator, f"slack/home/{user}/{pressed}")
        if isinstance(taken, Receipt):
            return [await self._claimed(taken, operator, face)]
        return [sheet.told(face.say("home.queue.none" if taken is None else f"refused.{taken}"))]

    async def _claimed(self, receipt: Receipt, operator: OperatorId, face: Face) -> Block:
        rows: list[Row] = await self._roster.find(operator, receipt.stored.session.code)
        named = sheet.code(rows[0], face) if rows else {"type": "text", "text": receipt.stored.session.code}
        return sheet.notice(sheet.sentence(face, "home.claimed", "code", named))

    # ------------------------------------------------------------------ what goes out

    async def run(self) -> None:
        """Keep the homes up to date until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            await self.look()

    async def look(self) -> None:
        """One look at every home that may still be open."""
        for home in list(self._watched.values()):
            if home.until < monotonic():
                self._watched.pop(home.user, None)
            else:
                await self._publish(home)

    async def _publish(self, home: _Watched) -> None:
        """Draw it, and publish it if it is another one now. Nobody waits for it, so nothing is raised."""
        async with home.turn:
            try:
                blocks = await self._blocks(home)
                if blocks[:-1] != home.drawn:
                    await self._call(home, blocks)
            except DeliveryError as error:
                self._refused(home, error)
            except KakehashiError as error:
                _log.warning("slack_home_not_drawn", reason=error.what)

    async def _blocks(self, home: _Watched) -> list[Block]:
        operator = self._operator(home.user)
        if operator is None:
            how = f"kakehashi operators link ACCOUNT {self._team()}:{home.user}"
            return [sheet.told(self._face("en").say("command.stranger", how=how)), {"type": "divider"}]
        drawn = await self._roster.sheet(operator, ROWS)
        return sheet.home(drawn, self._face(drawn.language), home.notice)

    async def _call(self, home: _Watched, blocks: list[Block]) -> None:
        answer = await self._api.call(
            "views.publish",
            urgency=Urgency.CARD,
            user_id=home.user,
            view={"type": "home", "blocks": blocks},
            hash=home.hash or None,
        )
        home.drawn = blocks[:-1]
        home.hash = str((answer.get("view") or {}).get("hash") or "")

    def _refused(self, home: _Watched, error: DeliveryError) -> None:
        home.drawn = None
        if error.code == "hash_conflict":  # another process was faster; the next look replaces whatever is there then
            home.hash = ""
        elif error.code in ("not_enabled", "user_not_found"):
            self._watched.pop(home.user, None)
        _log.info("slack_home_not_published", code=error.code)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
