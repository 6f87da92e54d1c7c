"""Membership: who has left a desk's channel, or the workspace, does not answer its customers any more.

Slack tells of it by events. What was missed is found by looking, now and then, at who is in each channel, with the
scopes that the app has anyway: whoever was there at the last look and is not now has left.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence

import structlog

from adapters.slack.parse import PersonLeft
from adapters.slack.refs import NAME
from adapters.slack.wire import faults
from adapters.slack.wire.client import WebApi
from bridge.errors import KakehashiError
from bridge.networks.enrolment import Enrolment
from bridge.networks.pacing import Urgency
from bridge.ports import Store
from routing.ids import Place

EVERY = 600.0
"""Seconds between two looks: an event has told of most of it long before."""

PAGE = 200
"""Members in one answer, as Slack recommends."""

_log = structlog.get_logger(__name__)


class Membership:
    """`places` are the desks' channels, `named` a user with the app's team; `holds`: it is this process that looks."""

    def __init__(
        self,
        api: WebApi,
        store: Store,
        enrolment: Enrolment,
        places: Callable[[], Sequence[Place]],
        named: Callable[[str], str],
        holds: Callable[[], bool],
    ) -> None:
        self._api = api
        self._store = store
        self._enrolment = enrolment
        self._places = places
        self._named = named
        self._holds = holds

    async def left(self, person: PersonLeft) -> None:
        """As an event tells. Raises StoreUnavailableError: it is not acknowledged then."""
        if not person.channel or person.channel in self._places():
            await self._lose(person.user, person.channel)

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            if self._holds():
                await self.look()
            await asyncio.sleep(EVERY)

    async def look(self) -> None:
        """Compare each channel with the last look. What cannot be read now is compared the next time."""
        for place in self._places():
            try:
                await self._compare(place)
            except KakehashiError as error:
                _log.info("slack_members_unknown", channel=place, reason=error.what)

    async def _compare(self, place: Place) -> None:
        name = f"{NAME}/members/{place}"
        before, now = await self._store.get(name), await self._members(place)
        for user in sorted(set(json.loads(before or "[]")) - now):
            await self._lose(user, place)
        if before is None or set(json.loads(before)) != now:
            await self._store.put(name, json.dumps(sorted(now)))

    async def _members(self, place: Place) -> set[str]:
        found: set[str] = set()
        cursor = ""
        while True:
            answer = await self._api.call(
                "conversations.members", urgency=Urgency.CARD, channel=place, limit=str(PAGE), cursor=cursor or None
            )
            if not isinstance(members := answer.get("members"), list):
                raise faults.unanswered("no_members")  # which is not to say that everybody has left
            found.update(map(str, members))
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return found

    async def _lose(self, user: str, channel: str) -> None:
        await self._enrolment.lose(self._named(user), channel, "left" if channel else "gone", home=True)
