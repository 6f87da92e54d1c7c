"""The adapter against the simulator: each way in which the server can fail, said in our words."""

from __future__ import annotations

import pytest

from adapters.translation.libretranslate import LibreTranslate
from bridge.translation import TranslatorError
from tests.simulators.libretranslate import Asked, LibreTranslateSimulator, Mood
from tests.simulators.libretranslate.simulator import OLD

SHORT = 0.2
"""Seconds: a deadline that a hanging server is to miss."""


async def failure(server: LibreTranslateSimulator, *, key: str = "", target: str = "en", timeout: float = 8.0) -> str:
    """What a translation fails with, as "code later?"."""
    translator = LibreTranslate(server.url, key, timeout)
    try:
        with pytest.raises(TranslatorError) as caught:
            await translator.translate("出金できません", "ja", target)
    finally:
        await translator.close()
    return f"{caught.value.code} {'later' if caught.value.later else 'never'}"


async def test_a_text_goes_out_as_the_api_wants_it_and_comes_back() -> None:
    async with LibreTranslateSimulator(keys=("k",)) as server:
        translator = LibreTranslate(server.url, "k")
        assert await translator.translate("出金できません", "ja", "en") == "en: 出金できません"
        assert server.asked == [Asked("出金できません", "ja", "en", "k")]
        await translator.close()


@pytest.mark.parametrize(
    ("languages", "source", "target", "pair"),
    [
        (("en", "zh-Hans", "zh-Hant"), "zh-Hant", "en", ("zh-Hant", "en")),
        (OLD, "zh-Hans", "en", ("zh", "en")),
        (OLD, "en", "zh-Hant", ("en", "zt")),
        (("en", "zh"), "zh-Hant", "en", ("zh", "en")),
    ],
)
async def test_chinese_is_spelt_as_the_server_spells_it(
    languages: tuple[str, ...], source: str, target: str, pair: tuple[str, str]
) -> None:
    async with LibreTranslateSimulator(languages=languages, targets=False) as server:
        translator = LibreTranslate(server.url)
        await translator.translate("x", source, target)
        assert (server.asked[0].source, server.asked[0].target) == pair
        await translator.close()


async def test_simplified_is_not_passed_off_as_traditional() -> None:
    async with LibreTranslateSimulator(languages=("ja", "zh")) as server:
        assert await failure(server, target="zh-Hant") == "unsupported never"
        assert not server.asked


@pytest.mark.parametrize(
    ("mood", "failed"),
    [
        (Mood.BREAK, "status_500 later"),
        (Mood.SLOWDOWN, "slowdown later"),
        (Mood.BANNED, "forbidden later"),
        (Mood.HTML, "not_json later"),
        (Mood.MOVED, "redirected later"),
        (Mood.HUGE, "too_large never"),
        (Mood.NO_TEXT, "garbled never"),
        (Mood.LIST, "garbled never"),
    ],
)
async def test_every_way_to_fail_has_a_name(mood: Mood, failed: str) -> None:
    async with LibreTranslateSimulator() as server:
        server.mood = mood
        assert await failure(server) == failed


async def test_a_server_that_hangs_is_given_up() -> None:
    async with LibreTranslateSimulator() as server:
        server.mood = Mood.HANG
        assert await failure(server, timeout=SHORT) == "timeout later"


async def test_a_cut_answer_and_a_closed_port_are_worth_another_attempt() -> None:
    async with LibreTranslateSimulator() as server:
        server.mood = Mood.CUT
        assert (await failure(server)).endswith(" later")
    assert (await failure(server)).endswith(" later")


async def test_it_waits_as_long_as_it_is_told() -> None:
    async with LibreTranslateSimulator() as server:
        server.mood = Mood.WAIT
        translator = LibreTranslate(server.url)
        with pytest.raises(TranslatorError) as caught:
            await translator.translate("出金", "ja", "en")
        assert caught.value.retry_after == 1.0
        await translator.close()


async def test_a_key_that_is_missing_or_wrong_is_a_matter_of_the_settings() -> None:
    async with LibreTranslateSimulator(keys=("right",)) as server:
        assert await failure(server) == "key_needed later"
        assert await failure(server, key="wrong") == "forbidden later"


async def test_a_text_beyond_the_servers_limit_is_not_sent_again() -> None:
    async with LibreTranslateSimulator(limit=3) as server:
        assert await failure(server) == "too_long never"


async def test_what_goes_wrong_names_no_words_of_the_text() -> None:
    async with LibreTranslateSimulator(limit=3) as server:
        translator = LibreTranslate(server.url)
        with pytest.raises(TranslatorError) as caught:
            await translator.translate("出金できません", "ja", "en")
        assert "出金" not in f"{caught.value} {caught.value.mend}"
        await translator.close()
