"""The contract of `bridge.ports.Network`, on every network that there is: what the lanes rely on, and people with them.

What a platform of somebody else's does to us is asked of those that have one; the built-in desk is its own source.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bridge.doctor import SupportsDoctor, worst
from bridge.errors import DeliveryError, Fault
from bridge.handover import SupportsAnnouncing
from bridge.messages import Body, TextPart
from bridge.networks.whereabouts import SupportsLinks
from bridge.ports import SupportsTyping
from routing.effects import OpenThread, PostMessage
from routing.ids import InputKey, MessageId
from routing.inputs import (
    CustomerRevised,
    CustomerWithdrew,
    ErasureOrdered,
    MessageTranslated,
    OperatorClaimed,
    OperatorNoted,
    OperatorReplied,
)
from tests.contract.engines import engine
from tests.contract.networks import KENJI, NETWORKS, PLACES, PLATFORMS, Bench, bench
from tests.integration.engine_room import until

everywhere = pytest.mark.parametrize("here", NETWORKS, indirect=True)
on_platforms = pytest.mark.parametrize("here", PLATFORMS, indirect=True)
in_each_place = pytest.mark.parametrize("here", PLACES, indirect=True)
in_each_place_and_at_the_desk = pytest.mark.parametrize("here", [*PLACES, "console"], indirect=True)

HOSTILE = "<!channel> <@U1> @everyone @here <@&1> [ours](https://evil.example) *bold* ```"


@pytest.fixture(scope="module")
def engine_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What differs between networks does not depend on the engine."""
    loop, stack = asyncio.new_event_loop(), AsyncExitStack()
    yield loop.run_until_complete(stack.enter_async_context(engine("floor", tmp_path_factory.mktemp("engine"))))
    loop.run_until_complete(stack.aclose())
    loop.close()


