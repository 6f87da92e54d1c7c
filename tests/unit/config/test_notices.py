"""Notices in words, as previews and mails have them: in the reader's language and zone, and never with a gap left."""

from __future__ import annotations

import re

import pytest

from config.locales import LANGUAGES
from config.locales.notices import language_name, moment, notice, queue, span, zone_name
from routing.view import NOTICES

NOON = 1_795_348_800_000  # 2026-11-22 12:00 UTC
HOUR = 3_600_000


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", NOTICES)
def test_every_notice_is_whole_with_its_facts_and_plain_without_them(key: str, language: str) -> None:
    facts = {"name": "佐藤", "desk": "Withdrawals", "incident": "Withdrawals are late", "speaks": "zh-Hans"}
    whole = notice(language, key, now=NOON, until=NOON + HOUR, zone="Asia/Tokyo", **facts)
    plain = notice(language, key, now=NOON)
    for told in (whole, plain):
        assert told
        assert not told.startswith("notice.")
        assert not re.search(r"[{}]", told)


def test_the_voice() -> None:
    assert queue("en", 3, 4, 7) == "You are third in line · about 4–7 minutes"
    assert queue("ja", 3, 4, 7) == "ただいま3番目です。目安は約4〜7分です"
    assert queue("zh-Hans", 3, 4, 7) == "您排在第3位，预计约4～7分钟"
    assert queue("en", 6, None, None) == "You are 6th in line · we cannot tell yet how long it will take"
    assert notice("ja", "joined", now=NOON, name="佐藤") == "担当の佐藤が承ります"
    assert notice("en", "escalation_taken", now=NOON, until=NOON) == "Taken at 12:00. You will hear from us soon"


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [
        (0, 1, "1 minute"),
        (0, 0, "1 minute"),
        (4, 7, "4–7 minutes"),
        (5, 5, "5 minutes"),
        (30, 120, "30–120 minutes"),
        (80, 170, "1–3 hours"),
        (60, 60, "1 hour"),
    ],
)
def test_a_wait_is_told_in_minutes_or_hours_and_never_too_short(low: int, high: int, told: str) -> None:
    assert span("en", low, high) == told


def test_a_time_is_the_readers_and_names_its_zone_where_the_desk_may_be_in_another() -> None:
    until = NOON + 12 * HOUR  # midnight in UTC, 09:00 in Tokyo, still the day before in New York
    assert moment("en", until, now=NOON, zone="Asia/Tokyo") == "Mon, Nov 23 09:00"
    assert moment("en", until, now=NOON, zone="America/New_York") == "19:00"
    told = notice("ja", "outside_hours", now=NOON, until=until, zone="Asia/Tokyo")
    assert "11月23日(月) 09:00（日本時間）から" in told
    assert zone_name("en", "Europe/London") == "United Kingdom Time"


@pytest.mark.parametrize("zone", ["", "UTC", "Nowhere/Else", "../../etc/passwd", "\x00"])
def test_a_zone_that_is_none_is_utc(zone: str) -> None:
    assert moment("en", NOON, now=NOON, zone=zone, named=True) == "12:00 (UTC)"


def test_languages_are_called_as_the_reader_calls_them() -> None:
    assert language_name("en", "zh-Hant") == "Traditional Chinese"
    assert language_name("ja", "fr") == "フランス語"
    assert language_name("zh-TW", "en") == "英文"
    assert language_name("en", "?!") == "?!"
