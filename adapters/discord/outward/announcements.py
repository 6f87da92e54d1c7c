"""Announcements: what the bridge says to a whole desk, as the digest at a change of shift, or what a lane waits for."""

from __future__ import annotations

from collections.abc import Callable

from adapters.discord.heard.app import App
from adapters.discord.outward.lines import Lines
from adapters.discord.places.channels import Channels
from adapters.discord.places.roots import TITLE
from adapters.discord.refs import NAME
from adapters.discord.render import CONTENT, Rendered
from adapters.discord.text.markup import escape, units
from bridge.directory import Directory
from bridge.messages import one_line
from routing.ids import OperatorId, Place


class Announcements:
    """`app` tells who we are, or raises DeliveryError while that is not known."""

    def __init__(self, lines: Lines, channels: Channels, directory: Directory, app: Callable[[], App]) -> None:
        self._lines = lines
        self._channels = channels
        self._directory = directory
        self._app = app

    async def tell(self, operator: OperatorId, key: str, text: str) -> bool:
        """Whether there is a user of theirs, who has it now in a message of their own. Raises `DeliveryError`."""
        user = self._directory.network_user(NAME, operator)
        if user is not None:
            await self._lines.say(f"{user}/{key}", await self._lines.direct(user), announcement(text))
        return user is not None

    async def post(self, place: Place, key: str, text: str) -> None:
        """Post it, once. Raises `DeliveryError`; whether it is there then, `is_posted` knows."""
        channel = await self._channels.of(place)
        await self._lines.say(_name(place, key), channel, announcement(text), one_line(text.partition("\n")[0], TITLE))

    async def is_posted(self, place: Place, key: str, since: int) -> bool:
        """Whether it stands in the channel, from `since` on (ms since 1970). Raises `DeliveryError`."""
        return bool(await self._lines.find(_name(place, key), since, self._app()))


def announcement(text: str) -> Rendered:
    """Lines of text, whatever stands in them: nothing in it acts."""
    shown = escape(text)
    while units(shown) > CONTENT:
        text = text[: max(1, len(text) - (units(shown) - CONTENT) // 2 - 1)]
        shown = f"{escape(text)}…"
    return Rendered(shown)


def _name(place: Place, key: str) -> str:
    return f"{place}/{key}"
