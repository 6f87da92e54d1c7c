"""Slack is away, or we are: sessions go on, nothing is retried blindly, and in the end the thread and the customer have
everything, once, and in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import pytest

from adapters.slack import network
from adapters.slack.inward import backfill
from adapters.slack.inward.backfill import MANY, UNHEARD
from adapters.slack.places.history import History, Thread
from adapters.slack.refs import Post, Root
from bridge.messages import Body, TextPart
from bridge.networks import hearing
from bridge.relay import Receipt
from bridge.takeovers import SPACE
from routing.facts import CustomerMessageAdded, ReactionAdded, ReactionRemoved
from routing.ids import CustomerKey, InputKey, MessageId, OperatorId, SessionId
from routing.inputs import OperatorClaimed, OperatorReplied
from tests.integration.slack_house import CUSTOMER, SLACK, House, house
from tests.simulators.slack import Fault, Person, SlackSimulator
from tests.unit.adapters.files.samples import png

SOON = 1_500
"""ms until the built-in desk takes over."""

CALM = 0.5
"""Seconds between pings: an outage must not begin by itself on a machine that is busy with other tests."""

AIKO = OperatorId("aiko")

ALONE = {"alone": lambda: True}
"""A process that knows that nobody else was there has missed something however short it was away."""


@pytest.fixture
async def here(engine_url: str, tmp_path: Path, slack: SlackSimulator) -> AsyncIterator[House]:
    async with house(engine_url, tmp_path, slack, takeover_after=SOON, ping=CALM) as one:
        yield one


async def desk_says(here: House, session: SessionId, text: str) -> None:
    event = OperatorReplied(MessageId(f"o:{text}"), AIKO)
    answer = await here.relay.from_operator(session, event, InputKey(f"desk/{text}"), body=Body((TextPart(text),)))
    assert isinstance(answer, Receipt)


async def taken_over(here: House, customer: CustomerKey = CUSTOMER) -> bool:
    return (await here.session(customer)).session.taken_over is not None


async def handed_back(here: House) -> bool:
    return not await taken_over(here)


async def calm(here: House) -> int:
    """How long the thread is when nothing is on its way: a slow machine may have seemed an outage at the start."""
    await here.thread(1)

    async def nothing_waits() -> bool:
        session = (await here.session()).session
        return session.taken_over is None and await here.store.lane_states(session.id, SLACK) is None

    await here.until(nothing_waits)
    return len(await here.thread(1))


def is_deaf(slack: SlackSimulator) -> Callable[[], bool]:
    return lambda: not slack.sockets.connections


async def hears_again(here: House) -> None:
    await here.slack.until(lambda: here.network.ready() is None)

    async def all_is_read_back() -> bool:
        return not await here.store.shelf("slack-gap")

    await here.until(all_is_read_back)


# ------------------------------------------------------------------ Slack is away


@pytest.mark.parametrize("fault", [Fault.LOSE_REQUEST, Fault.BAD_GATEWAY, Fault.HANG])
async def test_while_slack_is_down_the_desk_takes_over_and_the_thread_shows_it_all_in_order_afterwards(
    here: House, fault: Fault
) -> None:
    session = (await here.writes("first")).stored.session.id
    before = await calm(here)
    here.slack.go_down(fault, seconds=0.5)
    await here.writes("is anybody there?")
    await here.until(lambda: taken_over(here))
    assert here.takeovers.late(SLACK).age >= SOON
    assert list(await here.store.shelf(SPACE)) == [f"{SPACE}/slack/{session}"]
    await desk_says(here, session, "I am here")
    await here.writes("good")
    assert await here.replies_seen() == ["I am here"]
    await here.slack.until(lambda: here.network.ready() is not None)
    here.slack.come_back()
    await here.until(lambda: handed_back(here))
    await here.lanes_are_empty()
    said = [line for line in (await here.thread(before + 5))[before:] if "is yours now" not in line]
    assert [line.splitlines()[-1].split(" since ")[0] for line in said] == [
        "is anybody there?",
        "No answer from here",
        "I am here",
        "good",
        "This thread has caught up. Please go on here.",
    ]
    assert not await here.store.shelf(SPACE)
    await here.slack.until(lambda: here.network.ready() is None)


async def test_after_an_hour_without_slack_every_thread_has_everything_in_order_and_what_was_written_there_arrives(
    here: House, kenji: Person
) -> None:
    """Slack has given up telling us by then, so what people wrote there is read back."""
    slack = here.slack
    customers = [CustomerKey("main", f"~v{number}") for number in range(4)]
    answered, at_desk = customers[0], customers[1:]
    for customer in customers:
        await here.writes("hello", customer=customer)
    for customer in customers:
        await here.lanes_are_empty(customer)
    roots = {customer: await thread_of(here, customer) for customer in customers}
    kenji.say(here.desk, "before", thread_ts=roots[answered])
    await here.settled()
    for customer in customers:
        await here.lanes_are_empty(customer)
    slack.go_down()
    await slack.until(is_deaf(slack))
    for words in ("one", "two"):
        for customer in customers:
            await here.writes(words, customer=customer)
    for customer in customers:
        await here.until(partial(taken_over, here, customer))
    for customer in at_desk:
        await desk_says(here, (await here.session(customer)).session.id, f"at the desk {customer.account}")
    kenji.say(here.desk, "meanwhile", thread_ts=roots[answered])
    await slack.events.settled(leap=True)
    slack.clock.advance(3_600 - slack.clock.now())
    assert [one.state for one in slack.events.deliveries if one.event.get("user") == kenji.id][-1] == "lost"
    known = len(slack.calls)
    slack.come_back()
    for customer in customers:
        await here.until(partial(is_handed_back, here, customer))
        await here.lanes_are_empty(customer)
    await hears_again(here)
    assert len(slack.calls) - known <= 20 * len(customers), "each call once, and a look for what was perhaps sent"
    for customer in customers:
        said = words_in(slack, here, roots[customer])
        replied = [f"at the desk {customer.account}"] if customer in at_desk else []
        wanted = ["hello", *([] if replied else ["before", "meanwhile"]), "one", "two", SILENT, *replied, CAUGHT_UP]
        assert sorted(said) == sorted(wanted)
        assert [one for one in said if one != "meanwhile"] == [one for one in wanted if one != "meanwhile"]
    resumed = [line for line in await here.customer_sees(answered) if not line.startswith("<")]
    assert resumed == ["hello", "before", "one", "two", "meanwhile"]


SILENT, CAUGHT_UP = "No answer from here", "This thread has caught up"


def words_in(slack: SlackSimulator, here: House, ts: str) -> list[str]:
    """What was said in a thread, also several in one post, and the two lines of an outage."""
    lines = [line for post in slack.thread(here.desk, ts) for line in post.splitlines()]
    known = ("hello", "before", "one", "two", "meanwhile", "at the desk", SILENT, CAUGHT_UP)
    found = [line if line.startswith("at") else line[: len(SILENT)] for line in lines if line.startswith(known)]
    return [CAUGHT_UP if line == CAUGHT_UP[: len(SILENT)] else line for line in found]


async def thread_of(here: House, customer: CustomerKey) -> str:
    session = (await here.session(customer)).session
    return Root.of((await here.store.threads(session.id))[session.mirror.number]).ts


async def is_handed_back(here: House, customer: CustomerKey) -> bool:
    return not await taken_over(here, customer)


async def test_an_outage_costs_few_calls_however_many_sessions_wait(here: House) -> None:
    for number in range(12):
        await here.writes("hello", customer=CustomerKey("main", f"~v{number}"))
    await here.slack.until(lambda: len(here.slack.roots(here.desk)) == 12)
    here.slack.go_down()
    for number in range(12):
        await here.writes("still there?", customer=CustomerKey("main", f"~v{number}"))
    await here.slack.until(lambda: "Slack has taken nothing" in (here.network.ready() or ""))
    before = len(here.slack.calls)
    await asyncio.sleep(1.0)  # a duration on purpose: how much happens in it is what this is about
    assert len(here.slack.calls) - before <= 25  # without the pulse each lane tries some fifteen times
    here.slack.come_back()
    for root in here.slack.roots(here.desk):
        await here.slack.until(lambda ts=root.ts: len(here.slack.replies(here.desk, ts)) >= 2)  # type: ignore[misc]


async def test_who_took_the_session_in_slack_keeps_it_from_nobody_at_the_desk(here: House, kenji: Person) -> None:
    session = (await here.writes("first")).stored.session.id
    root = await here.root()
    kenji.say(here.desk, "hello", thread_ts=root.ts)
    await here.settled()
    here.slack.go_down()
    await here.writes("and now?")
    await here.until(lambda: taken_over(here))
    claimed = await here.relay.from_operator(session, OperatorClaimed(AIKO), InputKey("desk/claim"))
    assert isinstance(claimed, Receipt)
    assert claimed.stored.session.assignee == AIKO
    here.slack.come_back()
    await here.until(lambda: handed_back(here))


async def test_an_archived_channel_is_taken_over_and_said_with_its_mend_while_others_go_on(
    engine_url: str, tmp_path: Path, slack: SlackSimulator, kenji: Person
) -> None:
    async with house(engine_url, tmp_path, slack, takeover_after=SOON, ping=CALM) as here:
        session = (await here.writes("first")).stored.session.id
        await here.thread(1)
        kenji.archive(here.desk)
        await here.writes("second")
        await here.until(lambda: taken_over(here))
        state = await here.store.lane_states(session, SLACK)
        assert state is not None
        assert state.error == "is_archived"
        assert here.network.ready() is None  # it is one channel's trouble, and not Slack's
        kenji.unarchive(here.desk)
        await here.until(lambda: handed_back(here))
        assert (await here.thread(4))[:2] == ["Hanako\nfirst", "Hanako\nsecond"]


async def test_a_revoked_token_is_said_with_its_mend_and_not_asked_again_and_again(here: House) -> None:
    await here.writes("first")
    await here.thread(1)
    here.slack.workspace.app.revoked = True
    await here.writes("second")
    await here.slack.until(lambda: "restart" in (here.network.ready() or ""))
    assert "token" in (here.network.ready() or "")
    here.slack.workspace.app.revoked = False
    assert await here.thread(2) == ["Hanako\nfirst", "Hanako\nsecond"]


async def test_what_an_event_says_of_a_token_is_believed_for_as_long_as_slack_itself_says_so(
    here: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be about another token, or come with a retry when a new one is in force."""
    monkeypatch.setattr(network, "INTRODUCED_AGAIN", 0.2)
    asked = len(here.slack.calls_of("auth.test"))
    here.slack.events.emit({"type": "tokens_revoked", "tokens": {"oauth": ["U1"], "bot": []}, "event_ts": "1.2"})
    await here.slack.until(lambda: len(here.slack.calls_of("auth.test")) >= asked + 2)
    assert here.network.ready() is None
    here.slack.happenings.revoke()
    await here.slack.until(lambda: "token_revoked" in (here.network.ready() or ""))
    here.slack.workspace.app.revoked = False
    await here.slack.until(lambda: here.network.ready() is None)


