"""The `Files` port on a disk: what its prose promises."""

import asyncio
import errno
import hashlib
import os
import resource
import shutil
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.files.store import DiskFiles
from bridge.files import Appended, FileLimits, FileRefused, Files, Refusal, StoredFile, Upload, Verdict
from tests.unit.adapters.files import samples

OWNER, OTHER = "customer:site/abc", "operator:kenji"
Open = Callable[..., Awaitable[DiskFiles]]


class Clock:
    """Stands still unless it is told otherwise."""

    def __init__(self) -> None:
        self.now = 1_795_000_000.0

    def __call__(self) -> float:
        return self.now


class Scanner:
    """Says what it is told to say, and remembers what it was shown."""

    def __init__(self, verdict: Verdict = Verdict.CLEAN) -> None:
        self.verdict = verdict
        self.seen: list[bytes] = []

    async def scan(self, path: Path, media_type: str) -> Verdict:
        self.seen.append(path.read_bytes())
        return self.verdict


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def opened(tmp_path: Path, clock: Clock) -> Open:  # type: ignore[misc]  # an async generator, as pytest wants
    """Opens the store anew, as a process that starts does."""
    async with AsyncExitStack() as stack:

        async def open_store(limits: FileLimits = samples.ROOMY, scanner: Scanner | None = None) -> DiskFiles:
            files = DiskFiles(tmp_path / "files", limits, scanner, clock=clock)
            stack.push_async_callback(files.close)
            return files

        yield open_store


@pytest.fixture
async def files(opened: Open) -> DiskFiles:
    return await opened()


async def uploaded(files: Files, content: bytes, name: str = "a.png", owner: str = OWNER) -> Upload:
    upload = await files.begin_upload(owner, name, len(content))
    assert (await files.append(upload.upload_id, owner, 0, content)).accepted
    return upload


async def stored(files: Files, content: bytes, name: str = "a.png", owner: str = OWNER) -> StoredFile:
    return await files.finish((await uploaded(files, content, name, owner)).upload_id, owner)


async def refusal(step: Awaitable[object]) -> Refusal:
    with pytest.raises(FileRefused) as refused:
        await step
    assert refused.value.what
    assert refused.value.mend
    return refused.value.code


def kept_bytes(root: Path) -> list[Path]:
    return list(root.rglob("bytes/*/*/bytes"))


def all_files(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file() and path.name != "lock"]


# Keeping and reading


async def test_a_document_is_kept_byte_for_byte(files: DiskFiles, clock: Clock) -> None:
    content = samples.pdf()
    file = await stored(files, content, "明細.pdf")
    digest = hashlib.sha256(content).hexdigest()
    assert file == StoredFile(
        file.file_id, OWNER, "明細.pdf", "application/pdf", len(content), None, None, digest, clock.now
    )
    assert await files.read(file.file_id) == content
    assert await files.stat(file.file_id) == file
    assert list(await files.owned(OWNER)) == [file]
    assert await files.owned(OTHER) == []


async def test_a_picture_is_kept_without_its_camera(files: DiskFiles) -> None:
    file = await stored(files, samples.photograph("JPEG", orientation=6), "IMG_1.heic")
    kept = await files.read(file.file_id)
    assert kept is not None
    assert b"SECRET" not in kept
    assert (file.name, file.media_type, file.width, file.height) == ("IMG_1.jpg", "image/jpeg", 32, 48)
    assert (file.size, file.sha256) == (len(kept), hashlib.sha256(kept).hexdigest())


@pytest.mark.parametrize("start", [0, 1, 262_143, 262_144, 600_000, 10**9])
@pytest.mark.parametrize("stop", [None, 0, 1, 262_144, 262_145, 10**9])
async def test_any_part_can_be_streamed(files: DiskFiles, start: int, stop: int | None) -> None:
    content = samples.pdf("x" * 600_000)
    file = await files.put(OWNER, "a.pdf", content, key="k")
    assert b"".join([piece async for piece in files.stream(file.file_id, start, stop)]) == content[start:stop]


async def test_there_is_nothing_behind_an_id_that_was_never_minted(files: DiskFiles) -> None:
    for file_id in ("", "ab" * 16, "../../../etc/passwd", "a/b", "AB" * 16, "ab" * 16 + "\n", "\0"):
        assert await files.stat(file_id) is None
        assert await files.read(file_id) is None
        assert not await files.delete(file_id)
        assert [piece async for piece in files.stream(file_id)] == []
        assert await refusal(files.finish(file_id, OWNER)) is Refusal.UNKNOWN_UPLOAD
        assert await refusal(files.resume(file_id, OWNER)) is Refusal.UNKNOWN_UPLOAD
        await files.abandon(file_id, OWNER)


