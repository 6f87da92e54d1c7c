"""What the scenarios share; most of all one service for each network, on which its stories are told."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.browser.conftest import browser, new_context
from tests.scenarios.desks import NETWORKS, at_work
from tests.scenarios.stage import Stage, stage
from tests.simulators.libretranslate import LibreTranslateSimulator
from tests.simulators.pagerduty import PagerDutySimulator, running

__all__ = ["browser", "new_context"]  # the fixtures of the scenarios that a person sees

DESKS = {
    "en": 'languages = ["en"]',
    "ja": 'languages = ["ja"]',
    "zh": 'languages = ["zh"]\ntopics = ["other"]',
    "night": 'languages = ["ja"]\ntopics = ["night"]\n'
    'promises = { first_response = { within = "1s", clock = "wall" } }\n'
    'ladder = { rungs = [{ call = "pager", to = "night", every = "10m" }] }',
}
REST = """
[every_desk.ladder]
rungs = [{{ call = "thread", every = "10m" }}]

[topics]
other = {{ en = "Something else" }}
abroad = {{ en = "Abroad" }}
night = {{ en = "At night" }}
fresh = {{ en = "Fresh" }}

[pagers.night]
kind = "pagerduty"
routing_key = "{key}"
webhook_secret = "{secret}"
api_url = "{url}/"
people = {{ PKENJI1 = "{operator}" }}
"""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def translator() -> AsyncIterator[LibreTranslateSimulator]:
    async with LibreTranslateSimulator() as server:
        yield server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def duty() -> AsyncIterator[PagerDutySimulator]:
    async with running() as simulator:
        yield simulator


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=NETWORKS)
async def shared(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    translator: LibreTranslateSimulator,
    duty: PagerDutySimulator,
) -> AsyncIterator[Stage]:
    """The service of a network, with several desks; each story has customers of its own."""
    async with at_work(request.param) as desk:
        told = REST.format(key=duty.routing_key, secret=duty.secrets[0], url=duty.url, operator=desk.operator)
        folder = tmp_path_factory.mktemp(desk.network)
        async with stage(folder, desk, desks=DESKS, rest=told, TRANSLATION__URL=translator.url) as one:
            duty.webhook_url = f"{one.house.url}/oncall/pagerduty"
            yield one
            assert "Traceback" not in one.logs()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that kills takes `seed`, of its dice, and `kills`: how many more than its sample, 0 without `--soak`."""
    if {"kills", "seed"} <= set(metafunc.fixturenames):
        soak = metafunc.config.getoption("--soak")
        metafunc.parametrize(("seed", "kills"), [(seed, 30) for seed in range(10)] if soak else [(2_026, 0)])
