"""The port for attachments: what any store of files must and must not do.

A file belongs to an *owner*, an opaque string minted by the caller (a site's customer, an operator's reply in a
session). The bytes that are kept are not the bytes that came: images are drawn anew, so that neither a camera's
position nor a second file hidden behind the picture survives. What a sender calls a file decides nothing; its
content decides its type. PNG, JPEG, WebP, GIF and PDF are taken, and of operators voice messages (`put`); everything
else is refused.

Every refusal is a `FileRefused` with a code, what is wrong, and the mend; none of its texts holds a sender's words.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum
from pathlib import Path
from typing import Protocol

MIB = 1024 * 1024


class Refusal(StrEnum):
    """Why a file, or a step of its upload, is not taken."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    TOO_MANY_PIXELS = "too_many_pixels"
    UNSUPPORTED_TYPE = "unsupported_type"
    DAMAGED = "damaged"
    INFECTED = "infected"
    UNCHECKED = "unchecked"
    STORAGE_FULL = "storage_full"
    BUSY = "busy"
    RATE = "rate"
    TOO_MANY_UPLOADS = "too_many_uploads"
    OWNER_FULL = "owner_full"
    UNKNOWN_UPLOAD = "unknown_upload"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True)
class _Wording:
    what: str
    mend: str
    retry: bool = False


_WORDING = {
    Refusal.EMPTY: _Wording("The file is empty.", "Choose a file with content."),
    Refusal.TOO_LARGE: _Wording("The file is larger than is accepted here.", "Send a smaller file."),
    Refusal.TOO_MANY_PIXELS: _Wording(
        "The image has more pixels than are accepted here.", "Send a smaller image, or fewer frames."
    ),
    Refusal.UNSUPPORTED_TYPE: _Wording(
        "This type of file is not accepted here.", "Send a PNG, JPEG, WebP, GIF or PDF file."
    ),
    Refusal.DAMAGED: _Wording("The file cannot be read.", "Save it anew, or send a screenshot of it."),
    Refusal.INFECTED: _Wording("The virus scanner refused the file.", "Do not send it. Scan your device."),
    Refusal.UNCHECKED: _Wording("The file could not be checked.", "Try again in a minute.", retry=True),
    Refusal.STORAGE_FULL: _Wording("The file could not be stored.", "Try again in a few minutes.", retry=True),
    Refusal.BUSY: _Wording("Too many images are being prepared.", "Try again in a few seconds.", retry=True),
    Refusal.RATE: _Wording("Too many files within an hour.", "Wait some minutes, then try again.", retry=True),
    Refusal.TOO_MANY_UPLOADS: _Wording(
        "Too many uploads are open.", "Let one of them end, then try again.", retry=True
    ),
    Refusal.OWNER_FULL: _Wording("Your space for files is used up.", "Ask the desk for another way."),
    Refusal.UNKNOWN_UPLOAD: _Wording("This upload does not exist or has expired.", "Begin it again."),
    Refusal.INCOMPLETE: _Wording("Part of the file is missing.", "Send the rest, then finish.", retry=True),
}


class FileRefused(Exception):  # noqa: N818 - says what happened, as facts do
    """A file, or a step of its upload, is not taken.

    `retry` says whether the same step with the same bytes may succeed later; `limit` is the bound that was
    passed, where there is one (bytes or pixels).
    """

    def __init__(self, code: Refusal, *, limit: int | None = None) -> None:
        super().__init__(code.value)
        wording = _WORDING[code]
        self.code = code
        self.what = wording.what
        self.mend = wording.mend
        self.retry = wording.retry
        self.limit = limit


@dataclass(frozen=True, slots=True)
class FileLimits:
    """Bounds on what is taken. Bytes, pixels, seconds."""

    file_bytes: int = 10 * MIB
    chunk_bytes: int = MIB
    pixels: int = 50_000_000  # over all frames; the largest ordinary phone photograph has 48.8 million
    frames: int = 500
    open_uploads: int = 4  # of one owner
    owner_bytes: int = 500 * MIB  # stored and promised, of one owner
    hourly_files: int = 120  # of one owner
    reserve_bytes: int = 256 * MIB  # left free: a full disk would end the Redis server beside us
    upload_seconds: int = 24 * 3600  # an upload that stands still for so long is dropped
    chunk_seconds: float = 60.0  # for one chunk to arrive
    chunks_at_once: int = 32  # of all owners: bounds the memory that uploads can take
    owner_chunks_at_once: int = 4


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that is kept. `size` and `sha256` are those of the kept bytes, width and height in pixels (None
    for a PDF), `name` is safe to show, `stored_at` in seconds UTC."""

    file_id: str
    owner: str
    name: str
    media_type: str
    size: int
    width: int | None
    height: int | None
    sha256: str
    stored_at: float


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload under way: `offset` bytes of `size` are on disk. A finished one has offset == size."""

    upload_id: str
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Appended:
    """`offset` is where the next chunk begins. Not `accepted`: the chunk began elsewhere and was left out."""

    offset: int
    accepted: bool