async def test_put_keeps_once_for_each_key(files: DiskFiles) -> None:
    first = await files.put(OWNER, "a.pdf", samples.pdf("one"), key="slack:F1")
    assert await files.put(OWNER, "a.pdf", samples.pdf("changed"), key="slack:F1") == first
    second = await files.put(OWNER, "a.pdf", samples.pdf("two"), key="slack:F2")
    elsewhere = await files.put(OTHER, "a.pdf", samples.pdf("three"), key="slack:F1")
    assert len({first.file_id, second.file_id, elsewhere.file_id}) == 3


# Refusals


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", Refusal.UNSUPPORTED_TYPE),
        (b"<!doctype html><script>alert(1)</script>", Refusal.UNSUPPORTED_TYPE),
        (b"PK\x03\x04" + b"\0" * 60, Refusal.UNSUPPORTED_TYPE),
        (b"x", Refusal.UNSUPPORTED_TYPE),
        (samples.png()[:80], Refusal.DAMAGED),
        (samples.pdf()[:-30], Refusal.DAMAGED),
        (samples.huge_png(), Refusal.TOO_MANY_PIXELS),
        (samples.huge_webp(), Refusal.TOO_MANY_PIXELS),
    ],
)
async def test_what_is_refused_leaves_nothing_and_is_refused_again(
    files: DiskFiles, tmp_path: Path, content: bytes, code: Refusal
) -> None:
    upload = await uploaded(files, content, "innocent.png")
    assert await refusal(files.finish(upload.upload_id, OWNER)) is code
    assert await refusal(files.finish(upload.upload_id, OWNER)) is code
    assert await refusal(files.put(OWNER, "innocent.png", content, key="k")) is code
    assert kept_bytes(tmp_path) == []
    assert [path.name for path in all_files(tmp_path)] == ["promise.json"]
    assert await files.owned(OWNER) == []


async def test_sizes_are_checked_before_anything_is_written(opened: Open, tmp_path: Path) -> None:
    files = await opened(replace(samples.ROOMY, file_bytes=1000))
    for size, code in ((0, Refusal.EMPTY), (-1, Refusal.EMPTY), (1001, Refusal.TOO_LARGE), (10**30, Refusal.TOO_LARGE)):
        assert await refusal(files.begin_upload(OWNER, "a.png", size)) is code
    assert await refusal(files.put(OWNER, "a.png", b"", key="k")) is Refusal.EMPTY
    assert await refusal(files.put(OWNER, "a.png", b"x" * 1001, key="k")) is Refusal.TOO_LARGE
    assert all_files(tmp_path) == []


async def test_an_infected_file_is_refused_for_good_and_an_unchecked_one_for_now(opened: Open) -> None:
    scanner = Scanner(Verdict.UNKNOWN)
    files = await opened(scanner=scanner)
    sent = samples.photograph("PNG")
    upload = await uploaded(files, sent)
    assert await refusal(files.finish(upload.upload_id, OWNER)) is Refusal.UNCHECKED
    assert scanner.seen == [sent], "the scanner sees the file as it came"
    scanner.verdict = Verdict.CLEAN
    assert (await files.finish(upload.upload_id, OWNER)).media_type == "image/png"
    scanner.verdict = Verdict.INFECTED
    upload = await uploaded(files, samples.pdf())
    assert await refusal(files.finish(upload.upload_id, OWNER)) is Refusal.INFECTED
    scanner.verdict = Verdict.CLEAN
    assert await refusal(files.finish(upload.upload_id, OWNER)) is Refusal.INFECTED


async def test_an_owner_has_so_many_uploads_open_at_once(opened: Open) -> None:
    files = await opened(replace(samples.ROOMY, open_uploads=2))
    first = await files.begin_upload(OWNER, "a", 10)
    await files.begin_upload(OWNER, "b", 10)
    assert await refusal(files.begin_upload(OWNER, "c", 10)) is Refusal.TOO_MANY_UPLOADS
    assert (await files.begin_upload(OTHER, "c", 10)).offset == 0
    assert (await files.put(OWNER, "a.pdf", samples.pdf(), key="k")).size
    await files.abandon(first.upload_id, OWNER)
    assert (await files.begin_upload(OWNER, "c", 10)).offset == 0


