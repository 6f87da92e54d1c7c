"""What a customer wrote is never lost, never doubled, and never another's, whatever happens to the page around it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Door
from tests.browser.fake_desk import Customer as Known
from tests.browser.fake_desk import FakeDesk, Site, token_of
from tests.browser.widget_page import Customer, png

pytestmark = pytest.mark.asyncio(loop_scope="session")

ANNA, BERT = token_of("anna"), token_of("bert")
ASKED = """void (window.asked = new Promise((heard) => Kakehashi.onTokenExpiring(() => new Promise((answer) => {
  window.answer = answer;
  heard();
}))))"""
FULL = """window.setItem ??= Storage.prototype.setItem;
Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError"); }; 0"""
NO_DATABASE = """Object.defineProperty(window, "indexedDB",
  { get() { throw new DOMException("forbidden", "SecurityError"); } })"""


async def begun(visit: Door, token: str | None = None, **options: Any) -> Customer:
    """Somebody with the chat before them, who has said nothing yet."""
    customer = await visit(lines_may_break=True, **options)
    if token:
        await customer.identify(token)
    await customer.open()
    await customer.choose("Trading")
    return customer


async def returned(visit: Door, customer: Customer) -> Customer:
    """Another tab of theirs, with the chat before them."""
    tab = await visit(context=customer.page.context, lines_may_break=True)
    await tab.open()
    if not await tab.input.is_visible():  # what is unsent is shown at once
        await tab.panel.get_by_role("button", name=re.compile("Your conversation|Trading")).first.click()
    await expect(tab.input).to_be_visible()
    return tab


async def is_offline(desk: FakeDesk, customer: Customer) -> None:
    desk.down = True
    desk.drop()
    await expect(customer.bar).to_be_visible()


async def is_online(desk: FakeDesk, *pages: Page) -> None:
    desk.down = False
    for page in pages:
        await page.evaluate("dispatchEvent(new Event('online'))")


def account(desk: FakeDesk, name: str) -> Known:
    return next(known for known in desk.customers if known.account == name)


def said(desk: FakeDesk, known: Known) -> list[str]:
    return [part["text"] for event in desk.messages(known) for part in event["parts"] if part["type"] == "text"]


def all_that_was_said(desk: FakeDesk) -> list[str]:
    return sorted(text for known in desk.customers for text in said(desk, known))


# ---------------------------------------------------------------- who somebody is changes while they write


