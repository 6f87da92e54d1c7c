"""Prints the documents that repeat what the code knows: `make docs`. A test fails while one of them is out of date.

* settings.md: every setting, from `config.settings` and `config.policy`
* session-states.md: every input in every state, from `routing.session.TABLE`
* wording.md: every text in four languages side by side, from the locale files, for a native reader to review
"""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from config.locales import FACES, LANGUAGES, load
from config.policy import DeskTable, OperatorTable, RulesTable
from config.settings import EmergencyLink, JwtKey, Settings
from config.sources import Key, is_secret, section_of, variable
from routing import session as session_module
from routing.session import TABLE, Accept, Refuse, State, TimerName, Verdict

HERE = Path(__file__).parent
_NOTE = "<!-- Printed by `make docs`. Edit the code, not this page. -->"


def main() -> None:
    """Write all of them."""
    for name, document in DOCUMENTS.items():
        (HERE / name).write_text(document(), encoding="utf-8")


# ------------------------------------------------------------------ settings


def settings() -> str:
    """docs/settings.md."""
    return _page(
        "Settings",
        "A setting comes from, in this order: the environment (`KAKEHASHI_SLACK__BOT_TOKEN`), for secrets a file that "
        "the environment names (`KAKEHASHI_SLACK__BOT_TOKEN_FILE`), `kakehashi.toml` (named by `--config` or "
        "`KAKEHASHI_CONFIG`, else the one in the working folder), and the default below. A variable that is empty "
        "counts as not set. `kakehashi check` says what is wrong, where, and how to mend it.",
        'Times are seconds, or `"90s"`, `"10m"`, `"24h"`, `"7d"`; sizes are bytes, or `"512 KiB"`, `"10 MiB"`. In the '
        "environment a list is `a, b, c`, and tables are JSON.",
        *_section((), Settings),
        "## The policy",
        "Desks, topics and operators stand in `kakehashi.toml` too, or in a file that `policy` names. They have no "
        "environment variables.",
        "### `[desks.NAME]`",
        _plain(DeskTable),
        _fields(_keys(DeskTable)),
        "### `[topics]`",
        "Each topic with its title in each language, in the order in which the widget shows them: "
        '`account = { ja = "口座開設", en = "Account opening" }`.',
        "### `[operators.NAME]`",
        _plain(OperatorTable),
        _fields(_keys(OperatorTable)),
        "### `[rules]`",
        _plain(RulesTable),
        _fields(_keys(RulesTable)),
    )


def _section(before: Key, section: type[BaseModel]) -> Iterator[str]:
    """A section's heading and table, then the sections in it."""
    if before:
        yield f"{'#' * (len(before) + 1)} `[{'.'.join(before)}]`"
        yield _plain(section)
    rows = [(name, field, variable((*before, name))) for name, field in _keys(section) if section_of(field) is None]
    yield _table(
        ("key", "variable", "default", "what it is"),
        ((f"`{name}`", f"`{named}`", _default(field), _about(field)) for name, field, named in rows),
    )
    for path, part in LISTS.items():
        if path[:-1] == before:
            yield f"Each of `[[{'.'.join(path)}]]`:"
            yield _fields(_keys(part))
    for name, field in _keys(section):
        inner = section_of(field)
        if inner is not None:
            yield from _section((*before, name), inner)


LISTS: Mapping[Key, type[BaseModel]] = {("web", "jwt", "keys"): JwtKey, ("web", "emergency"): EmergencyLink}
"""Settings that are lists of tables."""


def _fields(fields: Iterable[tuple[str, FieldInfo]]) -> str:
    rows = ((f"`{name}`", _default(field), _about(field)) for name, field in fields)
    return _table(("key", "default", "what it is"), rows)


def _keys(section: type[BaseModel]) -> list[tuple[str, FieldInfo]]:
    return list(section.model_fields.items())


def _about(field: FieldInfo) -> str:
    return f"{field.description}{' (secret)' if is_secret(field) else ''}"


def _default(field: FieldInfo) -> str:
    value: Any = field.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined:
        return "required"
    if value is None or value in ("", (), {}):
        return "–"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return f"`[{', '.join(repr(one) for one in value)}]`".replace("'", '"')
    return f"`{value.value if isinstance(value, Enum) else value}`"


