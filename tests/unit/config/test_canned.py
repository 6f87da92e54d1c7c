"""Templates as they are written: in the policy, or in a folder beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.errors import SettingsError
from config import policy
from config.locales import LANGUAGES
from config.settings import Settings
from routing.ids import DeskId

POLICY = """
[desks.ja]
languages = ["ja"]
[desks.ja.templates.hello]
ja = "{customer}、こんにちは"
[desks.en]
languages = ["en"]
[every_desk.templates.hello]
en = "Hello {customer}"
topics = ["trading"]
[topics]
trading = { en = "Trading" }
[tags]
fees = { en = "Fees" }
"""


def load(folder: Path, text: str = POLICY, **files: str) -> policy.Rulebook:
    config = folder / "kakehashi.toml"
    config.write_text(text, encoding="utf-8")
    for name, content in files.items():
        (folder / "templates").mkdir(exist_ok=True)
        (folder / "templates" / f"{name}.toml").write_text(content, encoding="utf-8")
    return policy.load(Settings(config=config))


def codes(book: policy.Rulebook, desk: str) -> list[str]:
    return [one.code for one in book.templates[DeskId(desk)]]


def test_a_desks_own_template_takes_the_place_of_the_one_for_every_desk(tmp_path: Path) -> None:
    book = load(tmp_path)
    assert [one.words for one in book.templates[DeskId("ja")]] == [{"ja": "{customer}、こんにちは"}]
    assert [one.topics for one in book.templates[DeskId("en")]] == [("trading",)]
    assert book.tag_titles == {"fees": {"en": "Fees"}}


def test_a_folder_beside_the_policy_adds_to_it(tmp_path: Path) -> None:
    book = load(tmp_path, en='[bye]\nen = "Bye"', every_desk='[thanks]\nen = "Thanks"\nja = "どうも"')
    assert (codes(book, "en"), codes(book, "ja")) == (["bye", "hello", "thanks"], ["hello", "thanks"])


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("nowhere", '[bye]\nen = "Bye"', "there is no desk nowhere"),
        ("ja", '[hello]\nen = "Bye"', "written twice"),
        ("en", '[bye]\njp = "Bye"', "no language jp"),
        ("en", '[bye]\nen = "Bye"\ntopics = ["space"]', "space"),
        ("en", '["No such code"]\nen = "Bye"', "en.toml"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, name: str, content: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        load(tmp_path, **{name: content})


def test_languages_with_different_gaps_are_a_doubt(tmp_path: Path) -> None:
    book = load(tmp_path, en='[bye]\nen = "Bye {customer}"\nja = "では"')
    assert [one.what for one in book.doubts if "bye" in one.what] == ["template bye: its languages have different gaps"]


def test_the_default_policys_templates_speak_all_our_languages() -> None:
    book = policy.load(Settings())
    templates = book.templates[next(iter(book.templates))]
    assert [one.code for one in templates] == ["looking", "solved", "until"]
    assert all(set(one.words) == set(LANGUAGES) for one in templates)
