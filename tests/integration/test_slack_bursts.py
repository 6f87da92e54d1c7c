"""Bursts on Slack: what a customer writes while the channel is behind stands in one post, and each stays its own."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from adapters.slack.refs import Post
from bridge.messages import Body, FilePart, TextPart
from bridge.ports import Delivered, Delivery
from bridge.relay import Receipt
from config.locales import thread_words
from routing.effects import PostMessage
from routing.ids import InputKey, MessageId
from routing.inputs import CustomerRevised, CustomerWithdrew, ErasureOrdered
from tests.integration.slack_house import SLACK, House, house
from tests.integration.test_slack import picture
from tests.simulators.slack import Fault, SlackSimulator


class Channel:
    """The desk's channel: while it is shut, whoever posts waits in line, and from then on it is behind."""

    def __init__(self, here: House, monkeypatch: pytest.MonkeyPatch) -> None:
        self._free = asyncio.Event()
        self._hold = here.network._turns.hold
        self.waiting = 0
        self.open()
        monkeypatch.setattr(here.network._turns, "hold", self._in_line)
        monkeypatch.setattr(here.network._turns, "hold_now", lambda _delivery, _channel: False)

    async def _in_line(self, delivery: Delivery, channel: str) -> bool:
        self.waiting += not self._free.is_set()
        await self._free.wait()
        return await self._hold(delivery, channel) or self.waiting > 0

    def shut(self) -> None:
        self._free.clear()

    def open(self) -> None:
        self._free.set()


@pytest.fixture
async def here(engine_url: str, tmp_path: Path, slack: SlackSimulator) -> AsyncIterator[House]:
    async with house(engine_url, tmp_path, slack) as one:
        yield one


@pytest.fixture
def channel(here: House, monkeypatch: pytest.MonkeyPatch) -> Channel:
    return Channel(here, monkeypatch)


async def write(here: House, channel: Channel, *texts: str | FilePart) -> list[MessageId]:
    """So many messages while the channel is behind; then it is not, and all of them are there."""
    channel.shut()
    written = [message(await here.writes(text)) for text in texts]
    await here.slack.until(lambda: channel.waiting > 0)
    channel.open()
    await here.lanes_are_empty()
    return written


def message(receipt: Receipt) -> MessageId:
    return receipt.stored.session.recent[-1].message


async def begun(here: House) -> None:
    await here.writes("hello")
    await here.thread(1)
    await here.lanes_are_empty()


async def posts_of(here: House, *messages: MessageId) -> list[Post]:
    session = (await here.session()).session.id
    found = [await here.store.posts(session, one, 1) for one in messages]
    return [Post.of(refs[0]) for refs in found]


async def test_what_came_while_the_channel_was_behind_is_one_post_and_each_has_its_place_in_the_books(
    here: House, channel: Channel
) -> None:
    await begun(here)
    written = await write(here, channel, "one", "two", "three")
    assert await here.thread(2) == ["Hanako\nhello", "Hanako\none\ntwo\nthree"]
    assert len({post.ts for post in await posts_of(here, *written)}) == 1
    reached = (await here.feed.catch_up(await here.session(), None)).reached
    assert set(reached) >= set(written), "each of them"


async def test_nothing_is_merged_while_the_channel_keeps_up(here: House) -> None:
    await begun(here)
    for number in range(5):
        await here.writes(f"message {number}")
    assert len(await here.thread(6)) == 6


async def test_a_picture_stands_by_itself_and_in_its_place(here: House, channel: Channel) -> None:
    await begun(here)
    await write(here, channel, "one", "two", await picture(here), "three", "four")
    shown = await here.thread(5)
    assert (shown[1], shown[-1]) == ("Hanako\none\ntwo", "Hanako\nthree\nfour")


async def test_one_post_stays_within_what_slack_takes(here: House, channel: Channel) -> None:
    await begun(here)
    await write(here, channel, *(f"{number}" * 1_400 for number in range(5)), *(f"m{number}" for number in range(12)))
    shown = await here.thread(5)
    assert "".join(shown).count("Hanako") == len(shown)
    words = [line for one in shown[1:] for line in one.split("\n")[1:]]
    assert words == [f"{number}" * 1_400 for number in range(5)] + [f"m{number}" for number in range(12)]


