"""What operators ask of their own work in Slack: `/chat`, and the app's home."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from adapters.slack.controls import commands as commands_module
from adapters.slack.shown.sheet import AWAY, BACK, NEXT
from bridge.directory import Operator
from bridge.errors import StoreUnavailableError
from bridge.networks.commands import ANYWHERE, IN_THREAD
from routing.ids import CustomerKey, DeskId, InputKey, MessageId, OperatorId
from routing.inputs import CustomerEnded, OperatorReplied, OperatorResolved, OperatorTransferred
from routing.policy import MINUTE, Promise, Promised
from routing.session import State
from tests.integration.slack_house import SLACK, House, house
from tests.simulators.slack import Channel, Fault, Person, SlackSimulator
from tests.simulators.slack.workspace import Json

KENJI = OperatorId("kenji")
PROMISES = {"promises": (Promise(Promised.FIRST_RESPONSE, 5 * MINUTE, MINUTE),)}


@pytest.fixture
async def here(
    engine_url: str, tmp_path: Path, slack: SlackSimulator, kenji: Person, request: pytest.FixtureRequest
) -> AsyncIterator[House]:
    """Two desks, of which Kenji serves the first. Over a socket; a test marked so has signed HTTP."""
    places = (slack.channel("support"), slack.channel("other"))
    by_http = getattr(request, "param", "") == "http"
    async with house(engine_url, tmp_path, slack, by_http=by_http, desks=places, rules=PROMISES, ping=5.0) as one:
        await enrol(one, kenji)
        yield one


async def enrol(here: House, person: Person, *languages: str, desk: str = "support") -> None:
    users = {SLACK: (f"{here.slack.workspace.team_id}:{person.id}",)}
    names = {"en": person.user.name.title()}
    await here.directory.add(
        Operator(
            OperatorId(person.user.name),
            person.user.name,
            names,
            desks=(DeskId(desk),),
            languages=languages or ("en",),
            network_users=users,
        )
    )


async def asks(here: House, person: Person, text: str, place: Channel | str = "") -> str:
    """What this person reads after `/chat …`; nobody else does."""
    before = len(here.slack.workspace.ephemerals)
    outcome = await person.slash(place or here.desk, "/chat", text)
    assert outcome.ok, outcome
    shown = list(here.slack.workspace.ephemerals)[before:]
    assert {one.user for one in shown} == {person.id}
    return seen(outcome.answer)


def seen(view: Json) -> str:
    """All text of a view or an answer, in reading order."""
    return " ".join(_texts(view.get("blocks") or [{"type": "plain_text", "text": view.get("text", "")}]))


def _texts(value: Any) -> list[str]:
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    if not isinstance(value, dict):
        return []
    if value.get("type") == "rich_text_section":
        return ["".join(_texts(value["elements"]))]
    if isinstance(value.get("text"), str):
        return [value["text"]]
    return [text for one in value.values() for text in _texts(one)]


async def shows(here: House, person: Person, *words: str) -> str:
    """The person's home, once it says all of this."""
    await here.slack.until(lambda: all(word in home(here, person) for word in words))
    return home(here, person)


def home(here: House, person: Person) -> str:
    view = here.slack.workspace.homes.get(person.id)
    return seen(view.body) if view else ""


async def listed(here: House, person: Person, text: str, *words: str) -> str:
    """The answer, once lists have been drawn so far: they follow their commits within moments."""
    async with asyncio.timeout(60):
        while True:
            answer = await asks(here, person, text)
            if all(word in answer for word in words):
                return answer
            await asyncio.sleep(0.1)


def customer(name: str) -> CustomerKey:
    return CustomerKey("main", name)


async def replies(here: House, receipt: Any, operator: OperatorId = KENJI) -> None:
    session = receipt.stored.session.id
    answer = OperatorReplied(MessageId("o:1"), operator)
    await here.relay.from_operator(session, answer, InputKey(f"desk/{session}/reply"))


# ------------------------------------------------------------------ /chat


