"""Templates as they are written: under `[every_desk.templates]` and `[desks.….templates]`, or, where they are many, in
the folder `templates` beside the policy: `every_desk.toml`, and a file for each desk that has its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bridge.doctor import Finding
from bridge.errors import SettingsError
from bridge.templates import Template, gaps
from config.sources import Key, read_toml
from config.tables import PolicyTables, TemplateTable
from routing.ids import Topic

FOLDER = "templates"
EVERY_DESK = "every_desk"

Values = dict[str, Any]
Merge = Callable[[Values, Values], Values]


def worked_in(folder: Path, defaults: Values, written: Values, merged: Merge) -> Values:
    """The policy's tables with what the folder holds. Raises SettingsError for a file of no desk's, and for a template
    that is written twice."""
    files = {path.stem: path for path in sorted(folder.glob("*.toml"))} if folder.is_dir() else {}
    if EVERY_DESK in files:
        written = {**written, EVERY_DESK: _joined(written.get(EVERY_DESK, {}), files.pop(EVERY_DESK))}
    values = merged(defaults, written)
    desks = values.get("desks")
    for name, path in files.items():
        if not isinstance(desks, dict) or name not in desks:
            raise SettingsError(f"there is no desk {name}", where=str(path), mend="call the file as its desk is called")
        desks = {**desks, name: _joined(desks[name], path)}
    return {**values, "desks": desks} if desks is not None else values


def _joined(table: Any, path: Path) -> Any:
    if not isinstance(table, dict):
        return table  # a mistake that is told elsewhere
    there, here = table.get("templates", {}), read_toml(path)
    for code in here:
        if code in there:
            raise SettingsError(
                f"the template {code} is written twice", where=f"{path}: {code}", mend="keep one of the two"
            )
    return {**table, "templates": {**there, **here}}


def where(folder: Path, path: Key) -> str | None:
    """The file and key of what is wrong with a template, if a file of the folder holds it."""
    desk, rest = (path[0], path[1:]) if path[:1] == (EVERY_DESK,) else (path[1] if len(path) > 1 else "", path[2:])
    file = folder / f"{desk}.toml"
    if rest[:1] != ("templates",) or len(rest) < 2 or not file.is_file() or rest[1] not in read_toml(file):
        return None
    return f"{file}: {'.'.join(rest[1:])}"


def of_desk(tables: PolicyTables, desk: str) -> tuple[Template, ...]:
    """What a desk has ready: its own, and of those for every desk the ones whose code it does not use itself."""
    known: Mapping[str, TemplateTable] = {**tables.every_desk.templates, **tables.desks[desk].templates}
    return tuple(
        Template(code, one.words, one.title, tuple(map(Topic, one.topics))) for code, one in sorted(known.items())
    )


def doubts(tables: PolicyTables) -> Iterator[Finding]:
    """Templates whose languages ask for different things: one of them lacks something."""
    places = {EVERY_DESK: tables.every_desk.templates, **{f"desks.{k}": v.templates for k, v in tables.desks.items()}}
    for place, templates in places.items():
        for code, one in templates.items():
            if len({frozenset(gaps(words)) for words in one.words.values()}) > 1:
                what = f"template {code}: its languages have different gaps"
                yield Finding("warn", what, f"use the same ones in each language of {place}.templates.{code}")
