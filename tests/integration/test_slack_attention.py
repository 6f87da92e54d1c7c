"""Nobody misses anything on Slack: who is mentioned and alerted, what came of a reply, what was not sent at all."""

from __future__ import annotations

import io
import time
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from bridge.directory import Operator
from bridge.inspection import neglected
from bridge.messages import Body, TextPart
from bridge.networks.attention import WHOEVER_EVERY
from bridge.networks.late import owed
from bridge.setbacks import Setback, standing
from routing.availability import Choice
from routing.hours import Hours
from routing.ids import CustomerKey, DeskId, InputKey, MessageId, OperatorId
from routing.inputs import (
    CustomerArrived,
    CustomerEnded,
    CustomerLeft,
    CustomerReceived,
    ErasureOrdered,
    OperatorReleased,
    OperatorReplied,
    OperatorResolved,
    OperatorTransferred,
)
from routing.policy import Alert, AlertBy, Policy
from routing.session import State
from tests.integration.slack_house import SLACK, House, house
from tests.simulators.slack import Fault, Message, Person, SlackSimulator
from tests.simulators.slack.workspace import Ping

AIKO, KENJI = OperatorId("aiko"), OperatorId("kenji")
AVAILABLE = {"alert": Alert(AlertBy.AVAILABLE)}


@pytest.fixture
def housed(engine_url: str, tmp_path: Path, slack: SlackSimulator) -> Any:
    slack.workspace.app.scopes.add("reactions:write")
    return partial(house, engine_url, tmp_path, slack, by_http=True)


@pytest.fixture
async def here(housed: Any) -> AsyncIterator[House]:
    async with housed() as one:
        yield one


async def enrol(here: House, operator: OperatorId, person: Person) -> None:
    user = f"{here.slack.workspace.team_id}:{person.id}"
    known = Operator(operator, str(operator), {"en": operator.title()}, network_users={SLACK: (user,)})
    await here.directory.add(known)


def png() -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (8, 8), "navy").save(content, "PNG")
    return content.getvalue()


def pings(here: House, place: Any = None) -> list[str]:
    """Everybody whose telephone rang, in order, in threads and beside them."""
    found = sorted((place or here.desk).messages.values(), key=lambda one: one.ts)
    return [ping.target or ping.kind for one in found for ping in dict.fromkeys(one.pings)]


async def act(here: House, event: Any, name: str = "") -> None:
    session = (await here.session()).session.id
    body = Body((TextPart("from the desk"),)) if isinstance(event, OperatorReplied) else None
    await here.relay.from_operator(session, event, InputKey(f"test/{name or type(event).__name__}"), body=body)
    await here.lanes_are_empty()


# ------------------------------------------------------------------ the assignee


async def test_who_presses_claim_is_mentioned_once_and_who_writes_is_not(here: House, kenji: Person) -> None:
    await enrol(here, KENJI, kenji)
    await here.writes("hello")
    root = await here.root()
    await kenji.click(here.desk, root, "claim")
    await here.lanes_are_empty()
    assert pings(here) == [kenji.id]
    kenji.say(here.desk, "How can I help?", thread_ts=root.ts)
    await here.settled()
    await here.writes("like this")
    await here.lanes_are_empty()
    assert pings(here) == [kenji.id]
    other = CustomerKey("main", "~other")
    await here.writes("hello", customer=other)
    second = await here.root(number=1)
    kenji.say(here.desk, "Good evening", thread_ts=second.ts)
    await here.settled()
    assert pings(here) == [kenji.id]


async def test_after_a_quiet_spell_the_customers_words_mention_the_assignee_once(housed: Any, kenji: Person) -> None:
    async with housed(rules={"remind_after": 1}) as here:
        await enrol(here, KENJI, kenji)
        await here.writes("hello")
        root = await here.root()
        kenji.say(here.desk, "One moment", thread_ts=root.ts)
        await here.settled()
        for words in ("still there?", "hello?", "please"):
            await here.writes(words)
        await here.lanes_are_empty()
        assert pings(here) == [kenji.id]
        lines = here.slack.thread(here.desk, root.ts)
        assert lines[3].endswith("The customer has written, and waits for you.")


