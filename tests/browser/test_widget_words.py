"""The widget's words: every notice, and every key that the modules name."""

from __future__ import annotations

import re

from adapters.web.statics import HERE
from config import locales
from routing.view import NOTICES


def test_every_notice_has_words_in_every_language() -> None:
    for language, words in locales.customers().items():
        missing = [key for key in NOTICES if f"notice.{key}" not in words]
        assert not missing, language


def test_every_key_that_the_modules_name_has_words() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in (HERE / "widget").glob("*.js"))
    named = set(re.findall(r"""(?:\.text|\.whole|#link)\("([a-z_.0-9]+)\"""", source))
    words = locales.customers()["en"]
    assert named
    assert [key for key in sorted(named) if key not in words and f"{key}.other" not in words] == []
