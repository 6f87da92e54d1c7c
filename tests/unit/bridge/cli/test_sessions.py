"""What is understood of `sessions`."""

from __future__ import annotations

import pytest

from bridge.cli import parser
from bridge.cli.command import Status


def test_wrong_choices_are_named_as_one_types_them(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["sessions", "list", "--state", "bogus"])
    assert "<State" not in capsys.readouterr().err


@pytest.mark.parametrize("limit", ["-1", "0"])
def test_a_limit_below_one_is_not_understood(limit: str) -> None:
    with pytest.raises(SystemExit) as left:
        parser().parse_args(["sessions", "list", "--limit", limit])
    assert left.value.code == Status.USAGE
