"""The desk's faces for routing in a real browser: offers, promises, escalation, identity check, the team, incidents."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from adapters.console import api
from bridge.directory import Operator
from bridge.incidents import Scope
from bridge.messages import About, Body, TextPart
from bridge.ports import Stored
from bridge.setbacks import Setback
from config.locales import text
from routing import inputs as i
from routing.availability import Choice
from routing.ids import InputKey, NetworkName, OperatorId, SessionId
from tests.browser.conftest import NewContext, Shot
from tests.browser.desk_page import LOCALES, PHONE, WIDE, Desk, faint
from tests.integration.console_house import Customer, House, console_house
from tests.integration.routed_house import SECURITY, TRADING, WITHDRAWALS, routed

pytestmark = pytest.mark.asyncio(loop_scope="session")

MINUTE = 60_000


@pytest_asyncio.fixture(loop_scope="session")
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with console_house(tmp_path, routed()) as house:
        yield house


NewDesk = Callable[..., Any]


@pytest_asyncio.fixture(loop_scope="session")
async def new_desk(house: House, new_context: NewContext) -> AsyncIterator[NewDesk]:
    """Makes pages of operators; afterwards none of them may have complained."""
    made: list[Desk] = []

    async def make(language: str = "en", **options: Any) -> Desk:
        context = await new_context(**{"locale": LOCALES[language], "viewport": WIDE, **options})
        made.append(Desk(house, await context.new_page(), language))
        return made[-1]

    yield make
    assert [complaint for desk in made for complaint in desk.complaints] == []


@pytest_asyncio.fixture(loop_scope="session")
async def kenji(house: House) -> Operator:
    return await house.operator("kenji", names={"en": "Sato", "ja": "佐藤"}, lead=True, capacity=2)


@pytest_asyncio.fixture(loop_scope="session")
async def desk(house: House, kenji: Operator, new_desk: NewDesk) -> Desk:
    """Kenji's page, signed in."""
    made: Desk = await new_desk()
    return await made.signs_in()


def mia(house: House, **changes: Any) -> Customer:
    return house.customer("u-1", verified=True, about=About("Mia Brown", "en-GB"), **changes)


async def offered(house: House, session: SessionId, operator: OperatorId, within: int = 5 * MINUTE) -> None:
    until = await house.store.now() + within
    await house.assignments.offer(session, i.OfferProposed(operator, until), InputKey(f"offer/{session}/{until}"))


async def now(house: House, session: SessionId) -> Stored:
    stored = await house.store.load(session)
    assert stored is not None
    return stored


# ------------------------------------------------------------------ whether I am on


async def test_the_switch_says_why_and_until_when_and_is_never_on_for_ever(desk: Desk, kenji: Operator) -> None:
    switch, words = desk.page.locator(".switch-part"), desk.page.locator(".standing-words")
    await expect(words).to_have_text(desk.words("standing.because.nothing"))
    await expect(desk.page.locator('.switch-part[aria-pressed="true"]')).to_have_count(0)
    await desk.presses("s")
    await expect(switch.nth(0)).to_have_attribute("aria-pressed", "true")
    await expect(words).to_contain_text("work puts it off")
    standing = await desk.house.availability.of(kenji.id)
    assert standing.on
    assert standing.until is not None
    await switch.nth(1).click()
    await expect(switch.nth(1)).to_have_attribute("aria-pressed", "true")
    await expect(words).to_contain_text("goes back at")
    assert not (await desk.house.availability.of(kenji.id)).on


async def test_a_key_on_the_page_is_an_act_and_an_open_page_is_none(desk: Desk, kenji: Operator) -> None:
    signs: list[str] = []
    desk.page.on("request", lambda request: signs.append(request.url) if "acted" in request.url else None)
    await desk.page.reload()
    await expect(desk.page.locator(".sessions")).to_be_attached()
    await desk.page.evaluate("document.dispatchEvent(new KeyboardEvent('keydown', {key: 'j'}))")  # nobody's finger
    await expect(desk.page.locator(".empty")).to_be_visible()
    assert signs == []
    async with desk.page.expect_request(lambda request: "acted" in request.url):
        await desk.presses("j")


# ------------------------------------------------------------------ offers