def _plain(section: type[BaseModel]) -> str:
    return inspect.getdoc(section) or ""


# ------------------------------------------------------------------ session states


def session_states() -> str:
    """docs/session-states.md."""
    return _page(
        "Session states",
        _theory(),
        "## The states",
        _diagram(),
        "An arrow names the rules that take it; a rule may also leave the state as it is.",
        "## Every input in every state",
        "What is done: **the rule**, and the states that it may lead to. ✗ is refused, and whoever asked is told why. "
        "· is ignored: nothing to do, and nobody to tell.",
        _table(("input", *(f"{state}" for state in State)), (_row(kind.__name__, row) for kind, row in TABLE.items())),
        "## Timers",
        "Derived from the session whenever it changes, so that a timer never disagrees with its session; the earliest "
        "one is the session's deadline. "
        f"They are: {', '.join(f'`{timer}`' for timer in TimerName)}.",
    )


def _theory() -> str:
    """What the table's own module says of itself, up to where it speaks of the code."""
    paragraphs = (inspect.getdoc(session_module) or "").split("\n\n")
    return "\n\n".join(paragraph for paragraph in paragraphs[1:] if "`TABLE`" not in paragraph)


def _diagram() -> str:
    arrows: dict[tuple[State, State], list[str]] = defaultdict(list)
    for row in TABLE.values():
        for state, verdict in row.items():
            for target in verdict.leads_to if isinstance(verdict, Accept) else ():
                if target is not state and isinstance(verdict, Accept) and verdict.rule not in arrows[state, target]:
                    arrows[state, target].append(verdict.rule)
    lines = [
        f"    {'[*]' if state is State.NEW else state} --> {target}: {', '.join(rules)}"
        for (state, target), rules in sorted(arrows.items(), key=lambda one: (_order(one[0][0]), _order(one[0][1])))
        if rules
    ]
    return "\n".join(["```mermaid", "stateDiagram-v2", *lines, f"    {State.CLOSED} --> [*]", "```"])


def _order(state: State) -> int:
    return list(State).index(state)


def _row(name: str, verdicts: Mapping[State, Verdict]) -> Sequence[str]:
    return (f"`{name}`", *(_verdict(state, verdicts[state]) for state in State))


def _verdict(state: State, verdict: Verdict) -> str:
    if isinstance(verdict, Refuse):
        return f"✗ {verdict.reason}"
    if not isinstance(verdict, Accept):
        return f"· {verdict.because}"
    if verdict.leads_to == (state,):
        return f"**{verdict.rule}**"
    return f"**{verdict.rule}** → {', '.join(verdict.leads_to)}"


# ------------------------------------------------------------------ wording


def wording() -> str:
    """docs/wording.md."""
    return _page(
        "Wording",
        "Every text that people see, in four languages. `{…}` is filled in. The files are in `config/locales`; the "
        "voice is calm, exact and quiet (ja です・ます, zh-Hans 您), and zh-Hant is a text of its own.",
        *(part for face in FACES for part in (f"## {ABOUT_FACES[face]}", _wording_of(face))),
    )


ABOUT_FACES = {
    "widget": "`widget`: what the customer reads",
    "desk": "`desk`: the operators' page",
    "thread": "`thread`: cards, lines and refusals on the networks",
}


def _wording_of(face: str) -> str:
    texts = load(face)
    keys = dict.fromkeys(key for language in LANGUAGES for key in texts[language])
    rows = ((f"`{key}`", *(texts[language].get(key, "**missing**") for language in LANGUAGES)) for key in keys)
    return _table(("key", *LANGUAGES), rows)


# ------------------------------------------------------------------ pages and tables


def _page(title: str, *parts: str) -> str:
    return "\n\n".join([f"# {title}", _NOTE, *parts]) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", "<br>")


DOCUMENTS: Mapping[str, Callable[[], str]] = {
    "settings.md": settings,
    "session-states.md": session_states,
    "wording.md": wording,
}
"""What is printed, by file name."""


if __name__ == "__main__":
    main()
