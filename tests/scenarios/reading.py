"""What people read, looked through."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def stand(words: Iterable[str], lines: Sequence[str]) -> bool:
    """Whether each of these stands in one of the lines."""
    return all(any(one in line for line in lines) for one in words)