async def test_an_owner_has_so_many_bytes_stored_and_promised(opened: Open) -> None:
    size = len(samples.pdf())
    files = await opened(replace(samples.ROOMY, owner_bytes=3 * size))
    file = await stored(files, samples.pdf())
    await files.begin_upload(OWNER, "a", size)
    assert await refusal(files.begin_upload(OWNER, "b", size + 1)) is Refusal.OWNER_FULL
    assert (await files.begin_upload(OWNER, "b", size)).size == size
    assert await refusal(files.put(OWNER, "c", samples.pdf(), key="k")) is Refusal.OWNER_FULL
    await files.delete(file.file_id)
    assert (await files.put(OWNER, "c", samples.pdf(), key="k")).size == size


async def test_an_owner_sends_so_many_files_within_an_hour_the_refused_ones_too(opened: Open, clock: Clock) -> None:
    files = await opened(replace(samples.ROOMY, hourly_files=2))
    await stored(files, samples.pdf())
    upload = await uploaded(files, b"not a picture")
    assert await refusal(files.finish(upload.upload_id, OWNER)) is Refusal.UNSUPPORTED_TYPE
    assert await refusal(files.begin_upload(OWNER, "a", 10)) is Refusal.RATE
    clock.now += 3601
    assert (await files.begin_upload(OWNER, "a", 10)).offset == 0


# Uploads that are cut


@given(data=st.data())
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_however_an_upload_is_cut_repeated_and_crashed_it_arrives_whole(
    tmp_path: Path, data: st.DataObject
) -> None:
    content = data.draw(st.sampled_from([samples.pdf("whole"), samples.png(40, 30)]), "content")
    root = tmp_path / str(data.draw(st.uuids()))
    files = DiskFiles(root, samples.ROOMY)
    upload_id = (await files.begin_upload(OWNER, "a", len(content))).upload_id
    offset = 0
    while offset < len(content):
        move = data.draw(st.sampled_from(["send", "send", "repeat", "skip", "beyond", "crash", "forget"]), "move")
        length = data.draw(st.integers(1, len(content)), "length")
        if move == "send":
            chunk = content[offset : offset + length]
            answer = await files.append(upload_id, OWNER, offset, chunk)
            assert answer == Appended(offset + len(chunk), accepted=True)
            offset = answer.offset
        elif move in ("repeat", "skip"):
            wrong = max(0, offset - length) if move == "repeat" else offset + length
            answer = await files.append(upload_id, OWNER, wrong, content[wrong:][: len(content) - offset])
            assert answer.accepted == (wrong == offset)
            offset = answer.offset
        elif move == "beyond":
            chunk = content[offset:] + b"x"
            assert await refusal(files.append(upload_id, OWNER, offset, chunk)) is Refusal.TOO_LARGE
            assert await refusal(files.finish(upload_id, OWNER)) is Refusal.INCOMPLETE
        elif move == "crash":
            await files.close()
            files = DiskFiles(root, samples.ROOMY)
        else:
            assert (await files.resume(upload_id, OWNER)).offset == offset
    file = await files.finish(upload_id, OWNER)
    assert await files.finish(upload_id, OWNER) == file
    kept = await files.read(file.file_id)
    assert kept is not None
    if file.media_type == "application/pdf":
        assert kept == content
    else:
        assert samples.pixels_of(kept) == samples.pixels_of(content)
    await files.close()
    shutil.rmtree(root)


async def test_chunks_that_arrive_at_once_are_taken_once(files: DiskFiles) -> None:
    content = samples.pdf()
    upload = await files.begin_upload(OWNER, "a", len(content))
    answers = await asyncio.gather(*(files.append(upload.upload_id, OWNER, 0, content) for _ in range(8)))
    assert sorted(answer.accepted for answer in answers) == [False] * 7 + [True]
    assert {answer.offset for answer in answers} == {len(content)}
    file = await files.finish(upload.upload_id, OWNER)
    assert await files.read(file.file_id) == content


async def test_finishes_that_arrive_at_once_give_one_file(files: DiskFiles, opened: Open, tmp_path: Path) -> None:
    upload = await uploaded(files, samples.png())
    other_process = await opened()
    stores = [files, files, other_process, files]
    answers = await asyncio.gather(*(store.finish(upload.upload_id, OWNER) for store in stores))
    assert len({answer.file_id for answer in answers}) == 1
    assert list(await files.owned(OWNER)) == [answers[0]]
    assert sorted(path.name for path in all_files(tmp_path)) == sorted(
        ["bytes", upload.upload_id, f"{upload.upload_id[16:]}.json"]
    )


