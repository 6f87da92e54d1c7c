"""The desk over HTTP, on the real engine: who may, what they see, and what comes of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest
from aiohttp import ClientResponse, ClientSession, ClientWebSocketResponse, CookieJar
from structlog.testing import capture_logs
from yarl import URL

from adapters.console import live as live_module
from adapters.console.board import Board
from bridge.errors import StoreUnavailableError
from bridge.feed import Feed, Shown, Signal
from bridge.lanes import Lanes
from bridge.leases import Leases
from bridge.messages import About
from bridge.metrics import Metrics
from bridge.ports import Stored
from bridge.relay import Relay
from routing import inputs as i
from routing.ids import DeskId, InputKey, MessageId, OperatorId, SessionId
from routing.policy import Desk
from routing.session import Session
from tests.integration.console_house import PASSWORD, House, console_house, png, policy
from tests.unit.bridge.book import Book

CANARY = "canary-3f9a1c"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with console_house(tmp_path) as house:
        yield house


@dataclass
class Browser:
    """An operator's browser: a cookie jar, and the headers that our page sends."""

    house: House
    http: ClientSession
    numbers: int = 0
    pages: list[ClientWebSocketResponse] = field(default_factory=list)

    @property
    def headers(self) -> dict[str, str]:
        return {"Origin": self.house.url, "X-Kakehashi-Desk": "1"}

    async def gets(self, path: str, **query: str) -> Any:
        async with self.http.get(f"{self.house.console}/api/{path}", params=query) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def posts(self, path: str, **fields: Any) -> Any:
        async with self.post(path, fields) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def refused(self, path: str, **fields: Any) -> tuple[int, str]:
        async with self.post(path, fields) as answer:
            return answer.status, (await answer.json())["error"]["code"]

    def post(self, path: str, fields: dict[str, Any]) -> Any:
        return self.http.post(f"{self.house.console}/api/{path}", json=fields, headers=self.headers)

    async def posts_nothing(self, path: str, **fields: Any) -> None:
        async with self.post(path, fields) as answer:
            assert answer.status == 204, await answer.text()

    async def signs_in(self, account: str = "kenji") -> Browser:
        await self.posts("sign-in/password", account=account, password=PASSWORD)
        return self

    async def acts(self, session: SessionId, what: str, **fields: Any) -> Any:
        self.numbers += 1
        return await self.posts(f"sessions/{session}/{what}", **{"id": f"client-{self.numbers:04}", **fields})

    async def says(self, session: SessionId, text: str, kind: str = "reply") -> Any:
        return await self.acts(session, kind, parts=[{"type": "text", "text": text}])

    async def thread(self, session: SessionId) -> Any:
        return await self.gets(f"sessions/{session}")

    async def codes(self, name: str, **query: str) -> list[str]:
        return [row["code"] for row in (await self.gets("sessions", list=name, **query))["rows"]]

    async def watches(self) -> ClientWebSocketResponse:
        url = f"{self.house.console}/api/live"
        self.pages.append(await self.http.ws_connect(url, headers={"Origin": self.house.url}))
        return self.pages[-1]

    async def closes(self) -> None:
        for page in self.pages:
            await page.close()
        await self.http.close()


@pytest.fixture
async def new_browser(house: House) -> AsyncIterator[Callable[[], Browser]]:
    opened: list[Browser] = []

    def make() -> Browser:
        jar = CookieJar(unsafe=True)  # cookies of a bare address too
        opened.append(Browser(house, ClientSession(cookie_jar=jar)))
        return opened[-1]

    yield make
    for browser in opened:
        await browser.closes()


@pytest.fixture
async def kenji(house: House, new_browser: Callable[[], Browser]) -> Browser:
    await house.operator("kenji", names={"en": "Sato", "ja": "佐藤"}, lead=True)
    return await new_browser().signs_in()


async def until(frames: ClientWebSocketResponse, wanted: Callable[[Any], bool]) -> Any:
    async with asyncio.timeout(60):
        while not wanted(frame := json.loads(await frames.receive_str())):
            pass
        return frame


def words(thread: Any) -> list[tuple[str, str]]:
    return [(line["side"], line["parts"][0]["text"]) for line in thread["lines"] if line.get("parts")]


# ------------------------------------------------------------------ the door


