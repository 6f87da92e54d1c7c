"""Desks, topics and operators as they are written, and what is said of wrong ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bridge.errors import SettingsError
from config import feeds, policy, settings
from config.policy import Rulebook
from routing.ids import DeskId, OperatorId, Topic
from routing.policy import (
    HOUR,
    MINUTE,
    Alert,
    AlertBy,
    Assignment,
    Clock,
    Contact,
    Priority,
    Promise,
    Promised,
    Rung,
    RungKind,
)

SLACK = {"bot_token": "xoxb-1", "app_token": "xapp-1"}
DISCORD = {"bot_token": "made.up.token"}


WAY_OUT = {"emergency": [{"url": "https://example.com/freeze", "titles": {"en": "Freeze my account"}}]}
"""What customers can do at once: without it the default policy's emergencies are doubted."""


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
    assert [topic for topic in book.policy.topics if topic not in book.topic_under] == [
        "account",
        "trading",
        "transfers",
        "security",
        "feedback",
        "other",
    ]
    assert book.topic_under == {"intrusion": "security", "theft": "security"}
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


def test_a_desk_may_have_a_pool_of_channels(tmp_path: Path) -> None:
    book = loaded(tmp_path, '[desks.ja]\nchannels = ["C0JAPAN01", "C0JAPAN02", "C0JAPAN03"]\n', slack=SLACK)
    (desk,) = book.policy.desks.values()
    assert (desk.network, desk.place, desk.places) == ("slack", "C0JAPAN01", ("C0JAPAN01", "C0JAPAN02", "C0JAPAN03"))


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ('channel = "C0JAPAN01"\nchannels = ["C0JAPAN02"]', "keep one of the two"),
        ('channels = ["C0JAPAN01", "C0JAPAN01"]', "named twice"),
        ('channels = ["#support"]', "no Slack channel id"),
        ('network = "console"\nchannels = ["C0JAPAN01"]', "the console has no channels"),
    ],
)
def test_what_is_no_pool_is_told(tmp_path: Path, written: str, told: str) -> None:
    assert told in complaint(tmp_path, f"[desks.ja]\n{written}\n", slack=SLACK)


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


@pytest.mark.parametrize(
    ("written", "alert"),
    [
        ("", Alert(AlertBy.AVAILABLE)),
        ('alert = "none"', Alert()),
        ('alert = "here"', Alert(AlertBy.HERE)),
        ('alert = "S0123ABCD"', Alert(AlertBy.GROUP, "S0123ABCD")),
    ],
)
def test_a_desk_chooses_how_it_hears_of_who_waits(tmp_path: Path, written: str, alert: Alert) -> None:
    desk = loaded(tmp_path, f"[every_desk]\n{written}").policy.desks[DeskId("en")]
    assert (desk.alert, desk.remind_after, desk.unreached_after) == (alert, 10 * MINUTE, 30_000)


def test_an_alert_of_nobody_known_is_refused(tmp_path: Path) -> None:
    assert "none, available, here, channel" in complaint(tmp_path, '[every_desk]\nalert = "all"')


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
        ('[desks.ja]\nchannel = "#support"\n', "desks.ja.channel", "such as C0123ABCD"),
        ('[desks.ja]\nchannel = "C0123ABCD"\n', "desks.ja", "slack.bot_token"),
        ('[desks.ja]\nnetwork = "console"\nchannel = "C0123ABCD"\n', "desks.ja.channel", "remove it"),
        ('[desks.ja]\nassignment = "fair"\n', "desks.ja.assignment", "choose one of claim, round_robin, least_busy"),
        ('[desks.ja]\ngone_after = "soon"\n', "desks.ja.gone_after", '"90s"'),
        ('[desks.ja]\ntopics = ["tax"]\n', "desks.ja.topics", "choose from account, trading"),
        ('[desks."J A"]\n', "desks.J A", "small letters"),
        ("[desks]\n", "desks", "it is empty"),
        ("[topics]\naccount = {}\n", "topics.account.titles", "set it"),
        ("[operators.aiko]\nnames = {}\n", "operators.aiko.names", "write at least one"),
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