async def test_a_finish_that_another_process_overtakes_gives_its_file(opened: Open) -> None:
    class Overtaken(Scanner):
        async def scan(self, path: Path, media_type: str) -> Verdict:
            self.seen.append(path.read_bytes())
            await other_process.finish(upload.upload_id, OWNER)
            return Verdict.CLEAN

    other_process, scanner = await opened(), Overtaken()
    files = await opened(scanner=scanner)
    for content in (samples.png(), samples.pdf()):
        upload = await uploaded(files, content)
        file = await files.finish(upload.upload_id, OWNER)
        assert await other_process.stat(upload.upload_id) == file
        assert scanner.seen.pop() == content


async def test_a_finish_whose_sender_left_goes_on(opened: Open) -> None:
    entered, leave = asyncio.Event(), asyncio.Event()

    class Slow(Scanner):
        async def scan(self, path: Path, media_type: str) -> Verdict:
            entered.set()
            await leave.wait()
            return Verdict.CLEAN

    files = await opened(scanner=Slow())
    upload = await uploaded(files, samples.pdf())
    sender = asyncio.create_task(files.finish(upload.upload_id, OWNER))
    await entered.wait()
    sender.cancel()
    leave.set()
    file = await files.finish(upload.upload_id, OWNER)
    assert await files.read(file.file_id) == samples.pdf()


async def test_a_finished_upload_stands_at_its_end(files: DiskFiles) -> None:
    file = await stored(files, samples.png())
    upload = await files.resume(file.file_id, OWNER)
    assert upload.offset == upload.size


async def test_an_upload_of_somebody_else_does_not_exist(files: DiskFiles) -> None:
    upload = await files.begin_upload(OWNER, "a", 10)
    file = await stored(files, samples.pdf())
    for upload_id in (upload.upload_id, file.file_id):
        assert await refusal(files.resume(upload_id, OTHER)) is Refusal.UNKNOWN_UPLOAD
        assert await refusal(files.append(upload_id, OTHER, 0, b"x")) is Refusal.UNKNOWN_UPLOAD
        assert await refusal(files.finish(upload_id, OTHER)) is Refusal.UNKNOWN_UPLOAD
        await files.abandon(upload_id, OTHER)
    assert (await files.append(upload.upload_id, OWNER, 0, b"x")).accepted
    assert await files.stat(file.file_id) == file


async def test_an_upload_abandoned_while_it_is_finished_comes_to_nothing(opened: Open, tmp_path: Path) -> None:
    class Abandoning(Scanner):
        async def scan(self, path: Path, media_type: str) -> Verdict:
            await files.abandon(upload.upload_id, OWNER)
            return Verdict.CLEAN

    files = await opened(scanner=Abandoning())
    for content in (samples.pdf(), samples.png()):
        upload = await uploaded(files, content)
        for _ in range(2):
            assert await refusal(files.finish(upload.upload_id, OWNER)) is Refusal.UNKNOWN_UPLOAD
    assert all_files(tmp_path) == []


# Erasing and sweeping


async def test_shared_bytes_go_with_their_last_file(files: DiskFiles, tmp_path: Path) -> None:
    one = await stored(files, samples.pdf(), owner=OWNER)
    two = await stored(files, samples.pdf(), owner=OTHER)
    assert len(kept_bytes(tmp_path)) == 1
    assert await files.delete(one.file_id)
    assert await files.read(one.file_id) is None
    assert await files.read(two.file_id) == samples.pdf()
    assert await files.delete(two.file_id)
    assert all_files(tmp_path) == []
    assert not await files.delete(two.file_id)


async def test_erasing_an_owner_takes_files_and_open_uploads_and_nothing_of_others(
    files: DiskFiles, tmp_path: Path
) -> None:
    await stored(files, samples.pdf("mine"))
    await stored(files, samples.png())
    await uploaded(files, b"half sent", name="secret name")
    kept = await stored(files, samples.pdf("theirs"), owner=OTHER)
    assert await files.erase(OWNER) == 2
    assert await files.erase(OWNER) == 0
    assert list(await files.owned(OTHER)) == [kept]
    assert len(all_files(tmp_path)) == 3


async def test_a_file_erased_while_it_is_read_ends_early(files: DiskFiles) -> None:
    content = samples.pdf("x" * 600_000)
    file = await stored(files, content)
    pieces = []
    async for piece in files.stream(file.file_id):
        pieces.append(piece)
        await files.delete(file.file_id)
    assert len(pieces) == 1


