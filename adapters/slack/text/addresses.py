"""Addresses as they are read: a link always shows where it leads."""

from __future__ import annotations

import re

from bridge.marks import Writer

_IMPLIED = ("", "http://", "https://", "mailto:", "tel:")
"""What Slack puts before an address that a person typed without it."""

_PARTS = re.compile(r"([a-z][a-z0-9+.-]*:(?://)?[^/?#]*)(.*)", re.IGNORECASE | re.DOTALL)


def write_address(writer: Writer, url: str, label: str) -> None:
    """What was typed, where Slack itself made the link; both parts where a person gave the link a text of its own."""
    shown = url.removeprefix("mailto:").removeprefix("tel:")
    if not label:
        writer.address(shown, url)
    elif any(_same(url, start + label) for start in _IMPLIED):
        writer.address(label, url)
    else:
        writer.write(f"{label} (")
        writer.address(shown, url)
        writer.write(")")


def _same(url: str, typed: str) -> bool:
    """Case makes no difference in a scheme or a host, and all of it in a path."""
    return _normal(url) == _normal(typed)


def _normal(url: str) -> tuple[str, str]:
    parts = _PARTS.fullmatch(url.rstrip("/"))
    return (parts[1].casefold(), parts[2]) if parts else ("", url)
