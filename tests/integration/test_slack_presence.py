"""Whom Slack shows as active: asked of each operator, and what cannot be told changes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.slack.inward.presence import Presence
from adapters.slack.setup.manifest import manifest
from routing.ids import OperatorId
from tests.integration.slack_house import House, house, settings
from tests.simulators.slack import Fault, SlackSimulator

AIKO, KENJI = OperatorId("aiko"), OperatorId("kenji")


@pytest.fixture
async def here(engine_url: str, tmp_path: Path) -> AsyncIterator[House]:
    """The app has what its manifest asks for where presence is on, and no more."""
    async with SlackSimulator(limits=False) as slack:
        chosen = settings(slack).model_copy(update={"presence": True})
        slack.install(manifest(chosen, "http://127.0.0.1"))
        async with house(engine_url, tmp_path, slack) as one:
            yield one


def looking(here: House, noted: dict[OperatorId, bool], **users: str) -> Presence:
    async def note(operator: OperatorId, active: bool) -> None:
        noted[operator] = active

    people = {OperatorId(name): user for name, user in users.items()}
    return Presence(here.network._api, lambda: people, note, lambda: True)


async def test_each_operator_is_noted_as_slack_shows_them(here: House) -> None:
    aiko, kenji = here.slack.person("aiko"), here.slack.person("kenji")
    kenji.user.presence = "away"
    noted: dict[OperatorId, bool] = {}
    await looking(here, noted, aiko=aiko.id, kenji=kenji.id).look()
    assert noted == {AIKO: True, KENJI: False}


async def test_whom_slack_cannot_tell_of_holds_up_nobody_else(here: House) -> None:
    kenji = here.slack.person("kenji")
    noted: dict[OperatorId, bool] = {}
    await looking(here, noted, aiko="U0NOBODY1", kenji=kenji.id).look()
    assert noted == {KENJI: True}
    here.slack.mischief.add(Fault.INTERNAL_ERROR, "users.getPresence")
    await looking(here, noted, aiko=kenji.id).look()
    assert AIKO not in noted


async def test_without_the_setting_nothing_of_people_is_asked_for(here: House) -> None:
    asked = manifest(settings(here.slack), "http://127.0.0.1")["oauth_config"]["scopes"]["bot"]
    assert not [scope for scope in asked if scope.startswith("users")]