async def test_an_offer_is_announced_and_accepted_with_one_key(desk: Desk, kenji: Operator, shot: Shot) -> None:
    customer = mia(desk.house, topic=WITHDRAWALS)
    session = (await customer.writes("My withdrawal has not arrived.")).session.id
    await expect(desk.page.locator(".offers")).to_be_hidden()
    await offered(desk.house, session, kenji.id)
    offer = desk.page.locator(".offer")
    await expect(offer).to_contain_text("Mia Brown")
    await expect(offer).to_contain_text(" left")
    await shot(desk.page, "desk-offer")
    await desk.presses("a")
    await expect(desk.page.locator(".thread-head .code")).to_have_text((await customer.session()).session.code)
    await expect(offer).to_have_count(0)
    assert (await now(desk.house, session)).session.assignee == kenji.id


async def test_an_offer_that_is_passed_on_is_gone_and_stays_in_the_line(desk: Desk, kenji: Operator) -> None:
    session = (await mia(desk.house).writes()).session.id
    await offered(desk.house, session, kenji.id)
    await expect(desk.page.locator(".offer")).to_have_count(1)
    await desk.presses("d")
    await expect(desk.page.locator(".offers")).to_be_hidden()
    kept = (await now(desk.house, session)).session
    assert kept.offer is None
    assert kept.declined == (kenji.id,)
    await expect(desk.page.locator(".row")).to_have_count(1)


async def test_an_offer_that_lapses_leaves_the_page_on_its_own(desk: Desk, kenji: Operator) -> None:
    session = (await mia(desk.house).writes()).session.id
    await offered(desk.house, session, kenji.id, 1_500)
    await expect(desk.page.locator(".offer")).to_have_count(1)
    await expect(desk.page.locator(".offers")).to_be_hidden()


async def test_capacity_is_refused_in_words(desk: Desk, kenji: Operator) -> None:
    for number in range(3):
        await desk.house.customer(f"~v{number}").writes()
    rows = desk.page.locator(".row")
    for taken in range(2):
        await expect(rows).to_have_count(3 - taken)
        await desk.presses("j", "Enter")
        await expect(desk.page.get_by_role("button", name=desk.words("action.claim"))).to_be_visible()
        await desk.presses("c")
        await expect(desk.page.locator(".thread-about")).to_contain_text(desk.words("state.assigned_you"))
        await desk.presses("Escape")
    await expect(rows).to_have_count(1)
    await desk.presses("j", "Enter")
    await expect(desk.page.get_by_role("button", name=desk.words("action.claim"))).to_be_visible()
    await desk.presses("c")
    await expect(desk.page.locator(".toast")).to_have_text(desk.words("error.at_capacity"))


# ------------------------------------------------------------------ promises, escalation


async def test_colours_follow_the_promise_of_the_session_and_not_a_fixed_time(house: House, desk: Desk) -> None:
    slow, quick = house.customer("~slow", topic=TRADING), house.customer("~quick", topic=WITHDRAWALS)
    await slow.writes("I have a question.")
    await quick.writes("I have a question, too.")

    async def colour(customer: Customer) -> Locator:
        code = (await customer.session()).session.code
        return desk.page.locator(".row", has_text=code).locator(".wait")

    await expect(await colour(quick)).to_have_class("wait near")  # withdrawals promise an answer in a minute
    await expect(await colour(slow)).to_have_class("wait ")  # trading promises one in an hour


async def test_an_emergency_stands_first_and_asks_to_be_taken(house: House, desk: Desk, shot: Shot) -> None:
    await house.customer("~first").writes("I came first.")
    urgent = mia(house, topic=SECURITY)
    await urgent.writes("I did not make this withdrawal.")
    await expect(desk.page.locator(".row").first).to_contain_text(desk.words("row.emergency"))
    session = await desk.opens(urgent)
    strip = desk.page.locator(".strip", has_text=desk.words("attention.nobody"))
    await expect(strip).to_be_visible()
    await shot(desk.page, "desk-emergency")
    await desk.presses("a")
    await expect(desk.page.locator(".attention")).to_contain_text("Sato took it on")
    escalation = (await now(house, session)).session.escalation
    assert escalation is not None
    assert escalation.acknowledged_by is not None


