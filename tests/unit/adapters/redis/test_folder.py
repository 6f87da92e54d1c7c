"""The data folder's record and locks, and where the socket goes, without any server."""

import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.redis.binary import Binary, Version
from adapters.redis.folder import (
    Folder,
    RedisFolderUnusableError,
    RedisSocketPathTooLongError,
    RedisVersionLoweredError,
    is_private,
)


def version(text: str) -> Binary:
    return Binary(Path("/opt/redis-server"), Version.parse(text))


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    with tempfile.TemporaryDirectory(prefix="kakehashi-test-") as sockets:  # tmp_path may be too deep
        made = Folder(tmp_path / "data", sockets=Path(sockets))
        made.prepare()
        yield made


def test_only_one_holds_the_lock_and_a_child_that_inherits_it_keeps_it(folder: Folder) -> None:
    lock = folder.take()
    assert lock is not None
    assert folder.take() is None
    inherited = os.dup(lock)
    os.close(lock)
    assert folder.is_taken()
    os.close(inherited)
    assert not folder.is_taken()


def test_the_last_user_is_told_so_and_keeps_newcomers_out(folder: Folder) -> None:
    first, second = folder.join(), folder.join()
    assert first is not None
    assert second is not None
    assert not folder.is_last(first)
    assert folder.is_last(second)
    assert folder.join() is None
    os.close(second)
    newcomer = folder.join()
    assert newcomer is not None
    os.close(first)
    os.close(newcomer)


def test_the_record_outlives_and_keeps_its_id(folder: Folder) -> None:
    assert folder.record() is None
    claimed = folder.claim(version("6.2.14"))
    assert not claimed.sealed
    assert folder.seal(claimed, claimed.instance) == folder.record()
    assert folder.claim(version("6.2.14")) == folder.record()


def test_nothing_is_written_when_nothing_changes_so_a_full_disk_does_not_prevent_a_restart(folder: Folder) -> None:
    folder.claim(version("6.2.14"))
    before = folder.record_file.stat().st_ino
    folder.claim(version("6.2.14"))
    assert folder.record_file.stat().st_ino == before


def test_the_highest_version_ever_is_kept_and_a_lower_one_refused(folder: Folder) -> None:
    folder.claim(version("6.2.14"))
    folder.claim(version("7.0.15"))
    with pytest.raises(RedisVersionLoweredError) as refused:
        folder.claim(version("6.2.14"))
    assert "6.2.14" in refused.value.what
    assert "7.0.15" in refused.value.mend
    kept = folder.record()
    assert kept is not None
    assert kept.highest_version == Version(7, 0, 15)


def test_a_redis_7_layout_without_a_record_is_refused_by_6_2(folder: Folder) -> None:
    (folder.path / "appendonlydir").mkdir()
    with pytest.raises(RedisVersionLoweredError):
        folder.claim(version("6.2.14"))
    assert folder.claim(version("7.0.0")).highest_version == Version(7, 0, 0)


@pytest.mark.parametrize("garbage", ["", "{", "[]", '{"schema": 2}', '{"schema": 1, "highest_version": 7}'])
def test_a_garbled_record_is_refused_and_left_as_it_is(folder: Folder, garbage: str) -> None:
    folder.record_file.write_text(garbage)
    with pytest.raises(RedisFolderUnusableError) as refused:
        folder.claim(version("6.2.14"))
    assert refused.value.where == str(folder.record_file)
    assert folder.record_file.read_text() == garbage


def test_a_folder_that_cannot_be_made_is_refused_with_the_mend(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RedisFolderUnusableError) as refused:
        Folder(tmp_path / "file" / "data").prepare()
    assert "data_dir" in refused.value.mend


def test_the_socket_gets_a_folder_of_its_own_and_keeps_it(folder: Folder) -> None:
    place = Path(folder.claim(version("6.2.14")).place)
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert Path(folder.claim(version("6.2.14")).place) == place


def test_a_place_open_to_others_is_left(folder: Folder) -> None:
    place = Path(folder.claim(version("6.2.14")).place)
    place.chmod(0o755)
    assert Path(folder.claim(version("6.2.14")).place) != place


def test_a_link_in_the_place_of_the_place_is_left(folder: Folder, tmp_path: Path) -> None:
    place = Path(folder.claim(version("6.2.14")).place)
    place.rmdir()
    place.symlink_to(tmp_path)
    assert Path(folder.claim(version("6.2.14")).place) != place


def test_a_place_of_somebody_else_is_left(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Path(folder.claim(version("6.2.14")).place)
    assert is_private(place)
    monkeypatch.setattr(os, "geteuid", lambda: place.stat().st_uid + 1)
    assert not is_private(place)
    assert Path(folder.claim(version("6.2.14")).place) != place


def test_a_temporary_folder_too_deep_for_a_socket_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    folder = Folder(tmp_path)
    record = folder.claim(version("6.2.14"))
    assert len(os.fsencode(f"{record.place}/redis.new")) < 104
    assert list(deep.iterdir()) == []
    folder.leave(record)
    assert not Path(record.place).exists()


def test_a_forced_socket_folder_too_deep_for_a_socket_is_refused(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    with pytest.raises(RedisSocketPathTooLongError) as refused:
        Folder(tmp_path, sockets=deep).claim(version("6.2.14"))
    assert str(deep) in refused.value.where
    assert "redis.socket_dir" in refused.value.mend
    assert list(deep.iterdir()) == []