def test_one_discord_channel_is_one_desk(tmp_path: Path) -> None:
    book = loaded(tmp_path, discord={**DISCORD, "channel": "1290000000000000001"})
    (desk,) = book.policy.desks.values()
    assert (desk.network, desk.place) == ("discord", "1290000000000000001")


def test_a_desk_in_discord_stands_beside_one_in_slack(tmp_path: Path) -> None:
    desks = '[desks.ja]\nchannel = "C0123ABCD"\n[desks.en]\nnetwork = "discord"\nchannel = "1290000000000000001"\n'
    who = '[operators.aiko]\nnames = { en = "Aiko" }\ndiscord = "290000000000000001"\n'
    book = loaded(tmp_path, desks + who, slack=SLACK, discord=DISCORD)
    assert [desk.network for desk in book.policy.desks.values()] == ["slack", "discord"]
    assert book.discord_users == {"aiko": "290000000000000001"}


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ('[desks.en]\nnetwork = "discord"\n', "a desk in Discord needs a channel"),
        ('[desks.en]\nnetwork = "discord"\nchannel = "C0123ABCD"\n', "is no channel of Discord's"),
        ("", "Discord is on, but no desk works there"),
    ],
)
def test_a_desk_in_discord_needs_a_channel_of_discords(tmp_path: Path, written: str, told: str) -> None:
    assert told in complaint(tmp_path, written, discord=DISCORD)


def test_a_desk_in_discord_needs_discord(tmp_path: Path) -> None:
    said = complaint(tmp_path, '[desks.en]\nnetwork = "discord"\nchannel = "1290000000000000001"\n')
    assert "discord.bot_token" in said


def test_a_single_desk_is_in_one_network(tmp_path: Path) -> None:
    slack, discord = {**SLACK, "channel": "C0123ABCD"}, {**DISCORD, "channel": "1290000000000000001"}
    assert "one desk in Slack and one in Discord" in complaint(tmp_path, "", slack=slack, discord=discord)


def test_slack_without_any_desk_in_it_is_an_error(tmp_path: Path) -> None:
    assert "no desk works there" in complaint(tmp_path, "", slack=SLACK)


def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    said = complaint(tmp_path, '[desks.ja]\nchannel = "C0123ABCD"\ntopics = ["tax", "law"]\n')
    assert said.count("mend:") == 3


def test_the_example_is_a_valid_file() -> None:
    example = Path(__file__).parents[3] / "kakehashi.example.toml"
    book, default = (policy.load(made, 0) for made in (settings.load(example), settings.load()))
    assert {desk.contact.mail for desk in book.policy.desks.values()} == {"support@example.com"}
    desks = {name: replace(desk, contact=Contact()) for name, desk in book.policy.desks.items()}
    assert replace(book, policy=replace(book.policy, desks=desks)) == replace(default, doubts=())


def test_the_example_shows_the_default_policy_to_the_letter() -> None:
    example = Path(__file__).parents[3] / "kakehashi.example.toml"
    default = policy.DEFAULT_FILE.read_text(encoding="utf-8")
    assert example.read_text(encoding="utf-8").endswith(default[default.index("# A customer goes to the desk") :])


# ------------------------------------------------------------------ the default policy works as it is


def test_by_default_chinese_goes_to_english_after_ten_minutes() -> None:
    desks = policy.load(settings.load()).policy.desks
    zh = desks[DeskId("zh")]
    assert (zh.fallbacks, zh.overflow_after) == (("en",), 10 * MINUTE)
    assert [desk.overflow_after for desk in desks.values() if desk.id != "zh"] == [None, None]


def test_by_default_every_desk_promises_and_calls_somebody() -> None:
    for desk in policy.load(settings.load()).policy.desks.values():
        assert {promise.kind for promise in desk.promises} == set(Promised)
        assert [rung.kind for rung in desk.ladder.rungs] == [RungKind.THREAD, RungKind.CHANNEL]
        assert desk.hours.spans is None


def test_by_default_a_pager_that_is_configured_ends_the_ladder() -> None:
    pagers = {"ops": {"kind": "pagerduty", "routing_key": "k"}}
    for desk in policy.load(settings.load(pagers=pagers)).policy.desks.values():
        assert (desk.ladder.rungs[-1].kind, desk.ladder.rungs[-1].to) == (RungKind.PAGER, "ops")