async def test_escalating_by_hand_asks_first(house: House, desk: Desk) -> None:
    customer = mia(house)
    await customer.writes()
    session = await desk.opens(customer)
    await desk.presses("u")
    await expect(desk.page.get_by_role("dialog")).to_contain_text(desk.words("escalate.hint"))
    assert (await now(house, session)).session.escalation is None
    await desk.page.get_by_role("dialog").get_by_role("button", name=desk.words("action.escalate")).click()
    await desk.dialog_closed()
    await expect(desk.page.locator(".strip")).to_contain_text(desk.words("cause.by_hand"))
    assert (await now(house, session)).session.escalation is not None
    await expect(desk.page.locator('[data-action="escalate"]')).to_have_count(0)


async def test_a_pages_link_opens_the_session_after_signing_in_and_only_the_button_acknowledges(
    house: House, kenji: Operator, new_desk: NewDesk
) -> None:
    customer = mia(house, topic=SECURITY)
    stored = await customer.writes("I did not make this withdrawal.")
    desk = await new_desk()
    await desk.signs_in(at=f"#{stored.session.code}")
    await expect(desk.page.locator(".thread-head .code")).to_have_text(stored.session.code)
    take = desk.page.get_by_role("button", name=desk.words("action.acknowledge"))
    await expect(take).to_be_visible()
    assert (await now(house, stored.session.id)).session.escalation.acknowledged_by is None  # type: ignore[union-attr]  # an emergency has one
    await take.click()
    await expect(desk.page.locator(".attention")).to_contain_text("Sato took it on")


# ------------------------------------------------------------------ moving, ending, checking


async def test_a_move_carries_its_reason_as_a_note(house: House, desk: Desk) -> None:
    customer = mia(house)
    await customer.writes()
    session = await desk.opens(customer)
    await desk.presses("t")
    await desk.page.locator("#transfer-desk").select_option("withdrawals")
    await desk.page.locator("#transfer-reason").fill("needs the ledger")
    await desk.presses("Enter")
    await desk.dialog_closed()
    await expect(desk.message("note", "needs the ledger")).to_be_visible()
    assert (await now(house, session)).session.desk == "withdrawals"
    shown = (await house.feed.catch_up(await customer.session(), None)).shown
    assert not [one for one in shown if one.body and "ledger" in one.body.text]


async def test_choosing_a_colleague_moves_nothing_but_the_assignee(house: House, desk: Desk) -> None:
    aiko, ryo, _ = await a_team(house)
    await house.availability.choose(ryo.id, Choice.OFF)
    customer = mia(house, topic=TRADING)
    await customer.writes()
    session = await desk.opens(customer)
    await desk.presses("t")
    people = desk.page.locator("#transfer-operator")
    await expect(desk.page.locator("#transfer-desk")).to_have_value("en")
    await expect(people.locator("option", has_text="Ryo")).to_have_text(f"Ryo · {desk.words('standing.off')}")
    await expect(people.locator("option", has_text="Aiko")).to_have_text("Aiko")
    await people.select_option(aiko.id)
    await desk.page.get_by_role("button", name=desk.words("transfer.submit")).last.click()
    await desk.dialog_closed()
    moved = (await now(house, session)).session
    assert (moved.desk, moved.assignee) == ("en", aiko.id)


async def test_a_refused_solution_leads_to_the_identity_check(house: House, desk: Desk, shot: Shot) -> None:
    customer = mia(house, topic=SECURITY)
    await customer.writes()
    session = await desk.opens(customer)
    await expect(desk.page.locator(".card")).to_contain_text(desk.words("card.check_needed"))
    await desk.presses("e", "Enter")
    refused = desk.page.get_by_role("dialog").get_by_role("alert")
    await expect(refused).to_contain_text(desk.words("error.check_needed"))
    await shot(desk.page, "desk-check-needed")
    await refused.get_by_role("button", name=desk.words("action.check")).click()
    await desk.dialog_closed()
    await expect(desk.page.locator(".attention")).to_contain_text("identity check was asked for")
    check = (await now(house, session)).session.check
    assert check is not None
    await customer.does(i.CustomerChecked(check.nonce, True))
    await expect(desk.page.locator(".card")).to_contain_text("Identity checked")
    await expect(desk.page.locator(".attention")).not_to_contain_text("identity check")
    await desk.presses("e", "Enter")
    await desk.dialog_closed()
    await expect(desk.page.locator(".thread-about")).to_contain_text(desk.words("state.resolved"))


