"""What `kakehashi route` says, word for word, and that it is what the rules then do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bridge.languages import LanguageError
from bridge.routes import Atlas, Question, RouteError, explain, find_topic, lines, parse_time
from routing import facts as f
from routing import inputs as i
from routing.hours import Hours
from routing.ids import DeskId, MessageId, OperatorId, Topic
from routing.policy import HOUR, MINUTE, Contact, Desk, Policy, Priority, Rota, Shift, TopicRules
from routing.timers import timers
from tests.unit.routing.builders import BUSY as ENDLESS
from tests.unit.routing.builders import EN, JA, KENJI, THEFT, Talk, opening

TITLES = {
    Topic("account"): {"en": "Account opening", "ja": "口座開設"},
    Topic("transfers"): {"en": "Deposits and withdrawals", "ja": "入出金", "zh-Hans": "充值与提现"},
    THEFT: {"en": "A withdrawal I did not make"},
}
NEW_YEAR = "2026-01-01T03:00+09:00"


def ms(text: str) -> int:
    return parse_time(text)[0]


def span(begin: str, end: str) -> tuple[int, int]:
    return ms(begin), ms(end)


BUSY = replace(ENDLESS, rotas={"night": Rota((Shift(0, ms("2026-01-05T09:00+09:00"), KENJI),))})
OFFICE = Hours(
    (span("2025-12-31T09:00+09:00", "2025-12-31T18:00+09:00"), span("2026-01-02T09:00+09:00", "2026-01-02T18:00+09:00"))
)


def atlas(policy: Policy = BUSY, **zones: str) -> Atlas:
    policy = replace(policy, topics=tuple(TITLES))
    titles = {EN: {"en": "English"}, JA: {"en": "Japanese", "ja": "日本語"}}
    return Atlas(policy, titles, TITLES, {DeskId(name): zone for name, zone in zones.items()})


def asked(where: Atlas, language: str, topic: str = "", at: str = NEW_YEAR) -> dict[str, Any]:
    when, zone = parse_time(at)
    return explain(where, Question(language, topic, when, zone))


def told(where: Atlas, language: str, topic: str = "", at: str = NEW_YEAR) -> str:
    return "\n".join(lines(asked(where, language, topic, at)))


def at_office_hours(desk: DeskId, **changes: Any) -> Policy:
    desks = {**BUSY.desks, desk: replace(BUSY.desks[desk], hours=OFFICE, **changes)}
    return replace(BUSY, desks=desks)


# ------------------------------------------------------------------ word for word


def test_a_desk_that_is_open() -> None:
    assert told(atlas(), "en", "account") == (
        "en · Account opening (account) · Thu 1 Jan 2026 03:00 UTC+09:00\n"
        "desk       en: English (slack C-EN)\n"
        "why        speaks en, takes any topic\n"
        "not        ja: does not speak en, takes any topic\n"
        "not        withdrawals: speaks any language, does not take account\n"
        "hours      open around the clock\n"
        "promise    first response within 5m (wall time): due 03:05, warned 03:04\n"
        "promise    next response within 10m (business time)\n"
        "promise    resolution within 4h (business time): due 07:00, warned 06:00\n"
        "ladder     starts 03:05, when the first promise is missed; who takes it answers within 10m\n"
        "           1. thread 03:05\n"
        "           2. on call kenji 03:07, 2 times, every 1m\n"
        "           3. pager night 03:11, then every 5m\n"
        "on call    kenji until Mon 5 Jan 2026 09:00 (rota night)\n"
        "overflow   03:20 to ja (open)\n"
        "contact    help@example.com, offered 03:10"
    )


def test_a_desk_that_is_closed_says_when_it_opens_in_its_own_zone() -> None:
    policy = at_office_hours(JA, contact=Contact("ja@example.com", "+81 3-0000-0000"))
    rota = Rota((Shift(ms("2026-01-01T00:00Z"), ms("2026-01-02T00:00Z"), KENJI),))
    assert told(atlas(replace(policy, rotas={"night": rota}), ja="Asia/Tokyo"), "ja", at="2025-12-31T18:00Z") == (
        "ja · any topic · Thu 1 Jan 2026 03:00 Asia/Tokyo\n"
        "desk       ja: Japanese (slack C-JA)\n"
        "why        speaks ja, takes any topic\n"
        "not        en: does not speak ja, takes any topic\n"
        "not        withdrawals: speaks any language, does not take every topic\n"
        "hours      closed, opens Fri 2 Jan 2026 09:00\n"
        "promise    first response within 5m (wall time): due Fri 2 Jan 2026 09:05, warned Fri 2 Jan 2026 09:04\n"
        "promise    next response within 10m (business time)\n"
        "promise    resolution within 4h (business time): due Fri 2 Jan 2026 13:00, warned Fri 2 Jan 2026 12:00\n"
        "ladder     starts Fri 2 Jan 2026 09:05, when the first promise is missed; who takes it answers within 10m\n"
        "           1. thread Fri 2 Jan 2026 09:05\n"
        "           2. on call (nobody is) Fri 2 Jan 2026 09:07, 2 times, every 1m\n"
        "           3. pager night Fri 2 Jan 2026 09:11, then every 5m\n"
        "on call    nobody until 09:00 (rota night)\n"
        "overflow   Fri 2 Jan 2026 09:20 to en (open)\n"
        "contact    ja@example.com or +81 3-0000-0000, offered 03:10"
    )


def test_an_emergency_does_not_wait_for_the_morning() -> None:
    policy = at_office_hours(JA)
    assert told(atlas(policy, ja="Asia/Tokyo"), "ja", "theft") == (
        "ja · A withdrawal I did not make (theft) · Thu 1 Jan 2026 03:00 Asia/Tokyo\n"
        "desk       ja: Japanese (slack C-JA)\n"
        "why        speaks ja, takes any topic\n"
        "not        en: does not speak ja, takes any topic\n"
        "not        withdrawals: speaks any language, does not take theft\n"
        "hours      closed, opens Fri 2 Jan 2026 09:00\n"
        "priority   urgent: an emergency skips the queue, and its ladder starts at once\n"
        "promise    first response within 5m (wall time): due 03:05, warned 03:04\n"
        "promise    next response within 10m (business time)\n"
        "promise    resolution within 4h (business time): due Fri 2 Jan 2026 13:00, warned Fri 2 Jan 2026 12:00\n"
        "ladder     starts at once; who takes it answers within 10m\n"
        "           1. thread 03:00\n"
        "           2. on call kenji 03:02, 2 times, every 1m\n"
        "           3. pager night 03:06, then every 5m\n"
        "on call    kenji until Mon 5 Jan 2026 09:00 (rota night)\n"
        "overflow   Fri 2 Jan 2026 09:20 to en (open)\n"
        "contact    help@example.com, offered 03:10"
    )


def test_a_desk_of_nothing_but_a_name() -> None:
    bare = Policy({EN: Desk(EN, BUSY.desks[EN].network, BUSY.desks[EN].place)})
    assert told(Atlas(bare), "fr") == (
        "fr · any topic · Thu 1 Jan 2026 03:00 UTC+09:00\n"
        "desk       en: en (slack C-EN)\n"
        "why        speaks any language, takes any topic\n"
        "hours      open around the clock\n"
        "promise    none\n"
        "ladder     none: nobody is called"
    )


def test_what_a_topic_demands_is_told() -> None:
    rules = TopicRules(
        Topic("transfers"), identity_check=True, head_start=5 * MINUTE, priority=Priority.HIGH, hours=OFFICE
    )
    desks = {name: BUSY.desks[name] for name in (EN, JA)}
    said = told(atlas(replace(BUSY, desks=desks, topic_rules={rules.id: rules})), "fr", "transfers")
    assert "topic      closed, opens Fri 2 Jan 2026 09:00" in said
    assert "priority   high, a head start of 5m in the queue" in said
    assert "identity   checked by the site before it can be solved" in said
    assert "language   translated by machine, the original beside it" in said


def test_a_desk_that_is_open_for_now_says_until_when() -> None:
    assert "hours      open until 18:00\n" in told(atlas(at_office_hours(JA)), "ja", at="2025-12-31T12:00+09:00")


def test_a_ladder_without_a_promise_starts_by_hand() -> None:
    policy = at_office_hours(JA, promises=())
    said = told(atlas(policy), "ja")
    assert "ladder     starts by hand only; who takes it answers within 10m\n           1. thread after 0s" in said


def test_equals_are_told_apart_by_their_place_in_the_file() -> None:
    two = replace(BUSY, desks={name: replace(desk, languages=()) for name, desk in BUSY.desks.items()})
    assert "not        ja: speaks any language, takes any topic, no better, and written below it" in told(
        atlas(two), "en"
    )


# ------------------------------------------------------------------ it is what the rules do


@pytest.mark.parametrize("topic", ["account", "theft"])
@pytest.mark.parametrize("at", [NEW_YEAR, "2025-12-31T17:57+09:00", "2026-01-02T12:00+09:00"])
def test_the_ladder_and_the_overflow_come_when_it_says(topic: str, at: str) -> None:
    policy = at_office_hours(EN)
    answer = asked(atlas(policy), "en", topic, at)
    talk = Talk(policy, now=ms(at))
    talk.accepts(i.CustomerWrote(MessageId("c:1"), opening(topic=Topic(topic))), after=0)
    rungs = rungs_as_they_fire(talk, len(answer["ladder"]["rungs"]))
    assert rungs == [(rung["call"], ms(rung["at"])) for rung in answer["ladder"]["rungs"]]


@pytest.mark.parametrize("at", [NEW_YEAR, "2025-12-31T17:57+09:00", "2026-01-02T12:00+09:00"])
def test_the_overflow_comes_when_it_says(at: str) -> None:
    policy = at_office_hours(EN, promises=(), contact_after=None)
    answer = asked(atlas(policy), "en", "account", at)
    talk = Talk(policy, now=ms(at))
    talk.accepts(i.CustomerWrote(MessageId("c:1"), opening()), after=0)
    while not [fact for fact in talk.facts if isinstance(fact, f.SessionTransferred)]:
        let_the_next_deadline_fall(talk)
    assert talk.now == ms(answer["overflow"]["at"])
    assert talk.session is not None
    assert talk.session.desk == answer["overflow"]["to"]


def let_the_next_deadline_fall(talk: Talk) -> None:
    assert talk.session is not None
    talk.accepts(i.DeadlineFell(), after=min(timers(talk.session, talk.policy).values()) - talk.now)


def rungs_as_they_fire(talk: Talk, count: int) -> list[tuple[str, int]]:
    """The first time of each rung, by letting one deadline after another fall."""
    seen: dict[int, tuple[str, int]] = {}
    while len(seen) < count:
        let_the_next_deadline_fall(talk)
        for fact in talk.facts:
            if isinstance(fact, f.RungFired):
                seen.setdefault(fact.rung, (fact.kind, fact.at))
    return list(seen.values())


def test_promises_are_missed_when_it_says() -> None:
    answer = asked(atlas(), "en", "account")
    talk = Talk(BUSY, now=ms(NEW_YEAR))
    talk.accepts(i.CustomerWrote(MessageId("c:1"), opening()), after=0)
    talk.accepts(i.DeadlineFell(), after=5 * MINUTE)
    (missed,) = [fact for fact in talk.facts if isinstance(fact, f.PromiseMissed)]
    assert missed.at == ms(answer["promises"][0]["due"])


# ------------------------------------------------------------------ the question


@pytest.mark.parametrize(
    ("name", "topic"),
    [
        ("transfers", "transfers"),
        ("withdrawals", "transfers"),
        ("Account opening", "account"),
        ("入出金", "transfers"),
        ("提现", "transfers"),
        ("", ""),
    ],
)
def test_a_topic_is_found_by_its_id_or_a_word_of_its_title(name: str, topic: str) -> None:
    assert find_topic(name, atlas()) == topic


@pytest.mark.parametrize("name", ["tax", "a", "with"])
def test_a_topic_that_is_none_or_several_is_asked_for_again(name: str) -> None:
    several = atlas()
    several = replace(several, topic_titles={**TITLES, Topic("account"): {"en": "Open a"}})
    with pytest.raises(RouteError) as caught:
        find_topic(name, several)
    assert caught.value.mend == "choose from account, transfers, theft"


def test_a_moment_has_its_offset() -> None:
    assert parse_time("1970-01-01T01:00+01:00")[0] == 0
    assert parse_time("1970-01-01T00:00Z")[1].utcoffset(datetime.now(UTC)) == timedelta(0)


@pytest.mark.parametrize("text", ["tomorrow", "2026-01-01T03:00", "2026-01-01"])
def test_a_moment_without_its_offset_is_asked_for_again(text: str) -> None:
    with pytest.raises(RouteError) as caught:
        parse_time(text)
    assert "2026-01-01T03:00+09:00" in caught.value.mend


def test_the_answer_for_programs_has_whole_times() -> None:
    answer = asked(atlas(ja="Asia/Tokyo"), "ja")
    assert (answer["desk"], answer["at"], answer["zone"]) == ("ja", "2026-01-01T03:00:00+09:00", "Asia/Tokyo")
    assert answer["on_call"] == {"rota": "night", "operator": OperatorId("kenji"), "until": answer["on_call"]["until"]}
    assert answer["overflow"] == {
        "after": 20 * MINUTE,
        "at": "2026-01-01T03:20:00+09:00",
        "to": "en",
        "open": True,
    }
    assert answer["promises"][2]["within"] == 4 * HOUR


@pytest.mark.parametrize("language", ["english", "", "jp"])
def test_what_is_no_language_goes_nowhere(language: str) -> None:
    with pytest.raises(LanguageError, match="language"):
        asked(atlas(), language)


def test_a_language_is_understood_however_it_is_written() -> None:
    assert asked(atlas(), "JA")["desk"] == asked(atlas(), "ja")["desk"]
    assert asked(atlas(), "zh-hans")["language"] == "zh-Hans"
