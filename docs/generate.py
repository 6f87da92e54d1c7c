"""Prints the documents that repeat what the code knows: `make docs`. A test fails while one of them is out of date.

* settings.md: every setting, from `config.settings` and `config.policy`
* session-states.md: every input in every state, from `routing.table.TABLE`
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

from config.calendars import HoursTable
from config.locales import FACES, LANGUAGES, load
from config.locales.notices import notice, queue
from config.rotas import OverrideTable, RotaTable, ShiftTable
from config.settings import EmergencyLink, HealthRung, JwtKey, PagerSettings, Settings
from config.sources import Key, is_secret, section_of, variable
from config.tables import (
    ContactTable,
    DeskTable,
    EveryDesk,
    HeadStartsTable,
    LadderTable,
    OperatorTable,
    PromisesTable,
    PromiseTable,
    RulesTable,
    RungTable,
    TemplateTable,
    TopicTable,
)
from routing import session as session_module
from routing.session import State
from routing.table import TABLE, Accept, Refuse, Verdict
from routing.timers import TimerName
from routing.view import NOTICES

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
        "Desks, topics, operators, rotas and hours stand in `kakehashi.toml` too, or in a file that `policy` names. "
        "They have no environment variables. The guide is [routing](routing.md).",
        *(
            part
            for heading, table in POLICY.items()
            for part in (f"### `{heading}`", _plain(table), _fields(_own_keys(table)))
        ),
    )


POLICY: Mapping[str, type[BaseModel]] = {
    "[desks.NAME]": DeskTable,
    "[every_desk]": EveryDesk,
    "[every_desk.promises]": PromisesTable,
    "a promise": PromiseTable,
    "[every_desk.ladder]": LadderTable,
    "a rung": RungTable,
    "[every_desk.contact]": ContactTable,
    "[every_desk.templates.CODE]": TemplateTable,
    "[topics.NAME]": TopicTable,
    "[operators.NAME]": OperatorTable,
    "[rotas.NAME]": RotaTable,
    "a shift": ShiftTable,
    "an override": OverrideTable,
    "[hours.NAME]": HoursTable,
    "[rules]": RulesTable,
    "[rules.head_starts]": HeadStartsTable,
}
"""The policy's tables, in the order of the page."""


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
    for path, part in NAMED.items():
        if path[:-1] == before:
            yield f"{'#' * (len(path) + 1)} `[{'.'.join(path)}.NAME]`"
            yield _plain(part)
            named = variable((*path, "name", "key")).replace("NAME__KEY", "NAME__…")
            yield f"In the environment: `{named}`."
            yield _fields(_keys(part))
    for name, field in _keys(section):
        inner = section_of(field)
        if inner is not None:
            yield from _section((*before, name), inner)


LISTS: Mapping[Key, type[BaseModel]] = {
    ("web", "jwt", "keys"): JwtKey,
    ("web", "identity", "keys"): JwtKey,
    ("web", "emergency"): EmergencyLink,
    ("health", "ladder"): HealthRung,
}
"""Settings that are lists of tables."""

NAMED: Mapping[Key, type[BaseModel]] = {("pagers",): PagerSettings}
"""Settings that are tables under names of the administrator's."""


def _fields(fields: Iterable[tuple[str, FieldInfo]]) -> str:
    rows = ((f"`{name}`", _default(field), _about(field)) for name, field in fields)
    return _table(("key", "default", "what it is"), rows)


def _own_keys(table: type[BaseModel]) -> list[tuple[str, FieldInfo]]:
    """Of a desk what only a desk has; the rest stands under [every_desk]."""
    inherited = EveryDesk.model_fields if table is DeskTable else {}
    return [(name, field) for name, field in _keys(table) if name not in inherited]


def _keys(section: type[BaseModel]) -> list[tuple[str, FieldInfo]]:
    return list(section.model_fields.items())


def _about(field: FieldInfo) -> str:
    return f"{field.description}{' (secret)' if is_secret(field) else ''}"


def _default(field: FieldInfo) -> str:
    value: Any = field.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined:
        return "required"
    if value is None or value in ("", (), {}) or isinstance(value, BaseModel):
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
    """What the session's own module says of itself, up to where it speaks of the code."""
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
        "Where a text has a number in it, each language has a form for each of its plural categories, and no other: "
        "`{count}` counts, `{nth}` orders, and `.=1` is for that very number. `.plain` is what is said where not "
        "everything is known that the text names.",
        "## Notices, filled in",
        "As a customer in Tokyo reads them at noon.",
        _table(("notice", *LANGUAGES), _examples()),
        *(part for face in FACES for part in (f"## {ABOUT_FACES[face]}", _wording_of(face))),
    )


def _examples() -> Iterator[Sequence[str]]:
    """Every notice, and the line, as people read them."""
    for key in NOTICES:
        yield (f"`{key}`", *(_example(language, key) for language in LANGUAGES))
    for line in ((1, 1, 1), (3, 4, 7), (12, 60, 150), (23, None, None)):
        yield ("the line", *(queue(language, *line) for language in LANGUAGES))


def _example(language: str, key: str) -> str:
    noon = 1_795_316_400_000  # 2026-11-22, 12:00 in Tokyo
    minutes = 21 * 60 if key == "outside_hours" else 30
    name, desk, incident = _SAID[language]
    told = {"name": name, "desk": desk, "incident": incident, "speaks": "en", "zone": "Asia/Tokyo"}
    return notice(language, key, now=noon, until=noon + minutes * 60_000, **told)


_SAID: Mapping[str, tuple[str, str, str]] = {
    "ja": ("佐藤", "入出金", "出金の遅れ"),
    "en": ("Sato", "Withdrawals", "Withdrawals are late"),
    "zh-Hans": ("佐藤", "充值与提现", "提现延迟"),
    "zh-Hant": ("佐藤", "存款與提領", "提領延遲"),
}


ABOUT_FACES = {
    "notice": "`notice`: what the customer is told of the session's state",
    "widget": "`widget`: what the customer reads",
    "desk": "`desk`: the operators' page",
    "thread": "`thread`: cards, lines and refusals on the networks",
    "page": "`page`: what pagers say, and the digest at a change of shift",
}


def _wording_of(face: str) -> str:
    texts = load(face)
    keys = dict.fromkeys(key for language in LANGUAGES for key in texts[language])
    rows = ((f"`{key}`", *(_text(texts[language], key) for language in LANGUAGES)) for key in keys)
    return _table(("key", *LANGUAGES), rows)


def _text(texts: Mapping[str, str], key: str) -> str:
    """Not every language has every plural form; a test says which it must have."""
    base, _, form = key.rpartition(".")
    numbered = form in ("one", "two", "few") or form.startswith("=")
    return texts.get(key) or ("–" if numbered and f"{base}.other" in texts else "**missing**")


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
