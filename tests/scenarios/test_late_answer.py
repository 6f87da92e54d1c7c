"""A late answer, and a dead Redis, call people through PagerDuty: the whole service, as it is run."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bridge.cli.command import Status
from tests.scenarios.stage import Stage, stage
from tests.service import until
from tests.simulators.pagerduty import PagerDutySimulator, Person, running

OWNER = Person("POWNER1", "The Owner")
SETTINGS = """
[pagers.night]
kind = "pagerduty"
routing_key = "{key}"
webhook_secret = "{secret}"
api_url = "{url}/"
people = {{ POWNER1 = "owner" }}

[health]
store_down = "1s"

[desks.ja]
languages = ["ja"]

[topics]
transfers = {{ ja = "入出金", en = "Transfers" }}

[every_desk.promises]
first_response = {{ within = "1s", clock = "wall" }}

[every_desk.ladder]
rungs = [{{ call = "pager", to = "night", every = "10m" }}]
"""


@asynccontextmanager
async def with_pager(folder: Path) -> AsyncIterator[tuple[Stage, PagerDutySimulator]]:
    async with running() as duty:
        text = SETTINGS.format(key=duty.routing_key, secret=duty.secrets[0], url=duty.url)
        (folder / "kakehashi.toml").write_text(text, encoding="utf-8")
        async with stage(folder) as one:
            duty.webhook_url = f"{one.house.url}/oncall/pagerduty"
            yield one, duty


async def test_a_late_answer_rings_is_taken_and_ends_with_the_answer(tmp_path: Path) -> None:
    async with with_pager(tmp_path) as (scene, duty), scene.customer(locale="ja").online() as customer:
        await customer.write("助けてください", language="ja", topic="transfers")
        await until(duty.open, "it rings")
        (incident,) = duty.open()
        assert incident.summaries[0].startswith("ja · transfers · waiting since ")
        assert incident.link.startswith(f"{scene.house.url}/console/#")
        assert incident.link.endswith(customer.code)
        await until(lambda: "escalated" in customer.notices(), "the customer hears of a specialist")
        await duty.acknowledge(incident, OWNER)
        assert duty.answers == [200]
        await until(lambda: "escalation_taken" in customer.notices(), "the customer hears that it is taken")
        await scene.operator.reply(await scene.operator.session_of(customer.code), "佐藤です")
        await until(lambda: incident.status == "resolved", "the page is resolved")
        assert duty.rings() == 1


async def test_a_redis_that_hangs_is_paged_and_its_return_resolves_the_page(tmp_path: Path) -> None:
    async with with_pager(tmp_path) as (scene, duty):
        pid = scene.house.redis_pid()
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            await until(duty.open, "operations are called")
        finally:
            os.kill(pid, signal.SIGCONT)
        (incident,) = duty.open()
        assert "Redis has not answered since " in incident.summaries[0]
        assert incident.severity == "critical"
        await until(lambda: incident.status == "resolved", "it is well again")


async def test_a_test_page_rings_and_ends_without_the_service(tmp_path: Path) -> None:
    async with with_pager(tmp_path) as (scene, duty):
        house = scene.house
        said = await house.command("page", "--test", "night")
        assert said.status == Status.DONE
        (incident,) = duty.open()
        assert "A test page of Kakehashi" in incident.summaries[0]
        await house.command("page", "--test", "night", "--end")
        assert duty.open() == []
        assert (await house.command("page", "--test", "day")).status == Status.FAILED


@pytest.mark.parametrize("secret", ["wrong", ""])
async def test_a_forged_acknowledgement_takes_nothing(tmp_path: Path, secret: str) -> None:
    async with with_pager(tmp_path) as (scene, duty), scene.customer(locale="ja").online() as customer:
        await customer.write("助けてください", language="ja", topic="transfers")
        await until(lambda: "escalated" in customer.notices(), "it rings")
        duty.secrets = [secret]
        await duty.acknowledge(duty.incidents[0], OWNER)
        assert duty.answers == [401]
        assert "escalation_taken" not in customer.notices()