# ------------------------------------------------------------------ the desk


async def test_those_who_are_on_and_have_room_are_named_in_the_thread(
    housed: Any, slack: SlackSimulator, kenji: Person
) -> None:
    async with housed(rules=AVAILABLE, operators=(AIKO, KENJI)) as here:
        await enrol(here, KENJI, kenji)
        await enrol(here, AIKO, slack.person("aiko"))
        await here.availability.choose(KENJI, Choice.ON)
        await here.writes("hello")
        await here.lanes_are_empty()
        assert pings(here) == [kenji.id]
        (_, line) = here.slack.thread(here.desk, (await here.root()).ts)
        assert line.endswith("A new customer is waiting. Who takes it?")


async def test_whose_hands_are_full_is_left_in_peace(housed: Any, kenji: Person) -> None:
    async with housed(rules=AVAILABLE, operators=(KENJI,)) as here:
        await enrol(here, KENJI, kenji)
        await here.availability.choose(KENJI, Choice.ON)
        for number in range(4):
            await here.store.reserve(KENJI, f"main.0.other{number}", None)
        await here.writes("hello")
        await here.lanes_are_empty()
        assert pings(here) == []


async def test_where_nobody_is_on_whoever_is_there_is_called_in_the_channel(housed: Any) -> None:
    """In a thread such a mention calls nobody."""
    async with housed(rules=AVAILABLE, operators=(KENJI,)) as here:
        await here.writes("my secret words")
        await here.lanes_are_empty()
        assert pings(here) == ["here"]
        root, line = here.slack.roots(here.desk)
        assert set(line.pings) == {Ping("here")}
        assert (await here.session()).session.code in here.slack.seen(line)
        assert "my secret words" not in here.slack.seen(line)
        assert len(here.slack.replies(here.desk, root.ts)) == 1


@pytest.mark.parametrize(
    ("alert", "expected"),
    [
        (Alert(AlertBy.CHANNEL), ["channel"]),
        (Alert(AlertBy.GROUP, "S0NIGHT01"), ["S0NIGHT01"]),
        (Alert(), []),
    ],
)
async def test_a_desk_chooses_its_means(housed: Any, alert: Alert, expected: list[str]) -> None:
    async with housed(rules={"alert": alert}) as here:
        await here.writes("hello")
        await here.lanes_are_empty()
        assert pings(here) == expected


