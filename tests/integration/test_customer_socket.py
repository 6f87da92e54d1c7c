"""The customer's socket on a real engine: what is promised to a page, and what bad input is answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import jwt
import pytest
from aiohttp.test_utils import make_mocked_request

from bridge.errors import StoreUnavailableError
from bridge.feed import Signal
from bridge.files import StoredFile
from bridge.messages import Body, FilePart, TextPart
from bridge.ports import Commit, CommitResult
from routing import inputs as i
from routing.ids import CustomerKey, InputKey, MessageId, SessionId
from routing.session import Presence
from tests.integration.customer_side import AIKO, NOW, Page, Process, alone, deaf_page, site_token, two_processes, until
from tests.unit.adapters.web.test_documents import required

PICTURE = FilePart("answer", "how.png", "image/png", 1_000, 640, 480)


class Shelf:
    """Two files: one of user-1's, one of somebody else's."""

    async def stat(self, file_id: str) -> StoredFile | None:
        owner = {"mine": "customer:main/user-1", "theirs": "customer:main/user-10"}.get(file_id)
        return StoredFile(file_id, owner, "a.png", "image/png", 5, 1, 1, "0", 0.0) if owner else None


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Process]:
    async with alone(tmp_path) as one:
        yield one


async def test_a_customer_writes_and_an_operator_answers(house: Process) -> None:
    async with house.page() as page:
        welcome = await page.greet()
        assert welcome["session"] is None
        assert welcome["customer"] == {"kind": "visitor", "name": None, "expires": None}
        ack = await page.write("hello")
        kinds = [frame["t"] for frame in page.heard]
        assert kinds == ["welcome", "session", "event", "ack"]
        for frame in page.heard[:2]:
            assert set(frame) == required(frame["t"])
        await house.reply(ack["session"], "good morning")
        joined, reply = await page.hear_of("event"), await page.hear_of("event")
    assert (joined["key"], joined["name"]) == ("joined", "Aiko Sato")
    assert reply["parts"] == [{"type": "text", "text": "good morning"}]
    assert [frame["pos"]["o"] for frame in (page.heard[2], ack, joined, reply)] == [1, 2, 3, 4]


async def test_a_page_that_comes_back_misses_nothing_and_hears_nothing_twice(house: Process) -> None:
    async with house.page() as page:
        token = (await page.greet())["token"]
        ack = await page.write("one")
    code = ack["session"]
    await house.reply(code, "two")
    async with house.page() as page:
        welcome = await page.greet(token=token, session=code, position=ack["pos"])
        assert welcome["resume"] == "complete"
        assert [event["pos"]["o"] for event in welcome["events"]] == [3, 4]
        assert welcome["token"] is None
        assert await page.nothing_more() == []
        await house.reply(code, "three")
        assert (await page.hear_of("event"))["pos"]["o"] == 5


@pytest.mark.parametrize("place", [{"e": "other", "o": 2, "t": "?"}, {"t": "0000"}, {"o": 99}, None])
async def test_a_position_that_is_not_of_this_history_is_answered_with_reset(
    house: Process, place: dict[str, object] | None
) -> None:
    async with house.page() as page:
        token = (await page.greet())["token"]
        ack = await page.write("one")
    position = {**ack["pos"], **place} if place is not None else None
    async with house.page() as page:
        welcome = await page.greet(token=token, session=ack["session"], position=position)
    assert welcome["resume"] == "reset"
    assert [event["pos"]["o"] for event in welcome["events"]] == [1, 2]


async def test_a_long_history_comes_in_pages_and_whole(house: Process) -> None:
    async with house.page() as page:
        token = (await page.greet())["token"]
        code = (await page.write("one"))["session"]
    for number in range(230):
        await house.reply(code, f"reply {number}")
    async with house.page() as page:
        welcome = await page.greet(token=token)
        assert [event["pos"]["o"] for event in welcome["events"]] == list(range(1, 234))
        assert [frame["t"] for frame in page.heard] == ["welcome", "events", "events"]


# ---------------------------------------------------------------------------------------------- durable


async def test_what_is_not_stored_is_not_acknowledged_and_may_be_sent_again(
    house: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dead(commit: Commit) -> None:
        raise StoreUnavailableError("the engine is gone")

    async with house.page() as page:
        await page.greet()
        with monkeypatch.context() as patch:
            patch.setattr(house.store, "commit", dead)
            await page.say("message", id="message-1", parts=[{"type": "text", "text": "are you there?"}])
            refused = await page.hear_of("refused")
        assert (refused["id"], refused["code"], refused["retry"]) == ("message-1", "not_stored", True)
        assert (await page.write("are you there?"))["id"] == "message-1"
        assert [frame["t"] for frame in page.heard].count("ack") == 1


async def test_an_answer_lost_after_the_commit_is_given_again_and_nothing_is_stored_twice(house: Process) -> None:
    async with house.page() as page:
        await page.greet()
        first = await page.write("once")
        again = await page.write("once")
    assert (again["id"], again["session"], again["pos"]) == (first["id"], first["session"], None)
    stored = await house.session(first["session"])
    assert stored.session.messages == 1


async def test_a_page_that_leaves_while_its_message_is_being_stored_has_sent_it(
    house: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on, commit = asyncio.Event(), asyncio.Event(), house.store.commit

    async def slow(one: Commit) -> CommitResult:
        begun.set()
        await go_on.wait()
        return await commit(one)

    monkeypatch.setattr(house.store, "commit", slow)
    async with house.page() as page:
        token = (await page.greet())["token"]
        await page.say("message", id="message-1", parts=[{"type": "text", "text": "bye"}])
        await begun.wait()
    go_on.set()
    await until(lambda: house.side.lobby.connections == 0)
    async with house.page() as page:
        events = (await page.greet(token=token))["events"]
    assert [event["kind"] for event in events] == ["notice", "message"]


async def test_a_page_cannot_be_welcomed_while_the_store_is_dead(
    house: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dead(customer: CustomerKey) -> None:
        raise StoreUnavailableError("the engine is gone")

    monkeypatch.setattr(house.store, "open_session", dead)
    async with house.page() as page:
        await page.say("hello", v=1)
        assert await page.closed() == 1013
    assert page.heard[-1]["code"] == "unavailable"
    assert page.heard[-1]["retry_after"] > 0


# ---------------------------------------------------------------------------------------------- tabs and processes


async def test_two_tabs_of_one_customer_see_the_same_in_the_same_order(house: Process) -> None:
    async with house.page() as one, house.page() as other:
        token = (await one.greet())["token"]
        await other.greet(token=token, locale="ja")
        ack = await one.write("from the first")
        assert [frame["t"] for frame in await other.nothing_more()] == ["session", "event", "event"]
        await other.write("from the second", 2)
        await house.reply(ack["session"], "to both")
        for page in (one, other):
            await page.hear_of("event")
            while page.heard[-1].get("from") != "operator":
                await page.hear_of("event")
        places = [[f["pos"]["o"] for f in page.heard if f["t"] in ("event", "ack")] for page in (one, other)]
        assert places == [[1, 2, 3, 4, 5], [1, 2, 3, 4, 5]]
        assert [page.heard[-1]["name"] for page in (one, other)] == ["Aiko Sato", "佐藤"]


async def test_a_lost_wake_up_from_another_process_is_noticed_with_the_next_heartbeat(tmp_path: Path) -> None:
    async with two_processes(tmp_path) as (here, there), here.page() as page:
        await page.greet()
        code = (await page.write("hello"))["session"]
        await there.reply(code, "from the other process")
        assert await page.nothing_more() == []
        await here.tick(26)
        assert [frame["t"] for frame in await page.nothing_more()] == ["beat", "event", "event"]
        assert page.heard[-2]["parts"][0]["text"] == "from the other process"


async def test_a_session_that_opened_elsewhere_unheard_is_noticed_with_the_next_heartbeat(tmp_path: Path) -> None:
    async with two_processes(tmp_path) as (here, there), here.page() as page, there.page() as elsewhere:
        token = (await page.greet())["token"]
        await elsewhere.greet(token=token)
        await elsewhere.write("first")
        await here.tick(26)
        assert [frame["t"] for frame in await page.nothing_more()] == ["beat", "session", "event", "event"]


async def test_a_tab_in_another_process_asks_again_who_it_is_after_a_login(tmp_path: Path) -> None:
    async with two_processes(tmp_path) as (here, there), here.page() as page, there.page() as tab:
        token = (await page.greet())["token"]
        await page.write("as a visitor")
        await tab.greet(token=token)
        await page.say("identify", jwt=site_token("user-1"))
        await page.hear_of("welcome")
        await there.tick(26)
        assert await tab.closed() == 1001


async def test_a_session_that_opened_in_another_process_is_shown_with_its_beginning(tmp_path: Path) -> None:
    async with two_processes(tmp_path) as (here, there), here.page() as page, there.page() as elsewhere:
        token = (await page.greet())["token"]
        await elsewhere.greet(token=token)
        ack = await elsewhere.write("first")
        here.feed.all_behind()
        await here.tick()
        assert [frame["t"] for frame in await page.nothing_more()] == ["session", "event", "event"]
        assert page.heard[-2]["id"] == "message-1"
        await elsewhere.say("end", id="the-end-1")
        await elsewhere.hear_of("ack")
        second = await elsewhere.write("second", 2)
        assert second["session"] != ack["session"]
        here.feed.all_behind()
        await here.tick()
        news = await page.nothing_more()
        assert [frame["t"] for frame in news] == ["event", "session", "event", "event"]
        assert news[0]["key"] == "closed"
        assert news[-1]["session"] == second["session"]


async def test_a_history_that_was_cut_starts_the_page_anew(house: Process) -> None:
    async with house.page() as page:
        token = (await page.greet())["token"]
        ack = await page.write("hello")
        await house.store._wire.call("x", "FLUSHALL")
        house.feed.all_behind()
        await house.tick()
        assert await page.nothing_more() == []  # nothing is known of it: nothing is said
    async with house.page() as page:
        welcome = await page.greet(token=token, session=ack["session"], position=ack["pos"])
    assert (welcome["session"], welcome["resume"]) == (None, "reset")


async def test_a_customer_has_a_bounded_number_of_pages(tmp_path: Path) -> None:
    async with (
        alone(tmp_path, limits={"connections_per_customer": 2}) as house,
        house.page() as first,
        house.page() as second,
        house.page() as third,
    ):
        token = (await first.greet())["token"]
        await second.greet(token=token)
        await third.greet(token=token)
        assert await first.closed() == 4429
        assert await second.nothing_more() == []
        assert await third.nothing_more() == []


# ---------------------------------------------------------------------------------------------- what nobody may see


async def test_a_note_reaches_no_frame_whatever_a_page_does(house: Process) -> None:
    canary = "CANARY-7f3a"
    pages: list[Page] = []
    async with house.page() as page, house.page() as other:
        pages += [page, other]
        token = (await page.greet())["token"]
        await other.greet(token=token)
        ack = await page.write("hello")
        code = ack["session"]
        await house.note(code, canary)
        await house.reply(code, "first answer")
        await house.note(code, canary)
        await house.signal(code, "reached", message="o:note-1")
        await house.act(code, i.OperatorHeld(AIKO, await house.store.now() + 60_000))
        house.feed.all_behind()
        await house.tick(26)
        await page.nothing_more()
        await other.nothing_more()
    for place in (None, ack["pos"]):
        async with house.page() as page:
            pages.append(page)
            await page.greet(token=token, session=code, position=place)
            await page.nothing_more()
    everything = "".join(text for page in pages for text in page.raw)
    assert "first answer" in everything
    for secret in (canary, "note", AIKO, "C0SECRET", "console", '"first"'):
        assert secret not in everything


async def test_words_that_were_changed_or_taken_back_are_in_no_later_history(house: Process) -> None:
    async with house.page() as page:
        token = (await page.greet())["token"]
        code = (await page.write("hello"))["session"]
        changed, taken = await house.reply(code, "my pasword is hunter2"), await house.reply(code, "wrong window")
        event = i.OperatorRevised(changed, AIKO, 1)
        await house.act(code, event, Body((TextPart("please wait"),)))
        await house.act(code, i.OperatorWithdrew(taken, AIKO))
        live = await page.nothing_more()
    assert [(frame["rev"], frame["withdrawn"]) for frame in live[-2:]] == [(1, False), (0, True)]
    assert live[-2]["id"] == live[-4]["id"]
    async with house.page() as page:
        events = (await page.greet(token=token))["events"]
    assert "hunter2" not in page.raw[0]
    assert "wrong window" not in page.raw[0]
    assert events[3]["parts"] == [{"type": "text", "text": "please wait"}]


async def test_erased_words_are_gone_from_the_history(house: Process) -> None:
    async with house.page() as page:
        token = (await page.greet())["token"]
        code = (await page.write("a secret of mine"))["session"]
    session = (await house.session(code)).session.id
    await house.relay.from_bridge(session, i.ErasureOrdered(), InputKey("erase/1"))
    await house.store.erase(session)
    async with house.page() as page:
        events = (await page.greet(token=token))["events"]
    assert "a secret of mine" not in page.raw[0]
    assert [event["parts"] for event in events if event["kind"] == "message"] == [None]


# ---------------------------------------------------------------------------------------------- sessions


async def test_a_message_to_a_closed_session_opens_a_new_one_and_says_so(house: Process) -> None:
    async with house.page() as page:
        await page.greet()
        first = await page.write("one")
        await page.say("end", id="the-end-1")
        ended = await page.hear_of("ack")
        assert (ended["id"], ended["pos"]) == ("the-end-1", None)
        second = await page.write("two", 2)
        assert second["session"] != first["session"]
        opened = next(frame for frame in page.heard if frame["t"] == "session" and frame is not page.heard[1])
        assert opened["session"]["code"] == second["session"]
        assert second["pos"]["o"] == 2
        assert second["after"]["state"] == "queued"


async def test_did_this_solve_it(house: Process) -> None:
    async with house.page() as page:
        await page.greet()
        code = (await page.write("one"))["session"]
        await page.say("answer", id="too-early", solved=True)
        refused = await page.hear_of("refused")
        assert (refused["id"], refused["code"], refused["retry"]) == ("too-early", "not_resolved", False)
        await house.act(code, i.OperatorResolved(AIKO))
        while (await page.hear_of("event"))["after"]["state"] != "resolved":
            pass
        await page.say("answer", id="not-yet-1", solved=False)
        assert (await page.hear_of("event"))["key"] == "reopened"
        assert (await page.hear_of("ack"))["id"] == "not-yet-1"


async def test_topic_and_language_open_the_session_and_an_unknown_topic_does_no_harm(house: Process) -> None:
    async with house.page() as one, house.page() as other:
        await one.greet(locale="zh-TW")
        await one.write("hello", topic="trading", language="ja")
        await other.greet(locale="zh-TW")
        await other.write("hello", topic="no-such-topic")
        first, second = (
            next(frame["session"] for frame in page.heard if frame["t"] == "session") for page in (one, other)
        )
    assert (first["topic"], first["language"]) == ("trading", "ja")
    assert (second["topic"], second["language"]) == ("", "zh-Hant")


# ---------------------------------------------------------------------------------------------- signals


async def test_typing_goes_both_ways_and_is_not_echoed(house: Process) -> None:
    seen: list[Signal] = []

    class Desk:
        def changed(self, session: SessionId, head: int) -> None: ...
        def signalled(self, signal: Signal) -> None:
            seen.append(signal)

    house.feed.watch(Desk())
    async with house.page() as page:
        await page.greet()
        await page.say("typing")  # without a session there is nobody to tell
        code = (await page.write("one"))["session"]
        await page.say("typing")
        await page.say("typing")  # too soon: dropped
        assert await page.nothing_more() == []
        assert [signal.kind for signal in seen] == ["typing"]
        await house.signal(code, "typing", operator=AIKO)
        assert await page.hear_of("typing") == {"t": "typing", "name": "Aiko Sato", "initials": "AS"}
        await house.signal(code, "reached", message="c:message-1")
        assert await page.hear_of("reached") == {"t": "reached", "message": "message-1"}


async def test_what_the_page_received_is_recorded_for_the_newest_reply_only(house: Process) -> None:
    async with house.page() as page:
        await page.greet()
        code = (await page.write("one"))["session"]
        await house.reply(code, "old")
        await house.reply(code, "new")
        replies = [frame for frame in await page.nothing_more() if frame["kind"] == "message"]
        await page.say("received", message=replies[0]["id"], seen=True)
        await page.nothing_more()
        assert (await house.session(code)).session.reached is None
        await page.say("received", message=replies[1]["id"])
        await page.nothing_more()
        assert (await house.session(code)).session.reached == MessageId("s:C0SECRET:2")
        assert (await house.session(code)).session.seen is None
        await page.say("received", message=replies[1]["id"], seen=True)
        await page.nothing_more()
        assert (await house.session(code)).session.seen == MessageId("s:C0SECRET:2")


async def test_a_connected_page_keeps_its_session_present(house: Process) -> None:
    async with house.page() as page:
        token = (await page.greet())["token"]
        code = (await page.write("one"))["session"]
        await house.tick()
        session = (await house.session(code)).session
        for partition in range(house.store.partitions):
            assert session.id not in await house.store.absent(partition, session.last_at - 1)
        await house.relay.from_customer(session.customer, i.CustomerLeft(), InputKey("left/1"))
        await house.tick(26)
        assert (await house.session(code)).session.presence is Presence.HERE
        await house.relay.from_customer(session.customer, i.CustomerLeft(), InputKey("left/2"))
    async with house.page() as page:
        await page.greet(token=token)
        await page.nothing_more()
        assert (await house.session(code)).session.presence is Presence.HERE


async def test_beats_come_every_25_seconds_and_who_never_answers_is_cut(house: Process) -> None:
    async with house.page() as quiet, house.page() as alive:
        await quiet.greet()
        await alive.greet()
        for _ in range(4):
            await house.tick(25)
            assert (await alive.hear_of("beat"))["o"] == 0
            await alive.say("beat")
            await alive.nothing_more()
        assert await quiet.closed() == 4408
        assert [frame["t"] for frame in quiet.heard] == ["welcome", "beat", "beat", "beat", "bye"]


# ---------------------------------------------------------------------------------------------- who it is


async def test_a_logged_in_customer_is_known_by_the_sites_token(house: Process) -> None:
    async with house.page() as page:
        welcome = await page.greet(jwt=site_token("user-1", name="Yamada"))
        expires = int((NOW + 600) * 1000)
        assert welcome["customer"] == {"kind": "account", "name": "Yamada", "expires": expires}
        assert welcome["token"] is None
        ack = await page.write("hello")
    session = (await house.session(ack["session"])).session
    assert (session.customer, session.verified) == (CustomerKey("main", "user-1"), True)
    assert (await house.store.about(session.id)).name == "Yamada"
    async with house.page() as page:
        assert (await page.greet(jwt=site_token("user-1")))["session"]["code"] == ack["session"]
    async with house.page() as page:
        assert (await page.greet(jwt=site_token("user-2")))["session"] is None


@pytest.mark.parametrize(
    ("token", "code"),
    [
        (site_token("user-1", lifetime=-60), "expired"),
        (site_token("user-1", lifetime=7200), "token_refused"),
        (site_token("user-1", aud="another"), "token_refused"),
        (site_token("~guest"), "token_refused"),
        (jwt.encode({"sub": "user-1", "aud": "kakehashi", "exp": NOW + 60}, "x" * 40, "HS256"), "token_refused"),
        (jwt.encode({"sub": "user-1", "aud": "kakehashi", "exp": NOW + 60}, "", "none"), "token_refused"),
        ("not.a.token", "token_refused"),
    ],
)
async def test_a_token_that_proves_nothing_lets_nobody_in(house: Process, token: str, code: str) -> None:
    async with house.page() as page:
        await page.say("hello", v=1, jwt=token)
        assert await page.closed() == 4401
    assert [frame["code"] for frame in page.heard] == [code]


@pytest.mark.parametrize("spoil", [lambda token: token[:-2], lambda token: "A" + token, lambda token: "x.y.z"])
async def test_a_forged_visitor_token_is_a_new_visitor(house: Process, spoil: Callable[[str], str]) -> None:
    async with house.page() as page:
        token = (await page.greet())["token"]
        await page.write("mine")
    async with house.page() as page:
        welcome = await page.greet(token=spoil(token))
    assert welcome["session"] is None
    assert welcome["token"] not in (None, token)


async def test_logging_in_mid_chat_takes_the_visitors_own_session_along(house: Process) -> None:
    async with house.page() as page, house.page() as tab:
        token = (await page.greet())["token"]
        await tab.greet(token=token)
        ack = await page.write("hello")
        await page.say("identify", jwt=site_token("user-1"), session=ack["session"], position=ack["pos"])
        welcome = await page.hear_of("welcome")
        assert (welcome["customer"]["kind"], welcome["resume"]) == ("account", "complete")
        assert [event["key"] for event in welcome["events"]] == ["linked"]
        assert await tab.closed() == 1001  # the other tab asks again who it is
        await house.reply(ack["session"], "welcome, user-1")
        assert (await page.hear_of("event"))["key"] == "joined"
        assert (await page.hear_of("event"))["parts"][0]["text"] == "welcome, user-1"
    async with house.page() as page:
        assert (await page.greet(token=token))["session"] is None
    async with house.page() as page:
        assert (await page.greet(jwt=site_token("user-1")))["session"]["code"] == ack["session"]


async def test_a_session_that_was_taken_along_ends_and_the_next_one_opens(house: Process) -> None:
    async with house.page() as page:
        await page.greet()
        first = await page.write("as a visitor")
        await page.say("identify", jwt=site_token("user-1"))
        await page.hear_of("welcome")
        await page.write("as an account", 2)
        await page.say("end", id="the-end-1")
        await page.hear_of("ack")
        second = await page.write("again", 3)
        assert second["session"] != first["session"]


async def test_logging_in_never_takes_from_an_open_session_of_the_account_or_of_another_visitor(house: Process) -> None:
    async with house.page() as page:
        await page.greet(jwt=site_token("user-1"))
        mine = await page.write("the account's")
    async with house.page() as visitor, house.page() as stranger:
        token = (await visitor.greet())["token"]
        await stranger.greet()
        theirs = await visitor.write("the visitor's")
        await visitor.say("identify", jwt=site_token("user-1"))
        assert (await visitor.hear_of("welcome"))["session"]["code"] == mine["session"]
        await stranger.say("identify", jwt=site_token("user-2"))
        assert (await stranger.hear_of("welcome"))["session"] is None
    async with house.page() as page:
        assert (await page.greet(token=token))["session"]["code"] == theirs["session"]
    async with house.page() as page:
        # Another person on this browser: the first account's session is not theirs to take along.
        assert (await page.greet(token=token, jwt=site_token("user-3")))["session"]["code"] == theirs["session"]
    async with house.page() as page:
        assert (await page.greet(token=token, jwt=site_token("user-4")))["session"] is None


async def test_only_one_account_at_a_time(house: Process) -> None:
    async with house.page() as page:
        await page.greet(jwt=site_token("user-1"))
        for frame in ("identify", "refresh"):
            await page.say(frame, jwt=site_token("user-2"))
            assert (await page.hear_of("refused"))["code"] == "other_account"
        await page.say("refresh", jwt=site_token("user-1", lifetime=890))
        assert (await page.hear_of("refreshed"))["expires"] == int((NOW + 890) * 1000)
        house.clocks.advance(700)
        assert await page.nothing_more() == []
        house.clocks.advance(300)
        await page.say("typing")
        assert await page.closed() == 4401
    assert page.heard[-1]["code"] == "expired"


async def test_logout_revokes_the_token_and_cuts_its_pages(house: Process) -> None:
    async with house.page() as page, house.page() as tab:
        token = (await page.greet())["token"]
        upload = (await tab.greet(token=token))["upload_token"]
        await page.write("private")
        await page.say("logout")
        assert await page.closed() == 4410
        assert await tab.closed() == 4410
    async with house.page() as page:
        welcome = await page.greet(token=token)
        assert welcome["session"] is None
        assert welcome["token"] not in (None, token)
    request = make_mocked_request("POST", "/", headers={"Authorization": f"Bearer {upload}"})
    assert await house.side.upload_owner(request) is None


async def test_an_upload_token_names_its_customer_and_nothing_else_does(house: Process) -> None:
    async with house.page() as page:
        welcome = await page.greet(jwt=site_token("user-1"))
    good, bad = welcome["upload_token"], welcome["upload_token"][:-1]
    for value, owner in ((f"Bearer {good}", "customer:main/user-1"), (f"Bearer {bad}", None), (good, None), ("", None)):
        request = make_mocked_request("POST", "/", headers={"Authorization": value})
        assert await house.side.upload_owner(request) == owner
    house.clocks.advance(601)
    request = make_mocked_request("POST", "/", headers={"Authorization": f"Bearer {good}"})
    assert await house.side.upload_owner(request) is None


# ---------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize("origin", ["https://evil.example", "https://shop.example.evil.example", "null", None])
async def test_pages_of_other_origins_are_refused(house: Process, origin: str | None) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with house.page(origin):
            raise AssertionError("it was let in")
    assert refused.value.status == 403


async def test_our_own_pages_are_always_let_in(house: Process) -> None:
    async with house.page("http://localhost:8787") as page:
        await page.greet()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "not_json"),
        ("[" * 5_000, "not_json"),
        ('{"t":"ping","n":NaN}', "not_json"),
        ("[1]", "not_an_object"),
        ('{"t":"shout"}', "unknown_type"),
        ('{"t":["message"]}', "unknown_type"),
        ('{"t":"message","id":"message-1","parts":"hello"}', "wrong_type"),
        ('{"t":"message","id":"message-1","parts":[{"type":"text","text":5}]}', "wrong_type"),
        ('{"t":"message","id":7,"parts":[]}', "wrong_type"),
        ('{"t":"message","id":"short","parts":[]}', "bad_id"),
        ('{"t":"message","id":"message-1","parts":[]}', "empty"),
        ('{"t":"message","id":"message-1","parts":[{"type":"text","text":" \\n "}]}', "empty"),
        ('{"t":"message","id":"message-1","parts":[{"type":"text","text":"a\\u0000b"}]}', "control_characters"),
        ('{"t":"message","id":"message-1","parts":[{"type":"text","text":"\\ud800"}]}', "lone_surrogates"),
        ('{"t":"message","id":"message-1","parts":[{"type":"file","file":"nobodys-file"}]}', "unknown_file"),
        ('{"t":"answer","id":"message-1","solved":1}', "wrong_type"),
        ('{"t":"ping","n":-1}', "out_of_range"),
        ('{"t":"hello","v":1}', "hello_repeated"),
    ],
)
async def test_bad_input_is_answered_with_its_code_and_the_page_goes_on(house: Process, text: str, code: str) -> None:
    async with house.page() as page:
        await page.greet()
        await page.socket.send_str(text)
        refused = await page.hear_of("refused")
        assert (refused["code"], refused["retry"]) == (code, False)
        assert (await page.write("still here", 2))["id"] == "message-2"


async def test_a_message_of_ten_thousand_characters_is_refused_by_its_id(house: Process) -> None:
    async with house.page() as page:
        await page.greet()
        await page.say("message", id="message-1", parts=[{"type": "text", "text": "x" * 10_000}])
        refused = await page.hear_of("refused")
        assert (refused["id"], refused["code"]) == ("message-1", "too_long")
        await page.say("message", id="message-2", parts=[{"type": "text", "text": "界" * 10_000}])
        refused = await page.hear_of("refused")
        assert (refused["id"], refused["code"]) == ("message-2", "frame_too_large")
        await page.write("😀" * 4_000, 3)
        await page.say("message", id="message-4", parts=[{"type": "text", "text": "x" * 100_000}])
        assert await page.closed() == 1009


async def test_bytes_are_no_frames(house: Process) -> None:
    async with house.page() as page:
        await page.greet()
        await page.socket.send_bytes(b"{}")
        assert await page.closed() == 1003


@pytest.mark.parametrize(
    ("first", "code"),
    [
        ('{"t":"typing"}', 4400),
        ("nonsense", 4400),
        ('{"t":"hello","v":"1"}', 4400),
        ('{"t":"hello","v":1,"token":5}', 4400),
        ('{"t":"hello","v":2}', 4426),
    ],
)
async def test_who_does_not_begin_with_hello_is_shown_out(house: Process, first: str, code: int) -> None:
    async with house.page() as page:
        await page.socket.send_str(first)
        assert await page.closed() == code


async def test_hello_has_a_deadline(house: Process) -> None:
    async with house.page() as late, house.page() as known:
        await known.greet()
        await house.tick(10)
        assert await late.closed() == 4408
        assert late.heard[-1]["code"] == "hello_late"
        assert await known.nothing_more() == []


async def test_whoever_says_too_much_is_told_when_to_go_on_and_then_shown_out(tmp_path: Path) -> None:
    limits = {"messages_per_minute": 2, "frames_per_second": 1, "frames_burst": 8}
    async with alone(tmp_path, limits=limits) as house, house.page() as page:
        await page.greet()
        await page.write("1", 1)
        await page.write("2", 2)
        await page.say("message", id="message-3", parts=[{"type": "text", "text": "3"}])
        refused = await page.hear_of("refused")
        assert (refused["id"], refused["code"], refused["retry"], refused["after"]) == ("message-3", "rate", True, 30.0)
        house.clocks.advance(30)
        await page.write("3", 3)
        for number in range(200):
            await page.say("ping", n=number)
        assert await page.closed() == 4429


async def test_text_arrives_byte_for_byte_both_ways(house: Process) -> None:
    texts = [
        "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
        "0x52908400098527886E0F7030069857D2E4169EE7",
        "1,234.50 USD -- (c) ... http://a.example/?q=1&r=%20",
        "  spaces \t and\n\nlines  ",
        "e\u0301 \u00e9 \ufb01 \u212b \u1e9b\u0323",  # never normalised
        "\u202eevil\u202c \u200f\u200e\u2066x\u2069",  # right-to-left and isolates
        "👩‍👩‍👧‍👦🏳️‍🌈\ufe0f\u200d",
        "ｱｲｳ １２３ ヷ が か\u3099",
        "<b>*bold*</b> `code` <!channel> &amp; :smile:",
        "\u2028\u2029\ufeff\ufffd\U0010ffff",
    ]
    async with house.page() as page, house.page() as tab:
        token = (await page.greet())["token"]
        await tab.greet(token=token)
        for number, text in enumerate(texts, 10):
            code = (await page.write(text, number))["session"]
            await house.reply(code, text)
        heard = [f for f in await tab.nothing_more() if f.get("kind") == "message"]
        assert [frame["parts"][0]["text"] for frame in heard] == [text for text in texts for _ in range(2)]
    async with house.page() as page:
        events = (await page.greet(token=token))["events"]
    told = [event["parts"][0]["text"] for event in events if event["kind"] == "message"]
    assert told == [text for text in texts for _ in range(2)]


# ---------------------------------------------------------------------------------------------- files


async def test_a_file_of_ones_own_is_sent_and_anybody_elses_is_unknown(tmp_path: Path) -> None:
    async with alone(tmp_path, files=Shelf()) as house, house.page() as page:
        await page.greet(jwt=site_token("user-1"))
        for number, forged in enumerate(("theirs", "missing", "../etc"), 1):
            await page.say("message", id=f"message-{number}", parts=[{"type": "file", "file": forged}])
            assert (await page.hear_of("refused"))["code"] == "unknown_file"
        own = {"id": "message-9", "parts": [{"type": "text", "text": "see"}, {"type": "file", "file": "mine"}]}
        await page.say("message", **own)
        stored = await page.hear_of("ack")
        await page.say("message", **own)
        assert (await page.hear_of("ack"))["files"] is None, "its place and its links were told before"
        assert (await page.write("without files", 10))["files"] is None
        code = stored["session"]
        await house.act(code, i.OperatorReplied(MessageId("s:1"), AIKO), Body((PICTURE,)))
        part = [f for f in await page.nothing_more() if f.get("kind") == "message"][-1]["parts"][0]
    assert stored["files"] == {"mine": "https://files.example/mine?for=customer:main/user-1"}
    assert part["url"] == "https://files.example/answer?for=customer:main/user-1"
    assert (part["name"], part["media"], part["width"]) == ("how.png", "image/png", 640)


async def test_who_is_blocked_is_refused_for_good_by_a_code_that_says_nothing_of_it(house: Process) -> None:
    async with house.page() as page:
        await page.greet()
        code = (await page.write("hello"))["session"]
        await house.act(code, i.OperatorBlocked(AIKO, i.FOR_GOOD))
        await page.hear_of("event")
        await page.say("message", id="message-2", parts=[{"type": "text", "text": "let me in"}])
        refused = await page.hear_of("refused")
        assert (refused["code"], refused["retry"], refused["after"]) == ("not_taken_here", False, None)
        assert not [one for one in page.raw if "block" in one or "spam" in one]


# ---------------------------------------------------------------------------------------------- the end


async def test_a_page_that_does_not_read_is_cut_and_the_others_hear_on(tmp_path: Path) -> None:
    async with alone(tmp_path, limits={"backlog": 32 * 1024}) as house, house.page() as page:
        token = (await page.greet())["token"]
        code = (await page.write("hello"))["session"]
        _, writer = await deaf_page(house.url, token)
        audience = house.side.lobby.audience((await house.session(code)).session.customer)
        assert audience is not None
        await until(lambda: len(audience.connections) == 2)
        deaf = audience.connections[1]
        await until(lambda: deaf.live)
        while not deaf.leaving:  # the kernel takes some MiB before anything waits with us
            deaf.write(b'{"t":"event"' + b" " * 60_000 + b"}")
            await asyncio.sleep(0)
        assert deaf.outlet.backlog() < 32 * 1024 + 61_000
        await house.reply(code, "you hear this")
        assert [frame["kind"] for frame in await page.nothing_more()] == ["notice", "message"]
        await house.tick(6)
        await until(lambda: house.side.lobby.connections == 1)
        writer.close()


async def test_a_process_that_stops_says_when_to_come_back(tmp_path: Path) -> None:
    async with alone(tmp_path) as house, house.page() as page, house.page() as stranger:
        await page.greet()
        house.side.lobby.say_goodbye()
        assert await page.closed() == 1001
        assert await stranger.closed() == 1001
        bye = page.heard[-1]
        assert bye["code"] == "restarting"
        assert 0 < bye["retry_after"] <= 5


async def test_connections_are_bounded(tmp_path: Path) -> None:
    async with alone(tmp_path, max_connections=1) as house, house.page() as page:
        await page.greet()
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with house.page():
                raise AssertionError("it was let in")
        assert refused.value.status == 503
        assert refused.value.headers is not None
        assert int(refused.value.headers["Retry-After"]) > 0
