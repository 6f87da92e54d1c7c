"""Naming: the session of a thread, and the choices that are offered while a command's option is typed."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from adapters.discord.controls import slash
from adapters.discord.controls.callers import Callers
from adapters.discord.controls.replies import Reply
from adapters.discord.heard.app import App
from adapters.discord.heard.happenings import Commanded
from adapters.discord.places.threads import Threads
from adapters.discord.refs import Post, Root
from adapters.discord.render import OPTIONS
from bridge.networks.card import Wording
from bridge.networks.commands import folded, named
from bridge.networks.roster import Roster, Row
from bridge.networks.windows import MINUTES, Choice, Offers, span, template_choices
from bridge.ports import Placed
from bridge.relay import Relay
from routing.ids import OperatorId
from routing.session import Session


class Naming:
    """`app` tells who we are, or raises DeliveryError while that is not known."""

    def __init__(
        self,
        *,
        relay: Relay,
        threads: Threads,
        app: Callable[[], App],
        callers: Callers,
        roster: Roster,
        offers: Offers,
        wording: Wording,
    ) -> None:
        self._relay = relay
        self._threads = threads
        self._app = app
        self._callers = callers
        self._roster = roster
        self._offers = offers
        self._wording = wording

    async def placed(self, root: Root) -> Placed | None:
        """What a thread mirrors; None for one that is no customer's. Raises DeliveryError."""
        known = await self._threads.placed(root)
        return known if known is not None or self._threads.is_foreign(root) else await self._read(root)

    async def _read(self, root: Root) -> Placed | None:
        return await self._threads.read(root, self._app())

    async def of_card(self, post: Post) -> Placed | None:
        """In a text channel the card stands above its thread, which bears the card's id."""
        return await self._threads.placed(Root(post.guild, post.message))

    async def complete(self, asked: Commanded, reply: Reply) -> None:
        """Who is not enrolled is offered nothing."""
        operator = self._callers.known(asked.author)
        offered = await self._choices(asked, operator) if operator is not None else []
        await reply.offer(_fitting(offered, asked.options.get(asked.focused, "")))

    async def _choices(self, asked: Commanded, operator: OperatorId) -> list[Choice]:
        language = self._roster.language(operator)
        if asked.focused == slash.SOUGHT:
            return await self._sessions(operator)
        if asked.focused == slash.UNTIL:
            return self._times(asked.options.get(slash.UNTIL, ""), language)
        session = await self._session(asked)
        if session is None:
            return []
        if asked.focused == slash.DESK:
            return self._offers.desks(session)
        if asked.focused == slash.COLLEAGUE:
            return self._offers.operators(session)
        if asked.focused == slash.CODE:
            return template_choices(await self._offers.templates(session), session.language)
        return []

    def meant(self, typed: str, option: str, session: Session) -> str:
        """What was chosen, or the one whose name was typed; whatever it is, if it is none."""
        choices = self._offers.desks(session) if option == slash.DESK else self._offers.operators(session)
        return named(typed, {one.value: (one.value, one.text) for one in choices}) or typed

    async def _session(self, asked: Commanded) -> Session | None:
        placed = await self._threads.placed(asked.root)
        stored = await self._relay.session(placed.session) if placed is not None else None
        return stored.session if stored is not None else None

    async def _sessions(self, operator: OperatorId) -> list[Choice]:
        """Theirs, then those that wait at their desks."""
        drawn = await self._roster.sheet(operator)
        waiting = [row for queue in drawn.queues for row in queue.rows]
        rows = {row.code: row for row in (*drawn.mine, *waiting)}
        return [Choice(code, self._row(row, drawn.language)) for code, row in rows.items()]

    def _row(self, row: Row, language: str) -> str:
        name = row.name or self._wording(language, "customer.unnamed")
        return " · ".join(filter(None, (row.code, name, row.language)))

    def _times(self, typed: str, language: str) -> list[Choice]:
        """What was typed comes first: it may well be a time."""
        usual = [Choice(f"{one}m", span(one, language, self._wording)) for one in MINUTES]
        return [*([Choice(typed, typed)] if typed.strip() else []), *usual]


def _fitting(choices: Iterable[Choice], typed: str) -> list[Choice]:
    """Those that begin with what was typed, then those that hold it. A value has a hundred characters."""
    sought = folded(typed)
    named = [(folded(one.text), one) for one in choices if 0 < len(one.value) <= slash.SHORT]
    begun = [one for text, one in named if text.lstrip(";").startswith(sought)]
    held = [one for text, one in named if sought in text and one not in begun]
    return [*begun, *held][:OPTIONS]