async def test_the_queue_names_who_waits_at_ones_own_desks_with_the_way_there(here: House, kenji: Person) -> None:
    first = await here.writes("hello", customer=customer("ana"), name="Ana <!channel> *b*")
    await here.root()
    other = await here.writes("hello", customer=customer("bo"), name="Bo")
    move = OperatorTransferred(OperatorId("aiko"), DeskId("other"))
    await here.relay.from_operator(other.stored.session.id, move, InputKey("move"))
    answer = await listed(here, kenji, "queue", first.stored.session.code)
    assert "Ana <!channel> *b* · en · transfers" in answer
    assert "waiting since" in answer
    assert "Waiting: support (1)" in answer
    await here.until(lambda: _is_off(here, DeskId("support"), other.stored.session.id))
    assert "Bo" not in await asks(here, kenji, "ＱＵＥＵＥ"), "that desk is not theirs"
    shown = here.slack.workspace.ephemerals[-1]
    root = await here.root()
    assert f"/p{root.ts.replace('.', '')}" in json.dumps(shown.blocks)


async def _is_off(here: House, desk: DeskId, session: object) -> bool:
    return session not in {line.session for line in await here.store.lines(desk)}


@pytest.mark.parametrize("here", ["socket", "http"], indirect=True)
async def test_mine_are_those_that_one_holds(here: House, kenji: Person) -> None:
    assert await asks(here, kenji, "mine") == "My sessions You have no session."
    receipt = await here.writes("hello")
    await replies(here, receipt)
    answer = await listed(here, kenji, "mine", receipt.stored.session.code)
    assert "Hanako · en · transfers · customer's turn" in answer


async def test_a_session_is_found_by_its_code_in_any_width_or_by_the_customers_account(
    here: House, kenji: Person
) -> None:
    receipt = await here.writes("hello", customer=customer("Acc-77"))
    code = receipt.stored.session.code
    wide = "".join(chr(ord(sign) + 0xFEE0) for sign in code.lower())
    for sought in (code, wide, f"＃{wide}", "Acc-77", "Ａｃｃ－７７"):
        assert code in await asks(here, kenji, f"find {sought}"), sought
    await here.does(CustomerEnded(), customer=customer("Acc-77"))
    assert "Closed" in await asks(here, kenji, f"find {code}")
    assert await asks(here, kenji, "find ZZZZ") == "No session “ZZZZ” at your desks."
    assert "Write the words behind" in await asks(here, kenji, "find")


async def test_what_is_at_anothers_desk_is_not_found(here: House) -> None:
    receipt = await here.writes("hello", customer=customer("ana"))
    aiko = here.slack.person("aiko")
    await enrol(here, aiko, desk="other")
    assert "No session" in await asks(here, aiko, f"find {receipt.stored.session.code}")
    assert "No session" in await asks(here, aiko, "find ana")


async def test_away_and_back_change_who_is_offered_sessions(here: House, kenji: Person) -> None:
    assert "You take new sessions" in await asks(here, kenji, "back")
    assert (await here.network._home._roster.availability.of(KENJI)).on  # type: ignore[union-attr]  # it has one
    assert "You take no new sessions" in await asks(here, kenji, "離席")
    assert "as you said" in await asks(here, kenji, "home")


async def test_help_names_every_command_in_the_operators_own_language(here: House, kenji: Person) -> None:
    answer = await asks(here, kenji, "help")
    for verb in (*ANYWHERE, *IN_THREAD):
        assert f"{'!' if verb in IN_THREAD else '/chat '}{verb}" in answer
    sato = here.slack.person("sato")
    await enrol(here, sato, "ja")
    assert "/chat 自分 自分の担当する会話を見る" in await asks(here, sato, "help")


async def test_a_mistyped_word_is_answered_with_the_nearest_commands(here: House, kenji: Person) -> None:
    assert "Did you mean /chat queue?" in await asks(here, kenji, "qeue")
    assert "/chat help shows all" in await asks(here, kenji, "xyzzy")
    assert "write !claim there" in await asks(here, kenji, "claim")
    assert "takes nothing behind it" in await asks(here, kenji, "mine please")


async def test_who_is_not_enrolled_learns_how_and_nothing_else(here: House) -> None:
    await here.writes("hello")
    mallory, guest = here.slack.person("mallory"), here.slack.person("guest", stranger=True)
    for somebody in (mallory, guest):
        for text in ("", "queue", "find ~visitor", "away", "help"):
            assert f":{somebody.id}" in await asks(here, somebody, text)
    assert "Hanako" not in str(here.slack.workspace.ephemerals)


