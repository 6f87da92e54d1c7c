"""The printed documents say what the code says now. Mend: make docs."""

from __future__ import annotations

import pytest

from config.locales import FACES, load
from config.settings import Settings
from config.sources import known_paths, section_of, variable
from docs.generate import DOCUMENTS, HERE, session_states, settings, wording
from routing.table import TABLE


@pytest.mark.parametrize("name", DOCUMENTS)
def test_it_is_up_to_date(name: str) -> None:
    assert (HERE / name).read_text(encoding="utf-8") == DOCUMENTS[name]()


def test_every_setting_is_listed_with_its_variable() -> None:
    page = settings()
    single = [path for path, field in known_paths(Settings) if section_of(field) is None]
    assert [path for path in single if f"`{variable(path)}`" not in page] == []


def test_every_input_is_listed_once() -> None:
    page = session_states()
    assert [kind.__name__ for kind in TABLE if page.count(f"| `{kind.__name__}` |") != 1] == []


def test_every_text_is_listed() -> None:
    page = wording()
    assert [key for face in FACES for key in load(face)["en"] if f"| `{key}` |" not in page] == []
    assert "**missing**" not in page