async def test_an_edit_and_a_withdrawal_change_one_message_of_the_post(here: House, channel: Channel) -> None:
    await begun(here)
    one, two, three = await write(here, channel, "one", "two", "three")
    await here.does(CustomerRevised(two, 1), Body((TextPart("TWO"),)))
    await here.does(CustomerWithdrew(one))
    await here.lanes_are_empty()
    withdrawn, *shown = (await here.thread(2))[1].split("\n")
    assert withdrawn == thread_words("en", "line.withdrawn")
    assert shown == ["Hanako", "TWO", "edited", "Before: two", "three"]
    await here.does(CustomerRevised(three, 1), Body((TextPart("THREE"),)))
    await here.lanes_are_empty()
    assert (await here.thread(2))[1].split("\n")[-3:] == ["THREE", "edited", "Before: three"]
    assert len(here.slack.calls_of("chat.postMessage")) == 3


@pytest.mark.parametrize("fault", [None, Fault.LOSE_ANSWER, Fault.LOSE_REQUEST])
async def test_what_outgrows_the_post_by_an_edit_stands_whole_below_it(
    here: House, channel: Channel, fault: Fault | None
) -> None:
    await begun(here)
    _, two, three = await write(here, channel, "one", "two", "x" * 1_200)
    if fault is not None:
        here.slack.mischief.add(fault, "chat.postMessage", skip=1)
    long = "&" * 3_900  # as Slack counts, it needs two posts
    await here.does(CustomerRevised(two, 1), Body((TextPart(long),)))
    await here.lanes_are_empty()
    _, burst, *below = await here.thread(4)
    lines = burst.split("\n")
    assert (lines[1], lines[-1]) == ("one", "x" * 1_200)  # nobody else's words are shortened for it
    assert set(lines[2]) == {"&", "…"}
    assert "".join(post.partition("\n")[2] for post in below).startswith(f"{long}\n{thread_words('en', 'post.edited')}")
    assert len(below) == 2
    await here.does(CustomerRevised(three, 1), Body((TextPart("y" * 1_200),)))
    await here.does(CustomerRevised(two, 2), Body((TextPart("2"),)))
    await here.lanes_are_empty()
    (_, burst) = await here.thread(2)
    assert burst.split("\n")[1:3] == ["one", "2"]
    assert "y" * 1_200 in burst.split("\n")
    await here.does(CustomerRevised(two, 3), Body((TextPart(long),)))
    await here.does(CustomerWithdrew(two))
    await here.lanes_are_empty()
    assert "&" not in "".join(await here.thread(2))


async def test_an_erasure_takes_the_post_with_all_its_words(here: House, channel: Channel) -> None:
    await begun(here)
    await write(here, channel, "one", "two", "three")
    session = (await here.session()).session.id
    assert isinstance(await here.relay.from_bridge(session, ErasureOrdered(), InputKey("erase/1")), Receipt)
    await here.lanes_are_empty()
    bot = here.slack.workspace.app.bot_id
    assert [one for one in here.desk.messages.values() if one.bot_id == bot] == []


async def test_what_was_withdrawn_or_edited_in_line_is_posted_as_it_is_then(here: House, channel: Channel) -> None:
    await begun(here)
    channel.shut()
    one = message(await here.writes("one"))
    await here.writes("two")
    await here.slack.until(lambda: channel.waiting > 0)
    await here.does(CustomerRevised(one, 1), Body((TextPart("ONE"),)))
    channel.open()
    await here.lanes_are_empty()
    assert (await here.thread(2))[1].split("\n")[1:] == ["ONE", "edited", "Before: one", "two"]


@pytest.mark.parametrize(
    "fault", [Fault.LOSE_ANSWER, Fault.BAD_GATEWAY_AFTER, Fault.LOSE_REQUEST, Fault.BAD_GATEWAY, Fault.INTERNAL_ERROR]
)
async def test_an_unknown_outcome_leaves_one_post_with_all_of_them(here: House, channel: Channel, fault: Fault) -> None:
    await begun(here)
    struck = here.slack.mischief.add(fault, "chat.postMessage")
    written = await write(here, channel, "one", "two", "three")
    assert struck.fired
    assert await here.thread(2) == ["Hanako\nhello", "Hanako\none\ntwo\nthree"]
    assert len({post.ts for post in await posts_of(here, *written)}) == 1


