"""The wording: complete in four languages, with the same gaps, and close to what was asked for."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from config.locales import FACES, LANGUAGES, closest, customers, forms, gaps, load, text
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


def grouped(texts: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Texts by key: those that differ by number together, by form; all others under the form "" of their own."""
    groups: dict[str, dict[str, str]] = {}
    for key, one in texts.items():
        base, _, form = key.rpartition(".")
        groups.setdefault(base if is_form(texts, base, form) else key, {})[
            form if is_form(texts, base, form) else ""
        ] = one
    return groups


def is_form(texts: Mapping[str, str], base: str, form: str) -> bool:
    """`.one`, `.other` and `.=1` are forms where there is a number to choose by; `topic.other` is a topic."""
    numbered = any(NUMBERS & gaps(texts.get(f"{base}.{other}", "")) for other in (*CATEGORIES, form))
    return numbered and (form in CATEGORIES or form.startswith("="))


NUMBERS = {"count", "nth"}
CUSTOMERS = ("notice", "widget")  # to operators a bare number may be said without a noun
CATEGORIES = ("zero", "one", "two", "few", "many", "other")


@pytest.mark.parametrize("face", FACES)
def test_every_language_has_every_key_with_the_same_gaps(face: str) -> None:
    wording = {language: grouped(load(face)[language]) for language in LANGUAGES}
    for key, english in wording["en"].items():
        for language in LANGUAGES:
            told = wording[language].get(key, {})
            assert all_gaps(told) == all_gaps(english), (language, key)
    assert all(set(wording[language]) == set(wording["en"]) for language in LANGUAGES)


def all_gaps(told: Mapping[str, str]) -> set[str]:
    return {gap for one in told.values() for gap in gaps(one)}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("face", FACES)
def test_a_number_has_every_plural_form_of_its_language_and_no_other(face: str, language: str) -> None:
    for key, told in grouped(load(face)[language]).items():
        numbers = NUMBERS & all_gaps(told)
        if numbers and (face in CUSTOMERS or set(told) != {""}):
            (gap,) = numbers
            assert {form for form in told if not form.startswith("=")} == forms(language, gap), (language, key)
            assert all(form[1:].isdigit() for form in told if form.startswith("=")), (language, key)


def test_the_form_is_chosen_by_the_number() -> None:
    places = {1: "next", 2: "second", 3: "third", 11: "11th", 21: "21st", 22: "22nd", 33: "33rd"}
    for nth, told in places.items():
        assert text("notice", "en", "notice.place", nth=nth) == f"You are {told} in line"
        assert text("notice", "ja", "notice.place", nth=nth) == f"ただいま{nth}番目です"
    assert text("notice", "en", "notice.span.minutes", count=1) == "1 minute"
    assert text("widget", "zh-TW", "messages.new", count=1) == "1 則新訊息"


def test_the_page_has_its_notices_and_its_other_words_together() -> None:
    words = customers()
    assert words["ja"]["notice.joined"] == load("notice")["ja"]["notice.joined"]
    assert words["ja"]["composer.send"] == load("widget")["ja"]["composer.send"]
    assert not set(load("notice")["en"]) & set(load("widget")["en"]), "one catalogue of what customers are told"


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
    customer, thread = load("notice")["en"], load("thread")["en"]
    assert [key for key in NOTICES if f"notice.{key}" not in customer] == []
    assert [reason for reason in Reason if not any(known.endswith(reason) for known in thread)] == []
