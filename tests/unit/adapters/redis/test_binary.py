"""Which redis-server is run, and what is said when there is none."""

import platform
import sys
from pathlib import Path

import pytest

from adapters.redis import binary
from adapters.redis.binary import (
    FLOOR,
    RedisBinaryMissingError,
    RedisTooOldError,
    Version,
    find_binary,
    wheel_binary,
)


def a_server(folder: Path, said: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "redis-server"
    path.write_text(f"#!/bin/sh\necho '{said}'\n")
    path.chmod(0o755)
    return path


def redis(version: str) -> str:
    return f"Redis server v={version} sha=00000000:0 malloc=libc bits=64 build=dff95a8e7a99d269"


@pytest.fixture
def without_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binary, "wheel_binary", lambda: None)


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = a_server(tmp_path / "wheel", redis("6.2.14"))
    monkeypatch.setattr(binary, "wheel_binary", lambda: path)
    return path


def test_the_server_on_path_comes_before_the_wheel(tmp_path: Path, wheel: Path) -> None:
    path = a_server(tmp_path / "bin", redis("7.0.15"))
    found = find_binary(str(path.parent))
    assert (found.path, found.version) == (path, Version(7, 0, 15))


def test_the_wheel_serves_where_path_has_none(tmp_path: Path, wheel: Path) -> None:
    found = find_binary(str(tmp_path))
    assert (found.path, found.version) == (wheel, Version(6, 2, 14))


def test_a_server_on_path_below_the_floor_is_passed_over_for_the_wheel(tmp_path: Path, wheel: Path) -> None:
    old = a_server(tmp_path / "bin", redis("6.0.16"))
    assert find_binary(str(old.parent)).path == wheel


@pytest.mark.usefixtures("without_wheel")
def test_below_the_floor_is_refused_with_the_mend(tmp_path: Path) -> None:
    old = a_server(tmp_path / "bin", redis("6.0.16"))
    with pytest.raises(RedisTooOldError) as refused:
        find_binary(str(old.parent))
    assert "6.0.16" in refused.value.what
    assert refused.value.where == str(old)
    assert "redis.binary" in refused.value.mend


@pytest.mark.usefixtures("without_wheel")
def test_no_server_at_all_is_refused_with_the_mend(tmp_path: Path) -> None:
    with pytest.raises(RedisBinaryMissingError) as refused:
        find_binary(str(tmp_path))
    assert "6.2" in refused.value.what
    assert "PATH" in refused.value.where
    assert "redis.url" in refused.value.mend


def test_the_forced_one_is_taken_and_nothing_else_is_tried(tmp_path: Path, wheel: Path) -> None:
    newer = a_server(tmp_path / "bin", redis("7.0.15"))
    forced = a_server(tmp_path / "opt", redis("6.2.0"))
    assert find_binary(str(newer.parent), forced=forced).path == forced
    with pytest.raises(RedisTooOldError):
        find_binary(str(newer.parent), forced=a_server(tmp_path / "old", redis("5.0.14")))
    with pytest.raises(RedisBinaryMissingError):
        find_binary(str(newer.parent), forced=tmp_path / "nowhere")


def test_a_program_that_says_no_version_is_refused(tmp_path: Path) -> None:
    odd = a_server(tmp_path, "hello")
    with pytest.raises(RedisBinaryMissingError) as refused:
        find_binary(forced=odd)
    assert refused.value.where == str(odd)


def test_valkey_under_the_same_name_is_understood(tmp_path: Path) -> None:
    path = a_server(tmp_path, "Valkey server v=8.0.1 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=1")
    assert find_binary(forced=path).version == Version(8, 0, 1)


def test_the_wheel_that_we_depend_on_holds_a_server_at_the_floor() -> None:
    has_wheel = sys.platform == "linux" and platform.machine() == "x86_64" and sys.version_info < (3, 13)
    path = wheel_binary()
    assert (path is not None) == has_wheel
    assert path is None or find_binary(forced=path).version >= FLOOR


def test_versions_compare_as_numbers() -> None:
    assert Version.parse("6.2.14") > Version.parse("6.2.9")
    assert Version.parse("10.0.0") > Version.parse("7.0.15")
    assert str(Version.parse("7.0.15")) == "7.0.15"
    with pytest.raises(ValueError, match="not enough values"):
        Version.parse("7.0")
