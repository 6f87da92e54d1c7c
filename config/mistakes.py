"""What pydantic found wrong, in our three parts: what, where, mend. Never shows a value: it could be a secret."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bridge.errors import SettingsError
from config.sources import POLICY_KEYS, Key, known_paths, one_or_all, sections_in

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
    "greater_than": "choose a larger number",
    "greater_than_equal": "choose a larger number",
    "less_than": "choose a smaller number",
    "less_than_equal": "choose a smaller number",
    "string_too_short": "write more",
    "string_too_long": "write less",
    "string_pattern_mismatch": "write it in the form that docs/settings.md gives",
}

Origin = Callable[[Key], str]


def settings_errors(error: ValidationError, model: type[BaseModel], origin: Origin) -> SettingsError:
    """All that is wrong: one SettingsError, or a ManySettingsError. `origin` tells where a key was set."""
    return one_or_all([_one(details, model, origin) for details in error.errors(include_input=False)])


def _one(details: ErrorDetails, model: type[BaseModel], origin: Origin) -> SettingsError:
    context: Mapping[str, Any] = details.get("ctx", {})
    path = _path(details, context)
    if details["type"] == "extra_forbidden":
        return SettingsError(f"there is no setting {'.'.join(path)}", where=origin(path), mend=_nearest(path, model))
    what = str(context["what"]) if details["type"] == "wrong" else _plain(details["msg"])
    mend = str(context["mend"]) if details["type"] == "wrong" else _mend(details["type"], context)
    return SettingsError(f"{'.'.join(path)}: {what}", where=origin(path), mend=mend)


def _path(details: ErrorDetails, context: Mapping[str, Any]) -> Key:
    """The key meant: a check of a whole section names the one in it."""
    parts = tuple(str(part) for part in details["loc"] if not str(part).startswith("["))  # "[key]", "[table]": ours
    return (*parts, str(context["key"])) if context.get("key") else parts


def _plain(message: str) -> str:
    """pydantic's sentence with a small letter: it stands behind the key."""
    return message[:1].lower() + message[1:]


def _mend(kind: str, context: Mapping[str, Any]) -> str:
    if "expected" in context:
        return f"choose one of {context['expected']}"
    return _MENDS.get(kind, "see docs/settings.md")


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
