"""Rotas that are kept elsewhere, as iCalendar: a file, or an address that is fetched now and then.

What is fetched is believed only once it can be read, and is then kept in the data folder; while the address fails, the
last known stays in force. The address may be a secret (calendars are often shared by an address that nobody can
guess), so no error and no log line shows it.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as day_time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen
from zoneinfo import ZoneInfo

from bridge.errors import KakehashiError
from config.calendars import Window, ms_of, wall_instant
from routing.ids import OperatorId
from routing.policy import Shift

if TYPE_CHECKING:
    from icalendar import Calendar, Event

MAX_BYTES = 1 << 20
"""Of one calendar. A rota of years has some hundred lines; what is larger is something else."""

MAX_SHIFTS = 10_000
FETCH_WITHIN = 20.0
"""Seconds, for all of it."""

_CHUNK = 64 * 1024
_WEEK = timedelta(days=7)
_TOO_OFTEN = re.compile(rb"^(RRULE|EXRULE)[^\r\n]*(SECONDLY|MINUTELY|HOURLY|BYSECOND|BYMINUTE)", re.MULTILINE)
_FOLD = re.compile(rb"\r?\n[ \t]")
_UNSPACED = re.compile(r"[^\x00-\x7f]")


class FeedError(KakehashiError):
    """A calendar cannot be had or understood. Never shows its address or a line of it."""


@dataclass(frozen=True, slots=True)
class Booked:
    """What a calendar says: shifts, and how many entries name nobody, or several people."""

    shifts: tuple[Shift, ...]
    unknown: int


def read(path: Path) -> bytes:
    """A calendar in a file. Raises FeedError."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise FeedError(f"it cannot be read ({error.strerror})", mend="give the path of an .ics file") from error
    return _bounded(content)


def fetch(address: str) -> bytes:
    """A calendar from the web. Blocks for FETCH_WITHIN at most; raises FeedError."""
    until = time.monotonic() + FETCH_WITHIN
    request = Request(address, headers={"Accept": "text/calendar", "User-Agent": "kakehashi"})  # noqa: S310  # RotaTable.feed: http or https only
    try:
        with urlopen(request, timeout=FETCH_WITHIN / 2) as answer:  # noqa: S310  # likewise
            return _bounded(b"".join(_chunks(answer, until)))
    except HTTPError as error:
        error.close()
        raise FeedError(f"the server answers {error.code}", mend="is the address still right?") from None
    except (URLError, OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise FeedError(f"it cannot be fetched ({type(reason).__name__})", mend="is the server up?") from None


def _chunks(answer: http.client.HTTPResponse, until: float) -> Iterator[bytes]:
    size = 0
    while size <= MAX_BYTES and (chunk := answer.read1(_CHUNK)):
        size += len(chunk)
        yield chunk
        if time.monotonic() > until:
            raise TimeoutError


def _bounded(content: bytes) -> bytes:
    if len(content) > MAX_BYTES:
        raise FeedError("it is larger than 1 MiB", mend="share the rota's calendar alone")
    return content


# ------------------------------------------------------------------ what was fetched last


def kept(folder: Path, address: str) -> bytes | None:
    """What the address answered last, None before its first answer. Raises FeedError."""
    path = _place(folder, address)
    return read(path) if path.exists() else None


def keep(folder: Path, address: str, content: bytes) -> bool:
    """Keep what was fetched, in one step. False when it is what is kept already. Raises FeedError."""
    path = _place(folder, address)
    try:
        if path.exists() and path.read_bytes() == content:
            return False
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
        draft.replace(path)
    except OSError as error:
        raise FeedError(f"it cannot be kept ({error.strerror})", where=str(folder), mend="give us the right") from error
    return True


def _place(folder: Path, address: str) -> Path:
    return folder / f"{hashlib.sha256(address.encode()).hexdigest()[:20]}.ics"


def renew(folder: Path, address: str) -> bool:
    """Fetch a calendar, and keep it if it can be read. True when it has changed. Raises FeedError: the last stays."""
    content = fetch(address)
    parse(content)
    return keep(folder, address, content)


# ------------------------------------------------------------------ what it says


def parse(content: bytes) -> Calendar:
    """Raises FeedError for what is no calendar, and for one whose events come by the minute."""
    from icalendar import Calendar  # 0.4 s that installations without a calendar can do without

    if _TOO_OFTEN.search(_FOLD.sub(b"", content)):
        raise FeedError("an event is repeated by the hour or faster", mend="a shift is repeated by the day at most")
    try:
        return Calendar.from_ical(content.decode("utf-8"))
    except (ValueError, IndexError, KeyError, TypeError) as error:
        raise FeedError("this is no iCalendar", mend="does it begin with BEGIN:VCALENDAR?") from error


def booked(content: bytes, window: Window, zone: ZoneInfo, names: Mapping[str, OperatorId | None]) -> Booked:
    """The shifts in the window. `names`: what an operator may be called, in small letters; None for an ambiguous name.

    Times without a zone are meant in `zone`; an entry without times lasts from midnight to midnight there. Raises
    FeedError.
    """
    shifts: list[Shift] = []
    unknown = 0
    for event in _events(parse(content), window):
        operator = _operator(event, names)
        if operator is None:
            unknown += 1
            continue
        shifts.append(Shift(_instant(event.start, zone), _instant(event.end, zone), operator))
    return Booked(tuple(one for one in shifts if one.start < one.end), unknown)


def _events(calendar: Calendar, window: Window) -> list[Event]:
    """Each event once, recurring ones as often as they happen; week by week, so that too many are noticed early."""
    import recurring_ical_events

    found: dict[tuple[str, str], Event] = {}
    try:
        query = recurring_ical_events.of(calendar, skip_bad_series=True)
        begin = datetime.combine(window.first, day_time(), tzinfo=UTC) - _WEEK
        while begin.date() <= window.last + timedelta(days=1):
            for event in query.between(begin, begin + _WEEK):
                found[str(event.get("UID", "")), str(event.start)] = event
            if len(found) > MAX_SHIFTS:
                raise FeedError(f"it has more than {MAX_SHIFTS:,} entries", mend="share the rota's calendar alone")
            begin += _WEEK
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise FeedError("its events cannot be understood", mend="export the calendar anew") from error
    return list(found.values())


def _instant(when: date | datetime, zone: ZoneInfo) -> int:
    if isinstance(when, datetime):
        return ms_of(when) if when.tzinfo is not None else wall_instant(when, zone)
    return wall_instant(datetime.combine(when, day_time()), zone)


def _operator(event: Event, names: Mapping[str, OperatorId | None]) -> OperatorId | None:
    """Who is on call: its title is a name, or holds exactly one; else the one person who was invited."""
    attendees = event.get("ATTENDEE", [])
    invited = attendees if isinstance(attendees, Sequence) and not isinstance(attendees, str) else [attendees]
    texts = [str(event.get("SUMMARY", "")), *(str(getattr(one, "params", {}).get("CN", "")) for one in invited)]
    for text in texts:
        said = text.strip().casefold()
        whole = names.get(said)
        if whole is not None:
            return whole
        inside = {operator for name, operator in names.items() if operator and _holds(said, name)}
        if len(inside) == 1:
            return inside.pop()
    return None


def _holds(text: str, name: str) -> bool:
    """As a word of its own; where words are not spaced, anywhere."""
    if _UNSPACED.search(name):
        return name in text
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text) is not None
