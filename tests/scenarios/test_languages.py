"""Two people without a common language, through the whole service: each reads the other, and neither ever waits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.scenarios.customer import Customer, text_of
from tests.scenarios.operator import Operator
from tests.scenarios.stage import Stage, stage
from tests.service import until
from tests.simulators.libretranslate import LibreTranslateSimulator, Mood

TXID = "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"
ONE_DESK = """
[desks.en]
network = "console"
languages = ["en"]
"""
TWO_DESKS = """
[desks.en]
network = "console"
languages = ["en"]

[desks.ja]
network = "console"
languages = ["ja"]
"""


def ruled(folder: Path, policy: str) -> Path:
    """A folder with this policy in its kakehashi.toml."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "kakehashi.toml").write_text(policy, encoding="utf-8")
    return folder


def translations(one: Customer) -> list[str]:
    return [text_of(event["parts"]) for event in one.events.values() if event["kind"] == "translation"]


async def beside(operator: Operator, session: str) -> list[dict[str, Any] | None]:
    """What a machine made of each message, as the desk shows it."""
    return [line["translation"] for line in await operator._lines(session) if "side" in line]


async def greeted(on: Stage, one: Customer, text: str) -> str:
    await one.write(text)
    await one.is_heard()
    return await on.operator.session_of(one.code)


async def test_a_customer_and_an_operator_without_a_common_language_understand_each_other(tmp_path: Path) -> None:
    async with LibreTranslateSimulator() as server:
        settings = {"TRANSLATION__URL": server.url}
        async with (
            stage(ruled(tmp_path / "on", ONE_DESK), **settings) as on,
            on.customer(locale="zh-Hans").online() as one,
        ):
            session = await greeted(on, one, f"提现不到账 {TXID}")
            await on.operator.note(session, "ask for the canary")
            await on.operator.reply(session, "We will look at it.")
            await one.reads("We will look at it.")
            await until(lambda: translations(one) == ["zh-Hans: We will look at it."], "the customer reads it")
            made = await beside(on.operator, session)
            assert made == [
                {"language": "en", "text": f"en: 提现不到账 {TXID}"},
                None,
                {"language": "zh-Hans", "text": "zh-Hans: We will look at it."},
            ]
            assert TXID not in str(server.asked)
            assert "canary" not in str(server.asked)


async def test_a_translator_that_hangs_delays_nobody(tmp_path: Path) -> None:
    async with LibreTranslateSimulator() as server:
        server.mood = Mood.HANG
        settings = {"TRANSLATION__URL": server.url}
        async with (
            stage(ruled(tmp_path / "on", ONE_DESK), **settings) as on,
            on.customer(locale="zh-Hans").online() as one,
        ):
            session = await greeted(on, one, "提现不到账")
            for number in range(5):
                await one.write(f"有人吗 {number}")
                await on.operator.reply(session, f"yes {number}")
                await one.reads(f"yes {number}")
            await until(lambda: server.asked, "it was asked, and has not answered")
            assert translations(one) == []


async def test_who_writes_japanese_on_an_english_page_is_offered_japanese_and_moved_when_they_agree(
    tmp_path: Path,
) -> None:
    async with stage(ruled(tmp_path / "on", TWO_DESKS)) as on, on.customer(locale="en").online() as one:
        session = await greeted(on, one, "入金が反映されません")
        await one.is_told("language_offered")
        assert "moved_language" not in one.notices()
        await one.act("choose_language", language="ja")
        await one.is_told("moved_language")
        assert (await on.operator.told(session)).count("language_offered") == 1
