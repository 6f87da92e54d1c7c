"""The policy, asked and read anew."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from bridge.cli.command import Status
from bridge.doctor import Finding
from bridge.errors import SettingsError
from bridge.reload import Answer as Answered
from tests.unit.bridge.cli.typed import FakeEngine, FakeWiring, kakehashi
from tests.unit.bridge.test_reload import Shelf

GOES_BY_IT = "✓ process {} goes by the new policy\n"


def test_a_route_is_asked_for_as_it_is_typed() -> None:
    wiring = FakeWiring()
    answer = kakehashi("route --language zh-Hant --topic withdrawals --at 2026-01-01T03:00+09:00 --json", wiring)
    assert wiring.asked == [("route", ("zh-Hant", "withdrawals", "2026-01-01T03:00+09:00"))]
    assert (answer.status, json.loads(answer.out)) == (Status.DONE, {})
    kakehashi("route --language ja --json", wiring)
    assert wiring.asked[-1] == ("route", ("ja", "", None))


def test_a_reload_looks_at_the_policy_first_and_tells_nobody_of_a_broken_one() -> None:
    class Broken(FakeWiring):
        def check(self, config: Path | None, *, machine: bool) -> list[Finding]:
            raise SettingsError("desks.ja.rota: there is no rota day", where="kakehashi.toml", mend="write one")

    wiring = Broken()
    answer = kakehashi("reload", wiring)
    assert (answer.status, wiring.asked) == (Status.SETTINGS, [])
    assert "there is no rota day" in answer.err


def test_a_reload_says_who_has_not_answered_and_who_refused() -> None:
    shelf = Shelf()
    wiring = FakeWiring(FakeEngine(store=shelf))
    silent = kakehashi("reload --wait 0", wiring)
    assert silent.status == Status.FAILED
    assert silent.out == (
        "! process a has not answered\n  it reads it as soon as it can\n"
        "! process b has not answered\n  it reads it as soon as it can\n"
    )


@pytest.mark.parametrize(
    ("errors", "status", "said"),
    [
        ((), Status.DONE, GOES_BY_IT.format("a") + GOES_BY_IT.format("b")),
        (
            ("desks.ja: wrong", "  mend:  mend it"),
            Status.FAILED,
            "✗ process a keeps the policy that it had\n  desks.ja: wrong\n    mend:  mend it\n"
            + GOES_BY_IT.format("b"),
        ),
    ],
)
def test_a_reload_says_what_each_process_made_of_it(
    monkeypatch: pytest.MonkeyPatch, errors: tuple[str, ...], status: Status, said: str
) -> None:
    async def answers(store: object, name: str, asked: Sequence[str]) -> list[Answered]:
        return [Answered("b"), Answered("a", errors)]

    monkeypatch.setattr("bridge.reload.answers", answers)
    answer = kakehashi("reload", FakeWiring(FakeEngine(store=Shelf())))
    assert (answer.status, answer.out) == (status, said)
