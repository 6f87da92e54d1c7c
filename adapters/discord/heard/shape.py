"""What a payload holds, asked for by name and type.

Discord's events are not ours to trust: a proxy, a new release of theirs or a library in between may hand us something
else. What is of another type than we use it as is refused with the path of the field, rather than stored as something
that it is not. The path holds nobody's words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bridge.errors import KakehashiError

_SURROGATE = re.compile("[\ud800-\udfff]")
"""Half a character, which nothing can store."""

_SNOWFLAKE = re.compile(r"[0-9]{1,20}", re.ASCII)


class GarbledError(KakehashiError):
    """A payload that Discord never sends. It was not taken."""


@dataclass(frozen=True, slots=True)
class Given:
    """An object of a payload. What is absent or null reads as empty; what must be there is asked for with `must`."""

    value: Mapping[str, Any]
    where: str

    @classmethod
    def of(cls, value: object, where: str) -> Given:
        if not isinstance(value, Mapping):
            raise garbled(where, "is no object")
        return cls(value, where)

    def has(self, name: str) -> bool:
        return self.value.get(name) is not None

    def text(self, name: str, *, must: bool = False) -> str:
        found = self.value.get(name)
        if found is None and not must:
            return ""
        if not isinstance(found, str) or _SURROGATE.search(found):
            raise garbled(f"{self.where}.{name}", "is no text")
        return found

    def id(self, name: str, *, must: bool = False) -> str:
        """A snowflake. Discord writes them as texts, since they are too large for many a JSON reader; small ones it may
        write as numbers."""
        found = self.value.get(name)
        if found is None and not must:
            return ""
        made = _as_id(found)
        if made is None and (must or found != ""):
            raise garbled(f"{self.where}.{name}", "is no id")
        return made or ""

    def ids(self, name: str) -> tuple[str, ...]:
        found = tuple(map(_as_id, self._list(name)))
        if None in found:
            raise garbled(f"{self.where}.{name}", "holds something else than ids")
        return tuple(one for one in found if one is not None)

    def texts(self, name: str) -> tuple[str, ...]:
        found = self._list(name)
        if not all(isinstance(one, str) and not _SURROGATE.search(one) for one in found):
            raise garbled(f"{self.where}.{name}", "holds something else than texts")
        return tuple(found)

    def number(self, name: str, *, must: bool = False) -> int:
        found = self.value.get(name)
        if found is None and not must:
            return 0
        if type(found) is float and found.is_integer():
            return int(found)
        if type(found) is not int:
            raise garbled(f"{self.where}.{name}", "is no number")
        return found

    def amount(self, name: str) -> float:
        found = self.value.get(name)
        if found is None:
            return 0.0
        if isinstance(found, bool) or not isinstance(found, int | float):
            raise garbled(f"{self.where}.{name}", "is no number")
        return float(found)

    def flag(self, name: str) -> bool:
        found = self.value.get(name)
        if found is not None and not isinstance(found, bool):
            raise garbled(f"{self.where}.{name}", "is neither true nor false")
        return bool(found)

    def object(self, name: str, *, must: bool = False) -> Given:
        """An empty one where there is none."""
        found = self.value.get(name)
        if found is None and not must:
            return Given({}, f"{self.where}.{name}")
        return Given.of(found, f"{self.where}.{name}")

    def objects(self, name: str) -> Iterator[Given]:
        for number, one in enumerate(self._list(name)):
            yield Given.of(one, f"{self.where}.{name}[{number}]")

    def _list(self, name: str) -> list[Any]:
        found = self.value.get(name)
        if found is not None and not isinstance(found, list | tuple):
            raise garbled(f"{self.where}.{name}", "is no list")
        return list(found or ())


def _as_id(found: object) -> str | None:
    text = str(found) if type(found) is int else found
    return text if isinstance(text, str) and _SNOWFLAKE.fullmatch(text) else None


def time_of(stamp: str) -> datetime:
    """A moment as Discord writes it, in UTC where it names no zone. Raises ValueError for none."""
    at = datetime.fromisoformat(stamp)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def garbled(where: str, what: str) -> GarbledError:
    return GarbledError(f"{where} {what}")
