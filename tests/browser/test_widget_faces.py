"""What a customer is shown on the way to an answer: their place, the hours, an emergency, an incident, the cards."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Locator, expect

from config import locales
from tests.browser.conftest import Door, NewContext, Shot
from tests.browser.fake_desk import Customer as Known
from tests.browser.fake_desk import FakeDesk, Frame, Site, desk_and_site
from tests.browser.test_widget import DESKTOP, PHONE, is_legible
from tests.browser.widget_page import Customer

pytestmark = pytest.mark.asyncio(loop_scope="session")

MINUTE = 60_000
FREEZE = {"url": "https://hoshi.example/freeze", "title": "Freeze my account"}
INCIDENT = {"id": "i1", "title": "Bitcoin withdrawals are late", "text": "Your coins are safe.", "since": 0}


@pytest_asyncio.fixture(loop_scope="session")
async def places() -> AsyncIterator[tuple[FakeDesk, Site]]:
    async with desk_and_site() as both:
        yield both


@pytest.fixture
def desk(places: tuple[FakeDesk, Site]) -> FakeDesk:
    return places[0]


@pytest_asyncio.fixture(loop_scope="session")
async def visit(new_context: NewContext, places: tuple[FakeDesk, Site]) -> AsyncIterator[Door]:
    door = Door(new_context, places[1])
    yield door
    for customer in door.customers:
        await customer.has_no_complaints()


def now() -> int:
    return int(time.time() * 1000)


def tomorrow_at_nine_in_tokyo() -> int:
    """Midnight in UTC; the test's customers live in Tokyo. At least 15 hours away, so it is never today."""
    day = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=2)
    return int(day.timestamp() * 1000)


def door(*, is_open: bool = True, opens: int | None = None, emergency: bool = False) -> Frame:
    return {"open": is_open, "opens": opens, "emergency": emergency}


async def waiting(visit: Door, desk: FakeDesk, **options: Any) -> tuple[Customer, Known]:
    """A customer who has written and waits."""
    customer = await visit(**options)
    await customer.begin("Hello")
    return customer, await written(desk)


async def written(desk: FakeDesk) -> Known:
    """The customer, once their first message is here."""
    known = await desk.next_customer()
    await desk.until(lambda: known.session)
    return known


def place(customer: Customer) -> Locator:
    return customer.panel.locator(".notice.place")


def card(customer: Customer, key: str) -> Locator:
    return customer.panel.locator(f".card.{key}")


# ---------------------------------------------------------------- the line


async def test_the_place_in_the_line_is_told_and_follows(visit: Door, desk: FakeDesk) -> None:
    customer, known = await waiting(visit, desk)
    await expect(place(customer)).to_have_count(0)
    desk.place(known, 3, 4, 7)
    await expect(place(customer)).to_have_text("You are third in line · about 4–7 minutes")
    desk.place(known, 1, 1, 1)
    await expect(place(customer)).to_have_text("You are next in line · about 1 minute")
    desk.place(known, 21, None, None)
    await expect(place(customer)).to_have_text("You are 21st in line · we cannot tell yet how long it will take")
    desk.place(known, 2, 90, 150)
    await expect(place(customer)).to_have_text("You are second in line · about 1–3 hours")


async def test_a_place_that_rises_is_explained_until_it_falls_again(visit: Door, desk: FakeDesk) -> None:
    customer, known = await waiting(visit, desk)
    desk.place(known, 2, 4, 7)
    desk.place(known, 3, 5, 10, risen=True)
    why = customer.panel.get_by_text("whoever has waited longer, or cannot wait, goes first")
    await expect(why).to_be_visible()
    desk.place(known, 3, 4, 7)
    await expect(place(customer)).to_contain_text("about 4–7 minutes")
    await expect(why).to_be_visible()
    desk.place(known, 2, 4, 7)
    await expect(why).to_have_count(0)