def test_by_default_an_intruder_is_an_emergency_and_trading_is_not() -> None:
    rules = policy.load(settings.load()).policy.topic_rules
    assert {name for name, topic in rules.items() if topic.emergency} == {"intrusion", "theft"}
    assert rules[Topic("theft")].effective_priority is Priority.URGENT
    assert (rules[Topic("security")].priority, rules[Topic("security")].head_start) == (Priority.HIGH, 5 * MINUTE)


def test_the_default_policy_and_its_examples_raise_no_doubt(tmp_path: Path) -> None:
    assert policy.load(settings.load(web=WAY_OUT)).doubts == ()
    shown = policy.DEFAULT_FILE.read_text(encoding="utf-8").splitlines()
    hours = [line.removeprefix("# ") for line in shown if line.startswith("# hours = {")]
    assert len(hours) == 5
    for line in hours:
        assert loaded(tmp_path, f"[every_desk]\n{line}\n", web=WAY_OUT).doubts == ()


# ------------------------------------------------------------------ everything that can be written

FULL = """
[desks.ja]
channel = "C0JAPAN01"
languages = ["ja"]
hours = "office"
rota = "night"
fallbacks = ["rest"]
overflow_after = "20m"
contact = { mail = "ja@example.com", phone = "+81 3-0000-0000", hours = "office" }
contact_after = "10m"
estimate_from = 8
last_operator_first = false

[desks.ja.promises]
first_response = "5m"
next_response = { within = "10m", warn_before = "2m", clock = "wall" }
resolution = { within = "8h", held_counts = true }
urgent = { first_response = { within = "1m", warn_before = "0s", clock = "wall" } }

[desks.ja.ladder]
answer_within = "5m"
rungs = [
  { call = "thread" },
  { call = "on_call", after = "3m", every = "2m", times = 2 },
  { call = "group", to = "S0123ABCD", after = "5m" },
  { call = "channel", to = "C0DUTY001", after = "5m" },
  { call = "pager", after = "5m", every = "10m" },
]

[desks.rest]
topics = ["security"]

[every_desk]
gone_after = "5m"
hours = { timezone = "Europe/London", daily = "08:00-20:00" }

[topics]
security = { en = "Security", priority = "high", head_start = "3m", identity_check = true, hours = "office" }
theft = { titles = { ja = "盗難" }, en = "Theft", under = "security", emergency = true }

[operators.aiko]
names = { ja = "佐藤", en = "Sato" }
slack = "U0123ABCD"
languages = { ja = "native", en = "basic", zh-Hans = 2 }
hours = { timezone = "Asia/Tokyo", mon-fri = "09:00-17:00" }
lead = true
[operators.kenji]
names = { en = "Kenji" }
languages = ["ja", "en"]

[rotas.night]
timezone = "Asia/Tokyo"
turns = ["aiko", "kenji"]
since = "2026-01-05 09:00"

[hours.office]
timezone = "Asia/Tokyo"
mon-fri = "09:00-18:00"

[rules]
check_for = "5m"
check_good_for = "10m"
head_starts = { verified = "4m", returning = "0s" }
"""
NOON = 1_780_282_800_000  # Monday, 1 June 2026, 12:00 in Tokyo
EVERYTHING: dict[str, Any] = {
    "slack": SLACK,
    "pagers": {"ops": {"kind": "apprise", "url": "json://localhost"}},
    "translation": {"url": "http://127.0.0.1:5000/"},
    "web": {
        "identity": {"url": "https://www.example.com/check", "keys": [{"kid": "1", "secret": "s" * 32}]},
        "contact": {"mail": "site@example.com"},
    },
}


def full(tmp_path: Path, more: str = "") -> Rulebook:
    file = tmp_path / "kakehashi.toml"
    file.write_text(FULL + more, encoding="utf-8")
    return policy.load(settings.load(file, **EVERYTHING), NOON)


