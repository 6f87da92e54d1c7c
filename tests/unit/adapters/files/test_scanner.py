import sys
from pathlib import Path

import pytest

from adapters.files.scanner import CommandScanner, NoScanner
from bridge.files import Verdict


def program(text: str) -> list[str]:
    return [sys.executable, "-c", f"import os, signal, sys\n{text}"]


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("sys.exit(0)", Verdict.CLEAN),
        ("sys.exit(1)", Verdict.INFECTED),
        ("sys.exit(2)", Verdict.UNKNOWN),
        ("os.kill(os.getpid(), signal.SIGKILL)", Verdict.UNKNOWN),
        ("signal.pause()", Verdict.UNKNOWN),
        ("sys.exit(1 if open(sys.argv[1]).read() == 'EICAR' else 2)", Verdict.INFECTED),
        ("sys.exit('KAKEHASHI_SECRET' in os.environ)", Verdict.CLEAN),
    ],
)
async def test_the_exit_status_is_the_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, verdict: Verdict
) -> None:
    monkeypatch.setenv("KAKEHASHI_SECRET", "x")
    (tmp_path / "file").write_text("EICAR")
    seconds = 0.2 if verdict is Verdict.UNKNOWN else 60
    assert await CommandScanner(program(text), seconds).scan(tmp_path / "file", "image/png") is verdict


async def test_a_scanner_that_is_not_there_finds_nothing_out(tmp_path: Path) -> None:
    scanner = CommandScanner([str(tmp_path / "missing")])
    assert await scanner.scan(tmp_path / "file", "image/png") is Verdict.UNKNOWN


async def test_without_a_scanner_all_is_clean(tmp_path: Path) -> None:
    assert await NoScanner().scan(tmp_path / "file", "image/png") is Verdict.CLEAN