async def test_a_login_that_comes_while_the_site_is_asked_is_the_one_that_counts(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    desk.expired = {ANNA}
    fresh = token_of("anna", 1)
    await customer.page.evaluate(ASKED)
    await customer.identify(ANNA)
    await customer.open()
    await customer.choose("Trading")
    await customer.awaits("window.asked")
    await customer.write("one")
    await customer.input.fill("half a sent")
    await customer.identify(fresh)
    await customer.page.evaluate("answer(null)")
    await customer.was_told_state("Reached our desk")
    assert said(desk, account(desk, "anna")) == ["one"]
    assert [hello["jwt"] for hello in desk.heard_of("hello")] == [ANNA, fresh]
    await expect(customer.input).to_have_value("half a sent")


async def test_a_login_that_lapses_keeps_what_is_written_for_its_person(visit: Door, desk: FakeDesk) -> None:
    customer = await begun(visit, ANNA)
    await desk.next_customer()
    await customer.input.fill("half a sentence")
    await customer.attach("mine.png", png())
    await desk.until(lambda: desk.bytes)
    await customer.identify(None)
    await desk.until(lambda: desk.heard_of("hello")[-1]["jwt"] is None)
    await expect(customer.input).to_have_value("half a sentence")
    await expect(customer.attached).to_have_count(1)
    # who sits here after a reload cannot be known, so it waits for the login
    await customer.reload()
    await expect(customer.input).to_have_value("")
    await expect(customer.attached).to_have_count(0)
    await customer.identify(token_of("anna", 1))
    await expect(customer.input).to_have_value("half a sentence")
    await expect(customer.attached).to_have_count(1)


async def test_what_is_unsent_when_a_login_lapses_is_sent_once(visit: Door, desk: FakeDesk) -> None:
    customer = await begun(visit, ANNA)
    await desk.next_customer()
    desk.answers_later = True
    await customer.write("under way")
    await desk.until(lambda: desk.heard_of("message"))
    await customer.write("waiting")
    await customer.identify(None)
    await desk.until(lambda: desk.heard_of("hello")[-1]["jwt"] is None)
    desk.answer_now()
    await customer.was_told_state("Reached our desk")
    assert all_that_was_said(desk) == ["under way", "waiting"]
    await customer.was_shown("under way", "waiting")


async def test_who_logs_in_again_after_a_lapse_goes_on(visit: Door, desk: FakeDesk) -> None:
    customer = await begun(visit, ANNA)
    await customer.write("one")
    await customer.was_told_state("Reached our desk")
    await is_offline(desk, customer)
    await customer.identify(None)
    await customer.write("two")
    await customer.input.fill("three")
    await customer.identify(token_of("anna", 1))
    await is_online(desk, customer.page)
    await customer.was_shown("one", "two")
    await customer.was_told_state("Reached our desk")
    assert said(desk, account(desk, "anna")) == ["one", "two"]
    await expect(customer.input).to_have_value("three")


async def test_a_fresh_token_of_the_same_account_disturbs_nothing(visit: Door, desk: FakeDesk) -> None:
    customer = await begun(visit, ANNA)
    await customer.write("one")
    await customer.was_told_state("Reached our desk")
    await customer.attach("mine.png", png())
    await customer.input.fill("two")
    desk.answers_later = True
    await customer.identify(token_of("anna", 1))
    await customer.send.click()
    await desk.until(lambda: desk.bytes and desk.heard_of("identify"))
    await expect(customer.mine).to_have_count(2)
    assert len(desk.heard_of("message")) == 1, "what is written now waits until the desk has said who it is"
    desk.answer_now()
    await desk.until(lambda: len(desk.heard_of("message")) == 2)
    await customer.was_told_state("Reached our desk")
    assert said(desk, account(desk, "anna")) == ["one", "two"]


async def test_an_unfinished_composition_survives_a_login_that_is_said_again(visit: Door, desk: FakeDesk) -> None:
    customer = await begun(visit, ANNA)
    keyboard = await customer.page.context.new_cdp_session(customer.page)
    await keyboard.send("Input.imeSetComposition", {"text": "しゅっきん", "selectionStart": 5, "selectionEnd": 5})
    for token in (ANNA, token_of("anna", 1), None):
        await customer.identify(token)
    await keyboard.send("Input.insertText", {"text": "出金"})
    await expect(customer.input).to_have_value("出金")


async def test_a_login_said_again_brings_no_other_tabs_text(visit: Door, desk: FakeDesk) -> None:
    one = await begun(visit, ANNA)
    await one.input.fill("in the first tab")
    two = await visit(context=one.page.context)
    await two.identify(ANNA)
    await two.open()
    await two.choose("Trading")
    await expect(two.input).to_have_value("in the first tab")  # a new tab goes on where the other is
    await two.input.fill("in the second tab")
    await one.identify(ANNA)
    await expect(one.input).to_have_value("in the first tab")
    for tab, text in ((one, "in the first tab"), (two, "in the second tab")):
        await tab.reload()
        await tab.identify(ANNA)
        await expect(tab.input).to_have_value(text)


async def test_what_the_account_had_left_and_what_the_visitor_was_writing_are_both_kept(
    visit: Door, desk: FakeDesk
) -> None:
    customer = await begun(visit, ANNA)
    await customer.input.fill("left by Anna")
    await customer.reload()
    await expect(customer.input).to_have_value("")
    await customer.input.fill("written before the login")
    await customer.identify(ANNA)
    await expect(customer.input).to_have_value("left by Anna\nwritten before the login")


async def test_what_a_visitor_wrote_goes_along_and_no_further(visit: Door, desk: FakeDesk) -> None:
    customer = await begun(visit)
    await is_offline(desk, customer)
    await customer.write("before any login")
    await customer.attach("mine.png", png())
    await customer.input.fill("and a draft")
    await customer.identify(ANNA)
    await expect(customer.mine).to_have_count(1)
    await expect(customer.input).to_have_value("and a draft")
    await expect(customer.attached).to_have_count(1)
    await customer.identify(BERT)
    await expect(customer.mine).to_have_count(0)
    await expect(customer.input).to_have_value("")
    await expect(customer.attached).to_have_count(0)
    await customer.reload()
    await customer.identify(BERT)
    await customer.write("from Bert")
    await is_online(desk, customer.page)
    await customer.was_told_state("Reached our desk")
    assert all_that_was_said(desk) == ["from Bert"]
    await customer.identify(ANNA)
    await customer.was_shown("before any login")
    await expect(customer.input).to_have_value("and a draft")
    await expect(customer.attached).to_have_count(1)
    await customer.was_told_state("Reached our desk")
    assert said(desk, account(desk, "anna")) == ["before any login"]


async def test_one_account_after_another_without_a_logout_share_nothing(visit: Door, desk: FakeDesk) -> None:
    customer = await begun(visit, ANNA)
    await customer.write("Anna's words")
    await customer.was_told_state("Reached our desk")
    desk.say(account(desk, "anna"), "the answer to Anna")
    await expect(customer.theirs).to_have_count(1)
    desk.answers_later = True
    await customer.write("Anna's last word")
    await desk.until(lambda: len(desk.heard_of("message")) == 2)
    await customer.input.fill("Anna's draft")
    await customer.attach("anna.png", png())
    await customer.identify(BERT)
    assert "Anna" not in await customer.panel.evaluate("(panel) => panel.textContent + panel.innerHTML")
    await expect(customer.input).to_have_value("")
    await expect(customer.attached).to_have_count(0)
    await customer.write("Bert's words")
    await desk.until(lambda: desk.heard_of("hello")[-1]["jwt"] == BERT)
    assert "position" not in desk.heard_of("hello")[-1]
    desk.answer_now()
    await customer.was_told_state("Reached our desk")
    await customer.was_shown("Bert's words")
    assert said(desk, account(desk, "bert")) == ["Bert's words"]
    assert not desk.heard_of("identify"), "one line, one account"
    await customer.identify(ANNA)
    await customer.was_shown("Anna's words", "the answer to Anna", "Anna's last word")
    await customer.was_told_state("Reached our desk")
    assert said(desk, account(desk, "anna")) == ["Anna's words", "the answer to Anna", "Anna's last word"]
    await expect(customer.input).to_have_value("Anna's draft")
    await expect(customer.attached).to_have_count(1)


async def test_a_site_that_answers_with_another_accounts_token_has_changed_the_account(
    visit: Door, desk: FakeDesk
) -> None:
    desk.expired = {ANNA}
    customer = await visit()
    await customer.page.evaluate(ASKED)
    await customer.identify(ANNA)
    await customer.open()
    await customer.choose("Trading")
    await customer.awaits("window.asked")
    await customer.write("Anna's words")
    await customer.input.fill("Anna's draft")
    await customer.page.evaluate("(token) => answer(token)", BERT)
    await desk.until(lambda: any(known.account == "bert" for known in desk.customers))
    await expect(customer.mine).to_have_count(0)
    await expect(customer.input).to_have_value("")
    assert not desk.heard_of("message")


async def test_a_renewal_that_brings_another_account_is_a_change_of_accounts(visit: Door, desk: FakeDesk) -> None:
    desk.token_expires_in = 60.5
    customer = await visit()
    await customer.page.evaluate(ASKED)
    await customer.identify(ANNA)
    await customer.begin("Anna's words")
    await customer.awaits("window.asked")
    desk.token_expires_in = None
    await customer.page.evaluate("(token) => answer(token)", BERT)
    await desk.until(lambda: any(known.account == "bert" for known in desk.customers))
    await expect(customer.mine).to_have_count(0)
    assert not desk.heard_of("refresh")


async def test_a_site_that_never_answers_holds_nothing_up(visit: Door, desk: FakeDesk) -> None:
    desk.expired = {ANNA}
    customer = await visit()
    await customer.page.clock.install()
    await customer.page.evaluate(ASKED)
    await customer.identify(ANNA)
    await customer.open()
    await customer.choose("Trading")
    await customer.write("one")
    await customer.awaits("window.asked")
    await customer.page.clock.run_for(16_000)
    await customer.was_told_state("Reached our desk")
    assert all_that_was_said(desk) == ["one"]


async def test_a_login_that_lapsed_before_its_time_is_not_renewed(visit: Door, desk: FakeDesk) -> None:
    desk.token_expires_in = 90.0
    customer = await visit()
    await customer.page.clock.install()
    await customer.page.evaluate("Kakehashi.onTokenExpiring(() => { window.asked = true; })")
    await customer.identify(ANNA)
    await customer.begin("one")
    await customer.identify(None)
    await desk.until(lambda: desk.heard_of("hello")[-1]["jwt"] is None)
    await customer.page.clock.run_for(60_000)
    await customer.write("two")
    await customer.was_told_state("Reached our desk")
    assert await customer.page.evaluate("window.asked") is None


async def test_a_visitors_session_of_before_a_lapse_is_not_the_next_accounts(visit: Door, desk: FakeDesk) -> None:
    customer = await begun(visit, ANNA)
    await desk.next_customer()
    await customer.identify(None)
    await customer.write("Anna, as a visitor")
    await customer.was_told_state("Reached our desk")
    await customer.identify(BERT)
    await desk.until(lambda: any(known.account == "bert" and known.lines for known in desk.customers))
    await expect(customer.mine).to_have_count(0)
    assert account(desk, "bert").session is None
    assert desk.heard_of("hello")[-1]["token"] is None


# ---------------------------------------------------------------- logging out


async def test_a_logout_in_the_middle_of_a_send_shows_and_keeps_nothing(visit: Door, desk: FakeDesk) -> None:
    customer = await begun(visit)
    await desk.next_customer()
    desk.answers_later = True
    await customer.write("private")
    await desk.until(lambda: desk.heard_of("message"))
    await customer.log_out()
    await desk.until(lambda: desk.heard_of("logout"))
    desk.answer_now()  # session, notice, ack, reached, and only then the goodbye
    await desk.until(lambda: desk.revoked and not desk.lines)
    assert await customer.stored() == {}
    await expect(customer.panel.locator(".message, .notice")).to_have_count(0)
    await customer.open()
    await desk.until(lambda: len(desk.customers) == 2)
    await expect(customer.panel.get_by_role("button", name="Your conversation")).to_have_count(0)


async def test_a_logout_in_the_middle_of_a_long_welcome_shows_nothing_of_the_rest(visit: Door, desk: FakeDesk) -> None:
    customer = await begun(visit)
    await customer.write("private")
    await customer.was_told_state("Reached our desk")
    known = await desk.next_customer()
    for number in range(20):
        desk.say(known, f"answer {number}")
    await expect(customer.theirs).to_have_count(20)
    desk.history_page = 5
    out = """new Promise((done) => { const parse = JSON.parse; JSON.parse = (text) => { const frame = parse(text);
      if (frame?.t === "events") { JSON.parse = parse; Kakehashi.logout(); done(); } return frame; };
      document.documentElement.lang = "ja"; })"""  # another language asks for the whole welcome anew
    known.log[-1]["pos"] = {**known.log[-1]["pos"], "t": "cut"}
    await customer.page.evaluate(out)
    await desk.until(lambda: desk.revoked and not desk.lines)
    await expect(customer.panel.locator(".message, .notice")).to_have_count(0)
    assert "answer" not in json.dumps(await customer.stored())


async def test_what_the_next_person_writes_while_the_last_one_is_logged_out_is_sent_as_theirs(
    visit: Door, desk: FakeDesk
) -> None:
    customer = await begun(visit, ANNA)
    await customer.write("Anna's words")
    await customer.was_told_state("Reached our desk")
    desk.answers_later = True
    await customer.log_out()
    await desk.until(lambda: desk.heard_of("logout"))
    await customer.open()
    await customer.choose("Security")
    await customer.write("the next one's words")
    await customer.input.fill("and draft")
    desk.answer_now()
    await customer.was_told_state("Reached our desk")
    await customer.was_shown("the next one's words")
    await expect(customer.input).to_have_value("and draft")
    assert said(desk, account(desk, "anna")) == ["Anna's words"]
    assert desk.heard_of("hello")[-1]["jwt"] is None
    await customer.reload()
    await expect(customer.input).to_have_value("and draft")


async def test_an_answer_that_comes_after_the_logout_brings_no_login_back(visit: Door, desk: FakeDesk) -> None:
    desk.token_expires_in = 60.5
    customer = await visit()
    await customer.page.evaluate(ASKED)
    await customer.identify(ANNA)
    await customer.begin("Anna's words")
    await customer.awaits("window.asked")
    await customer.page.evaluate("Kakehashi.logout()")
    await desk.until(lambda: not desk.lines)
    await customer.page.evaluate("(token) => answer(token)", token_of("anna", 1))
    await customer.open()
    await desk.until(lambda: len(desk.heard_of("hello")) == 2)
    assert desk.heard_of("hello")[-1]["jwt"] is None


async def test_a_logout_with_a_login_that_has_lapsed_asks_the_site_for_nothing(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    desk.expired = {ANNA}
    await customer.page.evaluate(ASKED)
    await customer.identify(ANNA)
    await customer.open()
    await customer.awaits("window.asked.then(() => Kakehashi.onTokenExpiring(() => { window.again = true; }))")
    await customer.page.evaluate("Kakehashi.logout()")
    assert await customer.stored() == {}
    await customer.open()
    await desk.until(lambda: len(desk.heard_of("hello")) == 2)
    assert desk.heard_of("hello")[-1]["jwt"] is None
    assert await customer.page.evaluate("window.again") is None


async def test_a_logout_in_one_tab_empties_the_others(visit: Door, desk: FakeDesk) -> None:
    one = await begun(visit)
    await one.write("private")
    await one.was_told_state("Reached our desk")
    two = await returned(visit, one)
    await two.was_shown("private")
    await is_offline(desk, two)
    await two.write("private, and unsent")
    await two.input.fill("a private draft")
    await one.log_out()
    await expect(two.panel).to_be_hidden()
    await expect(two.panel.locator(".message")).to_have_count(0)
    await expect(two.input).to_have_value("")
    await is_online(desk, one.page, two.page)
    await desk.until(lambda: desk.revoked)
    await two.open()
    await desk.until(lambda: len(desk.customers) == 2)
    assert all_that_was_said(desk) == ["private"]
    assert "private" not in json.dumps(await two.stored())


# ---------------------------------------------------------------- reload, and the browser's cache


@pytest.mark.parametrize("state", ["under way", "delayed", "failed"])
async def test_a_message_in_any_state_survives_a_reload_with_its_picture(
    visit: Door, desk: FakeDesk, state: str
) -> None:
    customer = await begun(visit)
    await customer.attach("mine.png", png())
    await customer.input.fill("look")
    desk.refusals = {
        "under way": [],
        "delayed": [{"code": "not_stored", "retry": True, "after": 600}],
        "failed": [{"code": "overloaded", "retry": False}],
    }[state]
    desk.answers_later = state == "under way"
    await customer.send.click()
    shown = {"under way": "Sending…", "delayed": "Not sent yet", "failed": "Not sent."}[state]
    await desk.until(lambda: desk.heard_of("message"))
    await customer.was_told_state(shown)
    desk.down = True
    desk.drop()
    await customer.reload()
    await customer.was_told_state(shown)
    await expect(customer.mine.locator(".picture canvas")).to_be_visible()
    await expect(customer.attached).to_have_count(0)
    await expect(customer.input).to_have_value("")
    desk.answers_later = False
    await is_online(desk, customer.page)
    if state == "failed":
        await customer.button("Retry").click()
    await customer.was_told_state("Reached our desk")
    known = desk.customers[0]
    assert said(desk, known) == ["look"]
    assert {frame["id"] for frame in desk.heard_of("message")} == {desk.messages(known)[0]["id"]}
    await customer.reload()
    await expect(customer.mine).to_have_count(1)
    await expect(customer.attached).to_have_count(0)
    assert not [key for key in await customer.stored() if "unsent" in key or "files" in key]


async def test_what_was_sent_on_the_next_page_is_not_there_to_be_sent_again_on_this_one(
    visit: Door, desk: FakeDesk
) -> None:
    customer = await begun(visit)
    await customer.input.fill("written once")
    hidden = "dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))"
    await customer.page.evaluate(hidden)
    # the next page in this tab shares its storage, and sends it
    await customer.page.evaluate(
        """() => { sessionStorage.setItem("kakehashi/main/draft/visitor", '""');
                   localStorage.removeItem("kakehashi/main/draft/visitor"); }"""
    )
    await customer.page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    await expect(customer.input).to_have_value("")


async def test_a_page_from_the_cache_shows_nothing_of_who_has_logged_out(visit: Door, desk: FakeDesk) -> None:
    customer = await begun(visit)
    await customer.write("private")
    await customer.was_told_state("Reached our desk")
    await customer.input.fill("a private draft")
    await customer.page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
    await desk.until(lambda: not desk.lines)
    await customer.page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")  # as a logout does
    await customer.page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    await expect(customer.panel).to_be_hidden()
    await expect(customer.panel.locator(".message")).to_have_count(0)
    await expect(customer.input).to_have_value("")
    assert "private" not in json.dumps(await customer.stored())


# ---------------------------------------------------------------- several tabs


async def test_a_draft_that_stands_in_two_tabs_is_sent_from_one(visit: Door, desk: FakeDesk) -> None:
    one = await begun(visit)
    await one.input.fill("the same text")
    await one.attach("mine.png", png())
    await desk.until(lambda: desk.bytes)
    two = await returned(visit, one)
    await expect(two.input).to_have_value("the same text")
    await expect(two.attached).to_have_count(1)
    await one.send.click()
    await one.was_told_state("Reached our desk")
    await expect(two.input).to_have_value("")
    await expect(two.attached).to_have_count(0)
    await expect(two.mine).to_have_count(1)
    for tab in (one, two):
        await tab.reload()
        await expect(tab.mine).to_have_count(1)
        await expect(tab.input).to_have_value("")
        await expect(tab.attached).to_have_count(0)


async def test_what_was_taken_back_in_one_tab_is_not_sent_from_the_other(visit: Door, desk: FakeDesk) -> None:
    one = await begun(visit)
    desk.refusals = [{"code": "too_long", "retry": False}]
    await one.write("too long")
    await one.was_told_state("Not sent.")
    two = await returned(visit, one)
    await two.was_told_state("Not sent.")
    await two.button("Edit").click()
    await expect(two.input).to_have_value("too long")
    await expect(one.mine).to_have_count(0)
    await two.write("shorter")
    await two.was_told_state("Reached our desk")
    await one.was_shown("shorter")
    assert all_that_was_said(desk) == ["shorter"]


async def test_what_one_tab_took_along_to_an_account_the_other_does_not_send_as_a_visitor(
    visit: Door, desk: FakeDesk
) -> None:
    one = await begun(visit)
    await desk.next_customer()
    await is_offline(desk, one)
    await one.write("once")
    two = await returned(visit, one)
    await expect(two.mine).to_have_count(1)
    await two.identify(ANNA)
    await one.page.wait_for_function("Object.values(localStorage).some((kept) => kept.includes('account/anna'))")
    await is_online(desk, two.page)
    await two.was_told_state("Reached our desk")
    await is_online(desk, one.page)
    await one.write("as a visitor")
    await one.was_told_state("Reached our desk")
    assert all_that_was_said(desk) == ["as a visitor", "once"]
    assert said(desk, account(desk, "anna")) == ["once"]


async def test_what_a_closed_tab_could_not_send_the_other_one_does(visit: Door, desk: FakeDesk) -> None:
    one = await begun(visit)
    await one.write("one")
    await one.was_told_state("Reached our desk")
    context = one.page.context
    await one.page.clock.install()
    two = await returned(visit, one)
    await two.was_shown("one")
    desk.answers_later = True
    await two.write("two")
    await desk.until(lambda: len(desk.heard_of("message")) == 2)
    two.lines_may_break = True
    await two.page.close()
    await desk.until(lambda: len(desk.lines) == 1)
    desk.answer_now()
    assert all_that_was_said(desk) == ["one"], "what a cut line had said was not stored"
    await one.page.clock.run_for(25_000)
    await one.was_shown("one", "two")
    await desk.until(lambda: all_that_was_said(desk) == ["one", "two"])
    await context.close()


async def test_two_tabs_that_begin_at_once_are_one_visitor(visit: Door, desk: FakeDesk) -> None:
    one = await visit()
    two = await visit(context=one.page.context)
    two.lines_may_break = True
    held = "window.hello = new Promise((go) => { window.go = go; }); "
    send = "const send = WebSocket.prototype.send; WebSocket.prototype.send = function (frame) { "
    await two.page.evaluate(f"{held}{send}hello.then(() => send.call(this, frame)); }}; 0")
    await two.open()
    await one.begin("from the first")
    await two.page.evaluate("go()")
    await two.choose("Your conversation")
    await two.was_shown("from the first")
    await two.write("from the second")
    await one.was_shown("from the first", "from the second")


# ---------------------------------------------------------------- the desk's answers, at every moment


async def test_a_session_that_closes_between_a_message_and_its_ack_loses_nothing(visit: Door, desk: FakeDesk) -> None:
    customer = await begun(visit)
    await customer.write("one")
    await customer.was_told_state("Reached our desk")
    known = await desk.next_customer()
    desk.answers_later = True
    await customer.write("two")
    await desk.until(lambda: len(desk.heard_of("message")) == 2)
    await customer.input.fill("three")
    desk.notice(known, "closed", state="closed")
    await expect(customer.notices.filter(has_text="ended")).to_have_count(1)
    await expect(customer.input).to_have_value("three")
    desk.answer_now()
    await customer.was_shown("one", "two")
    await customer.was_told_state("Reached our desk")
    await customer.input.press("Enter")
    await customer.was_shown("one", "two", "three")
    assert said(desk, known) == ["two", "three"], "a new session"


async def test_a_draft_outlives_the_session_it_was_meant_for(visit: Door, desk: FakeDesk) -> None:
    customer = await begun(visit)
    await customer.write("one")
    await customer.was_told_state("Reached our desk")
    await customer.input.fill("two")
    desk.notice(await desk.next_customer(), "closed", state="closed")
    await expect(customer.input).to_be_hidden()
    await customer.button("Start a new conversation").click()
    await customer.choose("Security")
    await expect(customer.input).to_have_value("two")


async def test_an_unsent_message_that_a_long_welcome_brings_is_not_sent_again(visit: Door, desk: FakeDesk) -> None:
    customer = await begun(visit)
    await customer.write("first")
    await customer.was_told_state("Reached our desk")
    known = await desk.next_customer()
    for number in range(12):
        desk.say(known, f"answer {number}")
    await expect(customer.theirs).to_have_count(12)
    desk.swallow_acks = True
    desk.history_page = 5
    await customer.write("stored, but its ack is lost")
    await desk.until(lambda: len(desk.messages(known)) == 14)
    known.log[0]["pos"] = {**known.log[0]["pos"], "t": "cut"}
    await customer.reload()
    await expect(customer.mine).to_have_count(2)
    await customer.was_told_state("Sent")
    await expect(customer.theirs).to_have_count(12)
    assert len(desk.heard_of("message")) == 2
    assert not [key for key in await customer.stored() if "/unsent/" in key]


async def test_a_message_whose_ack_comes_before_what_was_said_before_it_stays_on_the_screen(
    visit: Door, desk: FakeDesk
) -> None:
    customer = await begun(visit)
    await customer.write("one")
    await customer.was_told_state("Reached our desk")
    known = await desk.next_customer()
    lines, known.lines = known.lines, []
    desk.say(known, "missed on the way")
    known.lines = lines
    desk.down = True  # nothing that is missing can be fetched
    desk.reach = False
    await customer.write("two")
    await customer.was_shown("one", "two")
    await customer.was_told_state("Sent")
    await desk.until(lambda: not desk.lines)
    await customer.was_shown("one", "two")
    await is_online(desk, customer.page)
    await customer.was_shown("one", "missed on the way", "two")


async def test_a_file_that_the_desk_lost_is_given_back_with_its_text_and_uploaded_anew(
    visit: Door, desk: FakeDesk
) -> None:
    customer = await begun(visit)
    await customer.attach("mine.png", png())
    await customer.input.fill("look")
    desk.refusals = [{"code": "unknown_file", "retry": False}]
    await customer.send.click()
    await customer.was_told_state("The file has expired")
    await customer.reload()
    await expect(customer.mine.locator(".picture canvas")).to_be_visible()
    await customer.button("Edit").click()
    await expect(customer.input).to_have_value("look")
    await expect(customer.attached).to_have_count(1)
    await desk.until(lambda: len(desk.bytes) == 2)
    await customer.send.click()
    await customer.was_told_state("Reached our desk")
    first, second = (frame["parts"][1]["file"] for frame in desk.heard_of("message"))
    assert first != second
    assert desk.bytes[first] == desk.bytes[second]


# ---------------------------------------------------------------- another language in the middle


async def test_a_change_of_language_loses_no_file_and_sends_nothing_twice(visit: Door, desk: FakeDesk) -> None:
    context = await visit.context()
    await context.add_init_script(NO_DATABASE)
    customer = await begun(visit, context=context)
    await desk.next_customer()
    hold = "const fetched = fetch; window.held = new Promise((go) => { window.go = go; }); "
    slow = "window.fetch = async (...asked) => { if (asked[0].endsWith?.('/finish')) await held; "
    await customer.page.evaluate(f"{hold}{slow}return fetched(...asked); }}; 0")
    await customer.attach("mine.png", png())
    await customer.input.fill("look")
    await customer.send.click()  # it waits for its file
    await customer.page.evaluate("document.documentElement.lang = 'ja'")
    await expect(customer.input).to_have_attribute("placeholder", "メッセージを入力")
    await expect(customer.input).to_have_value("look")
    await expect(customer.attached).to_have_count(1)
    assert not desk.heard_of("message")
    await customer.page.evaluate("go()")
    await expect(customer.mine).to_have_count(1)
    await expect(customer.panel.locator(".state.reached")).to_be_visible()
    await expect(customer.attached).to_have_count(0)
    assert len(desk.messages(desk.customers[0])) == 1


async def test_the_language_asked_for_last_is_the_one_that_is_spoken(visit: Door, desk: FakeDesk) -> None:
    customer = await begun(visit)
    await customer.input.fill("kept")
    slow = """let heard, ended; window.asked = new Promise((done) => { heard = done; });
      window.came = new Promise((done) => { ended = done; });
      const fetched = fetch; window.fetch = async (...asked) => {
        const answer = await fetched(...asked);
        if (!String(asked[0]).endsWith("ja.json")) return answer;
        await new Promise((go) => { window.go = go; heard(); });
        setTimeout(ended);
        return answer; }; 0"""
    await customer.page.evaluate(slow)
    await customer.page.evaluate("document.documentElement.lang = 'ja'")
    await customer.awaits("window.asked")
    await customer.page.evaluate("document.documentElement.lang = 'zh-TW'")
    await expect(customer.input).to_have_attribute("placeholder", "輸入訊息")
    await customer.page.evaluate("go()")
    await customer.awaits("window.came")
    await expect(customer.input).to_have_attribute("placeholder", "輸入訊息")
    await expect(customer.input).to_have_value("kept")


# ---------------------------------------------------------------- storage that is full, or wiped


async def test_where_storage_is_full_what_is_written_lasts_as_long_as_the_page(visit: Door, desk: FakeDesk) -> None:
    customer = await begun(visit)
    await customer.write("one")
    await customer.was_told_state("Reached our desk")
    await customer.input.fill("an older text")
    await customer.page.evaluate(FULL)
    await is_offline(desk, customer)
    await customer.write("unsent")
    await customer.input.fill("half a sentence")
    await customer.identify(ANNA)
    await customer.page.evaluate("document.documentElement.lang = 'ja'")
    await expect(customer.input).to_have_attribute("placeholder", "メッセージを入力")
    await expect(customer.input).to_have_value("half a sentence")
    await customer.page.evaluate("document.documentElement.lang = 'en'")
    await is_online(desk, customer.page)
    await customer.was_shown("one", "unsent")
    await customer.was_told_state("Reached our desk")
    assert said(desk, account(desk, "anna")) == ["one", "unsent"]


async def test_what_did_not_fit_is_kept_as_soon_as_there_is_room(visit: Door, desk: FakeDesk) -> None:
    customer = await begun(visit)
    await desk.next_customer()
    await customer.page.evaluate(FULL)
    await is_offline(desk, customer)
    await customer.write("unsent")
    await customer.page.evaluate("Storage.prototype.setItem = window.setItem; 0")
    await customer.input.fill("x")
    await customer.input.fill("")
    await customer.reload()
    await expect(customer.mine).to_have_count(1)
    await customer.was_told_state("Sending…")


async def test_a_storage_that_was_full_before_is_read_all_the_same(visit: Door, desk: FakeDesk) -> None:
    customer = await begun(visit)
    await customer.write("one")
    await customer.was_told_state("Reached our desk")
    await customer.input.fill("a draft")
    await customer.page.context.add_init_script(FULL)
    await customer.reload()
    await customer.was_shown("one")
    await expect(customer.input).to_have_value("a draft")
    assert len(desk.customers) == 1


async def test_a_site_that_wipes_its_storage_loses_no_message(visit: Door, desk: FakeDesk) -> None:
    one = await begun(visit)
    await one.write("one")
    await one.was_told_state("Reached our desk")
    two = await returned(visit, one)
    await two.was_shown("one")
    await is_offline(desk, one)
    await one.write("two")
    await one.input.fill("a draft")
    await one.page.evaluate("localStorage.clear()")
    await expect(one.mine).to_have_count(2)
    await is_online(desk, one.page, two.page)
    await one.was_told_state("Reached our desk")
    await expect(one.input).to_have_value("a draft")
    await two.was_shown("one", "two")
    assert all_that_was_said(desk) == ["one", "two"]
    await two.reload()
    await two.was_shown("one", "two")


async def test_files_survive_a_database_that_the_browser_has_closed(visit: Door, desk: FakeDesk) -> None:
    customer = await begun(visit)
    await customer.attach("one.png", png())
    await desk.until(lambda: desk.bytes)
    gone = """new Promise((done) => { indexedDB.deleteDatabase("kakehashi/main").onsuccess = () => done(); })"""
    await customer.page.evaluate(gone)
    await customer.attach("two.png", png(20, 20))
    await desk.until(lambda: len(desk.bytes) == 2)
    await expect(customer.send).to_have_attribute("aria-disabled", "false")
    await customer.reload()
    await expect(customer.attached).to_have_text([re.compile("two.png")])


# ---------------------------------------------------------------- a message's own files


async def test_ones_own_files_can_be_opened_at_once(visit: Door, desk: FakeDesk, site: Site) -> None:
    customer = await begun(visit)
    await customer.attach("form.pdf", b"%PDF-1.7 mine", "application/pdf")
    await customer.send.click()
    document = customer.mine.locator("a.document")
    await expect(document).to_contain_text("form.pdf")
    async with customer.page.context.expect_page() as opened:
        await document.click()
    await (await opened.value).close()
    picture = png(400, 300)
    await customer.attach("screen.png", picture)
    await customer.send.click()
    await expect(customer.mine.locator(".picture canvas")).to_be_visible()
    await customer.was_told_state("Reached our desk")
    await customer.mine.locator(".picture").click()
    full = customer.panel.get_by_role("dialog", name="screen.png").locator("img")
    await expect(full).to_have_js_property("naturalWidth", 400)
    link = customer.panel.get_by_role("link", name="Download")
    await expect(link).to_have_attribute("href", re.compile(re.escape(desk.url)))
    assert len(desk.heard_of("hello")) == 1
    del site
