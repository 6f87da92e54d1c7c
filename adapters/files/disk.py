"""Durable steps on a local disk. Everything in this adapter that writes goes through here.

The rule: a file is written under a temporary name, synced, renamed into place, and its folder synced. So
whatever has its final name is whole, and what a crash leaves behind lies in `temporary/`, where it is swept.
One lock on the store, shared by all processes that use it, makes each change of names a single step.
"""

import fcntl
import math
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class Disk:
    """A store's folder, private to our user. `root` is made if it is missing; raises OSError if it cannot be."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._temporary = root / "temporary"
        self._lock = root / "lock"
        self._temporary.mkdir(mode=0o700, parents=True, exist_ok=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the store's lock, against threads and processes alike; not to be nested."""
        with opened(self._lock, os.O_RDWR | os.O_CREAT) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # falls with the descriptor, also when the process is killed
            yield

    def temporary(self) -> Path:
        """A fresh path for something that is not ready yet."""
        return self._temporary / secrets.token_hex(16)

    def write(self, path: Path, content: bytes) -> None:
        """A new file at `path`, on the platter when this returns; none when this raises OSError."""
        with opened(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL) as file:
            try:
                write_all(file, content, 0)
                os.fsync(file)
            except OSError:
                path.unlink()
                raise

    def place(self, temporary: Path, final: Path) -> None:
        """Give what is ready its final name, in one step, replacing what was there.

        When this raises OSError, nothing is left under the temporary name, and it may have its final one.
        """
        try:
            self.make_folder(final.parent)
            temporary.rename(final)
            sync_folder(final.parent)
        except OSError:
            discard(temporary)
            raise

    def deliver(self, content: bytes, final: Path) -> None:
        """Write a small file and place it."""
        ready = self.temporary()
        self.write(ready, content)
        self.place(ready, final)

    def make_folder(self, folder: Path) -> None:
        if not folder.is_dir():
            self.make_folder(folder.parent)
            folder.mkdir(mode=0o700, exist_ok=True)
            sync_folder(folder.parent)

    def remove(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        sync_folder(path.parent)

    def remove_folder(self, folder: Path) -> None:
        """Remove an empty folder, if it is there."""
        with suppress(FileNotFoundError):
            folder.rmdir()
        sync_folder(folder.parent)

    def free_bytes(self) -> int:
        state = os.statvfs(self.root)
        return state.f_bavail * state.f_frsize

    def sweep(self, before: float) -> int:
        """Remove what has lain in `temporary/` since `before` (seconds UTC); the number of things removed."""
        old = [path for path in self._temporary.iterdir() if modified(path) < before]
        for path in old:
            discard(path)
        return len(old)


@contextmanager
def opened(path: Path, flags: int) -> Iterator[int]:
    file = os.open(path, flags | os.O_CLOEXEC, 0o600)
    try:
        yield file
    finally:
        os.close(file)


def write_all(file: int, content: bytes, offset: int) -> None:
    """All of `content` at `offset`: a write may take less than it was given (write(2))."""
    rest = memoryview(content)
    while rest:
        written = os.pwrite(file, rest, offset)
        rest, offset = rest[written:], offset + written


def discard(path: Path) -> None:
    """Remove a file, or a folder with all that is in it, or nothing."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """A name is on the platter only when its folder is (fsync(2), NOTES)."""
    with suppress(FileNotFoundError), opened(folder, os.O_RDONLY | os.O_DIRECTORY) as descriptor:
        os.fsync(descriptor)


def modified(path: Path, *, missing: float = math.inf) -> float:
    """When the path was last changed, in seconds UTC, or `missing`."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return missing


def folders(parent: Path) -> list[Path]:
    """The folders within a folder, in the order of their names; none when it is not there."""
    if not parent.is_dir():
        return []
    return sorted(path for path in parent.iterdir() if path.is_dir())
