"""Calendars that are kept elsewhere: what they say, and what becomes of those that cannot be had."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from config import feeds
from config.calendars import Window
from config.feeds import FeedError
from routing.ids import OperatorId
from tests.unit.config.test_calendars import TOKYO, at

AIKO, KENJI = OperatorId("aiko"), OperatorId("kenji")
NAMES: dict[str, OperatorId | None] = {"aiko": AIKO, "佐藤": AIKO, "kenji": KENJI, "ken": KENJI, "sam": None}
MARCH = Window(date(2026, 3, 1), date(2026, 3, 31))


def calendar(*events: str) -> bytes:
    parts = [
        f"BEGIN:VEVENT\nUID:{number}\nDTSTAMP:20260101T000000Z\n{one}\nEND:VEVENT" for number, one in enumerate(events)
    ]
    text = "\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", *parts, "END:VCALENDAR", ""])
    return text.replace("\n", "\r\n").encode()


def shift(summary: str, more: str = "") -> str:
    return f"DTSTART:20260310T090000Z\nDTEND:20260310T180000Z\nSUMMARY:{summary}\n{more}".strip()


def booked(*events: str, zone: str = TOKYO) -> feeds.Booked:
    return feeds.booked(calendar(*events), MARCH, ZoneInfo(zone), NAMES)


# ------------------------------------------------------------------ what it says


def test_an_event_is_a_shift() -> None:
    (one,) = booked(shift("aiko")).shifts
    assert (one.start, one.end, one.operator) == (at("2026-03-10T09:00Z"), at("2026-03-10T18:00Z"), AIKO)


def test_recurring_events_keep_their_time_on_the_wall_and_skip_exceptions() -> None:
    weekly = (
        "DTSTART;TZID=America/New_York:20260302T090000\nDTEND;TZID=America/New_York:20260302T170000\n"
        "RRULE:FREQ=WEEKLY;COUNT=4\nEXDATE;TZID=America/New_York:20260316T090000\nSUMMARY:kenji"
    )
    starts = [one.start for one in booked(weekly).shifts]
    assert starts == [at("2026-03-02T09:00-05:00"), at("2026-03-09T09:00-04:00"), at("2026-03-23T09:00-04:00")]


def test_a_shift_that_runs_over_weeks_is_one_shift() -> None:
    long = "DTSTART:20260301T000000Z\nDTEND:20260322T000000Z\nSUMMARY:aiko"
    assert [(one.start, one.end) for one in booked(long).shifts] == [(at("2026-03-01T00:00Z"), at("2026-03-22T00:00Z"))]


def test_times_without_a_zone_and_whole_days_are_meant_in_the_rotas_zone() -> None:
    floating = "DTSTART:20260310T090000\nDTEND:20260310T180000\nSUMMARY:aiko"
    whole = "DTSTART;VALUE=DATE:20260312\nDTEND;VALUE=DATE:20260313\nSUMMARY:kenji"
    assert [(one.start, one.end) for one in booked(floating, whole).shifts] == [
        (at("2026-03-10T09:00+09:00"), at("2026-03-10T18:00+09:00")),
        (at("2026-03-12T00:00+09:00"), at("2026-03-13T00:00+09:00")),
    ]


@pytest.mark.parametrize(
    ("event", "operator"),
    [
        (shift("Kenji"), KENJI),
        (shift("On call: Kenji (primary)"), KENJI),
        (shift("当番 佐藤さん"), AIKO),
        (shift("ken"), KENJI),
        (shift("kenneth"), None),
        (shift("aiko and kenji"), None),
        (shift("sam"), None),
        (shift("Holiday"), None),
        (shift("On call", "ATTENDEE;CN=Kenji:mailto:k@example.com"), KENJI),
    ],
)
def test_an_entry_names_one_operator_or_nobody(event: str, operator: OperatorId | None) -> None:
    found = booked(event)
    assert [one.operator for one in found.shifts] == ([] if operator is None else [operator])
    assert found.unknown == (1 if operator is None else 0)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<html><body>Please sign in</body></html>", "this is no iCalendar"),
        (b"\xff\xfe\x00", "this is no iCalendar"),
        (b"", "this is no iCalendar"),
        (calendar(shift("aiko", "RRULE:FREQ=SECONDLY")), "repeated by the hour or faster"),
        (calendar(shift("aiko", "RRULE:FREQ=DAILY;BYMI\n NUTE=1,2,3")), "repeated by the hour or faster"),
    ],
)
def test_what_is_no_rota_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(FeedError) as caught:
        feeds.booked(content, MARCH, ZoneInfo(TOKYO), NAMES)
    assert said in caught.value.what


def test_more_entries_than_a_rota_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "MAX_SHIFTS", 5)
    with pytest.raises(FeedError) as caught:
        booked(shift("aiko", "RRULE:FREQ=DAILY"))
    assert "more than 5 entries" in caught.value.what


def test_a_broken_event_does_not_take_the_others_along() -> None:
    assert [one.operator for one in booked(shift("kenji", "RRULE:FREQ=SOMETIMES"), shift("aiko")).shifts] == [AIKO]


# ------------------------------------------------------------------ where it comes from


def test_a_file_that_is_missing_or_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FeedError) as caught:
        feeds.read(tmp_path / "none.ics")
    assert "it cannot be read" in caught.value.what
    (tmp_path / "large.ics").write_bytes(b"x" * (feeds.MAX_BYTES + 1))
    with pytest.raises(FeedError) as caught:
        feeds.read(tmp_path / "large.ics")
    assert "larger than 1 MiB" in caught.value.what


@dataclass
class Elsewhere:
    """A server of calendars."""

    url: str = ""
    status: int = 200
    content: bytes = b""


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    here = Elsewhere()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(here.status)
            self.end_headers()
            self.wfile.write(here.content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own name
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        here.url = f"http://127.0.0.1:{server.server_address[1]}/secret-address.ics"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield here
        server.shutdown()
        thread.join()


def test_a_calendar_is_fetched_and_kept(tmp_path: Path, elsewhere: Elsewhere) -> None:
    folder = tmp_path / "calendars"
    assert feeds.kept(folder, elsewhere.url) is None
    elsewhere.content = calendar(shift("aiko"))
    assert feeds.renew(folder, elsewhere.url) is True
    assert feeds.renew(folder, elsewhere.url) is False  # nothing new
    assert feeds.kept(folder, elsewhere.url) == elsewhere.content
    elsewhere.content = calendar(shift("kenji"))
    assert feeds.renew(folder, elsewhere.url) is True
    assert [one.name for one in folder.iterdir() if one.name.startswith(".")] == []


@pytest.mark.parametrize(
    ("status", "content", "said"),
    [
        (503, b"", "the server answers 503"),
        (404, calendar(), "the server answers 404"),
        (200, b"<html>sign in</html>", "this is no iCalendar"),
        (200, b"x" * (feeds.MAX_BYTES + 1), "larger than 1 MiB"),
    ],
)
def test_while_the_address_fails_the_last_known_stays(
    tmp_path: Path, elsewhere: Elsewhere, status: int, content: bytes, said: str
) -> None:
    before = elsewhere.content = calendar(shift("aiko"))
    feeds.renew(tmp_path, elsewhere.url)
    elsewhere.status, elsewhere.content = status, content
    with pytest.raises(FeedError) as caught:
        feeds.renew(tmp_path, elsewhere.url)
    assert said in caught.value.what
    assert feeds.kept(tmp_path, elsewhere.url) == before


def test_a_server_that_is_not_there_is_no_surprise_and_its_address_stays_ours(
    tmp_path: Path, elsewhere: Elsewhere
) -> None:
    nowhere = elsewhere.url.replace("http:", "https:")  # it speaks no TLS
    with pytest.raises(FeedError) as caught:
        feeds.renew(tmp_path, nowhere)
    assert "it cannot be fetched" in caught.value.what
    assert "secret-address" not in str(caught.value)


def test_a_server_that_drips_is_left(tmp_path: Path, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere.content = calendar(shift("aiko"))
    monkeypatch.setattr("time.monotonic", iter([0.0, feeds.FETCH_WITHIN + 1]).__next__)
    with pytest.raises(FeedError) as caught:
        feeds.fetch(elsewhere.url)
    assert "TimeoutError" in caught.value.what
