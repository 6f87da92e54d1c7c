"""A new policy without a restart, on real processes: it reaches all of them, and a broken one reaches none."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from bridge.cli.command import Status
from routing.ids import SessionId
from tests.scenarios.customer import Customer
from tests.scenarios.stage import Stage, stage
from tests.service import Installation, until

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("desks")]

ONE_DESK = '[desks.en]\nlanguages = ["en"]\n[topics]\nother = { en = "Other" }\n'
TWO_DESKS = ONE_DESK + '[desks.ja]\nlanguages = ["ja"]\n'
BROKEN = TWO_DESKS + 'rota = "night"\n'


async def test_a_new_policy_reaches_every_process_and_a_broken_one_reaches_none(tmp_path: Path) -> None:
    policy = tmp_path / "kakehashi.toml"
    policy.write_text(ONE_DESK)
    async with stage(tmp_path, processes=2) as on:
        house, (first, second) = on.house, on.house.processes

        async def desk_of(name: str, url: str) -> tuple[str, str]:
            """Somebody Japanese comes to this process: their session and its desk."""
            async with Customer(on.http, [url], name, locale="ja").online() as one:
                await one.write("こんにちは", language="ja", topic="other")
                await one.is_heard()
                session = await on.operator.session_of(one.code)
            async with house.books() as store:
                stored = await store.load(SessionId(session))
            assert stored is not None
            return session, stored.session.desk

        async def both_go_by_it() -> bool:
            """Both hold leases by now, so both are asked."""
            said = await house.command("reload")
            return said.status == Status.DONE and said.out.count("goes by the new policy") == 2

        early, desk = await desk_of("early", first.url)
        assert desk == "en"

        policy.write_text(TWO_DESKS)
        await until(both_go_by_it, "both processes go by the new policy")
        assert (await desk_of("a", first.url))[1] == "ja"
        assert (await desk_of("b", second.url))[1] == "ja"
        await on.operator.reply(early, "still here")  # what was under way goes on

        policy.write_text(BROKEN)
        refused = await house.command("reload")
        assert refused.status == Status.SETTINGS
        assert "desks.ja.rota: there is no rota night" in refused.err
        second.process.send_signal(signal.SIGHUP)
        await until(lambda: "policy_refused" in second.errors(), "the second process refuses the broken policy")
        assert "there is no rota night" in second.errors()
        assert (await desk_of("c", second.url))[1] == "ja"
        assert first.lives
        assert second.lives


async def test_a_desk_that_a_reload_brings_takes_its_sessions_at_once(shared: Stage) -> None:
    """Its channel, forum or list was not there when the service came up."""
    policy = shared.house.folder / "kakehashi.toml"
    fresh = f'\n[desks.fresh]\n{shared.desk.place("fresh")}\nlanguages = ["en"]\ntopics = ["fresh"]\n'
    policy.write_text(policy.read_text(encoding="utf-8") + fresh, encoding="utf-8")

    async def is_read() -> bool:
        """One that was killed in another story may still be waited for."""
        return (await shared.house.command("reload")).status == Status.DONE

    await until(is_read, "every process has read it")
    async with shared.visit("fresh", topic="fresh") as one:
        await shared.desk.comes_to(one.code, "fresh")
        await shared.desk.say(one.code, "here we are")
        await one.reads("here we are")


async def test_where_nothing_runs_a_reload_is_left_to_the_next_start(tmp_path: Path) -> None:
    async with Installation(tmp_path) as house:
        said = await house.command("reload")
        assert said.status == Status.DONE
        assert said.out.splitlines()[-1] == "no process is running; the next one reads it as it starts"


async def test_route_needs_no_service_and_leaves_nothing_behind(tmp_path: Path) -> None:
    async with Installation(tmp_path) as house:
        asked = ("route", "--language", "zh", "--topic", "withdrawals", "--at", "2026-01-01T03:00+09:00")
        for_people = await house.command(*asked)
        assert for_people.out.startswith(
            "zh · Deposits and withdrawals (transfers) · Thu 1 Jan 2026 03:00 UTC+09:00\n"
            "desk       zh: Chinese (console zh)\n"
            "why        speaks zh, takes any topic\n"
            "not        en: does not speak zh, takes any topic\n"
            "not        ja: does not speak zh, takes any topic\n"
            "hours      open around the clock\n"
            "promise    first response within 5m (business time): due 03:05, warned 03:04\n"
        )
        assert "overflow   03:10 to en (open)\n" in for_people.out
        for_programs = json.loads(await house.answer(*asked, "--json"))
        assert (for_programs["desk"], for_programs["topic"]) == ("zh", "transfers")
        assert (await house.command("route", "--language", "zh", "--topic", "tax")).status == Status.FAILED
        assert not house.data.exists()
