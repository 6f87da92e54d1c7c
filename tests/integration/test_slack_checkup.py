"""What `kakehashi doctor` says of Slack, and channels in which nothing may be posted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from adapters.slack.network import SlackNetwork
from adapters.slack.setup.manifest import manifest
from routing.ids import Place
from tests.integration.slack_house import SLACK, House, house, settings
from tests.simulators.slack import Channel, SlackSimulator
from tests.simulators.slack.mischief import Fault

PUBLIC = "Slack channel #open ({}) is public: everybody in the workspace can read what customers write"


@pytest.fixture
async def here(engine_url: str, tmp_path: Path, slack: SlackSimulator) -> AsyncIterator[House]:
    async with house(engine_url, tmp_path, slack) as one:
        yield one


def a_network(here: House, places: Sequence[Channel] = ()) -> SlackNetwork:
    return SlackNetwork(
        settings(here.slack), here.store, here.relay, here.files, here.directory,
        places=lambda: [Place(one.id) for one in places],
    )  # fmt: skip


async def test_the_check_up_names_what_is_wrong_and_the_mend(here: House) -> None:
    here.slack.install(manifest(settings(here.slack), ""))
    here.slack.workspace.app.scopes.discard("files:write")
    inside = here.slack.channel("inside", private=True)
    secret = here.slack.channel("secret", private=True, bot=False)
    missing, partner = here.slack.channel("open", bot=False), here.slack.channel("partner")
    old = here.slack.channel("old")
    partner.is_shared = old.is_archived = True
    network = a_network(here, places=[inside, missing, secret, partner, old])
    *findings, delayed = [(one.level, one.what) for one in await network.doctor()]
    assert "Delayed Events" in delayed[1]
    assert findings == [
        ("ok", f"Slack knows us as kakehashi in {here.slack.workspace.name} ({here.slack.workspace.team_id})"),
        ("fail", "the Slack app lacks files:write: it is there to show what customers attach"),
        ("ok", "this machine's clock agrees with Slack's"),
        ("ok", f"Slack channel #inside ({inside.id}): the app is a member"),
        ("warn", f"Slack channel #open ({missing.id}): the app is not a member yet"),
        ("warn", PUBLIC.format(missing.id)),
        ("fail", f"Slack channel {secret.id}: channel_not_found"),
        ("fail", f"Slack channel #partner ({partner.id}) is shared with another organisation; nothing is posted there"),
        ("fail", f"Slack channel #old ({old.id}) is archived"),
        ("ok", "Slack gives a socket for slack.app_token"),
    ]
    assert all(one.mend for one in await network.doctor() if one.level != "ok")
    here.slack.workspace.app.revoked = True
    assert [one.level for one in await network.doctor()] == ["fail"]


async def test_an_outage_is_not_blamed_on_the_token(here: House) -> None:
    here.slack.go_down(Fault.BAD_GATEWAY, seconds=3600.0)
    (only,) = await a_network(here).doctor()
    assert only.what == "Slack does not answer (http_502); nothing else of it was looked at"


async def test_the_check_up_names_scopes_that_the_app_does_not_need(here: House) -> None:
    here.slack.workspace.app.scopes.add("users:read.email")
    doubts = [one.what for one in await a_network(here).doctor() if one.level == "warn"]
    assert any("may do more than it needs" in one and "users:read.email" in one for one in doubts)


async def test_nothing_is_posted_where_another_organisation_reads_along(here: House) -> None:
    here.slack.happenings.share_outside(here.desk, "TPARTNER", shared=True)
    await here.writes("my account number is 12")
    await here.until(lambda: _lane_error(here, "externally_shared"))
    assert not here.slack.roots(here.desk)
    here.slack.happenings.share_outside(here.desk, "TPARTNER", shared=False)
    assert "my account number is 12" in (await here.thread(1))[0]


async def test_a_thread_falls_silent_when_its_channel_is_shared_and_goes_on_after(here: House) -> None:
    await here.writes("before")
    await here.thread(1)
    here.slack.happenings.share_outside(here.desk, "TPARTNER", shared=True)
    await here.slack.events.settled()
    await here.writes("only for us")
    await here.until(lambda: _lane_error(here, "externally_shared"))
    here.slack.happenings.share_outside(here.desk, "TPARTNER", shared=False)
    assert "only for us" in (await here.thread(2))[1]


async def _lane_error(here: House, code: str) -> bool:
    state = await here.store.lane_states((await here.session()).session.id, SLACK)
    return state is not None and state.error == code
