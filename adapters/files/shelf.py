"""Where kept files lie: bytes by content, records by id.

    records/<owner key>/<rest of the id>.json      the record: what the file is, and whose
    bytes/<ab>/<sha256>/bytes                      the bytes, once for all records that share them
    bytes/<ab>/<sha256>/<file id>                  an empty mark: this record needs these bytes

A file is kept if, and only if, it has both record and mark. Keeping writes mark, bytes, record in this order;
removing takes mark, bytes, record in this order. So a crash between two steps leaves marks and bytes without a
record, or a record without its mark, and never a kept file without bytes; the repeat or the sweep completes what
was cut short. Both happen under the store's lock, so no process meets another in the middle.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import structlog

from adapters.files.disk import Disk, folders, sync_folder
from bridge.files import StoredFile

_SCHEMA = 1
_KEY_LENGTH = 16  # hex digits: two owners who share a key are still told apart by their records
_ID = re.compile(r"[0-9a-f]{32}\Z")
_log = structlog.get_logger(__name__)


def owner_key(owner: str) -> str:
    return hashlib.sha256(owner.encode()).hexdigest()[:_KEY_LENGTH]


def new_id(owner: str) -> str:
    """A fresh id for an upload of the owner, and for the file that comes of it."""
    return owner_key(owner) + secrets.token_hex(8)


def derived_id(owner: str, key: str) -> str:
    """The id of the owner's file with this key: the same each time."""
    return owner_key(owner) + hashlib.sha256(key.encode()).hexdigest()[:_KEY_LENGTH]


def id_path(root: Path, minted: str) -> Path:
    """The path under `root` for an id. Raises ValueError for what we never minted, so no path can be smuggled in."""
    if _ID.match(minted) is None:
        raise ValueError("not an id of a file")
    return root / minted[:_KEY_LENGTH] / minted[_KEY_LENGTH:]


class Shelf:
    """The kept files of one store. All methods block: call them off the event loop. They raise OSError."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._records = disk.root / "records"
        self._bytes = disk.root / "bytes"

    def keep(self, file: StoredFile, ready: Path, wanted: Callable[[], bool] = lambda: True) -> StoredFile | None:
        """Move the synced bytes at `ready` in and record them; or answer the record that is there already.

        `wanted` is asked under the lock: when it says no, nothing is kept and None is answered.
        """
        with self._disk.locked():
            before = self.find(file.file_id)
            if before is not None or not wanted():
                ready.unlink()
                return before
            self._disk.make_folder(self._place(file.sha256))
            self._write_mark(file)
            self._disk.place(ready, self.path(file))
            self._write_record(file)
            return file

    def find(self, file_id: str) -> StoredFile | None:
        try:
            file = self._read(self._record(file_id))
        except ValueError:
            return None
        return file if file is not None and self._mark(file).exists() else None

    def path(self, file: StoredFile) -> Path:
        return self._place(file.sha256) / "bytes"

    def remove(self, file_id: str) -> bool:
        try:
            record = self._record(file_id)
        except ValueError:
            return False
        with self._disk.locked():
            file = self._read(record)
            if file is None:
                return False
            self._disk.remove(self._mark(file))
            self._remove_unneeded(self._place(file.sha256))
            self._disk.remove(record)
            return True

    def owned(self, owner: str) -> list[StoredFile]:
        """The owner's files, oldest first."""
        files = (self.find(file_id) for file_id in self._ids(owner_key(owner)))
        mine = [file for file in files if file is not None and file.owner == owner]
        return sorted(mine, key=lambda file: file.stored_at)

    def ids(self, owner: str) -> list[str]:
        """The ids of all the owner's records, also of those whose removal a crash cut short."""
        records = {file_id: self._read(self._record(file_id)) for file_id in self._ids(owner_key(owner))}
        return [file_id for file_id, file in records.items() if file is not None and file.owner == owner]

    def sweep(self) -> int:
        """Remove what crashes left; the number of things removed."""
        shelves = [place for prefix in folders(self._bytes) for place in folders(prefix)]
        return sum(self._sweep_place(place) for place in shelves) + self._sweep_records()

    def _sweep_place(self, place: Path) -> int:
        with self._disk.locked():
            return self._remove_unneeded(place)

    def _sweep_records(self) -> int:
        kept = [key.name + record.stem for key in folders(self._records) for record in key.glob("*.json")]
        cut_short = [file_id for file_id in kept if self._is_cut_short(file_id)]
        return sum(self.remove(file_id) for file_id in cut_short)

    def _is_cut_short(self, file_id: str) -> bool:
        with self._disk.locked():
            file = self._read(self._record(file_id))
            return file is not None and not self._mark(file).exists()

    def _remove_unneeded(self, place: Path) -> int:
        """Take away marks that no record backs, and the bytes when no mark is left."""
        marks = [path for path in place.iterdir() if path.name != "bytes"] if place.is_dir() else []
        stale = [mark for mark in marks if not self._record(mark.name).exists()]
        for mark in stale:
            self._disk.remove(mark)
        if len(stale) == len(marks):
            self._disk.remove(place / "bytes")
            self._disk.remove_folder(place)
            return 1
        return len(stale)

    def _write_record(self, file: StoredFile) -> None:
        record = json.dumps({"schema": _SCHEMA, **asdict(file)}).encode()
        self._disk.deliver(record, self._record(file.file_id))

    def _read(self, record: Path) -> StoredFile | None:
        try:
            fields = json.loads(record.read_bytes())
            return StoredFile(**{name: fields[name] for name in StoredFile.__dataclass_fields__})
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):  # we write none such; a disk may
            _log.error("file_record_unreadable", file_id=record.parent.name + record.stem)
            return None

    def _ids(self, key: str) -> Iterator[str]:
        return (key + record.stem for record in (self._records / key).glob("*.json"))

    def _record(self, file_id: str) -> Path:
        return id_path(self._records, file_id).with_suffix(".json")

    def _place(self, sha256: str) -> Path:
        return self._bytes / sha256[:2] / sha256

    def _mark(self, file: StoredFile) -> Path:
        return self._place(file.sha256) / file.file_id

    def _write_mark(self, file: StoredFile) -> None:
        self._mark(file).unlink(missing_ok=True)  # of a keep that a crash cut short
        self._disk.write(self._mark(file), b"")
        sync_folder(self._place(file.sha256))