def test_a_desk_has_what_is_written_of_it(tmp_path: Path) -> None:
    desk = full(tmp_path).policy.desks[DeskId("ja")]
    assert (desk.rota, desk.fallbacks, desk.overflow_after, desk.contact_after) == (
        "night",
        ("rest",),
        20 * MINUTE,
        10 * MINUTE,
    )
    assert (desk.estimate_from, desk.last_operator_first) == (8, False)
    assert (desk.contact.mail, desk.contact.phone) == ("ja@example.com", "+81 3-0000-0000")
    assert desk.contact.hours == desk.hours
    assert desk.hours.open_at(NOON)
    assert not desk.hours.open_at(NOON + 6 * HOUR)


def test_a_promise_is_a_time_or_a_table(tmp_path: Path) -> None:
    assert full(tmp_path).policy.desks[DeskId("ja")].promises == (
        Promise(Promised.FIRST_RESPONSE, 5 * MINUTE, MINUTE),
        Promise(Promised.NEXT_RESPONSE, 10 * MINUTE, 2 * MINUTE, Clock.WALL),
        Promise(Promised.RESOLUTION, 8 * HOUR, 96 * MINUTE, held_counts=True),
        Promise(Promised.FIRST_RESPONSE, MINUTE, 0, Clock.WALL, Priority.URGENT),
    )


def test_a_ladder_is_climbed_as_it_is_written(tmp_path: Path) -> None:
    ladder = full(tmp_path).policy.desks[DeskId("ja")].ladder
    assert ladder.answer_within == 5 * MINUTE
    assert ladder.rungs == (
        Rung(RungKind.THREAD),
        Rung(RungKind.ON_CALL, "", 3 * MINUTE, 2 * MINUTE, 2),
        Rung(RungKind.GROUP, "S0123ABCD", 5 * MINUTE),
        Rung(RungKind.CHANNEL, "C0DUTY001", 5 * MINUTE),
        Rung(RungKind.PAGER, "ops", 5 * MINUTE, 10 * MINUTE),
    )


def test_what_holds_for_every_desk_holds_unless_the_desk_says_otherwise(tmp_path: Path) -> None:
    book = full(tmp_path)
    ja, rest = book.policy.desks[DeskId("ja")], book.policy.desks[DeskId("rest")]
    assert (ja.gone_after, rest.gone_after) == (5 * MINUTE, 5 * MINUTE)
    assert rest.hours.open_at(NOON + 12 * HOUR)  # 04:00 in London, and noon is 16:00
    assert not rest.hours.open_at(NOON)
    assert rest.contact.mail == "site@example.com"
    assert book.zones == {"ja": "Asia/Tokyo", "rest": "Europe/London"}


def test_a_desk_that_knows_a_topic_knows_its_parts(tmp_path: Path) -> None:
    book = full(tmp_path)
    assert book.policy.desks[DeskId("rest")].topics == ("security", "theft")
    assert book.policy.desk_for("fr", Topic("theft")).id == "rest"


def test_a_topic_is_titles_and_rules(tmp_path: Path) -> None:
    book = full(tmp_path)
    security, theft = (book.policy.topic_rules[Topic(name)] for name in ("security", "theft"))
    assert book.topic_titles == {"security": {"en": "Security"}, "theft": {"ja": "盗難", "en": "Theft"}}
    assert (security.priority, security.head_start, security.identity_check) == (Priority.HIGH, 3 * MINUTE, True)
    assert security.hours.open_at(NOON)
    assert (theft.emergency, book.topic_under) == (True, {"theft": "security"})


def test_an_operator_has_languages_a_schedule_and_a_slack_user(tmp_path: Path) -> None:
    book = full(tmp_path)
    aiko, kenji = (book.policy.operators[OperatorId(name)] for name in ("aiko", "kenji"))
    assert (aiko.skill("ja"), aiko.skill("en"), aiko.skill("zh-Hans"), aiko.skill("ko")) == (3, 1, 2, 0)
    assert (kenji.skill("ja"), kenji.hours, kenji.lead, aiko.lead) == (3, None, False, True)
    assert aiko.hours is not None
    assert aiko.hours.closes_after(NOON) == NOON + 5 * HOUR
    assert book.slack_users == {"aiko": "U0123ABCD"}


