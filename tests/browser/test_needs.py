"""`make test` never skips the browser tests silently."""

from __future__ import annotations

import sys

import pytest

from tests.browser import needs


def test_a_browser_that_is_not_there_is_named_with_the_mend(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("KAKEHASHI_TEST_CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(needs, "may_install", lambda: False)
    assert needs.main() == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert "chromium and CJK fonts" in said[0]
    assert "install chromium-headless-shell fonts-noto-cjk" in said[0]


def test_a_chosen_browser_that_is_no_program_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KAKEHASHI_TEST_CHROMIUM", "/nowhere/chromium")
    assert needs.main() == 1
    assert "KAKEHASHI_TEST_CHROMIUM names /nowhere/chromium" in capsys.readouterr().err


def test_the_chosen_browser_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAKEHASHI_TEST_CHROMIUM", sys.executable)
    assert needs.chromium_path() == sys.executable


def test_what_is_missing_is_installed_where_we_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAKEHASHI_TEST_CHROMIUM", raising=False)
    found: list[list[str]] = [["chromium"], []]
    installed: list[str] = []
    monkeypatch.setattr(needs, "missing", lambda: found.pop(0))
    monkeypatch.setattr(needs, "may_install", lambda: True)
    monkeypatch.setattr(needs, "install", installed.extend)
    assert needs.main() == 0
    assert installed == ["chromium-headless-shell"]
