"""The way to an answer as pages hear of it: the line, hours, incidents, languages, translations, identity checks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import jwt
import pytest

from bridge.errors import StoreUnavailableError
from bridge.feed import Queue
from bridge.incidents import Incident
from bridge.messages import Body, TextPart
from bridge.relay import Receipt
from routing import inputs as i
from routing.hours import Hours
from routing.ids import DeskId, IncidentId, InputKey, NetworkName, OperatorId, Place, Topic
from routing.policy import Contact, Desk, Policy, TopicRules
from routing.session import CheckState
from tests.integration.customer_side import AIKO, NOW, Page, Process, alone, site_token
from tests.integration.test_customer_poll import PollPage

EN, JA = DeskId("english"), DeskId("japanese")
THEFT = Topic("theft")
CHECK_SECRET = "c" * 48
CHECK_PAGE = "https://shop.example/verify"
IDENTITY = {"url": CHECK_PAGE, "keys": [{"kid": "check", "secret": CHECK_SECRET}]}


def policy(**desk: Any) -> Policy:
    english = Desk(EN, NetworkName("console"), Place("en"), languages=("en",), **desk)
    japanese = Desk(JA, NetworkName("console"), Place("ja"), languages=("ja",))
    rules = {THEFT: TopicRules(THEFT, emergency=True)}
    return Policy({EN: english, JA: japanese}, (Topic("trading"), THEFT), rules, translates=True)


@dataclass
class Town:
    """A process, with what may change around it."""

    policy: Policy = field(default_factory=policy)
    incidents: tuple[Incident, ...] = ()

    async def current(self) -> tuple[Incident, ...]:
        return self.incidents

    @asynccontextmanager
    async def open(self, folder: Path) -> AsyncIterator[Process]:
        around = {"policy": lambda: self.policy, "incidents": self.current}
        async with alone(folder, identity=IDENTITY, **around) as house:
            house.clocks.wall = await house.store.now() / 1000  # hours are compared with the store's time
            yield house


@pytest.fixture
def town() -> Town:
    return Town()


@pytest.fixture
async def house(town: Town, tmp_path: Path) -> AsyncIterator[Process]:
    async with town.open(tmp_path) as one:
        yield one


async def notice(page: Page, key: str) -> dict[str, Any]:
    """The next notice of that key."""
    while (frame := await page.hear_of("event")).get("key") != key:
        pass
    return frame


# ---------------------------------------------------------------------------------------------- the line


async def test_a_place_in_the_line_is_told_and_is_in_the_next_welcome(house: Process) -> None:
    async with house.page() as page:
        welcome = await page.greet()
        assert welcome["queue"] is None
        code = (await page.write("hello"))["session"]
        session = (await house.session(code)).session
        customer = str(session.customer)
        for queue in (Queue(3, 4, 7), Queue(3, 4, 7), Queue(4)):
            house.feed.queued(customer, session.id, session.desk, queue)
        first, second = await page.hear_of("queue"), await page.hear_of("queue")
        assert first == {
            "t": "queue",
            "session": code,
            "queue": {"position": 3, "low": 4, "high": 7, "risen": False},
        }
        assert second["queue"] == {"position": 4, "low": None, "high": None, "risen": True}
        async with house.page() as other:
            again = await other.greet(token=welcome["token"])
            assert again["queue"] == {"position": 4, "low": None, "high": None, "risen": False}
            house.feed.queued(customer, session.id, session.desk, None)
            assert (await other.hear_of("queue"))["queue"] is None
        assert (await page.hear_of("queue"))["queue"] is None


async def test_who_polls_hears_the_same_of_line_and_house(town: Town, house: Process) -> None:
    page = PollPage(house)
    welcome = await page.begin()
    assert welcome["service"]["open"]
    told = await page.write("hello")
    session = (await house.session(told[-1]["session"])).session
    waiting = asyncio.create_task(page.receive())
    await asyncio.sleep(0)
    house.feed.queued(str(session.customer), session.id, session.desk, Queue(2, 1, 3))
    assert [frame["t"] for frame in await waiting] == ["queue"]
    await house.tick()
    town.incidents = (late(),)
    await house.tick(5)
    await house.tick(1)
    frames = [frame for frame in await page.receive() if frame["t"] == "house"]
    assert [frame["incidents"][0]["title"] for frame in frames] == ["Withdrawals are late"]


# ---------------------------------------------------------------------------------------------- hours


async def test_at_night_one_writes_all_the_same_and_is_told_when_and_how_else(tmp_path: Path) -> None:
    town = Town()
    async with town.open(tmp_path) as house:
        now = await house.store.now()
        opens = now + 8 * 3_600_000
        town.policy = policy(hours=Hours(((opens, opens + 1),)), contact=Contact("help@shop.example"))
        async with house.page() as page:
            welcome = await page.greet()
            service = welcome["service"]
            assert (service["open"], service["opens"], service["wait"]) == (False, opens, None)
            assert service["topics"]["trading"] == {"open": False, "opens": opens, "emergency": False}
            assert service["topics"]["theft"] == {"open": True, "opens": None, "emergency": True}
            ack = await page.write("are you there?", topic="trading")
            opening = next(frame for frame in page.heard if frame["t"] == "session")["session"]
            assert opening["opens"] == opens
            told = next(frame for frame in page.heard if frame.get("kind") == "notice")
            assert (told["key"], told["until"]) == ("outside_hours", opens)
            assert told["contact"] == {"mail": "help@shop.example", "phone": None, "hours": None}
            stored = await house.session(ack["session"])
            assert (stored.session.opens_at, stored.session.messages) == (opens, 1)
            await house.relay.from_bridge(stored.session.id, i.DeadlineFell(), InputKey("too early"))
            assert await page.nothing_more() == []


async def test_a_desk_that_opens_is_told_to_every_page(tmp_path: Path) -> None:
    town = Town()
    async with town.open(tmp_path) as house:
        opens = int(house.clocks.wall * 1000) + 60_000
        town.policy = replace(policy(hours=Hours(((opens, opens + 3_600_000),))), topics=())
        async with house.page() as page:
            assert (await page.greet())["service"]["opens"] == opens
            await house.tick()  # from here on it is known what was told
            await house.tick(30)
            assert "house" not in [frame["t"] for frame in await page.nothing_more()]
            await house.tick(31)
            told = await page.hear_of("house")
            assert (told["service"]["open"], told["service"]["opens"]) == (True, None)


# ---------------------------------------------------------------------------------------------- incidents


def late(**changed: Any) -> Incident:
    words = {"en": "Withdrawals are late", "ja": "出金が遅れています"}
    return Incident(**{"id": IncidentId("I1"), "titles": words, "banners": {}, "since": 7, "by": AIKO, **changed})


async def test_an_incident_is_on_every_page_in_its_language_until_it_ends(town: Town, house: Process) -> None:
    await house.tick()
    async with house.page() as english, house.page() as japanese:
        assert (await english.greet())["incidents"] == []
        await japanese.greet(locale="ja")
        town.incidents = (late(),)
        await house.tick(5)
        await house.tick(1)
        told = {"id": "I1", "title": "Withdrawals are late", "text": None, "since": 7}
        assert (await english.hear_of("house"))["incidents"] == [told]
        assert (await japanese.hear_of("house"))["incidents"][0]["title"] == "出金が遅れています"
        async with house.page() as later:
            assert (await later.greet())["incidents"] == [told]
        code = (await english.write("where is it?"))["session"]
        session = (await house.session(code)).session.id
        await house.relay.from_bridge(session, i.IncidentNamed(IncidentId("I1")), InputKey("link"))
        assert (await notice(english, "incident"))["incident"] == "Withdrawals are late"
        town.incidents = ()
        await house.tick(5)
        await house.tick(1)
        assert (await english.hear_of("house"))["incidents"] == []


# ---------------------------------------------------------------------------------------------- languages


async def test_an_offered_language_is_taken_and_leads_to_the_desk_that_speaks_it(house: Process) -> None:
    async with house.page() as page:
        await page.greet()
        code = (await page.write("出金が届きません"))["session"]
        session = (await house.session(code)).session
        detected = i.LanguageDetected(session.recent[-1].message, "ja")
        await house.relay.from_bridge(session.id, detected, InputKey("detected"))
        assert (await notice(page, "language_offered"))["language"] == "ja"
        await page.say("choose_language", id="choice-1", language="ja-JP")
        changed = await notice(page, "language_changed")
        moved = await notice(page, "moved_language")
        assert (changed["language"], moved["desk"], moved["after"]["language"]) == ("ja", "Japanese", "ja")
        assert (await page.hear_of("ack"))["id"] == "choice-1"
        await page.say("choose_language", id="choice-1", language="ja-JP")  # its answer was lost on the way
        assert (await page.hear_of("ack"))["pos"] is None
        assert (await house.session(code)).session.desk == JA


async def test_to_stay_with_ones_language_changes_nothing_and_is_acknowledged(house: Process) -> None:
    async with house.page() as page:
        await page.greet()
        code = (await page.write("hello"))["session"]
        head = (await house.session(code)).head
        await page.say("choose_language", id="choice-1", language="en-GB")
        assert (await page.hear_of("ack"))["id"] == "choice-1"
        assert (await house.session(code)).head == head


async def test_a_translation_comes_beside_its_reply_live_and_with_the_history(house: Process) -> None:
    async with house.page() as page:
        token = (await page.greet())["token"]
        code = (await page.write("hello"))["session"]
        message = await house.reply(code, "ただいま確認いたします")
        while (reply := await page.hear_of("event"))["kind"] != "message":
            pass
        session = (await house.session(code)).session.id
        body = Body((TextPart("I am looking into it"),))
        event = i.MessageTranslated(message, 0, "en")
        answer = await house.relay.from_bridge(session, event, InputKey("translated"), body=body)
        assert isinstance(answer, Receipt)
        told = await page.hear_of("event")
        assert (told["kind"], told["id"], told["rev"]) == ("translation", reply["id"], 0)
        assert told["parts"] == [{"type": "text", "text": "I am looking into it"}]
    async with house.page() as page:
        history = (await page.greet(token=token))["events"]
        assert [one["parts"][0]["text"] for one in history if one["kind"] == "translation"] == ["I am looking into it"]
        assert "t:en:" not in page.raw[0]


# ---------------------------------------------------------------------------------------------- identity checks


def outcome(nonce: str, key: str = CHECK_SECRET, **changed: Any) -> str:
    """What the site's server signs."""
    now = changed.pop("now", NOW)
    claims = {
        "sub": "user-1",
        "aud": "kakehashi-identity",
        "exp": int(now) + 120,
        "nonce": nonce,
        "passed": True,
        "auth_time": int(now),
        "amr": ["otp"],
        **changed,
    }
    return jwt.encode(claims, key, "HS256")


