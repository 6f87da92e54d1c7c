"""The customer's widget in a real browser, on a site of another origin with a strict policy, and a scripted desk."""

from __future__ import annotations

import asyncio
import gzip
import json
import math
import re
from typing import Any

import pytest
from playwright.async_api import expect

from adapters.web.statics import HERE
from config import locales
from tests.browser.conftest import Door, NewContext, Shot
from tests.browser.fake_desk import FakeDesk, Site, token_of
from tests.browser.widget_page import Customer, png

pytestmark = pytest.mark.asyncio(loop_scope="session")

PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
    "device_scale_factor": 2,
    "reduced_motion": "reduce",  # what is measured stands still
}
TXID = "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"
PHRASE = "legal winner thank year wave sausage worth useful legal winner thank yellow"


# ---------------------------------------------------------------- the loader


async def test_until_it_is_opened_a_page_loads_the_launcher_and_nothing_else(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    asked = await customer.page.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)")
    assert asked == [f"{desk.url}/widget.js"]
    assert not desk.heard
    assert len(gzip.compress((HERE / "widget" / "widget.js").read_bytes(), 9)) < 2985  # and the version makes 3 KB


async def test_the_launcher_is_56_px_in_its_corner_and_shifts_nothing(visit: Door, site: Site) -> None:
    site.data = 'data-position="left" data-offset-x="32" data-offset-y="48"'
    customer = await visit(viewport={"width": 1000, "height": 700})
    box = await customer.launcher.bounding_box()
    assert box == {"x": 32, "y": 700 - 48 - 56, "width": 56, "height": 56}
    shifts = """new Promise((done) => { let sum = 0;
      new PerformanceObserver((list) => { for (const e of list.getEntries()) sum += e.value; }).observe(
        { type: "layout-shift", buffered: true }); requestAnimationFrame(() => requestAnimationFrame(() => done(sum)));
    })"""
    assert await customer.page.evaluate(shifts) == 0


async def test_without_a_launcher_the_site_opens_the_chat_itself(visit: Door, site: Site, desk: FakeDesk) -> None:
    site.data = 'data-launcher="none"'
    customer = await visit()
    await expect(customer.launcher).to_be_hidden()
    await customer.page.evaluate("Kakehashi.open({ topic: 'security' })")
    await expect(customer.input).to_be_focused()
    await customer.write("Hello")
    await desk.until(lambda: desk.heard_of("message"))
    assert desk.heard_of("message")[0]["topic"] == "security"
    await customer.page.evaluate("Kakehashi.close()")
    await expect(customer.panel).to_be_hidden()


async def test_calls_made_before_the_loader_are_kept_in_order(
    new_context: NewContext, site: Site, desk: FakeDesk
) -> None:
    page = await (await new_context()).new_page()
    token = token_of("u1")
    await page.add_init_script(f"window.Kakehashi = [['identify', '{token}'], ['open', {{ topic: 'trading' }}]]")
    customer = await Customer.at(page, site.url)
    await expect(customer.input).to_be_visible()
    await desk.until(lambda: desk.heard_of("hello"))
    assert [hello.get("jwt") for hello in desk.heard_of("hello")] == [token]
    await customer.has_no_complaints()