async def test_a_sweep_drops_uploads_that_stand_still_and_nothing_that_moves(files: DiskFiles, tmp_path: Path) -> None:
    file = await stored(files, samples.pdf())
    upload = await uploaded(files, b"half")
    now = max(path.stat().st_mtime for path in tmp_path.rglob("*"))
    day = samples.ROOMY.upload_seconds
    assert await files.sweep(now + day - 60) == 0
    assert (await files.resume(upload.upload_id, OWNER)).offset == 4
    assert await files.sweep(now + day + 60) == 1
    assert await refusal(files.resume(upload.upload_id, OWNER)) is Refusal.UNKNOWN_UPLOAD
    assert await files.read(file.file_id) == samples.pdf()


async def test_a_record_that_a_disk_spoiled_hides_its_file_and_no_other(files: DiskFiles, tmp_path: Path) -> None:
    spoiled, sound = await stored(files, samples.pdf("one")), await stored(files, samples.pdf("two"))
    next(tmp_path.rglob(f"{spoiled.file_id[16:]}.json")).write_bytes(b"\0\0\0")
    assert await files.stat(spoiled.file_id) is None
    assert list(await files.owned(OWNER)) == [sound]
    await files.sweep(1e11)
    assert len(kept_bytes(tmp_path)) == 2, "what cannot be read may still be mended by hand"


async def test_nobody_else_on_the_machine_can_read_the_files(files: DiskFiles, tmp_path: Path) -> None:
    await stored(files, samples.pdf())
    await uploaded(files, b"half")
    for path in (tmp_path / "files").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


# A disk that is full or broken


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """A real refusal by the kernel to write any further (EFBIG), the nearest to a full disk without being root."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_a_chunk_that_no_longer_fits_is_not_acknowledged_and_can_be_sent_again(files: DiskFiles) -> None:
    content = samples.pdf("x" * 50_000)
    upload = await files.begin_upload(OWNER, "a", len(content))
    await files.append(upload.upload_id, OWNER, 0, content[:20_000])
    with files_of_at_most(30_000):
        step = files.append(upload.upload_id, OWNER, 20_000, content[20_000:])
        assert await refusal(step) is Refusal.STORAGE_FULL
        assert (await files.resume(upload.upload_id, OWNER)).offset == 20_000
    await files.append(upload.upload_id, OWNER, 20_000, content[20_000:])
    with files_of_at_most(30_000):
        assert await refusal(files.finish(upload.upload_id, OWNER)) is Refusal.STORAGE_FULL
        assert await refusal(files.put(OWNER, "b", content, key="k")) is Refusal.STORAGE_FULL
    file = await files.finish(upload.upload_id, OWNER)
    assert await files.read(file.file_id) == content


@pytest.mark.parametrize("failing", ["pwrite", "fsync"])
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS])
@pytest.mark.parametrize("content", [samples.pdf(), samples.png()], ids=["pdf", "png"])
async def test_wherever_the_disk_fails_nothing_is_half_kept(
    files: DiskFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str, error: int, content: bytes
) -> None:
    upload = await uploaded(files, content)
    works, failures = getattr(os, failing), 0
    file: StoredFile | None = None
    while file is None:
        calls = iter(range(failures))

        def fails_at_last(*args: object, calls: Iterator[int] = calls) -> object:
            if next(calls, None) is None:
                raise OSError(error, os.strerror(error))
            return works(*args)

        with monkeypatch.context() as broken:
            broken.setattr(os, failing, fails_at_last)
            try:
                file = await files.finish(upload.upload_id, OWNER)
            except FileRefused:
                failures += 1
        if file is None and await files.stat(upload.upload_id) is None:
            assert await files.owned(OWNER) == []
        else:
            file = await files.finish(upload.upload_id, OWNER)
    assert failures
    assert await files.read(file.file_id) is not None
    await files.sweep(0.0)
    assert len(all_files(tmp_path)) == 3


async def test_room_is_left_for_the_redis_server_beside_us(opened: Open, tmp_path: Path) -> None:
    roomy = await opened()
    upload = await roomy.begin_upload(OWNER, "a", 10)
    files = await opened(replace(samples.ROOMY, reserve_bytes=2**62))
    before = all_files(tmp_path)
    assert await refusal(files.begin_upload(OWNER, "a", 10)) is Refusal.STORAGE_FULL
    assert await refusal(files.append(upload.upload_id, OWNER, 0, b"x")) is Refusal.STORAGE_FULL
    assert await refusal(files.put(OWNER, "a", samples.pdf(), key="k")) is Refusal.STORAGE_FULL
    assert all_files(tmp_path) == before


async def test_a_disk_files_is_a_files(files: DiskFiles) -> None:
    port: Files = files
    assert await port.owned(OWNER) == []
