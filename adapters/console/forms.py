"""What a page may send: every field read here, once, and refused with its name when it is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from bridge.messages import PARTS_LIMIT, TEXT_LIMIT
from routing.inputs import Outcome

LARGEST = 64 * 1024
"""Bytes of a request: 4,000 characters of four bytes each, escaped or not, and its ids."""

OUTCOMES = (Outcome.SOLVED, Outcome.UNSOLVED, Outcome.NO_ANSWER, Outcome.SPAM)
"""What an operator may close a session with; the others are for the customer or the clock to say."""

_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{8,64}\Z", re.ASCII)
# Nothing a keyboard makes, and what terminals and logs act on. Tabs and line breaks are words' own.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class FormError(Exception):
    """`code` is for the page, `field` is where. Nothing that was sent is repeated."""

    def __init__(self, code: str, field: str) -> None:
        super().__init__(f"{field}: {code}")
        self.code = code
        self.field = field


class Form:
    """The fields of one request."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = fields

    @classmethod
    async def of(cls, request: web.Request) -> Form:
        """Raises FormError when the body is too large or no JSON object."""
        if request.content_type != "application/json":
            raise FormError("not_json", "body")
        try:
            fields = json.loads(await _read(request))
        except (ValueError, RecursionError):
            raise FormError("not_json", "body") from None
        if not isinstance(fields, dict):
            raise FormError("not_an_object", "body")
        return cls(fields)

    def client_id(self) -> str:
        """The page's own id for what it asks: a repeat carries the same one."""
        value = self._fields.get("id")
        if not isinstance(value, str) or not _CLIENT_ID.match(value):
            raise FormError("not_a_client_id", "id")
        return value

    def text(self, field: str, longest: int = 256) -> str:
        """Words without control characters; may be empty."""
        value = self._fields.get(field)
        if not isinstance(value, str) or _SURROGATE.search(value):
            raise FormError("not_text", field)
        if len(value) > longest:
            raise FormError("too_long", field)
        if _CONTROL.search(value):
            raise FormError("control_characters", field)
        return value

    def optional_text(self, field: str) -> str | None:
        return None if self._fields.get(field) is None else self.text(field)

    def number(self, field: str) -> int:
        value = self._fields.get(field)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**53:
            raise FormError("not_a_number", field)
        return value

    def optional_number(self, field: str) -> int | None:
        return None if self._fields.get(field) is None else self.number(field)

    def flag(self, field: str) -> bool:
        value = self._fields.get(field, False)
        if not isinstance(value, bool):
            raise FormError("not_a_flag", field)
        return value

    def inner(self, field: str) -> Form | None:
        """An object in the object; None where there is none."""
        value = self._fields.get(field)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise FormError("not_an_object", field)
        return Form(value)

    def names_of(self, field: str, most: int) -> list[str]:
        """A list of ids, each once; empty where there is none."""
        value = self._fields.get(field, [])
        if not isinstance(value, list) or len(value) > most:
            raise FormError("not_a_list", field)
        if not all(isinstance(one, str) and 0 < len(one) <= 256 for one in value):
            raise FormError("not_text", field)
        return list(dict.fromkeys(value))

    def wording(self, field: str) -> dict[str, str]:
        """Words by language, for customers; languages left empty are left out."""
        inner = self.inner(field)
        if inner is None:
            return {}
        if len(inner._fields) > 20:
            raise FormError("too_many", field)
        return {tag: words for tag in inner._fields if (words := inner.text(tag, TEXT_LIMIT).strip())}

    def outcome(self) -> Outcome:
        value = self._fields.get("outcome", Outcome.SOLVED)
        if value not in OUTCOMES:
            raise FormError("unknown_outcome", "outcome")
        return Outcome(value)

    def names(self) -> dict[str, str]:
        """Public names by language; languages left empty are left out."""
        value = self._fields.get("names")
        if not isinstance(value, dict) or len(value) > 20:
            raise FormError("not_an_object", "names")
        named = Form(value)
        return {language: name for language in value if (name := named.text(language).strip())}

    def parts(self) -> list[tuple[str, str]]:
        """A message's parts, as ("text", words) or ("file", id): 1 to 10 of them, 4,000 characters together."""
        value = self._fields.get("parts")
        if not isinstance(value, list) or not 1 <= len(value) <= PARTS_LIMIT:
            raise FormError("not_1_to_10_parts", "parts")
        parts = [_part(part) for part in value]
        words = "".join(content for kind, content in parts if kind == "text")
        if len(words) > TEXT_LIMIT:
            raise FormError("too_long", "parts")
        if not words.strip() and all(kind == "text" for kind, _ in parts):
            raise FormError("empty", "parts")
        return parts


async def _read(request: web.Request) -> bytes:
    """The body as it is: compressed it would have no bound, and no page sends it so."""
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise FormError("compressed", "body")
    body = await request.content.read(LARGEST + 1)
    while len(body) <= LARGEST and (more := await request.content.read(LARGEST + 1)):
        body += more
    if len(body) > LARGEST:
        raise FormError("too_large", "body")
    return body


def _part(part: object) -> tuple[str, str]:
    if not isinstance(part, dict) or part.get("type") not in ("text", "file"):
        raise FormError("unknown_part", "parts")
    form = Form(part)
    if part["type"] == "text":
        return "text", form.text("text", TEXT_LIMIT)
    return "file", form.text("file")
