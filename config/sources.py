"""Where settings come from: arguments, then the environment (with its secret files), then `kakehashi.toml`.

`KAKEHASHI_SLACK__BOT_TOKEN` is `slack.bot_token`. `KAKEHASHI_SLACK__BOT_TOKEN_FILE` names a file that holds it, as
container platforms mount secrets; any secret may be given so. A variable that is empty counts as not set.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource

from bridge.errors import SettingsError

PREFIX = "KAKEHASHI_"
FILE = "KAKEHASHI_CONFIG"
DEFAULT_FILE = Path("kakehashi.toml")
POLICY_KEYS = ("desks", "every_desk", "topics", "operators", "rotas", "hours", "rules", "tags")
"""What `kakehashi.toml` says about the policy; `config/policy.py` reads it."""

_FILE_SUFFIX = "_file"
_SECRET_BYTES = 64 * 1024  # a mounted secret is small; anything larger is a wrong path

Key = tuple[str, ...]
"""`("slack", "bot_token")`."""


class ManySettingsError(SettingsError):
    """Everything that is wrong at once; `errors` has them one by one."""

    def __init__(self, errors: Sequence[SettingsError]) -> None:
        super().__init__(f"{len(errors)} settings are wrong")
        self.errors = tuple(errors)

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)


def one_or_all(errors: Sequence[SettingsError]) -> SettingsError:
    """One error as it is, several together. `errors` is not empty."""
    return errors[0] if len(errors) == 1 else ManySettingsError(errors)


# ------------------------------------------------------------------ names


def variable(path: Key) -> str:
    """`("slack", "bot_token")` → `KAKEHASHI_SLACK__BOT_TOKEN`."""
    return PREFIX + "__".join(path).upper()


def path_of(name: str) -> Key:
    """The other way."""
    return tuple(name.removeprefix(PREFIX).lower().split("__"))


def variables() -> dict[Key, str]:
    """Our variables that are set, by the path that they name."""
    return {path_of(name): value for name, value in os.environ.items() if name.startswith(PREFIX) and value}


def origin(path: Key, chosen: Mapping[str, Any]) -> str:
    """Where the setting at `path` was set, for error messages: a variable, `kakehashi.toml: a.b`, or how to set it."""
    key = ".".join(path)
    if _reaches(chosen, path):
        return f"argument {key}"
    named = _variable_behind(path)
    if named is not None:
        return named
    file = config_file(chosen)
    if file is not None and _reaches(read_toml(file), path):
        return f"{file}: {key}"
    return f"{key} (or {variable(tuple(part for part in path if not part.isdigit()))})"


def _variable_behind(path: Key) -> str | None:
    for known in variables():
        bare = (*known[:-1], known[-1].removesuffix(_FILE_SUFFIX))
        for one in (known, bare):
            shorter = min(len(one), len(path))
            if one[:shorter] == path[:shorter]:
                return variable(known)
    return None


def _reaches(values: Any, path: Key) -> bool:
    """Whether something was set on the way to `path`, or right there."""
    for part in path:
        if isinstance(values, list) and part.isdigit():
            return True
        if not isinstance(values, Mapping) or part not in values:
            return False
        values = values[part]
    return True


def known_paths(model: type[BaseModel], before: Key = ()) -> Iterator[tuple[Key, FieldInfo]]:
    """Every setting, sections before what is in them."""
    for name, field in model.model_fields.items():
        path = (*before, name)
        yield path, field
        section = section_of(field)
        if section is not None:
            yield from known_paths(section, path)


def section_of(field: FieldInfo) -> type[BaseModel] | None:
    """The section that a field holds, if it holds one."""
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def named_section_of(field: FieldInfo) -> type[BaseModel] | None:
    """The section that a field holds many of, each under a name of the administrator's."""
    parts = get_args(field.annotation) if get_origin(field.annotation) is dict else ()
    kind = parts[1] if len(parts) == 2 else None
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def field_at(model: type[BaseModel], path: Key) -> FieldInfo | None:
    """The setting at `path`, in which there may be a name: `("pagers", "night", "routing_key")`."""
    field = model.model_fields.get(path[0])
    if field is None or len(path) == 1:
        return field
    named = named_section_of(field)
    inner, rest = (named, path[2:]) if named else (section_of(field), path[1:])
    return field_at(inner, rest) if inner and rest else None


