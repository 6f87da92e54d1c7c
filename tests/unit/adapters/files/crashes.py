"""Crashes the store before every single line that it executes, and looks at what the next process finds.

A program of its own (it forks, which a test runner with threads should not): prints how many crashes it survived.
Each story is prepared in a folder, acted in a child that ends without cleaning up before its n-th line, and then
looked at, swept, and repeated by the parent.
"""

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from adapters.files import disk
from adapters.files.disk import Disk
from adapters.files.partials import Partials, Promise
from adapters.files.shelf import Shelf, derived_id
from bridge.files import FileRefused, Refusal, StoredFile

CODE = str(Path(disk.__file__).parent)
OWNER = "customer:site/abc"
CONTENT = b"the bytes that two files share"
MINE, OTHER = derived_id(OWNER, "mine"), derived_id("operator:kenji", "other")
FAR_FUTURE = 1e11
CRASHED = 9
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
"""Where a thousand small folders come and go without a disk; where there is none, on the disk."""


@dataclass
class Store:
    """One process's view of a store."""

    root: Path

    def __post_init__(self) -> None:
        self.disk = Disk(self.root)
        self.shelf = Shelf(self.disk)
        self.partials = Partials(self.disk)

    def keep(self, file_id: str = MINE, owner: str = OWNER) -> None:
        ready = self.disk.temporary()
        self.disk.write(ready, CONTENT)
        digest = hashlib.sha256(CONTENT).hexdigest()
        file = StoredFile(file_id, owner, "a.pdf", "application/pdf", len(CONTENT), None, None, digest, 1.0)
        assert self.shelf.keep(file, ready) == file

    def holds(self, file_id: str) -> bool:
        """Whether the file is kept; if so, it must be whole."""
        file = self.shelf.find(file_id)
        assert file is None or self.shelf.path(file).read_bytes() == CONTENT, "a kept file without its bytes"
        return file is not None

    def leftovers(self) -> list[Path]:
        return [path for path in self.root.rglob("*") if path.is_file() and path.name != "lock"]

    def sweep(self) -> None:
        self.partials.sweep(FAR_FUTURE)
        self.disk.sweep(FAR_FUTURE)
        self.shelf.sweep()


@dataclass(frozen=True)
class Story:
    prepare: Callable[[Store], object]
    act: Callable[[Store], object]
    check: Callable[[Store], None]


def main() -> None:
    os.fsync = lambda fd: None  # a process that dies takes nothing from the kernel; the power stays on here
    crashes = sum(_tell(story) for story in STORIES)
    sys.stdout.write(str(crashes))


def _tell(story: Story) -> int:
    """Crash at line 1, 2, 3, ... until the story comes to its end; how many crashes that took."""
    line = 0
    while True:
        with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
            story.prepare(Store(Path(folder)))
            crashed = _crash(story, Path(folder), line)
            story.check(Store(Path(folder)))
            if not crashed:
                return line
        line += 1


def _crash(story: Story, folder: Path, line: int) -> bool:
    child = os.fork()
    if child == 0:
        _act_until(line, story, Store(folder))
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, CRASHED), f"the story failed with status {status}"
    return status == CRASHED


def _act_until(line: int, story: Story, store: Store) -> None:
    lines = iter(range(line))

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        if not frame.f_code.co_filename.startswith(CODE):
            return None
        if event == "line" and next(lines, None) is None:
            os._exit(CRASHED)
        return trace

    status = 1
    try:
        sys.settrace(trace)
        story.act(store)
        sys.settrace(None)
        status = 0
    finally:
        os._exit(status)


def both(store: Store) -> None:
    store.keep(MINE)
    store.keep(OTHER, "operator:kenji")


def check_kept_or_not(store: Store) -> None:
    if not store.holds(MINE):
        store.sweep()
        assert store.leftovers() == [], "a file that is not kept leaves nothing behind"
    store.keep(MINE)
    store.sweep()
    assert store.holds(MINE)
    assert len(store.leftovers()) == 3, "record, mark and bytes"


def check_the_other_is_untouched(store: Store) -> None:
    assert store.holds(OTHER)
    store.sweep()
    assert store.holds(OTHER)
    store.keep(MINE)
    assert store.holds(MINE)
    assert store.shelf.remove(OTHER)
    assert store.holds(MINE)


