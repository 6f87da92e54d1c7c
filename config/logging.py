"""The log: structlog, one line per event, on standard error. JSON in production, readable at a terminal.

Lines carry ids, never words. Two processors hold that line should somebody forget: values under keys that name
customers' words or secrets are withheld, and whatever looks like a token is blacked out wherever it stands.
"""

from __future__ import annotations

import contextlib
import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, TextIO, cast

import structlog
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_protocol import RequestPayloadError
from structlog.typing import EventDict, Processor, WrappedLogger

from config.settings import LogSettings

WITHHELD = frozenset(
    [
        "text",
        "body",
        "bodies",
        "words",
        "name",
        "names",
        "title",
        "page",
        "email",
        "mail",
        "phone",
        "claims",
        "file_name",
        "filename",
        "payload",
        "blocks",
        "content",
        "token",
        "tokens",
        "jwt",
        "password",
        "password_hash",
        "secret",
        "secrets",
        "authorization",
        "cookie",
        "cookies",
        "headers",
        "url",
        "query",
    ]
)
"""Keys that no line may carry: they hold people's words, or open doors."""

_TOKENS = re.compile(
    r"xox[a-z]-[\w-]+|xapp-[\w-]+"  # Slack
    r"|eyJ[\w-]+\.[\w-]+\.[\w-]*"  # JSON Web Tokens
    r"|(?i:bearer\s+)[\w.~+/-]+=*"
    r"|(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"  # user:password in an address
    r"|#sign-in/[\w-]+"  # the desk's one-time links
)
BLACKED_OUT = "[redacted]"

CHATTY = {
    "slack_sdk": logging.INFO,  # at DEBUG it writes whole payloads, and tokens
    "slack_bolt": logging.INFO,
    "discord": logging.INFO,
    "aiohttp.access": logging.WARNING,  # addresses of people, and links to their files
    "asyncio": logging.WARNING,
    "PIL": logging.INFO,
}
"""Other people's loggers, and the least that they may write whatever the level is set to."""


def configure(settings: LogSettings, stream: TextIO | None = None) -> None:
    """Send structlog's and the standard library's records to `stream` (standard error), in one form."""
    out = cast(TextIO, _Lossy(stream or sys.stderr))
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    render = _rendering(settings, out)
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, *_SHARED, *render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=False,  # modules keep their loggers; tests and reloads configure anew
    )
    _capture_standard_logging(out, level, render)


class _Lossy:
    """A stream of which a write may fail: on a full disk, or when whoever read it is gone. The line is lost then, and
    never the work that it tells of."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with contextlib.suppress(OSError):
            self._stream.write(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self._stream.flush()

    def isatty(self) -> bool:
        return self._stream.isatty()


def _capture_standard_logging(out: TextIO, level: int, render: list[Processor]) -> None:
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, structlog.stdlib.ExtraAdder(), *_SHARED],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    root = logging.getLogger()
    for old in [one for one in root.handlers if isinstance(one.formatter, structlog.stdlib.ProcessorFormatter)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    for name, least in CHATTY.items():
        logging.getLogger(name).setLevel(max(level, least))
    logging.getLogger("aiohttp.server").addFilter(_MALFORMED)  # the same one, so it is added once
    logging.captureWarnings(True)


class _Malformed(logging.Filter):
    """aiohttp quotes what it cannot read, in full: a stranger's bytes, perhaps a cookie or somebody's words, and a
    traceback for every scanner that knocks. One quiet line says all that we need."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, HttpProcessingError | RequestPayloadError):
            return True
        record.msg, record.args, record.exc_info = "malformed_request", (), None
        record.error = type(error).__name__
        record.levelno, record.levelname = logging.INFO, "INFO"
        return logging.getLogger(record.name).isEnabledFor(logging.INFO)


_MALFORMED = _Malformed()


def withhold(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Take out what no line may carry, and say that it was there."""
    del logger, method
    caught = sorted(key for key in event if key.lower() in WITHHELD)
    for key in caught:
        del event[key]
    return {**event, "withheld": caught} if caught else event


def black_out(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Black out tokens in every value, however deep."""
    del logger, method
    return {key: _blacked_out(value) for key, value in event.items()}


def _blacked_out(value: Any) -> Any:
    if isinstance(value, str):
        return _TOKENS.sub(BLACKED_OUT, value)
    if isinstance(value, Mapping):
        return {key: _blacked_out(one) for key, one in value.items() if str(key).lower() not in WITHHELD}
    if isinstance(value, list | tuple | set | frozenset):
        return [_blacked_out(one) for one in value]
    return value


def _rendering(settings: LogSettings, out: TextIO) -> list[Processor]:
    at_terminal = out.isatty()
    if settings.format == "json" or (settings.format == "auto" and not at_terminal):
        return [structlog.processors.JSONRenderer(ensure_ascii=False, default=str)]
    return [structlog.dev.ConsoleRenderer(colors=at_terminal, exception_formatter=structlog.dev.plain_traceback)]


_SHARED: list[Processor] = [
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    withhold,
    structlog.processors.format_exc_info,  # before the blacking out, which reads the traceback too
    black_out,
]
