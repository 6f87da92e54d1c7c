"""Notices in words, outside a browser: for previews, mails and exports. The page does the same with Intl.

What is filled in is made for the reader here: a moment in their own zone, a language by its name in theirs, a span of
minutes or hours. A notice whose facts are not all known has a plain form that needs none of them.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError
from babel.dates import format_datetime, format_skeleton, get_timezone_name

from config.locales import closest, gaps, load, text

FACE = "notice"
HOURS_FROM = 60
"""Minutes from which a wait is told in hours, when it is at least so long: nobody plans by "137 minutes"."""


def notice(
    language: str,
    key: str,
    *,
    now: int,
    zone: str = "UTC",
    until: int | None = None,
    speaks: str = "",
    name: str = "",
    desk: str = "",
    incident: str = "",
) -> str:
    """What a customer who reads `language` and lives in `zone` (IANA; UTC when it is none) is told.

    `now` and `until` in ms since 1970 (UTC). `speaks` is the tag of the language that the notice is about; the rest is
    filled in as it is.
    """
    facts = {"name": name, "desk": desk, "incident": incident, "language": speaks and language_name(language, speaks)}
    if until is not None:
        facts["until"] = moment(language, until, now=now, zone=zone, named=key == "outside_hours")
    known = {gap: fact for gap, fact in facts.items() if fact}
    whole = gaps(load(FACE)[closest(language)].get(f"notice.{key}", "")) <= set(known)
    return text(FACE, language, f"notice.{key}" if whole else f"notice.{key}.plain", **known)


def queue(language: str, position: int, low: int | None, high: int | None) -> str:
    """ "You are third in line · about 4–7 minutes". Minutes; None where it cannot be told how long."""
    place = text(FACE, language, "notice.place", nth=position)
    if low is None or high is None:
        wait = text(FACE, language, "notice.wait.unknown")
    else:
        wait = text(FACE, language, "notice.wait", span=span(language, low, high))
    return text(FACE, language, "notice.queue", place=place, wait=wait)


def span(language: str, low: int, high: int) -> str:
    """ "4–7 minutes". Hours are rounded outward, so that no wait is promised too short."""
    least, most, unit = max(1, low), max(1, high), "minutes"
    if least >= HOURS_FROM:
        least, most, unit = least // 60, -(-most // 60), "hours"
    if least >= most:
        return text(FACE, language, f"notice.span.{unit}", count=most)
    return text(FACE, language, f"notice.span.{unit}_range", low=least, high=most)


def moment(language: str, at: int, *, now: int, zone: str = "UTC", named: bool = False) -> str:
    """14:03, or a day and 14:03 when it is another day, in the reader's zone; `named`: which is said, too."""
    place, locale = _zone(zone), _locale(language)
    then, today = (datetime.fromtimestamp(ms / 1000, place) for ms in (at, now))
    told = format_datetime(then, "HH:mm", locale=locale)
    if then.date() != today.date():
        told = f"{format_skeleton('MMMEd', then, locale=locale)} {told}"
    if not named:
        return told
    return text("widget", language, "time.zoned", time=told, zone=zone_name(language, zone))


def zone_name(language: str, zone: str) -> str:
    """ "Japan Time", the whole year round."""
    place = _zone(zone)
    return "UTC" if place is UTC else get_timezone_name(place, locale=_locale(language), zone_variant="generic")


def language_name(language: str, spoken: str) -> str:
    """What a language is called in another: `zh-Hans` in English is "Simplified Chinese"."""
    try:
        wanted = Locale.parse(spoken, sep="-")
    except (ValueError, UnknownLocaleError):
        return spoken
    names = _locale(language).languages
    tag = "_".join(part for part in (wanted.language, wanted.script) if part)
    return names.get(tag) or names.get(wanted.language) or spoken


def _locale(language: str) -> Locale:
    return Locale.parse(closest(language), sep="-")


def _zone(name: str) -> tzinfo:
    """Zones come from customers' pages: one that nobody knows is UTC."""
    try:
        return UTC if name in ("", "UTC") else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC
