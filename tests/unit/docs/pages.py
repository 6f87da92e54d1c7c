"""The documents, taken apart: prose, fenced blocks, inline code, tables."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
BY_HAND = [page for page in PAGES if page.name not in ("settings.md", "session-states.md", "wording.md")]
"""The others are printed from the code."""

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


every_page = pytest.mark.parametrize("page", PAGES, ids=name_of)
every_page_by_hand = pytest.mark.parametrize("page", BY_HAND, ids=name_of)


@cache
def text_of(page: Path | str) -> str:
    """A file's text; a string is a path from the root."""
    return (ROOT / page).read_text(encoding="utf-8")


@cache
def prose_of(page: Path) -> str:
    """The page without its fenced blocks."""
    return _FENCE.sub("", text_of(page))


def blocks_of(page: Path | str, *languages: str) -> list[str]:
    """The fenced blocks in these languages."""
    return [block for language, block in _FENCE.findall(text_of(page)) if language in languages]


def codes_in(text: str) -> list[str]:
    """Inline code."""
    return _CODE.findall(text)


def rows_of(page: str, heading: str) -> list[list[str]]:
    """The rows of the tables under a heading, as cells; the head is not among them."""
    part = re.split(rf"^#+ {re.escape(heading)}\n", text_of(page), maxsplit=1, flags=re.MULTILINE)[1]
    lines = [line for line in re.split(r"^#", part, maxsplit=1, flags=re.MULTILINE)[0].splitlines() if line[:2] == "| "]
    rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return [row for row in rows[1:] if set(row[0]) != {"-"}]