async def test_a_chat_that_cannot_be_loaded_says_so_and_can_be_tried_again(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    customer.lines_may_break = True
    await customer.page.route("**/app.js", lambda route: route.abort())
    await customer.launcher.click()
    await expect(customer.launcher).to_have_attribute("data-fail", re.compile("could not be loaded"))
    customer.complaints.clear()  # the loader warns the developer
    await customer.page.unroute("**/app.js")
    await customer.page.reload()
    await customer.open()


# ---------------------------------------------------------------- saying something


async def test_a_first_message_reaches_the_desk_with_its_topic_and_page(visit: Door, desk: FakeDesk) -> None:
    customer = await visit("/trade/btc?secret=1#token")
    await customer.open()
    await customer.choose("Deposits and withdrawals")
    await expect(customer.input).to_be_focused()
    desk.reach = False
    await customer.write("My withdrawal")
    await customer.was_told_state("Sent")
    hello, message = desk.heard_of("hello")[0], desk.heard_of("message")[0]
    assert hello["page"] == customer.page.url.split("?")[0]
    assert hello["tz"] == "Asia/Tokyo"
    assert (message["topic"], message["language"]) == ("transfers", "en")
    assert message["parts"] == [{"type": "text", "text": "My withdrawal"}]
    assert re.fullmatch(r"[A-Za-z0-9_-]{8,64}", message["id"])
    desk.reached(await desk.next_customer(), message["id"])
    await customer.was_told_state("Reached our desk")
    await expect(customer.notices).to_have_text(["We have your message. Someone will be with you soon"])
    await expect(customer.input).to_be_focused()


async def test_seen_is_told_only_when_switched_on_and_answered(visit: Door, desk: FakeDesk) -> None:
    desk.seen = True
    customer = await visit()
    await customer.begin("Hello")
    await customer.was_told_state("Reached our desk")
    desk.say(await desk.next_customer(), "Hello")
    await customer.was_told_state("Seen")


async def test_what_lost_its_acknowledgement_is_sent_again_with_the_same_id(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    customer.lines_may_break = True
    await customer.begin("first")
    await customer.was_told_state("Reached our desk")
    desk.swallow_acks = True
    await customer.write("second")
    await desk.until(lambda: len(desk.heard_of("message")) >= 2 and len(desk.heard_of("hello")) == 2)
    await customer.was_told_state("Sent")
    await customer.was_shown("first", "second")
    known = await desk.next_customer()
    assert [event["parts"][0]["text"] for event in desk.messages(known)] == ["first", "second"]
    assert not [key for key in await customer.stored() if "/unsent/" in key]


async def test_what_is_written_while_the_desk_is_away_waits_and_goes_out_in_order(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    customer.lines_may_break = True
    await customer.begin("one")
    await customer.was_told_state("Reached our desk")
    desk.down = True
    desk.drop()
    await expect(customer.bar).to_have_text("Connecting… your messages are kept")
    for text in ("two", "three", "four"):
        await customer.write(text)
    await customer.was_told_state("Sending…")
    desk.down = False
    await customer.page.evaluate("dispatchEvent(new Event('online'))")
    await desk.until(lambda: len(desk.messages(desk.customers[0])) == 4)
    assert [event["parts"][0]["text"] for event in desk.messages(desk.customers[0])] == ["one", "two", "three", "four"]
    await expect(customer.bar).to_have_count(0)
    await customer.was_shown("one", "two", "three", "four")


async def test_it_reconnects_at_once_when_the_page_comes_back(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    customer.lines_may_break = True
    await customer.begin("one")
    for happening in ("document.dispatchEvent(new Event('visibilitychange'))", "dispatchEvent(new Event('pageshow'))"):
        before = len(desk.heard_of("hello"))
        # a back-off that never ends shows that waking up does not wait for it
        await customer.page.evaluate("Math.random = () => 1e6")
        desk.drop()
        await desk.until(lambda: not desk.lines)
        await expect(customer.bar).to_be_visible()
        await customer.page.evaluate(happening)
        await desk.until(lambda before=before: len(desk.heard_of("hello")) == before + 1)  # type: ignore[misc]  # bound here
        await expect(customer.bar).to_have_count(0)


async def test_a_refusal_for_now_is_kept_and_sent_again(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    await customer.begin("one")
    await customer.was_told_state("Reached our desk")
    desk.refusals = [{"code": "not_stored", "retry": True, "after": 60}]
    await customer.write("two")
    await customer.was_told_state("Not sent yet. We keep trying.")
    assert [event["parts"][0]["text"] for event in desk.messages(desk.customers[0])] == ["one"]
    await customer.button("Retry").click()
    await customer.was_told_state("Reached our desk")
    first, second = desk.heard_of("message")[1:]
    assert first == second


@pytest.mark.parametrize("after", [0.0373, 0.3701, 0.0006])
async def test_a_refusal_for_a_broken_number_of_milliseconds_is_tried_again(
    visit: Door, desk: FakeDesk, after: float
) -> None:
    """A timer cuts the fraction off and comes a little early; nobody else would ask again."""
    customer = await visit()
    await customer.begin("one")
    for number in range(8):
        desk.refusals = [{"code": "not_stored", "retry": True, "after": after + number / 17_000}]
        await customer.write(f"again {number}")
        await customer.was_told_state("Reached our desk")
        assert len(desk.messages(desk.customers[0])) == number + 2


async def test_a_refusal_for_now_changes_no_order(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    customer.lines_may_break = True
    await customer.begin("one")
    desk.down = True
    desk.drop()
    await expect(customer.bar).to_be_visible()
    for text in ("two", "three"):
        await customer.write(text)
    desk.refusals = [{"code": "not_stored", "retry": True, "after": 0.01}]
    desk.down = False
    await customer.page.evaluate("dispatchEvent(new Event('online'))")
    await desk.until(lambda: len(desk.messages(desk.customers[0])) == 3)
    assert [event["parts"][0]["text"] for event in desk.messages(desk.customers[0])] == ["one", "two", "three"]
    await customer.was_shown("one", "two", "three")


async def test_a_refusal_for_good_says_not_sent_and_lets_it_be_edited(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    await customer.begin("one")
    desk.refusals = [{"code": "too_long", "retry": False}]
    await customer.write("two")
    await customer.was_told_state("Not sent.")
    await customer.button("Edit").click()
    await expect(customer.input).to_have_value("two")
    await customer.was_shown("one")
    await customer.write("two, shorter")
    await customer.was_shown("one", "two, shorter")


@pytest.mark.parametrize(
    ("language", "tag"), [("en", "en-GB"), ("ja", "ja-JP"), ("zh-Hans", "zh-CN"), ("zh-Hant", "zh-TW")]
)
async def test_who_is_blocked_is_asked_to_use_another_way_and_not_told_why(
    visit: Door, site: Site, desk: FakeDesk, language: str, tag: str
) -> None:
    site.lang = tag
    words = locales.customers()[language]
    desk.refusals = [{"code": "not_taken_here", "retry": False}]
    customer = await visit(locale=tag)
    await customer.open()
    await customer.choose(words["topic.trading"])
    await customer.write("…")
    await customer.was_told_state(f"{words['state.failed']} {words['failed.not_taken_here']}")
    assert re.search("block|ブロック|拒否|屏蔽|封鎖|封锁|黑名", await customer.panel.inner_text()) is None
    assert len(desk.heard_of("message")) == 1, "it is refused for good: nothing is tried again by itself"


async def test_a_draft_and_an_unsent_message_survive_a_reload(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    customer.lines_may_break = True
    await customer.begin("one")
    await customer.was_told_state("Reached our desk")
    desk.down = True
    desk.drop()
    await customer.write("unsent")
    await customer.input.fill("half a thou")
    await customer.reload()
    await expect(customer.input).to_have_value("half a thou")
    await customer.was_told_state("Sending…")
    desk.down = False
    await customer.page.evaluate("dispatchEvent(new Event('online'))")
    await customer.was_shown("one", "unsent")
    await customer.was_told_state("Reached our desk")
    await expect(customer.input).to_have_value("half a thou")


async def test_an_unsent_message_is_delivered_by_the_next_page_without_opening_it(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    customer.lines_may_break = True
    await customer.open()
    await customer.choose("Trading")
    desk.down = True
    desk.drop()
    await expect(customer.bar).to_be_visible()
    await customer.write("from the page before")
    await customer.was_told_state("Sending…")
    await customer.page.keyboard.press("Escape")
    desk.down = False
    await customer.page.goto(customer.page.url + "next")
    await desk.until(lambda: desk.heard_of("message"))
    assert desk.heard_of("message")[0]["parts"][0]["text"] == "from the page before"
    await expect(customer.panel).to_be_hidden()


async def test_two_tabs_of_one_customer_show_the_same(visit: Door, desk: FakeDesk) -> None:
    one = await visit()
    await one.begin("from the first tab")
    two = await visit(context=one.page.context)
    await two.open()
    await two.panel.get_by_role("button", name="Your conversation").click()
    await two.was_shown("from the first tab")
    await two.write("from the second")
    await one.was_shown("from the first tab", "from the second")
    assert len(desk.customers) == 1


async def test_the_home_names_other_ways_and_what_is_never_asked_for(visit: Door, desk: FakeDesk) -> None:
    desk.contact = [
        {"kind": "help", "value": "https://help.hoshi.example/", "hours": None},
        {"kind": "mail", "value": "support@hoshi.example", "hours": None},
        {"kind": "phone", "value": "+81 3 0000 0000", "hours": "9:00–18:00"},
        {"kind": "help", "value": "javascript:alert(1)", "hours": None},
        {"kind": "pigeon", "value": "a kind that a later desk may know", "hours": None},
    ]
    desk.emergency = [{"url": "https://hoshi.example/freeze", "title": "Freeze my account"}]
    desk.policy_url = "https://hoshi.example/privacy"
    customer = await visit()
    await customer.open()
    await expect(customer.panel.get_by_role("link", name="Freeze my account")).to_be_visible()
    links = customer.panel.locator(".home a:visible")
    addresses = [await link.get_attribute("href") for link in await links.all()]
    assert addresses == [
        "https://hoshi.example/freeze",
        "https://help.hoshi.example/",
        "mailto:support@hoshi.example",
        "tel:+81300000000",
        "https://hoshi.example/privacy",
    ]
    await expect(customer.panel.locator(".safety:visible")).to_contain_text("We never ask for passwords, 2FA codes or")
    await expect(customer.panel.locator(".safety:visible")).to_contain_text("Chats are recorded.")


async def test_a_desks_own_topic_is_called_what_its_policy_calls_it(visit: Door, desk: FakeDesk) -> None:
    desk.topics = ["trading", "staking", "odd"]
    desk.topic_titles = {"staking": {"en": "Staking & rewards", "ja": "ステーキング"}, "odd": {}}
    customer = await visit()
    await customer.open()
    rows = customer.panel.locator(".home .rows button")
    await expect(rows).to_have_text(["Trading", "Staking & rewards", "odd"])


async def test_the_open_conversation_comes_first_at_home(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    await customer.begin("Hello")
    known = await desk.next_customer()
    desk.notice(known, "joined", state="assigned", name="Aiko")
    await expect(customer.panel.locator("header h1")).to_have_text("Aiko")
    await customer.button("Back").click()
    desk.say(known, "Good morning")
    first = customer.panel.locator(".home button").first
    await expect(first).to_contain_text("Your conversation with Aiko")
    await expect(first).to_contain_text("Good morning")
    await expect(first.locator(".count")).to_have_text("1")
    await first.click()
    await customer.was_shown("Hello", "Good morning")


# ---------------------------------------------------------------- being answered


async def test_a_reply_is_shown_announced_and_acknowledged(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    await customer.begin("Hello")
    known = await desk.next_customer()
    desk.notice(known, "joined", state="assigned", name="Aiko")
    reply = desk.say(known, "Good morning")
    await customer.was_shown("Hello", "Good morning")
    await expect(customer.panel.locator("header h1")).to_have_text("Aiko")
    log = customer.panel.get_by_role("log")
    await expect(log).to_have_attribute("aria-live", "polite")
    await expect(log).to_contain_text("Aiko is with you")
    await expect(log).to_contain_text("Aiko: Good morning")
    await desk.until(lambda: {"t": "received", "message": reply["id"], "seen": True} in desk.heard)


async def test_a_reply_while_it_is_closed_shows_on_the_badge_the_title_and_the_sites_callback(
    visit: Door, desk: FakeDesk
) -> None:
    customer = await visit()
    await customer.page.evaluate("window.counts = []; Kakehashi.onUnread((count) => counts.push(count))")
    await customer.begin("Hello")
    known = await desk.next_customer()
    await customer.page.keyboard.press("Escape")
    await customer.page.evaluate("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
    first = desk.say(known, "Are you there?")
    desk.say(known, "Hello?")
    await expect(customer.launcher.locator(".badge")).to_have_text("2")
    await expect(customer.launcher).to_have_accessible_name("Open chat, 2 unread messages")
    await expect(customer.page).to_have_title("(2) Hoshi Exchange")
    await desk.until(lambda: {"t": "received", "message": first["id"], "seen": False} in desk.heard)
    assert await customer.page.evaluate("counts") in ([0, 1, 2], [0, 2])
    await customer.page.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
    await expect(customer.page).to_have_title("Hoshi Exchange")
    await customer.open()
    await expect(customer.launcher.locator(".badge")).to_be_hidden()
    await desk.until(lambda: any(frame.get("seen") for frame in desk.heard))


async def test_the_badge_is_there_again_on_the_next_page(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    await customer.begin("Hello")
    await customer.page.keyboard.press("Escape")
    known = await desk.next_customer()
    desk.say(known, "Are you there?")
    await expect(customer.launcher.locator(".badge")).to_have_text("1")
    await customer.reload()
    await expect(customer.launcher.locator(".badge")).to_have_text("1")
    await expect(customer.panel).to_be_hidden()


async def test_typing_goes_both_ways_and_ends_with_the_message(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    await customer.begin("Hello")
    known = await desk.next_customer()
    await customer.stop_the_clock()
    await customer.input.press_sequentially("well")
    await desk.until(lambda: desk.heard_of("typing"))
    assert len(desk.heard_of("typing")) == 1
    for line in known.lines:
        line.say({"t": "typing", "name": "Aiko", "initials": "A"})
    await expect(customer.panel.locator(".typing")).to_have_text(re.compile("Aiko is typing"))
    desk.say(known, "Good morning")
    await expect(customer.panel.locator(".typing")).to_have_count(0)


async def test_a_resume_is_complete_and_doubles_nothing(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    customer.lines_may_break = True
    await customer.begin("one")
    known = await desk.next_customer()
    desk.say(known, "two")
    await customer.was_shown("one", "two")
    seen = known.log[-1]["pos"]
    desk.drop()
    await desk.until(lambda: not known.lines)
    desk.say(known, "three")
    await customer.was_shown("one", "two", "three")
    hello = desk.heard_of("hello")[-1]
    assert (hello["position"], hello["session"]) == (seen, known.session and known.session["code"])


async def test_after_a_reset_only_what_the_desk_has_is_shown(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    customer.lines_may_break = True
    await customer.begin("one")
    known = await desk.next_customer()
    desk.say(known, "lost with the log")
    await customer.was_shown("one", "lost with the log")
    known.log.pop()
    for event in known.log:
        event["pos"] = {**event["pos"], "e": "another"}
    known.epoch = "another"
    desk.drop()
    await customer.was_shown("one")
    desk.say(known, "said anew")
    await customer.was_shown("one", "said anew")


async def test_a_gap_is_noticed_and_fetched(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    await customer.begin("one")
    known = await desk.next_customer()
    await customer.was_told_state("Reached our desk")
    lines, known.lines = known.lines, []
    desk.say(known, "missed on the way")
    known.lines = lines
    desk.say(known, "two")
    await customer.was_shown("one", "missed on the way", "two")
    assert len(desk.heard_of("hello")) == 2


async def test_an_edit_and_a_withdrawal_change_a_message_in_its_place(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    await customer.begin("one")
    known = await desk.next_customer()
    first = desk.say(known, "it costs 1 BTC")
    second = desk.say(known, "please disregard")
    desk.say(known, "last")
    desk.say(known, "it costs 0.1 BTC", id=first["id"], rev=1, name=None, initials=None)
    desk.say(known, "", id=second["id"], rev=1, parts=None, withdrawn=True)
    await expect(customer.theirs.nth(1)).to_contain_text("This message was withdrawn")
    await customer.was_shown("one", "it costs 0.1 BTC", "This message was withdrawn", "last")


async def test_did_this_solve_it_is_asked_and_answered(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    await customer.begin("one")
    known = await desk.next_customer()
    desk.notice(known, "resolved", state="resolved")
    await customer.panel.get_by_role("group", name="Did this solve it?").get_by_role("button", name="Not yet").click()
    await desk.until(lambda: desk.heard_of("answer"))
    assert desk.heard_of("answer")[0]["solved"] is False
    await expect(customer.button("Not yet")).to_have_count(0)
    desk.notice(known, "resolved", state="resolved")
    await customer.button("Yes, solved").click()
    await expect(customer.panel.get_by_text("This conversation has ended. Thank you")).to_be_visible()
    await expect(customer.input).to_be_hidden()


async def test_a_conversation_ends_after_a_question_and_another_begins(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    await customer.begin("one")
    known = await desk.next_customer()
    await customer.was_told_state("Reached our desk")
    code = known.session and known.session["code"]
    await customer.choose_from_menu("End the conversation")
    await expect(customer.panel.get_by_role("alertdialog")).to_be_visible()
    await expect(customer.button("Go on chatting")).to_be_focused()
    await customer.page.keyboard.press("Escape")
    assert not desk.heard_of("end")
    await customer.choose_from_menu("End the conversation")
    await customer.button("End it").click()
    await expect(customer.panel.get_by_text(f"Reference {code}")).to_be_visible()
    await customer.button("Start a new conversation").click()
    await customer.choose("Security")
    await customer.write("two")
    await customer.was_shown("one", "two")
    assert desk.heard_of("message")[-1]["topic"] == "security"
    assert known.session is not None
    assert known.session["code"] != code


async def test_scrolled_up_a_pill_counts_what_is_new(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    await customer.begin("one")
    known = await desk.next_customer()
    for number in range(30):
        desk.say(known, f"line {number}")
    await expect(customer.theirs).to_have_count(30)
    scroller = customer.panel.locator(".scroller")
    await scroller.evaluate("(element) => { element.scrollTop = 0; }")
    await expect(customer.panel.locator(".pill.round")).to_be_visible()
    desk.say(known, "news")
    desk.say(known, "more news")
    await customer.button("2 new messages").click()
    await expect(customer.theirs.last).to_be_in_viewport()
    await expect(customer.panel.locator(".pill")).to_be_hidden()


# ---------------------------------------------------------------- text is text

_HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    '"><svg/onload=alert(1)>',
    "javascript:alert(1)",
    "{{constructor.constructor('alert(1)')()}}",
    "${alert(1)} `alert(1)` &lt;b&gt; &amp;",
]


async def test_markup_stays_text_from_both_sides(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    asked: list[str] = []
    customer.page.on("dialog", lambda dialog: asked.append(dialog.message))
    await customer.begin(_HOSTILE[0])
    known = await desk.next_customer()
    desk.notice(known, "joined", state="assigned", name="<b>Eve</b>")
    for text in _HOSTILE:
        desk.say(known, text, name="<b>Eve</b>")
    await customer.was_shown(_HOSTILE[0], *_HOSTILE)
    await expect(customer.panel.locator("header h1")).to_have_text("<b>Eve</b>")
    strange = customer.panel.locator("img, script, b, iframe, .bubble svg, .bubble a")
    await expect(strange).to_have_count(0)
    assert asked == []


_EXACT = [
    TXID,
    "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq, 0x52908400098527886E0F7030069857D2E4169EE7",
    "0.12345678 BTC = 1,234,567.89 JPY -- \"quoted\" 'single' ... (c) 1/2",
    "  two leading spaces, a\ttab, trailing  ",
    "line\n\n\nline\n",
    "*bold* _it_ ~no~ `code` :smile: @here <@U1> #general http://example.com/a?b=c&d=e www.example.com a@b.co",
    "送金先：３Ｊ９８ｔ１ 😀👨‍👩‍👧‍👦🇯🇵 ｱｲｳ é vs é",
    "مرحبا 123 \u200fabc\u200e \u2066x\u2069 \u00a0\u3000|",
    "ﬁ ß İ ẞ \U0001f9d1\U0001f3fd\u200d\U0001f680 \ufeffbom",
]


@pytest.mark.parametrize("text", _EXACT)
async def test_text_arrives_byte_for_byte_both_ways(visit: Door, desk: FakeDesk, text: str) -> None:
    customer = await visit()
    await customer.begin(text)
    await desk.until(lambda: desk.heard_of("message"))
    assert desk.heard_of("message")[0]["parts"] == [{"type": "text", "text": text}]
    desk.say(await desk.next_customer(), text)
    await customer.was_shown(text, text)


async def test_control_characters_are_taken_out_where_the_writer_sees_it(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    await customer.open()
    await customer.choose("Trading")
    await customer.input.evaluate(
        """(input) => { input.value = "a\\u0000b\\u001bc\\u007f\\td\\n"; input.dispatchEvent(new Event("input")); }"""
    )
    await expect(customer.input).to_have_value("abc\td\n")


async def test_a_long_id_wraps_and_is_copied_by_one_tap(visit: Door, desk: FakeDesk) -> None:
    customer = await visit(**PHONE, permissions=["clipboard-read", "clipboard-write"])
    await customer.open()
    await customer.choose("Trading")
    await customer.input.fill(f"It is {TXID}, sent yesterday")
    await customer.send.click()
    copied = customer.mine.locator(".long-id")
    await expect(copied).to_have_text(TXID)
    await copied.click()
    assert await customer.page.evaluate("navigator.clipboard.readText()") == TXID
    await expect(customer.panel.locator(".toast")).to_have_text("Copied")
    assert await customer.panel.evaluate("(panel) => panel.scrollWidth <= panel.clientWidth")
    assert await customer.panel.locator(".scroller").evaluate("(list) => list.scrollWidth <= list.clientWidth")


async def test_messages_the_conversation_and_its_code_can_be_copied(visit: Door, desk: FakeDesk) -> None:
    customer = await visit(permissions=["clipboard-read", "clipboard-write"])
    await customer.begin("one")
    known = await desk.next_customer()
    desk.say(known, "  two ")
    await customer.theirs.hover()
    await customer.theirs.get_by_role("button", name="Copy message").click()
    assert await customer.page.evaluate("navigator.clipboard.readText()") == "  two "
    await customer.choose_from_menu("Reference code")
    code = await customer.page.evaluate("navigator.clipboard.readText()")
    assert code == (known.session and known.session["code"])
    await customer.choose_from_menu("Copy conversation")
    transcript = await customer.page.evaluate("navigator.clipboard.readText()")
    assert "You: one" in transcript
    assert "Aiko:   two " in transcript


async def test_right_to_left_text_reads_right_and_han_text_names_its_language(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    await customer.begin("مرحبا")
    await expect(customer.mine.locator(".text")).to_have_css("direction", "rtl")
    known = await desk.next_customer()
    desk.say(known, "承知しました")
    await expect(customer.theirs.locator(".text")).to_have_attribute("lang", "ja")
    await expect(customer.host).to_have_attribute("lang", "en")


# ---------------------------------------------------------------- the composer


async def test_shift_enter_breaks_the_line_and_the_field_grows_to_six_lines(visit: Door) -> None:
    customer = await visit()
    await customer.open()
    await customer.choose("Trading")
    one = await customer.input.evaluate("(input) => input.clientHeight")
    await customer.input.press_sequentially("a")
    await customer.input.press("Shift+Enter")
    await expect(customer.input).to_have_value("a\n")
    await customer.input.fill("\n".join("abcdef"))
    six = await customer.input.evaluate("(input) => input.clientHeight")
    await customer.input.fill("\n".join("abcdefghijkl"))
    assert await customer.input.evaluate("(input) => input.clientHeight") == six > 4 * one
    await expect(customer.mine).to_have_count(0)


async def test_an_enter_that_ends_a_composition_never_sends(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    await customer.open()
    await customer.choose("Trading")
    keyboard = await customer.page.context.new_cdp_session(customer.page)
    await keyboard.send("Input.imeSetComposition", {"text": "しゅっきん", "selectionStart": 5, "selectionEnd": 5})
    enter = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 229}
    await keyboard.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **enter})
    await keyboard.send("Input.insertText", {"text": "出金"})
    # Safari reports the same Enter after the composition has ended, and only its keyCode tells
    await customer.input.dispatch_event("keydown", {"key": "Enter", "keyCode": 229, "bubbles": True})
    await expect(customer.input).to_have_value("出金")
    await customer.input.press("Enter")
    await customer.was_shown("出金")
    assert [frame["parts"][0]["text"] for frame in desk.heard_of("message")] == ["出金"]


async def test_on_a_touch_keyboard_enter_breaks_the_line_and_text_is_large_enough(visit: Door, desk: FakeDesk) -> None:
    customer = await visit(**PHONE)
    await customer.open()
    await customer.choose("Trading")
    await customer.input.press_sequentially("a")
    await customer.input.press("Enter")
    await customer.input.press_sequentially("b")
    await expect(customer.input).to_have_value("a\nb")
    assert float((await customer.input.evaluate("(input) => getComputedStyle(input).fontSize")).rstrip("px")) >= 16
    await customer.send.click()
    await expect(customer.input).to_be_focused()
    await desk.until(lambda: desk.heard_of("message"))


async def test_characters_are_counted_from_3600_and_4001_are_not_sent(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    await customer.open()
    await customer.choose("Trading")
    counter = customer.panel.locator(".counter")
    await customer.input.fill("😀" * 3599)
    await expect(counter).to_be_hidden()
    await customer.input.fill("😀" * 4001)
    await expect(counter).to_have_text("4,001 / 4,000")
    await customer.input.press("Enter")
    await expect(customer.mine).to_have_count(0)
    await customer.input.fill("😀" * 4000)
    await customer.input.press("Enter")
    await desk.until(lambda: desk.heard_of("message"))
    assert desk.heard_of("message")[0]["parts"][0]["text"] == "😀" * 4000


async def test_blank_text_is_not_sent(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    await customer.open()
    await customer.choose("Trading")
    await customer.write(" \n\t ")
    await expect(customer.send).to_have_attribute("aria-disabled", "true")
    await customer.write("words")
    await desk.until(lambda: desk.heard_of("message"))
    assert [frame["parts"][0]["text"] for frame in desk.heard_of("message")] == ["words"]


@pytest.mark.parametrize(
    "text",
    [
        PHRASE,
        "my seed: " + " ".join(f"{number}. {word}" for number, word in enumerate(PHRASE.split(), 1)),
        PHRASE.replace(" ", "\n") + "\n" + PHRASE.replace(" ", ", "),
    ],
)
async def test_what_looks_like_a_recovery_phrase_is_warned_of_and_not_blocked(
    visit: Door, desk: FakeDesk, text: str
) -> None:
    customer = await visit()
    await customer.open()
    await customer.choose("Security")
    await customer.write(text)
    warning = customer.panel.get_by_text("This looks like a recovery phrase. We never need it.")
    await expect(warning).to_be_visible()
    await expect(customer.button("Edit")).to_be_focused()
    await customer.button("Edit").click()
    await expect(customer.input).to_be_focused()
    await expect(warning).to_be_hidden()
    assert not desk.heard_of("message")
    await customer.input.press("Enter")
    await customer.button("Send anyway").click()
    await desk.until(lambda: desk.heard_of("message"))
    assert desk.heard_of("message")[0]["parts"][0]["text"] == text


@pytest.mark.parametrize(
    "text",
    [
        "how long does it take for my withdrawal to arrive please help me with this one",
        "please check why this order was not filled yesterday when the price went below my limit",
        "legal winner thank year wave sausage worth useful legal winner thank",
    ],
)
async def test_a_sentence_is_no_recovery_phrase(visit: Door, desk: FakeDesk, text: str) -> None:
    customer = await visit()
    await customer.begin(text)
    await desk.until(lambda: desk.heard_of("message"))


# ---------------------------------------------------------------- files


async def test_a_picture_is_chosen_uploaded_in_chunks_and_shown(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    await customer.open()
    await customer.choose("Trading")
    data = png() + b"\0" * 150_000
    await customer.panel.locator("input[type=file]").set_input_files(
        {"name": "screen.png", "mimeType": "image/png", "buffer": data}
    )
    await expect(customer.panel.locator(".upload .thumb canvas")).to_be_visible()
    await customer.input.fill("see here")
    await customer.send.click()
    await expect(customer.mine.locator(".picture canvas")).to_be_visible()
    await desk.until(lambda: desk.heard_of("message"))
    text, file = desk.heard_of("message")[0]["parts"]
    assert text == {"type": "text", "text": "see here"}
    assert desk.bytes[file["file"]] == data
    assert desk.upload_chunks == math.ceil(len(data) / 65_536)
    await expect(customer.panel.locator(".upload")).to_have_count(0)
    await customer.reload()
    picture = customer.mine.locator(".picture")
    await expect(picture.locator("img")).to_have_js_property("complete", True)
    await picture.click()
    await expect(customer.panel.get_by_role("dialog", name="screen.png").locator("img")).to_be_visible()
    await customer.page.keyboard.press("Escape")
    await expect(picture).to_be_focused()
    await expect(customer.panel).to_be_visible()


async def test_a_broken_upload_goes_on_where_it_stood(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    customer.lines_may_break = True
    await customer.open()
    await customer.choose("Trading")
    desk.break_upload_at = 65_536
    data = b"%PDF-1.7" + b"x" * 140_000
    await customer.panel.locator("input[type=file]").set_input_files(
        {"name": "form.pdf", "mimeType": "application/pdf", "buffer": data}
    )
    await customer.send.click()
    await desk.until(lambda: desk.heard_of("message"))
    assert list(desk.bytes.values()) == [data]
    assert len(desk.uploads) == 1
    await expect(customer.mine.locator(".document")).to_contain_text("form.pdf")


async def test_a_file_survives_a_reload_and_can_be_taken_off(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    await customer.open()
    await customer.choose("Trading")
    await customer.panel.locator("input[type=file]").set_input_files(
        {"name": "screen.png", "mimeType": "image/png", "buffer": png()}
    )
    await desk.until(lambda: desk.bytes)
    await customer.reload()
    await expect(customer.panel.locator(".upload")).to_contain_text("screen.png")
    await customer.button("Remove screen.png").click()
    await expect(customer.panel.locator(".upload")).to_have_count(0)
    await customer.reload()
    await expect(customer.input).to_be_visible()
    await expect(customer.panel.locator(".upload")).to_have_count(0)


@pytest.mark.parametrize(
    ("name", "mime", "content", "said"),
    [
        ("a.svg", "image/svg+xml", b"<svg/>", "Only PNG, JPEG, WebP, GIF and PDF"),
        ("empty.png", "image/png", b"", "This file is empty"),
        ("big.pdf", "application/pdf", b"%PDF" + b"0" * 5_000_001, "Larger than 5 MB"),
        ("bad.png", "image/png", b"\x89PNG damaged", "This file is damaged"),
    ],
)
async def test_what_is_wrong_with_a_file_is_said_in_its_place(
    visit: Door, desk: FakeDesk, name: str, mime: str, content: bytes, said: str
) -> None:
    customer = await visit()
    customer.lines_may_break = True  # the browser reports a 422
    await customer.open()
    await customer.choose("Trading")
    await expect(customer.panel.locator(".home")).to_be_hidden()
    await desk.until(lambda: desk.heard_of("hello"))
    await customer.panel.locator("input[type=file]").set_input_files(
        {"name": name, "mimeType": mime, "buffer": content}
    )
    await expect(customer.panel.locator(".upload .detail")).to_have_text(said)
    await customer.write("with it")
    await expect(customer.panel.get_by_role("alert").filter(has_text="Remove or retry")).to_be_visible()
    assert not desk.heard_of("message")


async def test_a_pasted_and_a_dropped_picture_are_attached(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    await customer.open()
    await customer.choose("Trading")
    transfer = await customer.page.evaluate_handle(
        """(bytes) => { const data = new DataTransfer();
          data.items.add(new File([new Uint8Array(bytes)], "shot.png", { type: "image/png" })); return data; }""",
        list(png(20, 20)),
    )
    paste = "(input, data) => input.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true }))"
    await customer.input.evaluate(paste, transfer)
    await expect(customer.panel.locator(".upload")).to_have_count(1)
    await customer.panel.dispatch_event("drop", {"dataTransfer": transfer})
    await expect(customer.panel.locator(".upload")).to_have_count(2)
    await customer.send.click()
    await desk.until(lambda: desk.heard_of("message"))
    assert [part["type"] for part in desk.heard_of("message")[0]["parts"]] == ["file", "file"]


# ---------------------------------------------------------------- where sockets are blocked


async def test_where_sockets_are_blocked_it_talks_over_http(visit: Door, desk: FakeDesk) -> None:
    desk.block_sockets = True
    customer = await visit()
    customer.lines_may_break = True
    await customer.begin("over http")
    await customer.was_told_state("Reached our desk")
    assert desk.polls
    known = await desk.next_customer()
    for number in range(5):
        desk.say(known, f"reply {number}")
    await customer.write("and back")
    await desk.until(lambda: len(desk.messages(known)) == 7)
    await expect(customer.theirs).to_have_count(5)
    await expect(customer.mine).to_have_count(2)
    await customer.was_told_state("Reached our desk")


async def test_a_poll_that_is_gone_begins_again_where_it_was(visit: Door, desk: FakeDesk) -> None:
    desk.block_sockets = True
    customer = await visit()
    customer.lines_may_break = True
    await customer.begin("one")
    await customer.was_told_state("Reached our desk")
    desk.drop()
    known = await desk.next_customer()
    await desk.until(lambda: known.lines and known.lines[-1].hello and known.lines[-1].hello.get("position"))
    desk.say(known, "two")
    await customer.was_shown("one", "two")


# ---------------------------------------------------------------- who the customer is


async def test_logging_out_leaves_nothing_on_the_device_and_revokes_the_token(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    await customer.begin("private")
    await customer.was_told_state("Reached our desk")
    await customer.panel.locator("input[type=file]").set_input_files(
        {"name": "screen.png", "mimeType": "image/png", "buffer": png()}
    )
    await desk.until(lambda: desk.bytes)
    await customer.input.fill("more private")
    assert await customer.stored()
    await customer.page.evaluate("Kakehashi.logout()")
    await desk.until(lambda: desk.revoked)
    await expect(customer.panel).to_be_hidden()
    await expect(customer.mine).to_have_count(0)
    await customer.open()
    await desk.until(lambda: len(desk.customers) == 2)
    await expect(customer.panel.get_by_text("Your conversation")).to_have_count(0)
    await customer.choose("Trading")
    await expect(customer.input).to_have_value("")
    await expect(customer.panel.locator(".upload")).to_have_count(0)
    assert "private" not in json.dumps(await customer.stored())


async def test_logging_out_works_before_anything_was_opened(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    await customer.begin("private")
    await customer.was_told_state("Reached our desk")
    await customer.page.keyboard.press("Escape")
    token = desk.customers[0].token
    await customer.page.route("**/app.js", lambda route: asyncio.create_task(_slowly(route)))
    await customer.reload()
    await customer.page.evaluate("void Kakehashi.logout()")
    assert await customer.stored() == {}
    await desk.until(lambda: token in desk.revoked)
    assert await customer.stored() == {}


async def _slowly(route: Any) -> None:
    await asyncio.sleep(0.2)
    await route.continue_()


async def test_logging_in_mid_chat_takes_the_conversation_along(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    await customer.begin("as a visitor")
    await customer.was_told_state("Reached our desk")
    await customer.input.fill("half a sentence")
    await customer.page.evaluate(f"Kakehashi.identify('{token_of('u7')}')")
    await desk.until(lambda: any(known.account == "u7" and known.lines for known in desk.customers))
    await customer.was_shown("as a visitor")
    await expect(customer.input).to_have_value("half a sentence")
    assert "e30." not in json.dumps(await customer.stored())  # a login token is never kept


async def test_one_customers_draft_is_not_shown_to_another(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    await customer.page.evaluate(f"Kakehashi.identify('{token_of('anna')}')")
    await customer.open()
    await customer.choose("Trading")
    await customer.input.fill("Anna's secret")
    await customer.page.evaluate("sessionStorage.clear()")
    await customer.reload()
    await customer.page.evaluate(f"Kakehashi.identify('{token_of('bert')}')")
    await customer.open()
    await customer.choose("Trading")
    await expect(customer.input).to_have_value("")


async def test_an_expired_token_is_asked_for_again(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    fresh = token_of("u9")
    await customer.page.evaluate(f"Kakehashi.onTokenExpiring(async () => '{fresh}'); Kakehashi.identify('expired')")
    await customer.open()
    await desk.until(lambda: any(known.account == "u9" for known in desk.customers))
    assert [hello["jwt"] for hello in desk.heard_of("hello")] == ["expired", fresh]


async def test_a_site_that_has_no_fresh_token_makes_the_customer_a_visitor(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    await customer.page.evaluate("Kakehashi.onTokenExpiring(() => 'expired'); Kakehashi.identify('expired')")
    await customer.begin("Hello")
    assert [hello["jwt"] for hello in desk.heard_of("hello")] == ["expired", None]


async def test_what_was_written_under_a_login_that_lapses_is_sent_all_the_same(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    lapse = """window.asked = new Promise((heard) => Kakehashi.onTokenExpiring(() => new Promise((answer) => {
      window.answer = answer;
      heard();
    })));"""
    desk.expired = {token_of("u1")}
    await customer.page.evaluate(f"{lapse} Kakehashi.identify('{token_of('u1')}')")
    await customer.open()
    await customer.choose("Trading")
    await customer.awaits("window.asked")
    await customer.write("Written before the site had no token")
    await customer.input.fill("And a draft")
    await customer.page.evaluate("answer(null)")
    await desk.until(lambda: desk.heard_of("message"))
    await customer.was_shown("Written before the site had no token")
    await expect(customer.input).to_have_value("And a draft")


async def test_a_token_is_renewed_before_it_expires(visit: Door, desk: FakeDesk) -> None:
    desk.token_expires_in = 60.5
    customer = await visit()
    fresh = token_of("u1", 1)
    await customer.page.evaluate(f"Kakehashi.onTokenExpiring(() => '{fresh}'); Kakehashi.identify('{token_of('u1')}')")
    await customer.open()
    await desk.until(lambda: desk.heard_of("refresh"))
    assert desk.heard_of("refresh") == [{"t": "refresh", "jwt": fresh}]


async def test_where_storage_is_forbidden_the_chat_still_works(visit: Door, desk: FakeDesk, site: Site) -> None:
    forbid = """for (const area of ["localStorage", "sessionStorage", "indexedDB"]) Object.defineProperty(window, area,
      { get() { throw new DOMException("forbidden", "SecurityError"); } });"""
    context = await visit.context()
    await context.add_init_script(forbid)
    customer = await visit(context=context)
    await customer.begin("Hello")
    await customer.panel.locator("input[type=file]").set_input_files(
        {"name": "screen.png", "mimeType": "image/png", "buffer": png()}
    )
    await customer.send.click()
    await desk.until(lambda: len(desk.heard_of("message")) == 2)
    await customer.page.evaluate("Kakehashi.logout()")
    await desk.until(lambda: desk.revoked)


async def test_a_restart_of_the_desk_is_waited_for_as_long_as_it_asks(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    await customer.begin("one")
    known = await desk.next_customer()
    known.lines[0].say({"t": "bye", "code": "restarting", "retry_after": 0.01, "what": ""})
    await desk.until(lambda: len(desk.heard_of("hello")) == 2)
    await customer.write("two")
    await customer.was_shown("one", "two")


async def test_a_desk_that_speaks_a_newer_protocol_asks_for_a_reload(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    await customer.begin("one")
    known = await desk.next_customer()
    known.lines[0].say({"t": "bye", "code": "unsupported_version", "retry_after": None, "what": ""})
    await expect(customer.bar).to_contain_text("A newer version is ready.")
    await customer.button("Reload the page").click()
    await desk.until(lambda: len(desk.heard_of("hello")) == 2)
    await customer.was_shown("one")


async def test_frames_from_the_future_are_ignored(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    await customer.begin("one")
    known = await desk.next_customer()
    known.lines[0].say({"t": "constructor", "what": "no"})
    known.lines[0].say({"t": "sing"})
    desk.notice(known, "a_notice_from_the_future")
    desk.say(known, "two")
    await customer.was_shown("one", "two")
    await expect(customer.notices).to_have_count(1)


async def test_it_survives_a_single_page_applications_navigation(visit: Door, desk: FakeDesk) -> None:
    customer = await visit("/first")
    customer.lines_may_break = True
    await customer.open()
    await customer.choose("Trading")
    await desk.until(lambda: desk.heard_of("hello"))
    await customer.page.evaluate(
        """history.pushState({}, "", "/second?x=1#y");
           const body = document.createElement("body"); body.append("another page"); document.body.replaceWith(body);"""
    )
    await expect(customer.input).to_be_visible()
    await customer.write("from the second page")
    await customer.was_shown("from the second page")
    await desk.until(lambda: len(desk.heard_of("hello")) == 2)
    assert [hello["page"].rsplit("/", 1)[1] for hello in desk.heard_of("hello")] == ["first", "second"]
    await customer.page.evaluate("document.body.replaceChildren()")
    await expect(customer.input).to_be_visible()


# ---------------------------------------------------------------- reachable, legible, at home everywhere


async def test_escape_closes_and_the_focus_goes_back_where_it_was(visit: Door) -> None:
    customer = await visit()
    await customer.open()
    await customer.page.keyboard.press("Escape")
    await expect(customer.panel).to_be_hidden()
    assert await customer.focused() == "launcher"
    await customer.page.locator("#before").focus()
    await customer.page.evaluate("Kakehashi.open()")
    await expect(customer.panel).to_be_visible()
    await customer.panel.press("Escape")
    assert await customer.focused() == "before"


async def test_escape_closes_what_lies_on_top_first(visit: Door) -> None:
    customer = await visit()
    await customer.open()
    await customer.button("Language").click()
    await expect(customer.panel.get_by_role("menu")).to_be_visible()
    await customer.page.keyboard.press("Escape")
    await expect(customer.panel.get_by_role("menu")).to_have_count(0)
    await expect(customer.panel).to_be_visible()
    await expect(customer.button("Language")).to_be_focused()


async def test_everything_can_be_done_with_the_keyboard(visit: Door, desk: FakeDesk) -> None:
    customer = await visit(permissions=["clipboard-read", "clipboard-write"])
    press = customer.page.keyboard.press
    await customer.launcher.focus()
    await press("Enter")
    await expect(customer.panel).to_be_visible()
    assert await customer.focused() == "panel"
    await expect(customer.panel.get_by_role("button", name="Trading")).to_be_visible()
    for _ in range(4):  # language, close, the first topic, the second
        await press("Tab")
    await expect(customer.panel.get_by_role("button", name="Trading")).to_be_focused()
    await press("Enter")
    await customer.page.keyboard.type("by keyboard")
    await press("Enter")
    await customer.was_shown("by keyboard")
    known = await desk.next_customer()
    desk.say(known, "good")
    await customer.was_shown("by keyboard", "good")
    await press("Shift+Tab")  # attach
    await press("Shift+Tab")  # the newest message's copy button
    await press("Enter")
    assert await customer.page.evaluate("navigator.clipboard.readText()") == "good"
    for _ in range(5):  # four reactions, and the message itself
        await press("Shift+Tab")
    await press("ArrowUp")
    await expect(customer.mine).to_be_focused()
    await customer.button("Options").focus()
    await press("Enter")
    await press("End")
    await press("Enter")
    await press("Tab")
    await press("Enter")
    await desk.until(lambda: desk.heard_of("end"))


_NAMES = """(root) => [...root.querySelectorAll("button, a, textarea, input, [role=button], [role=dialog], [role=log]")]
  .filter((element) => element.getClientRects().length > 0)
  .filter((element) => !(element.ariaLabel || element.textContent.trim() || element.title))
  .map((element) => element.outerHTML)"""

_CONTRAST = """(root) => {
  const rgb = (text) => { const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
    return text.startsWith("color(") ? [r * 255, g * 255, b * 255, a] : [r, g, b, a]; };
  const over = ([r, g, b, a], [x, y, z]) => [r * a + x * (1 - a), g * a + y * (1 - a), b * a + z * (1 - a)];
  const light = (c) => c.map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (element) => { const layers = [];
    for (let at = element; at; at = at.parentElement) layers.push(rgb(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255]); };
  const bad = [];
  const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement;
    const box = element.getBoundingClientRect();
    if (!walk.currentNode.data.trim() || box.width < 2 || !element.checkVisibility({ opacityProperty: true })) continue;
    if (element.closest(":disabled, [aria-disabled=true], .toast")) continue;
    let alpha = 1;
    for (let at = element; at; at = at.parentElement) alpha *= Number(getComputedStyle(at).opacity);
    const below = ground(element);
    const ink = over([...rgb(getComputedStyle(element).color).slice(0, 3), alpha], below);
    const [low, high] = [light(ink), light(below)].sort((a, b) => a - b);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < 4.5) bad.push(`${ratio.toFixed(2)} ${element.className} ${walk.currentNode.data}`);
  }
  return bad;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("colour", ["#1f4f7a", "#ffd400", "#888888", "#101010", "#e91e63"])
async def test_every_control_has_a_name_and_every_text_a_contrast_of_4_5(
    visit: Door, site: Site, desk: FakeDesk, scheme: str, colour: str
) -> None:
    site.data = f'data-color="{colour}"'
    desk.contact = [{"kind": "phone", "value": "+81 3 0000 0000", "hours": "9:00–18:00"}]
    desk.policy_url = "https://hoshi.example/policy"
    customer = await visit(color_scheme=scheme, reduced_motion="reduce")
    await customer.open()
    await expect(customer.panel.get_by_role("button", name="Trading")).to_be_visible()
    await is_legible(customer)
    await customer.choose("Trading")
    await customer.write(f"Where is {TXID}?")
    known = await desk.next_customer()
    await customer.was_told_state("Reached our desk")
    desk.notice(known, "joined", state="assigned", name="Aiko")
    desk.say(known, f"{TXID} is on its way")
    desk.refusals = [{"code": "too_long", "retry": False}]
    await customer.write("not this")
    await customer.was_told_state("Not sent.")
    desk.notice(known, "resolved", state="resolved")
    await expect(customer.button("Not yet")).to_be_visible()
    await customer.write(PHRASE)
    await expect(customer.button("Send anyway")).to_be_visible()
    await is_legible(customer)
    await customer.button("Options").click()
    await is_legible(customer)


async def is_legible(customer: Customer) -> None:
    assert await customer.panel.evaluate(_NAMES) == []
    assert await customer.panel.evaluate(_CONTRAST) == []


async def test_on_a_phone_it_is_the_whole_screen_and_follows_the_keyboard(visit: Door, desk: FakeDesk) -> None:
    customer = await visit(**PHONE)
    await customer.open()
    assert await customer.panel.bounding_box() == {"x": 0, "y": 0, "width": 390, "height": 844}
    await expect(customer.panel).to_have_attribute("aria-modal", "true")
    await customer.choose("Trading")
    await customer.page.set_viewport_size({"width": 390, "height": 500})  # what the keyboard leaves
    await expect(customer.input).to_be_in_viewport()
    box = await customer.panel.bounding_box()
    assert box is not None
    assert box["height"] == 500
    wide = "document.documentElement.scrollWidth <= innerWidth"
    assert await customer.page.evaluate(wide)
    await customer.button("Close").click()
    assert await customer.page.evaluate("document.documentElement.style.overflow") == ""


async def test_at_200_percent_zoom_and_large_text_everything_stays_in_reach(visit: Door, desk: FakeDesk) -> None:
    customer = await visit(viewport={"width": 640, "height": 400}, device_scale_factor=2)
    await customer.begin("Hello")
    for _ in range(2):
        await customer.choose_from_menu("Text size")
    await expect(customer.send).to_be_in_viewport(ratio=1)
    await expect(customer.button("Close")).to_be_in_viewport(ratio=1)
    assert await customer.panel.evaluate("(panel) => panel.scrollWidth <= panel.clientWidth")


async def test_reduced_motion_is_honoured(visit: Door, desk: FakeDesk) -> None:
    customer = await visit(reduced_motion="reduce")
    await customer.begin("Hello")
    await customer.stop_the_clock()
    for line in (await desk.next_customer()).lines:
        line.say({"t": "typing", "name": "Aiko", "initials": "A"})
    await expect(customer.panel.locator(".dots i").first).to_have_css("animation-name", "none")
    await expect(customer.panel).to_have_css("animation-name", "none")


_HOSTILE_SHEET = """
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
    * { display: none !important; font-size: 40px !important }
    button { background: red !important }
    kakehashi-chat { position: static; z-index: 0 }
    html, body { display: block !important }`);
  document.adoptedStyleSheets = [sheet];
"""


async def test_no_sites_style_reaches_it(visit: Door) -> None:
    customer = await visit()
    # a site's own style sheet, as hostile as they come (adopted, since the test's policy forbids inline ones)
    await customer.page.evaluate(_HOSTILE_SHEET)
    await customer.open()
    await expect(customer.panel.locator("header h1")).to_have_css("font-size", "16px")
    await expect(customer.host).to_have_css("position", "fixed")


async def test_the_language_follows_the_site_until_the_reader_chooses(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    await customer.open()
    await customer.choose("Trading")
    await customer.input.fill("kept")
    await customer.page.evaluate("document.documentElement.lang = 'zh-TW'")
    await expect(customer.input).to_have_attribute("placeholder", "輸入訊息")
    await expect(customer.input).to_have_value("kept")
    await expect(customer.host).to_have_attribute("lang", "zh-Hant")
    await customer.button("語言").click()
    await customer.panel.get_by_role("menuitemradio", name="日本語").click()
    await expect(customer.input).to_have_attribute("placeholder", "メッセージを入力")
    await desk.until(lambda: desk.heard_of("hello")[-1]["locale"] == "ja")
    await customer.input.press("Enter")
    await desk.until(lambda: desk.heard_of("message"))
    assert desk.heard_of("message")[0]["language"] == "ja"


@pytest.mark.parametrize(("language", "tag"), [("ja", "ja-JP"), ("zh-Hans", "zh-CN"), ("zh-Hant", "zh-TW")])
async def test_it_speaks_the_readers_language(visit: Door, site: Site, desk: FakeDesk, language: str, tag: str) -> None:
    site.lang = tag
    words = locales.customers()[language]
    customer = await visit(locale=tag)
    await expect(customer.launcher).to_have_accessible_name(words["launcher.open"])
    await customer.open()
    await customer.choose(words["topic.trading"])
    await customer.write("…")
    known = await desk.next_customer()
    await desk.until(lambda: desk.heard_of("message"))  # a notice belongs to a conversation
    desk.notice(known, "joined", state="assigned", name="佐藤")
    desk.notice(known, "held", name="佐藤", until=1_800_000_000_000)
    desk.notice(known, "moved", desk=words["topic.security"])
    desk.notice(known, "resolved", state="resolved")
    await expect(customer.panel.get_by_text(words["solved.question"])).to_be_visible()
    shown = await customer.panel.inner_text()
    assert words["notice.joined"].replace("{name}", "佐藤") in shown
    assert words["topic.security"] in shown
    assert "{" not in shown
    assert not re.search(r"\b(notice|state|home|topic)\.\w", shown)


DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce"}
_STORY = {
    "en": {
        "name": "Sato",
        "ask": f"My withdrawal has not arrived yet.\nThe TXID is {TXID}",
        "answer": "Thank you for waiting. Let me look it up for you.",
        "picture": "This is what I see.",
        "found": "It was sent at 13:52 and has two confirmations so far. It arrives after the third.",
        "more": "Thank you. And the fee?",
    },
    "ja": {
        "name": "佐藤",
        "ask": f"出金がまだ届いていません。\nTXIDは {TXID} です。",
        "answer": "お待たせいたしました。ただいま確認いたします。",
        "picture": "このように表示されています。",
        "found": "13時52分に送金され、現在2承認です。3承認で着金いたします。",
        "more": "ありがとうございます。手数料はいくらですか。",
    },
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("screen", "options"), [("desktop", DESKTOP), ("phone", PHONE)])
@pytest.mark.parametrize("language", ["en", "ja"])
async def test_a_whole_conversation_fits_and_reads_on_every_screen(
    visit: Door, desk: FakeDesk, shot: Shot, language: str, screen: str, options: dict[str, Any], scheme: str
) -> None:
    story, words = _STORY[language], locales.customers()[language]
    desk.contact = [{"kind": "phone", "value": "+81 3 0000 0000", "hours": "9:00–18:00"}]
    desk.emergency = [
        {"url": "https://hoshi.example/freeze", "title": {"en": "Freeze my account"}.get(language, "口座を凍結する")}
    ]
    customer = await visit(f"{desk.url}/?lang={language}", locale=language, color_scheme=scheme, **options)
    customer.lines_may_break = True

    async def look(name: str) -> None:
        await is_legible(customer)
        assert await customer.panel.locator(".scroller").evaluate("(list) => list.scrollWidth <= list.clientWidth")
        await shot(customer.page, f"widget-{screen}-{language}-{scheme}-{name}")

    await customer.open()
    await customer.panel.get_by_role("button", name=words["topic.transfers"]).wait_for()
    await look("home")
    await customer.choose(words["topic.transfers"])
    await look("empty")
    await customer.input.fill(story["ask"])
    await customer.send.click()
    await expect(customer.panel.locator(".reached")).to_be_visible()
    await look("waiting")
    known = await desk.next_customer()
    desk.notice(known, "joined", state="assigned", name=story["name"])
    desk.say(known, story["answer"], name=story["name"])
    await customer.panel.locator("input[type=file]").set_input_files(
        {"name": "screen.png", "mimeType": "image/png", "buffer": png()}
    )
    await customer.input.fill(story["picture"])
    await customer.send.click()
    await expect(customer.mine.locator("canvas")).to_be_visible()
    desk.say(known, story["found"], name=story["name"])
    await expect(customer.theirs).to_have_count(2)
    await customer.stop_the_clock()
    for line in known.lines:
        line.say({"t": "typing", "name": story["name"], "initials": story["name"][0]})
    await expect(customer.panel.locator(".typing")).to_be_visible()
    await look("busy")
    desk.notice(known, "resolved", state="resolved")
    await expect(customer.button(words["solved.no"])).to_be_visible()
    await look("solved")
    desk.down = True
    desk.drop()
    await customer.input.fill(story["more"])
    await customer.send.click()
    await expect(customer.bar).to_be_visible()
    await look("offline")


async def test_the_hosted_chat_is_the_whole_page(visit: Door, desk: FakeDesk) -> None:
    customer = await visit(f"{desk.url}/chat?locale=ja&topic=security", **PHONE)
    await expect(customer.input).to_be_visible()
    await expect(customer.launcher).to_be_hidden()
    await expect(customer.button("閉じる")).to_be_hidden()
    await customer.input.fill("アプリから")
    await customer.send.click()
    await customer.was_shown("アプリから")
    assert desk.heard_of("message")[0]["topic"] == "security"
    assert desk.heard_of("hello")[0]["page"] == f"{desk.url}/chat"
    await customer.page.keyboard.press("Escape")
    await expect(customer.panel).to_be_visible()


async def test_the_demo_page_is_calm_in_every_language(visit: Door, desk: FakeDesk, shot: Shot) -> None:
    customer = await visit(f"{desk.url}/")
    for language in locales.LANGUAGES:
        await customer.page.locator("#language").select_option(language)
        assert await customer.page.evaluate("document.documentElement.lang") == language
        expected = locales.text("widget", language, "launcher.open")
        await expect(customer.launcher).to_have_accessible_name(expected)
    assert await customer.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await shot(customer.page, "demo")
