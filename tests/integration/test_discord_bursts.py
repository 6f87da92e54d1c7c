"""Bursts on Discord: what a customer writes while their thread is behind stands in one post, and each stays its own."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from adapters.discord.refs import Post
from bridge.messages import Body, FilePart, TextPart
from bridge.ports import Delivered, Delivery
from bridge.relay import Receipt
from config.locales import thread_words
from routing.effects import PostMessage
from routing.facts import ReactionAdded
from routing.ids import DeskId, InputKey, MessageId, OperatorId
from routing.inputs import CustomerRevised, CustomerWithdrew, ErasureOrdered, OperatorTransferred
from tests.integration.discord_house import DISCORD, House, house
from tests.simulators.discord import Channel, DiscordSimulator, Fault, Person
from tests.simulators.discord.mischief import Rule
from tests.simulators.discord.permissions import BOT, P

MESSAGES = "POST /channels/{channel_id}/messages"
CHANGES = "PATCH /channels/{channel_id}/messages/{message_id}"
EXECUTE = "POST /webhooks/{webhook_id}/{webhook_token}"
BAD = "evil.example"
HARMFUL = 240000

_NAME = re.compile(r"^\*\*(.*)\*\*$")


class Line:
    """The way to the thread: while it is shut, whoever posts waits in line, and from then on the thread is behind."""

    def __init__(self, here: House, monkeypatch: pytest.MonkeyPatch) -> None:
        self._free = asyncio.Event()
        self._hold = here.network._turns.hold
        self._one = False
        self.waiting = 0
        self.open()
        monkeypatch.setattr(here.network._turns, "hold", self._in_line)
        monkeypatch.setattr(here.network._turns, "hold_now", lambda _delivery: False)

    async def _in_line(self, delivery: Delivery) -> bool:
        self.waiting += not self._free.is_set()
        await self._free.wait()
        if self._one:
            self.shut()
        return await self._hold(delivery) or self.waiting > 0

    def shut(self) -> None:
        self._free.clear()

    def open(self, *, for_one: bool = False) -> None:
        self._one = for_one
        self._free.set()


@pytest.fixture
async def discord() -> AsyncIterator[DiscordSimulator]:
    async with DiscordSimulator(limits=False) as simulator:
        simulator.habits.nonce_life = -1.0  # nothing is known by its nonce
        yield simulator


@pytest.fixture
def desk(discord: DiscordSimulator) -> Channel:
    return discord.channel("support", "forum", private=True)


@pytest.fixture
def kenji(discord: DiscordSimulator, desk: Channel) -> Person:
    person = discord.person("kenji")
    discord.allow(desk, person.id, BOT, quietly=True)
    return person


@pytest.fixture
async def here(
    engine_url: str, tmp_path: Path, discord: DiscordSimulator, desk: Channel, kenji: Person
) -> AsyncIterator[House]:
    async with house(engine_url, tmp_path, discord, desks=[desk]) as one:
        await one.enrol(kenji)
        yield one


@pytest.fixture
def line(here: House, monkeypatch: pytest.MonkeyPatch) -> Line:
    return Line(here, monkeypatch)


async def write(here: House, line: Line, *texts: str | FilePart) -> list[MessageId]:
    """So many messages while the thread is behind; then it is not, and all of them are there."""
    line.shut()
    line.waiting = 0
    written = [message(await here.writes(text)) for text in texts]
    await here.discord.until(lambda: line.waiting > 0)
    line.open()
    await here.lanes_are_empty()
    return written


def message(receipt: Receipt) -> MessageId:
    return receipt.stored.session.recent[-1].message


async def begun(here: House) -> None:
    await here.writes("hello")
    await here.thread()
    await here.lanes_are_empty()


def shown(here: House) -> list[str]:
    """What people read beneath the card, without the fences of the blocks."""
    (thread,) = here.discord.threads(here.desk)
    posts = [one.split("\n") for one in here.said(thread)]
    return ["\n".join(_NAME.sub(r"\1", line) for line in post if line != "```") for post in posts]


async def posts_of(here: House, *messages: MessageId) -> list[Post]:
    session = (await here.session()).session.id
    found = [await here.store.posts(session, one, 1) for one in messages]
    return [Post.of(refs[0]) for refs in found]


async def revise(here: House, which: MessageId, text: str, revision: int = 1) -> None:
    await here.does(CustomerRevised(which, revision), Body((TextPart(text),)))
    await here.lanes_are_empty()


def small(key: str, **words: str) -> str:
    return f"-# {thread_words('en', key, **words)}"


EDITED, WITHDRAWN, FILTERED = small("post.edited"), small("line.withdrawn"), small("post.filtered")


def former(text: str) -> str:
    return small("post.former", text=text)


# ------------------------------------------------------------------ how it looks, and what is in the books


async def test_what_came_while_the_thread_was_behind_is_one_post_and_each_has_its_place_in_the_books(
    here: House, line: Line
) -> None:
    await begun(here)
    written = await write(here, line, "one", "*two* @everyone", "three")
    assert shown(here) == ["Hanako\nhello", "Hanako\none\n*two* @everyone\nthree"]
    (thread,) = here.discord.threads(here.desk)
    burst = here.discord.messages(thread)[-1]
    assert [act.kind for act in here.discord.acts(burst)] == ["bold", "block", "block", "block"]
    assert burst.pings == []
    assert {post.message for post in await posts_of(here, *written)} == {burst.id}
    reached = (await here.feed.catch_up(await here.session(), None)).reached
    assert set(reached) >= set(written), "each of them"


async def test_nothing_is_merged_while_the_thread_keeps_up(here: House) -> None:
    await begun(here)
    for number in range(5):
        await here.writes(f"message {number}")
    await here.lanes_are_empty()
    assert len(shown(here)) == 6


async def test_the_real_limit_of_a_thread_is_what_makes_them_one(
    engine_url: str, tmp_path: Path, kenji: Person
) -> None:
    """Five posts in five seconds: what comes behind them is fewer posts."""
    async with DiscordSimulator() as narrow:
        desk = narrow.channel("support", "text", private=True)
        async with house(engine_url, tmp_path, narrow, desks=[desk]) as one:
            await begun(one)
            for number in range(14):
                await one.writes(f"m{number}")
            await one.lanes_are_empty()
            words = [line for post in shown(one) for line in post.split("\n")[1:]]
            assert words == ["hello", *(f"m{number}" for number in range(14))]
            assert len(shown(one)) < 12


async def test_a_picture_stands_by_itself_and_in_its_place(here: House, line: Line) -> None:
    await begun(here)
    content = BytesIO()
    Image.new("RGB", (8, 8), "red").save(content, "PNG")
    kept = await here.files.put("customer", "mine.png", content.getvalue(), "one")
    picture = FilePart(kept.file_id, kept.name, kept.media_type, kept.size, 8, 8)
    await write(here, line, "one", "two", picture, "three", "four")
    posts = shown(here)
    assert (len(posts), posts[1], posts[-1]) == (4, "Hanako\none\ntwo", "Hanako\nthree\nfour")


async def test_one_post_stays_within_what_discord_takes(here: House, line: Line) -> None:
    await begun(here)
    texts = [*(f"{number}" * 400 for number in range(5)), *(f"m{number}" for number in range(12))]
    await write(here, line, *texts)
    words = [line for post in shown(here)[1:] for line in post.split("\n")[1:]]
    assert words == texts
    assert len(shown(here)) < 8


async def test_under_their_own_name_they_stand_in_blocks_alone(
    engine_url: str, tmp_path: Path, discord: DiscordSimulator, desk: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    discord.allow(desk, discord.guild.app.bot.id, BOT | P.MANAGE_WEBHOOKS, quietly=True)
    async with house(engine_url, tmp_path, discord, desks=[desk], rules={"personas": True}) as here:
        await begun(here)
        line = Line(here, monkeypatch)
        struck = discord.mischief.add(Fault.SERVER_ERROR_AFTER, EXECUTE, status=502)
        one, _ = await write(here, line, "one", "two")
        assert struck.fired, "a webhook knows no nonces"
        assert shown(here) == ["hello", "one\ntwo"]
        (thread,) = discord.threads(desk)
        assert "Hanako" in discord.messages(thread)[-1].username
        await revise(here, one, "ONE")
        assert shown(here)[1].split("\n") == ["ONE", EDITED, former("one"), "two"]


async def test_after_it_typing_is_shown_again(here: House, line: Line) -> None:
    """Discord takes it off when something is posted."""
    await begun(here)
    (ref,) = (await here.store.threads((await here.session()).session.id)).values()
    await here.network.show_typing(ref)
    await write(here, line, "one", "two")
    await here.network.show_typing(ref)
    assert len(here.discord.calls_of("POST /channels/{channel_id}/typing")) == 2


# ------------------------------------------------------------------ edits, withdrawals, erasure


async def test_an_edit_and_a_withdrawal_change_one_message_of_the_post(here: House, line: Line) -> None:
    await begun(here)
    one, two, three = await write(here, line, "one", "two", "three")
    await revise(here, two, "TWO")
    assert shown(here)[1].split("\n") == ["Hanako", "one", "TWO", EDITED, former("two"), "three"]
    await here.does(CustomerWithdrew(one))
    await here.lanes_are_empty()
    assert shown(here)[1].split("\n") == ["Hanako", WITHDRAWN, "TWO", EDITED, former("two"), "three"]
    await revise(here, three, "THREE")
    assert shown(here)[1].split("\n")[-3:] == ["THREE", EDITED, former("three")]
    assert len(shown(here)) == 2


async def test_ten_that_are_edited_as_far_as_there_is_room_still_stand_in_one_post(here: House, line: Line) -> None:
    await begun(here)
    written = await write(here, line, *("`" * 45 for _ in range(10)))
    assert len(shown(here)) == 2
    for one in written:
        await revise(here, one, "x" * 64)
    assert len(shown(here)) == 2
    assert shown(here)[1].split("\n").count("x" * 64) == 10


@pytest.mark.parametrize("fault", [None, Fault.LOSE_ANSWER, Fault.LOSE_REQUEST])
async def test_what_outgrows_the_post_by_an_edit_stands_whole_below_it(
    here: House, line: Line, fault: Fault | None
) -> None:
    await begun(here)
    _, two, three = await write(here, line, "one", "two", "x" * 600)
    if fault is not None:
        here.discord.mischief.add(fault, MESSAGES, skip=1)
    long = "y" * 3_500
    await revise(here, two, long)
    _, burst, *below = shown(here)
    lines = burst.split("\n")
    assert (lines[1], lines[-1]) == ("one", "x" * 600), "nobody else's words are shortened for it"
    assert set(lines[2]) == {"y", "…"}
    assert "".join(post.split("\n")[1] for post in below) == long
    assert EDITED in below[-1]
    assert len(below) == 2
    await revise(here, three, "z" * 600)
    await revise(here, two, "2", 2)
    assert len(shown(here)) == 2
    assert shown(here)[1].split("\n")[1:3] == ["one", "2"]
    assert "z" * 600 in shown(here)[1].split("\n")
    await revise(here, two, long, 3)
    await here.does(CustomerWithdrew(two))
    await here.lanes_are_empty()
    assert len(shown(here)) == 2
    assert "yy" not in "".join(shown(here))


async def test_an_erasure_takes_the_thread_with_all_its_words(here: House, line: Line) -> None:
    await begun(here)
    await write(here, line, "one", "two", "three")
    session = (await here.session()).session.id
    assert isinstance(await here.relay.from_bridge(session, ErasureOrdered(), InputKey("erase/1")), Receipt)
    await here.lanes_are_empty()
    assert here.discord.threads(here.desk) == []


async def test_what_was_edited_in_line_is_posted_as_it_is_then(here: House, line: Line) -> None:
    await begun(here)
    line.shut()
    one = message(await here.writes("one"))
    await here.writes("two")
    await here.discord.until(lambda: line.waiting > 0)
    await here.does(CustomerRevised(one, 1), Body((TextPart("ONE"),)))
    line.open()
    await here.lanes_are_empty()
    assert shown(here)[1].split("\n")[1:] == ["ONE", EDITED, former("one"), "two"]


async def test_after_a_move_both_threads_follow_what_is_edited_and_withdrawn(
    engine_url: str, tmp_path: Path, discord: DiscordSimulator, desk: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = discord.channel("refunds", "text", private=True)
    async with house(engine_url, tmp_path, discord, desks=[desk, other]) as here:
        await begun(here)
        one, two, _ = await write(here, Line(here, monkeypatch), "one", "two", "three")
        move = OperatorTransferred(OperatorId("kenji"), DeskId("refunds"))
        session = (await here.session()).session.id
        assert isinstance(await here.relay.from_operator(session, move, InputKey("move")), Receipt)
        await here.lanes_are_empty()
        await revise(here, one, "ONE")
        await here.does(CustomerWithdrew(two))
        await here.lanes_are_empty()
        (new,) = discord.threads(other)
        history = "\n".join(here.said(new))
        assert shown(here)[1].split("\n")[1:] == ["ONE", EDITED, former("one"), WITHDRAWN, "three"]
        assert ("ONE" in history, "three" in history) == (True, True)
        assert ("one" in history, "two" in history) == (False, False)


# ------------------------------------------------------------------ answers


async def test_an_answer_to_the_post_quotes_what_was_said_last_there_and_a_reaction_is_on_it(
    here: House, line: Line, kenji: Person
) -> None:
    await here.listens()
    await begun(here)
    _, two, three = await write(here, line, "It is lost", "Where is it?", "Never mind")
    await here.does(CustomerWithdrew(three))
    await here.lanes_are_empty()
    (thread,) = here.discord.threads(here.desk)
    burst = here.discord.messages(thread)[-1]
    kenji.say(thread, "I see", reply_to=burst)
    await here.reads("Where is it?\nI see")
    kenji.react(thread, burst, "👀")

    async def is_on_it() -> bool:
        journal = await here.store.journal((await here.session()).session.id)
        return [one.fact.message for one in journal if isinstance(one.fact, ReactionAdded)] == [two]

    await here.until(is_on_it)


# ------------------------------------------------------------------ answers that are lost


@pytest.mark.parametrize("fault", [Fault.LOSE_ANSWER, Fault.SERVER_ERROR_AFTER, Fault.LOSE_REQUEST, Fault.SERVER_ERROR])
@pytest.mark.parametrize("nonces", [-1.0, 300.0])
async def test_an_unknown_outcome_leaves_one_post_with_all_of_them(
    here: House, line: Line, fault: Fault, nonces: float
) -> None:
    here.discord.habits.nonce_life = nonces
    await begun(here)
    struck = here.discord.mischief.add(fault, MESSAGES, status=502)
    written = await write(here, line, "one", "two", "three")
    assert struck.fired
    assert shown(here) == ["Hanako\nhello", "Hanako\none\ntwo\nthree"]
    assert len({post.message for post in await posts_of(here, *written)}) == 1


async def test_in_a_thread_that_somebody_has_deleted_it_begins_anew_and_is_found_there(here: House, line: Line) -> None:
    moderator = here.discord.person("mod", moderator=True)
    here.discord.allow(here.desk, moderator.id, BOT, quietly=True)
    await begun(here)
    moderator.delete_thread(here.discord.threads(here.desk)[0])
    lost = here.discord.mischief.add(Fault.LOSE_ANSWER, MESSAGES, where=lambda told: "two" in str(told.get("content")))
    one, two = await write(here, line, "one", "two")
    assert lost.fired
    history, burst = shown(here)
    assert ("hello" in history, "one" in history, burst) == (True, False, "Hanako\none\ntwo")
    assert len({post.message for post in await posts_of(here, one, two)}) == 1


async def test_words_that_read_alike_are_told_apart_by_their_place(here: House, line: Line) -> None:
    await begun(here)
    struck = here.discord.mischief.add(Fault.LOSE_ANSWER, MESSAGES, times=2)
    first = await write(here, line, "yes", "yes")
    second = await write(here, line, "yes", "yes")
    assert struck.fired == 2
    assert shown(here)[1:] == ["Hanako\nyes\nyes"] * 2
    assert [len({post.message for post in await posts_of(here, *both)}) for both in (first, second)] == [1, 1]
    assert len({post.message for post in await posts_of(here, *first, *second)}) == 2


async def sent(here: House, monkeypatch: pytest.MonkeyPatch) -> list[Delivery]:
    """What goes out together from now on."""
    seen: list[Delivery] = []
    deliver_together = here.network.deliver_together

    async def noted(deliveries: Sequence[Delivery]) -> list[Delivered]:
        seen.extend(deliveries)
        return await deliver_together(deliveries)

    monkeypatch.setattr(here.network, "deliver_together", noted)
    return seen


async def test_of_a_late_double_only_what_stands_elsewhere_too_is_taken_back(
    here: House, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A merged post turned up late, when the first of its messages had been sent again."""
    await begun(here)
    together = await sent(here, monkeypatch)
    (late, *_) = await posts_of(here, *await write(here, line, "one", "two", "three"))
    first = together[0]
    again = await here.network.deliver(first)
    await note_in_the_books(here, first, again)
    found = await here.network.find(first)
    assert [Post.of(one.posts[0]).message for one in found] == [Post.of(again.posts[0]).message, late.message]
    for _ in range(2):
        await here.network.remove_double(first, found[1])
        assert shown(here) == [f"Hanako\n{one}" for one in ("hello", "two\nthree", "one")]