def test_rotas_rules_and_the_translator_are_there(tmp_path: Path) -> None:
    rules = full(tmp_path).policy
    assert rules.on_call(rules.desks[DeskId("ja")], NOON) == "kenji"
    assert rules.on_call(rules.desks[DeskId("rest")], NOON) is None
    assert (rules.head_starts.verified, rules.head_starts.returning) == (4 * MINUTE, 0)
    assert (rules.check_for, rules.check_good_for, rules.translates) == (5 * MINUTE, 10 * MINUTE, True)


# ------------------------------------------------------------------ what does not fit together

DESKS = "[desks.ja]\n[desks.en]\n[desks.zh]\n"


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        ('[desks.ja]\nlanguages = ["jp"]\n', "desks.ja.languages.0", "there is no language jp / write ja"),
        ('[desks.ja]\nlanguages = ["xx"]\n', "desks.ja.languages.0", "there is no language xx"),
        ('[desks.ja]\nfallbacks = ["fr"]\n', "desks.ja.fallbacks", "there is no desk fr / choose from ja"),
        ('[desks.ja]\nrota = "day"\n', "desks.ja.rota", "there is no rota day / write [rotas.day]"),
        ('[desks.ja]\nhours = "office"\n', "desks.ja.hours", "there are no hours office / write [hours.office]"),
        ('[desks.ja]\noverflow_after = "5m"\n', "desks.ja.overflow_after", "it has nowhere to go"),
        (
            DESKS + '[every_desk]\noverflow_after = "5m"\nfallbacks = ["en"]\n',
            "every_desk.fallbacks",
            "they go round in a circle: en",
        ),
        ('[desks.ja]\nfallbacks = ["ja"]\noverflow_after = "5m"\n', "desks.ja.fallbacks", "in a circle: ja → ja"),
        (
            '[every_desk]\noverflow_after = "5m"\n'
            + "".join(
                f'[desks.{one}]\nfallbacks = ["{other}"]\n' for one, other in (("ja", "en"), ("en", "zh"), ("zh", "ja"))
            ),
            "desks.ja.fallbacks",
            "in a circle: ja → en → zh → ja / end it at one desk",
        ),
        (
            '[desks.ja]\nladder = { rungs = [{ call = "pager" }] }\n',
            "desks.ja.ladder.rungs.0.call",
            "no pager is configured",
        ),
        ('[desks.ja.ladder]\nrungs = [{ call = "on_call" }]\n', "desks.ja.ladder.rungs.0.call", "the desk has no rota"),
        (
            '[desks.ja.ladder]\nrungs = [{ call = "group" }]\n',
            "desks.ja.ladder.rungs.0.to",
            "which group is to be called?",
        ),
        (
            '[desks.ja.ladder]\nrungs = [{ call = "thread", to = "x" }]\n',
            "desks.ja.ladder.rungs.0.to",
            "nobody by name",
        ),
        (
            '[desks.ja.ladder]\nrungs = [{ call = "group", to = "S0123ABCD" }]\n',
            "desks.ja.ladder.rungs.0.call",
            "the console has no groups",
        ),
        ('[desks.ja.ladder]\nrungs = [{ call = "bell" }]\n', "desks.ja.ladder.rungs.0.call", "choose one of"),
        (
            DESKS + '[every_desk.ladder]\nrungs = [{ call = "on_call" }]\n',
            "every_desk.ladder.rungs.0.call",
            "the desk has no rota",
        ),
        (
            '[desks.ja.promises]\nfirst_response = { within = "5m", warn_before = "5m" }\n',
            "desks.ja.promises.first_response.warn_before",
            "the warning would come before the promise begins",
        ),
        (
            '[desks.ja.promises]\nfirst_response = "soon"\n',
            "desks.ja.promises.first_response.within",
            "this is not a time",
        ),
        (
            '[desks.ja.promises]\nfirst_answer = "5m"\n',
            "desks.ja.promises.first_answer",
            "desks.ja.promises.first_response",
        ),
        (
            '[desks.ja]\nhours = { timezone = "Asia/Tokyo" }\n',
            "desks.ja.hours",
            "it never opens / write hours for at least one day",
        ),
        (
            '[desks.ja]\nhours = { timezone = "Asia/Tokyo", extra = { "2020-01-01" = "09:00-10:00" } }\n',
            "desks.ja.hours",
            "it never opens",
        ),
        (
            '[desks.ja]\nhours = { timezone = "Tokyo", daily = "09:00-10:00" }\n',
            "desks.ja.hours.timezone",
            "Asia/Tokyo",
        ),
        ('[desks.ja]\nhours = { daily = "09:00-10:00" }\n', "desks.ja.hours.timezone", "field required"),
        ('[desks.ja]\ncontact = { mail = "nobody" }\n', "desks.ja.contact.mail", "support@example.com"),
        ('[topics]\na = { en = "A", under = "b" }\n', "topics.a.under", "there is no topic b"),
        (
            '[topics]\na = { en = "A" }\nb = { en = "B", under = "a" }\nc = { en = "C", under = "b" }\n',
            "topics.c.under",
            "a part has no parts of its own",
        ),
        ('[topics]\na = { en = "A", under = "a" }\n', "topics.a.under", "a part has no parts of its own"),
        ('[topics]\na = { en = "A", identity_check = true }\n', "topics.a.identity_check", "set web.identity.url"),
        ('[topics]\na = { en = "A", emergancy = true }\n', "topics.a.emergancy", "perhaps you mean topics.a.emergency"),
        ('[topics]\na = { en = "A", priority = "urgent" }\n', "topics.a.priority", "choose one of normal, high"),
        ("[operators.a]\nnames = {}\n", "operators.a.names", 'it is empty / such as { en = "…" }'),
        (
            '[operators.a]\nnames = { en = "A" }\nslack = "@kenji"\n',
            "operators.a.slack",
            "this is no Slack user id / such as U061F7AUR",
        ),
        (
            '[every_desk.ladder]\nrungs = [{ call = "thread", every = "10s" }]\n',
            "every_desk.ladder.rungs.0.every",
            "it must be at least 30s / write 30s or more",
        ),
        (
            '[operators.a]\nnames = { en = "A" }\ncapacity = 200\n',
            "operators.a.capacity",
            "it must be at most 100 / write 100 or less",
        ),
        (
            "".join(f'[operators.{one}]\nnames = {{ en = "A" }}\nslack = "U0001"\n' for one in "ab"),
            "operators.b.slack",
            "it is a's",
        ),
        (
            '[operators.a]\nnames = { en = "A" }\nlanguages = { ja = "perfect" }\n',
            "operators.a.languages.ja",
            "write native, fluent or basic",
        ),
        (
            '[rotas.night]\ntimezone = "Asia/Tokyo"\nshifts = [{ operator = "aiko" }]\n',
            "rotas.night.shifts.0.operator",
            "there is no operator aiko / write [operators.aiko]",
        ),
        ('[rotas.night]\ntimezone = "UTC"\ncalendar = "no.ics"\n', "rotas.night.calendar", "it cannot be read"),
        ('[hours.always]\ntimezone = "Asia/Tokyo"\nmon = "09:00-10:00"\n', "hours.always", "around the clock"),
        (
            '[hours.x]\ntimezone = "Asia/Tokyo"\nholidays = "ZZ"\nmon = "09:00-10:00"\n',
            "hours.x.holidays.0",
            "ZZ are unknown",
        ),
    ],
)
def test_what_does_not_fit_names_file_key_and_mend(tmp_path: Path, text: str, where: str, said: str) -> None:
    complained = complaint(tmp_path, text)
    assert f"where: {tmp_path / 'kakehashi.toml'}: {where}\n" in complained
    wanted = said.split(" / ")
    assert all(part in complained for part in wanted)


