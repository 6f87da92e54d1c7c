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

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("desks")]

KENJI, OWNER = Person("PKENJI1", "Kenji"), Person("POWNER1", "The Owner")
SETTINGS = """
[pagers.night]
kind = "pagerduty"
routing_key = "{key}"
webhook_secret = "{secret}"
api_url = "{url}/"
people = {{ POWNER1 = "owner" }}

[health]
store_down = "1s"

[every_desk.promises]
first_response = {{ within = "1s", clock = "wall" }}

[every_desk.ladder]
rungs = [{{ call = "pager", to = "night", every = "10m" }}]
"""


async def test_a_late_answer_rings_is_taken_and_ends_with_the_answer(shared: Stage, duty: PagerDutySimulator) -> None:
    rung = duty.rings()
    async with shared.visit("late", "助けてください", locale="ja", language="ja", topic="night") as customer:
        await until(duty.open, "it rings")
        (incident,) = duty.open()
        assert incident.summaries[0].startswith("ja · night · waiting since ")
        assert incident.link.startswith("http")
        await customer.is_told("escalated")
        await duty.acknowledge(incident, KENJI)
        assert duty.answers[-1] == 200
        await customer.is_told("escalation_taken")
        await shared.desk.say(customer.code, "佐藤です")
        await customer.reads("佐藤です")
        await until(lambda: incident.status == "resolved", "the page is resolved")
        assert duty.rings() == rung + 1


# ------------------------------------------------------------------ about the pager, wherever operators work


@asynccontextmanager
async def with_pager(folder: Path) -> AsyncIterator[tuple[Stage, PagerDutySimulator]]:
    async with running() as duty:
        text = SETTINGS.format(key=duty.routing_key, secret=duty.secrets[0], url=duty.url)
        (folder / "kakehashi.toml").write_text(text, encoding="utf-8")
        async with stage(folder) as one:
            duty.webhook_url = f"{one.house.url}/oncall/pagerduty"
            yield one, duty


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


async def test_a_forged_acknowledgement_takes_nothing(tmp_path: Path) -> None:
    async with with_pager(tmp_path) as (scene, duty), scene.visit("late", "助けてください") as customer:
        await customer.is_told("escalated")
        await until(duty.open, "it rings")
        (incident,) = duty.open()
        duty.secrets = ["wrong"]
        await duty.acknowledge(incident, OWNER)
        duty.secrets = [""]
        await duty.resolve(incident, OWNER)
        assert duty.answers == [401, 401]
        assert "escalation_taken" not in customer.notices()
