"""Discord's ids: numbers as strings, later ones greater, each with the millisecond of its making in it.

They follow the wall clock, not the simulator's: clients read the time out of them and compare it with their own.
"""

import datetime
import time

EPOCH_MS = 1_420_070_400_000
"""The first second of 2015, where the count begins."""
_TIME_SHIFT = 22


class Snowflakes:
    """Mints ids that nothing else in this simulator has."""

    def __init__(self) -> None:
        self._last = 0

    def mint(self) -> str:
        """An id later than every one before."""
        now = (time.time_ns() // 1_000_000 - EPOCH_MS) << _TIME_SHIFT
        self._last = max(now, self._last + 1)
        return str(self._last)


def at(snowflake: str) -> datetime.datetime:
    """When it was minted, in UTC."""
    return datetime.datetime.fromtimestamp(((int(snowflake) >> _TIME_SHIFT) + EPOCH_MS) / 1_000, datetime.UTC)


def stamp(moment: datetime.datetime | None = None) -> str:
    """A moment as Discord writes it; now, without one."""
    return (moment or datetime.datetime.now(datetime.UTC)).isoformat(timespec="microseconds")


def seconds() -> float:
    """The wall clock, in seconds since 1970."""
    return time.time()


def parsed(text: str) -> datetime.datetime:
    """A moment as Discord writes it; a `+` that a query string has turned into a space is one all the same."""
    return datetime.datetime.fromisoformat(text.replace(" ", "+"))