@pytest.fixture
async def here(request: pytest.FixtureRequest, engine_url: str, tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(request.param, engine_url, tmp_path) as one:
        yield one


async def fails(here: Bench, fault: Fault) -> DeliveryError:
    """The next delivery does, in this way."""
    with pytest.raises(DeliveryError) as caught:
        await here.network.deliver(await here.next())
    assert caught.value.fault is fault, caught.value.code
    return caught.value


# ------------------------------------------------------------------ roots


@in_each_place
async def test_a_root_whose_answer_was_lost_is_found_and_is_the_only_one(here: Bench) -> None:
    await here.writes("hello")
    opening = await here.next()
    assert isinstance(opening.effect, OpenThread)
    assert await here.network.find(opening) == []
    here.platform.lose_answer()
    await fails(here, Fault.AMBIGUOUS)
    found = await here.network.find(opening)
    if not found:  # its card is there, and its thread is not: it goes on from there
        found = [await here.network.deliver(opening)]
    assert len(found) == 1
    assert found[0].thread is not None
    await here.settle(opening, found[0])
    assert await here.network.find(opening) == found
    await here.deliver_all()
    assert here.platform.threads() == 1
    (said,) = await here.outside.said(here.thread)
    assert "hello" in said


@in_each_place
async def test_of_two_roots_the_one_in_the_books_comes_first_and_the_other_can_be_taken_back(here: Bench) -> None:
    await here.writes("hello")
    opening = await here.next()
    first = await here.network.deliver(opening)
    await here.settle(opening, first)
    if here.name == "discord":
        await here.store.forget(f"discord/begun/{opening.effect.id}")  # another process died before it wrote that down
    second = await here.post_again(opening)
    assert second.thread != first.thread
    assert [one.thread for one in await here.network.find(opening)] == [first.thread, second.thread]
    await here.network.remove_double(opening, second)
    assert [one.thread for one in await here.network.find(opening)] == [first.thread]
    await here.network.remove_double(opening, second)
    assert here.platform.threads() == 1


@in_each_place
async def test_a_second_root_in_which_people_answered_stays_and_points_to_the_first(here: Bench) -> None:
    await here.writes("hello")
    opening = await here.next()
    first = await here.network.deliver(opening)
    await here.settle(opening, first)
    if here.name == "discord":
        await here.store.forget(f"discord/begun/{opening.effect.id}")
    second = await here.post_again(opening)
    assert second.thread is not None
    await here.outside.say(second.thread, "I am here")
    await here.network.remove_double(opening, second)
    assert here.platform.threads() == 2
    assert any("double" in one for one in await here.outside.said(second.thread))


# ------------------------------------------------------------------ words


@everywhere
async def test_what_is_delivered_again_is_the_same_or_is_found_before(here: Bench) -> None:
    await here.opens()
    await here.writes("again")
    delivery = await here.next()
    done = await here.network.deliver(delivery)
    assert done.posts
    assert [one.posts for one in await here.network.find(delivery)] == [done.posts]
    await here.settle(delivery, done)
    assert [one.posts for one in await here.network.find(delivery)] == [done.posts]


@everywhere
async def test_words_stand_in_the_thread_once_in_order_and_nothing_in_them_acts(here: Bench) -> None:
    await here.opens(HOSTILE, name=HOSTILE)
    for text in ("second", HOSTILE, "fourth"):
        await here.writes(text)
    await here.deliver_all()
    said = await here.outside.said(here.thread)
    words = (HOSTILE[:20], "second", HOSTILE[:20], "fourth")
    assert all(text in one for text, one in zip(words, said, strict=True))
    assert await here.outside.acts(here.thread) == []


@on_platforms
async def test_nothing_is_found_where_certainly_nothing_was_said(here: Bench) -> None:
    await here.opens()
    await here.writes("lost on its way there")
    here.platform.lose_request()
    await fails(here, Fault.AMBIGUOUS)
    assert await here.network.find(await here.next()) == []
    await here.deliver_all()
    assert len(await here.outside.said(here.thread)) == 2


@on_platforms
async def test_what_was_said_and_not_answered_is_found(here: Bench) -> None:
    await here.opens()
    await here.writes("lost on its way back")
    here.platform.lose_answer()
    await fails(here, Fault.AMBIGUOUS)
    delivery = await here.next()
    found = await here.network.find(delivery)
    assert len(found) == 1
    await here.settle(delivery, found[0])
    assert len(await here.outside.said(here.thread)) == 2


@on_platforms
async def test_the_later_of_two_posts_is_a_double_and_can_be_taken_back_again_and_again(here: Bench) -> None:
    await here.opens()
    await here.writes("twice")
    delivery = await here.next()
    first = await here.network.deliver(delivery)
    await here.settle(delivery, first)
    second = await here.post_again(delivery)
    assert [one.posts for one in await here.network.find(delivery)] == [first.posts, second.posts]
    for _ in range(2):
        await here.network.remove_double(delivery, second)
    assert [one.posts for one in await here.network.find(delivery)] == [first.posts]
    assert len(await here.outside.said(here.thread)) == 2


@everywhere
async def test_a_long_text_stands_whole_in_several_posts_which_are_changed_and_withdrawn_together(here: Bench) -> None:
    await here.opens()
    message = await here.writes("a" * 3_990 + " the end")
    (done,) = await here.deliver_all()
    count = len(done.posts)
    assert "the end" in (await here.outside.said(here.thread))[-1]
    assert sum(one.count("a") for one in (await here.outside.said(here.thread))[1:]) >= 3_990
    await here.customer(CustomerRevised(message, 1), "short")
    await here.deliver_all()
    assert "short" in (await here.outside.said(here.thread))[1]
    await here.customer(CustomerWithdrew(message))
    await here.deliver_all()
    assert not any("short" in one for one in await here.outside.said(here.thread))
    assert len(await here.outside.said(here.thread)) <= 1 + count


@everywhere
async def test_edits_and_withdrawals_may_be_delivered_again(here: Bench) -> None:
    await here.opens()
    message = await here.writes("first")
    await here.deliver_all()
    await here.customer(CustomerRevised(message, 1), "second")
    delivery = await here.next()
    for _ in range(2):
        done = await here.network.deliver(delivery)
    await here.settle(delivery, done)
    assert "second" in (await here.outside.said(here.thread))[1]
    assert "first" in (await here.outside.said(here.thread))[1], "operators go on seeing what they have read"
    await here.customer(CustomerWithdrew(message))
    delivery = await here.next()
    for _ in range(2):
        done = await here.network.deliver(delivery)
    await here.settle(delivery, done)
    assert not any("second" in one for one in await here.outside.said(here.thread))


@on_platforms
async def test_what_goes_out_as_one_is_found_revised_and_withdrawn_each_by_itself(here: Bench) -> None:
    await here.opens()
    one, two, _ = [await here.writes(text) for text in ("alpha", "beta", HOSTILE)]
    burst = await here.waiting()
    assert here.network.together(burst) == 3
    here.platform.lose_answer()
    with pytest.raises(DeliveryError):
        await here.network.deliver_together(burst)
    found = await here.network.find_together(burst)
    assert found == [await here.network.find(delivery) for delivery in burst]
    assert [len(each) for each in found] == [1, 1, 1]
    for delivery, (done,) in zip(burst, found, strict=True):
        await here.settle(delivery, done)
        assert await here.network.find(delivery) == [done]
    _, said = await here.outside.said(here.thread)
    assert "alpha" in said
    assert "beta" in said
    assert await here.outside.acts(here.thread) == []
    await here.customer(CustomerRevised(two, 1), "gamma")
    await here.customer(CustomerWithdrew(one))
    await here.deliver_all()
    _, said = await here.outside.said(here.thread)
    assert ("alpha" in said, "gamma" in said, HOSTILE[:20] in said) == (False, True, True)


@on_platforms
async def test_of_a_burst_that_turned_up_when_some_was_said_again_each_message_stays_once(here: Bench) -> None:
    await here.opens()
    words = ("alpha", "beta", "gamma")
    for text in words:
        await here.writes(text)
    burst = await here.waiting()
    await here.network.deliver_together(burst)
    await here.settle(burst[0], await here.post_again(burst[0]))
    for delivery in burst[1:]:
        found = await here.network.find(delivery)
        await here.settle(delivery, found[0] if found else await here.network.deliver(delivery))
    for delivery in burst:
        for double in (await here.network.find(delivery))[1:]:
            await here.network.remove_double(delivery, double)
    said = "\n".join(await here.outside.said(here.thread))
    assert [said.count(text) for text in words] == [1, 1, 1]


@everywhere
async def test_a_later_translation_stands_in_the_place_of_the_earlier_one(here: Bench) -> None:
    message = await here.writes("もしもし")
    for revision, text in enumerate(("hello?", "is anybody there?")):
        if revision:
            await here.customer(CustomerRevised(message, revision), "どなたか")
        made = MessageTranslated(message, revision, "en")
        await here.relay.from_bridge(here.session, made, InputKey(f"t{revision}"), body=Body((TextPart(text),)))
        await here.deliver_all()
    _, translation = await here.outside.said(here.thread)
    assert ("is anybody there?" in translation, "hello?" in translation) == (True, False)


@everywhere
async def test_a_note_of_another_face_looks_like_a_note_and_a_reply_like_a_reply(here: Bench) -> None:
    await here.opens()
    await here.does(OperatorReplied(MessageId("w:1"), KENJI), "I look into it")
    await here.does(OperatorNoted(MessageId("w:2"), KENJI), "a difficult one")
    await here.deliver_all()
    said = await here.outside.said(here.thread)
    (reply,), (note,) = ([one for one in said if words in one] for words in ("I look into it", "a difficult one"))
    assert ("Kenji" in reply, "note" in reply.lower()) == (True, False)
    assert ("Kenji" in note, "note" in note.lower()) == (True, True)
    assert await here.replies() == ["I look into it"]


# ------------------------------------------------------------------ what people do


@everywhere
async def test_an_operators_words_edits_and_deletions_are_the_customers_once_each(here: Bench) -> None:
    await here.opens()
    await until(here.listens)
    here.outside.twice()
    said = await here.outside.say(here.thread, "On Monday")
    await here.reads("On Monday")
    await here.settled()
    assert await here.replies() == ["On Monday"]
    await here.outside.edit(here.thread, said, "On Tuesday")
    await here.reads("On Tuesday")
    await here.outside.delete(here.thread, said)
    await here.reads("(withdrawn)")


@everywhere
async def test_a_note_never_becomes_a_reply_not_even_by_an_edit(here: Bench) -> None:
    await here.opens()
    await until(here.listens)
    note = await here.outside.note(here.thread, "a difficult one")
    await here.outside.say(here.thread, "Hello")
    await here.reads("Hello")
    await here.outside.edit(here.thread, note, "a difficult one")
    await here.settled()
    await here.outside.say(here.thread, "Are you there?")
    await here.reads("Hello", "Are you there?")


# ------------------------------------------------------------------ the card


@everywhere
async def test_the_card_is_drawn_anew_as_often_as_it_is_asked_for(here: Bench) -> None:
    await here.opens()
    code = (await here.stored()).session.code
    assert code in await here.outside.card(here.thread)
    await here.does(OperatorClaimed(KENJI))
    for _ in range(2):
        await here.network.refresh(await here.card())
    assert "Kenji" in await here.outside.card(here.thread)
    assert code in await here.outside.card(here.thread)


@everywhere
async def test_a_card_of_a_thread_that_is_not_there_yet_is_no_fault(here: Bench) -> None:
    await here.writes("hello")
    delivery = await here.next()
    await here.network.refresh(delivery)


# ------------------------------------------------------------------ faults


@on_platforms
async def test_who_is_busy_says_until_when_and_nothing_was_done(here: Bench) -> None:
    await here.opens()
    await here.writes("later")
    here.platform.be_busy(1)
    error = await fails(here, Fault.TRANSIENT)
    assert error.retry_after is not None
    assert error.retry_after > 0
    assert len(await here.outside.said(here.thread)) == 1


@on_platforms
async def test_what_a_person_has_to_mend_says_how(here: Bench) -> None:
    await here.opens()
    await here.writes("refused")
    here.platform.forbid()
    error = await fails(here, Fault.BLOCKED)
    assert error.mend
    assert error.of_place, "all that lives there waits, not this session alone"


@on_platforms
async def test_while_it_is_away_nothing_raises_but_a_delivery_error_and_readyz_says_so(here: Bench) -> None:
    await here.opens()
    assert here.network.ready() is None or not here.listens()
    await here.writes("waits")
    here.platform.go_away()
    for _ in range(3):
        with pytest.raises(DeliveryError) as caught:
            await here.network.deliver(await here.next())
        assert caught.value.fault in (Fault.TRANSIENT, Fault.AMBIGUOUS)
    assert "refused" not in (here.network.ready() or "")
    assert here.network.ready() is not None


@on_platforms
async def test_one_that_is_slow_holds_up_nobody_else(here: Bench) -> None:
    await here.opens()
    first = here.session
    await here.opens("another", customer="another")
    second = here.session
    await here.writes("hasty", customer="another")
    hasty = await here.next()
    here.session = first
    await here.writes("slow")
    slow = await here.next()
    is_on_its_way = here.platform.be_slow(60.0)
    late = asyncio.create_task(here.network.deliver(slow))
    await until(is_on_its_way)
    await here.network.deliver(hasty)
    assert not late.done()
    late.cancel()
    assert (slow.session.id, hasty.session.id) == (first, second)


@on_platforms
async def test_a_delivery_that_is_cut_off_leaves_nothing_behind_that_hinders_the_next(here: Bench) -> None:
    await here.opens()
    await here.writes("cut off")
    is_on_its_way = here.platform.be_slow(60.0)
    sending = asyncio.create_task(here.network.deliver(await here.next()))
    await until(is_on_its_way)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    await here.deliver_all()
    assert "cut off" in (await here.outside.said(here.thread))[-1]


# ------------------------------------------------------------------ the end


@on_platforms
async def test_stopping_waits_for_what_is_on_its_way_and_takes_nothing_new(here: Bench) -> None:
    await here.opens()
    await here.writes("the last one")
    delivery = await here.next()
    is_on_its_way = here.platform.be_slow(0.3)
    last = asyncio.create_task(here.network.deliver(delivery))
    await until(is_on_its_way)
    await here.network.stop()
    assert last.done()
    assert (await last).posts
    with pytest.raises(DeliveryError) as caught:
        await here.network.deliver(delivery)
    assert caught.value.fault is Fault.TRANSIENT


@in_each_place_and_at_the_desk
async def test_what_is_deleted_is_gone_with_its_card_and_may_be_deleted_again(here: Bench) -> None:
    await here.opens("a secret")
    before = await here.outside.everything(here.thread)
    assert ("a secret" in before, "Hanako" in before) == (True, True)
    await here.relay.from_bridge(here.session, ErasureOrdered(), InputKey("erase"))
    delivery = await here.next()
    done = [await here.network.deliver(delivery) for _ in range(2)]
    await here.settle(delivery, done[-1])
    after = await here.outside.everything(here.thread)
    assert ("a secret" in after, "Hanako" in after) == (False, False)


@everywhere
async def test_what_was_erased_meanwhile_is_not_posted(here: Bench) -> None:
    await here.opens()
    await here.writes("a secret")
    await here.store.erase(here.session)
    delivery = await here.next()
    assert isinstance(delivery.effect, PostMessage)
    assert delivery.body is None
    done = await here.network.deliver(delivery)
    assert done.posts == ()
    assert "a secret" not in await here.outside.everything(here.thread)


# ------------------------------------------------------------------ optional powers


@on_platforms
async def test_a_thread_has_an_address_and_typing_is_no_post(here: Bench) -> None:
    thread = await here.opens()
    assert isinstance(here.network, SupportsLinks)
    assert here.network.link(thread).startswith("http")
    assert isinstance(here.network, SupportsTyping)
    await here.network.show_typing(thread)
    assert len(await here.outside.said(thread)) == 1


@in_each_place
async def test_an_announcement_is_made_once_and_known_by_its_key(here: Bench) -> None:
    assert isinstance(here.network, SupportsAnnouncing)
    since = await here.store.now()
    assert not await here.network.announced(here.place, "shift/1", since)
    await here.network.announce(here.place, "shift/1", f"Good evening {HOSTILE}")
    assert await here.network.announced(here.place, "shift/1", since)
    assert not await here.network.announced(here.place, "shift/2", since)
    assert await here.outside.acts(here.thread) == []


@everywhere
async def test_it_looks_at_its_own_setup_before_and_after_it_is_started(
    request: pytest.FixtureRequest, engine_url: str, tmp_path: Path, here: Bench
) -> None:
    async with bench(here.name, engine_url, tmp_path / "unstarted", start=False) as unstarted:
        assert (unstarted.network.ready() is None) == (here.name == "console"), "readyz says that it is not started"
        for network in (unstarted.network, here.network):
            if isinstance(network, SupportsDoctor):
                found = await network.doctor()
                assert worst(found) != "fail", [one.what for one in found]
                assert all(one.mend for one in found if one.level != "ok")
