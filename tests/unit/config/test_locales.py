"""The wording: complete in four languages, with the same gaps, and close to what was asked for."""

from __future__ import annotations

import pytest

from config.locales import FACES, LANGUAGES, closest, gaps, load, text
from routing.session import Reason
from routing.view import NOTICES


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("ja", "ja"),
        ("ja-JP", "ja"),
        ("en-GB", "en"),
        ("fr", "en"),
        ("", "en"),
        ("zh", "zh-Hans"),
        ("zh-CN", "zh-Hans"),
        ("zh-Hans-HK", "zh-Hans"),
        ("zh-TW", "zh-Hant"),
        ("zh_HK", "zh-Hant"),
        ("zh-Hant", "zh-Hant"),
        ("ZH-HANT-TW", "zh-Hant"),
    ],
)
def test_a_language_tag_finds_the_closest_of_ours(tag: str, language: str) -> None:
    assert closest(tag) == language


@pytest.mark.parametrize("face", FACES)
def test_every_language_has_every_key_with_the_same_gaps(face: str) -> None:
    wording = load(face)
    for key, english in wording["en"].items():
        for language in LANGUAGES:
            assert gaps(wording[language][key]) == gaps(english), (language, key)
    assert all(set(wording[language]) == set(wording["en"]) for language in LANGUAGES)


@pytest.mark.parametrize("face", FACES)
def test_no_text_is_empty(face: str) -> None:
    assert [(language, key) for language in LANGUAGES for key, one in load(face)[language].items() if not one] == []


def test_a_gap_is_filled_with_what_stands_there_braces_and_all(monkeypatch: pytest.MonkeyPatch) -> None:
    wording = {language: {"joined": "{name} is with you {when}"} for language in LANGUAGES}
    monkeypatch.setattr("config.locales.load", lambda face: wording)
    assert text("widget", "ja", "joined", name="{when}") == "{when} is with you {when}"


def test_a_language_without_the_key_falls_back_to_english_and_then_to_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    wording = {"ja": {}, "en": {"greeting": "Hello"}, "zh-Hans": {}, "zh-Hant": {}}
    monkeypatch.setattr("config.locales.load", lambda face: wording)
    assert text("widget", "ja", "greeting") == "Hello"
    assert text("widget", "ja", "unheard_of") == "unheard_of"


def test_every_notice_and_every_refusal_has_its_words() -> None:
    customer, thread = load("widget")["en"], load("thread")["en"]
    assert [key for key in NOTICES if not any(known.endswith(key) for known in customer)] == []
    assert [reason for reason in Reason if not any(known.endswith(reason) for known in thread)] == []
