from __future__ import annotations

from dataclasses import replace

from adapters.console.network import ConsoleNetwork
from bridge.messages import About, Body, TextPart
from bridge.ports import Delivery, Network
from routing.effects import OpenThread, PostLine, PostMessage
from routing.facts import Side
from routing.ids import EffectId, MessageId
from tests.unit.adapters.console.story import CONSOLE, Story

SESSION = Story().customer_writes("c:1").session
POST = PostMessage(id=EffectId("e1"), to=CONSOLE, mirror=1, message=MessageId("c:1"), revision=0, side=Side.CUSTOMER)
OPEN = OpenThread(id=EffectId("e0"), to=CONSOLE, mirror=1)
LINE = PostLine(id=EffectId("e2"), to=CONSOLE, mirror=1, key="reopened")


def delivery(effect: OpenThread | PostMessage | PostLine) -> Delivery:
    return Delivery(effect, SESSION, About(), body=Body((TextPart("hello"),)))


async def test_delivering_is_finding() -> None:
    network: Network = ConsoleNetwork()
    for effect in (OPEN, POST, LINE):
        done = await network.deliver(delivery(effect))
        assert await network.deliver(delivery(effect)) == done
        assert await network.find(delivery(effect)) == [done]


async def test_a_message_has_a_post_of_its_own_and_all_share_the_thread() -> None:
    network = ConsoleNetwork()
    opened, posted = await network.deliver(delivery(OPEN)), await network.deliver(delivery(POST))
    assert (opened.posts, posted.posts) == ((), ("e1",))
    assert opened.thread == posted.thread is not None


async def test_words_that_were_erased_meanwhile_have_reached_nobody() -> None:
    erased = replace(delivery(POST), body=None)
    assert (await ConsoleNetwork().deliver(erased)).posts == ()


async def test_the_desk_is_always_ready_and_there_is_nothing_to_redraw() -> None:
    network = ConsoleNetwork()
    await network.start()
    await network.refresh(delivery(OPEN))
    assert network.ready() is None
    await network.stop()


async def test_there_is_never_a_double_to_remove() -> None:
    network = ConsoleNetwork()
    (only,) = await network.find(delivery(POST))
    await network.remove_double(delivery(POST), only)
    assert await network.find(delivery(POST)) == [only]
