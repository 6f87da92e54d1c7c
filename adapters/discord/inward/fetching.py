"""The files of what operators write: fetched, or the operator is told why not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from adapters.discord.heard.app import App
from adapters.discord.heard.happenings import Attachment, Forwarded, Revised, Said, Sticker
from adapters.discord.inward.downloads import Downloads, NotFetchedError
from adapters.discord.inward.whispers import Whispers
from adapters.discord.parse import message
from adapters.discord.people import People
from adapters.discord.places.history import History
from bridge.errors import KakehashiError
from bridge.files import FileRefused
from bridge.messages import FilePart
from bridge.ports import Placed, Store, Stored
from bridge.relay import Relay


class Fetching:
    """`app` tells who we are."""

    def __init__(
        self,
        *,
        store: Store,
        relay: Relay,
        downloads: Downloads,
        history: History,
        people: People,
        whispers: Whispers,
        app: Callable[[], App],
    ) -> None:
        self._store = store
        self._relay = relay
        self._downloads = downloads
        self._history = history
        self._people = people
        self._whispers = whispers
        self._app = app

    async def fetched(self, said: Said, placed: Placed) -> tuple[FilePart, ...]:
        """Everything in it that is a file, as ours. One that cannot be had is left out, and the operator is told."""
        if isinstance(said, Revised):
            return ()
        return await self._all(said, placed)

    async def files_of(self, revised: Revised, stored: Stored, placed: Placed) -> tuple[FilePart, ...]:
        """An edit changes the words, and takes files away; it adds none."""
        known = stored.session.spoken(revised.message) or stored.session.held(revised.message)
        if known is None or not revised.to_be_fetched:
            return ()
        (body,) = await self._store.bodies(stored.session.id, [(revised.message, known.revision)])
        before = body.files if body is not None else ()
        if len(before) <= sum(1 for _ in self._wanted(revised)):
            return before
        left = {one.file for one in await self._all(revised, placed)}
        return tuple(one for one in before if one.file in left)

    async def _all(self, said: Said, placed: Placed) -> tuple[FilePart, ...]:
        owner = f"operator:{self._people.operator(said.author.user) or said.author.user}"
        parts = []
        for file in self._wanted(said):
            try:
                parts.append(await self._kept(said, file, owner))
            except NotFetchedError as error:
                await self._not_passed_on(said, file, error.code, placed)
            except FileRefused as error:
                if error.retry:
                    raise KakehashiError(f"a file was not taken yet ({error.code})") from error
                await self._not_passed_on(said, file, error.code, placed)
        return tuple(parts)

    def _wanted(self, said: Said | Forwarded) -> Iterator[Attachment]:
        """Its own files, pictures, and those of what was forwarded."""
        yield from said.files
        yield from map(self._downloads.picture, _pictures(said.stickers))
        for one in said.forwarded if isinstance(said, Said) else ():
            yield from self._wanted(one)

    async def _kept(self, said: Said, file: Attachment, owner: str) -> FilePart:
        try:
            return await self._downloads.keep(file, owner)
        except NotFetchedError as error:
            again = await self._read_again(said, file) if error.code == "no_access" else None
            if again is None:
                raise
        return await self._downloads.keep(again, owner)

    async def _read_again(self, said: Said, file: Attachment) -> Attachment | None:
        """With an address that holds from now on. None: the message is gone, or the file is."""
        told = await self._history.message(said.root.thread, said.id)
        now = message(told, said.root.guild, self._app()) if told is not None else None
        found = self._wanted(now) if isinstance(now, Said) else ()
        return next((one for one in found if one.id == file.id and one.url != file.url), None)

    async def _not_passed_on(self, said: Said, file: Attachment, code: str, placed: Placed) -> None:
        stored = await self._relay.session(placed.session)
        language = stored.session.language if stored is not None else ""
        await self._whispers.file_refused(said, file.id, code, language)


def _pictures(stickers: Sequence[Sticker]) -> Sequence[Sticker]:
    return [one for one in stickers if not one.is_drawn]