# ------------------------------------------------------------------ translations


async def test_a_translation_stands_below_its_original_and_says_what_it_is(
    house: House, desk: Desk, shot: Shot
) -> None:
    customer = mia(house, language="ja")
    stored = await customer.writes("出金がまだ届きません。")
    session, message = stored.session.id, stored.session.recent[-1].message
    await desk.opens(customer)
    event = i.MessageTranslated(message, 0, "en")
    body = Body((TextPart("My withdrawal has not arrived yet."),))
    await house.relay.from_bridge(session, event, InputKey("translated"), body=body)
    bubble = desk.message("customer", "出金がまだ届きません。")
    await expect(bubble.locator(".translation")).to_contain_text("My withdrawal has not arrived yet.")
    await expect(bubble.locator(".machine")).to_have_text(desk.words("thread.translated", language="English"))
    assert await bubble.locator(".translation .text").get_attribute("lang") == "en"
    second = (await customer.writes("ID 4a5e1e です")).session.recent[-1].message
    missed = i.MessageNotTranslated(second, 0, "en", i.Untranslated.ALTERED)
    await house.relay.from_bridge(session, missed, InputKey("missed"))
    await expect(desk.page.locator(".untranslated")).to_have_text(desk.words("untranslated.altered"))
    assert await faint(desk) == []
    await shot(desk.page, "desk-translation")


# ------------------------------------------------------------------ the team


async def a_team(house: House) -> list[Operator]:
    """Three colleagues with some of everything, and a line."""
    names = {"aiko": ("Aiko", "愛子"), "ryo": ("Ryo", "涼"), "mei": ("Mei", "芽衣")}
    team = [
        await house.operator(one, names={"en": en, "ja": ja}, capacity=3, desks=()) for one, (en, ja) in names.items()
    ]
    await house.availability.choose(team[0].id, Choice.ON)
    await house.availability.choose(team[1].id, Choice.AWAY)
    for number, operator in enumerate((team[0], team[0], team[1])):
        about = About(("Ann Lee", "Rei Mori", "Bo Chen")[number])
        topic = (WITHDRAWALS, TRADING, SECURITY)[number]
        stored = await house.customer(f"t-{number}", topic=topic, about=about).writes("Hello?")
        await house.assignments.claim(stored.session.id, operator.id, InputKey(f"claim-{number}"))
    await house.customer("t-9", topic=WITHDRAWALS, about=About("Kim Park")).writes("Is anybody there?")
    return team


async def test_leads_see_who_is_on_what_they_hold_and_what_is_late(house: House, desk: Desk, shot: Shot) -> None:
    await a_team(house)
    await desk.page.reload()
    await expect(desk.page.locator(".sessions")).to_be_attached()
    await desk.presses("g")
    aiko = desk.page.get_by_role("region", name="Aiko")
    await expect(aiko).to_contain_text("2 / 3")
    await expect(aiko).to_contain_text(desk.words("team.on"))
    await expect(desk.page.get_by_role("region", name="Ryo")).to_contain_text(desk.words("team.away"))
    await expect(desk.page.get_by_role("region", name=desk.words("team.line"))).to_contain_text("Kim Park")
    await expect(aiko.locator(".figure.near")).to_have_count(1)
    await expect(desk.page.locator(".view-about")).to_contain_text("1 waiting · 2 near the promise")
    await shot(desk.page, "desk-team")
    await desk.presses("Escape")
    await expect(desk.page.locator(".nothing")).to_be_visible()


