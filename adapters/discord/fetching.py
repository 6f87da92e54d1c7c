"""The files of what operators write: fetched, or the operator is told why not."""

from __future__ import annotations

from adapters.discord.downloads import Downloads, NotFetchedError
from adapters.discord.parse import Revised, Said
from adapters.discord.people import People
from adapters.discord.whispers import Whispers
from bridge.errors import KakehashiError
from bridge.files import FileRefused
from bridge.messages import FilePart
from bridge.ports import Store, Stored


class Fetching:
    def __init__(self, *, store: Store, downloads: Downloads, people: People, whispers: Whispers) -> None:
        self._store = store
        self._downloads = downloads
        self._people = people
        self._whispers = whispers

    async def fetched(self, said: Said) -> tuple[FilePart, ...]:
        """The files as ours. One that cannot be had is left out, and the operator is told."""
        if isinstance(said, Revised):
            return ()
        owner = f"operator:{self._people.operator(said.author.user) or said.author.user}"
        parts = []
        for file in said.files:
            try:
                parts.append(await self._downloads.keep(file, owner))
            except NotFetchedError as error:
                await self._whispers.file_refused(said, file.id, error.code)
            except FileRefused as error:
                if error.retry:
                    raise KakehashiError(f"a file was not taken yet ({error.code})") from error
                await self._whispers.file_refused(said, file.id, error.code)
        return tuple(parts)

    async def files_of(self, revised: Revised, stored: Stored) -> tuple[FilePart, ...]:
        """An edit changes the words; the files stay those of the message, until it has none."""
        said = stored.session.spoken(revised.message) or stored.session.held(revised.message)
        if said is None or not revised.files:
            return ()
        (body,) = await self._store.bodies(stored.session.id, [(revised.message, said.revision)])
        return body.files if body is not None else ()
