"""Three languages, each at its desk; and two people without a common one: each reads the other, and neither waits."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.scenarios.customer import Customer, text_of
from tests.scenarios.desks import at_work
from tests.scenarios.stage import Stage, stage
from tests.service import until
from tests.simulators.libretranslate import LibreTranslateSimulator, Mood

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("desks")]

TXID = "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"
GREETINGS = {"en": ("en", "good morning"), "ja": ("ja", "おはようございます"), "zh": ("zh-Hant", "您早，我想請問一下")}
"""By desk: a customer's language and words."""


def translations(one: Customer) -> list[str]:
    return [text_of(event["parts"]) for event in one.events.values() if event["kind"] == "translation"]


async def test_each_language_reaches_its_own_desk_and_is_answered_from_there(shared: Stage) -> None:
    async with AsyncExitStack() as stack:
        for desk, (language, words) in GREETINGS.items():
            here = shared.visit(desk, words, locale=language, language=language, topic="other")
            one = await stack.enter_async_context(here)
            await shared.desk.comes_to(one.code, desk)
            await shared.desk.shows(one.code, words)
            await shared.desk.say(one.code, f"answered at {desk}")
            await one.reads(f"answered at {desk}")


async def test_a_customer_and_an_operator_without_a_common_language_understand_each_other(
    shared: Stage, translator: LibreTranslateSimulator
) -> None:
    desk = shared.desk
    words, answer = f"提现不到账 {TXID}", "We will look at it."
    async with shared.visit("abroad", words, locale="zh-Hans", language="zh-Hans", topic="abroad") as one:
        await desk.comes_to(one.code, "en")
        await desk.shows(one.code, words, f"en: {words}")
        await desk.note(one.code, "ask for the canary")
        await desk.say(one.code, answer)
        await one.reads(answer)
        await until(lambda: translations(one) == [f"zh-Hans: {answer}"], "the customer reads it")
        await desk.shows(one.code, f"zh-Hans: {answer}")
        assert TXID not in str(translator.asked)
        assert "canary" not in str(translator.asked)


async def test_who_writes_japanese_on_an_english_page_is_offered_japanese_and_moved_when_they_agree(
    shared: Stage,
) -> None:
    async with shared.visit("in Japanese", "入金が反映されません") as one:
        await shared.desk.comes_to(one.code, "en")
        await one.is_told("language_offered")
        assert "moved_language" not in one.notices()
        await one.act("choose_language", language="ja")
        await one.is_told("moved_language")
        await shared.desk.comes_to(one.code, "ja")
        await shared.desk.shows(one.code, "入金が反映されません")


async def test_a_translator_that_hangs_delays_nobody(tmp_path: Path) -> None:
    """Told once: a translation has a lane of its own, whichever network the original goes to."""
    async with LibreTranslateSimulator() as server, at_work("console") as desk:
        server.mood = Mood.HANG
        rules = {"support": 'languages = ["en"]'}
        async with (
            stage(tmp_path, desk, desks=rules, TRANSLATION__URL=server.url) as on,
            on.visit("abroad", "提现不到账", locale="zh-Hans") as one,
        ):
            for number in range(5):
                await one.write(f"有人吗 {number}")
                await desk.say(one.code, f"yes {number}")
                await one.reads(f"yes {number}")
            await until(lambda: server.asked, "it was asked, and has not answered")
            assert translations(one) == []