async def test_leads_move_many_at_once_and_are_told_of_each(house: House, desk: Desk, shot: Shot) -> None:
    *_, mei = await a_team(house)
    await house.directory.change(replace(mei, capacity=1))
    await desk.page.reload()
    await expect(desk.page.locator(".sessions")).to_be_attached()
    await desk.presses("g")
    await desk.page.get_by_role("region", name="Aiko").get_by_role("checkbox").first.check()
    await expect(desk.page.locator(".bulk-count")).to_have_text(desk.words("team.chosen", count=2))
    await desk.page.locator(".bulk").get_by_label(desk.words("transfer.operator")).select_option(mei.id)
    await desk.page.get_by_role("button", name=desk.words("team.move")).click()
    results = desk.page.locator(".results")
    await expect(results).to_contain_text(desk.words("team.at_capacity"))
    await shot(desk.page, "desk-team-moved")
    await expect(desk.page.get_by_role("region", name="Mei").locator(".member-row")).to_have_count(1)
    await expect(desk.page.locator(".bulk-count")).to_have_text(desk.words("team.chosen", count=1))
    await desk.page.locator(".bulk").get_by_label(desk.words("transfer.operator")).select_option("")
    await desk.page.get_by_role("button", name=desk.words("team.move")).click()
    await expect(desk.page.get_by_role("region", name="Aiko").locator(".member-row")).to_have_count(0)
    line = desk.page.get_by_role("region", name=desk.words("team.line"))
    await expect(line.locator(".member-row")).to_have_count(2)
    await expect(results).not_to_contain_text("false")


async def test_who_leads_nobody_has_no_team_view(house: House, new_desk: NewDesk) -> None:
    await house.operator("mei", names={"en": "Mei"})
    desk = await new_desk()
    await desk.signs_in("mei", at="#/team")
    await expect(desk.page.get_by_role("button", name=desk.words("team.title"))).to_have_count(0)
    await expect(desk.page.locator(".members")).to_have_count(0)
    await desk.presses("g")
    await expect(desk.page.locator(".nothing")).to_be_visible()


# ------------------------------------------------------------------ incidents


TITLE = {"en": "Withdrawals are delayed", "ja": "出金の反映に時間がかかっています"}


async def affected(house: House) -> list[Customer]:
    people = [("Mia Brown", "en"), ("田中 ゆき", "ja"), ("陳 怡君", "zh-Hant"), ("林 志明", "zh-Hant")]
    customers = [
        house.customer(f"u-{number}", language=language, topic=WITHDRAWALS, about=About(name))
        for number, (name, language) in enumerate(people)
    ]
    for customer in customers:
        await customer.writes("?")
    for _ in range(3_000):  # an incident finds them by their lines, which are drawn a moment later
        if len([one for desk in await house.store.desks() for one in await house.store.lines(desk)]) == len(people):
            break
        await asyncio.sleep(0.02)
    return customers


async def fill(page: Page, language: str, words: dict[str, str]) -> None:
    for tag, said in words.items():
        field = page.get_by_label(text("desk", language, f"language.{tag}"), exact=True).locator("visible=true")
        await field.first.fill(said)


async def test_an_incident_is_declared_only_after_its_preview(house: House, desk: Desk, shot: Shot) -> None:
    customers = await affected(house)
    await expect(desk.page.locator(".row")).to_have_count(4)
    await desk.presses("o")
    await expect(desk.page.locator(".view-about")).to_have_text(desk.words("incidents.none"))
    await fill(desk.page, "en", TITLE)
    await desk.page.get_by_label(desk.words("incidents.scope")).select_option("scope")
    await desk.page.get_by_label("Deposits and withdrawals").check()
    await desk.page.get_by_role("button", name=desk.words("incidents.preview")).click()
    preview = desk.page.locator(".preview")
    await expect(preview).to_contain_text(desk.words("incidents.would_link", count=4))
    await expect(preview).to_contain_text(desk.words("incidents.uses", language="English"))  # for both Chinese ones
    await preview.scroll_into_view_if_needed()
    await shot(desk.page, "desk-incident-preview")
    assert await house.incidents.current() == ()
    await fill(desk.page, "en", {"en": "Withdrawals are late"})
    await expect(preview).to_be_hidden()  # what was previewed is not what would be said
    await desk.page.get_by_role("button", name=desk.words("incidents.preview")).click()
    await desk.page.get_by_role("button", name=desk.words("incidents.confirm_declare")).click()
    await expect(desk.page.locator(".view-about")).to_contain_text(desk.words("incidents.linked", count=4))
    (incident,) = await house.incidents.current()
    assert dict(incident.titles) == {**TITLE, "en": "Withdrawals are late"}
    assert [(await one.session()).session.incident for one in customers] == [incident.id] * 4
    await expect(desk.page.locator(".nav-item.broken .count")).to_have_text("1")