@dataclass
class Site:
    """The site's server, which hands outcomes in."""

    house: Process

    async def hand_in(self, token: str, media: str = "application/jwt") -> tuple[int, dict[str, Any]]:
        """The status, and the error where there is one."""
        headers = {"Content-Type": media}
        async with self.house.http.post(f"{self.house.url}/identity", data=token, headers=headers) as response:
            error = (await response.json())["error"] if response.status != 204 else {}
            return response.status, error

    def outcome(self, nonce: str, **changed: Any) -> str:
        return outcome(nonce, now=self.house.clocks.wall, **changed)


async def asked(house: Process, page: Page, **hello: Any) -> tuple[str, str]:
    """A conversation in which an operator has asked for the check: (code, nonce)."""
    await page.greet(**hello)
    code = (await page.write("please change my address"))["session"]
    await house.act(code, i.OperatorAskedCheck(AIKO, f"nonce-{code}"))
    event = await notice(page, "check_requested")
    assert event["url"] == f"{CHECK_PAGE}?nonce=nonce-{code}"
    return code, f"nonce-{code}"


def login(house: Process, account: str = "user-1") -> dict[str, str]:
    return {"jwt": site_token(account, now=house.clocks.wall)}


async def test_the_sites_word_is_recorded_told_and_harmless_when_it_is_repeated(house: Process) -> None:
    site = Site(house)
    async with house.page() as page:
        code, nonce = await asked(house, page, **login(house))
        assert await site.hand_in(site.outcome(nonce)) == (204, {})
        told = await notice(page, "check_passed")
        check = (await house.session(code)).session.check
        assert check is not None
        assert (check.state, check.until) == (CheckState.PASSED, told["until"])
        head = (await house.session(code)).head
        assert await site.hand_in(site.outcome(nonce)) == (204, {})
        status, error = await site.hand_in(site.outcome(nonce, passed=False))  # another word about the same request
        assert (status, error["code"]) == (409, "no_such_check")
        assert (await house.session(code)).head == head