async def test_a_place_is_gone_with_the_waiting_and_back_after_a_reload(visit: Door, desk: FakeDesk) -> None:
    customer, known = await waiting(visit, desk)
    desk.place(known, 3, 4, 7)
    await expect(place(customer)).to_be_visible()
    await customer.reload()
    await expect(place(customer)).to_have_text(re.compile("third in line"))
    desk.notice(known, "joined", state="assigned", name="Aiko")
    await expect(place(customer)).to_have_count(0)
    await expect(customer.notices.last).to_have_text("Aiko is with you")


async def test_a_screen_reader_hears_the_place_once_and_not_every_change(visit: Door, desk: FakeDesk) -> None:
    customer, known = await waiting(visit, desk)
    for position in (5, 4, 3):
        desk.place(known, position, 4, 7)
    await expect(place(customer)).to_contain_text("third")
    said = customer.panel.get_by_role("log").locator("p", has_text="in line")
    await expect(said).to_have_text(["You are fifth in line · about 4–7 minutes"])


async def test_the_header_says_how_long_an_answer_usually_takes(visit: Door, desk: FakeDesk) -> None:
    desk.service = {"open": True, "opens": None, "wait": {"low": 3, "high": 5}, "topics": {}}
    customer = await visit()
    await customer.open()
    await expect(customer.panel.locator("header p")).to_have_text("Usually answers in 3–5 minutes")
    desk.service["wait"] = None
    desk.tell_house()
    await expect(customer.panel.locator("header p")).to_have_text("We are here to help")


# ---------------------------------------------------------------- hours


async def test_a_closed_desk_says_when_it_opens_in_the_customers_time(visit: Door, desk: FakeDesk) -> None:
    opens = tomorrow_at_nine_in_tokyo()
    desk.service = {
        "open": False,
        "opens": opens,
        "wait": None,
        "topics": {
            "trading": door(is_open=False, opens=opens + 60 * MINUTE),
            "account": door(is_open=False, opens=opens),
        },
    }
    customer = await visit()
    await customer.open()
    said = re.compile(r"^Opens \w{3},? \d+ \w{3}, 09:00 your time$")
    await expect(customer.panel.locator("header p")).to_have_text(said)
    row = customer.panel.get_by_role("button", name="Trading")
    await expect(row.locator(".detail")).to_have_text(re.compile(r"^Opens .+ 10:00 your time$"))
    # what opens with all the others need not say it again
    await expect(customer.panel.get_by_role("button", name="Account opening").locator(".detail")).to_have_count(0)
    desk.service = {"open": True, "opens": None, "wait": None, "topics": {"trading": door(), "account": door()}}
    desk.tell_house()
    await expect(row.locator(".detail")).to_have_count(0)
    await row.click()  # nobody is kept from writing at night, either
    await expect(customer.input).to_be_visible()


async def test_who_writes_at_night_is_told_when_and_offered_a_mail(visit: Door, desk: FakeDesk) -> None:
    opens = tomorrow_at_nine_in_tokyo()
    desk.opens = opens
    desk.night_contact = {"mail": "help@hoshi.example", "phone": None, "hours": None}
    customer, known = await waiting(visit, desk)
    night = card(customer, "outside_hours")
    await expect(night).to_contain_text(re.compile(r"in order from .+ 09:00 \(Japan Time\)"))
    mail = night.get_by_role("link", name=re.compile("help@hoshi.example"))
    await expect(mail).to_have_attribute("href", "mailto:help@hoshi.example")
    await expect(customer.panel.locator("header p")).to_have_text(re.compile(r"^Opens .+ 09:00 your time$"))
    desk.place(known, 3, 4, 7)
    await expect(place(customer)).to_have_count(0)  # nobody moves on at night
    assert known.session is not None
    known.session["opens"] = None
    desk.notice(known, "opened")
    await expect(customer.notices.first).to_have_text("We are open now, and answer in order")
    await expect(place(customer)).to_be_visible()


# ---------------------------------------------------------------- emergencies and incidents


