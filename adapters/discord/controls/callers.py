"""Callers: who asks for their own work, of no session, and how it is told to them."""

from __future__ import annotations

from collections.abc import Callable

from adapters.discord.controls.replies import Reply
from adapters.discord.heard.happenings import Author
from adapters.discord.people import People
from adapters.discord.refs import NAME, Root
from bridge.networks.card import Title, Wording
from bridge.networks.face import Face
from bridge.networks.roster import Roster
from routing.ids import DeskId, OperatorId


class Callers:
    """`desk` is what a desk is called in a language."""

    def __init__(
        self, people: People, roster: Roster, wording: Wording, title: Title, desk: Callable[[DeskId, str], str]
    ) -> None:
        self._people = people
        self._roster = roster
        self._wording = wording
        self._title = title
        self._desk = desk

    def known(self, author: Author) -> OperatorId | None:
        found = self._people.operator(author.user)
        return found if found is not None and self._roster.knows(found) else None

    async def operator(self, author: Author, reply: Reply) -> OperatorId | None:
        """None: whoever asks is no operator here; they were told how to become one."""
        found = self.known(author)
        if found is None:
            how = f"kakehashi operators link ACCOUNT {author.user}"
            await reply.tell("command.stranger", reply.language, how=f"`{how}`")
            await self._people.note_unknown(author.user, "")
        return found

    def face(self, language: str) -> Face:
        return Face(
            self._wording,
            language,
            self._title,
            self._desk,
            lambda thread: Root.of(thread).link,
            lambda desk: self._roster.place(desk, NAME) or "",
        )
