"""The same conversation over HTTP, for networks that block sockets: same frames, same promises."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.integration.customer_side import ORIGIN, Process, alone, until


@dataclass
class PollPage:
    """A page that polls. It remembers every frame that it was ever sent."""

    house: Process
    secret: str = ""
    heard: list[dict[str, Any]] = field(default_factory=list)

    async def begin(self, **fields: Any) -> dict[str, Any]:
        """hello, and the answer's first frame."""
        hello = {"t": "hello", "v": 1, "locale": "en", **fields}
        answer = await self.ask("POST", "", hello)
        self.secret = answer["connection"] or ""
        frame: dict[str, Any] = answer["frames"][0]
        return frame

    async def say(self, *frames: dict[str, Any]) -> list[dict[str, Any]]:
        """Frames in, frames out."""
        answer = await self.ask("POST", "/send", list(frames))
        told: list[dict[str, Any]] = answer["frames"]
        return told

    async def write(self, text: str, number: int = 1) -> list[dict[str, Any]]:
        return await self.say({"t": "message", "id": f"message-{number}", "parts": [{"type": "text", "text": text}]})

    async def receive(self) -> list[dict[str, Any]]:
        frames: list[dict[str, Any]] = (await self.ask("GET", "/receive"))["frames"]
        return frames

    async def ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """One request that must succeed."""
        async with self.request(method, path, body) as response:
            assert response.status == 200, await response.text()
            assert response.headers["Cache-Control"] == "no-store"
            answer: dict[str, Any] = await response.json()
        self.heard += answer["frames"]
        return answer

    def request(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> aiohttp.client._RequestContextManager:
        sent = {"Origin": ORIGIN, "X-Kakehashi-Connection": self.secret, "Content-Type": "application/json", **headers}
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        return self.house.http.request(method, f"{self.house.url}/v1/poll{path}", data=data, headers=sent)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Process]:
    async with alone(tmp_path) as one:
        yield one


async def test_a_conversation_without_a_socket(house: Process) -> None:
    page = PollPage(house)
    welcome = await page.begin()
    assert welcome["t"] == "welcome"
    told = await page.write("hello")
    assert [frame["t"] for frame in told] == ["session", "event", "ack"]
    code = told[-1]["session"]
    waiting = asyncio.create_task(page.receive())
    await asyncio.sleep(0)
    await house.reply(code, "good morning")
    frames = await waiting
    if len(frames) == 1:  # the request was answered with the first of the two events
        frames += await page.receive()
    assert [frame["pos"]["o"] for frame in frames] == [3, 4]
    assert frames[1]["parts"] == [{"type": "text", "text": "good morning"}]


async def test_a_poll_and_a_socket_of_one_customer_see_the_same(house: Process) -> None:
    page = PollPage(house)
    token = (await page.begin())["token"]
    async with house.page() as tab:
        await tab.greet(token=token)
        code = (await page.write("from the poll"))[-1]["session"]
        await tab.write("from the socket", 2)
        await house.note(code, "CANARY")
        await house.reply(code, "to both")
        await tab.nothing_more()
        while not any(frame.get("from") == "operator" for frame in page.heard):
            await page.receive()
        places = [[f["pos"]["o"] for f in frames if f["t"] in ("event", "ack")] for frames in (tab.heard, page.heard)]
    assert places == [[1, 2, 3, 4, 5], [1, 2, 3, 4, 5]]
    assert "CANARY" not in json.dumps(page.heard)


async def test_a_long_poll_ends_by_itself_and_the_next_one_goes_on(tmp_path: Path) -> None:
    async with alone(tmp_path, limits={"poll": 0.05}) as house:
        page = PollPage(house)
        await page.begin()
        assert await page.receive() == []
        assert await page.receive() == []


async def test_a_second_long_poll_ends_the_first_with_nothing(house: Process) -> None:
    page = PollPage(house)
    await page.begin()
    poll = house.side.poll.known(page.secret)
    assert poll is not None
    first = asyncio.create_task(page.receive())
    await until(lambda: poll.outlet.awaited)
    second = asyncio.create_task(page.receive())
    assert await first == []
    poll.connection.write(b'{"t":"beat","o":0}')
    assert await second == [{"t": "beat", "o": 0}]


async def test_a_poll_that_nobody_asks_for_is_dropped_after_a_minute(house: Process) -> None:
    page = PollPage(house)
    await page.begin()
    await house.tick(25)
    assert [frame["t"] for frame in await page.receive()] == ["beat"]
    await house.tick(61)
    await house.tick(6)
    assert house.side.lobby.connections == 0
    async with page.request("GET", "/receive") as response:
        assert response.status == 410
        assert (await response.json())["error"]["code"] == "gone"