async def test_one_word_reaches_everybody_in_their_language_and_all_are_resolved_together(
    house: House, desk: Desk, kenji: Operator, shot: Shot
) -> None:
    customers = await affected(house)
    incident = await house.incidents.declare(TITLE, {}, kenji.id)
    for customer in customers:
        await house.incidents.link(incident.id, (await customer.session()).session.id, "by-hand")
    await desk.page.goto(f"{house.console}/#/incidents/{incident.id}")
    await desk.page.get_by_text(desk.words("incidents.update_all")).click()
    words = {"en": "They arrive again.", "ja": "出金は再開しました。", "zh-Hans": "提现已恢复。"}
    await fill(desk.page, "en", words)
    await desk.page.get_by_role("button", name=desk.words("incidents.preview")).locator("visible=true").click()
    readings = desk.page.locator(".readings > li")
    await expect(readings).to_have_count(3)
    await expect(readings.first).to_contain_text(words["zh-Hans"])  # two who read traditional Chinese: said so
    await expect(readings.first).to_contain_text(desk.words("incidents.uses", language="Simplified Chinese"))
    await shot(desk.page, "desk-incident-update")
    assert [len(await told(one)) for one in customers] == [0, 0, 0, 0]
    await desk.page.get_by_role("button", name=desk.words("incidents.confirm_update", count=4)).click()
    await expect(desk.page.locator(".broadcast")).to_contain_text("done at")
    assert [(await told(one))[-1] for one in customers] == [words["en"], words["ja"], *[words["zh-Hans"]] * 2]
    await desk.page.get_by_text(desk.words("incidents.resolve_all")).click()
    await desk.page.get_by_role("button", name=desk.words("incidents.preview")).locator("visible=true").click()
    await desk.page.get_by_role("button", name=desk.words("incidents.confirm_resolve", count=4)).click()
    await expect(desk.page.locator(".broadcast")).to_have_count(2)
    await expect(desk.page.locator(".broadcast").first).to_contain_text("done at")
    assert {(await one.session()).session.state for one in customers} == {"resolved"}
    await shot(desk.page, "desk-incident-over")
    assert await house.incidents.current() == ()


async def told(customer: Customer) -> list[str]:
    """What the customer can read that they have not written."""
    shown = (await customer.house.feed.catch_up(await customer.session(), None)).shown
    return [one.body.text for one in shown if one.body is not None and getattr(one.event, "operator", None)]


