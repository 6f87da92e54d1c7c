from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.detection.detector import Detector
from routing.language import same_language
from tests.unit.adapters.detection.corpus import DECIDABLE, UNDECIDABLE, lines

REQUIRED = 0.97
"""Of the decidable messages must be told rightly; of the undecidable ones, none wrongly."""


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector()


def is_right(found: str | None, language: str) -> bool:
    return found is not None and (found == language or (language == "zh" and same_language(found, language)))


def test_the_corpus_is_large_enough_to_mean_something() -> None:
    assert len(DECIDABLE) + len(lines(UNDECIDABLE)) >= 400
    assert len(set(DECIDABLE)) == len(DECIDABLE)


def test_what_can_be_told_is_told_rightly(detector: Detector) -> None:
    missed = [(language, text) for language, text in DECIDABLE if not is_right(detector.detect(text), language)]
    assert len(missed) <= len(DECIDABLE) * (1 - REQUIRED), missed


def test_who_is_not_understood_is_never_offered_another_language(detector: Detector) -> None:
    """A miss costs nothing; a wrong answer is an offer that says we do not know whom we talk to."""
    wrong = [(language, found) for language, text in DECIDABLE if (found := detector.detect(text)) is not None
             and not same_language(found, language)]  # fmt: skip
    assert not wrong


@pytest.mark.parametrize("text", lines(UNDECIDABLE))
def test_what_cannot_be_told_is_left_alone(detector: Detector, text: str) -> None:
    assert detector.detect(text) is None


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("口座開設", "ja"),
        ("取引履歴", "ja"),
        ("入金確認", None),
        ("提款還沒到帳", "zh-Hant"),
        ("提现还没到账", "zh-Hans"),
    ],
)
def test_kanji_alone_are_not_chinese(detector: Detector, text: str, language: str | None) -> None:
    assert detector.detect(text) == language


def test_the_two_scripts_in_one_message_are_not_guessed_at(detector: Detector) -> None:
    assert detector.detect("帳戶和账户") is None


@pytest.mark.parametrize("noise", ["0x52908400098527886E0F7030069857D2E4169EE7", "USDT", "😭", "https://example.com/a"])
def test_what_is_no_language_does_not_sway(detector: Detector, noise: str) -> None:
    for language, text in (("ja", "出金できません"), ("zh-Hans", "提现不到账"), ("en", "my withdrawal is stuck")):
        assert detector.detect(f"{noise} {text} {noise}") == language


def test_only_the_beginning_of_a_long_message_is_looked_at(detector: Detector) -> None:
    assert detector.detect("1" + " " * 500 + "出金できません") is None


@settings(max_examples=300, deadline=None)
@given(text=st.text())
def test_any_text_has_an_answer(detector: Detector, text: str) -> None:
    assert detector.detect(text) in {"ja", "zh-Hans", "zh-Hant", "en", "ko", None}
