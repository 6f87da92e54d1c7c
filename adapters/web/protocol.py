"""What a customer's page may say: every frame's shape, and what is wrong with one that has another.

Pure: text in, a frame or a `ProblemError` out. docs/protocol.md is the description; its rule that matters most here
is that text is carried byte for byte or refused, and never repaired.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from bridge.feed import Position
from bridge.messages import PARTS_LIMIT, TEXT_LIMIT, TextPart
from routing.reactions import CUSTOMERS

VERSION = 1

FRAME_BYTES = 16 * 1024
"""Of one frame: 4,000 characters of four bytes each, and the frame around them."""

HARD_BYTES = 4 * FRAME_BYTES
"""Beyond this the socket is closed (1009). Up to here a frame is read, so that its refusal can name its id."""

TOKEN_CHARACTERS = 8 * 1024
PAGE_CHARACTERS = 512
NUMBER_LIMIT = 2**53  # what every JSON reader holds exactly

_ID = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)
_FILE = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)
_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,5}", re.ASCII)
_ZONE = re.compile(r"[A-Za-z0-9_+/-]{1,64}", re.ASCII)
_PAGE = re.compile(r"https?://[^\s/?#@\\]+(/[^\s?#]*)?")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")  # C0 but tab and newline, and DEL
_SURROGATE = re.compile("[\ud800-\udfff]")


class ProblemError(Exception):
    """A frame that is not taken. `field` names the place; `what` is for developers and holds nobody's words.

    `of` and `id` are the frame's type and id, as far as they are known.
    """

    def __init__(
        self, code: str, what: str, *, field: str = "", retry: bool = False, after: float | None = None
    ) -> None:
        super().__init__(code)
        self.code = code
        self.what = what
        self.field = field
        self.retry = retry
        self.after = after
        self.of = ""
        self.id = ""


# ---------------------------------------------------------------------------------------------- the frames


@dataclass(frozen=True, slots=True)
class Hello:
    v: int
    token: str = ""
    jwt: str = ""
    locale: str = ""
    page: str = ""
    tz: str = ""
    session: str = ""
    position: Position | None = None


@dataclass(frozen=True, slots=True)
class Identify:
    jwt: str
    session: str = ""
    position: Position | None = None


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file by its id; whose it is must still be looked up."""

    file: str


@dataclass(frozen=True, slots=True)
class Message:
    id: str
    parts: tuple[TextPart | NamedFile, ...]
    topic: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Revise:
    """Other parts for an own message, by its id. `id` names the change itself."""

    id: str
    message: str
    parts: tuple[TextPart | NamedFile, ...]


@dataclass(frozen=True, slots=True)
class Withdraw:
    id: str
    message: str


@dataclass(frozen=True, slots=True)
class React:
    """`message` is an operator's, by the id that the page knows."""

    id: str
    message: str
    reaction: str
    on: bool


@dataclass(frozen=True, slots=True)
class Received:
    message: str
    seen: bool = False


@dataclass(frozen=True, slots=True)
class Typing:
    pass


@dataclass(frozen=True, slots=True)
class Answer:
    id: str
    solved: bool


@dataclass(frozen=True, slots=True)
class End:
    id: str


@dataclass(frozen=True, slots=True)
class ChooseLanguage:
    id: str
    language: str


@dataclass(frozen=True, slots=True)
class Refresh:
    jwt: str


@dataclass(frozen=True, slots=True)
class Logout:
    pass


@dataclass(frozen=True, slots=True)
class Ping:
    n: int


@dataclass(frozen=True, slots=True)
class Beat:
    pass


ClientFrame = (
    Hello
    | Identify
    | Message
    | Revise
    | Withdraw
    | React
    | Received
    | Typing
    | Answer
    | End
    | ChooseLanguage
    | Refresh
    | Logout
    | Ping
    | Beat
)


# ---------------------------------------------------------------------------------------------- reading


def parse(text: str, limit: int = FRAME_BYTES) -> ClientFrame:
    """The frame that this text is. Raises ProblemError; `limit` in bytes of UTF-8."""
    value = load(text)
    if len(text) * 4 > limit and len(text.encode("utf-8", "surrogatepass")) > limit:
        return _named(value, lambda _: _wrong("frame_too_large", f"a frame has at most {limit} bytes"))
    return read(value)


def load(text: str) -> object:
    """JSON as it stands in RFC 8259: no NaN, no endless nesting. Raises ProblemError."""
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise ProblemError("not_json", "the frame is not JSON") from None


def read(value: object) -> ClientFrame:
    """The frame that this JSON value is. Raises ProblemError."""
    return _named(value, _read)


