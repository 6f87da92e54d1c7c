"""The installation's secrets: made once, ours alone, rotated without signing anybody out."""

from __future__ import annotations

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bridge.errors import SettingsError
from config import secrets


def test_they_are_made_once_and_stay(tmp_path: Path) -> None:
    first = secrets.load(tmp_path / "data")
    assert first == secrets.load(tmp_path / "data")
    assert len({getattr(first, name).current for name in secrets.NAMES}) == len(secrets.NAMES)


def test_folder_and_file_are_ours_alone(tmp_path: Path) -> None:
    secrets.load(tmp_path / "data")
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "data" / secrets.FILE).stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "data").iterdir()] == [secrets.FILE]


def test_processes_that_start_at_once_get_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(secrets.load, [tmp_path] * 8))
    assert all(one == made[0] for one in made)


def test_rotation_keeps_two(tmp_path: Path) -> None:
    first = secrets.load(tmp_path)
    secrets.rotate(tmp_path, "visitor_tokens")
    second = secrets.load(tmp_path)
    assert second.visitor_tokens.previous == first.visitor_tokens.current
    assert second.file_links == first.file_links
    secrets.rotate(tmp_path, "visitor_tokens")
    third = secrets.load(tmp_path).visitor_tokens
    assert first.visitor_tokens.current not in third.all
    assert third.all[1] == second.visitor_tokens.current


def test_rotating_an_unknown_secret_names_the_known(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="visitor_tokens"):
        secrets.rotate(tmp_path, "all")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_secrets_that_others_may_read_are_refused(tmp_path: Path, mode: int) -> None:
    secrets.load(tmp_path)
    (tmp_path / secrets.FILE).chmod(mode)
    with pytest.raises(SettingsError, match="chmod 600"):
        secrets.load(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"schema": 2}', '{"schema": 1, "file_links": ["00"]}'])
def test_a_broken_file_is_never_replaced(tmp_path: Path, content: str) -> None:
    path = tmp_path / secrets.FILE
    path.touch(0o600)
    path.write_text(content)
    with pytest.raises(SettingsError, match="backup"):
        secrets.load(tmp_path)
    assert path.read_text() == content


def test_a_newer_release_adds_what_it_needs(tmp_path: Path) -> None:
    known = secrets.load(tmp_path)
    path = tmp_path / secrets.FILE
    record = json.loads(path.read_text())
    del record["file_links"]
    path.write_text(json.dumps(record))
    renewed = secrets.load(tmp_path)
    assert renewed.visitor_tokens == known.visitor_tokens
    assert renewed == secrets.load(tmp_path)


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="KAKEHASHI_DATA_DIR"):
        secrets.load(tmp_path / "file" / "data")


def test_they_are_not_shown(tmp_path: Path) -> None:
    known = secrets.load(tmp_path)
    assert known.file_links.current.hex() not in repr(known)
    assert "current" not in repr(known.file_links)
