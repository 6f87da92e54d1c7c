"""What pydantic found wrong, in our three parts: what, where, mend. Never shows a value: it could be a secret."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from bridge.errors import SettingsError
from config.sources import POLICY_KEYS, Key, known_paths, one_or_all, sections_in
from config.values import ID, MAIL, OR_MAIL, SLACK_CHANNEL, SLACK_USER, seconds, size

_MENDS = {
    "missing": "set it",
    "bool_parsing": "write true or false",
    "bool_type": "write true or false",
    "int_parsing": "write a whole number",
    "int_type": "write a whole number",
    "int_from_float": "write a whole number",
    "float_parsing": "write a number",
    "float_type": "write a number",
    "string_type": "write it in quotation marks",
    "tuple_type": "write a list",
    "dict_type": "write a table",
    "model_type": "write a table",
    "model_attributes_type": "write a table",
}

_BOUNDS = {
    "greater_than": ("gt", "it must be more than {bound}", "choose a larger one"),
    "greater_than_equal": ("ge", "it must be at least {bound}", "write {bound} or more"),
    "less_than": ("lt", "it must be less than {bound}", "choose a smaller one"),
    "less_than_equal": ("le", "it must be at most {bound}", "write {bound} or less"),
    "string_too_short": ("min_length", "it must have at least {bound} characters", "write more"),
    "string_too_long": ("max_length", "it must have at most {bound} characters", "make it shorter"),
    "too_short": ("min_length", "it must have at least {bound} of them", "add what is missing"),
    "too_long": ("max_length", "it must have at most {bound} of them", "leave some out"),
}
"""pydantic's kind of mistake: where it keeps the bound, what is wrong, and the mend."""

_FORMS = {
    SLACK_USER: ("this is no Slack user id", "write it as Slack's profile shows it, such as U061F7AUR"),
    SLACK_CHANNEL: ("this is no Slack channel id", "write it as the channel's details show it, such as C0123ABCD"),
    ID: ("this is no id", "write small letters, digits and . _ - only, 40 at most"),
    **dict.fromkeys((MAIL, OR_MAIL), ("this is no mail address", "write it as in support@example.com")),
}
"""What a pattern of ours asks for, in words."""

Origin = Callable[[Key], str]


def settings_errors(error: ValidationError, model: type[BaseModel], origin: Origin) -> SettingsError:
    """All that is wrong: one SettingsError, or a ManySettingsError. `origin` tells where a key was set."""
    return one_or_all([_one(details, model, origin) for details in error.errors(include_input=False)])


def _one(details: ErrorDetails, model: type[BaseModel], origin: Origin) -> SettingsError:
    context: Mapping[str, Any] = details.get("ctx", {})
    path = _path(details, context)
    if details["type"] == "extra_forbidden":
        return SettingsError(f"there is no setting {'.'.join(path)}", where=origin(path), mend=_nearest(path, model))
    what, mend = _said(details["type"], details["msg"], context, path, model)
    return SettingsError(f"{'.'.join(path)}: {what}", where=origin(path), mend=mend)


def _said(kind: str, message: str, context: Mapping[str, Any], path: Key, model: type[BaseModel]) -> tuple[str, str]:
    """What is wrong, and the mend: in our words wherever we have some, since pydantic's are for programmers."""
    if kind == "wrong":
        return str(context["what"]), str(context["mend"])
    if kind in ("too_short", "string_too_short") and context["min_length"] == 1:
        return "it is empty", f"write at least one{_EXAMPLES.get(path[-1], '')}"
    if kind in _BOUNDS:
        name, what, mend = _BOUNDS[kind]
        bound = _quantity(context[name], _field(path, model))
        return what.format(bound=bound), mend.format(bound=bound)
    if context.get("pattern") in _FORMS:
        return _FORMS[context["pattern"]]
    if kind == "string_pattern_mismatch":
        return "it is not in the form that it must have", "write it in the form that docs/settings.md gives"
    if "expected" in context:
        return "there is no such choice", f"choose one of {_choices(str(context['expected']))}"
    return _plain(message), _MENDS.get(kind, "see docs/settings.md")


_EXAMPLES = dict.fromkeys(("names", "titles"), ', such as { en = "…" }')


def _choices(expected: str) -> str:
    """`<Priority.NORMAL: 'normal'> or 'high'` → `normal, high`."""
    return ", ".join(re.findall(r"'([^']*)'", expected)) or expected


def _quantity(bound: float, field: FieldInfo | None) -> str:
    """A bound with its unit, as one writes it in the file: 30 → `30s`, 86400 → `1d`."""
    units = next((units for read, units in _UNITS if field is not None and _is_read_by(read, field)), ())
    for unit, worth in units:
        if bound and bound % worth == 0:
            return f"{bound / worth:g}{unit}"
    return f"{bound:g}" if isinstance(bound, int | float) else str(bound)


_UNITS: tuple[tuple[object, tuple[tuple[str, int], ...]], ...] = (
    (seconds, (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))),
    (size, ((" GiB", 1 << 30), (" MiB", 1 << 20), (" KiB", 1 << 10), (" B", 1))),
)


def _is_read_by(read: object, field: FieldInfo) -> bool:
    marks = [*field.metadata, *(mark for part in get_args(field.annotation) for mark in get_args(part)[1:])]
    return any(getattr(mark, "func", None) is read for mark in marks)


def _field(path: Key, model: type[BaseModel]) -> FieldInfo | None:
    """What the path leads to; the places of lists and the names in tables lie between."""
    section: type[BaseModel] | None = model
    field: FieldInfo | None = None
    for part in path:
        found = section.model_fields.get(part) if section else None
        if found is not None:
            field, section = found, next(iter(sections_in(found.annotation)), None)
    return field


def _path(details: ErrorDetails, context: Mapping[str, Any]) -> Key:
    """The key meant: a check of a whole section names the one in it."""
    parts = tuple(str(part) for part in details["loc"] if not str(part).startswith("["))  # "[key]", "[table]": ours
    return (*parts, str(context["key"])) if context.get("key") else parts


def _plain(message: str) -> str:
    """pydantic's sentence with a small letter: it stands behind the key."""
    return (message[:1].lower() + message[1:]).replace("input should be", "it should be")


def _nearest(path: Key, model: type[BaseModel]) -> str:
    if path[0] in POLICY_KEYS and path[0] not in model.model_fields:
        return f"{path[0]} are part of the policy: set them in kakehashi.toml"
    beside = [".".join((*path[:-1], name)) for name in _names_beside(path, model)]
    everywhere = [".".join(key) for key, _ in known_paths(model)]
    for names in (beside, everywhere):
        close = get_close_matches(".".join(path), names, n=1)
        if close:
            return f"perhaps you mean {close[0]}"
    by_name = [name for name in everywhere if name.rsplit(".", 1)[-1] == path[-1]]
    return f"perhaps you mean {by_name[0]}" if by_name else "remove it; docs/settings.md lists every setting"


def _names_beside(path: Key, model: type[BaseModel]) -> Iterable[str]:
    """The keys of the section that the last of `path` stands in, also where it is one of many of its kind."""
    section: type[BaseModel] | None = model
    for part in path[:-1]:
        field = section.model_fields.get(part) if section else None
        section = sections_in(field.annotation)[0] if field and sections_in(field.annotation) else section
    return section.model_fields if section else ()
