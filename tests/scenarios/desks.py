"""Operators at work: the port through which a story is told once and holds on every network.

A session is named by its code, as people name it. Each desk of the policy has a place of its own: a channel of Slack's,
a forum of Discord's, a list of the built-in desk's. Kenji works at all of them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol

from tests.scenarios.console_desk import console_desk
from tests.scenarios.discord_desk import discord_desk
from tests.scenarios.slack_desk import slack_desk
from tests.service import Running

NETWORKS = ("slack", "discord", "console")
PLATFORMS = ("slack", "discord")
"""Those that somebody else runs. What they do to us cannot befall the built-in desk, which shows the journal itself:
answers that are lost, refusals, things that are told twice or while nobody listens."""

QUICK = {"LANES__SEND_DEADLINE": 2, "LANES__QUARANTINE": 3, "LANES__SWEEP": 2}
"""Seconds. The rules are about their order; waiting the real ones out would take minutes."""

Said = Any
"""What `say` and `note` give back, for `edit` and `withdraw` alone."""


class Desk(Protocol):
    """One operator, and the places where they work."""

    network: str
    operator: str
    """Who Kenji is in the policy."""
    most: int
    """Characters that an operator can send at once."""
    keeps_operators_words: bool
    """Nobody but Kenji himself can delete what he wrote here."""
    said: dict[str, list[str]]
    """By session: the replies that were taken, in their order."""
    noted: dict[str, list[str]]

    # --- the stage
    def settings(self) -> Mapping[str, str | int]:
        """What the service needs to work here, but for its policy."""
        ...

    def place(self, desk: str) -> str:
        """Where a desk of the policy works, as its table says it. A place that was not there is made."""
        ...

    def people(self) -> str:
        """The policy's [operators]: only whom it knows can reply. Kenji has time for whoever comes: not every story
        ends its talk."""
        ...

    async def opens(self, processes: Sequence[Running]) -> None:
        """The service is up: Kenji can begin."""
        ...

    # --- what stands there
    async def comes_to(self, code: str, desk: str) -> None:
        """Return once the session is at that desk of the policy."""
        ...

    async def threads(self, code: str) -> int:
        """How many threads the session has."""
        ...

    async def card(self, code: str) -> str: ...
    async def thread(self, code: str) -> Sequence[str]:
        """What people read beneath the card, in order."""
        ...

    async def shows(self, code: str, *words: str) -> None:
        """Return once all of these words stand in the session's thread."""
        ...

    async def everything(self) -> str:
        """Whatever people can read anywhere."""
        ...

    async def files(self, code: str) -> int:
        """How many attachments of the customer's stand in the thread."""
        ...

    # --- what Kenji does
    async def say(self, code: str, text: str) -> Said: ...
    async def note(self, code: str, text: str) -> Said: ...
    async def edit(self, code: str, said: Said, text: str) -> None: ...
    async def withdraw(self, code: str, said: Said) -> None: ...
    async def claim(self, code: str) -> None: ...
    async def resolve(self, code: str) -> None: ...


class Rude(Desk, Protocol):
    """The desk of one of PLATFORMS, whose platform has its bad days."""

    def be_rude(self) -> None:
        """Now and then it loses an answer, refuses, or says things twice."""
        ...

    def refuse_deletions(self) -> None: ...
    def hold_deletions(self) -> Callable[[], bool]:
        """None is answered; the answer says whether one was asked for."""
        ...

    def behave(self) -> None: ...


@asynccontextmanager
async def at_work(network: str, *, seed: int = 0, sockets: bool = False) -> AsyncIterator[Desk]:
    """`seed`: of the dice of a platform's bad days. `sockets`: Slack's events come that way, not over signed HTTP."""
    if network == "slack":
        async with slack_desk("socket" if sockets else "http", seed=seed) as on_slack:
            yield on_slack
    elif network == "discord":
        async with discord_desk(seed=seed) as on_discord:
            yield on_discord
    else:
        async with console_desk() as at_the_desk:
            yield at_the_desk
