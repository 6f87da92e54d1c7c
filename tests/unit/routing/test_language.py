"""Languages: what is offered, what follows a choice, and what of it both sides are told."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing import effects as e
from routing import facts as f
from routing import inputs as i
from routing.effects import Effect, kept_under
from routing.facts import Why
from routing.ids import DeskId, MessageId, NetworkName, Place, Topic
from routing.language import same_language
from routing.policy import MINUTE, Desk, Policy
from routing.session import State
from tests.unit.routing.builders import ACCOUNT, AIKO, BUSY, EN, JA, KENJI, POLICY, Talk, opened, opening, resolved

ZH = DeskId("zh")
CHINESE = Desk(ZH, NetworkName("slack"), Place("C-ZH"), languages=("zh",), fallbacks=(EN,), overflow_after=20 * MINUTE)
HOUSE = replace(POLICY, desks={EN: POLICY.desks[EN], JA: POLICY.desks[JA], ZH: CHINESE})
"""Desks for English, Japanese and Chinese, the last one with a way out to the first."""


def writes(talk: Talk, message: str) -> MessageId:
    talk.accepts(i.CustomerWrote(MessageId(message)))
    return MessageId(message)


def detects(talk: Talk, language: str, message: str) -> None:
    talk.hears(i.LanguageDetected(writes(talk, message), language))


def offers(talk: Talk) -> list[str]:
    return [fact.language for fact in talk.facts if isinstance(fact, f.LanguageOffered)]


def lines(talk: Talk) -> list[tuple[str, int]]:
    return [(effect.key, effect.mirror) for effect in talk.effects if isinstance(effect, e.PostLine)]


def a_talk(policy: Policy = HOUSE, **changed: object) -> Talk:
    talk = Talk(policy)
    talk.accepts(i.CustomerWrote(MessageId("c:first"), opening(**changed)))
    return talk


# ------------------------------------------------------------------ the offer


def test_who_writes_in_another_language_is_offered_it_and_not_moved() -> None:
    talk = a_talk(language="en")
    detects(talk, "ja", "c:1")
    assert offers(talk) == ["ja"]
    assert talk.notices()[-1] == "language_offered"
    assert talk.session
    assert (talk.session.language, talk.session.desk) == ("en", EN)


def test_each_language_is_offered_once() -> None:
    talk = a_talk(language="en")
    for number, language in enumerate(("ja", "ja", "zh-Hans", "zh-Hant", "ja", "zh-Hans")):
        detects(talk, language, f"c:{number}")
    assert offers(talk) == ["ja", "zh-Hans"]


@pytest.mark.parametrize(("chosen", "written"), [("en", "en"), ("zh-Hant", "zh-Hans"), ("zh-Hans", "zh-Hant")])
def test_the_same_language_is_no_news(chosen: str, written: str) -> None:
    talk = a_talk(language=chosen)
    detects(talk, written, "c:1")
    assert offers(talk) == []


def test_a_language_that_nobody_here_speaks_is_not_offered() -> None:
    talk = a_talk(language="en")
    detects(talk, "ko", "c:1")
    assert offers(talk) == []


def test_but_with_a_translator_it_is() -> None:
    talk = a_talk(replace(HOUSE, translates=True), language="en")
    detects(talk, "ko", "c:1")
    assert offers(talk) == ["ko"]


def test_an_operators_words_and_words_taken_back_offer_nothing() -> None:
    talk = a_talk(language="en")
    talk.accepts(i.OperatorReplied(MessageId("o:1"), AIKO))
    talk.hears(i.LanguageDetected(MessageId("o:1"), "ja"))
    message = writes(talk, "c:1")
    talk.accepts(i.CustomerWithdrew(message))
    talk.hears(i.LanguageDetected(message, "ja"))
    assert offers(talk) == []


LANGUAGES = st.sampled_from(["en", "ja", "ko", "zh-Hans", "zh-Hant"])


@given(st.lists(LANGUAGES, max_size=12), st.sampled_from(["en", "ja", "zh-Hans"]))
def test_whatever_is_written_nobody_is_moved_and_nothing_is_offered_twice(written: list[str], chosen: str) -> None:
    talk = a_talk(language=chosen)
    before = talk.session
    for number, language in enumerate(written):
        detects(talk, language, f"c:{number}")
    assert before
    assert talk.session
    assert (talk.session.language, talk.session.desk) == (chosen, before.desk)
    bases = [one.split("-")[0] for one in offers(talk)]
    assert len(bases) == len(set(bases))
    assert not any(same_language(one, chosen) for one in offers(talk))


# ------------------------------------------------------------------ the switch


def test_a_choice_moves_to_the_desk_that_speaks_it_and_both_sides_are_told() -> None:
    talk = a_talk(language="en")
    session = talk.accepts(i.CustomerChoseLanguage("ja"))
    assert (session.language, session.desk, session.state) == ("ja", JA, State.QUEUED)
    assert talk.notices()[-2:] == ["language_changed", "moved_language"]
    assert lines(talk) == [("language_changed", 1), ("moved", 1), ("language_changed", 2)]


def test_the_assignee_of_another_desk_lets_go_and_one_who_works_there_too_stays() -> None:
    policy = replace(
        HOUSE, operators={AIKO: replace(HOUSE.operators[AIKO], desks=(EN,)), KENJI: HOUSE.operators[KENJI]}
    )
    for operator, state in ((AIKO, State.QUEUED), (KENJI, State.ASSIGNED)):
        talk = a_talk(policy, language="en")
        talk.accepts(i.OperatorClaimed(operator))
        assert talk.accepts(i.CustomerChoseLanguage("ja")).state is state


def test_a_choice_of_a_language_that_the_desk_speaks_moves_nobody() -> None:
    talk = a_talk(language="zh-Hans")
    session = talk.accepts(i.CustomerChoseLanguage("zh-Hant"))
    assert (session.desk, len(session.mirrors)) == (ZH, 1)
    assert talk.notices()[-1] == "language_changed"


def test_a_choice_of_a_language_of_no_desk_stays_where_it_is() -> None:
    session = a_talk(language="en").accepts(i.CustomerChoseLanguage("ko"))
    assert (session.language, session.desk) == ("ko", EN)


def test_the_choice_made_already_changes_nothing() -> None:
    a_talk(language="en").ignores(i.CustomerChoseLanguage("en"))


def test_a_resolved_session_takes_the_language_and_stays() -> None:
    talk = resolved()
    session = talk.accepts(i.CustomerChoseLanguage("ja"))
    assert (session.language, session.desk, session.state) == ("ja", EN, State.RESOLVED)


# ------------------------------------------------------------------ overflow


def test_overflow_between_languages_is_told_to_the_customer_and_to_both_desks() -> None:
    talk = a_talk(language="zh-Hans")
    assert talk.session
    assert talk.session.desk == ZH
    session = talk.accepts(i.DeadlineFell(), after=20 * MINUTE)
    assert (session.desk, session.language) == (EN, "zh-Hans")
    assert talk.notices()[-1] == "overflowed"
    assert lines(talk) == [("moved", 1), ("overflowed", 2)]
    told = [effect.words for effect in talk.effects if isinstance(effect, e.PostLine)][-1]
    assert told == {"from_desk": "zh", "language": "zh-Hans"}


def test_overflow_to_a_desk_in_the_same_place_is_told_there() -> None:
    there = HOUSE.desks[ZH]
    policy = replace(HOUSE, desks={**HOUSE.desks, EN: replace(HOUSE.desks[EN], place=there.place)})
    talk = a_talk(policy, language="zh-Hans")
    talk.accepts(i.DeadlineFell(), after=20 * MINUTE)
    assert lines(talk) == [("overflowed", 1)]


def test_what_overflowed_does_not_wander_on() -> None:
    talk = a_talk(BUSY, language="en")
    for _ in range(5):
        talk.hears(i.DeadlineFell(), after=30 * MINUTE)
    moves = [fact for fact in talk.facts if isinstance(fact, f.SessionTransferred) and fact.why is Why.OVERFLOW]
    assert len(moves) == 1


# ------------------------------------------------------------------ translation

TRANSLATING = replace(HOUSE, translates=True)
"""Sessions in Korean come to the English desk, which is the first."""


def foreign(policy: Policy = TRANSLATING) -> Talk:
    return a_talk(policy, language="ko", topic=Topic("account"))


def asked(effects: list[Effect]) -> list[tuple[str, int, str]]:
    return [(one.message, one.revision, one.language) for one in effects if isinstance(one, e.TranslateMessage)]


def shown(talk: Talk) -> list[tuple[str, int, str]]:
    return [(one.message, one.revision, one.language) for one in talk.effects if isinstance(one, e.PostTranslation)]


def taken_back(talk: Talk) -> list[str]:
    return [kept_under(one) for one in talk.effects if isinstance(one, e.WithdrawTranslation)]


def test_each_sides_words_are_translated_for_the_other() -> None:
    talk = foreign()
    talk.accepts(i.OperatorReplied(MessageId("o:1"), AIKO))
    assert asked(talk.effects) == [("c:first", 0, "en"), ("o:1", 0, "ko")]
    assert {one.to for one in talk.effects if isinstance(one, e.TranslateMessage)} == {"translation"}


def test_a_note_is_never_asked_for() -> None:
    talk = foreign()
    talk.accepts(i.OperatorNoted(MessageId("n:1"), AIKO))
    talk.accepts(i.OperatorRevised(MessageId("n:1"), AIKO, 1))
    assert asked(talk.effects) == [("c:first", 0, "en")]
    talk.ignores(i.MessageTranslated(MessageId("n:1"), 1, "ko"))


@pytest.mark.parametrize("policy", [HOUSE, replace(TRANSLATING, desks={EN: replace(HOUSE.desks[EN], languages=())})])
def test_nothing_is_asked_for_without_a_translator_or_where_the_desk_speaks_it(policy: Policy) -> None:
    assert asked(foreign(policy).effects) == []


def test_a_translation_is_shown_beside_its_original_on_both_sides() -> None:
    talk = foreign()
    talk.accepts(i.OperatorReplied(MessageId("o:1"), AIKO))
    talk.accepts(i.MessageTranslated(MessageId("c:first"), 0, "en"))
    before = len(talk.customer_saw())
    talk.accepts(i.MessageTranslated(MessageId("o:1"), 0, "ko"))
    assert shown(talk) == [("c:first", 0, "en"), ("o:1", 0, "ko")]
    assert len(talk.customer_saw()) == before + 1  # the customer sees the reply's, and not that of their own words


def test_a_translation_of_words_that_have_changed_since_is_dropped() -> None:
    talk = foreign()
    talk.accepts(i.CustomerRevised(MessageId("c:first"), 1))
    talk.ignores(i.MessageTranslated(MessageId("c:first"), 0, "en"))
    assert asked(talk.effects)[-1] == ("c:first", 1, "en")
    talk.accepts(i.CustomerWithdrew(MessageId("c:first")))
    talk.ignores(i.MessageTranslated(MessageId("c:first"), 1, "en"))


def test_words_that_are_taken_back_are_taken_back_in_both_languages() -> None:
    talk = foreign()
    talk.accepts(i.MessageTranslated(MessageId("c:first"), 0, "en"))
    talk.accepts(i.CustomerWithdrew(MessageId("c:first")))
    assert taken_back(talk) == ["t:en:c:first"]


def test_a_closed_session_takes_no_translation_any_more() -> None:
    talk = foreign()
    talk.accepts(i.ErasureOrdered())
    talk.ignores(i.MessageTranslated(MessageId("c:first"), 0, "en"))
    talk.ignores(i.MessageNotTranslated(MessageId("c:first"), 0, "en", i.Untranslated.UNAVAILABLE))


def test_the_desk_is_told_once_that_the_translator_is_away_and_anew_after_it_was_back() -> None:
    talk = foreign()
    for number, why in enumerate(("unavailable", "unavailable", "", "unavailable", "altered")):
        message = writes(talk, f"c:{number}")
        outcome: i.Input = i.MessageTranslated(message, 0, "en")
        if why:
            outcome = i.MessageNotTranslated(message, 0, "en", i.Untranslated(why))
        talk.accepts(outcome)
    told = [key for key, _ in lines(talk)]
    assert told == ["untranslated_unavailable", "untranslated_unavailable", "untranslated_altered"]
    assert not [event for event in talk.customer_saw() if "untranslated" in str(event)]


def test_a_desk_that_takes_over_gets_what_is_waiting_in_its_own_language() -> None:
    talk = a_talk(TRANSLATING, language="zh-Hans")
    writes(talk, "c:1")
    talk.accepts(i.OperatorNoted(MessageId("n:1"), AIKO))
    assert asked(talk.effects) == []
    talk.accepts(i.DeadlineFell(), after=20 * MINUTE)
    assert asked(talk.effects) == [("c:first", 0, "en"), ("c:1", 0, "en")]


def test_what_was_answered_before_is_not_translated_for_it() -> None:
    talk = a_talk(TRANSLATING, language="zh-Hans")
    talk.accepts(i.OperatorReplied(MessageId("o:1"), AIKO))
    writes(talk, "c:1")
    talk.accepts(i.OperatorTransferred(AIKO, EN))
    assert asked(talk.effects) == [("c:1", 0, "en")]


def test_a_talk_in_one_language_knows_nothing_of_all_this() -> None:
    assert asked(opened(language="en", topic=ACCOUNT).effects) == []


@given(st.lists(st.sampled_from(["write", "translate", "miss", "revise", "withdraw", "note", "reply"]), max_size=25))
def test_no_translation_outlives_or_precedes_its_words(steps: list[str]) -> None:
    """Whatever comes in whatever order: only words that stand now, and no note, are ever shown translated."""
    talk, spoken = foreign(), ["c:first"]
    for number, step in enumerate(steps):
        last = MessageId(spoken[-1])
        known = talk.session.spoken(last) if talk.session else None
        revision = known.revision if known else 0
        happenings: dict[str, i.Input] = {
            "write": i.CustomerWrote(MessageId(f"c:{number}")),
            "reply": i.OperatorReplied(MessageId(f"o:{number}"), AIKO),
            "note": i.OperatorNoted(MessageId(f"n:{number}"), AIKO),
            "translate": i.MessageTranslated(last, revision, "en"),
            "miss": i.MessageNotTranslated(last, revision, "en", i.Untranslated.REFUSED),
            "revise": i.CustomerRevised(last, revision + 1),
            "withdraw": i.CustomerWithdrew(last),
        }
        before = len(talk.effects)
        talk.hears(happenings[step])
        spoken += [f"{step[0] if step != 'write' else 'c'}:{number}"] if step in ("write", "note", "reply") else []
        for effect in talk.effects[before:]:
            if isinstance(effect, e.PostTranslation):
                assert known
                assert (known.withdrawn, known.revision) == (False, effect.revision)
                assert known.side != "note"
    assert not [one for one in asked(talk.effects) if one[0].startswith("n:")]
    assert talk.retold() == talk.session
