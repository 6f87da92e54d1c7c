"""The private server's data folder: who may use it, what it has seen, and where its server listens.

Two lock files, both `flock`ed and never deleted (a lock on a deleted file guards nothing):

* `kakehashi-redis.lock` is held, alone, by the redis-server itself: it inherits the open file from whoever starts it,
  and that process closes its own copy. So the lock lives exactly as long as the server, even after a SIGKILL of
  the process that started it. A second server on the same files would lose acknowledged writes.
* `kakehashi-redis.users` is held, shared, by every Kakehashi process that uses the server. The last one out stops it.

One record, `kakehashi-redis.json`, replaced atomically: the data's instance id, the highest server version ever
started here, and the folder of the socket. It is written before the first server starts, not yet *sealed*; it is
sealed once the server holds the same id. A sealed record whose server lacks the id means that the data is missing.
"""

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import stat
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from adapters.redis.binary import Binary, PrivateRedisError, Version

# sun_path holds 104 bytes on macOS and 108 on Linux, the closing NUL included; longer paths are cut silently.
SOCKET_PATH_BYTES = 103
_SCHEMA = 1
_ANY = Version(0, 0, 0)
_MULTI_PART_AOF = Version(7, 0, 0)  # the first version that writes `appendonlydir/`, which older ones ignore


class RedisFolderUnusableError(PrivateRedisError):
    """The data folder cannot be made, read or locked."""


class RedisFolderBusyError(PrivateRedisError):
    """A redis-server holds the data folder and does not answer."""


class RedisVersionLoweredError(PrivateRedisError):
    """A newer redis-server wrote this folder; this one would not read it, and start empty."""


class RedisDataMissingError(PrivateRedisError):
    """The folder's record knows of data that the server came up without."""


class RedisSocketPathTooLongError(PrivateRedisError):
    """No writable folder with a short enough path was found for the server's socket."""


@dataclass(frozen=True)
class Record:
    """What the folder remembers. `place` is the folder of the socket; unsealed: the server's id is not known yet."""

    instance: str
    highest_version: Version
    place: str
    sealed: bool = False


