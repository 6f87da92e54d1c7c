"""Desks, topics and operators as they are written, and what is said of wrong ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bridge.errors import SettingsError
from config import policy, settings
from config.policy import Rulebook
from routing.ids import DeskId, OperatorId, Topic
from routing.policy import Assignment

SLACK = {"bot_token": "xoxb-1", "app_token": "xapp-1"}


def loaded(tmp_path: Path, text: str = "", **chosen: Any) -> Rulebook:
    file = tmp_path / "kakehashi.toml"
    file.write_text(text, encoding="utf-8")
    return policy.load(settings.load(file, **chosen))


def complaint(tmp_path: Path, text: str, **chosen: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        loaded(tmp_path, text, **chosen)
    return str(caught.value)


def test_with_nothing_written_three_desks_work_at_the_console() -> None:
    book = policy.load(settings.load())
    assert {desk.id: desk.network for desk in book.policy.desks.values()} == {
        "ja": "console",
        "en": "console",
        "zh": "console",
    }
    assert book.policy.topics == ("account", "trading", "transfers", "security", "other")
    assert all(set(titles) == {"ja", "en", "zh-Hans", "zh-Hant"} for titles in book.topic_titles.values())


@pytest.mark.parametrize(
    ("language", "desk"),
    [("ja", "ja"), ("ja-JP", "ja"), ("zh-Hans", "zh"), ("zh-Hant", "zh"), ("en", "en"), ("fr", "en")],
)
def test_by_default_each_language_has_its_desk_and_english_takes_the_rest(language: str, desk: str) -> None:
    assert policy.load(settings.load()).policy.desk_for(language, Topic("other")).id == desk


def test_one_slack_channel_is_one_desk(tmp_path: Path) -> None:
    book = loaded(tmp_path, slack={**SLACK, "channel": "C0123ABCD"})
    (desk,) = book.policy.desks.values()
    assert (desk.network, desk.place, desk.languages) == ("slack", "C0123ABCD", ())


def test_desks_with_channels_work_in_slack(tmp_path: Path) -> None:
    book = loaded(
        tmp_path,
        """
        [desks.ja]
        channel = "C0JAPAN01"
        languages = ["ja"]
        assignment = "round_robin"
        gone_after = "5m"
        [desks.rest]
        titles = { en = "Everybody else" }
        """,
        slack=SLACK,
    )
    ja, rest = book.policy.desks[DeskId("ja")], book.policy.desks[DeskId("rest")]
    assert (ja.network, ja.place, ja.assignment, ja.gone_after) == (
        "slack",
        "C0JAPAN01",
        Assignment.ROUND_ROBIN,
        300_000,
    )
    assert (rest.network, rest.place) == ("console", "rest")
    assert book.desk_titles == {"ja": {"en": "ja"}, "rest": {"en": "Everybody else"}}


def test_operators_have_public_names_and_desks(tmp_path: Path) -> None:
    book = loaded(tmp_path, '[operators.aiko]\nnames = { ja = "佐藤", en = "Sato" }\ndesks = ["ja"]\ncapacity = 3\n')
    aiko = book.policy.operators[OperatorId("aiko")]
    assert (aiko.public_name("ja"), aiko.public_name("fr"), aiko.desks, aiko.capacity) == ("佐藤", "Sato", ("ja",), 3)


def test_rules_are_times(tmp_path: Path) -> None:
    rules = loaded(tmp_path, '[rules]\nrevise_within = "1h"\nhold_at_most = "2d"\n').policy
    assert (rules.revise_within, rules.hold_at_most) == (3_600_000, 2 * 86_400_000)


def test_the_policy_may_have_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "desks.toml").write_text('[desks.all]\ntitles = { en = "All" }\n')
    assert list(loaded(tmp_path, 'policy = "desks.toml"\n').policy.desks) == ["all"]


def test_the_policy_stands_in_one_place_only(tmp_path: Path) -> None:
    (tmp_path / "desks.toml").write_text("[desks.all]\n")
    assert "two places (topics)" in complaint(tmp_path, 'policy = "desks.toml"\n[topics]\na = { en = "A" }\n')


def test_a_policy_file_that_is_missing_is_an_error(tmp_path: Path) -> None:
    assert "there is no file" in complaint(tmp_path, 'policy = "nowhere.toml"\n')


@pytest.mark.parametrize(
    ("text", "where", "mend"),
    [
        ('[desks.ja]\nchanel = "C0123ABCD"\n', "desks.ja.chanel", "perhaps you mean desks.ja.channel"),
        ('[desks.ja]\nchannel = "#support"\n', "desks.ja.channel", "docs/settings.md"),
        ('[desks.ja]\nchannel = "C0123ABCD"\n', "desks.ja", "slack.bot_token"),
        ('[desks.ja]\nnetwork = "console"\nchannel = "C0123ABCD"\n', "desks.ja.channel", "remove it"),
        ('[desks.ja]\nassignment = "fair"\n', "desks.ja.assignment", "'claim' or 'round_robin'"),
        ('[desks.ja]\ngone_after = "soon"\n', "desks.ja.gone_after", '"90s"'),
        ('[desks.ja]\ntopics = ["tax"]\n', "desks.ja.topics", "choose from account, trading"),
        ('[desks."J A"]\n', "desks.J A", "docs/settings.md"),
        ("[desks]\n", "desks", "docs/settings.md"),
        ("[topics]\naccount = {}\n", "topics.account", "docs/settings.md"),
        ("[operators.aiko]\nnames = {}\n", "operators.aiko.names", "docs/settings.md"),
        (
            '[operators.aiko]\nnames = { en = "Aiko" }\ndesks = ["fr"]\n',
            "operators.aiko.desks",
            "choose from en, ja, zh",
        ),
        ('[rules]\nhold_at_most = "0s"\n', "rules.hold_at_most", "larger"),
    ],
)
def test_a_wrong_policy_names_file_key_and_mend(tmp_path: Path, text: str, where: str, mend: str) -> None:
    said = complaint(tmp_path, text)
    assert f"where: {tmp_path / 'kakehashi.toml'}: {where}" in said
    assert mend in said


def test_a_desk_in_slack_needs_a_channel(tmp_path: Path) -> None:
    said = complaint(tmp_path, '[desks.ja]\nnetwork = "slack"\n[desks.en]\nchannel = "C0123ABCD"\n', slack=SLACK)
    assert "desks.ja.channel: a desk in Slack needs a channel" in said


def test_slack_without_any_desk_in_it_is_an_error(tmp_path: Path) -> None:
    assert "no desk works there" in complaint(tmp_path, "", slack=SLACK)


def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    said = complaint(tmp_path, '[desks.ja]\nchannel = "C0123ABCD"\ntopics = ["tax", "law"]\n')
    assert said.count("mend:") == 3


def test_the_example_is_a_valid_file() -> None:
    example = Path(__file__).parents[3] / "kakehashi.example.toml"
    assert policy.load(settings.load(example)) == policy.load(settings.load())
