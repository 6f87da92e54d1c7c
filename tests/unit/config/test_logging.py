"""One line an event, JSON or readable; nobody's words, and no tokens."""

from __future__ import annotations

import errno
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from aiohttp.http_exceptions import BadHttpMethod, InvalidHeader
from aiohttp.web_protocol import RequestPayloadError

from config.logging import BLACKED_OUT, configure
from config.settings import LogSettings


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()


def configured(**settings: Any) -> io.StringIO:
    stream = io.StringIO()
    configure(LogSettings(**settings), stream)
    return stream


def line(stream: io.StringIO) -> dict[str, Any]:
    (text,) = stream.getvalue().splitlines()
    event: dict[str, Any] = json.loads(text)
    return event


def test_away_from_a_terminal_it_is_json() -> None:
    stream = configured()
    structlog.get_logger().info("session_opened", session="main.0.ab")
    event = line(stream)
    assert (event["event"], event["session"], event["level"]) == ("session_opened", "main.0.ab", "info")
    assert event["timestamp"].endswith("Z")


def test_readable_when_asked_for() -> None:
    stream = configured(format="console")
    structlog.get_logger().info("session_opened", session="main.0.ab")
    assert "session_opened" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


def test_the_standard_library_comes_along_in_the_same_form() -> None:
    stream = configured()
    logging.getLogger("somebody.else").warning("lost %s", "contact")
    event = line(stream)
    assert (event["event"], event["logger"], event["level"]) == ("lost contact", "somebody.else", "warning")


def test_configuring_twice_writes_each_line_once() -> None:
    configured()
    stream = configured()
    logging.getLogger("somebody.else").warning("once")
    assert line(stream)["event"] == "once"


def test_below_the_level_nothing_is_written() -> None:
    stream = configured(level="warning")
    structlog.get_logger().info("quiet")
    logging.getLogger("somebody").info("quiet")
    assert stream.getvalue() == ""


@pytest.mark.parametrize("key", ["text", "body", "token", "name", "password", "Text", "url"])
def test_what_may_hold_words_is_withheld_and_said_to_be(key: str) -> None:
    stream = configured()
    structlog.get_logger().info("message_added", **{key: "my secret wish"}, nested={key: "my secret wish", "size": 3})
    event = line(stream)
    assert event["withheld"] == [key]
    assert event["nested"] == {"size": 3}
    assert "wish" not in stream.getvalue()


@pytest.mark.parametrize(
    "secret",
    [
        "xoxb-123456-abcdef",
        "xoxe.xoxp-1-abc",
        "xapp-1-A1-2-abc",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        "Bearer abc.def-ghi",
        "#sign-in/QWxhZGRpbg",
    ],
)
def test_what_looks_like_a_token_is_blacked_out_wherever_it_stands(secret: str) -> None:
    stream = configured()
    core = secret.removeprefix("xoxe.").removeprefix("Bearer ").removeprefix("#sign-in/")
    structlog.get_logger().info("call_failed", reason=f"with {secret} it said no", parts=[secret, {"deep": secret}])
    assert core not in stream.getvalue()
    assert stream.getvalue().count(BLACKED_OUT) == 3


def test_passwords_in_addresses_are_blacked_out() -> None:
    stream = configured()
    logging.getLogger("redis").error("cannot reach redis://me:hunter2@10.0.0.1:6379/0")
    assert line(stream)["event"] == f"cannot reach redis://{BLACKED_OUT}@10.0.0.1:6379/0"


def test_tracebacks_are_blacked_out_too() -> None:
    stream = configured()
    try:
        raise ValueError("token xoxb-123-abc")
    except ValueError:
        structlog.get_logger().exception("it_broke")
    assert "ValueError" in line(stream)["exception"]
    assert "xoxb-123" not in stream.getvalue()


def test_loggers_that_write_payloads_at_debug_are_held_back() -> None:
    stream = configured(level="debug")
    logging.getLogger("slack_sdk.web").debug("the whole payload")
    logging.getLogger("aiohttp.access").info("GET /files/somebodys-passport")
    assert stream.getvalue() == ""


@pytest.mark.parametrize("raises", [BadHttpMethod, InvalidHeader, RequestPayloadError])
def test_a_request_that_cannot_be_read_is_one_quiet_line_without_its_bytes(raises: type[Exception]) -> None:
    stream = configured()
    try:
        raise raises("b'Cookie: kakehashi-desk=SECRET'")
    except Exception as error:
        logging.getLogger("aiohttp.server").exception("Error handling request from %s", "192.0.2.7", exc_info=error)
    event = line(stream)
    assert (event["event"], event["level"], event["error"]) == ("malformed_request", "info", raises.__name__)
    assert "SECRET" not in stream.getvalue()
    assert "192.0.2.7" not in stream.getvalue()


def test_a_fault_of_ours_keeps_its_traceback() -> None:
    stream = configured()
    try:
        raise LookupError("nothing there")
    except LookupError as error:
        logging.getLogger("aiohttp.server").exception("Error handling request", exc_info=error)
    event = line(stream)
    assert event["level"] == "error"
    assert "LookupError: nothing there" in event["exception"]


def test_requests_that_cannot_be_read_are_below_the_level_of_a_quiet_log() -> None:
    stream = configured(level="error")
    try:
        raise BadHttpMethod("b'FOO'")
    except BadHttpMethod as error:
        logging.getLogger("aiohttp.server").exception("Error handling request", exc_info=error)
    assert stream.getvalue() == ""


class FullDisk(io.StringIO):
    full = True

    def write(self, text: str) -> int:
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(text)


def test_a_line_that_cannot_be_written_is_lost_and_what_it_tells_of_is_not() -> None:
    disk = FullDisk()
    configure(LogSettings(), disk)
    structlog.get_logger().info("redis_server_down")
    logging.getLogger("somebody.else").warning("lost")
    disk.full = False
    structlog.get_logger().info("redis_server_up")
    assert line(disk)["event"] == "redis_server_up"
