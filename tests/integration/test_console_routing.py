"""The desk's API for routing, on the real engine: who is on, offers, promises, escalation, the team, incidents."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, CookieJar

from adapters.console.rows import Promise, row_of, row_of_line
from bridge.directory import Operator
from bridge.ports import Line, Stored
from bridge.views import summary
from routing import facts as f
from routing import inputs as i
from routing.availability import Because, Choice
from routing.hours import Hours
from routing.ids import DeskId, InputKey, OperatorId, SessionId
from routing.policy import MINUTE
from routing.session import State
from tests.integration.console_house import Customer, House, console_house
from tests.integration.engine_room import until as comes_true
from tests.integration.routed_house import EN, OUT, PROMISES, SECURITY, TRADING, WITHDRAWALS, routed
from tests.integration.test_console import Browser, until

WORDS = {"en": "It works again.", "ja": "復旧しました。"}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with console_house(tmp_path, routed()) as house:
        yield house


@pytest.fixture
async def new_browser(house: House) -> AsyncIterator[Callable[[], Browser]]:
    opened: list[Browser] = []

    def make() -> Browser:
        opened.append(Browser(house, ClientSession(cookie_jar=CookieJar(unsafe=True))))
        return opened[-1]

    yield make
    for browser in opened:
        await browser.closes()


@pytest.fixture
async def kenji(house: House, new_browser: Callable[[], Browser]) -> Browser:
    await house.operator("kenji", names={"en": "Sato", "ja": "佐藤"}, lead=True, capacity=2)
    return await new_browser().signs_in()


@pytest.fixture
async def mei(house: House, new_browser: Callable[[], Browser]) -> Browser:
    """An operator who leads nobody, at one desk."""
    await house.operator("mei", names={"en": "Mei"}, desks=(OUT,), capacity=1)
    return await new_browser().signs_in("mei")


def who(house: House, account: str) -> Operator:
    found = house.directory.by_account(account)
    assert found is not None
    return found


async def offered(house: House, session: SessionId, operator: OperatorId) -> None:
    until = await house.store.now() + 10 * MINUTE
    await house.assignments.offer(session, i.OfferProposed(operator, until), InputKey(f"offer/{session}/{until}"))


async def loaded(house: House, session: SessionId) -> Stored:
    stored = await house.store.load(session)
    assert stored is not None
    return stored


async def facts(house: House, session: SessionId, kind: type[f.Fact]) -> int:
    return sum(isinstance(one.fact, kind) for one in await house.store.journal(session))


# ------------------------------------------------------------------ whether I am on


async def test_an_operator_says_whether_they_are_on_and_reads_why_and_until_when(kenji: Browser) -> None:
    assert (await kenji.gets("me"))["standing"] == {
        "on": False,
        "because": "nothing",
        "since": None,
        "until": None,
        "hands_back_at": None,
    }
    said = await kenji.posts("me/availability", choice="on")
    assert (said["standing"]["on"], said["standing"]["because"]) == (True, "said")
    assert said["standing"]["until"] > said["now"]
    away = await kenji.posts("me/availability", choice="away")
    assert away["standing"]["hands_back_at"] > away["now"]
    assert (await kenji.gets("me"))["standing"] == away["standing"]
    assert await kenji.refused("me/availability", choice="asleep") == (400, "unknown_choice")


async def test_reading_keeps_nobody_on_and_acting_does(house: House, kenji: Browser) -> None:
    me = who(house, "kenji").id
    await house.availability.choose(me, Choice.ON)
    session = (await house.customer().writes()).session.id
    before = await house.store.get(f"available/{me}")
    for path in ("me", "offers", "sessions", "team", "incidents", f"sessions/{session}"):
        await kenji.gets(path)
    await kenji.watches()
    assert await house.store.get(f"available/{me}") == before
    await kenji.posts_nothing("me/acted")
    assert await house.store.get(f"available/{me}") != before


async def test_pages_hear_how_their_operator_stands_and_what_is_broken(house: House, kenji: Browser) -> None:
    page = await kenji.watches()
    first = await until(page, lambda frame: frame["t"] == "standing")
    assert first["standing"]["because"] == Because.NOTHING
    await house.availability.choose(who(house, "kenji").id, Choice.ON)
    await until(page, lambda frame: frame["t"] == "standing" and frame["standing"]["on"])
    incident = await house.incidents.declare({"en": "Slow"}, {}, OperatorId("owner"))
    news = await until(page, lambda frame: frame["t"] == "incidents" and frame["incidents"])
    assert [one["id"] for one in news["incidents"]] == [incident.id]


async def test_whoever_moves_a_session_reads_who_is_on_and_which_desk_is_closed(
    tmp_path: Path,
) -> None:
    rules = routed()
    night, never = Hours(((4_000_000_000_000, 4_000_000_060_000),)), Hours(())
    closed = {EN: replace(rules.desks[EN], hours=night), OUT: replace(rules.desks[OUT], hours=never)}
    async with console_house(tmp_path, replace(rules, desks={**rules.desks, **closed})) as house:
        mei = await house.operator("mei", names={"en": "Mei"})
        await house.availability.choose(mei.id, Choice.OFF)
        browser = Browser(house, ClientSession(cookie_jar=CookieJar(unsafe=True)))
        me = await (await browser.signs_in("mei")).gets("me")
        await browser.closes()
    assert {one["id"]: (one["open"], one["opens"]) for one in me["desks"]} == {
        "en": (False, 4_000_000_000_000),
        "ja": (True, None),
        "withdrawals": (False, None),
    }
    (said,) = (one["standing"] for one in me["people"] if one["id"] == mei.id)
    assert (said["on"], said["because"]) == (False, "said")


# ------------------------------------------------------------------ offers


async def test_who_is_offered_a_session_sees_it_and_takes_it(house: House, kenji: Browser, mei: Browser) -> None:
    session = (await house.customer(language="fr").writes()).session.id
    page = await mei.watches()
    await offered(house, session, who(house, "mei").id)
    heard = await until(page, lambda frame: frame["t"] == "rows" and frame["rows"] and frame["rows"][0]["offer"])
    assert heard["rows"][0]["session"] == session
    (row,) = (await mei.gets("offers"))["rows"]
    assert (row["session"], row["offer"]["operator"]) == (session, who(house, "mei").id)
    assert (await kenji.gets("offers"))["rows"] == []
    answer = await mei.acts(session, "claim")
    assert (answer["row"]["assignee"], answer["row"]["offer"]) == (who(house, "mei").id, None)
    assert (await mei.gets("offers"))["rows"] == []


async def test_an_offer_is_passed_on_by_whom_it_was_made_to_and_nobody_else(
    house: House, kenji: Browser, mei: Browser
) -> None:
    session = (await house.customer(language="fr").writes()).session.id
    await offered(house, session, who(house, "mei").id)
    assert await kenji.refused(f"sessions/{session}/decline", id="client-0101") == (409, "not_offered_to_you")
    answer = await mei.acts(session, "decline")
    assert answer["row"]["offer"] is None
    assert await mei.refused(f"sessions/{session}/decline", id="client-0102") == (409, "not_offered_to_you")
    assert (await loaded(house, session)).session.declined == (who(house, "mei").id,)
    assert (await house.store.reservations(who(house, "mei").id)).sessions == {}, "the place is free for the next"


async def test_capacity_holds_for_claims_and_never_for_words(house: House, kenji: Browser) -> None:
    sessions = [(await house.customer(f"~v{number}").writes()).session.id for number in range(3)]
    for session in sessions[:2]:
        await kenji.acts(session, "claim")
    assert await kenji.refused(f"sessions/{sessions[2]}/claim", id="client-0009") == (409, "at_capacity")
    assert (await kenji.says(sessions[2], "I answer all the same."))["row"]["state"] == "assigned"


# ------------------------------------------------------------------ promises


async def test_colours_come_from_the_promise_of_the_session(house: House, kenji: Browser) -> None:
    slow = (await house.customer("~slow", topic=TRADING).writes()).session
    quick = (await house.customer("~quick", topic=WITHDRAWALS).writes()).session
    rows = {row["session"]: row for row in (await kenji.gets("sessions"))["rows"]}
    assert rows[slow.id]["past_at"] == slow.opened_at + PROMISES[0].within
    assert rows[slow.id]["near_at"] == slow.opened_at + PROMISES[0].within - PROMISES[0].warn_before
    assert rows[quick.id]["past_at"] == quick.opened_at + PROMISES[1].within
    assert rows[quick.id]["near_at"] == quick.opened_at
    promises = {one["kind"]: one for one in (await kenji.thread(quick.id))["card"]["promises"]}
    assert set(promises) == {"first_response", "resolution"}
    assert promises["first_response"]["due"] == rows[quick.id]["past_at"]
    await kenji.says(quick.id, "We look into it.")
    answered = (await kenji.gets("sessions", list="mine"))["rows"][0]
    assert (answered["near_at"], answered["past_at"], answered["place"]) == (None, None, None)


async def test_a_row_from_the_index_is_the_row_from_the_session(house: House, kenji: Browser) -> None:
    """A process that starts knows only the lines: it shows the same colours, marks and order."""
    customers = [house.customer("~a", topic=SECURITY), house.customer("~b", topic=WITHDRAWALS), house.customer("~c")]
    for customer in customers:
        stored = await customer.writes()
        rules = routed()
        line = Line(
            stored.session.id,
            stored.session.code,
            stored.session.desk,
            stored.head,
            json.loads(json.dumps(summary(stored.session, rules))),
        )
        from_line, from_session = (row_of_line(line, rules), row_of(stored, rules, Promise()))
        for row in (from_line, from_session):  # but for what the index does not have
            assert replace(row, near_at=None, check=None, escalation=None) == replace(
                from_session, near_at=None, check=None, escalation=None
            )
        assert (from_line.escalation is None) == (from_session.escalation is None)


async def test_emergencies_come_first_in_every_list(house: House, kenji: Browser) -> None:
    first = (await house.customer("~first").writes()).session.code
    urgent = (await house.customer("~urgent", topic=SECURITY).writes()).session.code
    assert await kenji.codes("waiting") == [urgent, first]
    row = (await kenji.gets("sessions"))["rows"][0]
    assert (row["emergency"], row["escalation"]["why"]) == (True, "emergency")


# ------------------------------------------------------------------ escalation


async def test_escalating_and_acknowledging_are_buttons(house: House, kenji: Browser) -> None:
    session = (await house.customer().writes()).session.id
    assert await kenji.refused(f"sessions/{session}/acknowledge", id="client-0001") == (409, "not_escalated")
    started = await kenji.acts(session, "escalate")
    assert (started["row"]["escalation"]["why"], started["row"]["escalation"]["acknowledged_by"]) == ("by_hand", None)
    assert await kenji.refused(f"sessions/{session}/escalate", id="client-0002") == (409, "escalated_already")
    taken = await kenji.acts(session, "acknowledge")
    assert taken["row"]["escalation"]["acknowledged_by"] == who(house, "kenji").id
    await kenji.says(session, "I am with you.")
    assert (await kenji.thread(session))["row"]["escalation"] is None


async def test_looking_changes_nothing_whoever_looks(house: House, kenji: Browser) -> None:
    """Mail scanners and chat previews open every link, with or without a seat, and follow what they find."""
    stored = await house.customer("u-1", topic=SECURITY).writes()
    await offered(house, stored.session.id, who(house, "kenji").id)
    incident = await house.incidents.declare({"en": "Slow"}, {}, OperatorId("owner"))
    before = await everything(house)
    session, code = stored.session.id, stored.session.code
    deeds = (
        "claim",
        "acknowledge",
        "escalate",
        "resolve",
        "decline",
        "check",
        "release",
        "hold",
        "transfer",
        "incident",
    )
    paths = ["", f"#{code}", "api/me", "api/me/acted", "api/me/availability", "api/team", "api/team/reassign"]
    paths += ["api/offers", "api/sessions", f"api/find?code={code}", f"api/sessions/{session}", "api/incidents"]
    paths += [f"api/sessions/{session}/{deed}" for deed in deeds]
    paths += [f"api/incidents/{incident.id}{deed}" for deed in ("", "/end", "/broadcast", "/preview", "/link")]
    async with ClientSession() as stranger:
        for http in (stranger, kenji.http):
            for path in paths:
                for method in ("GET", "HEAD"):
                    async with http.request(method, f"{house.console}/{path}") as answer:
                        assert answer.status < 500, path
    assert await everything(house) == before


async def everything(house: House) -> dict[str, Any]:
    heads = {one: (await loaded(house, one)).head async for one in house.store.sessions()}
    spaces = ("available", "incident", "incident-ended", "broadcast-due")
    shelves = {space: dict(await house.store.shelf(space)) for space in spaces}
    return {"heads": heads, **shelves}


# ------------------------------------------------------------------ moving, ending, checking


async def test_a_move_with_a_reason_leaves_a_note_even_out_of_ones_own_reach(house: House, mei: Browser) -> None:
    customer = house.customer(topic=WITHDRAWALS, language="fr")
    stored = await customer.writes()
    session = stored.session.id
    await house.operator("aiko", names={"en": "Aiko"})
    await house.assignments.claim(session, who(house, "mei").id, InputKey("claim"))
    answer = await mei.acts(session, "transfer", desk=EN, operator=None, reason="asks about trading fees")
    assert answer["row"]["desk"] == EN
    journal = [one.fact for one in await house.store.journal(session)]
    (note,) = [fact for fact in journal if isinstance(fact, f.NoteAdded)]
    (body,) = await house.store.bodies(session, [(note.message, 0)])
    assert body is not None
    assert body.text == "asks about trading fees"
    shown = (await house.feed.catch_up(await customer.session(), None)).shown
    assert [one for one in shown if one.body and "fees" in one.body.text] == []


async def test_a_refused_move_leaves_no_note(house: House, kenji: Browser) -> None:
    session = (await house.customer().writes()).session.id
    status, code = await kenji.refused(f"sessions/{session}/transfer", id="client-0001", desk=EN, reason="why not")
    assert (status, code) == (409, "same_desk")
    assert await facts(house, session, f.NoteAdded) == 0


async def test_what_needs_a_check_is_not_solved_before_it(house: House, kenji: Browser) -> None:
    customer = house.customer("u-1", topic=SECURITY)
    session = (await customer.writes()).session.id
    assert (await kenji.thread(session))["card"]["check_demanded"] is True
    refused = await kenji.refused(f"sessions/{session}/resolve", id="client-0001", outcome="solved")
    assert refused == (409, "check_needed")
    asked = await kenji.acts(session, "check")
    check = (await loaded(house, session)).session.check
    assert check is not None
    assert asked["row"]["check"] == {"state": "requested", "at": check.at, "until": check.until}
    assert len(check.nonce) >= 32
    assert check.nonce not in json.dumps(asked), "the nonce is for the site and the customer"
    await customer.does(i.CustomerChecked(check.nonce, True))
    assert (await kenji.thread(session))["row"]["check"]["state"] == "passed"
    assert await kenji.refused(f"sessions/{session}/check", id="client-0003") == (409, "check_passed_already")
    assert (await kenji.acts(session, "resolve", outcome="solved"))["row"]["state"] == "resolved"


# ------------------------------------------------------------------ the team


async def held(house: House, account: str, count: int, topic: str = TRADING) -> list[Customer]:
    customers = [house.customer(f"{account}-{number}", topic=topic) for number in range(count)]
    for customer in customers:
        session = (await customer.writes()).session.id
        await house.assignments.claim(session, who(house, account).id, InputKey(f"claim/{session}"))
    return customers


async def test_only_leads_see_and_move_the_team(house: House, kenji: Browser, mei: Browser) -> None:
    session = (await house.customer().writes()).session.id
    async with mei.http.get(f"{house.console}/api/team") as answer:
        assert answer.status == 403
        assert str(session) not in await answer.text()
    refused = await mei.refused("team/reassign", id="client-0001", sessions=[session], operator=who(house, "mei").id)
    assert refused == (403, "forbidden")
    assert (await loaded(house, session)).session.assignee is None
    assert (await mei.gets("me"))["operator"]["lead"] is False
    assert (await kenji.gets("me"))["operator"]["lead"] is True


async def test_leads_see_who_is_on_why_and_what_is_late(house: House, kenji: Browser) -> None:
    await house.operator("aiko", names={"en": "Aiko"}, capacity=3)
    await house.availability.choose(who(house, "aiko").id, Choice.ON)
    await held(house, "aiko", 2)
    await held(house, "aiko", 1, WITHDRAWALS)
    session = (await house.customer("~line").writes()).session.id
    await offered(house, session, who(house, "kenji").id)
    answer = await kenji.gets("team")
    team = {one["id"]: one for one in answer["team"]}
    aiko, me = team[who(house, "aiko").id], team[who(house, "kenji").id]
    assert (aiko["standing"]["on"], aiko["standing"]["because"]) == (True, "said")
    assert (aiko["load"], aiko["capacity"], aiko["owed"], aiko["near"], aiko["past"]) == (2, 3, 2, 0, 0)
    assert (me["standing"]["on"], me["offered"], me["load"]) == (False, 1, 0)
    assert [row["session"] for row in answer["waiting"]] == [session]
    assert len(aiko["sessions"]) == 2


async def test_many_are_moved_at_once_within_the_capacity_and_each_outcome_is_told(
    house: House, kenji: Browser
) -> None:
    await house.operator("aiko", names={"en": "Aiko"}, capacity=4)
    ryo = await house.operator("ryo", names={"en": "Ryo"}, capacity=2)
    sessions = [(await one.session()).session.id for one in await held(house, "aiko", 3)]
    wanted = {"sessions": [*sessions, "main.0.nothing", "none"], "operator": ryo.id}
    answer = await kenji.posts("team/reassign", id="client-0001", **wanted)
    assert [one["refused"] for one in answer["results"]] == ["", "", "at_capacity", "no_session", "no_session"]
    holders = [(await loaded(house, one)).session.assignee for one in sessions]
    assert holders == [ryo.id, ryo.id, who(house, "aiko").id]
    again = await kenji.posts("team/reassign", id="client-0001", **wanted)
    assert [one["refused"] for one in again["results"]][:2] == ["", ""]
    assert await facts(house, sessions[0], f.OperatorAssigned) == 2, "a repeat after a lost answer changes nothing"


async def test_what_is_put_back_into_the_line_keeps_its_place(house: House, kenji: Browser) -> None:
    await house.operator("aiko", names={"en": "Aiko"}, capacity=4)
    (customer,) = await held(house, "aiko", 1)
    before = (await customer.session()).session
    answer = await kenji.posts("team/reassign", id="client-0001", sessions=[before.id])
    assert [one["refused"] for one in answer["results"]] == [""]
    after = (await loaded(house, before.id)).session
    assert (after.state, after.assignee, after.waiting_since) == (State.QUEUED, None, before.waiting_since)
    assert (await house.store.reservations(who(house, "aiko").id)).sessions == {}


async def test_nobody_is_given_what_their_desk_does_not_have(house: House, kenji: Browser, mei: Browser) -> None:
    session = (await house.customer(topic=TRADING).writes()).session.id
    to = who(house, "mei").id
    answer = await kenji.posts("team/reassign", id="client-0001", sessions=[session], operator=to)
    assert [one["refused"] for one in answer["results"]] == ["unknown_operator"]
    moved = await kenji.posts("team/reassign", id="client-0002", sessions=[session], operator=to, desk=OUT)
    assert [one["refused"] for one in moved["results"]] == [""]
    assert (await loaded(house, session)).session.desk == DeskId(OUT)


async def test_a_lead_moves_only_what_they_may_see(
    house: House, kenji: Browser, new_browser: Callable[[], Browser]
) -> None:
    lead = await house.operator("rin", names={"en": "Rin"}, desks=(OUT,), lead=True)
    rin = await new_browser().signs_in("rin")
    session = (await house.customer(topic=TRADING).writes()).session.id
    answer = await rin.posts("team/reassign", id="client-0001", sessions=[session], operator=lead.id)
    assert [(one["code"], one["refused"]) for one in answer["results"]] == [("", "no_session")]
    team = await rin.gets("team")
    assert team["waiting"] == []


@pytest.mark.parametrize("sessions", ["all", [1], [""], ["x" * 257], [f"s{number}" for number in range(101)]])
async def test_a_list_that_is_none_is_refused(kenji: Browser, sessions: object) -> None:
    status, code = await kenji.refused("team/reassign", id="client-0001", sessions=sessions)
    assert status == 400
    assert code in ("not_a_list", "not_text")


# ------------------------------------------------------------------ incidents


async def declared(browser: Browser, **scope: Any) -> str:
    titles = {"en": "Withdrawals are delayed", "ja": "出金が遅れています"}
    fields = {"titles": titles, "scope": {"since": 0, **scope} if scope else None}
    preview = await browser.posts("incidents/preview", **fields)
    made = await browser.posts("incidents", id="press-0001", incident=preview["incident"], **fields)
    name: str = made["incident"]["id"]
    return name


async def test_a_preview_writes_nothing_and_a_declaration_is_one(house: House, kenji: Browser) -> None:
    session = (await house.customer(topic=WITHDRAWALS).writes()).session.id
    await house.customer(account="~x", topic=TRADING).writes()
    await comes_true(lambda: listed(house, 2), "the lists are up to date")
    fields = {"titles": {"en": "Slow", "ja": ""}, "scope": {"since": 0, "topics": [WITHDRAWALS], "until": None}}
    preview = await kenji.posts("incidents/preview", **fields)
    assert (preview["titles"], preview["linked"]["sessions"]) == ({"en": "Slow"}, 1)
    assert await house.incidents.all() == ()
    for _ in range(2):
        made = await kenji.posts("incidents", id="press-0001", incident=preview["incident"], **fields)
    assert [one.id for one in await house.incidents.current()] == [made["incident"]["id"]]
    assert (await loaded(house, session)).session.incident == made["incident"]["id"]
    one = await kenji.gets(f"incidents/{made['incident']['id']}")
    assert (one["linked"], [row["session"] for row in one["rows"]]) == (1, [session])
    assert one["scopes"][0]["topics"] == [WITHDRAWALS]


async def listed(house: House, count: int) -> bool:
    lines = [line for desk in routed().desks for line in await house.store.lines(desk)]
    return len(lines) >= count


async def test_one_word_to_all_is_previewed_sent_once_and_watched(house: House, kenji: Browser) -> None:
    mia, ann = house.customer("~mia", language="ja"), house.customer("~ann")
    sessions = [(await one.writes()).session.id for one in (mia, ann)]
    name = await declared(kenji)
    for session in sessions:
        await kenji.acts(session, "incident", incident=name)
    preview = await kenji.posts(f"incidents/{name}/preview", words=WORDS)
    assert [(one["language"], one["text"]) for one in preview["readings"]] == [("en", WORDS["en"]), ("ja", WORDS["ja"])]
    assert [await facts(house, one, f.UpdateAdded) for one in sessions] == [0, 0]
    for _ in range(2):
        await kenji.posts(f"incidents/{name}/broadcast", id="press-0002", words=WORDS)

    async def finished() -> bool:
        (said,) = (await kenji.gets(f"incidents/{name}"))["broadcasts"]
        return said["finished_at"] is not None and said["done"] == 2

    await comes_true(finished, "the broadcast is done")
    assert [await facts(house, one, f.UpdateAdded) for one in sessions] == [1, 1]


async def test_resolving_together_tells_what_could_not_be_and_ends_the_incident(house: House, kenji: Browser) -> None:
    plain, guarded = house.customer("~a"), house.customer("~b", topic=SECURITY)
    sessions = [(await one.writes()).session.id for one in (plain, guarded)]
    name = await declared(kenji)
    for session in sessions:
        await kenji.acts(session, "incident", incident=name)
    await kenji.posts(f"incidents/{name}/broadcast", id="press-0002", words={}, outcome="solved", ends=True)

    async def over() -> bool:
        return (await kenji.gets(f"incidents/{name}"))["incident"]["ended_at"] is not None

    await comes_true(over, "it is over")
    (said,) = (await kenji.gets(f"incidents/{name}"))["broadcasts"]
    assert [one["reason"] for one in said["failures"]] == ["check_needed"]
    assert [(await loaded(house, one)).session.state for one in sessions] == [State.RESOLVED, State.QUEUED]
    refused = await kenji.refused(f"sessions/{sessions[0]}/incident", id="client-0100", incident=name)
    assert refused == (409, "incident_over")


async def test_only_leads_declare_tell_and_end_and_others_link_what_they_see(
    house: House, kenji: Browser, mei: Browser
) -> None:
    name = await declared(kenji)
    said = {"titles": {"en": "x"}, "incident": name, "id": "press-0009", "words": {"en": "x"}, "scope": {"since": 0}}
    for path in (
        "preview",
        "",
        f"{name}/wording",
        f"{name}/link",
        f"{name}/preview",
        f"{name}/broadcast",
        f"{name}/end",
    ):
        assert await mei.refused(f"incidents/{path}".rstrip("/"), **said) == (403, "forbidden"), path
    assert len(await house.incidents.current()) == 1
    theirs = (await house.customer("~a", topic=WITHDRAWALS, language="fr").writes()).session
    foreign = (await house.customer("~b").writes()).session.id
    await house.assignments.transfer(theirs.id, who(house, "kenji").id, OUT, None, InputKey("move"))
    assert (await mei.acts(theirs.id, "incident", incident=name))["row"]["incident"] == name
    assert await mei.refused(f"sessions/{foreign}/incident", id="client-0003", incident=name) == (404, "not_found")
    assert (await mei.acts(theirs.id, "incident", incident=None))["row"]["incident"] is None
    assert await mei.refused("sessions/none/incident", id="client-0005", incident=name) == (404, "not_found")
    assert await mei.refused(f"sessions/{theirs.id}/incident", id="client-0004", incident="INC-0") == (400, "invalid")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"titles": {}}, "invalid"),
        ({"titles": {"en": "x" * 81}}, "invalid"),
        ({"titles": {"en": "x" * 5000}}, "too_long"),
        ({"titles": ["en"]}, "not_an_object"),
        ({"titles": {f"l{number}": "x" for number in range(21)}}, "too_many"),
        ({"titles": {"en": "x"}, "scope": "all"}, "not_an_object"),
        ({"titles": {"en": "x"}, "scope": {"since": "now"}}, "not_a_number"),
    ],
)
async def test_words_that_will_not_do_are_refused(kenji: Browser, fields: dict[str, Any], code: str) -> None:
    assert await kenji.refused("incidents/preview", **fields) == (400, code)


async def test_a_broadcast_needs_words_or_an_end(house: House, kenji: Browser) -> None:
    name = await declared(kenji)
    assert await kenji.refused(f"incidents/{name}/broadcast", id="press-0001", words={}) == (400, "invalid")
    refused = await kenji.refused(f"incidents/{name}/broadcast", id="press-0001", words=WORDS, outcome="spam")
    assert refused == (400, "unknown_outcome")
    refused = await kenji.refused(f"incidents/{name}/broadcast", id="press-0001", words=WORDS, ends="yes")
    assert refused == (400, "not_a_flag")
    assert await kenji.refused("incidents/INC-000/broadcast", id="press-0001", words=WORDS) == (404, "not_found")