async def test_a_check_that_failed_is_told_as_that(house: Process) -> None:
    site = Site(house)
    async with house.page() as page:
        code, nonce = await asked(house, page, **login(house))
        assert await site.hand_in(site.outcome(nonce, passed=False, amr=[])) == (204, {})
        await notice(page, "check_failed")
        status, _ = await site.hand_in(site.outcome(nonce))  # too late to think otherwise
        assert status == 409
        check = (await house.session(code)).session.check
        assert check is not None
        assert check.state is CheckState.FAILED


async def test_nobody_is_checked_by_anothers_proof(house: Process) -> None:
    site = Site(house)
    async with house.page() as page, house.page() as other:
        code, nonce = await asked(house, page, **login(house))
        _, others = await asked(house, other, **login(house, "user-2"))
        for token in (site.outcome(others), site.outcome(nonce, sub="user-2"), site.outcome("made-up")):
            status, error = await site.hand_in(token)
            assert (status, error["code"]) == (409, "no_such_check")
        check = (await house.session(code)).session.check
        assert check is not None
        assert check.state is CheckState.REQUESTED


async def test_a_visitor_passes_the_check_by_logging_in(house: Process) -> None:
    site = Site(house)
    async with house.page() as page:
        _, nonce = await asked(house, page)
        assert (await site.hand_in(site.outcome(nonce)))[0] == 409
        await page.say("identify", **login(house))
        await page.hear_of("welcome")
        assert (await site.hand_in(site.outcome(nonce)))[0] == 204
        await notice(page, "check_passed")