def check_removed_in_the_end(store: Store) -> None:
    store.holds(MINE)
    store.shelf.remove(MINE)
    assert not store.holds(MINE)
    assert store.leftovers() == [], "the bytes are gone as soon as the repeat has answered"


def check_a_sweep_completes_the_removal(store: Store) -> None:
    begun = not store.holds(MINE)
    store.sweep()
    assert store.leftovers() == [] if begun else store.holds(MINE)


def check_only_mine_is_removed(store: Store) -> None:
    store.shelf.remove(MINE)
    assert not store.holds(MINE)
    assert store.holds(OTHER)
    store.sweep()
    assert store.holds(OTHER)


PROMISE = Promise(derived_id(OWNER, "upload"), OWNER, "a.pdf", len(CONTENT), 1.0)


def check_begun_or_not(store: Store) -> None:
    for promise in store.partials.owned(OWNER):
        assert promise == PROMISE
        assert store.partials.offset(promise) == 0
        check_the_rest_can_be_sent(store)
    store.sweep()
    assert store.leftovers() == []


def check_the_rest_can_be_sent(store: Store) -> None:
    promise = store.partials.find(PROMISE.upload_id, OWNER)
    offset = store.partials.offset(promise)
    assert store.partials.part(promise).read_bytes() == CONTENT[:offset]
    while offset < len(CONTENT):
        offset = store.partials.append(promise, offset, CONTENT[offset : offset + 7]).offset
    assert store.partials.part(promise).read_bytes() == CONTENT


def check_refused_or_still_there(store: Store) -> None:
    promise = store.partials.find(PROMISE.upload_id, OWNER)
    if promise.refused is None:
        check_the_rest_can_be_sent(store)
    store.partials.refuse(promise, Refusal.DAMAGED)
    assert store.partials.find(PROMISE.upload_id, OWNER).refused is Refusal.DAMAGED
    assert not store.partials.part(promise).exists()


def check_dropped_in_the_end(store: Store) -> None:
    store.partials.drop(PROMISE.upload_id)
    assert store.leftovers() == []
    known = True
    try:
        store.partials.find(PROMISE.upload_id, OWNER)
    except FileRefused as refused:
        known = refused.code is not Refusal.UNKNOWN_UPLOAD
    assert not known, "an upload that was given up"


def litter(store: Store) -> None:
    """What earlier crashes left: bytes without a record, a record without its mark, half a file."""
    both(store)
    store.partials.begin(PROMISE)
    store.disk.write(store.disk.temporary(), b"half")
    file = store.shelf.find(MINE)
    assert file is not None
    (store.shelf.path(file).parent / MINE).unlink()
    orphan = store.root / "bytes" / "00" / ("00" * 32)
    store.disk.make_folder(orphan)
    store.disk.write(orphan / "bytes", b"orphan")


def check_swept(store: Store) -> None:
    store.sweep()
    assert store.holds(OTHER)
    assert len(store.leftovers()) == 3


def nothing(store: Store) -> None:
    shutil.rmtree(store.root / "temporary")
    store.disk = Disk(store.root)


def begin(store: Store) -> None:
    store.partials.begin(PROMISE)


def remove(store: Store) -> None:
    store.shelf.remove(MINE)


def append(store: Store) -> None:
    promise = store.partials.find(PROMISE.upload_id, OWNER)
    for offset in range(0, len(CONTENT), 20):
        store.partials.append(promise, offset, CONTENT[offset : offset + 20])


STORIES = [
    Story(nothing, Store.keep, check_kept_or_not),
    Story(lambda store: store.keep(OTHER, "operator:kenji"), Store.keep, check_the_other_is_untouched),
    Story(Store.keep, remove, check_removed_in_the_end),
    Story(Store.keep, remove, check_a_sweep_completes_the_removal),
    Story(both, remove, check_only_mine_is_removed),
    Story(nothing, begin, check_begun_or_not),
    Story(begin, append, check_the_rest_can_be_sent),
    Story(begin, lambda store: store.partials.refuse(PROMISE, Refusal.DAMAGED), check_refused_or_still_there),
    Story(begin, lambda store: store.partials.drop(PROMISE.upload_id), check_dropped_in_the_end),
    Story(litter, Store.sweep, check_swept),
]

if __name__ == "__main__":
    main()