def is_secret(field: FieldInfo) -> bool:
    return field.annotation is SecretStr or SecretStr in get_args(field.annotation)


def holds_secrets(field: FieldInfo) -> bool:
    """A secret, or a list of tables with a secret in them."""
    return is_secret(field) or any(
        is_secret(inner) for part in sections_in(field.annotation) for inner in part.model_fields.values()
    )


def sections_in(kind: Any) -> list[type[BaseModel]]:
    """The sections in a type: itself, or what a list or a table holds."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [kind]
    return [section for part in get_args(kind) for section in sections_in(part)]


# ------------------------------------------------------------------ the sources


class Environment(InitSettingsSource):
    """`KAKEHASHI_…` variables, unknown ones included: those are mistakes that the sections then report."""

    def __init__(self, settings_cls: type[BaseSettings]) -> None:
        values: dict[str, Any] = {}
        for path, value in sorted(_with_secret_files(variables(), settings_cls).items()):
            _put(values, path, value)
        super().__init__(settings_cls, values)


class TomlFile(InitSettingsSource):
    """`kakehashi.toml` without its policy."""

    def __init__(self, settings_cls: type[BaseSettings], chosen: Mapping[str, Any]) -> None:
        file = config_file(chosen)
        values = {} if file is None else read_toml(file)
        if "config" in values:
            raise SettingsError("a file cannot name itself", where=f"{file}: config", mend="remove this line")
        settings = {key: value for key, value in values.items() if key not in POLICY_KEYS}
        super().__init__(settings_cls, settings if file is None else settings | {"config": file})


def chosen_by(source: PydanticBaseSettingsSource) -> Mapping[str, Any]:
    """The arguments that the settings were made with."""
    return source.init_kwargs if isinstance(source, InitSettingsSource) else {}


def config_file(chosen: Mapping[str, Any]) -> Path | None:
    """The file to read. Raises SettingsError when one was named and is not there."""
    named = chosen.get("config") or os.environ.get(FILE)
    if not named:
        return DEFAULT_FILE if DEFAULT_FILE.is_file() else None
    path = Path(named)
    if not path.is_file():
        where = "--config" if chosen.get("config") else FILE
        raise SettingsError(f"there is no file {path}", where=where, mend="give the path of your kakehashi.toml")
    return path


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file. Raises SettingsError with the line that is wrong."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"this is not valid TOML: {error}", where=str(path), mend="mend that line") from None
    except UnicodeDecodeError:
        raise SettingsError("this file is not UTF-8", where=str(path), mend="save it as UTF-8") from None
    except OSError as error:
        raise SettingsError(
            f"this file cannot be read ({error.strerror})", where=str(path), mend="give our user the right to read it"
        ) from None


def _with_secret_files(given: Mapping[Key, str], model: type[BaseModel]) -> dict[Key, str]:
    """The same, with each `…_FILE` of a secret replaced by what the file holds."""
    values: dict[Key, str] = {}
    errors: list[SettingsError] = []
    for path, value in given.items():
        secret = (*path[:-1], path[-1].removesuffix(_FILE_SUFFIX))
        field = None if field_at(model, path) else field_at(model, secret)
        if field is None or not holds_secrets(field):
            values[path] = value
        elif secret in given:
            errors.append(_given_twice(path, secret))
        else:
            _read_secret(path, secret, value, values, errors)
    if errors:
        raise one_or_all(errors)
    return values


def _read_secret(path: Key, secret: Key, file: str, values: dict[Key, str], errors: list[SettingsError]) -> None:
    try:
        content = Path(file).read_bytes()
        if len(content) > _SECRET_BYTES:
            raise ValueError
        values[secret] = content.decode().strip()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it holds no text, or too much"
        errors.append(
            SettingsError(
                f"the secret cannot be read from {file} ({why})",
                where=variable(path),
                mend="name a readable file that holds the secret and nothing else",
            )
        )


def _given_twice(path: Key, secret: Key) -> SettingsError:
    return SettingsError(f"{variable(secret)} is set too", where=variable(path), mend="keep one of the two variables")


def _put(values: dict[str, Any], path: Key, value: str) -> None:
    for part in path[:-1]:
        inner = values.get(part)
        if not isinstance(inner, dict):  # a whole section as JSON beside one of its keys: the key wins
            inner = values[part] = {}
        values = inner
    values[path[-1]] = value
