"""One table of all routes: how often each may be called, by whom, and what it does."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from tests.simulators.discord.composing import Upload
from tests.simulators.discord.guild import Json

if TYPE_CHECKING:
    from tests.simulators.discord.simulator import DiscordSimulator


@dataclass
class Call:
    """A call as the journal keeps it.

    `route` is its template, `path` what stood in its braces, `at` wall time, `received` and `answered`
    time.perf_counter(), which on Linux can be compared across processes. `status` and `code` are the answer's,
    `outcome` is `ok`, Discord's words, or the name of the fault that befell it; `done` whether it had its effect.
    """

    route: str
    path: dict[str, str]
    query: dict[str, str]
    body: Any
    at: float
    received: float
    files: list[Upload] = field(default_factory=list, repr=False)
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    status: int = 0
    code: int = 0
    outcome: str = ""
    done: bool = False
    answered: float = 0.0
    number: int = 0

    @property
    def fields(self) -> Json:
        """The body's object; empty when it is none."""
        return self.body if isinstance(self.body, dict) else {}

    @property
    def args(self) -> Json:
        """All that names the call: path, query and body, for mischief to match."""
        return self.path | self.query | self.fields

    def flag(self, name: str) -> bool:
        return self.query.get(name, "").lower() in ("true", "1")

    def __getitem__(self, name: str) -> str:
        return self.path[name]


Run = Callable[["DiscordSimulator", Call], Any]
"""Returns the JSON to answer with, or None for 204."""
SomeRun = TypeVar("SomeRun", bound=Run)


@dataclass(frozen=True)
class Method:
    """`limit`: requests in seconds, by `bucket` and major parameter. `open`: the path itself holds the secret, so that
    no token is asked for and the global limit is not touched. `status`: of an answer with a body."""

    route: str
    run: Run
    limit: tuple[int, float]
    bucket: str
    open: bool
    status: int


METHODS: dict[str, Method] = {}
_PATTERNS: defaultdict[tuple[str, int], list[tuple[re.Pattern[str], Method]]] = defaultdict(list)
MAJOR = ("channel_id", "guild_id", "webhook_id", "webhook_token")


def method(
    route: str, *, limit: tuple[int, float] = (50, 1.0), bucket: str = "", is_open: bool = False, status: int = 200
) -> Callable[[SomeRun], SomeRun]:
    """Enter a function into the table: `method("GET /users/@me")`."""

    def enter(run: SomeRun) -> SomeRun:
        verb, _, path = route.partition(" ")
        entry = METHODS[route] = Method(route, run, limit, bucket or route, is_open, status)
        pattern = re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", path.replace(".", r"\."))
        _PATTERNS[verb, path.count("/")].append((re.compile(pattern), entry))
        return run

    return enter


def find(verb: str, path: str) -> tuple[Method, dict[str, str]] | None:
    """The method of a path, literal parts before `{…}`; and what stands in its braces."""
    tried = ((pattern.fullmatch(path), entry) for pattern, entry in _PATTERNS[verb, path.count("/")])
    found = [(entry, match.groupdict()) for match, entry in tried if match]
    return min(found, key=lambda hit: len(hit[1])) if found else None