class Verdict(Enum):
    """What a scanner says. UNKNOWN (it failed, or is not there) refuses the file for now."""

    CLEAN = "clean"
    INFECTED = "infected"
    UNKNOWN = "unknown"


class Scanner(Protocol):
    """Looks at a file as it came, before anything decodes it."""

    async def scan(self, path: Path, media_type: str) -> Verdict:
        """Never raises for a scanner that is broken: that is UNKNOWN. Must not change the file."""
        ...


class Files(Protocol):
    """Where attachments are kept.

    Ids are minted here and read by nobody else. Each method may be repeated after a lost answer. What a method
    answered survives a crash of the process and a loss of power; what it did not answer happened or did not,
    and repeating it tells. Two processes may work on one store. Owners are compared exactly; an upload of
    another owner does not exist.
    """

    async def begin_upload(self, owner: str, name: str, size: int) -> Upload:
        """Promise `size` bytes. A repeat begins a second upload; the first one expires.

        Raises FileRefused: empty, too_large, too_many_uploads, owner_full, rate, storage_full.
        """
        ...

    async def resume(self, upload_id: str, owner: str) -> Upload:
        """Where the upload stands. Raises FileRefused: unknown_upload."""
        ...

    async def append(self, upload_id: str, owner: str, offset: int, chunk: bytes) -> Appended:
        """Add the bytes from `offset` on. All of the chunk is kept, or none is acknowledged.

        A chunk that begins elsewhere than where the upload stands is left out, and the right offset is
        answered. Raises FileRefused: unknown_upload, too_large (beyond the promised size), storage_full.
        """
        ...

    async def finish(self, upload_id: str, owner: str) -> StoredFile:
        """Check, clean and keep the file. The record appears at once or not at all.

        A repeat answers the same file, for as long as it is kept, or the same refusal. Where the refusal says
        `retry`, the bytes are still there and finish may be called again. Raises FileRefused: any code.
        """
        ...

    async def abandon(self, upload_id: str, owner: str) -> None:
        """Drop an upload that is not finished, or do nothing. A finish under way comes to nothing."""
        ...

    async def put(self, owner: str, name: str, content: bytes, key: str) -> StoredFile:
        """Keep a file that is here already, after the same checks.

        `key` names it among the owner's files (a network's own file id): a repeat answers the first file.
        Raises FileRefused.
        """
        ...

    async def stat(self, file_id: str) -> StoredFile | None:
        """The file, or None when there is none (any more)."""
        ...

    async def read(self, file_id: str) -> bytes | None:
        """All of the kept bytes, at most twice `file_bytes`; or None."""
        ...

    def stream(self, file_id: str, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes, None]:
        """The bytes from `start` up to but without `stop`, in pieces. Nothing when there is no such file, and
        fewer than asked for when it is erased meanwhile."""
        ...

    async def delete(self, file_id: str) -> bool:
        """Erase: the record goes, and the bytes too unless another record needs the same ones. True if it
        was there. After a crash the repeat completes it."""
        ...

    async def owned(self, owner: str) -> Sequence[StoredFile]:
        """All files of the owner, oldest first. Uploads that are not finished are not among them."""
        ...

    async def erase(self, owner: str) -> int:
        """Delete all files and open uploads of the owner; the number of files deleted."""
        ...

    async def sweep(self, now: float) -> int:
        """Drop expired uploads and the leavings of crashes; the number of things removed. `now` in seconds UTC.
        Safe beside all other calls; once at start and once an hour is enough."""
        ...


class Links(Protocol):
    """Expiring, unguessable links, each for one reader (an opaque principal) and one file."""

    def path(self, file: StoredFile, reader: str, now: float) -> str:
        """`<token>/<display name>`, percent-encoded, to go behind the public address of the files.

        Within a quarter of the links' life the same arguments give the same path, so that browsers can keep
        the picture. `now` in seconds UTC.
        """
        ...
