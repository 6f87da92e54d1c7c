"""Windows: what an operator is offered in a form, whichever network draws it. What becomes of it: `submissions`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bridge.directory import Directory
from bridge.networks.canned import Canned, DeskTitle
from bridge.networks.card import Action, Title, Wording
from bridge.ports import Store
from bridge.templates import Template
from bridge.transcript import said_so_far
from routing.facts import Side
from routing.ids import OperatorId
from routing.inputs import Outcome
from routing.policy import Policy
from routing.session import Session

WINDOWS = (
    Action.NOTE,
    Action.TRANSFER,
    Action.HOLD,
    Action.RESOLVE,
    Action.TEMPLATES,
    Action.BLOCK,
    Action.HISTORY,
)
"""What opens a window."""

FILL = "fill"
"""The second step of templates: what is missing, and what the customer will read."""

REPLY = "reply"
"""Words for the customer, written outright."""

OUTCOMES = (Outcome.SOLVED, Outcome.UNSOLVED, Outcome.NO_ANSWER, Outcome.SPAM)

MINUTES = (15, 30, 60, 120, 240, 480)
"""Choices of a hold."""

WITHIN = 30
"""Minutes of a hold unless another time is chosen."""

DAYS = (1, 7, 30, 365)
FOR_GOOD = "for_good"
"""Choices of a block."""

PAST = 10
"""Earlier sessions that a history names; of the last few it tells what was said."""

TOLD_OF = 3

LOOKED_AT = 50
"""The latest of a customer's sessions, of which an operator may not see all."""

Spoken = tuple[int, str, str]
"""(when, who, words)."""


@dataclass(frozen=True, slots=True)
class Words:
    """What windows are written with. `tags` are the policy's, with their titles by language."""

    wording: Wording
    title: Title
    desk_title: DeskTitle
    tags: Callable[[], Mapping[str, Mapping[str, str]]] = dict


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    text: str


class Offers:
    """What there is to choose from for a session, in its language."""

    def __init__(
        self, *, store: Store, directory: Directory, canned: Canned, words: Words, policy: Callable[[], Policy]
    ) -> None:
        self._store = store
        self._directory = directory
        self._canned = canned
        self._words = words
        self._policy = policy

    async def headline(self, session: Session) -> str:
        """The session's first line. Raises StoreUnavailableError."""
        about = await self._store.about(session.id)
        topic = self._words.title(session.topic, session.language)
        return " · ".join(filter(None, (session.code, about.name, session.language, topic)))

    def desks(self, session: Session) -> list[Choice]:
        title = self._words.desk_title
        return [Choice(desk, title(desk, session.language) or desk) for desk in self._policy().desks]

    def operators(self, session: Session) -> list[Choice]:
        found = [Choice(one, self._directory.public_name(one, session.language)) for one in self._policy().operators]
        return sorted((one for one in found if one.value != session.assignee), key=lambda one: one.text)

    def outcomes(self, session: Session) -> list[Choice]:
        return [Choice(one, self._words.wording(session.language, f"outcome.{one}")) for one in OUTCOMES]

    def tags(self, session: Session) -> list[Choice]:
        language = session.language
        base = language.split("-")[0]
        return [
            Choice(tag, titles.get(language) or titles.get(base) or titles.get("en") or tag)
            for tag, titles in self._words.tags().items()
        ]

    async def templates(self, session: Session) -> list[Template]:
        return await self._canned.offered(session)

    # ------------------------------------------------------------------ history

    async def history(self, session: Session, operator: OperatorId) -> tuple[list[str], list[Spoken]]:
        """The customer's earlier sessions, a line each, the latest first; and what was said in the last of them."""
        named = [one for one in await self._store.sessions_of(session.customer) if one != session.id]
        found = await asyncio.gather(*map(self._store.load, named[-LOOKED_AT:]))
        past = [one for one in found if one is not None and self._may_see(operator, one.session, session)][-PAST:]
        said: list[Spoken] = []
        for stored in past[-TOLD_OF:]:
            said += await self._said(stored.session)
        return [self._past_line(one.session, session.language) for one in reversed(past)], said

    def _may_see(self, operator: OperatorId, past: Session, here: Session) -> bool:
        """As on the desk page: their desks' sessions and their own. Those of this thread's desk are before them."""
        profile = self._policy().operators.get(operator)
        serves = profile is not None and profile.works_at(past.desk)
        return serves or past.desk == here.desk or past.assignee == operator

    def _past_line(self, past: Session, language: str) -> str:
        ended = self._words.wording(language, f"outcome.{past.outcome}" if past.outcome else f"state.{past.state}")
        when = f"{datetime.fromtimestamp(past.opened_at / 1000, UTC):%Y-%m-%d}"
        return " · ".join((past.code, when, self._words.title(past.topic, language), ended))

    async def _said(self, past: Session) -> list[Spoken]:
        if past.erased:
            return []
        about = await self._store.about(past.id)
        customer = about.name or self._words.wording(past.language, "customer.unnamed")
        lines = []
        for one in await said_so_far(self._store, past.id):
            who = customer if one.operator is None else self._directory.public_name(one.operator, past.language)
            if one.side is Side.NOTE:
                who = self._words.wording(past.language, "post.history.note", name=who)
            lines.append((one.at, who, " ".join([one.body.text, *(f"[{file.name}]" for file in one.body.files)])))
        return lines


def span(minutes: int, language: str, wording: Wording) -> str:
    """How long a hold lasts, as people say it."""
    hours, rest = divmod(minutes, 60)
    key = "minutes" if rest else "hour" if hours == 1 else "hours"
    return wording(language, f"hold.{key}", minutes=str(minutes), hours=str(hours))


def spans(language: str, wording: Wording) -> list[Choice]:
    return [Choice(str(one), span(one, language, wording)) for one in MINUTES]


def lengths(language: str, wording: Wording) -> list[Choice]:
    """For how long somebody is blocked."""
    days = [
        Choice(str(one), wording(language, "block.day" if one == 1 else "block.days", days=str(one))) for one in DAYS
    ]
    return [*days, Choice(FOR_GOOD, wording(language, "block.for_good"))]


def template_choices(templates: Sequence[Template], language: str) -> list[Choice]:
    named = [(one.code, one.title or one.in_language(language) or "") for one in templates]
    return [Choice(code, f";{code} · {title}") for code, title in named]
