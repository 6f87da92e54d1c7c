"""What people see at the terminal: quiet lines, tables, and errors in three parts. Colour only where it is one."""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from bridge.doctor import Finding

_SIGNS = {"ok": ("✓", "32"), "warn": ("!", "33"), "fail": ("✗", "31")}
_BOLD, _DIM, _RED = "1", "2", "31"


class Terminal:
    """Answers go to `out`, errors and progress to `err`: so a pipe carries answers only."""

    def __init__(self, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._err = err or sys.stderr

    def line(self, text: str = "") -> None:
        self._write(self._out, text)

    def json(self, value: Any) -> None:
        """One JSON document, for programs."""
        self._write(self._out, json.dumps(value, ensure_ascii=False, indent=2, default=str))

    def error(self, error: Exception) -> None:
        """What, where, mend; in several errors one after another."""
        for line in str(error).splitlines():
            self._write(self._err, self._paint(self._err, line, _DIM if line.startswith("  ") else _RED))

    def progress(self, text: str) -> None:
        """Where long work stands. At a terminal it replaces itself; elsewhere each is a line."""
        if self._err.isatty():
            self._err.write(f"\r\x1b[K{text}")
            self._err.flush()
        else:
            self._write(self._err, text)

    def progress_over(self) -> None:
        if self._err.isatty():
            self._write(self._err, "")

    def table(self, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Columns as wide as their widest cell; Han letters take two places."""
        cells = [tuple(row) for row in rows]
        widths = [max(_width(row[place]) for row in (head, *cells)) for place in range(len(head))]
        self.line(self._paint(self._out, _row(head, widths), _BOLD))
        for row in cells:
            self.line(_row(row, widths))

    def findings(self, findings: Iterable[Finding]) -> None:
        """A line each, ✓ or ! or ✗, with the mend below."""
        for finding in findings:
            sign, colour = _SIGNS[finding.level]
            self.line(f"{self._paint(self._out, sign, colour)} {finding.what}")
            if finding.mend:
                self.line(self._paint(self._out, f"  {finding.mend}", _DIM))

    def announce(self, version: str, links: Sequence[tuple[str, str]], parts: Iterable[str]) -> None:
        """What `up` says: name and version, the links to open, then one line per thing that came up."""
        self.line(self._paint(self._out, f"Kakehashi {version}", _BOLD))
        self.line()
        width = max((_width(title) for title, _ in links), default=0)
        for title, address in links:
            self.line(f"  {title}{' ' * (width - _width(title))}  {address}")
        self.line()
        for part in parts:
            self.line(f"{self._paint(self._out, '✓', '32')} {part}")

    def _write(self, stream: TextIO, text: str) -> None:
        stream.write(f"{text}\n")
        stream.flush()

    def _paint(self, stream: TextIO, text: str, colour: str) -> str:
        if not stream.isatty() or os.environ.get("NO_COLOR"):
            return text
        return f"\x1b[{colour}m{text}\x1b[0m"


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell + " " * (width - _width(cell)) for cell, width in zip(cells, widths, strict=True))
    return "  ".join(padded).rstrip()


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