async def test_what_slack_refuses_as_one_goes_out_one_by_one(here: House, channel: Channel) -> None:
    await begun(here)
    here.slack.mischief.add(Fault.ERROR, "chat.postMessage", error="msg_blocks_too_long")
    await write(here, channel, "one", "two")
    assert await here.thread(3) == ["Hanako\nhello", "Hanako\none", "Hanako\ntwo"]
    assert await here.store.stuck_lanes(SLACK) == []


async def test_a_late_double_goes_as_a_whole_only_when_all_of_it_is_one(
    here: House, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A merged post turned up late, when its messages had been sent again one by one."""
    await begun(here)
    sent: list[Delivery] = []
    deliver_together = here.network.deliver_together

    async def noted(deliveries: Sequence[Delivery]) -> list[Delivered]:
        sent.extend(deliveries)
        return await deliver_together(deliveries)

    monkeypatch.setattr(here.network, "deliver_together", noted)
    written = await write(here, channel, "one", "two", "three")
    (late, *_) = await posts_of(here, written[0])
    left = {"one": "two\nthree", "two": "three", "three": ""}
    for delivery, word in zip(sent, left, strict=True):
        again = await here.network.deliver(delivery)
        await note_in_the_books(here, delivery, again)
        found = await here.network.find(delivery)
        assert [Post.of(one.posts[0]).ts for one in found] == [Post.of(again.posts[0]).ts, late.ts]
        await here.network.remove_double(delivery, found[1])
        rest = [left[word]] if left[word] else []
        resent = list(left)[: sent.index(delivery) + 1]
        assert await here.thread(1) == [f"Hanako\n{one}" for one in ("hello", *rest, *resent)]


async def note_in_the_books(here: House, delivery: Delivery, done: Delivered) -> None:
    assert isinstance(delivery.effect, PostMessage)
    key = here.store._keys.session(delivery.session.id, "posts")
    await here.store._wire.call(key, "HSET", key, f"{delivery.effect.message}#1", done.posts[0])


TROUBLES = (Fault.LOSE_ANSWER, Fault.LOSE_REQUEST, Fault.BAD_GATEWAY_AFTER)


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_is_lost_each_message_stands_once_in_order_and_as_it_was_last_written(
    here: House, channel: Channel, seed: int
) -> None:
    chance = random.Random(seed)
    await begun(here)
    here.slack.mischief.add(chance.choice(TROUBLES), "chat.postMessage", times=None, probability=0.3)
    here.slack.mischief.add(Fault.LOSE_ANSWER, "chat.update", times=None, probability=0.2)
    said: dict[MessageId, int | None] = {}
    names: list[str] = []
    for number in range(24):
        chance.choice((channel.shut, channel.shut, channel.open))()
        recent = [one for one in list(said)[-8:] if said[one] is not None]
        act = chance.random()
        if act < 0.6 or not recent:
            said[message(await here.writes(f"m{number}r0"))] = 0
            names.append(f"m{number}")
            continue
        chosen = chance.choice(recent)
        if act < 0.85:
            said[chosen] = (said[chosen] or 0) + 1
            name = names[list(said).index(chosen)]
            revision = said[chosen] or 0
            await here.does(CustomerRevised(chosen, revision), Body((TextPart(f"{name}r{revision}"),)))
        else:
            said[chosen] = None
            await here.does(CustomerWithdrew(chosen))
    channel.open()
    await here.lanes_are_empty()
    root = await here.root()
    lines = "\n".join(here.slack.thread(here.desk, root.ts)).split("\n")
    shown = [line for line in lines if re.fullmatch(r"m\d+r\d+", line)]  # former words have their label before them
    assert shown == [f"{name}r{said[one]}" for one, name in zip(said, names, strict=True) if said[one] is not None]