@pytest.mark.parametrize(
    ("rung", "where", "said"),
    [
        ('{ call = "pager", to = "ops2" }', "rungs.0.to", "there is no pager ops2"),
        ('{ call = "pager" }', "rungs.0.to", "there are several pagers"),
    ],
)
def test_a_rung_calls_a_pager_that_is_there(tmp_path: Path, rung: str, where: str, said: str) -> None:
    pagers = {name: {"kind": "apprise", "url": "json://x"} for name in ("ops", "boss")}
    complained = complaint(tmp_path, f"[desks.ja.ladder]\nrungs = [{rung}]\n", pagers=pagers)
    assert f"desks.ja.ladder.{where}\n" in complained
    assert f"{said}\n" in complained
    assert "choose from ops, boss" in complained


def test_accounts_of_the_store_may_be_on_call(tmp_path: Path) -> None:
    text = '[rotas.night]\ntimezone = "UTC"\nshifts = [{ operator = "op-0123456789" }]\n'
    assert loaded(tmp_path, text).policy.rotas["night"].shifts[0].operator == "op-0123456789"


def test_a_desk_of_every_desk_is_told_once(tmp_path: Path) -> None:
    said = complaint(tmp_path, DESKS + '[every_desk]\nhours = { timezone = "Asia/Tokyo" }\nrota = "day"\n')
    assert said.count("mend:") == 2


