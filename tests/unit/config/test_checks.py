"""What `check` and `doctor` say of choices that work and still cost something."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from bridge.doctor import Finding
from config import checks, policy, settings

EVERYWHERE = "0.0.0.0"  # noqa: S104 - an address to warn of; nothing listens there


def of(**chosen: Any) -> list[Finding]:
    made = settings.load(**chosen)
    return checks.of_settings(made, policy.load(made))


def doubts(findings: list[Finding]) -> str:
    return "\n".join(f"{one.what} / {one.mend}" for one in findings if one.level != "ok")


WAY_OUT = {"emergency": [{"url": "https://example.com/freeze", "titles": {"en": "Freeze my account"}}]}


def test_the_defaults_raise_no_doubt() -> None:
    """But for one: what customers should do at once in an emergency only the site knows."""
    assert "[[web.emergency]]" in doubts(of())
    assert doubts(of(web=WAY_OUT)) == ""


def test_listening_to_everybody_costs_something() -> None:
    said = doubts(of(web={"host": EVERYWHERE}))
    assert "every machine that reaches this one" in said
    assert "desk.port" in said
    assert "metrics.port" in said


def test_own_listeners_take_the_doubt_away() -> None:
    said = doubts(of(web={"host": EVERYWHERE}, desk={"port": 1}, metrics={"enabled": False}))
    assert "desk.port" not in said
    assert "metrics.port" not in said


def test_a_public_service_is_told_what_it_forgot() -> None:
    said = doubts(of(public_url="http://s.example"))
    assert "not encrypted" in said
    assert "trusted_proxies" in said
    assert "web.demo = false" in said
    assert "files.origin" in said


def test_tokens_of_the_wrong_kind_are_doubted_and_not_shown() -> None:
    slack = {"bot_token": "xapp-swapped", "app_token": "xoxb-swapped", "channel": "C0123ABCD"}
    said = doubts(of(slack=slack))
    assert "slack.bot_token does not begin with xoxb-" in said
    assert "slack.app_token does not begin with xapp-" in said
    assert "swapped" not in said


def test_a_far_redis_without_encryption_is_doubted() -> None:
    assert "rediss://" in doubts(of(redis={"url": "redis://10.0.0.1/0"}))
    assert doubts(of(redis={"url": "rediss://10.0.0.1/0"}, web=WAY_OUT)) == ""
    assert "throw messages away" in doubts(of(redis={"url": "redis://127.0.0.1/0", "allow_eviction": True}))


def test_a_topic_without_a_title_in_a_language_is_doubted(tmp_path: Path) -> None:
    (tmp_path / "kakehashi.toml").write_text('[topics]\naccount = { en = "Account" }\n')
    assert "no title in ja, zh-Hans, zh-Hant" in doubts(of())


def test_a_machine_that_has_everything_raises_no_doubt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tmp_path / "data"
    data.mkdir(0o700)
    monkeypatch.setattr("shutil.disk_usage", lambda path: _Usage(10 << 30))
    made = settings.load(data_dir=data, web={"port": 0, "max_connections": 1}, desk={"enabled": False})
    assert doubts(checks.of_machine(made)) == ""


class _Usage:
    def __init__(self, free: int) -> None:
        self.free = free


@pytest.mark.parametrize(("free", "level"), [(1 << 27, "fail"), (1 << 29, "warn"), (1 << 32, "ok")])
def test_a_filling_disk_is_told_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, level: str) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: _Usage(free))
    made = settings.load(data_dir=tmp_path, web={"port": 0})
    assert [one.level for one in checks.of_machine(made) if "GiB free" in one.what] == [level]


def test_what_others_may_read_is_told(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(0o700)
    data.chmod(0o755)
    (data / "secrets.json").touch()
    (data / "secrets.json").chmod(0o644)
    levels = {one.level for one in checks.of_machine(settings.load(data_dir=data)) if "may look into" in one.what}
    assert levels == {"warn", "fail"}


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        made = settings.load(data_dir=tmp_path, web={"port": port})
        assert f"port {port} on 127.0.0.1 is in use" in doubts(checks.of_machine(made))


def test_a_public_address_that_does_not_answer_is_told(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{other.getsockname()[1]}"
    made = settings.load(data_dir=tmp_path, web={"port": 0}, public_url=address)
    assert f"{address}/healthz does not answer" in doubts(checks.of_machine(made))


def test_what_the_policy_doubts_is_told(tmp_path: Path) -> None:
    (tmp_path / "kakehashi.toml").write_text(
        '[operators.aiko]\nnames = { en = "Aiko" }\n'
        '[rotas.night]\ntimezone = "UTC"\nshifts = [{ days = "mon", operator = "aiko" }]\n'
    )
    said = doubts(of())
    assert "rota night: nobody is on call from" in said
    assert "rota night: no desk has it" in said


def test_pagers_are_named_and_their_keys_are_not() -> None:
    pagers = {"ops": {"kind": "pagerduty", "routing_key": "R123"}}
    told = "\n".join(one.what for one in of(pagers=pagers))
    assert "pagers: ops (pagerduty)" in told
    assert "R123" not in told