class Folder:
    """One data folder. `sockets` forces the folder in which the socket's own private folder is made.

    Anything that cannot be made, read or locked raises RedisFolderUnusableError.
    """

    def __init__(self, path: Path, *, sockets: Path | None = None) -> None:
        self.path = path.absolute()
        self.log = self.path / "kakehashi-redis.log"
        self.pid_file = self.path / "kakehashi-redis.pid"
        self.record_file = self.path / "kakehashi-redis.json"
        self._lock_file = self.path / "kakehashi-redis.lock"
        self._users_file = self.path / "kakehashi-redis.users"
        self._sockets = sockets

    def prepare(self) -> None:
        """Make the folder if it is not there, for its owner only."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise self._unusable(error) from error

    # Locks

    def take(self) -> int | None:
        """The server's lock as an open file to pass on, or None while a server lives."""
        return self._lock(self._lock_file, fcntl.LOCK_EX)

    def is_taken(self) -> bool:
        """Whether a server lives on this folder."""
        lock = self.take()
        if lock is not None:
            os.close(lock)
        return lock is None

    def join(self) -> int | None:
        """A user's shared lock as an open file, or None while the last user is stopping the server."""
        return self._lock(self._users_file, fcntl.LOCK_SH)

    @staticmethod
    def is_last(user: int) -> bool:
        """Whether `user` (from `join`) is the only one. True keeps newcomers out until it is closed.

        Whatever the answer, the user must leave now: a refused upgrade gives up the shared lock too (flock(2)).
        """
        try:
            fcntl.flock(user, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _lock(self, path: Path, kind: int) -> int | None:
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._unusable(error) from error
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except OSError as error:
            os.close(file)
            if isinstance(error, BlockingIOError):
                return None
            raise self._unusable(error) from error
        return file

    # The record

    def record(self) -> Record | None:
        """What the folder remembers, or None before the first start."""
        try:
            fields = json.loads(self.record_file.read_bytes())
            if fields["schema"] != _SCHEMA:
                raise ValueError(fields["schema"])
            version = Version.parse(str(fields["highest_version"]))
            return Record(str(fields["instance"]), version, str(fields["place"]), bool(fields["sealed"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RedisFolderUnusableError(
                f"the data folder's record cannot be read ({type(error).__name__})",
                where=str(self.record_file),
                mend="restore it from a backup of this folder; deleting it makes Kakehashi trust whatever data is here",
            ) from error

    def claim(self, binary: Binary) -> Record:
        """Make the record ready for a start of `binary`; call it with the lock taken.

        It is written only when something changes, so that a restart needs no space on a full disk.
        Raises RedisVersionLoweredError, RedisFolderUnusableError, RedisSocketPathTooLongError.
        """
        old = self.record()
        highest = max(old.highest_version if old else _ANY, self._version_of_layout())
        if binary.version < highest:
            raise self._lowered(binary, highest)
        instance = old.instance if old else secrets.token_hex(16)
        sealed = old.sealed if old else False
        place = self._place(old.place if old else None)
        new = Record(instance, max(highest, binary.version), str(place), sealed)
        if new != old:
            self._write(new)
        return new

    def seal(self, record: Record, instance: str) -> Record:
        """Remember for good that this folder's data is `instance`."""
        sealed = replace(record, instance=instance, sealed=True)
        self._write(sealed)
        return sealed

    def _version_of_layout(self) -> Version:
        return _MULTI_PART_AOF if (self.path / "appendonlydir").is_dir() else _ANY

    def _write(self, record: Record) -> None:
        fields = asdict(record) | {"schema": _SCHEMA, "highest_version": str(record.highest_version)}
        draft = self.record_file.with_suffix(f".{os.getpid()}.tmp")
        try:
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "w") as file:
                json.dump(fields, file, indent=2)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.record_file)
            self._sync()
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise self._unusable(error) from error

    def _sync(self) -> None:
        """Put the names in the folder on the disk too: the record's, and those of the AOF beside it."""
        folder = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    # The socket's folder

    def _place(self, last: str | None) -> Path:
        """The last one if it is still only ours, so that clients find a restarted server; else a new one.

        Not under XDG_RUNTIME_DIR: systemd empties that when the login session ends, and the server lives on.
        """
        if last is not None and is_private(Path(last)):
            return Path(last)
        for parent in self._parents():
            with contextlib.suppress(OSError):
                place = Path(tempfile.mkdtemp(prefix="kakehashi-", dir=parent))  # mode 0700, a name not guessable
                if fits(place):
                    return place
                place.rmdir()
        raise RedisSocketPathTooLongError(
            "the private server's socket needs a folder that this user can write, with a path under 104 bytes",
            where=", ".join(str(parent) for parent in self._parents()),
            mend="set redis.socket_dir to a short folder that this user may write to",
        )

    def _parents(self) -> list[Path]:
        if self._sockets is not None:
            return [self._sockets.absolute()]
        # /tmp by name as well: TMPDIR may be too deep for a socket.
        return [Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")]  # noqa: S108 - mkdtemp makes it ours

    @staticmethod
    def leave(record: Record) -> None:
        """Remove the socket's folder, once the server has ended."""
        if is_private(Path(record.place)):
            shutil.rmtree(record.place, ignore_errors=True)

    # What is known of the server

    def pid(self) -> int | None:
        """The server's process, as it wrote it itself; None before it did and after it ended in order."""
        try:
            return int(self.pid_file.read_text())
        except (OSError, ValueError):
            return None

    def log_size(self) -> int:
        """Bytes of log so far: what is older says nothing about the server that is starting now."""
        try:
            return self.log.stat().st_size
        except OSError:
            return 0

    def log_since(self, size: int) -> list[str]:
        """The log's lines after `size` bytes; the server names no key and no value in them."""
        try:
            with self.log.open("rb") as log:
                log.seek(size)
                return log.read(1 << 20).decode(errors="replace").splitlines()
        except OSError:
            return []

    def is_full(self) -> bool:
        """Whether the disk has no room to speak of (under 1 MiB)."""
        return shutil.disk_usage(self.path).free < 1 << 20

    # Errors

    def _unusable(self, error: OSError) -> RedisFolderUnusableError:
        return RedisFolderUnusableError(
            f"the private Redis data folder cannot be used ({error.strerror or type(error).__name__})",
            where=str(self.path),
            mend="let the user that runs Kakehashi own it, make room on its disk, or set data_dir to another folder",
        )

    def _lowered(self, binary: Binary, highest: Version) -> RedisVersionLoweredError:
        return RedisVersionLoweredError(
            f"redis-server {binary.version} must not open what {highest} wrote: an older one starts empty",
            where=f"{self.path} (opened with {binary.path})",
            mend=f"install redis-server {highest} or newer, or name it in redis.binary; the data is untouched",
        )


def is_private(place: Path) -> bool:
    """Whether `place` is a real folder, ours, closed to everybody else, and short enough: nobody squats on it."""
    try:
        found = place.lstat()
    except OSError:
        return False
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
    return ours and not found.st_mode & 0o077 and fits(place)


def fits(place: Path) -> bool:
    """Whether a socket in `place` has a path that no kernel cuts."""
    return len(os.fsencode(place / "redis.new")) <= SOCKET_PATH_BYTES
