"""The service, and what `check` and `doctor` find."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from bridge.cli.command import Status
from bridge.doctor import Finding
from bridge.errors import KakehashiError, StoreUnavailableError
from routing.ids import NetworkName
from tests.unit.bridge.cli.typed import FakeEngine, FakeWiring, kakehashi


@dataclass
class Slack:
    """A network that looks at itself."""

    name: str = "slack"
    found: Callable[[], list[Finding]] = lambda: [Finding("ok", "slack: the token works")]

    async def doctor(self) -> list[Finding]:
        return self.found()


def test_up_leaves_with_the_services_own_status() -> None:
    assert kakehashi("up").status == Status.DONE


def test_check_opens_nothing() -> None:
    wiring = FakeWiring()
    answer = kakehashi("check", wiring)
    assert wiring.asked == [("check", False)]
    assert (answer.status, answer.out) == (Status.DONE, "✓ settings: defaults\n")


def test_a_doubt_is_no_failure_and_a_failure_is() -> None:
    doubt, failure = Finding("warn", "little space", "make room"), Finding("fail", "no space", "make room")
    assert kakehashi("check", FakeWiring(found=[doubt])).status == Status.DONE
    assert kakehashi("check", FakeWiring(found=[doubt, failure])).status == Status.FAILED


def test_doctor_looks_at_machine_store_and_networks() -> None:
    wiring = FakeWiring(FakeEngine(networks={NetworkName("slack"): Slack(), NetworkName("console"): object()}))
    answer = kakehashi("doctor", wiring)
    assert wiring.asked[0] == ("check", True)
    assert answer.out.splitlines() == ["✓ settings: defaults", "✓ Redis 7.0.15", "✓ slack: the token works"]


def test_doctor_goes_on_where_the_store_does_not_answer() -> None:
    answer = kakehashi("doctor", FakeWiring(trouble=StoreUnavailableError("Redis does not answer", mend="start it")))
    assert answer.out.splitlines() == ["✓ settings: defaults", "✗ Redis does not answer", "  start it"]
    assert answer.status == Status.FAILED


def test_doctor_goes_on_where_a_network_cannot_be_looked_at() -> None:
    def broken() -> list[Finding]:
        raise KakehashiError("invalid_auth", mend="make a new token")

    answer = kakehashi("doctor", FakeWiring(FakeEngine(networks={NetworkName("slack"): Slack(found=broken)})))
    assert answer.out.splitlines()[-2:] == ["✗ slack: invalid_auth", "  make a new token"]
    assert answer.status == Status.FAILED


def test_doctor_answers_programs_too() -> None:
    answer = kakehashi("doctor --json")
    assert json.loads(answer.out)[0] == {"level": "ok", "what": "settings: defaults", "mend": ""}
