"""Which of our languages a page's tag means."""

from __future__ import annotations

import pytest

from adapters.web.languages import language_of


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("ja", "ja"),
        ("ja-JP", "ja"),
        ("en-GB", "en"),
        ("zh", "zh-Hans"),
        ("zh-CN", "zh-Hans"),
        ("zh-Hans-SG", "zh-Hans"),
        ("zh-TW", "zh-Hant"),
        ("zh-HK", "zh-Hant"),
        ("zh-hant", "zh-Hant"),
        ("fr-CA", "fr"),
        ("", "en"),
    ],
)
def test_language_of(tag: str, language: str) -> None:
    assert language_of(tag) == language