async def test_closing_a_poll_is_at_once(house: Process) -> None:
    page = PollPage(house)
    await page.begin()
    async with page.request("POST", "/close") as response:
        assert response.status == 204
    assert house.side.lobby.connections == 0


async def test_an_answer_that_was_lost_is_made_good_by_beginning_again(house: Process) -> None:
    page = PollPage(house)
    token = (await page.begin())["token"]
    ack = (await page.write("hello"))[-1]
    await house.reply(ack["session"], "this answer gets lost")
    await page.receive()
    again = PollPage(house)
    welcome = await again.begin(token=token, session=ack["session"], position=ack["pos"])
    assert welcome["resume"] == "complete"
    assert [event["pos"]["o"] for event in welcome["events"]] == [3, 4]


async def test_who_does_not_say_hello_gets_no_connection(house: Process) -> None:
    page = PollPage(house)
    answer = await page.ask("POST", "", {"t": "typing"})
    assert answer["connection"] is None
    assert answer["frames"][-1]["code"] == "hello_refused"
    assert house.side.lobby.connections == 0


async def test_a_process_that_stops_tells_its_polls(house: Process) -> None:
    page = PollPage(house)
    await page.begin()
    waiting = asyncio.create_task(page.receive())
    poll = house.side.poll.known(page.secret)
    assert poll is not None
    await until(lambda: poll.outlet.awaited)
    house.side.lobby.say_goodbye()
    assert [frame["code"] for frame in await waiting] == ["restarting"]


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"[", {}, 400, "not_json"),
        (b"\xff", {}, 400, "not_json"),
        (b"{}", {}, 400, "wrong_type"),
        (b"[]", {}, 400, "wrong_type"),
        (json.dumps([{"t": "beat"}] * 33).encode(), {}, 400, "wrong_type"),
        (b"[" + b" " * 70_000 + b"]", {}, 413, "frame_too_large"),
        (b"[]", {"Content-Type": "text/plain"}, 415, "wrong_type"),
        (gzip.compress(b"[]", mtime=0), {"Content-Encoding": "gzip"}, 415, "wrong_type"),
        (b"[]", {"X-Kakehashi-Connection": "guessed"}, 410, "gone"),
    ],
)
async def test_bad_requests_are_answered_with_their_code(
    house: Process, body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    page = PollPage(house)
    await page.begin()
    async with page.request("POST", "/send", body, **headers) as response:
        assert response.status == status
        assert (await response.json())["error"]["code"] == code
        assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert (await page.say({"t": "ping", "n": 1})) == [{"t": "pong", "n": 1}]


async def test_one_bad_frame_does_not_stop_the_others(house: Process) -> None:
    page = PollPage(house)
    await page.begin()
    told = await page.say({"t": "shout"}, {"t": "ping", "n": 1})
    assert [frame.get("code", frame["t"]) for frame in told] == ["unknown_type", "pong"]


@pytest.mark.parametrize("path", ["", "/send", "/receive", "/close"])
async def test_pages_of_other_origins_are_refused(house: Process, path: str) -> None:
    page = PollPage(house)
    await page.begin()
    method = "GET" if path == "/receive" else "POST"
    async with page.request(method, path, b"[]", Origin="https://evil.example") as response:
        assert response.status == 403
        assert "Access-Control-Allow-Origin" not in response.headers


async def test_a_browser_may_ask_whether_it_may_send_our_header(house: Process) -> None:
    page = PollPage(house)
    async with page.request("OPTIONS", "/send") as response:
        assert response.status == 204
        assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert "X-Kakehashi-Connection" in response.headers["Access-Control-Allow-Headers"]
    async with page.request("OPTIONS", "/send", Origin="https://evil.example") as response:
        assert "Access-Control-Allow-Origin" not in response.headers


async def test_what_is_not_taken_is_bounded(tmp_path: Path) -> None:
    async with alone(tmp_path, limits={"backlog": 16 * 1024}) as house:
        page = PollPage(house)
        await page.begin()
        code = (await page.write("hello"))[-1]["session"]
        for number in range(8):
            await house.reply(code, "x" * 4_000, f"flood-{number}")
        await house.tick(6)
        assert house.side.lobby.connections == 0
        async with page.request("GET", "/receive") as response:
            assert response.status == 410
