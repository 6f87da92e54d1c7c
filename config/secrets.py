"""The installation's own secrets: made at the first start, kept in `data_dir/secrets.json`, never shown.

Each has a current key, which signs, and perhaps the one before it, which is still believed: rotating once breaks
nothing, rotating twice ends what the first key signed. The file is for its owner only; anything else is refused,
because whoever reads it can pass for any visitor.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import stat
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from bridge.errors import SettingsError

FILE = "secrets.json"
KEY_BYTES = 32
_SCHEMA = 1


@dataclass(frozen=True, slots=True, repr=False)
class KeyPair:
    """`current` signs; `previous` is still believed. Random bytes."""

    current: bytes
    previous: bytes | None = None

    @property
    def all(self) -> tuple[bytes, ...]:
        return (self.current,) if self.previous is None else (self.current, self.previous)


@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    """What signs visitors' tokens and links to files. (The desk's cookies are random, and known to the store.)"""

    visitor_tokens: KeyPair
    file_links: KeyPair


NAMES = tuple(field.name for field in fields(Secrets))


def prepare(data_dir: Path) -> Path:
    """The data folder, absolute; made for its owner only if it is not there. Raises SettingsError."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"the data folder cannot be made ({error.strerror})",
            where=f"data_dir = {data_dir}",
            mend="give our user the right to make it, or set data_dir (KAKEHASHI_DATA_DIR) to another folder",
        ) from error
    return data_dir.absolute()


def load(data_dir: Path) -> Secrets:
    """The secrets, made if they are not there. Two processes that start at once get the same ones.

    Raises SettingsError when the file is not ours alone, or cannot be read or written.
    """
    path = prepare(data_dir) / FILE
    try:
        if not path.exists():
            _make(path)
        return _with_new_names(path)
    except OSError as error:
        raise SettingsError(
            f"the secrets cannot be kept ({error.strerror})",
            where=str(path),
            mend="give our user the right to read and write it",
        ) from error


def rotate(data_dir: Path, name: str) -> None:
    """Replace one secret's current key; the one before is believed until the next rotation. Raises SettingsError."""
    if name not in NAMES:
        raise SettingsError(f"there is no secret {name}", mend=f"choose one of {', '.join(NAMES)}")
    known = load(data_dir)
    pair: KeyPair = getattr(known, name)
    renewed = replace(known, **{name: KeyPair(_new_key(), pair.current)})
    _replace(prepare(data_dir) / FILE, renewed)


def _make(path: Path) -> None:
    """Write a complete file beside, then link it into place: whoever comes second keeps the first one's."""
    draft = _draft(path, Secrets(*(KeyPair(_new_key()) for _ in NAMES)))
    try:
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink()
    _sync(path.parent)


def _with_new_names(path: Path) -> Secrets:
    """What the file holds; a release that needs one more secret adds it."""
    kept = _read(path)
    complete = Secrets(**{name: kept.get(name) or KeyPair(_new_key()) for name in NAMES})
    if len(kept) < len(NAMES):
        _replace(path, complete)
    return complete


def _read(path: Path) -> dict[str, KeyPair]:
    _check_private(path)
    try:
        record = json.loads(path.read_bytes())
        if record.pop("schema") != _SCHEMA:
            raise ValueError("schema")
        return {name: _pair(record[name]) for name in NAMES if name in record}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise SettingsError(
            "the secrets cannot be understood",
            where=str(path),
            mend="restore the file from a backup; deleting it signs every visitor out of their history",
        ) from error


def _pair(keys: list[str]) -> KeyPair:
    current, *previous = (bytes.fromhex(key) for key in keys[:2])
    if any(len(key) < KEY_BYTES for key in (current, *previous)):
        raise ValueError("a key is too short")
    return KeyPair(current, previous[0] if previous else None)


def _check_private(path: Path) -> None:
    status = path.stat()
    if status.st_uid != os.geteuid():
        raise SettingsError(
            "the secrets belong to another user",
            where=str(path),
            mend=f"run as that user, or: chown {os.geteuid()} {path}",
        )
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise SettingsError("others may read the secrets", where=str(path), mend=f"chmod 600 {path}")


def _replace(path: Path, known: Secrets) -> None:
    draft = _draft(path, known)
    draft.replace(path)
    _sync(path.parent)


def _draft(path: Path, known: Secrets) -> Path:
    record: dict[str, Any] = {"schema": _SCHEMA}
    record |= {name: [key.hex() for key in getattr(known, name).all] for name in NAMES}
    draft = path.with_name(f".{FILE}.{secrets.token_hex(4)}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(record, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    return draft


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _new_key() -> bytes:
    return secrets.token_bytes(KEY_BYTES)