async def test_each_refusal_says_what_is_wrong_and_repeats_nothing(house: Process) -> None:
    site = Site(house)
    async with house.page() as page:
        _, nonce = await asked(house, page, **login(house))
        stale = site.outcome(nonce, auth_time=int(house.clocks.wall) - 5_000)
        tries = {
            "wrong_type": (site.outcome(nonce), "application/json", 415),
            "expired": (site.outcome(nonce, exp=int(house.clocks.wall) - 500), "application/jwt", 400),
            "token_refused": (stale, "application/jwt", 400),
        }
        for code, (token, media, status) in tries.items():
            answered, error = await site.hand_in(token, media)
            assert (answered, error["code"]) == (status, code)
            assert set(error) == {"code", "what", "mend"}
            assert nonce not in str(error)
        for bad in ("x" * 20_000, site.outcome(nonce, key="x" * 48), "", "\u00e9", login(house)["jwt"]):
            status, error = await site.hand_in(bad)
            assert (status, error["code"]) == (400, "token_refused")
        assert "check" not in str(await page.nothing_more())


async def test_a_word_that_cannot_be_stored_may_be_handed_in_again(
    house: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dead(commit: object) -> None:
        raise StoreUnavailableError("the engine is gone")

    site = Site(house)
    async with house.page() as page:
        _, nonce = await asked(house, page, **login(house))
        token = site.outcome(nonce)
        with monkeypatch.context() as patch:
            patch.setattr(house.store, "commit", dead)
            status, error = await site.hand_in(token)
        assert (status, error["code"]) == (503, "not_stored")
        assert (await site.hand_in(token))[0] == 204
        await notice(page, "check_passed")


async def test_a_flood_of_tokens_is_shed(house: Process) -> None:
    site = Site(house)
    answers = [(await site.hand_in("x"))[0] for _ in range(230)]
    assert answers[0] == 400
    assert answers[-1] == 429
    house.clocks.advance(60)
    assert (await site.hand_in("x"))[0] == 400


async def test_without_a_page_of_the_sites_nothing_listens_for_its_word(tmp_path: Path) -> None:
    async with alone(tmp_path) as house, house.http.post(f"{house.url}/identity", data="x") as response:
        assert response.status == 404


async def test_an_operators_name_stands_in_no_frame_of_a_check(house: Process) -> None:
    async with house.page() as page:
        await asked(house, page, **login(house))
        assert str(OperatorId(AIKO)) not in "".join(page.raw)