def _read(value: object) -> ClientFrame:
    if not isinstance(value, dict):
        raise ProblemError("not_an_object", 'a frame is an object: {"t": "...", ...}')
    kind = value.get("t")
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    if reader is None:
        raise ProblemError("unknown_type", "this version knows no such frame", field="t")
    return reader(value)


def _named(value: object, reader: Callable[[object], ClientFrame]) -> ClientFrame:
    """Whatever is wrong with a frame is said with its type and id, so that the page knows what was refused."""
    try:
        return reader(value)
    except ProblemError as problem:
        if isinstance(value, dict):
            kind, identity = value.get("t"), value.get("id")
            problem.of = kind if isinstance(kind, str) and kind in _READERS else ""
            problem.id = identity if isinstance(identity, str) and _ID.fullmatch(identity) else ""
        raise


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _hello(frame: Mapping[str, Any]) -> Hello:
    return Hello(
        v=_number(frame, "v"),
        token=_token(frame, "token"),
        jwt=_token(frame, "jwt"),
        locale=_fitting(frame, "locale", _TAG),
        page=_page(_text(frame, "page")),
        tz=_fitting(frame, "tz", _ZONE),
        session=_short(frame, "session"),
        position=_position(frame),
    )


def _identify(frame: Mapping[str, Any]) -> Identify:
    return Identify(_required(frame, "jwt", _token), _short(frame, "session"), _position(frame))


def _message(frame: Mapping[str, Any]) -> Message:
    return Message(
        id=_id(frame),
        parts=_parts(frame.get("parts")),
        topic=_short(frame, "topic"),
        language=_fitting(frame, "language", _TAG),
    )


def _revise(frame: Mapping[str, Any]) -> Revise:
    return Revise(_id(frame), _id(frame, "message"), _parts(frame.get("parts")))


def _withdraw(frame: Mapping[str, Any]) -> Withdraw:
    return Withdraw(_id(frame), _id(frame, "message"))


def _react(frame: Mapping[str, Any]) -> React:
    reaction = _required(frame, "reaction", _short)
    if reaction not in CUSTOMERS:
        _wrong("unknown_reaction", f"a reaction is one of {' '.join(CUSTOMERS)}", "reaction")
    return React(_id(frame), _required(frame, "message", _short), reaction, _flag(frame, "on"))


def _received(frame: Mapping[str, Any]) -> Received:
    return Received(_required(frame, "message", _short), _flag(frame, "seen", False))


def _answer(frame: Mapping[str, Any]) -> Answer:
    return Answer(_id(frame), _flag(frame, "solved"))


def _choose_language(frame: Mapping[str, Any]) -> ChooseLanguage:
    return ChooseLanguage(_id(frame), _required(frame, "language", lambda said, field: _fitting(said, field, _TAG)))


_READERS: Mapping[str, Callable[[Mapping[str, Any]], ClientFrame]] = {
    "hello": _hello,
    "identify": _identify,
    "message": _message,
    "revise": _revise,
    "withdraw": _withdraw,
    "react": _react,
    "received": _received,
    "typing": lambda frame: Typing(),
    "answer": _answer,
    "end": lambda frame: End(_id(frame)),
    "choose_language": _choose_language,
    "refresh": lambda frame: Refresh(_required(frame, "jwt", _token)),
    "logout": lambda frame: Logout(),
    "ping": lambda frame: Ping(_number(frame, "n")),
    "beat": lambda frame: Beat(),
}

NAMES: Mapping[type[ClientFrame], str] = {
    Hello: "hello",
    Identify: "identify",
    Message: "message",
    Revise: "revise",
    Withdraw: "withdraw",
    React: "react",
    Received: "received",
    Typing: "typing",
    Answer: "answer",
    End: "end",
    ChooseLanguage: "choose_language",
    Refresh: "refresh",
    Logout: "logout",
    Ping: "ping",
    Beat: "beat",
}


# ---------------------------------------------------------------------------------------------- the fields


def _wrong(code: str, what: str, field: str = "") -> NoReturn:
    raise ProblemError(code, what, field=field)


def _text(frame: Mapping[str, Any], field: str) -> str:
    """A string, empty when it is absent or null."""
    value = frame.get(field)
    if value is None:
        return ""
    if not isinstance(value, str):
        _wrong("wrong_type", f"{field} is a string", field)
    if _SURROGATE.search(value):
        _wrong("lone_surrogates", f"{field} is not valid Unicode", field)
    return value


def _required(frame: Mapping[str, Any], field: str, reader: Callable[[Mapping[str, Any], str], str]) -> str:
    value = reader(frame, field)
    if not value:
        _wrong("missing", f"{field} is required", field)
    return value


def _short(frame: Mapping[str, Any], field: str) -> str:
    return _bounded(_text(frame, field), field, 64)


