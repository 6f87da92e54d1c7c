"""A client that comes back: what it missed is complete, or it is told so. Notes and words taken back stay away."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bridge.feed import Position, Resumed
from bridge.messages import Body, TextPart
from bridge.ports import Stored
from bridge.relay import Receipt
from routing import inputs as i
from routing.ids import InputKey, MessageId, SessionId
from routing.session import Session
from routing.view import CustomerMessage
from tests.integration.engine_room import AIKO, Room, customer, hurry, idle, room, running, sound, until
from tests.integration.notice_board import Board
from tests.redis_servers import private_redis


@asynccontextmanager
async def on_disk(folder: Path) -> AsyncIterator[Room]:
    """A process without workers on a server whose files are in `folder`."""
    async with private_redis(folder, durable=True) as url:
        one = await room(url, Board())
        try:
            yield one
        finally:
            await one.die()


@pytest.fixture
async def process(tmp_path: Path) -> AsyncIterator[Room]:
    async with on_disk(tmp_path / "redis") as one:
        yield one


async def resumed(one: Room, session: SessionId, position: Position | None) -> Resumed:
    stored = await one.store.load(session)
    assert stored is not None
    return await one.feed.catch_up(stored, position)


def at(stored: Stored) -> Position:
    return Position(stored.epoch, stored.visible, stored.tag)


def words(answer: Resumed) -> list[str]:
    return [one.body.text for one in answer.shown if one.body is not None]


# ------------------------------------------------------------------ positions


async def test_from_every_position_exactly_the_rest_is_shown(process: Room) -> None:
    places = [at((await process.writes("a", number)).stored) for number in range(6)]
    session = (await process.writes("a", 5)).stored.session.id
    for number, place in enumerate(places):
        answer = await resumed(process, session, place)
        assert answer.complete
        assert words(answer) == [f"a says {later}" for later in range(number + 1, 6)]
        assert answer.position == places[-1]


@pytest.mark.parametrize(
    "wrong", [{"epoch": "another"}, {"tag": "another"}, {"offset": 1}, {"offset": 99}, {"offset": 0}, {"offset": -3}]
)
async def test_a_position_of_another_log_begins_anew(process: Room, wrong: dict[str, Any]) -> None:
    for number in range(3):
        stored = (await process.writes("a", number)).stored
    answer = await resumed(process, stored.session.id, replace(at(stored), **wrong))
    assert not answer.complete
    assert words(answer) == [f"a says {number}" for number in range(3)]
    assert answer.position == at(stored)


async def test_no_position_is_never_called_complete(process: Room) -> None:
    stored = (await process.writes("a", 0)).stored
    assert not (await resumed(process, stored.session.id, None)).complete


# ------------------------------------------------------------------ a log that was cut


async def test_a_log_that_was_cut_and_grew_again_is_noticed(tmp_path: Path) -> None:
    """Offsets alone would take the new second message for the one that the client has."""
    folder = tmp_path / "redis"
    async with on_disk(folder) as before:
        await before.writes("a", 0)
        kept = at((await before.writes("a", 1)).stored)
        (aof,) = folder.rglob("*.aof")
        size = aof.stat().st_size
        lost = at((await before.writes("a", 2)).stored)
        session = (await before.writes("a", 3)).stored.session.id
    with aof.open("r+b") as file:
        file.truncate(size + 40)  # in the middle of a commit, as a disk that lied would leave it
    async with on_disk(folder) as after:
        assert len(await sound(after.store)) == 1
        for number in range(4, 8):
            await after.writes("a", number)
        fits = await resumed(after, session, kept)
        assert fits.complete
        assert words(fits) == [f"a says {number}" for number in range(4, 8)]
        cut = await resumed(after, session, lost)
        assert not cut.complete
        assert words(cut) == [f"a says {number}" for number in (0, 1, 4, 5, 6, 7)]


async def test_effects_after_a_cut_are_new_ones(tmp_path: Path) -> None:
    """An id made from an offset would come again, and the platform's own deduplication swallow the new message."""
    folder = tmp_path / "redis"
    async with on_disk(folder) as before:
        await before.writes("a", 0)
        (aof,) = folder.rglob("*.aof")
        size = aof.stat().st_size
        stored = (await before.writes("a", 1)).stored
        first = await _last_effect(before, stored)
    with aof.open("r+b") as file:
        file.truncate(size)
    async with on_disk(folder) as after:
        assert await _last_effect(after, (await after.writes("a", 2)).stored) != first


async def _last_effect(one: Room, stored: Stored) -> str:
    lane = one.store._keys.lane(stored.session.id, stored.session.mirror.network)
    line = await one.store._wire.call(lane, "LINDEX", lane, -1)
    return str(line).split(" ", 1)[0]


# ------------------------------------------------------------------ what must not be shown


CANARY = "the operator's secret"


async def test_a_note_is_in_no_resume_from_anywhere(process: Room) -> None:
    stored = (await process.writes("a", 0)).stored
    session = stored.session.id
    places: list[Position | None] = [None, at(stored)]
    for number in range(4):
        await _note(process, session, f"o:note{number}")
        answer = await process.replies(session, f"o:reply{number}")
        assert isinstance(answer, Receipt)
        places.append(at(answer.stored))
    await process.relay.from_operator(
        session,
        i.OperatorRevised(MessageId("o:note0"), AIKO, 1),
        InputKey("edit"),
        body=Body((TextPart(f"{CANARY}, revised"),)),
    )
    await process.relay.from_operator(session, i.OperatorWithdrew(MessageId("o:note1"), AIKO), InputKey("withdraw"))
    for place in places:
        assert CANARY not in repr(await resumed(process, session, place))
        assert "note" not in repr(await resumed(process, session, place)).lower()