async def test_a_late_double_goes_as_a_whole_when_all_of_it_is_one(
    here: House, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    await begun(here)
    together = await sent(here, monkeypatch)
    await write(here, line, "one", "two", "three")
    for delivery in together:
        await note_in_the_books(here, delivery, await here.network.deliver(delivery))
    _, late = await here.network.find(together[0])
    await here.network.remove_double(together[0], late)
    assert shown(here) == [f"Hanako\n{one}" for one in ("hello", "one", "two", "three")]


async def note_in_the_books(here: House, delivery: Delivery, done: Delivered) -> None:
    assert isinstance(delivery.effect, PostMessage)
    key = here.store._keys.session(delivery.session.id, "posts")
    await here.store._wire.call(key, "HSET", key, f"{delivery.effect.message}#1", done.posts[0])


async def test_another_post_that_reads_alike_is_no_late_double(
    here: House, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    await begun(here)
    together = await sent(here, monkeypatch)
    await write(here, line, "yes", "yes")
    second = await write(here, line, "yes", "yes")
    (other, _) = await posts_of(here, *second)
    (first, *_) = together
    claimed = Post(other.guild, other.channel, other.message, together=(first.effect.message,))  # type: ignore[attr-defined]  # a message's
    await here.network.remove_double(first, Delivered(posts=(claimed.ref,)))
    assert shown(here)[1:] == ["Hanako\nyes\nyes"] * 2


async def test_what_is_sent_again_bears_the_same_nonce(here: House, line: Line) -> None:
    """What comes late then is the post that was made meanwhile."""
    await begun(here)
    lost = here.discord.mischief.add(Fault.LOSE_REQUEST, MESSAGES)
    await write(here, line, "one", "two", "three")
    first, again = here.discord.calls_of(MESSAGES)[-2:]
    assert lost.fired
    assert "three" in first.fields["content"]
    assert first.fields["nonce"] == again.fields["nonce"]


async def test_what_came_late_is_taken_back(here: House, line: Line) -> None:
    """The post was on its way for so long that its messages had most likely been sent again."""
    await begun(here)
    here.discord.mischief.add(Fault.LATE, MESSAGES, seconds=0.15)
    await write(here, line, "one", "two", "three")

    def is_over() -> bool:
        asked = [call for call in here.discord.calls_of(MESSAGES) if "three" in call.fields["content"]]
        made = [post["kind"] for post in here.discord.posts if "three" in str(post)]
        return made.count("message") == len(asked) and (len(asked) == 1 or "delete" in made)

    await here.discord.until(is_over)
    assert shown(here) == ["Hanako\nhello", "Hanako\none\ntwo\nthree"]


# ------------------------------------------------------------------ a process that dies


class KilledError(Exception):
    """The process ends here."""


def dies(here: House, monkeypatch: pytest.MonkeyPatch, after: int) -> asyncio.Event:
    """Once a burst is posted and `after` of its messages are in the books: nothing more is written down by it."""
    settle, settled, dead = here.store.settle, 0, asyncio.Event()

    async def ending(lane: Any, term: int, effect: Any, done: Any, **more: Any) -> Any:
        nonlocal settled
        if Post.of(done.posts[0]).together:
            settled += 1
        if settled > after:
            dead.set()
            raise KilledError
        return await settle(lane, term, effect, done, **more)

    monkeypatch.setattr(here.store, "settle", ending)
    return dead


@pytest.mark.parametrize("after", [0, 1, 2])
async def test_who_goes_on_finds_each_of_a_burst_whose_sender_died_before_the_books(
    here: House, line: Line, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    await begun(here)
    with monkeypatch.context() as life:
        dead = dies(here, life, after)
        line.shut()
        written = [message(await here.writes(text)) for text in ("one", "two", "three")]
        await here.discord.until(lambda: line.waiting > 0)
        line.open()
        await dead.wait()
        line.shut()
    written += [message(await here.writes(text)) for text in ("four", "five")]
    line.open()
    await here.lanes_are_empty()
    words = [word for post in shown(here) for word in post.split("\n")[1:]]
    assert words == ["hello", "one", "two", "three", "four", "five"]
    assert len({post.message for post in await posts_of(here, *written[:3])}) == 1


async def test_a_burst_that_is_cut_otherwise_after_a_certain_failure_is_found_all_the_same(
    here: House, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was refused once, more came, and what was sent then was lost on its way back."""
    await begun(here)
    together = await sent(here, monkeypatch)
    refused = here.discord.mischief.add(Fault.RATE_LIMIT, MESSAGES, seconds=0.3)
    line.shut()
    written = [message(await here.writes(text)) for text in ("one", "two")]
    await here.discord.until(lambda: line.waiting > 0)
    line.open(for_one=True)
    await here.discord.until(lambda: refused.fired)
    lost = here.discord.mischief.add(Fault.LOSE_ANSWER, MESSAGES)
    written += [message(await here.writes(text)) for text in ("three", "four")]
    await here.discord.until(lambda: line.waiting > 1)
    line.open()
    await here.lanes_are_empty()
    assert lost.fired
    cuts = [one.body.text for one in together if one.body]
    assert cuts[:2] == ["one", "two"]
    assert cuts[2:6] == ["one", "two", "three", "four"]
    assert shown(here) == ["Hanako\nhello", "Hanako\none\ntwo\nthree\nfour"]
    assert len({post.message for post in await posts_of(here, *written)}) == 1


# ------------------------------------------------------------------ the filter


def filters(discord: DiscordSimulator, words: str = BAD) -> Rule:
    """From now on nothing with these words in it is let through."""
    return discord.mischief.add(
        Fault.REFUSE, times=None, status=400, code=HARMFUL, where=lambda told: words in str(told)
    )


async def test_one_that_the_filter_refuses_keeps_no_neighbour_out_and_sets_nothing_aside(
    here: House, line: Line
) -> None:
    await begun(here)
    refusing = filters(here.discord)
    await write(here, line, "one", f"two {BAD}", "three")
    posts = shown(here)
    assert [post.split("\n")[1:] for post in (posts[1], posts[3])] == [["one"], ["three"]]
    assert FILTERED in posts[2]
    assert (len(posts), await here.store.stuck_lanes(DISCORD)) == (4, [])
    assert refusing.fired == 2, "together, then by itself"


async def test_an_edit_that_the_filter_refuses_costs_no_neighbour_their_words(here: House, line: Line) -> None:
    await begun(here)
    one, two, _ = await write(here, line, "one", "two", "three")
    filters(here.discord)
    await revise(here, two, f"TWO {BAD}")
    lines = shown(here)[1].split("\n")
    assert [word for word in lines if not word.startswith("-#")] == ["Hanako", "one", "three"]
    assert lines[2] == FILTERED
    assert "desk.example" in lines[3]
    await revise(here, one, "ONE")
    lines = shown(here)[1].split("\n")
    assert lines[:5] == ["Hanako", "ONE", EDITED, former("one"), FILTERED]
    assert lines[-1] == "three"
    await revise(here, two, "TWO", 2)
    here.discord.mischief.clear()
    await revise(here, two, "Two", 3)
    assert [word for word in shown(here)[1].split("\n") if not word.startswith("-#")] == [
        *("Hanako", "ONE", "Two", "three")
    ]


# ------------------------------------------------------------------ whatever comes


TROUBLES = (Fault.LOSE_ANSWER, Fault.LOSE_REQUEST, Fault.SERVER_ERROR_AFTER)


@pytest.mark.parametrize("seed", range(2))
async def test_whatever_is_lost_each_message_stands_once_in_order_and_as_it_was_last_written(
    here: House, line: Line, seed: int
) -> None:
    chance = random.Random(seed)
    await begun(here)
    trouble = chance.choice(TROUBLES)
    here.discord.mischief.add(trouble, MESSAGES, times=None, probability=0.3, status=502)
    here.discord.mischief.add(Fault.LOSE_ANSWER, CHANGES, times=None, probability=0.2)
    said: dict[MessageId, int | None] = {}
    names: list[str] = []
    for number in range(24):
        chance.choice((line.shut, line.shut, line.open))()
        recent = [one for one in list(said)[-8:] if said[one] is not None]
        act = chance.random()
        if act < 0.6 or not recent:
            said[message(await here.writes(f"m{number}r0"))] = 0
            names.append(f"m{number}")
            continue
        chosen = chance.choice(recent)
        if act < 0.85:
            said[chosen] = (said[chosen] or 0) + 1
            name, revision = names[list(said).index(chosen)], said[chosen] or 0
            await here.does(CustomerRevised(chosen, revision), Body((TextPart(f"{name}r{revision}"),)))
        else:
            said[chosen] = None
            await here.does(CustomerWithdrew(chosen))
    line.open()
    await here.lanes_are_empty()
    lines = "\n".join(shown(here)).split("\n")
    stands = [word for word in lines if re.fullmatch(r"m\d+r\d+", word)]  # former words have their label before them
    assert stands == [f"{name}r{said[one]}" for one, name in zip(said, names, strict=True) if said[one] is not None]