# ------------------------------------------------------------------ what is doubted


def doubts(tmp_path: Path, text: str, **chosen: Any) -> str:
    file = tmp_path / "kakehashi.toml"
    file.write_text(text, encoding="utf-8")
    found = policy.load(settings.load(file, **({"web": WAY_OUT} | chosen)), NOON).doubts
    return "\n".join(f"{one.what} / {one.mend}" for one in found)


PEOPLE = '[operators.aiko]\nnames = { en = "Aiko" }\n[operators.kenji]\nnames = { en = "Kenji" }\n'
ROTA = (
    '[desks.ja]\nrota = "night"\nladder = { rungs = [{ call = "thread" }] }\n[rotas.night]\ntimezone = "Asia/Tokyo"\n'
)


def test_a_hole_in_a_rota_is_told_with_its_time(tmp_path: Path) -> None:
    text = PEOPLE + ROTA + 'shifts = [{ days = "mon-fri", hours = "09:00-18:00", operator = "aiko" }]\n'
    assert doubts(tmp_path, text) == (
        "rota night: nobody is on call from Mon 1 Jun 18:00 to Tue 2 Jun 09:00 Asia/Tokyo, "
        "and 19 times more in four weeks / fill it, or say in rotas.night.hours when somebody must be"
    )


def test_a_rota_that_covers_the_hours_it_should_has_no_hole(tmp_path: Path) -> None:
    text = PEOPLE + ROTA + 'shifts = [{ days = "mon-fri", hours = "09:00-18:00", operator = "aiko" }]\n'
    assert doubts(tmp_path, text + 'hours = { timezone = "Asia/Tokyo", mon-fri = "10:00-18:00" }\n') == ""


def test_two_who_are_on_call_at_once_are_told(tmp_path: Path) -> None:
    text = PEOPLE + ROTA + 'shifts = [{ operator = "aiko" }, { days = "sat", operator = "kenji" }]\n'
    assert "rota night: two are on call on sat 00:00: aiko and kenji" in doubts(tmp_path, text)


def test_a_rota_that_nobody_has_is_told(tmp_path: Path) -> None:
    text = PEOPLE + '[rotas.day]\ntimezone = "UTC"\nshifts = [{ operator = "aiko" }]\n'
    assert 'rota day: no desk has it / write rota = "day" at a desk' in doubts(tmp_path, text)


def test_a_desk_with_promises_and_nobody_to_call_is_told(tmp_path: Path) -> None:
    text = '[desks.ja]\npromises = { first_response = "5m" }\n[every_desk]\nladder = {}\n[topics]\na = { en = "A" }\n'
    assert "desk ja: nobody is called when a promise is missed" in doubts(tmp_path, text)


def test_desks_that_take_their_ladder_from_every_desk_are_told_of_once(tmp_path: Path) -> None:
    text = '[every_desk]\nladder = {}\npromises = { first_response = "5m" }\n[topics]\na = { en = "A" }\n'
    said = doubts(tmp_path, text)
    assert said.count("nobody is called when a promise is missed") == 1
    assert "desks en, ja, zh: nobody is called" in said
    assert "write every_desk.ladder" in said


def test_a_mistake_in_every_desk_is_told_once(tmp_path: Path) -> None:
    said = complaint(tmp_path, '[desks.ja]\n[desks.en]\n[every_desk]\noverflow_after = "10m"\n')
    assert said.count("it has nowhere to go") == 1
    assert "every_desk.fallbacks" in said