async def test_a_scope_that_is_taken_away_is_said_with_its_mend_and_nothing_is_lost(
    here: House, kenji: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the one nothing is posted, without the other nobody's words are told to us, or can be read back."""
    monkeypatch.setattr(backfill, "PATROL_EVERY", 5.0)
    monkeypatch.setattr(backfill, "LATE", 1_000)
    app = here.slack.workspace.app
    await here.writes("first")
    root = await here.root()
    await here.lanes_are_empty()
    history = {scope for scope in app.scopes if scope.endswith(":history")}
    app.scopes -= history
    kenji.say(here.desk, "can you hear me?", thread_ts=root.ts)
    await here.slack.until(lambda: is_refused(here, "conversations.replies"))
    app.scopes -= {"chat:write"}
    await here.writes("second")
    await here.slack.until(lambda: is_refused(here, "chat.postMessage"))
    assert await here.replies_seen() == []
    app.scopes |= {"chat:write", *history}
    await here.slack.until(lambda: "Hanako\nsecond" in here.slack.thread(here.desk, root.ts))
    await here.until(partial(is_heard, here, "can you hear me?"))
    await here.slack.until(lambda: "refused" not in (here.network.ready() or ""))


def is_refused(here: House, method: str) -> bool:
    told = here.network.ready() or ""
    return told.startswith(f"Slack has refused {method} since") and "kakehashi slack manifest" in told


async def is_heard(here: House, words: str) -> bool:
    return words in await here.replies_seen()


# ------------------------------------------------------------------ we are away


async def test_what_people_did_while_no_process_ran_is_read_back_once_and_in_order(
    engine_url: str, tmp_path: Path, slack: SlackSimulator, kenji: Person
) -> None:
    async with house(engine_url, tmp_path, slack, prefix="down", ping=CALM, parts=ALONE) as here:
        await here.writes("first")
        root = await here.root()
        early = kenji.say(here.desk, "one", thread_ts=root.ts)
        await here.settled()
        assert await here.replies_seen() == ["one"]
    kenji.say(here.desk, "two", thread_ts=root.ts)
    kenji.edit(here.desk, early.ts, "one, changed")
    late = kenji.say(here.desk, "three", thread_ts=root.ts)
    kenji.edit(here.desk, late.ts, "three, changed")
    kenji.say(here.desk, "note: not for the customer", thread_ts=root.ts)
    async with house(engine_url, tmp_path, slack, prefix="down", ping=CALM, parts=ALONE) as here:
        await hears_again(here)
        assert (await here.replies_seen())[-2:] == ["two", "three, changed"]
        assert "one, changed" in await here.replies_seen()
        head = (await here.session()).head
        await slack.events.settled(leap=True)  # Slack's retries come now, minutes late
        await here.settled()
        assert [one for one in await here.replies_seen() if one.startswith(("two", "three"))][:2] == [
            "two",
            "three, changed",
        ]
        assert (await here.session()).session.messages == 4
        assert "not for the customer" not in str(await here.customer_sees())
        assert (await here.session()).head <= head + 1  # at the most the edit of what was new in its last wording


async def theirs(here: House) -> list[tuple[str, str, bool]]:
    """Operators' reactions in the record: whose, which, and whether it was put there."""
    journal = await here.store.journal((await here.session()).session.id)
    facts = [one.fact for one in journal if isinstance(one.fact, ReactionAdded | ReactionRemoved)]
    return [(one.by, one.reaction, isinstance(one, ReactionAdded)) for one in facts]


async def in_the_books(here: House) -> Post:
    """The post of what the customer wrote last: a slow machine may have two, and takes one of them back."""
    stored = await here.session()
    said = [one.fact for one in await here.store.journal(stored.session.id)]
    message = [one.message for one in said if isinstance(one, CustomerMessageAdded)][-1]
    (ref,) = await here.store.posts(stored.session.id, message, stored.session.mirror.number)
    return Post.of(ref)


async def test_reactions_of_a_time_in_which_no_process_ran_are_read_back_once(
    engine_url: str, tmp_path: Path, slack: SlackSimulator, kenji: Person
) -> None:
    async with house(engine_url, tmp_path, slack, prefix="down", ping=CALM, parts=ALONE) as here:
        await here.writes("first")
        await here.lanes_are_empty()
        session = (await here.session()).session.id
        root = Root.of((await here.store.threads(session))[1])
        kenji.say(here.desk, "one", thread_ts=root.ts)
        await here.settled()
        await here.writes("are you there?")
        await here.lanes_are_empty()
        asked = await in_the_books(here)
        kenji.react(here.desk, asked.ts, "tada")
        await here.until(lambda: theirs(here))
        ((by, _, _),) = await theirs(here)
    kenji.unreact(here.desk, asked.ts, "tada")
    kenji.react(here.desk, asked.ts, "eyes")
    wanted = [(by, "🎉", True), (by, "👀", True), (by, "🎉", False)]
    async with house(engine_url, tmp_path, slack, prefix="down", ping=CALM, parts=ALONE) as here:
        await hears_again(here)
        assert await theirs(here) == wanted
        await slack.events.settled(leap=True)  # Slack's retries come now, minutes late
        await here.settled()
        assert await theirs(here) == wanted
        assert (await here.customer_sees()).count("<looking_into_it>") == 1


async def test_of_many_open_threads_only_those_are_read_in_which_somebody_wrote(
    engine_url: str, tmp_path: Path, slack: SlackSimulator, kenji: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread costs a call of fifty a minute, and a page of roots costs one for 200 threads. The margins, which are
    minutes in a real house, are none here."""
    monkeypatch.setattr(backfill, "FORMER", 0)
    monkeypatch.setattr(backfill, "SKEW", 0)
    monkeypatch.setattr(hearing, "MARGIN", 0)
    customers = [CustomerKey("main", f"~v{number}") for number in range(MANY + 2)]
    async with house(engine_url, tmp_path, slack, prefix="many", ping=CALM, parts=ALONE) as here:
        for customer in customers:
            await here.writes("hello", customer=customer)
        for customer in customers:
            await here.lanes_are_empty(customer)
        roots = [one.ts for one in slack.roots(here.desk)]
        kenji.say(here.desk, "one", thread_ts=roots[3])
        await here.settled()
        said = int(float(max(here.desk.messages)) * 1_000)

        async def all_of_it_was_heard() -> bool:
            return int(await here.store.get(hearing.heard(SLACK)) or 0) > said

        await here.until(all_of_it_was_heard)
    for ts in (roots[3], roots[7]):
        kenji.say(here.desk, "two", thread_ts=ts)
    before = len(slack.calls)
    async with house(engine_url, tmp_path, slack, prefix="many", ping=CALM, parts=ALONE) as here:
        await hears_again(here)
        read = [one.args["ts"] for one in list(slack.calls)[before:] if one.method == "conversations.replies"]
        assert {roots[3], roots[7]} <= set(read)
        assert len(read) <= 4, "of all the others none, but where somebody wrote while it was read"
        assert len([one for one in list(slack.calls)[before:] if one.method == "conversations.history"]) == 1

        async def seen_by(customer: CustomerKey) -> list[str]:
            return [line for line in await here.customer_sees(customer) if not line.startswith("<")]

        answered = [line for customer in customers for line in await seen_by(customer) if line in ("one", "two")]
        assert sorted(answered) == ["one", "two", "two"]


async def test_a_garbled_message_keeps_no_other_from_being_read_back(
    engine_url: str, tmp_path: Path, slack: SlackSimulator, kenji: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = History.thread

    async def garbled(self: History, root: Root, since: int = 0) -> Thread:
        thread = await read(self, root, since)
        nameless = {"type": "message", "user": kenji.id, "text": "?", "thread_ts": root.ts, "files": [{"name": "x"}]}
        return Thread(thread.living, ({**nameless, "ts": thread.replies[-1]["ts"] + "1"}, *thread.replies))

    async with house(engine_url, tmp_path, slack, prefix="garbled", ping=CALM, parts=ALONE) as here:
        await here.writes("first")
        root = await here.root()
        await here.thread(1)
    kenji.say(here.desk, "two", thread_ts=root.ts)
    monkeypatch.setattr(History, "thread", garbled)
    async with house(engine_url, tmp_path, slack, prefix="garbled", ping=CALM, parts=ALONE) as here:
        await hears_again(here)
        assert await here.replies_seen() == ["two"]


async def test_what_is_missed_comes_before_what_is_heard_next(here: House, kenji: Person) -> None:
    await here.writes("first")
    root = await here.root()
    kenji.say(here.desk, "one", thread_ts=root.ts)
    await here.settled()
    here.slack.deafen()
    await here.slack.until(is_deaf(here.slack))
    kenji.say(here.desk, "two", thread_ts=root.ts)
    kenji.upload(here.desk, "chart.png", png(8), text="three", thread_ts=root.ts)
    await asyncio.sleep(1.0)  # longer than the silence that counts, scaled as everything here
    here.slack.come_back()
    await here.slack.until(lambda: bool(here.slack.sockets.connections))
    kenji.say(here.desk, "four", thread_ts=root.ts)  # by event, while the thread is still to be read back
    await hears_again(here)

    async def all_there() -> bool:
        return len(await here.replies_seen()) >= 4

    await here.until(all_there)
    await here.slack.events.settled(leap=True)
    await here.settled()
    assert await here.replies_seen() == ["one", "two", "three", "four"]


async def test_what_was_deleted_while_nobody_heard_stays_with_the_customer_and_is_said(
    here: House, kenji: Person
) -> None:
    await here.writes("first")
    root = await here.root()
    said = kenji.say(here.desk, "my mistake", thread_ts=root.ts)
    await here.settled()
    here.slack.deafen()
    await here.slack.until(is_deaf(here.slack))
    here.slack.mischief.add(Fault.LOSE_EVENT, "message", times=None)
    kenji.delete(here.desk, said.ts)
    await asyncio.sleep(1.0)
    here.slack.come_back()
    await hears_again(here)
    assert await here.replies_seen() == ["my mistake"]
    assert any("deleted" in line for line in await here.thread(2))


async def test_events_that_slack_has_stopped_sending_are_noticed_and_said(
    here: House, kenji: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backfill, "PATROL_EVERY", 10.0)
    monkeypatch.setattr(backfill, "LATE", 1_000)
    await here.writes("first")
    root = await here.root()
    here.slack.mischief.add(Fault.LOSE_EVENT, "message", times=None)
    kenji.say(here.desk, "does anybody hear me?", thread_ts=root.ts)

    async def heard() -> bool:
        return bool(await here.replies_seen())

    await here.until(heard)
    await here.slack.until(lambda: "has not told us everything" in (here.network.ready() or ""))
    assert await here.store.get(UNHEARD) is not None
    findings = [one for one in await here.network.doctor() if "sent no event" in one.what]
    assert [one.level for one in findings] == ["fail"]