async def test_in_an_emergency_the_sites_own_way_out_comes_before_the_form(visit: Door, desk: FakeDesk) -> None:
    desk.service["topics"] = {"security": door(emergency=True)}
    desk.emergency = [FREEZE]
    customer = await visit()
    await customer.open()
    await customer.panel.get_by_role("button", name="Security").click()
    out = customer.panel.locator(".step").get_by_role("link", name="Freeze my account")
    await expect(out).to_have_attribute("href", FREEZE["url"])
    await expect(out).to_be_focused()
    await expect(customer.input).to_be_hidden()
    await customer.button("Back").click()  # it was the wrong topic
    await customer.choose("Trading")
    await customer.button("Back").click()
    await customer.panel.get_by_role("button", name="Security").click()
    await customer.button("Go on to write").click()
    await expect(customer.input).to_be_focused()
    await customer.write("Somebody is in my account")
    await desk.until(lambda: desk.heard_of("message"))
    assert desk.heard_of("message")[0]["topic"] == "security"
    await expect(customer.panel.locator(".step")).to_be_hidden()


async def test_a_page_that_opens_with_an_emergency_shows_the_way_out_before_the_form(
    visit: Door, desk: FakeDesk
) -> None:
    desk.service["topics"] = {"security": door(emergency=True)}
    desk.emergency = [FREEZE]
    customer = await visit()
    await customer.page.evaluate("Kakehashi.open({ topic: 'security' })")  # nobody has asked the desk yet
    out = customer.panel.locator(".step").get_by_role("link", name="Freeze my account")
    await expect(out).to_be_focused()
    await expect(customer.input).to_be_hidden()
    hosted = await visit(f"{desk.url}/chat?topic=security")
    await expect(hosted.panel.locator(".step")).to_be_visible()
    await hosted.button("Go on to write").click()
    await hosted.write("Help")
    await desk.until(lambda: desk.heard_of("message"))
    await hosted.reload()
    await expect(hosted.mine).to_have_count(1)
    await expect(hosted.panel.locator(".step")).to_be_hidden()  # they have been there


async def test_a_desk_that_cannot_be_asked_keeps_nobody_from_the_form(visit: Door, desk: FakeDesk) -> None:
    desk.down = True
    customer = await visit()
    customer.lines_may_break = True
    await customer.page.evaluate("Kakehashi.open({ topic: 'security' })")
    await expect(customer.input).to_be_visible()


async def test_a_topic_with_parts_asks_once_more_and_back_leads_to_all(visit: Door, desk: FakeDesk) -> None:
    desk.topics = ["trading", "security", "theft"]
    desk.topic_under = {"theft": "security"}
    desk.topic_titles = {"theft": {"en": "A withdrawal I did not make"}}
    desk.service["topics"] = {"theft": door(emergency=True)}
    desk.emergency = [FREEZE]
    customer = await visit()
    await customer.open()
    rows = customer.panel.locator(".home .rows:not(.urgent, .ways, .incidents) button .label")
    await expect(rows).to_have_text(["Trading", "Security"])
    await customer.panel.get_by_role("button", name="Security").click()
    await expect(rows).to_have_text(["A withdrawal I did not make", "Something else about it"])
    await expect(customer.panel.get_by_role("button", name="A withdrawal I did not make")).to_be_focused()
    await customer.button("Back").click()
    await expect(rows).to_have_text(["Trading", "Security"])
    await customer.panel.get_by_role("button", name="Security").click()
    await customer.panel.get_by_role("button", name="A withdrawal I did not make").click()
    await expect(customer.panel.locator(".step")).to_be_visible()
    await customer.button("Back").click()
    await customer.choose("Something else about it")
    await customer.write("Which login is this?")
    await desk.until(lambda: desk.heard_of("message"))
    assert desk.heard_of("message")[0]["topic"] == "security"


async def test_an_emergency_of_a_site_without_a_way_out_goes_straight_to_the_form(visit: Door, desk: FakeDesk) -> None:
    desk.service["topics"] = {"security": door(emergency=True)}
    desk.emergency = [{"url": "javascript:alert(1)", "title": "No"}]
    customer = await visit()
    await customer.open()
    await customer.choose("Security")