def test_an_emergency_without_a_way_out_is_told(tmp_path: Path) -> None:
    text = '[topics]\na = { en = "A" }\ntheft = { en = "Theft", emergency = true }\n'
    said = doubts(tmp_path, text, web={})
    assert "topic theft is an emergency" in said
    assert "write [[web.emergency]]" in said
    assert "emergency" not in doubts(tmp_path, text)


def test_a_desk_without_operators_or_with_none_who_speaks_its_language_is_told(tmp_path: Path) -> None:
    text = (
        '[desks.ja]\nlanguages = ["ja"]\n[desks.zh]\nlanguages = ["zh"]\n'
        '[operators.aiko]\nnames = { en = "Aiko" }\ndesks = ["ja"]\nlanguages = ["en"]\n'
    )
    said = doubts(tmp_path, text)
    assert "desk zh: no operator of the policy works there" in said
    assert "desk ja: none of its operators speaks ja" in said


def test_who_is_on_call_for_a_desk_works_there(tmp_path: Path) -> None:
    text = (
        ROTA + 'shifts = [{ operator = "aiko" }]\n[desks.en]\n[operators.aiko]\nnames = { en = "A" }\ndesks = ["en"]\n'
    )
    assert "desk ja: aiko is on call for it and does not work there" in doubts(tmp_path, text)


# ------------------------------------------------------------------ calendars that are kept elsewhere

ICS = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//EN\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\n"
    "DTSTART:20260501T000000Z\r\nDTEND:20260801T000000Z\r\nSUMMARY:{who}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


def test_a_rota_may_be_a_calendar_beside_the_policy(tmp_path: Path) -> None:
    (tmp_path / "night.ics").write_text(ICS.format(who="On call: Kenji"))
    book = loaded_at_noon(tmp_path, PEOPLE + ROTA + 'calendar = "night.ics"\n')
    assert book.policy.rotas["night"].on_call(NOON) == "kenji"


def test_entries_that_name_nobody_are_told(tmp_path: Path) -> None:
    (tmp_path / "night.ics").write_text(ICS.format(who="Somebody else"))
    said = doubts(tmp_path, PEOPLE + ROTA + 'calendar = "night.ics"\n')
    assert "rota night: 1 entries of its calendar name nobody whom the policy knows" in said
    assert "rota night: nobody is ever on call" in said


def test_a_calendar_on_the_web_is_the_one_that_was_fetched_last(tmp_path: Path) -> None:
    text = PEOPLE + ROTA + 'calendar = "https://calendar.example.com/secret.ics"\n'
    data = tmp_path / "data"
    assert "its calendar has not been fetched yet" in doubts(tmp_path, text, data_dir=data)
    feeds.keep(data / policy.CALENDARS, "https://calendar.example.com/secret.ics", ICS.format(who="aiko").encode())
    book = loaded_at_noon(tmp_path, text, data_dir=data)
    assert book.policy.rotas["night"].on_call(NOON) == "aiko"
    assert "secret.ics" not in repr(book)


def test_a_calendar_that_cannot_be_fetched_is_told_and_the_last_one_stays(tmp_path: Path) -> None:
    address = "http://127.0.0.1:1/secret.ics"
    data = tmp_path / "data"
    feeds.keep(data / policy.CALENDARS, address, ICS.format(who="aiko").encode())
    book = loaded_at_noon(tmp_path, PEOPLE + ROTA + f'calendar = "{address}"\n', data_dir=data)
    (error,) = policy.renew(book.written).values()
    assert error is not None
    assert "it cannot be fetched" in error.what
    assert policy.expand(book.written, NOON).policy.rotas["night"].on_call(NOON) == "aiko"


def loaded_at_noon(tmp_path: Path, text: str, **chosen: Any) -> Rulebook:
    file = tmp_path / "kakehashi.toml"
    file.write_text(text, encoding="utf-8")
    return policy.load(settings.load(file, **chosen), NOON)


def test_the_days_move_on_without_reading_the_file_again(tmp_path: Path) -> None:
    book = full(tmp_path)
    (tmp_path / "kakehashi.toml").write_text("[desks]\n")
    later = policy.expand(book.written, NOON + 400 * 24 * HOUR)
    desk = later.policy.desks[DeskId("ja")]
    assert desk.hours.opens_after(NOON + 700 * 24 * HOUR) is not None
