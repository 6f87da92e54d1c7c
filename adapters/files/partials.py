"""Uploads under way: what has arrived so far, and what was promised.

    uploads/<owner key>/<rest of the id>/promise.json     who, what name, how many bytes, since when
    uploads/<owner key>/<rest of the id>/part             the bytes so far: its length *is* the offset

An upload whose file was refused for good keeps its promise, with the reason, and loses its bytes: a repeated
finish gets the same answer.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from adapters.files.disk import Disk, folders, modified, opened, sync_folder, write_all
from adapters.files.shelf import id_path, owner_key
from bridge.files import Appended, FileRefused, Refusal

_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Promise:
    """`name` is the sender's, not yet fit to show; `begun_at` in seconds UTC."""

    upload_id: str
    owner: str
    name: str
    size: int
    begun_at: float
    refused: Refusal | None = None


class Partials:
    """The open uploads of one store. All methods block and raise OSError."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._root = disk.root / "uploads"

    def begin(self, promise: Promise) -> None:
        """Caller holds the store's lock."""
        ready = self._disk.temporary()
        ready.mkdir(mode=0o700)
        self._disk.write(ready / "part", b"")
        self._disk.write(ready / "promise.json", _encode(promise))
        sync_folder(ready)
        self._disk.place(ready, self._folder(promise.upload_id))

    def find(self, upload_id: str, owner: str) -> Promise:
        """Raises FileRefused: unknown_upload, also for another owner's."""
        try:
            promise = _decode((self._folder(upload_id) / "promise.json").read_bytes())
        except (ValueError, FileNotFoundError):
            raise FileRefused(Refusal.UNKNOWN_UPLOAD) from None
        if promise.owner != owner:
            raise FileRefused(Refusal.UNKNOWN_UPLOAD)
        return promise

    def offset(self, promise: Promise) -> int:
        """How many bytes have arrived; for a refused upload, all of them had."""
        if promise.refused is not None:
            return promise.size
        with self._part(promise, os.O_RDONLY) as part:
            return os.fstat(part).st_size

    def append(self, promise: Promise, offset: int, chunk: bytes) -> Appended:
        """Raises FileRefused: unknown_upload when it was dropped meanwhile, too_large beyond the promise."""
        if promise.refused is not None:
            return Appended(promise.size, accepted=False)
        with self._part(promise, os.O_RDWR) as part:
            end = os.fstat(part).st_size
            if offset != end:
                return Appended(end, accepted=False)
            if end + len(chunk) > promise.size:
                raise FileRefused(Refusal.TOO_LARGE, limit=promise.size)
            _extend(part, end, chunk)
            return Appended(end + len(chunk), accepted=True)

    def part(self, promise: Promise) -> Path:
        return self._folder(promise.upload_id) / "part"

    def exists(self, upload_id: str) -> bool:
        return self._folder(upload_id).is_dir()

    def refuse(self, promise: Promise, reason: Refusal) -> bool:
        """Keep the reason and let the bytes go. False when the upload was dropped meanwhile."""
        with self._disk.locked():
            if not self.exists(promise.upload_id):
                return False
            broken = _encode(replace(promise, refused=reason))
            self._disk.deliver(broken, self._folder(promise.upload_id) / "promise.json")
            self._disk.remove(self.part(promise))
            return True

    def drop(self, upload_id: str) -> None:
        with self._disk.locked():
            self._remove(self._folder(upload_id))

    def owned(self, owner: str) -> list[Promise]:
        """Every upload of the owner, the refused ones too."""
        promises = [_read(folder) for folder in folders(self._root / owner_key(owner))]
        return [promise for promise in promises if promise is not None and promise.owner == owner]

    def sweep(self, before: float) -> int:
        """Drop what has not moved since `before` (seconds UTC); the number of uploads dropped."""
        uploads = [folder for key in folders(self._root) for folder in folders(key)]
        idle = [folder for folder in uploads if _last_moved(folder) < before]
        for folder in idle:
            with self._disk.locked():
                self._remove(folder)
        return len(idle)

    def _remove(self, folder: Path) -> None:
        self._disk.remove(folder / "part")
        self._disk.remove(folder / "promise.json")
        self._disk.remove_folder(folder)

    @contextmanager
    def _part(self, promise: Promise, flags: int) -> Iterator[int]:
        """The part, locked: two chunks that arrive at once are taken one after the other."""
        try:
            with opened(self.part(promise), flags) as part:
                fcntl.flock(part, fcntl.LOCK_EX)
                if os.fstat(part).st_nlink == 0:  # dropped while we waited
                    raise FileRefused(Refusal.UNKNOWN_UPLOAD)
                yield part
        except FileNotFoundError:
            raise FileRefused(Refusal.UNKNOWN_UPLOAD) from None

    def _folder(self, upload_id: str) -> Path:
        return id_path(self._root, upload_id)


def _extend(part: int, end: int, chunk: bytes) -> None:
    try:
        write_all(part, chunk, end)
        os.fsync(part)
    except OSError:
        os.ftruncate(part, end)  # nothing of it was acknowledged
        raise


def _last_moved(folder: Path) -> float:
    return max(modified(folder), modified(folder / "part", missing=0.0))


def _read(folder: Path) -> Promise | None:
    try:
        return _decode((folder / "promise.json").read_bytes())
    except FileNotFoundError:  # dropped meanwhile
        return None


def _encode(promise: Promise) -> bytes:
    return json.dumps({"schema": _SCHEMA, **asdict(promise)}).encode()


def _decode(content: bytes) -> Promise:
    fields = json.loads(content)
    promise = Promise(**{name: fields[name] for name in Promise.__dataclass_fields__})
    return promise if promise.refused is None else replace(promise, refused=Refusal(promise.refused))