async def test_an_incident_stands_on_the_home_and_above_the_place_while_it_lasts(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    await customer.open()
    await customer.panel.get_by_role("button", name="Trading").wait_for()
    bar = customer.panel.get_by_role("note", name="Service notice")
    await expect(bar).to_have_count(0)
    desk.incidents = [{**INCIDENT, "since": now()}]
    desk.tell_house()
    await expect(bar).to_contain_text("Bitcoin withdrawals are late")
    await expect(bar).to_contain_text("Your coins are safe.")
    await customer.choose("Trading")
    await customer.write("Where are my coins?")
    known = await written(desk)
    desk.place(known, 40, None, None)
    await expect(bar.filter(visible=True)).to_contain_text("Bitcoin withdrawals are late")
    desk.notice(known, "incident", incident="Bitcoin withdrawals are late")
    await expect(customer.notices.nth(1)).to_contain_text("working on: Bitcoin withdrawals are late.")
    desk.incidents = []
    desk.tell_house()
    await expect(bar).to_have_count(0)


# ---------------------------------------------------------------- cards


async def test_who_waits_long_is_offered_mail_and_telephone_with_its_hours(visit: Door, desk: FakeDesk) -> None:
    customer, known = await waiting(visit, desk)
    until = now() + 60 * MINUTE
    hours = {"open": True, "changes": until, "text": None}
    contact: Frame = {"mail": "help@hoshi.example", "phone": "+81 3-0000-0000", "hours": hours}
    desk.notice(known, "contact_offered", contact=contact)
    offer = card(customer, "contact_offered")
    await expect(offer).to_contain_text("You keep your place")
    phone = offer.get_by_role("link", name=re.compile("Phone"))
    await expect(phone).to_have_attribute("href", "tel:+81300000000")
    await expect(phone).to_contain_text("Open until")
    contact["hours"] = {"open": False, "changes": tomorrow_at_nine_in_tokyo(), "text": None}
    desk.notice(known, "contact_offered", contact=contact)
    await expect(offer.last).to_contain_text(re.compile(r"Opens .+ 09:00 your time"))
    contact["hours"] = {"open": True, "changes": now() - MINUTE, "text": None}  # what was said has passed
    desk.notice(known, "contact_offered", contact=contact)
    await expect(offer.last.get_by_role("link", name="Phone")).to_have_text(re.compile("0000$"))


async def test_a_language_is_offered_in_itself_and_taken_by_one_press(visit: Door, desk: FakeDesk) -> None:
    customer, known = await waiting(visit, desk)
    desk.notice(known, "language_offered", language="ja")
    offer = card(customer, "language_offered")
    await expect(offer).to_contain_text("Would you like to go on in Japanese?")
    await expect(offer.locator("[lang=ja]").first).to_have_text("日本語で続けますか")
    await offer.get_by_role("button", name="日本語で続ける").click()
    await desk.until(lambda: desk.heard_of("choose_language"))
    assert desk.heard_of("choose_language")[0]["language"] == "ja"
    await expect(customer.host).to_have_attribute("lang", "ja")
    await expect(customer.notices.last).to_have_text("日本語で続けます")
    await expect(offer).to_have_count(0)


async def test_who_stays_with_their_language_is_not_asked_again_by_a_reload(visit: Door, desk: FakeDesk) -> None:
    customer, known = await waiting(visit, desk)
    desk.notice(known, "language_offered", language="zh-Hans")
    offer = card(customer, "language_offered")
    await offer.get_by_role("button", name="Stay with English").click()
    await expect(offer).to_have_count(0)
    await customer.reload()
    await expect(customer.notices.last).to_have_text("Would you like to go on in Simplified Chinese?")
    await expect(offer).to_have_count(0)
    assert not desk.heard_of("choose_language")
    desk.notice(known, "language_offered", language="ja")  # it is another question
    await expect(offer).to_have_count(1)


async def test_the_identity_check_opens_the_sites_own_page_beside_the_chat(visit: Door, desk: FakeDesk) -> None:
    customer, known = await waiting(visit, desk)
    url = f"{desk.url}/chat?nonce=n0nce"
    desk.notice(known, "check_requested", until=now() + 15 * MINUTE, url=url)
    check = card(customer, "check_requested")
    await expect(check).to_contain_text("We never see what you enter there")
    link = check.get_by_role("link", name="Confirm on our website")
    await expect(link).to_have_attribute("rel", "noopener noreferrer")
    async with customer.page.context.expect_page() as opening:
        await link.click()
    opened = await opening.value
    assert opened.url == url
    await opened.close()
    await expect(check).to_contain_text("Waiting for the answer of our website")
    desk.notice(known, "check_passed", until=now() + 30 * MINUTE)
    await expect(customer.notices.last).to_have_text("Thank you, we have confirmed that it is you")
    await expect(check).to_have_count(0)


@pytest.mark.parametrize(
    ("after", "told"),
    [
        ("check_failed", "We could not confirm that it is you"),
        ("check_expired", "The request to confirm that it is you has run out"),
    ],
)
async def test_an_identity_check_that_came_to_nothing_can_be_asked_for_again(
    visit: Door, desk: FakeDesk, after: str, told: str
) -> None:
    customer, known = await waiting(visit, desk)
    check = card(customer, "check_requested")
    desk.notice(known, "check_requested", until=now() + MINUTE, url=f"{desk.url}/chat?nonce=one")
    await expect(check).to_have_count(1)
    desk.notice(known, after)
    await expect(customer.notices.last).to_have_text(told)
    await expect(check).to_have_count(0)
    desk.notice(known, "check_requested", until=now() + MINUTE, url=f"{desk.url}/chat?nonce=two")
    await expect(check.get_by_role("link")).to_have_attribute("href", re.compile("nonce=two"))


async def test_a_check_whose_time_has_run_out_or_that_has_no_page_is_words_alone(visit: Door, desk: FakeDesk) -> None:
    customer, known = await waiting(visit, desk)
    desk.notice(known, "check_requested", until=now() - 1, url=f"{desk.url}/chat?nonce=old")
    await expect(customer.notices.last).to_contain_text("Please confirm that it is you")
    desk.notice(known, "check_requested", until=now() + MINUTE, url="javascript:alert(1)")
    await expect(customer.notices).to_have_count(3)
    await expect(card(customer, "check_requested")).to_have_count(0)


async def test_a_translation_stands_in_place_of_its_original_which_is_one_press_away(
    visit: Door, desk: FakeDesk
) -> None:
    customer, known = await waiting(visit, desk)
    reply = desk.say(known, "ただいま確認いたします。")
    desk.translate(known, reply, "I am looking into it.", "en")
    await customer.was_shown("Hello", "I am looking into it.")
    note = customer.theirs.locator(".translation")
    await expect(note).to_contain_text("Translated automatically")
    await note.get_by_role("button", name="Show original").click()
    await customer.was_shown("Hello", "ただいま確認いたします。")
    await expect(customer.theirs.locator(".text")).to_have_attribute("lang", "ja")
    await note.get_by_role("button", name="Show translation").click()
    await customer.was_shown("Hello", "I am looking into it.")
    said = customer.panel.get_by_role("log").locator("p").last
    await expect(said).to_have_text("Aiko: I am looking into it. (Translated automatically)")
    desk.event(known, {**reply, "rev": 1, "parts": [{"type": "text", "text": "少々お待ちください。"}]})
    await customer.was_shown("Hello", "少々お待ちください。")  # the translation is of words that have changed
    await expect(note).to_have_count(0)


# ---------------------------------------------------------------- how they look


_TOLD = {
    "en": {
        "name": "Sato",
        "ask": "I did not make this withdrawal.",
        "incident": "Bitcoin withdrawals are late",
        "safe": "Your coins are safe.",
        "freeze": "Freeze my account",
        "desk": "Withdrawals",
        "reply": ("ただいま確認いたします。", "I am looking into it now."),
        "offer": "ja",
    },
    "ja": {
        "name": "佐藤",
        "ask": "身に覚えのない出金があります。",
        "incident": "ビットコインの出庫が遅れています",
        "safe": "お預かりしている資産に影響はありません。",
        "freeze": "口座を凍結する",
        "desk": "入出金",
        "reply": ("I am looking into it now.", "ただいま確認いたします。"),
        "offer": "zh-Hans",
    },
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("screen", "options"), [("desktop", DESKTOP), ("phone", PHONE)])
@pytest.mark.parametrize("language", ["en", "ja"])
async def test_every_face_reads_on_every_screen(
    visit: Door, desk: FakeDesk, shot: Shot, language: str, screen: str, options: dict[str, Any], scheme: str
) -> None:
    told, words = _TOLD[language], locales.customers()[language]
    opens = tomorrow_at_nine_in_tokyo()
    desk.emergency = [{"url": FREEZE["url"], "title": told["freeze"]}]
    desk.incidents = [{"id": "i1", "title": told["incident"], "text": told["safe"], "since": now() - 40 * MINUTE}]
    desk.service = {"open": True, "opens": None, "wait": {"low": 3, "high": 5}, "topics": {}}
    desk.service["topics"] = {"security": door(emergency=True), "trading": door(is_open=False, opens=opens)}
    customer = await visit(f"{desk.url}/?lang={language}", locale=language, color_scheme=scheme, **options)

    async def look(name: str) -> None:
        await is_legible(customer)
        await shot(customer.page, f"faces-{screen}-{language}-{scheme}-{name}")

    await customer.open()
    await customer.panel.get_by_role("button", name=words["topic.trading"]).wait_for()
    await look("home")
    await customer.panel.get_by_role("button", name=words["topic.security"]).click()
    await expect(customer.panel.locator(".step")).to_be_visible()
    await look("emergency")
    await customer.button(words["emergency.write"]).click()
    await customer.input.fill(str(told["ask"]))
    await customer.send.click()
    known = await written(desk)
    desk.place(known, 4, 5, 10, risen=True)
    await expect(place(customer)).to_be_visible()
    await look("place")
    hours = {"open": False, "changes": opens, "text": None}
    contact = {"mail": "help@hoshi.example", "phone": "+81 3-0000-0000", "hours": hours}
    desk.notice(known, "contact_offered", contact=contact)
    await expect(card(customer, "contact_offered")).to_be_visible()
    await look("contact")
    desk.notice(known, "language_offered", language=told["offer"])
    await expect(card(customer, "language_offered").get_by_role("button")).to_have_count(2)
    await look("language")
    desk.notice(known, "escalated")
    desk.notice(known, "escalation_taken", until=now())
    desk.notice(known, "joined", state="assigned", name=told["name"])
    desk.notice(known, "check_requested", until=now() + 15 * MINUTE, url=f"{desk.url}/chat?nonce=n")
    await expect(card(customer, "check_requested")).to_be_visible()
    await look("check")
    desk.notice(known, "check_passed", until=now() + 30 * MINUTE)
    desk.notice(known, "moved", desk=told["desk"])
    original, translation = told["reply"]
    desk.translate(known, desk.say(known, original, name=str(told["name"])), translation, language)
    await expect(customer.theirs).to_contain_text(translation)
    desk.notice(known, "held", name=told["name"], until=now() + 30 * MINUTE)
    await expect(customer.notices.last).to_contain_text(str(told["name"]))
    await look("translation")


@pytest.mark.parametrize("language", ["en", "ja"])
async def test_a_night_reads_in_both_languages(visit: Door, desk: FakeDesk, shot: Shot, language: str) -> None:
    words = locales.customers()[language]
    opens = tomorrow_at_nine_in_tokyo()
    desk.opens = opens
    desk.night_contact = {"mail": "help@hoshi.example", "phone": None, "hours": None}
    topics = {topic: door(is_open=False, opens=opens) for topic in desk.topics}
    desk.service = {"open": False, "opens": opens, "wait": None, "topics": topics}
    customer = await visit(f"{desk.url}/?lang={language}", locale=language, color_scheme="light", **PHONE)
    await customer.open()
    await customer.panel.get_by_role("button", name=words["topic.trading"]).wait_for()
    await is_legible(customer)
    await shot(customer.page, f"faces-night-{language}-home")
    await customer.choose(words["topic.trading"])
    await customer.input.fill(str(_TOLD[language]["ask"]))
    await customer.send.click()
    await expect(card(customer, "outside_hours")).to_be_visible()
    await is_legible(customer)
    await shot(customer.page, f"faces-night-{language}-talk")
