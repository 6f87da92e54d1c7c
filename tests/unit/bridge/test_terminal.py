"""What stands at the terminal: aligned, quiet, and coloured only where it is one."""

from __future__ import annotations

import io

import pytest

from bridge.doctor import Finding
from bridge.errors import SettingsError
from bridge.terminal import Terminal


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _colours_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)


def test_an_error_has_three_parts_on_standard_error() -> None:
    out, err = io.StringIO(), io.StringIO()
    Terminal(out, err).error(SettingsError("the port is taken", where="web.port", mend="choose another"))
    assert err.getvalue().splitlines() == ["the port is taken", "  where: web.port", "  mend:  choose another"]
    assert out.getvalue() == ""


def test_a_finding_has_its_mend_on_the_line_below() -> None:
    out = io.StringIO()
    Terminal(out).findings(
        [Finding("ok", "Redis 7"), Finding("warn", "little space", "make room"), Finding("fail", "no")]
    )
    assert out.getvalue().splitlines() == ["✓ Redis 7", "! little space", "  make room", "✗ no"]


def test_columns_line_up_under_han_letters() -> None:
    out = io.StringIO()
    Terminal(out).table(("name", "code"), [("佐藤", "K7Q2"), ("Sato", "M3XA")])
    assert out.getvalue().splitlines() == ["name  code", "佐藤  K7Q2", "Sato  M3XA"]


def test_colour_only_at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    tty, pipe = Tty(), io.StringIO()
    for stream in (tty, pipe):
        Terminal(stream).findings([Finding("ok", "Redis 7")])
    assert "\x1b[32m✓" in tty.getvalue()
    assert "\x1b" not in pipe.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    plain = Tty()
    Terminal(plain).findings([Finding("ok", "Redis 7")])
    assert "\x1b" not in plain.getvalue()


def test_progress_replaces_itself_at_a_terminal_and_is_lines_elsewhere() -> None:
    tty, pipe = Tty(), io.StringIO()
    for stream in (tty, pipe):
        terminal = Terminal(io.StringIO(), stream)
        terminal.progress("one")
        terminal.progress("two")
        terminal.progress_over()
    assert tty.getvalue() == "\r\x1b[Kone\r\x1b[Ktwo\n"
    assert pipe.getvalue() == "one\ntwo\n"


def test_up_says_name_then_links_then_what_came_up() -> None:
    out = io.StringIO()
    links = [("Customers", "http://127.0.0.1:8787/"), ("Desk", "http://127.0.0.1:8787/console")]
    Terminal(out).announce("0.1.0", links, ["private Redis 6.2", "console"])
    assert out.getvalue().splitlines() == [
        "Kakehashi 0.1.0",
        "",
        "  Customers  http://127.0.0.1:8787/",
        "  Desk       http://127.0.0.1:8787/console",
        "",
        "✓ private Redis 6.2",
        "✓ console",
    ]