async def test_the_card_says_what_is_not_in_slack_yet_and_why(
    house: House, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    slack = NetworkName("slack")
    held: list[Setback | None] = [Setback(slack, "is_archived", 3, uncertain=False)]

    async def standing(*_: object) -> Setback | None:
        return held[0]

    monkeypatch.setattr(api, "standing", standing)
    customer = mia(house)
    await customer.writes()
    await desk.opens(customer)
    line = desk.page.locator(".card .card-line.near", has_text="Slack")
    told = {"network": "Slack", "count": 3}
    await expect(line).to_have_text(desk.words("card.held_up", code="is_archived", **told))
    assert await faint(desk) == []
    held[0] = Setback(slack, "cannot_look", 3, uncertain=True)
    await customer.writes("still there?")
    await expect(line).to_have_text(desk.words("card.uncertain", code="cannot_look", **told))
    held[0] = None
    await customer.writes("good")
    await expect(line).to_have_count(0)


async def test_a_session_is_linked_from_its_card_and_says_so(house: House, desk: Desk, kenji: Operator) -> None:
    customer = mia(house)
    await customer.writes()
    incident = await house.incidents.declare(TITLE, {}, kenji.id)
    await desk.page.reload()
    await desk.opens(customer)
    await desk.page.locator('.card [data-act="incident"]').click()
    await expect(desk.page.get_by_role("dialog")).to_contain_text(TITLE["en"])
    await desk.presses("Enter")
    await desk.dialog_closed()
    await expect(desk.page.locator(".strip")).to_contain_text(f"{incident.id} · {TITLE['en']}")
    await expect(desk.page.locator(".row .mark")).to_have_text(incident.id)
    await desk.page.locator(".strip a").click()
    await expect(desk.page.locator(".view-head h1")).to_contain_text(incident.id)
    await desk.page.get_by_role("button", name=desk.words("incidents.take_out")).click()
    await expect(desk.page.locator(".incident-body")).to_contain_text(desk.words("incidents.nobody"))


async def test_who_leads_nobody_sees_incidents_and_tells_nobody(house: House, new_desk: NewDesk) -> None:
    await house.operator("mei", names={"en": "Mei"})
    incident = await house.incidents.declare(TITLE, {}, OperatorId("owner"))
    await house.incidents.link_by(incident.id, Scope(), "press-1")
    desk = await new_desk()
    await desk.signs_in("mei", at="#/incidents")
    await expect(desk.page.locator(".incident-link")).to_contain_text(incident.id)
    await expect(desk.page.locator(".incident-body")).to_contain_text(desk.words("incidents.leads"))
    await desk.page.locator(".incident-link").click()
    await expect(desk.page.locator(".view-head h1")).to_contain_text(incident.id)
    await expect(desk.page.locator(".deed")).to_have_count(0)


# ------------------------------------------------------------------ for everybody


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "ja"])
async def test_all_of_it_can_be_read(
    house: House, kenji: Operator, new_desk: NewDesk, shot: Shot, language: str, scheme: str
) -> None:
    await a_team(house)
    urgent = mia(house, topic=SECURITY, language=language)
    stored = await urgent.writes("I did not make this withdrawal.")
    incident = await house.incidents.declare(TITLE, {}, kenji.id)
    await house.incidents.link(incident.id, stored.session.id, "by-hand")
    waiting = await house.customer("~offered", topic=WITHDRAWALS).writes()
    desk = await new_desk(language, color_scheme=scheme)
    await desk.signs_in()
    await offered(house, waiting.session.id, kenji.id, 60 * MINUTE)
    await desk.opens(urgent)
    await expect(desk.page.locator(".strip")).to_have_count(4)
    await expect(desk.page.locator(".offer")).to_have_count(1)
    for view, ready in (("", ".offer"), ("#/team", ".member"), (f"#/incidents/{incident.id}", ".deed")):
        if view:
            await desk.page.goto(f"{house.console}/{view}")
        await expect(desk.page.locator(ready).first).to_be_visible()
        assert await faint(desk) == []
        name = view.strip("#/").split("/")[0] or "routing"
        await shot(desk.page, f"desk-{name}-{language}-{scheme}")
    body = await desk.page.locator("body").inner_text()
    assert "incidents." not in body
    assert "standing." not in body


@pytest.mark.parametrize("language", ["en", "ja"])
async def test_a_phone_has_all_of_it(
    house: House, kenji: Operator, new_desk: NewDesk, shot: Shot, language: str
) -> None:
    await a_team(house)
    urgent = mia(house, topic=SECURITY, language=language)
    stored = await urgent.writes("I did not make this withdrawal.")
    incident = await house.incidents.declare(TITLE, {}, kenji.id)
    desk = await (await new_desk(language, viewport=PHONE)).signs_in()
    await offered(house, stored.session.id, kenji.id, 60 * MINUTE)
    await expect(desk.page.locator(".offer")).to_be_visible()
    await shot(desk.page, f"desk-phone-offer-{language}")
    for view, ready in (
        (f"#{stored.session.code}", ".strip"),
        ("#/team", ".member"),
        ("#/incidents", ".incident-form"),
        (f"#/incidents/{incident.id}", ".deed"),
    ):
        await desk.page.goto(f"{house.console}/{view}")
        await expect(desk.page.locator(ready).first).to_be_visible()
        assert await desk.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], view
        await shot(desk.page, f"desk-phone-{view.strip('#/').split('/')[-1][:9]}-{language}")
    await desk.page.get_by_role("button", name=desk.words("thread.back")).click()
    await desk.page.get_by_role("button", name=desk.words("nav.open")).click()
    await expect(desk.page.locator(".standing-switch")).to_be_visible()
    await shot(desk.page, f"desk-phone-nav-{language}")