async def _note(process: Room, session: SessionId, message: str) -> None:
    event = i.OperatorNoted(MessageId(message), AIKO)
    await process.relay.from_operator(session, event, InputKey(message), body=Body((TextPart(CANARY),)))


async def test_a_note_is_told_to_no_page(process: Room) -> None:
    heard: list[Any] = []

    class Page:
        def shown(self, session: Session, events: tuple[Any, ...]) -> None:
            heard.append((session.id, events))

        def behind(self, session: SessionId | None) -> None:
            raise AssertionError("a note is nothing to catch up on")

        def signalled(self, signal: object) -> None:
            raise AssertionError("nobody signals here")

    stored = (await process.writes("a", 0)).stored
    process.feed.follow(customer("a"), Page())
    await _note(process, stored.session.id, "o:note")
    assert heard == []


async def test_words_that_were_taken_back_are_not_replayed(process: Room) -> None:
    first = at((await process.writes("a", 0)).stored)
    session = (await process.writes("a", 1)).stored.session.id
    event = i.CustomerWithdrew(MessageId("c:1"))
    await process.relay.from_customer(customer("a"), event, InputKey("web/withdraw"))
    for place in (None, first):
        answer = await resumed(process, session, place)
        assert "a says 1" not in words(answer)
        assert any(isinstance(one.event, CustomerMessage) and one.event.withdrawn for one in answer.shown)


# ------------------------------------------------------------------ beside the journal


async def test_an_edit_that_came_first_is_shown_with_its_words(process: Room) -> None:
    """It is committed together with its message; a page that is open must not see it empty."""
    stored = (await process.writes("a", 0)).stored
    session, told = stored.session.id, asyncio.Event()

    class Page:
        def shown(self, session: Session, events: tuple[Any, ...]) -> None:
            raise AssertionError(f"{session.id} was shown an edit without its words: {events}")

        def behind(self, session: SessionId | None) -> None:
            told.set()

        def signalled(self, signal: object) -> None:
            raise AssertionError("nobody signals here")

    edit = i.OperatorRevised(MessageId("o:1"), AIKO, 1)
    await process.relay.from_operator(session, edit, InputKey("edit"), body=Body((TextPart("better"),)))
    process.feed.follow(customer("a"), Page())
    await process.replies(session, "o:1", "worse")
    assert told.is_set()
    assert words(await resumed(process, session, at(stored)))[-1] == "better"


async def test_words_that_were_taken_back_before_they_came_are_shown_to_no_page_that_is_open(process: Room) -> None:
    stored = (await process.writes("a", 0)).stored
    session, told = stored.session.id, asyncio.Event()

    class Page:
        def shown(self, session: Session, events: tuple[Any, ...]) -> None:
            raise AssertionError(f"{session.id} was shown what had been taken back: {events}")

        def behind(self, session: SessionId | None) -> None:
            told.set()

        def signalled(self, signal: object) -> None:
            raise AssertionError("nobody signals here")

    await process.relay.from_operator(session, i.OperatorWithdrew(MessageId("o:1"), AIKO), InputKey("gone"))
    process.feed.follow(customer("a"), Page())
    await process.replies(session, "o:1", "wrong window")
    assert told.is_set()
    assert "wrong window" not in words(await resumed(process, session, at(stored)))


async def test_what_reached_the_desk_meanwhile_is_known_after_a_resume(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The signal is best effort; the page that was away had the message itself already."""
    hurry(monkeypatch)
    async with private_redis(tmp_path / "redis", durable=True) as url, running(url, Board()) as one:
        stored = (await one.writes("a", 0)).stored
        await until(lambda: idle(one.store))
        fresh = await one.store.load(stored.session.id)
        assert fresh is not None
        answer = await one.feed.catch_up(fresh, at(fresh))
        assert answer.complete
        assert answer.shown == ()
        assert answer.reached == {"c:0"}


async def test_a_subscription_says_when_it_hears_anew(tmp_path: Path) -> None:
    """Every None means: what was said before was not heard."""
    async with on_disk(tmp_path / "redis") as one:
        heard: asyncio.Queue[Any] = asyncio.Queue()

        async def listen() -> None:
            async for hint in one.store.hints():
                heard.put_nowait(hint)

        listening = asyncio.create_task(listen())
        assert await heard.get() is None
        await one.store._wire.call("x", "PUBLISH", one.store._keys.wake, "not a hint at all")
        await one.writes("a", 0)
        assert (await heard.get()).head > 0, "what is no hint is passed over"
        await one.store._wire.call("x", "CLIENT", "KILL", "TYPE", "pubsub")
        assert await heard.get() is None
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening


async def test_a_subscription_that_fell_silent_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer that vanished without a word would be listened to for ever."""
    monkeypatch.setattr("adapters.redis.wire.SILENCE", 0.05)
    async with on_disk(tmp_path / "redis") as one:
        heard: asyncio.Queue[Any] = asyncio.Queue()

        async def listen() -> None:
            async for hint in one.store.hints():
                heard.put_nowait(hint)

        listening = asyncio.create_task(listen())
        assert await heard.get() is None
        await one.store._wire.call("x", "CLIENT", "PAUSE", 300, "ALL")
        assert await heard.get() is None, "it began anew"
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening
