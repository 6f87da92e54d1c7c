"""Attachments on a local disk: the `Files` port.

A file goes through the same steps however it comes: told by content, scanned, cleaned, and kept under one lock.
Blocking work runs in threads of our own, so that a slow disk holds up no other part of the process.
"""

import asyncio
import hashlib
import os
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

import structlog

from adapters.files.disk import Disk
from adapters.files.documents import is_whole_pdf
from adapters.files.kinds import HEAD_BYTES, VOICE, Kind, kind_of
from adapters.files.names import display_name
from adapters.files.partials import Partials, Promise
from adapters.files.scanner import NoScanner
from adapters.files.shelf import Shelf, derived_id, new_id
from adapters.files.sounds import is_whole_voice_message
from adapters.files.workers import Workers
from bridge.files import Appended, FileLimits, FileRefused, Refusal, Scanner, StoredFile, Upload, Verdict

_THREADS = 4
_PIECE_BYTES = 256 * 1024
_RAW_NAME_CHARACTERS = 1000  # of what the sender calls it; far more than is ever shown
_LEAVINGS_SECONDS = 3600.0  # nothing that is still wanted lies in `temporary/` for so long
_log = structlog.get_logger(__name__)
_P = ParamSpec("_P")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Admitted:
    """A file that passed every check, its clean bytes synced at `path`."""

    path: Path
    kind: Kind
    size: int
    sha256: str
    width: int | None
    height: int | None