async def test_the_printed_link_opens_the_desk_once(house: House, new_browser: Callable[[], Browser]) -> None:
    token = (await house.link()).rsplit("/", 1)[1]
    first, second = new_browser(), new_browser()
    await first.posts("sign-in/link", token=token)
    me = await first.gets("me")
    assert me["operator"]["id"] == "owner"
    assert me["operator"]["names"] == {}
    await first.posts("me/names", names={"en": "Mika", "ja": ""})
    assert house.directory.public_name(OperatorId("owner"), "en") == "Mika"
    assert await second.refused("sign-in/link", token=token) == (401, "link_used")


async def test_the_seat_is_a_cookie_that_scripts_and_other_sites_do_not_get(
    house: House, new_browser: Callable[[], Browser]
) -> None:
    await house.operator("kenji")
    browser = new_browser()
    async with browser.post("sign-in/password", {"account": "kenji", "password": PASSWORD}) as answer:
        cookie = answer.cookies["kakehashi-desk"]
    assert cookie["httponly"] is True
    assert (cookie["samesite"], cookie["path"]) == ("Strict", "/console")
    assert len(cookie.value) >= 43


async def test_signing_out_ends_the_seat_and_its_pages(kenji: Browser) -> None:
    page = await kenji.watches()
    await until(page, lambda frame: frame["t"] == "beat")
    place = URL(f"{kenji.house.console}/")
    cookies = kenji.http.cookie_jar.filter_cookies(place)
    await kenji.posts("sign-out")
    assert (await page.receive()).type is aiohttp.WSMsgType.CLOSE
    assert page.close_code == live_module.SIGNED_OUT
    kenji.http.cookie_jar.update_cookies(cookies, place)
    async with kenji.http.get(f"{kenji.house.console}/api/me") as answer:
        assert answer.status == 401


ROUTES = [
    ("GET", "me"),
    ("POST", "me/names"),
    ("GET", "desks"),
    ("GET", "offers"),
    ("GET", "team"),
    ("POST", "team/reassign"),
    ("POST", "me/availability"),
    ("POST", "me/acted"),
    ("GET", "incidents"),
    ("POST", "incidents"),
    ("GET", "incidents/x"),
    *(("POST", f"incidents/x/{what}") for what in ("wording", "link", "preview", "broadcast", "end")),
    ("GET", "sessions"),
    ("GET", "find"),
    ("GET", "sessions/x"),
    *(
        ("POST", f"sessions/x/{what}")
        for what in (
            "reply",
            "note",
            "revise",
            "withdraw",
            "react",
            "claim",
            "release",
            "hold",
            "transfer",
            "resolve",
            "typing",
            "decline",
        )
    ),
    *(("POST", f"sessions/x/{what}") for what in ("escalate", "acknowledge", "check", "incident")),
    ("POST", "uploads/"),
    ("PATCH", "uploads/x"),
    ("POST", "uploads/x/finish"),
    ("DELETE", "uploads/x"),
    ("GET", "live"),
    ("POST", "sign-out"),
    ("GET", "nothing/here"),
]


async def test_without_a_seat_there_is_nothing(house: House, new_browser: Callable[[], Browser]) -> None:
    browser = new_browser()
    for method, path in ROUTES:
        async with browser.http.request(method, f"{house.console}/api/{path}", headers=browser.headers) as answer:
            assert (path, answer.status, await error_of(answer)) == (path, 401, "not_signed_in")


async def error_of(answer: ClientResponse) -> str:
    code: str = (await answer.json())["error"]["code"]
    return code


@pytest.mark.parametrize(
    ("origin", "header", "code"),
    [
        ("ours", None, "no_header"),
        (None, "1", "origin_refused"),
        ("null", "1", "origin_refused"),
        ("https://evil.example", "1", "origin_refused"),
    ],
)
async def test_no_other_site_changes_anything(
    kenji: Browser, origin: str | None, header: str | None, code: str
) -> None:
    sent = {"Origin": kenji.house.url if origin == "ours" else origin, "X-Kakehashi-Desk": header}
    headers = {name: value for name, value in sent.items() if value is not None}
    for method, path in ROUTES:
        if method == "GET":
            continue
        async with kenji.http.request(method, f"{kenji.house.console}/api/{path}", headers=headers) as answer:
            assert (path, answer.status, await error_of(answer)) == (path, 403, code)


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://evil.example"}])
async def test_no_other_site_listens(kenji: Browser, headers: dict[str, str]) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await kenji.http.ws_connect(f"{kenji.house.console}/api/live", headers=headers)
    assert refused.value.status == 403


