"""Languages, as people write them on a command line."""

from __future__ import annotations

import pytest

from bridge.languages import LANGUAGES, LanguageError, known_words, language_tag


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("EN", "en"),
        ("zh-hans", "zh-Hans"),
        ("zh-TW", "zh-Hant"),
        ("zh", "zh-Hans"),
        ("en-GB", "en"),
        (" ja ", "ja"),
        ("fr-CA", "fr"),
    ],
)
def test_a_language_is_understood_however_it_is_written(written: str, meant: str) -> None:
    assert language_tag(written, LANGUAGES, "--language") == meant


@pytest.mark.parametrize("written", ["english", "", "jp", "日本語", "e"])
def test_what_is_no_language_is_refused_with_those_there_are(written: str) -> None:
    with pytest.raises(LanguageError) as refused:
        language_tag(written, LANGUAGES, "--language")
    assert refused.value.where == "--language"
    assert "ja, en, zh-Hans, zh-Hant" in refused.value.mend


def test_a_countrys_name_is_told_from_its_language() -> None:
    with pytest.raises(LanguageError) as refused:
        language_tag("jp", LANGUAGES, "--language")
    assert "perhaps you mean ja" in refused.value.mend


def test_words_are_kept_by_the_tags_that_are_meant() -> None:
    assert known_words([("EN", "a"), ("zh-hant", "b")], LANGUAGES, "--say") == {"en": "a", "zh-Hant": "b"}


def test_words_in_a_language_that_nobody_here_speaks_are_refused() -> None:
    with pytest.raises(LanguageError, match="no language fr"):
        known_words([("fr", "a")], LANGUAGES, "--say")
    assert known_words([("fr", "a")], (*LANGUAGES, "fr"), "--say") == {"fr": "a"}