async def test_with_nobody_on_the_desk_is_called_once_in_a_while_and_not_for_each_customer(
    housed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with housed(rules=AVAILABLE) as here:

        async def comes(number: int) -> None:
            customer = CustomerKey("main", f"~{number}")
            await here.writes("hello", customer=customer)
            await here.lanes_are_empty(customer)

        for number in range(3):
            await comes(number)
        assert pings(here) == ["here"]
        now = here.store.now

        async def later() -> int:
            return int(await now()) + WHOEVER_EVERY

        monkeypatch.setattr(here.store, "now", later)
        for number in range(3, 5):
            await comes(number)
        assert pings(here) == ["here", "here"]


async def test_what_was_taken_before_the_alert_went_out_alerts_nobody(housed: Any, kenji: Person) -> None:
    async with housed(rules={"alert": Alert(AlertBy.HERE)}) as here:
        here.slack.mischief.add(Fault.RATE_LIMIT, "chat.postMessage", seconds=1)
        await here.writes("hello")
        session = (await here.session()).session.id
        replied = OperatorReplied(MessageId("o:1"), KENJI)
        await here.relay.from_operator(session, replied, InputKey("desk/1"), body=Body((TextPart("hello"),)))
        await here.lanes_are_empty()
        assert "here" not in pings(here)


async def test_an_alert_whose_answer_is_lost_is_given_once(housed: Any) -> None:
    async with housed(rules={"alert": Alert(AlertBy.HERE)}) as here:
        await here.writes("hello")
        await here.lanes_are_empty()
        struck = here.slack.mischief.add(Fault.LOSE_ANSWER, "chat.postMessage", times=2)
        other = CustomerKey("main", "~other")
        await here.writes("hello", customer=other)
        await here.root(number=3)
        await here.lanes_are_empty(other)
        assert struck.fired == 2
        assert pings(here) == ["here", "here"]


async def test_who_is_put_back_is_offered_to_the_desk_again(housed: Any, kenji: Person) -> None:
    async with housed(rules={"alert": Alert(AlertBy.HERE)}) as here:
        await here.writes("hello")
        await kenji.click(here.desk, await here.root(), "claim")
        assignee = (await here.session()).session.assignee
        assert assignee is not None
        await act(here, OperatorReleased(assignee))
        assert [one for one in pings(here) if one == "here"] == ["here", "here"]


async def test_all_who_waited_for_the_opening_are_told_of_in_one_line(
    housed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    opens = int(time.time() * 1000) + 3_600_000
    rules = {"alert": Alert(AlertBy.HERE), "hours": Hours(((opens, 10**15),))}
    async with housed(rules=rules) as here:
        customers = [CustomerKey("main", f"~night{number}") for number in range(5)]
        for customer in customers:
            await here.writes("at night", customer=customer)
        await here.slack.until(lambda: len(here.slack.roots(here.desk)) == 5)
        assert pings(here) == []
        now = here.store.now

        async def in_the_morning() -> int:
            return int(await now()) + 3_600_000

        monkeypatch.setattr(here.store, "now", in_the_morning)

        async def all_open() -> bool:
            return all([(await here.session(one)).session.alerted_at for one in customers])

        await here.until(all_open)
        for customer in customers:
            await here.lanes_are_empty(customer)
        assert pings(here) == ["here"]
        (line,) = [one for one in here.slack.roots(here.desk) if one.pings]
        assert here.slack.seen(line).endswith("Customers waiting: 5")


# ------------------------------------------------------------------ what came of a reply


async def leaves(here: House) -> None:
    session = (await here.session()).session.id
    await here.relay.from_bridge(session, CustomerLeft(), InputKey(f"left/{session}"))


async def test_a_reply_to_a_customer_who_left_says_so_once_and_says_when_it_arrived(housed: Any, kenji: Person) -> None:
    async with housed(rules={"unreached_after": 0}) as here:
        await here.writes("hello")
        root = await here.root()
        await leaves(here)
        kenji.say(here.desk, "Here I am", thread_ts=root.ts)
        await here.settled()
        await here.slack.until(lambda: "Not delivered yet" in here.slack.thread(here.desk, root.ts)[-1])
        second = kenji.say(here.desk, "Are you there?", thread_ts=root.ts)
        await here.settled()
        await here.does(CustomerArrived())
        await here.does(CustomerReceived(MessageId(f"s:{here.desk.id}:{second.ts}")))
        await here.slack.until(lambda: "Delivered now" in here.slack.thread(here.desk, root.ts)[-1])
        said = here.slack.thread(here.desk, root.ts)
        assert sum("Not delivered yet" in line for line in said) == 1
        assert len(said) == 5


async def test_a_talk_of_twenty_messages_each_way_costs_its_posts_and_the_cards_updates_only(
    here: House, kenji: Person
) -> None:
    await here.writes("hello")
    root = await here.root()
    kenji.say(here.desk, "Good morning", thread_ts=root.ts)
    await here.settled()
    await here.lanes_are_empty()
    before = len(here.slack.calls)
    for number in range(20):
        await here.writes(f"question {number}")
        said = kenji.say(here.desk, f"answer {number}", thread_ts=root.ts)
        await here.settled()
        await here.does(CustomerReceived(MessageId(f"s:{here.desk.id}:{said.ts}")))
        await here.does(CustomerReceived(MessageId(f"s:{here.desk.id}:{said.ts}"), seen=True))
    await here.lanes_are_empty()
    made = [call.method for call in list(here.slack.calls)[before:] if call.method != "apps.connections.open"]
    assert made.count("chat.postMessage") == 20  # the customer's words; operators' own stand there already
    assert set(made) <= {"chat.postMessage", "chat.update", "auth.test"}
    assert made.count("chat.update") <= 20  # the card, never oftener than each other second


# ------------------------------------------------------------------ what was not sent at all


def marks(message: Message) -> list[str]:
    return list(message.reactions)


async def told(here: House, person: Person) -> str:
    await here.slack.until(lambda: any(one.user == person.id for one in here.slack.workspace.ephemerals))
    return [one.text for one in here.slack.workspace.ephemerals if one.user == person.id][-1]


async def is_marked(here: House, message: Message) -> None:
    await here.slack.until(lambda: "no_entry_sign" in marks(message))


async def test_what_is_written_where_a_session_has_left_is_marked_and_the_way_is_shown(
    housed: Any, slack: SlackSimulator, kenji: Person
) -> None:
    elsewhere = slack.channel("elsewhere")
    async with housed(desks=[slack.channel("support"), elsewhere]) as here:
        await here.writes("hello")
        root = await here.root()
        await here.lanes_are_empty()
        await act(here, OperatorTransferred(KENJI, DeskId("elsewhere")))
        moved = await here.root(elsewhere)
        late = kenji.say(here.desk, "too late", thread_ts=root.ts)
        await here.settled()
        await is_marked(here, late)
        assert moved.ts.replace(".", "") in await told(here, kenji)
        assert await here.replies_seen() == []
        kenji.upload(here.desk, "too-late.png", png(), thread_ts=root.ts)
        await here.settled()
        (file,) = [one for one in here.slack.replies(here.desk, root.ts) if one.files]
        await is_marked(here, file)
        assert await here.replies_seen() == []


async def test_who_wrote_too_late_is_told_also_when_the_process_ended_before_it_could_say_so(
    housed: Any, slack: SlackSimulator, kenji: Person
) -> None:
    async with housed(prefix="late") as here:
        await here.writes("hello")
        root = await here.root()
        await here.does(CustomerEnded())
        await here.lanes_are_empty()
        for method in ("chat.postEphemeral", "reactions.add"):
            slack.mischief.add(Fault.INTERNAL_ERROR, method, times=None)
        late = kenji.say(here.desk, "too late", thread_ts=root.ts)
        await here.settled()
        assert len(await here.store.shelf(owed(SLACK))) == 1  # acknowledged, so it is kept
        assert not marks(late)
        assert not slack.workspace.ephemerals
    slack.mischief.clear()
    async with housed(prefix="late") as here:
        await is_marked(here, late)

        async def is_paid() -> bool:
            return not await here.store.shelf(owed(SLACK))

        await here.until(is_paid)
        assert len([one for one in slack.workspace.ephemerals if one.user == kenji.id]) == 1
        slack.mischief.add(Fault.RETRY_ACKED, "message")
        kenji.say(here.desk, "and this", thread_ts=root.ts)
        await slack.events.settled(leap=True)
        await here.until(is_paid)
        assert len([one for one in slack.workspace.ephemerals if one.user == kenji.id]) == 2


async def test_the_way_to_a_session_at_the_desk_page_is_its_address_there(housed: Any, kenji: Person) -> None:
    async with housed(desk_page="https://desk.example.com/console") as here:
        code = (await here.writes("hello")).stored.session.code
        root = await here.root()
        await here.lanes_are_empty()
        await act(here, OperatorTransferred(KENJI, DeskId("console")))
        late = kenji.say(here.desk, "too late", thread_ts=root.ts)
        await here.settled()
        await is_marked(here, late)
        assert f"https://desk.example.com/console/#{code}" in await told(here, kenji)


async def test_what_is_written_after_the_end_is_marked_and_leads_to_the_customers_next_thread(
    here: House, kenji: Person
) -> None:
    await here.writes("hello")
    root = await here.root()
    await here.does(CustomerEnded())
    late = kenji.say(here.desk, "one more thing", thread_ts=root.ts)
    await here.settled()
    await is_marked(here, late)
    await here.writes("again")
    second = await here.root(number=1)
    await here.lanes_are_empty()
    later = kenji.say(here.desk, "and another", thread_ts=root.ts)
    await here.settled()
    await is_marked(here, later)
    await here.slack.until(lambda: len(here.slack.workspace.ephemerals) == 2)
    assert second.ts.replace(".", "") in await told(here, kenji)
    assert await here.replies_seen() == []


async def test_what_is_written_in_an_erased_session_is_marked(here: House, kenji: Person) -> None:
    session = (await here.writes("hello")).stored.session.id
    root = await here.root()
    kenji.say(here.desk, "hello", thread_ts=root.ts)
    await here.settled()
    await here.relay.from_bridge(session, ErasureOrdered(), InputKey("erase"))
    await here.lanes_are_empty()
    late = kenji.say(here.desk, "too late", thread_ts=root.ts)
    await here.settled()
    await is_marked(here, late)


async def test_what_is_written_after_resolving_is_sent_and_bears_no_mark(here: House, kenji: Person) -> None:
    await enrol(here, KENJI, kenji)
    await here.writes("hello")
    root = await here.root()
    await here.lanes_are_empty()
    await act(here, OperatorResolved(KENJI))
    said = kenji.say(here.desk, "by the way", thread_ts=root.ts)
    await here.settled()
    assert await here.replies_seen() == ["by the way"]
    assert (await here.session()).session.state is State.RESOLVED
    assert marks(said) == []


async def test_where_we_may_not_react_the_thread_says_so_once(
    housed: Any, slack: SlackSimulator, kenji: Person
) -> None:
    slack.workspace.app.scopes.discard("reactions:write")
    async with housed() as here:
        await here.writes("hello")
        root = await here.root()
        await here.does(CustomerEnded())
        await here.lanes_are_empty()
        before = len(here.slack.thread(here.desk, root.ts))
        for words in ("one more thing", "and another"):
            kenji.say(here.desk, words, thread_ts=root.ts)
            await here.settled()
        await here.slack.until(lambda: len(here.slack.workspace.ephemerals) == 2)
        await here.slack.until(lambda: len(here.slack.thread(here.desk, root.ts)) == before + 3)
        assert sum("Not sent" in line for line in here.slack.thread(here.desk, root.ts)) == 1


# ------------------------------------------------------------------ what is held up


async def held_up(here: House) -> Setback | None:
    return await standing(here.store, (await here.session()).session)


async def test_what_waits_for_an_archived_channel_is_known_at_the_desk_page_and_to_doctor(
    housed: Any, kenji: Person
) -> None:
    async with housed() as here:
        await here.writes("first")
        await here.lanes_are_empty()
        assert await held_up(here) is None
        kenji.archive(here.desk)
        await here.writes("second")

        async def is_known() -> bool:
            return await held_up(here) == Setback(SLACK, "is_archived", 1, uncertain=False)

        await here.until(is_known)
        engine: Any = SimpleNamespace(networks={SLACK: here.network}, store=here.store, policy=lambda: Policy({}))
        said = [finding.what for finding in await neglected(engine)]
        assert "slack: sessions held up: 1 (is_archived)" in said
        kenji.unarchive(here.desk)
        await here.lanes_are_empty()
        assert await held_up(here) is None


async def test_what_may_have_arrived_is_said_to_be_uncertain_until_it_has_been_looked_for(housed: Any) -> None:
    async with housed() as here:
        await here.writes("first")
        await here.lanes_are_empty()
        here.slack.mischief.add(Fault.LOSE_ANSWER, "chat.postMessage")
        here.slack.mischief.add(Fault.INTERNAL_ERROR, "conversations.replies", times=None)
        await here.writes("second")

        async def is_uncertain() -> bool:
            known = await held_up(here)
            return known is not None and known.uncertain

        await here.until(is_uncertain)
        here.slack.mischief.clear()
        await here.lanes_are_empty()
        assert await held_up(here) is None
        root = await here.root()
        said = ["Hanako\nfirst", "Hanako\nsecond"]  # a late double is taken back
        await here.slack.until(lambda: here.slack.thread(here.desk, root.ts) == said)