async def test_guessing_is_slowed_down(house: House, new_browser: Callable[[], Browser]) -> None:
    await house.operator("kenji")
    browser = new_browser()
    codes = [await browser.refused("sign-in/password", account="kenji", password="a wrong one") for _ in range(11)]
    assert codes == [(401, "wrong")] * 10 + [(429, "too_many")]


# ------------------------------------------------------------------ the page


async def test_the_page_may_run_our_files_and_nothing_else(house: House, new_browser: Callable[[], Browser]) -> None:
    async with new_browser().http.get(f"{house.console}/") as answer:
        policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == policy["frame-ancestors"] == policy["form-action"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == "'self'"
        assert policy["require-trusted-types-for"] == "'script'"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "page/desk.js" in await answer.text()


async def test_the_address_without_a_slash_leads_to_the_page(house: House, new_browser: Callable[[], Browser]) -> None:
    async with new_browser().http.get(house.console) as answer:
        assert (answer.status, str(answer.url)) == (200, f"{house.console}/")


async def test_answers_are_not_kept_and_files_are_looked_at_again(kenji: Browser) -> None:
    async with kenji.http.get(f"{kenji.house.console}/api/me") as answer:
        assert answer.headers["Cache-Control"] == "no-store"
    url = f"{kenji.house.console}/page/desk.js"
    async with kenji.http.get(url) as answer:
        assert answer.headers["Cache-Control"] == "no-cache"
        assert answer.content_type == "text/javascript"
        etag = answer.headers["ETag"]
    async with kenji.http.get(url, headers={"If-None-Match": etag}) as answer:
        assert answer.status == 304


@pytest.mark.parametrize("path", ["page/../server.py", "page/%2e%2e/server.py", "page/nothing.js", "words/xx.json"])
async def test_only_the_pages_own_files_are_served(kenji: Browser, path: str) -> None:
    async with kenji.http.get(f"{kenji.house.console}/{path}") as answer:
        assert answer.status == 404


# ------------------------------------------------------------------ lists


async def test_whoever_waits_longest_comes_first(house: House, kenji: Browser) -> None:
    sessions = [await house.customer(f"~c{number}").writes() for number in range(3)]
    assert await kenji.codes("waiting") == [one.session.code for one in sessions]
    assert await kenji.codes("mine") == []
    await kenji.acts(sessions[1].session.id, "claim")
    assert await kenji.codes("waiting") == [sessions[0].session.code, sessions[2].session.code]
    assert await kenji.codes("mine") == [sessions[1].session.code]
    assert len(await kenji.codes("all")) == 3
    assert (await kenji.gets("desks"))["counts"]["en"] == {"waiting": 2, "mine": 1, "all": 3}


async def test_a_row_says_what_an_operator_scans_for(house: House, kenji: Browser) -> None:
    stored = await house.customer("u-1", verified=True).writes("Where is\nmy  money?")
    (row,) = (await kenji.gets("sessions", list="waiting"))["rows"]
    assert row["session"] == stored.session.id
    assert (row["language"], row["topic"], row["desk"], row["name"]) == ("en", "trading", "en", "Mia Brown")
    assert row["last"] == {"side": "customer", "by": "", "text": "Where is my money?", "gone": "", "files": 0}
    assert row["incoming"] == [row["waiting_since"]]
    assert row["verified"] is True


async def test_what_is_done_is_found_among_the_done(house: House, kenji: Browser) -> None:
    resolved = await house.customer("~a").writes()
    ended = house.customer("~b")
    closed = await ended.writes()
    await kenji.acts(resolved.session.id, "resolve", outcome="unsolved")
    await ended.does(i.CustomerEnded())
    assert await kenji.codes("all") == []

    async def done() -> list[str]:
        return await kenji.codes("closed")

    await eventually(done, [closed.session.code, resolved.session.code])  # the index follows within a second
    wide = "".join(chr(ord(sign) + 0xFEE0) for sign in closed.session.code.lower())
    assert await kenji.gets("find", code=wide) == await kenji.gets("find", code=f" {closed.session.code} ")
    found = await kenji.gets("find", code=closed.session.code.lower())
    assert found["rows"][0]["state"] == "closed"


async def eventually(ask: Callable[[], Any], wanted: object) -> None:
    async with asyncio.timeout(60):
        while (found := await ask()) != wanted:  # noqa: ASYNC110 - another's index has no event for us
            await asyncio.sleep(0.05)
        assert found == wanted


async def test_operators_see_their_desks_and_what_they_hold(
    house: House, kenji: Browser, new_browser: Callable[[], Browser]
) -> None:
    aiko_id = (await house.operator("aiko", desks=(DeskId("ja"),))).id
    aiko = await new_browser().signs_in("aiko")
    english, japanese = await house.customer("~e").writes(), await house.customer("~j", language="ja").writes()
    assert await aiko.codes("all") == [japanese.session.code]
    assert list((await aiko.gets("desks"))["counts"]) == ["ja"]
    path = f"sessions/{english.session.id}"
    async with aiko.http.get(f"{house.console}/api/{path}") as answer:
        assert answer.status == 404
    hello = [{"type": "text", "text": "hello"}]
    assert await aiko.refused(f"{path}/reply", id="client-0001", parts=hello) == (404, "not_found")
    assert await aiko.refused(f"{path}/typing", kind="reply") == (404, "not_found")
    async with aiko.http.get(f"{house.console}/api/find", params={"code": english.session.code}) as answer:
        assert answer.status == 404
    async with aiko.http.get(f"{house.console}/api/team") as answer:
        assert answer.status == 403
    await house.operator_does(
        english.session.id, i.OperatorTransferred(OperatorId("x"), DeskId("en"), aiko_id), "desk/give"
    )
    assert await aiko.codes("mine") == [english.session.code]


async def becomes(so: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await so():  # noqa: ASYNC110  # Redis has no event for us
            await asyncio.sleep(0.01)


async def until_listed(house: House, stored: Stored) -> None:
    """Until the index has the session as it is, and will not be drawn again."""

    async def listed() -> bool:
        return stored.head in [line.head for line in await house.store.lines(stored.session.desk)]

    await becomes(listed)


async def test_a_removed_desks_sessions_stay_and_can_be_transferred(
    house: House, kenji: Browser, new_browser: Callable[[], Browser]
) -> None:
    for account, desk in (("aiko", "ja"), ("emma", "en")):
        await house.operator(account, desks=(DeskId(desk),))
    stored, gone = await house.customer("~j", language="ja").writes(), house.customer("~k", language="ja")
    await gone.writes()
    ended = (await gone.does(i.CustomerEnded())).session
    await until_listed(house, stored)

    async def among_the_closed() -> bool:
        return await house.store.closed(ended.desk, 1) == [ended.id]

    await becomes(among_the_closed)
    rules = house.relay._policy()
    cast(dict[DeskId, Desk], rules.desks).pop(DeskId("ja"))

    board = Board(house.store, house.relay, lambda: rules)  # a process that starts now
    with capture_logs() as said:
        await board.load()
    assert [(line["desk"], line["sessions"]) for line in said if line["event"] == "desk_not_in_policy"] == [("ja", 1)]
    seen_by = {one.account: [row.code for row in board.listed("all", one, None)[0]] for one in house.directory.all()}
    assert seen_by == {"aiko": [stored.session.code], "emma": [], "kenji": [stored.session.code]}

    assert (await kenji.gets("desks"))["counts"]["ja"]["waiting"] == 1
    assert await kenji.codes("closed") == [ended.code]
    assert (await kenji.acts(stored.session.id, "transfer", desk="en"))["row"]["desk"] == "en"
    assert "ja" not in (await kenji.gets("desks"))["counts"]


# ------------------------------------------------------------------ a session


async def test_a_conversation_both_ways(house: House, kenji: Browser) -> None:
    mia = house.customer()
    stored = await mia.writes("TXID 4a5e1e4baab89f3a")
    answer = await kenji.says(stored.session.id, "I see it.")
    assert answer["row"]["state"] == "assigned"
    await mia.receives(seen=True)
    thread = await kenji.thread(stored.session.id)
    assert words(thread) == [("customer", "TXID 4a5e1e4baab89f3a"), ("reply", "I see it.")]
    assert [line["key"] for line in thread["lines"] if "key" in line] == ["opened", "claimed"]
    assert thread["lines"][-1]["delivery"] == "seen"
    shown = await house.feed.catch_up(await mia.session(), None)
    assert texts(shown.shown) == ["TXID 4a5e1e4baab89f3a", "I see it."]


def texts(shown: tuple[Shown, ...]) -> list[str]:
    return [one.body.text for one in shown if one.body is not None]


async def test_a_message_of_the_customers_has_reached_the_desk(house: House, kenji: Browser) -> None:
    mia = house.customer()
    await mia.writes()

    async def reached() -> int:
        return len((await house.feed.catch_up(await mia.session(), None)).reached)

    await eventually(reached, 1)


async def test_a_note_never_gets_to_the_customer(house: House, kenji: Browser) -> None:
    mia = house.customer()
    heard = Ears()
    house.feed.follow(mia.key, heard)
    stored = await mia.writes()
    await kenji.says(stored.session.id, CANARY, "note")
    await kenji.posts_nothing(f"sessions/{stored.session.id}/typing", kind="note")
    await kenji.says(stored.session.id, "A reply.")
    await kenji.posts_nothing(f"sessions/{stored.session.id}/typing", kind="reply")
    assert ("note", CANARY) in words(await kenji.thread(stored.session.id))
    shown = await house.feed.catch_up(await mia.session(), None)
    assert texts(shown.shown) == ["Hello", "A reply."]
    assert CANARY not in repr(heard.heard)
    assert [one.kind for one in heard.heard if isinstance(one, Signal)] == ["typing"]


class Ears:
    """A customer's page that remembers all that it was told."""

    def __init__(self) -> None:
        self.heard: list[object] = []

    def shown(self, session: Session, events: tuple[Shown, ...]) -> None:
        self.heard += [session.id, *events]

    def behind(self, session: SessionId | None) -> None:
        self.heard.append(session)

    def signalled(self, signal: Signal) -> None:
        if signal.kind != "reached":
            self.heard.append(signal)


async def test_a_repeat_after_a_lost_answer_changes_nothing(house: House, kenji: Browser) -> None:
    stored = await house.customer().writes()
    for _ in range(3):
        parts = [{"type": "text", "text": "Once."}]
        await kenji.posts(f"sessions/{stored.session.id}/reply", id="the-same-id", parts=parts)
        await kenji.posts(
            f"sessions/{stored.session.id}/hold", id="the-same-hold", until=stored.session.opened_at + 900_000
        )
    thread = await kenji.thread(stored.session.id)
    assert words(thread) == [("customer", "Hello"), ("reply", "Once.")]
    assert [line["key"] for line in thread["lines"] if "key" in line] == ["opened", "claimed", "held"]


async def test_every_action_does_what_it_says(house: House, kenji: Browser) -> None:
    mia = house.customer()
    session = (await mia.writes()).session.id
    me = (await kenji.gets("me"))["operator"]["id"]
    assert (await kenji.acts(session, "claim"))["row"]["assignee"] == me
    assert (await kenji.acts(session, "release"))["row"]["state"] == "queued"
    until_then = (await kenji.gets("me"))["now"] + 600_000
    assert (await kenji.acts(session, "hold", until=until_then))["row"]["until"] == until_then
    moved = await kenji.acts(session, "transfer", desk="withdrawals")
    assert (moved["row"]["desk"], moved["row"]["state"]) == ("withdrawals", "queued")
    given = await kenji.acts(session, "transfer", desk="en", operator=me)
    assert (given["row"]["desk"], given["row"]["assignee"]) == ("en", me)
    assert (await kenji.acts(session, "resolve", outcome="unsolved"))["row"]["state"] == "resolved"
    assert (await kenji.acts(session, "resolve"))["changed"] is False
    assert (await kenji.acts(session, "claim"))["row"]["state"] == "assigned"
    thread = await kenji.thread(session)
    assert thread["card"]["transfers"] == 2
    assert thread["card"]["reopenings"] == 1


async def test_refusals_say_why_and_what_is_true_now(
    house: House, kenji: Browser, new_browser: Callable[[], Browser]
) -> None:
    await house.operator("aiko")
    aiko = await new_browser().signs_in("aiko")
    mia = house.customer()
    session = (await mia.writes()).session.id
    await aiko.acts(session, "claim")
    path = f"sessions/{session}"
    async with kenji.post(f"{path}/claim", {"id": "client-9001"}) as answer:
        assert answer.status == 409
        body = await answer.json()
    assert body["error"] == {"code": "already_claimed", "retry": False}
    assert body["row"]["assignee"] == (await aiko.gets("me"))["operator"]["id"]
    assert await kenji.refused(f"{path}/release", id="client-9002") == (409, "not_held_by_you")
    assert await kenji.refused(f"{path}/hold", id="client-9003", until=1) == (409, "hold_in_past")
    assert await kenji.refused(f"{path}/transfer", id="client-9004", desk="moon") == (409, "unknown_desk")
    assert await kenji.refused(f"{path}/transfer", id="client-9005", desk="ja", operator="x") == (
        400,
        "unknown_operator",
    )
    assert await kenji.refused(f"{path}/resolve", id="client-9006", outcome="ended") == (400, "unknown_outcome")
    assert await kenji.refused(f"{path}/typing", kind="shouting") == (400, "unknown_kind")
    await mia.does(i.CustomerEnded())
    parts = [{"type": "text", "text": "too late"}]
    assert await kenji.refused(f"{path}/reply", id="client-9007", parts=parts) == (409, "session_closed")
    await kenji.posts(f"{path}/note", id="client-9008", parts=parts)  # what was learnt afterwards belongs to the record


async def test_the_card_tells_who_it_is_and_what_was_before(house: House, kenji: Browser) -> None:
    about = About("Mia Brown", "en-GB", "https://exchange.example/wallet", "Europe/London", {"tier": "Gold"})
    mia = house.customer("u-8841", verified=True, about=about)
    first = await mia.writes("first")
    await mia.does(i.CustomerEnded())
    second = await mia.writes("second")
    card = (await kenji.thread(second.session.id))["card"]
    assert (card["name"], card["account"], card["verified"]) == ("Mia Brown", "u-8841", True)
    assert (card["page"], card["time_zone"], card["claims"]) == (about.page, about.time_zone, {"tier": "Gold"})
    assert [(one["code"], one["outcome"]) for one in card["past"]] == [(first.session.code, "abandoned")]
    visitor = await house.customer("~v").writes()
    assert (await kenji.thread(visitor.session.id))["card"]["account"] == ""


async def test_a_long_conversation_is_read_in_pieces(house: House, kenji: Browser) -> None:
    mia = house.customer()
    for number in range(210):
        stored = await mia.writes(f"message {number}")
    thread = await kenji.thread(stored.session.id)
    assert (len(thread["lines"]), thread["older"]) == (200, True)
    earlier = await kenji.gets(f"sessions/{stored.session.id}", before=str(thread["lines"][0]["index"]))
    assert earlier["older"] is False
    assert words(earlier)[0] == ("customer", "message 0")
    assert len(words(earlier) + words(thread)) == 210


async def test_what_a_command_has_done_is_shown_by_a_process_that_is_alone_and_hears_of_none(
    house: House, kenji: Browser
) -> None:
    stored = await house.customer().writes("a secret")
    path, feed = f"sessions/{stored.session.id}", Feed(house.store)
    assert (await kenji.gets(path))["row"]["last"]["text"] == "a secret"
    lanes = Lanes(house.store, {}, Leases(house.store, "command", []), feed, Metrics("test"))
    command = Relay(house.store, feed, policy, lanes)
    await command.from_bridge(stored.session.id, i.ErasureOrdered(), InputKey("admin/erase"))
    seen = await kenji.gets(path)
    assert (seen["card"]["erased"], seen["row"]["last"]["gone"]) == (True, "erased")
    assert "a secret" not in json.dumps(seen)


async def test_what_is_withdrawn_or_erased_is_not_read(house: House, kenji: Browser) -> None:
    mia = house.customer("u-1")
    stored = await mia.writes(CANARY)
    await mia.writes("stays")
    await mia.does(i.CustomerWithdrew(MessageId("c:client-0000")))
    thread = await kenji.thread(stored.session.id)
    assert CANARY not in json.dumps(thread)
    assert [line["withdrawn"] for line in thread["lines"] if "side" in line] == [True, False]
    await house.relay.from_bridge(stored.session.id, i.ErasureOrdered(), InputKey("admin/erase"))
    thread = await kenji.thread(stored.session.id)  # the deletion of the bodies comes after the fact
    assert "stays" not in json.dumps(thread)
    assert "Mia Brown" not in json.dumps(thread)
    assert thread["row"]["last"]["gone"] == "erased"


# ------------------------------------------------------------------ attachments


async def upload(browser: Browser, content: bytes, name: str = "screen.png") -> str:
    async with browser.post("uploads/", {"name": name, "size": len(content)}) as begun:
        upload = (await begun.json())["upload"]
    headers = {**browser.headers, "Upload-Offset": "0"}
    url = f"{browser.house.console}/api/uploads/{upload}"
    async with browser.http.patch(url, data=content, headers=headers) as answer:
        assert answer.status == 200
    async with browser.http.post(f"{url}/finish", headers=browser.headers) as answer:
        file: str = (await answer.json())["file"]["id"]
        return file


async def test_a_picture_goes_along_and_can_be_looked_at(house: House, kenji: Browser) -> None:
    mia = house.customer()
    stored = await mia.writes()
    file = await upload(kenji, png())
    await kenji.acts(
        stored.session.id, "reply", parts=[{"type": "text", "text": "See"}, {"type": "file", "file": file}]
    )
    line = (await kenji.thread(stored.session.id))["lines"][-1]
    picture = line["parts"][1]
    assert (picture["name"], picture["media_type"], picture["width"]) == ("screen.png", "image/png", 640)
    async with kenji.http.get(house.url + picture["url"]) as answer:
        assert (answer.status, answer.content_type) == (200, "image/png")


async def test_nobody_sends_somebody_elses_file(
    house: House, kenji: Browser, new_browser: Callable[[], Browser]
) -> None:
    await house.operator("aiko")
    aiko = await new_browser().signs_in("aiko")
    session = (await house.customer().writes()).session.id
    for file in (await upload(aiko, png()), "no-such-file"):
        parts = [{"type": "file", "file": file}]
        assert await kenji.refused(f"sessions/{session}/reply", id="client-0001", parts=parts) == (400, "unknown_file")


# ------------------------------------------------------------------ live


async def test_open_pages_hear_of_everything_at_their_desks(house: House, kenji: Browser) -> None:
    page = await kenji.watches()
    mia = house.customer()
    stored = await mia.writes("live!")
    news = await until(page, lambda frame: frame["t"] == "rows")
    assert news["rows"][0]["last"]["text"] == "live!"
    assert news["counts"]["en"]["waiting"] == 1
    await mia.types()
    typing = await until(page, lambda frame: frame["t"] == "typing")
    assert (typing["session"], typing["operator"], typing["note"]) == (stored.session.id, "", False)


async def test_colleagues_see_who_is_writing_and_do_not_answer_twice(
    house: House, kenji: Browser, new_browser: Callable[[], Browser]
) -> None:
    await house.operator("aiko")
    aiko = await new_browser().signs_in("aiko")
    session = (await house.customer().writes()).session.id
    page, own = await kenji.watches(), await aiko.watches()
    await until(own, lambda frame: frame["t"] == "beat")
    await until(page, lambda frame: frame["t"] == "beat")
    for kind in ("reply", "note"):
        await aiko.posts_nothing(f"sessions/{session}/typing", kind=kind)
        typing = await until(page, lambda frame: frame["t"] == "typing")
        assert typing["operator"] == (await aiko.gets("me"))["operator"]["id"]
        assert typing["note"] is (kind == "note")
    await aiko.says(session, "Mine.")
    frame = await until(own, lambda frame: frame["t"] in ("typing", "rows"))
    assert frame["t"] == "rows"  # nobody is told that they write themselves


async def test_a_session_that_leaves_ones_desks_leaves_the_page(
    house: House, kenji: Browser, new_browser: Callable[[], Browser]
) -> None:
    await house.operator("aiko", desks=(DeskId("en"),))
    aiko = await new_browser().signs_in("aiko")
    session = (await house.customer().writes()).session.id
    page = await aiko.watches()
    await until(page, lambda frame: frame["t"] == "beat")
    await kenji.acts(session, "transfer", desk="ja")
    news = await until(page, lambda frame: frame["t"] == "rows" and frame["gone"])
    assert (news["gone"], news["rows"]) == ([session], [])


async def test_a_lost_hint_is_noticed(house: House, kenji: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    mia = house.customer()
    stored = await mia.writes()
    await kenji.codes("waiting")
    page = await kenji.watches()
    await until(page, lambda frame: frame["t"] == "beat")
    watchers, house.feed._watchers = house.feed._watchers, []  # another process commits, and its hint is lost
    await mia.writes("unheard")
    house.feed._watchers = watchers
    news = await until(page, lambda frame: frame["t"] == "rows")
    assert news["rows"][0]["session"] == stored.session.id
    assert news["rows"][0]["last"]["text"] == "unheard"


async def test_after_a_lost_subscription_open_pages_catch_up(house: House, kenji: Browser) -> None:
    """One more message in a talk renews no line, so only the sessions themselves can tell."""
    mia = house.customer()
    await until_listed(house, await mia.writes())
    await kenji.codes("waiting")
    page = await kenji.watches()
    await until(page, lambda frame: frame["t"] == "beat")
    there = Relay(house.store, Feed(house.store), house.relay._policy, house.relay._senders)
    await replace(mia, house=replace(house, relay=there)).writes("unheard")
    house.relay.forget()  # what the service does when it hears again
    house.feed.all_behind()
    news = await until(page, lambda frame: frame["t"] == "rows")
    assert [row["last"]["text"] for row in news["rows"]] == ["unheard"]


async def test_a_page_is_closed_when_its_seat_has_ended(
    house: House, kenji: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_module, "BEAT", 0.5)
    page = await kenji.watches()
    await until(page, lambda frame: frame["t"] == "beat")
    await house.directory.close((await kenji.gets("me"))["operator"]["id"])
    async with asyncio.timeout(60):
        while (await page.receive()).type is not aiohttp.WSMsgType.CLOSE:
            pass
    assert page.close_code == live_module.SIGNED_OUT


async def test_a_page_that_reads_too_slowly_is_cut(
    house: House, kenji: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_module, "BACKLOG", 1)
    page = await kenji.watches()
    mia = house.customer()
    await mia.writes()
    await until(page, lambda frame: frame["t"] == "rows")
    for _ in range(5):  # without a pause between them, so that no frame can leave
        house.feed.pass_on("", Signal("typing", (await mia.session()).session.id))
    async with asyncio.timeout(60):
        while (await page.receive()).type is not aiohttp.WSMsgType.CLOSE:
            pass
    assert page.close_code == aiohttp.WSCloseCode.TRY_AGAIN_LATER


async def test_leads_see_who_is_on_and_what_they_hold(house: House, kenji: Browser) -> None:
    aiko = await house.operator("aiko", capacity=6)
    session = (await house.customer().writes()).session.id
    await house.replies(session, aiko.id, "One moment.")
    page = await kenji.watches()
    await until(page, lambda frame: frame["t"] == "beat")
    team = {one["id"]: one for one in (await kenji.gets("team"))["team"]}
    me = (await kenji.gets("me"))["operator"]["id"]
    assert (team[me]["here"], team[me]["load"]) == (True, 0)
    assert (team[aiko.id]["here"], team[aiko.id]["load"], team[aiko.id]["capacity"]) == (False, 1, 6)


# ------------------------------------------------------------------ when the store is away


async def test_what_is_not_stored_is_said_and_may_be_sent_again(
    house: House, kenji: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = await house.customer().writes()

    async def away(commit: object) -> None:
        raise StoreUnavailableError("away")

    parts = [{"type": "text", "text": "again"}]
    with monkeypatch.context() as broken:
        broken.setattr(house.store, "commit", away)
        async with kenji.post(f"sessions/{stored.session.id}/reply", {"id": "client-0001", "parts": parts}) as answer:
            assert answer.status == 503
            assert (await answer.json())["error"] == {"code": "not_stored", "retry": True}
    await kenji.posts(f"sessions/{stored.session.id}/reply", id="client-0001", parts=parts)
    assert words(await kenji.thread(stored.session.id))[-1] == ("reply", "again")


# ------------------------------------------------------------------ the fake beside the real one


@pytest.mark.parametrize("kind", ["fake", "real"])
async def test_single_values_are_kept_alike_in_the_fake_and_in_redis(house: House, kind: str) -> None:
    store = Book().store if kind == "fake" else house.store
    await store.put("operator/x", "1")
    await store.put("operator/x", "2")
    await store.put("operator/y", "3")
    await store.put("desk-link/x", "once", 60_000)
    assert await store.names("operator/") == ["operator/x", "operator/y"]
    assert (await store.get("operator/x"), await store.get("desk-link/x"), await store.get("none")) == (
        "2",
        "once",
        None,
    )
    assert (await store.take_once("desk-link/x"), await store.take_once("desk-link/x")) == ("once", None)
    await store.forget("operator/x")
    assert await store.names("operator/") == ["operator/y"]
    granted = [await store.draw("bucket", 1, 0.001, 2) for _ in range(3)]
    assert [one for one, _ in granted] == [1, 1, 0]
    assert granted[-1][1] > 0