def _token(frame: Mapping[str, Any], field: str) -> str:
    return _bounded(_text(frame, field), field, TOKEN_CHARACTERS)


def _bounded(value: str, field: str, limit: int) -> str:
    if len(value) > limit:
        _wrong("too_long", f"{field} has at most {limit} characters", field)
    if _CONTROL.search(value):
        _wrong("control_characters", f"{field} holds control characters", field)
    return value


def _fitting(frame: Mapping[str, Any], field: str, pattern: re.Pattern[str]) -> str:
    """Context that we can do without: a value of another shape is left out rather than locking the customer out."""
    value = _text(frame, field)
    return value if pattern.fullmatch(value) else ""


def _page(value: str) -> str:
    """Origin and path only: what stands behind `?` or `#` may be a secret of the site's."""
    address = re.split(r"[?#]", value, maxsplit=1)[0]
    return address if len(address) <= PAGE_CHARACTERS and _PAGE.fullmatch(address) else ""


def _id(frame: Mapping[str, Any], field: str = "id") -> str:
    value = _required(frame, field, _text)
    if not _ID.fullmatch(value):
        _wrong("bad_id", f"{field} has 8 to 64 characters of A-Z a-z 0-9 _ -", field)
    return value


def _flag(frame: Mapping[str, Any], field: str, default: bool | None = None) -> bool:
    value = frame.get(field)
    if value is None and default is not None:
        return default
    if value is None:
        _wrong("missing", f"{field} is required", field)
    if not isinstance(value, bool):
        _wrong("wrong_type", f"{field} is true or false", field)
    return value


def _number(frame: Mapping[str, Any], field: str, path: str = "") -> int:
    value = frame.get(field)
    where = path or field
    if value is None:
        _wrong("missing", f"{where} is required", where)
    if not isinstance(value, int) or isinstance(value, bool):
        _wrong("wrong_type", f"{where} is a whole number", where)
    if not 0 <= value <= NUMBER_LIMIT:
        _wrong("out_of_range", f"{where} lies between 0 and 2^53", where)
    return value


def _position(frame: Mapping[str, Any]) -> Position | None:
    value = frame.get("position")
    if value is None:
        return None
    if not isinstance(value, dict):
        _wrong("wrong_type", "position is an object", "position")
    offset = _number(value, "o", "position.o")
    epoch, tag = value.get("e"), value.get("t")
    if not isinstance(epoch, str) or not isinstance(tag, str):
        _wrong("wrong_type", "e and t of a position are strings", "position")
    return Position(_bounded(epoch, "position.e", 64), offset, _bounded(tag, "position.t", 64))


def _parts(value: object) -> tuple[TextPart | NamedFile, ...]:
    if value is None:
        _wrong("missing", "parts is required", "parts")
    if not isinstance(value, list):
        _wrong("wrong_type", "parts is a list", "parts")
    if len(value) > PARTS_LIMIT:
        _wrong("too_many_parts", f"a message has at most {PARTS_LIMIT} parts", "parts")
    parts = tuple(_part(part, f"parts[{number}]") for number, part in enumerate(value))
    _check_amount(parts)
    return parts


def _check_amount(parts: tuple[TextPart | NamedFile, ...]) -> None:
    texts = [part.text for part in parts if isinstance(part, TextPart)]
    if sum(map(len, texts)) > TEXT_LIMIT:
        _wrong("too_long", f"a message has at most {TEXT_LIMIT} characters", "parts")
    if len(texts) == len(parts) and all(text.isspace() or not text for text in texts):
        _wrong("empty", "the message says nothing", "parts")


def _part(value: object, where: str) -> TextPart | NamedFile:
    if not isinstance(value, dict):
        _wrong("wrong_type", f"{where} is an object", where)
    if value.get("type") == "text":
        return TextPart(_words(value.get("text"), f"{where}.text"))
    if value.get("type") == "file":
        return NamedFile(_file(value.get("file"), f"{where}.file"))
    return _wrong("unknown_type", 'a part\'s type is "text" or "file"', f"{where}.type")


def _words(value: object, where: str) -> str:
    """The customer's words: taken as they are, or not at all."""
    if not isinstance(value, str):
        _wrong("wrong_type" if value is not None else "missing", f"{where} is a string", where)
    if _SURROGATE.search(value):
        _wrong("lone_surrogates", f"{where} is not valid Unicode", where)
    if _CONTROL.search(value):
        _wrong("control_characters", f"{where} holds control characters other than newline and tab", where)
    return value


def _file(value: object, where: str) -> str:
    if not isinstance(value, str):
        _wrong("wrong_type" if value is not None else "missing", f"{where} is a file's id", where)
    if not _FILE.fullmatch(value):
        _wrong("unknown_file", "there is no such file", where)
    return value