class DiskFiles:
    """Keeps files under `root`, a folder of its own, which several processes may share.

    `clock` gives seconds UTC. Raises OSError when the folder cannot be made. Close it when done.
    """

    def __init__(
        self,
        root: Path,
        limits: FileLimits | None = None,
        scanner: Scanner | None = None,
        workers: Workers | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._limits = limits or FileLimits()
        self._disk = Disk(root)
        self._shelf = Shelf(self._disk)
        self._partials = Partials(self._disk)
        self._scanner = scanner or NoScanner()
        self._workers = workers or Workers(self._limits)
        self._clock = clock
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="files")
        self._finishing: dict[tuple[str, str], asyncio.Task[StoredFile]] = {}

    async def close(self) -> None:
        """End what is under way (its uploads can be finished after the next start) and the threads."""
        await asyncio.to_thread(self._workers.close)
        await asyncio.gather(*self._finishing.values(), return_exceptions=True)
        self._threads.shutdown()

    async def begin_upload(self, owner: str, name: str, size: int) -> Upload:
        promise = Promise(new_id(owner), owner, name[:_RAW_NAME_CHARACTERS], size, self._clock())
        self._check_size(size)
        await self._writing(self._begin, promise)
        return Upload(promise.upload_id, 0, size)

    async def resume(self, upload_id: str, owner: str) -> Upload:
        file = await self._off_loop(self._shelf.find, upload_id)
        if file is not None and file.owner == owner:
            return Upload(upload_id, file.size, file.size)
        promise = await self._off_loop(self._partials.find, upload_id, owner)
        return Upload(upload_id, await self._off_loop(self._partials.offset, promise), promise.size)

    async def append(self, upload_id: str, owner: str, offset: int, chunk: bytes) -> Appended:
        promise = await self._off_loop(self._partials.find, upload_id, owner)
        return await self._writing(self._append, promise, offset, chunk)

    async def finish(self, upload_id: str, owner: str) -> StoredFile:
        # One task for all who ask, and it goes on when they leave: the answer waits for their return.
        key = (upload_id, owner)
        task = self._finishing.get(key)
        if task is None:
            task = asyncio.create_task(self._finish(upload_id, owner))
            self._finishing[key] = task
            task.add_done_callback(partial(self._finished, key))
        return await asyncio.shield(task)

    async def abandon(self, upload_id: str, owner: str) -> None:
        try:
            await self._off_loop(self._partials.find, upload_id, owner)
        except FileRefused:
            return
        await self._off_loop(self._partials.drop, upload_id)

    async def put(self, owner: str, name: str, content: bytes, key: str) -> StoredFile:
        file_id = derived_id(owner, key)
        before = await self._off_loop(self._shelf.find, file_id)
        if before is not None:
            return before
        self._check_size(len(content))
        source = self._disk.temporary()
        try:
            await self._writing(self._write_within_bounds, owner, source, content)
            file = await self._admit_and_keep(source, name, file_id, owner, by_operator=True)
        except FileRefused as refused:
            _log.info("file_refused", file_id=file_id, reason=refused.code.value)
            raise
        finally:
            await self._off_loop(source.unlink, missing_ok=True)
        assert file is not None, "nobody can withdraw a file that is put"
        return file

    async def stat(self, file_id: str) -> StoredFile | None:
        return await self._off_loop(self._shelf.find, file_id)

    async def read(self, file_id: str) -> bytes | None:
        return await self._off_loop(self._read, file_id)

    async def stream(self, file_id: str, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes, None]:
        file = await self.stat(file_id)
        if file is None:
            return
        stop = file.size if stop is None else min(stop, file.size)
        path = self._shelf.path(file)
        while start < stop:
            piece = await self._off_loop(_read_piece, path, start, min(_PIECE_BYTES, stop - start))
            if not piece:  # erased while it was read
                return
            yield piece
            start += len(piece)

    async def delete(self, file_id: str) -> bool:
        removed = await self._off_loop(self._shelf.remove, file_id)
        if removed:
            _log.info("file_deleted", file_id=file_id)
        return removed

    async def owned(self, owner: str) -> Sequence[StoredFile]:
        return await self._off_loop(self._shelf.owned, owner)

    async def erase(self, owner: str) -> int:
        for promise in await self._off_loop(self._partials.owned, owner):
            await self._off_loop(self._partials.drop, promise.upload_id)
        deleted = [await self.delete(file_id) for file_id in await self._off_loop(self._shelf.ids, owner)]
        return sum(deleted)

    async def sweep(self, now: float) -> int:
        expired = await self._off_loop(self._partials.sweep, now - self._limits.upload_seconds)
        leavings = await self._off_loop(self._disk.sweep, now - _LEAVINGS_SECONDS)
        return expired + leavings + await self._off_loop(self._shelf.sweep)

    # Admission: bounds, then the file itself.

    def _check_size(self, size: int) -> None:
        if size <= 0:
            raise FileRefused(Refusal.EMPTY)
        if size > self._limits.file_bytes:
            raise FileRefused(Refusal.TOO_LARGE, limit=self._limits.file_bytes)

    def _begin(self, promise: Promise) -> None:
        with self._disk.locked():
            uploads = self._partials.owned(promise.owner)
            if sum(upload.refused is None for upload in uploads) >= self._limits.open_uploads:
                raise FileRefused(Refusal.TOO_MANY_UPLOADS)
            self._check_bounds(promise.owner, promise.size)
            self._partials.begin(promise)

    def _append(self, promise: Promise, offset: int, chunk: bytes) -> Appended:
        self._check_reserve(len(chunk))
        return self._partials.append(promise, offset, chunk)

    def _write_within_bounds(self, owner: str, path: Path, content: bytes) -> None:
        with self._disk.locked():
            self._check_bounds(owner, len(content))
        self._disk.write(path, content)

    def _check_bounds(self, owner: str, size: int) -> None:
        limits, hour_ago = self._limits, self._clock() - 3600
        uploads = self._partials.owned(owner)
        files = self._shelf.owned(owner)
        times = [upload.begun_at for upload in uploads] + [file.stored_at for file in files]
        if sum(at > hour_ago for at in times) >= limits.hourly_files:
            raise FileRefused(Refusal.RATE)
        promised = sum(upload.size for upload in uploads if upload.refused is None)
        if promised + sum(file.size for file in files) + size > limits.owner_bytes:
            raise FileRefused(Refusal.OWNER_FULL, limit=limits.owner_bytes)
        self._check_reserve(size)

    def _check_reserve(self, size: int) -> None:
        if self._disk.free_bytes() - size < self._limits.reserve_bytes:
            raise FileRefused(Refusal.STORAGE_FULL)

    async def _finish(self, upload_id: str, owner: str) -> StoredFile:
        file = await self._off_loop(self._shelf.find, upload_id)
        if file is None or file.owner != owner:
            promise = await self._off_loop(self._partials.find, upload_id, owner)
            file = await self._finish_promise(promise)
        await self._off_loop(self._partials.drop, upload_id)
        return file

    async def _finish_promise(self, promise: Promise) -> StoredFile:
        if promise.refused is not None:
            raise FileRefused(promise.refused)
        if await self._off_loop(self._partials.offset, promise) < promise.size:
            raise FileRefused(Refusal.INCOMPLETE, limit=promise.size)
        upload_id, part = promise.upload_id, self._partials.part(promise)
        try:
            wanted = partial(self._partials.exists, upload_id)
            file = await self._admit_and_keep(part, promise.name, upload_id, promise.owner, wanted)
        except FileNotFoundError:  # the upload was dropped meanwhile
            file = None
        except FileRefused as refused:
            if await self._stands(promise, refused):
                _log.info("file_refused", file_id=upload_id, reason=refused.code.value)
                raise
            file = None
        # dropped by whoever abandoned it, or by another process that finished it before us
        file = file or await self._off_loop(self._shelf.find, upload_id)
        if file is None:
            raise FileRefused(Refusal.UNKNOWN_UPLOAD)
        return file

    async def _stands(self, promise: Promise, refused: FileRefused) -> bool:
        """Whether a refusal is the upload's own, and not for want of bytes that were dropped meanwhile."""
        if refused.retry:
            return await self._off_loop(self._partials.exists, promise.upload_id)
        return await self._writing(self._partials.refuse, promise, refused.code)

    def _finished(self, key: tuple[str, str], task: asyncio.Task[StoredFile]) -> None:
        del self._finishing[key]
        if not task.cancelled():
            task.exception()  # seen: whoever asked may have left

    async def _admit_and_keep(
        self,
        source: Path,
        name: str,
        file_id: str,
        owner: str,
        wanted: Callable[[], bool] = lambda: True,
        *,
        by_operator: bool = False,
    ) -> StoredFile | None:
        ready = self._disk.temporary()
        try:
            admitted = await self._admit(source, ready, by_operator=by_operator)
            file = self._recorded(admitted, name, file_id, owner)
            kept = await self._writing(self._shelf.keep, file, ready, wanted)
        finally:
            await self._off_loop(ready.unlink, missing_ok=True)
        if kept is not None:
            _log.info("file_stored", file_id=file_id, media_type=kept.media_type, size=kept.size)
        return kept

    def _recorded(self, admitted: _Admitted, name: str, file_id: str, owner: str) -> StoredFile:
        return StoredFile(
            file_id=file_id,
            owner=owner,
            name=display_name(name, admitted.kind),
            media_type=admitted.kind.media_type,
            size=admitted.size,
            width=admitted.width,
            height=admitted.height,
            sha256=admitted.sha256,
            stored_at=self._clock(),
        )

    async def _admit(self, source: Path, ready: Path, *, by_operator: bool) -> _Admitted:
        kind = await self._off_loop(_kind_at, source, by_operator)
        if kind is None:
            raise FileRefused(Refusal.UNSUPPORTED_TYPE)
        await self._scan(source, kind)
        width, height = await self._clean(source, ready, kind)
        size, sha256 = await self._writing(_settled, ready)
        return _Admitted(ready, kind, size, sha256, width, height)

    async def _scan(self, source: Path, kind: Kind) -> None:
        verdict = await self._scanner.scan(source, kind.media_type)
        if verdict is Verdict.INFECTED:
            raise FileRefused(Refusal.INFECTED)
        if verdict is Verdict.UNKNOWN:
            raise FileRefused(Refusal.UNCHECKED)

    async def _clean(self, source: Path, ready: Path, kind: Kind) -> tuple[int, int] | tuple[None, None]:
        if kind.form is not None:
            return await self._workers.redraw(source, ready, kind.form)
        if not await self._off_loop(is_whole_voice_message if kind is VOICE else is_whole_pdf, source):
            raise FileRefused(Refusal.DAMAGED)
        await self._writing(self._copy, source, ready)
        return None, None

    def _copy(self, source: Path, ready: Path) -> None:
        try:
            content = source.read_bytes()
        except FileNotFoundError:  # abandoned meanwhile
            raise FileRefused(Refusal.UNKNOWN_UPLOAD) from None
        self._disk.write(ready, content)

    def _read(self, file_id: str) -> bytes | None:
        file = self._shelf.find(file_id)
        try:
            return None if file is None else self._shelf.path(file).read_bytes()
        except FileNotFoundError:  # erased meanwhile
            return None

    # Threads, and what a disk's errors mean.

    async def _off_loop(self, call: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, partial(call, *args, **kwargs))

    async def _writing(self, call: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Whatever keeps us from writing (full, over quota, read-only, broken) is one thing to the sender."""
        try:
            return await self._off_loop(call, *args, **kwargs)
        except OSError as error:
            _log.error("file_storage_failed", errno=error.errno)  # without locals: they hold what people sent
            raise FileRefused(Refusal.STORAGE_FULL) from error


def _kind_at(path: Path, by_operator: bool) -> Kind | None:
    with path.open("rb") as file:
        return kind_of(file.read(HEAD_BYTES), by_operator=by_operator)


def _settled(path: Path) -> tuple[int, str]:
    """Size and SHA-256 of a file that is now on the platter."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        return os.fstat(file.fileno()).st_size, hashlib.file_digest(file, "sha256").hexdigest()


def _read_piece(path: Path, start: int, length: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(start)
            return file.read(length)
    except FileNotFoundError:
        return b""
