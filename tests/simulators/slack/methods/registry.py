"""One table of all methods: what each may be called with, how often, and what it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.simulators.slack.refusal import Args
from tests.simulators.slack.workspace import Json

if TYPE_CHECKING:
    from tests.simulators.slack.simulator import SlackSimulator


@dataclass
class Call:
    """A call as the journal keeps it.

    `at` is wall time, `received` and `answered` are time.perf_counter(), which on Linux can be compared across
    processes. `outcome` is `ok`, Slack's error word, or the name of the fault that befell it; `done` whether it had
    its effect.
    """

    method: str
    args: Json
    at: float
    received: float
    outcome: str = ""
    done: bool = False
    answered: float = 0.0
    number: int = 0
    dropped: bool = field(default=False, repr=False)

    @property
    def arguments(self) -> Args:
        return Args(self.args)


Run = Callable[["SlackSimulator", Call], Json]


@dataclass(frozen=True)
class Method:
    """`scopes`: any of them is needed. `tier` 0: chat.postMessage's own limit; None: unlimited."""

    name: str
    run: Run
    scopes: tuple[str, ...]
    tier: int | None
    app_token: bool


METHODS: dict[str, Method] = {}


def method(name: str, *, scopes: str = "", tier: int | None = 3, app_token: bool = False) -> Callable[[Run], Run]:
    """Enter a function into the table; it returns the answer without `ok`, or raises Refusal."""

    def enter(run: Run) -> Run:
        METHODS[name] = Method(name, run, tuple(scopes.split()), tier, app_token)
        return run

    return enter