async def test_in_a_thread_slack_has_no_commands_and_we_hear_nothing(here: House, kenji: Person) -> None:
    await here.writes("hello")
    root = await here.root()
    outcome = await kenji.slash(here.desk, "/chat", "mine", thread_ts=root.ts)
    assert not outcome.ok
    assert "not supported in threads" in here.slack.workspace.ephemerals[-1].text


async def test_an_answer_that_takes_long_is_acknowledged_at_once_and_follows(
    here: House, kenji: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asyncio.Event()
    roster = here.network._commands._answers.roster  # type: ignore[union-attr]  # it has one
    quick = roster.sheet

    async def slow(operator: OperatorId, shown: int) -> Any:
        await asked.wait()
        return await quick(operator, shown)

    monkeypatch.setattr(roster, "sheet", slow)
    monkeypatch.setattr(commands_module, "AT_ONCE", 0.02)
    assert await asks(here, kenji, "mine") == "Still looking. The answer follows here."
    asked.set()
    await here.slack.until(lambda: "You have no session" in str(here.slack.workspace.ephemerals[-1].blocks))


async def test_without_the_store_they_are_told_so_in_time(
    here: House, kenji: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_: object) -> Any:
        raise StoreUnavailableError("the store does not answer")

    monkeypatch.setattr(here.network._commands._answers, "answer", gone)  # type: ignore[union-attr]
    assert "Try again in a moment" in await asks(here, kenji, "mine")


# ------------------------------------------------------------------ home


async def test_the_home_shows_ones_sessions_the_queue_and_the_figures_of_today(here: House, kenji: Person) -> None:
    waits = await here.writes("hello", customer=customer("ana"), name="Ana")
    mine = await here.writes("hello", customer=customer("bo"), name="Bo")
    await replies(here, mine)
    done = await here.writes("hello", customer=customer("chi"), name="Chi")
    await replies(here, done)
    await here.relay.from_operator(done.stored.session.id, OperatorResolved(KENJI), InputKey("done"))
    await listed(here, kenji, "home", "2 first responses · 1 resolved · 1 under way")
    kenji.open_home()
    view = await shows(
        here,
        kenji,
        f"{waits.stored.session.code} · Ana",
        f"{mine.stored.session.code} · Bo",
        "3 opened · 2 first responses · 1 resolved · 1 waiting now · 2 of 2 within the promise · median under 1 min",
        "You take no new sessions",
        "Languages: en",
    )
    assert "Chi" not in view


async def test_the_home_follows_what_changes_and_is_published_only_then(here: House, kenji: Person) -> None:
    kenji.open_home()
    await shows(here, kenji, "Nobody is waiting")
    receipt = await here.writes("hello")
    await listed(here, kenji, "queue", receipt.stored.session.code)
    published = len(here.slack.calls_of("views.publish"))
    await here.network._home.look()  # type: ignore[union-attr]  # it has one
    assert receipt.stored.session.code in home(here, kenji)
    await listed(here, kenji, "queue", "waiting since")
    await here.network._home.look()  # type: ignore[union-attr]
    await here.network._home.look()  # type: ignore[union-attr]
    assert len(here.slack.calls_of("views.publish")) <= published + 2, "its thread may have come in between"
    kenji.open_home("messages")
    await here.slack.events.settled()
    assert len(here.slack.calls_of("views.publish")) <= published + 2


@pytest.mark.parametrize("here", ["socket", "http"], indirect=True)
async def test_the_homes_buttons_say_where_one_is_and_take_the_next(here: House, kenji: Person) -> None:
    receipt = await here.writes("hello")
    await here.root()
    await listed(here, kenji, "queue", receipt.stored.session.code)
    kenji.open_home()
    await shows(here, kenji, "Claim next")
    assert (await kenji.click_home(BACK)).ok
    await shows(here, kenji, "You take new sessions", "Take a break")
    assert (await kenji.click_home(NEXT)).ok
    session = (await here.session()).session
    assert (session.state, session.assignee) == (State.ASSIGNED, KENJI)
    view = await shows(here, kenji, f"{session.code} is yours")
    assert "archives" in json.dumps(here.slack.workspace.homes[kenji.id].body), view
    assert (await kenji.click_home(AWAY)).ok
    await shows(here, kenji, "You take no new sessions", "as you said")


async def test_a_press_by_the_same_id_of_another_workspace_is_nobodys(here: House, kenji: Person) -> None:
    await here.writes("please")
    kenji.open_home()
    await here.slack.until(lambda: kenji.id in here.slack.workspace.homes)
    view, press = here.slack.workspace.homes[kenji.id], {"type": "button", "action_id": NEXT, "action_ts": "1.1"}
    payload = here.slack.interactions.view_actions(kenji.user, view, press)
    payload["user"]["team_id"] = "T0OTHER"
    assert (await here.slack.interactions.send("interactive", payload)).ok
    assert (await here.session()).session.assignee is None


async def test_who_has_left_a_desks_channel_sees_and_takes_nothing_of_it(here: House, kenji: Person) -> None:
    code = (await here.writes("please")).stored.session.code
    assert code in await asks(here, kenji, f"find {code}")
    kenji.leave(here.desk)
    await here.settled()
    assert code not in (await asks(here, kenji, "queue"))
    assert "Hanako" not in await asks(here, kenji, f"find {code}")
    kenji.open_home()
    await here.slack.until(lambda: kenji.id in here.slack.workspace.homes)
    drawn = here.slack.workspace.homes[kenji.id].body
    assert code not in str(drawn)
    with pytest.raises(LookupError):
        await kenji.click_home(NEXT)


async def test_of_two_who_press_at_once_each_gets_another_customer(here: House, kenji: Person) -> None:
    aiko = here.slack.person("aiko")
    await enrol(here, aiko)
    for name in ("ana", "bo"):
        receipt = await here.writes("hello", customer=customer(name), name=name)
        await listed(here, kenji, "queue", receipt.stored.session.code)
    for person in (kenji, aiko):
        person.open_home()
        await shows(here, person, "Claim next")
    await asyncio.gather(kenji.click_home(NEXT), aiko.click_home(NEXT))
    held = [(await here.session(customer(name))).session.assignee for name in ("ana", "bo")]
    assert sorted(map(str, held)) == ["aiko", "kenji"]


async def test_a_home_that_another_process_has_drawn_since_is_replaced_with_the_next_look(
    here: House, kenji: Person
) -> None:
    kenji.open_home()
    await shows(here, kenji, "My sessions")
    here.slack.workspace.homes[kenji.id].hash = "another"
    receipt = await here.writes("hello")
    await listed(here, kenji, "queue", receipt.stored.session.code)
    await here.network._home.look()  # type: ignore[union-attr]  # it has one
    assert receipt.stored.session.code not in home(here, kenji)
    assert here.slack.calls_of("views.publish")[-1].outcome == "hash_conflict"
    await here.network._home.look()  # type: ignore[union-attr]
    assert receipt.stored.session.code in home(here, kenji)


async def test_who_is_not_enrolled_sees_how_and_can_press_nothing(here: House, kenji: Person) -> None:
    mallory = here.slack.person("mallory")
    await here.writes("hello")
    mallory.open_home()
    view = await shows(here, mallory, "kakehashi operators link ACCOUNT")
    assert "Hanako" not in view
    here.slack.workspace.homes[mallory.id].body["blocks"] = [
        {
            "type": "actions",
            "elements": [{"type": "button", "action_id": NEXT, "text": {"type": "plain_text", "text": "x"}}],
        }
    ]
    assert (await mallory.click_home(NEXT)).ok
    assert (await here.session()).session.assignee is None


async def test_a_home_that_slack_refuses_holds_up_nothing(here: House, kenji: Person) -> None:
    here.slack.workspace.app.home_tab = False
    with pytest.raises(LookupError):
        kenji.open_home()
    here.slack.workspace.app.home_tab = True
    here.slack.mischief.add(Fault.RATE_LIMIT, "views.publish", seconds=1)
    kenji.open_home()
    await here.slack.until(lambda: here.slack.calls_of("views.publish"))
    await here.writes("hello")
    assert await here.thread(1) == ["Hanako\nhello"]
