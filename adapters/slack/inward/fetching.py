"""The files of what operators write: fetched, or the operator is told why not."""

from __future__ import annotations

from adapters.slack.inward.downloads import Downloads, NotFetchedError
from adapters.slack.parse import Revised, Said
from adapters.slack.people import People
from adapters.slack.places.threads import Threads
from adapters.slack.render import Wording
from adapters.slack.shown.ephemerals import Tell
from bridge.errors import KakehashiError
from bridge.files import FileRefused
from bridge.messages import FilePart
from bridge.ports import Store, Stored
from bridge.relay import Relay
from routing.ids import InputKey


class Fetching:
    def __init__(
        self,
        *,
        store: Store,
        relay: Relay,
        threads: Threads,
        downloads: Downloads,
        people: People,
        wording: Wording,
        tell: Tell,
    ) -> None:
        self._store = store
        self._relay = relay
        self._threads = threads
        self._downloads = downloads
        self._people = people
        self._wording = wording
        self._tell = tell

    async def fetched(self, said: Said) -> tuple[FilePart, ...]:
        """The files as ours. One that cannot be had is left out, and the operator is told."""
        if isinstance(said, Revised) or self._people.is_guest(said.author):
            return ()
        owner = f"operator:{self._people.operator(said.author) or self._people.named(said.author.user)}"
        parts = []
        for file in said.files:
            try:
                parts.append(await self._downloads.keep(file, owner))
            except NotFetchedError as error:
                await self._not_passed_on(said, file.id, error.code)
            except FileRefused as error:
                if error.retry:
                    raise KakehashiError(f"a file was not taken yet ({error.code})") from error
                await self._not_passed_on(said, file.id, error.code)
        return tuple(parts)

    async def _not_passed_on(self, said: Said, file: str, code: str) -> None:
        placed = await self._threads.placed(said.root)
        stored = await self._relay.session(placed.session) if placed else None
        language = stored.session.language if stored else ""
        text = self._wording(language, "told.file", why=self._wording(language, f"file.{code}"))
        self._tell.later(InputKey(f"{said.key}/{file}"), said.root, said.author.user, text)

    async def files_of(self, revised: Revised, stored: Stored) -> tuple[FilePart, ...]:
        """An edit in Slack changes the words; the files stay those of the message."""
        said = stored.session.spoken(revised.message) or stored.session.held(revised.message)
        if said is None or not revised.files:
            return ()
        bodies = await self._store.bodies(stored.session.id, [(revised.message, said.revision)])
        return bodies[0].files if bodies and bodies[0] is not None else ()
