"""The operator's desk in a real browser: what is seen, what the keyboard does, and what never happens."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Request, Route, expect
from playwright.async_api import TimeoutError as PlaywrightTimeout

from bridge.feed import Shown
from bridge.messages import About
from config.locales import LANGUAGES, text
from routing import inputs as i
from routing.ids import MessageId, SessionId, Topic
from tests.browser.conftest import NewContext, Shot
from tests.browser.desk_page import LOCALES, PHONE, WIDE, Desk, faint
from tests.browser.widget_page import STOPPED_CLOCK
from tests.integration.console_house import Customer, House, console_house

pytestmark = pytest.mark.asyncio(loop_scope="session")

TXID = "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"


@pytest_asyncio.fixture(loop_scope="session")
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with console_house(tmp_path) as house:
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
async def desk(house: House, new_desk: NewDesk) -> Desk:
    """Kenji's page, signed in. Customers know Kenji as Sato."""
    await house.operator("kenji", names={"en": "Sato", "ja": "佐藤"}, lead=True)
    made: Desk = await new_desk()
    return await made.signs_in()


async def told(customer: Customer) -> list[str]:
    """Every word that this customer can read."""
    shown: tuple[Shown, ...] = (await customer.house.feed.catch_up(await customer.session(), None)).shown
    return [one.body.text for one in shown if one.body is not None]


# ------------------------------------------------------------------ getting in and out


async def test_the_printed_link_leads_through_the_public_names_to_the_desk(
    house: House, new_desk: NewDesk, shot: Shot
) -> None:
    desk = await new_desk()
    await desk.page.goto(f"{house.console}/")
    await expect(desk.page.locator("h1")).to_have_text(desk.words("sign_in.title"))
    await shot(desk.page, "desk-sign-in")
    await desk.page.goto(await house.link())  # in the tab where the desk's door is open already
    await expect(desk.page.locator("h1")).to_have_text(desk.words("names.title"))
    assert "sign-in" not in desk.page.url
    await desk.page.get_by_label(desk.words("language.ja"), exact=True).fill("佐藤")
    await shot(desk.page, "desk-names")
    await desk.presses("Enter")
    await expect(desk.page.locator(".who")).to_have_text("佐藤")
    await expect(desk.page.locator(".empty")).to_have_text(desk.words("list.empty.waiting"))
    await shot(desk.page, "desk-empty")


async def test_a_used_link_says_so_and_how_to_get_another(house: House, new_desk: NewDesk) -> None:
    first, second = await new_desk(), await new_desk()
    link = await house.link()
    await first.page.goto(link)
    await expect(first.page.locator("h1")).to_have_text(first.words("names.title"))
    await second.page.goto(link)
    await expect(second.page.get_by_role("alert")).to_have_text(second.words("error.link_used"))


async def test_a_wrong_password_is_said_in_place(house: House, new_desk: NewDesk) -> None:
    await house.operator("kenji")
    desk = await new_desk("ja")
    await desk.page.goto(f"{house.console}/")
    await desk.page.locator("[name=account]").fill("kenji")
    await desk.page.locator("[name=password]").fill("not the password")
    await desk.presses("Enter")
    await expect(desk.page.get_by_role("alert")).to_have_text(desk.words("error.wrong"))


async def test_signing_out_leaves_nothing_behind(desk: Desk) -> None:
    mia = desk.house.customer()
    await mia.writes()
    await desk.opens(mia)
    await desk.presses("r")
    await desk.types("a private draft")
    await desk.page.get_by_role("button", name=desk.words("me.sign_out")).click()
    await expect(desk.page.locator("h1")).to_have_text(desk.words("sign_in.title"))
    kept = await desk.page.evaluate("JSON.stringify({...localStorage})")
    assert "private draft" not in kept
    await desk.page.go_back()
    await desk.page.reload()
    await expect(desk.page.locator("h1")).to_have_text(desk.words("sign_in.title"))


async def test_a_seat_that_ends_elsewhere_leads_to_the_door_and_keeps_the_draft(desk: Desk) -> None:
    mia = desk.house.customer()
    await mia.writes()
    await desk.opens(mia)
    await desk.presses("r")
    await desk.types("half a sentence")
    (kenji,) = [one for one in desk.house.directory.all() if one.account == "kenji"]
    await desk.house.directory.set_password(kenji.id, kenji.password_hash)
    await desk.presses("Escape", "c")
    await expect(desk.page.locator(".gate-form .hint").first).to_have_text(desk.words("sign_in.ended"))
    code = (await mia.session()).session.code
    await desk.signs_in(at=f"#{code}")
    await expect(desk.field("reply")).to_have_value("half a sentence")


# ------------------------------------------------------------------ a conversation, by keyboard


async def test_a_whole_conversation_needs_no_mouse(desk: Desk, shot: Shot) -> None:
    house = desk.house
    about = About("Mia Brown", "en-GB", "https://exchange.example/wallet/withdraw", "Europe/London", {"tier": "Gold"})
    mia = house.customer("u-8841", verified=True, topic=Topic("transfers"), about=about)
    await mia.writes("Hello, my withdrawal has been pending since this morning.")
    await mia.writes(f"TXID {TXID}", await house.picture("mia"))
    await house.customer("u-2", language="ja", about=About("田中 ゆき")).writes(
        "注文が約定しません。画面のとおりです。"
    )
    await expect(desk.page.locator(".row")).to_have_count(2)
    await shot(desk.page, "desk-waiting")
    await desk.presses("j", "j", "k", "Enter")
    await expect(desk.message("customer", TXID)).to_be_visible()
    await desk.presses("c")
    await expect(desk.page.locator(".thread-about")).to_contain_text(desk.words("state.assigned_you"))
    await desk.presses("r")
    await desk.types("Good morning Mia, I am looking at it.")
    await desk.presses("Enter")
    await expect(desk.message("reply", "Good morning Mia")).to_be_visible()
    await expect(desk.page.locator(".delivery")).to_have_text(desk.words("delivery.queued"))
    await mia.receives()
    await expect(desk.page.locator(".delivery")).to_have_text(desk.words("delivery.reached"))
    await mia.receives(seen=True)
    await expect(desk.page.locator(".delivery")).to_have_text(desk.words("delivery.seen"))
    await desk.presses("Escape", "n")
    await desk.types("The risk team has it until 14:00.")
    await desk.presses("Enter")
    await expect(desk.message("note", "risk team")).to_be_visible()
    await shot(desk.page, "desk-busy")
    await desk.presses("Escape", "e")
    await expect(desk.page.get_by_role("dialog")).to_contain_text(desk.words("resolve.title"))
    await shot(desk.page, "desk-resolve")
    await desk.presses("ArrowDown", "Enter")
    await desk.dialog_closed()
    await expect(desk.page.locator(".thread-about")).to_contain_text(desk.words("state.resolved"))
    assert (await mia.session()).session.outcome is i.Outcome.UNSOLVED
    assert await told(mia) == [
        "Hello, my withdrawal has been pending since this morning.",
        f"TXID {TXID}",
        "Good morning Mia, I am looking at it.",
    ]


async def test_a_button_that_is_held_down_while_the_customer_writes_is_pressed_all_the_same(desk: Desk) -> None:
    mia = desk.house.customer()
    await mia.writes("Where is it?")
    await desk.opens(mia)
    hold = desk.page.locator('[data-action="hold"]')
    await hold.hover()
    await desk.page.mouse.down()
    await mia.writes("Hello?")
    await expect(desk.message("customer", "Hello?")).to_be_visible()
    await desk.page.mouse.up()
    await expect(desk.page.locator("dialog button[type=submit]")).to_be_visible()


async def test_promising_moving_and_putting_back_by_keyboard(desk: Desk, shot: Shot) -> None:
    mia = desk.house.customer()
    await mia.writes()
    await desk.opens(mia)
    await desk.presses("h")
    await shot(desk.page, "desk-hold")
    await desk.presses("Enter")
    await desk.dialog_closed()
    await expect(desk.page.locator(".thread-head .wait")).to_be_visible()
    session = (await mia.session()).session
    assert session.turn.until is not None
    assert 25 * 60_000 < session.turn.until - session.last_at <= 30 * 60_000
    await desk.page.get_by_role("button", name=desk.words("action.release")).press("Enter")
    await expect(desk.page.locator(".thread-about")).to_contain_text(desk.words("state.queued"))
    await desk.presses("t")
    await shot(desk.page, "desk-transfer")
    await desk.page.get_by_label(desk.words("transfer.desk"), exact=True).select_option("withdrawals")
    await desk.page.get_by_role("button", name=desk.words("transfer.submit")).last.press("Enter")
    await desk.dialog_closed()
    await expect(desk.page.locator(".event", has_text="Withdrawals")).to_be_visible()
    assert (await mia.session()).session.desk == "withdrawals"


async def test_every_key_is_listed(desk: Desk, shot: Shot) -> None:
    await desk.presses("?")
    shown = await desk.page.locator("dialog kbd").all_inner_texts()
    assert {"j", "k", "Enter", "r", "n", "c", "t", "e", "h", "/", "?"} <= set(shown)
    await shot(desk.page, "desk-keys")
    await desk.presses("Escape")
    await desk.dialog_closed()


async def test_letters_typed_into_a_field_are_letters(desk: Desk) -> None:
    mia = desk.house.customer()
    await mia.writes()
    await desk.opens(mia)
    await desk.presses("r")
    await desk.types("cheter/?jkn")
    await expect(desk.field("reply")).to_have_value("cheter/?jkn")
    assert (await mia.session()).session.assignee is None


async def test_a_code_is_found_wherever_its_conversation_is(desk: Desk) -> None:
    mia = desk.house.customer()
    stored = await mia.writes("long ago")
    await expect(desk.page.locator(".row")).to_have_count(1)  # Enter goes to what the list shows, so it comes and goes
    await mia.does(i.CustomerEnded())
    while await desk.house.store.session_by_code(stored.session.code) is None:  # noqa: ASYNC110 - the index follows
        await asyncio.sleep(0.05)
    await expect(desk.page.locator(".row")).to_have_count(0)
    await desk.presses("/")
    await desk.types(stored.session.code.lower())
    await expect(desk.page.locator(".empty")).to_have_text(desk.words("list.empty.search"))
    await desk.presses("Enter")
    await expect(desk.message("customer", "long ago")).to_be_visible()
    await expect(desk.page.get_by_role("tab", name=desk.words("composer.reply"))).to_be_disabled()
    await desk.presses("n")
    await desk.types("learnt afterwards")
    await desk.presses("Enter")
    await expect(desk.message("note", "learnt afterwards")).to_be_visible()


# ------------------------------------------------------------------ replies and notes


async def test_a_note_looks_like_one_before_it_is_written_and_takes_no_words_from_a_reply(
    desk: Desk, shot: Shot
) -> None:
    mia = desk.house.customer()
    await mia.writes()
    await desk.opens(mia)
    composer = desk.page.locator(".composer")
    plain = await ground(composer)
    await desk.presses("r")
    await desk.types("Dear customer")
    await desk.presses("Escape", "n")
    assert await ground(composer) != plain
    await expect(desk.page.locator(".note-banner")).to_have_text(desk.words("composer.note_banner"))
    await expect(desk.field("note")).to_have_value("")
    await desk.types("do not trust")
    await shot(desk.page, "desk-note")
    await desk.page.get_by_role("tab", name=desk.words("composer.reply")).click()
    assert await ground(composer) == plain
    await expect(desk.field("reply")).to_have_value("Dear customer")
    await desk.presses("Enter")
    await expect(desk.message("reply", "Dear customer")).to_be_visible()
    await desk.presses("Escape", "n", "Enter")
    await expect(desk.message("note", "do not trust")).to_be_visible()
    assert await told(mia) == ["Hello", "Dear customer"]


async def ground(composer: Locator) -> str:
    color: str = await composer.evaluate("element => getComputedStyle(element).backgroundColor")
    return color


async def test_another_conversation_begins_with_the_reply_and_its_own_draft(desk: Desk) -> None:
    mia, yuki = desk.house.customer("~mia"), desk.house.customer("~yuki")
    await mia.writes()
    await yuki.writes()
    await desk.opens(mia)
    await desk.presses("n")
    await desk.types("about mia")
    await desk.opens(yuki)
    await expect(desk.page.locator(".composer")).to_have_attribute("data-kind", "reply")
    await expect(desk.field("reply")).to_have_value("")
    await desk.opens(mia)
    await desk.presses("n")
    await expect(desk.field("note")).to_have_value("about mia")


async def test_enter_that_ends_a_composition_never_sends(desk: Desk) -> None:
    mia = desk.house.customer("~mia", language="ja")
    await mia.writes("こんにちは")
    await desk.opens(mia)
    await desk.presses("r")
    ime = await desk.page.context.new_cdp_session(desk.page)
    await ime.send("Input.imeSetComposition", {"text": "しょうち", "selectionStart": 4, "selectionEnd": 4})
    sent: list[str] = []
    desk.page.on("request", lambda request: sent.append(request.url) if request.url.endswith("/reply") else None)
    for how in ({"isComposing": True}, {"keyCode": 229}):  # 229: Safari says it after the composition has ended
        await desk.field("reply").evaluate(
            "(field, how) => field.dispatchEvent(new KeyboardEvent('keydown',"
            " {key: 'Enter', bubbles: true, cancelable: true, ...how}))",
            how,
        )
    await ime.send("Input.insertText", {"text": "承知しました"})
    await expect(desk.field("reply")).to_have_value("承知しました")
    assert sent == []
    assert await desk.field("reply").get_attribute("lang") == "ja"
    await desk.presses("Shift+Enter")
    await desk.types("2")
    await desk.presses("Enter")
    await expect(desk.message("reply", "承知しました")).to_be_visible()
    assert await told(mia) == ["こんにちは", "承知しました\n2"]


async def test_too_long_a_reply_is_counted_and_not_sent(desk: Desk) -> None:
    mia = desk.house.customer()
    await mia.writes()
    await desk.opens(mia)
    field, counter = desk.field("reply"), desk.page.locator("#panel-reply .counter")
    send = desk.page.get_by_role("button", name=desk.words("composer.send"), exact=True)
    await field.fill("x" * 3_599)
    await expect(counter).to_have_text("")
    await field.fill("🦊" * 3_600)  # code points, as the service counts
    await expect(counter).to_have_text(desk.words("composer.left", count=400))
    await field.fill("x" * 4_001)
    await expect(counter).to_have_text(desk.words("composer.over", count=1))
    await expect(send).to_be_disabled()
    await field.press("Enter")
    await expect(field).to_have_value("x" * 4_001)
    await field.fill("x" * 4_000)
    await field.press("Enter")
    await expect(field).to_have_value("")
    await expect(desk.message("reply", "x" * 4_000)).to_be_visible()


async def test_the_field_grows_to_six_lines_and_no_further(desk: Desk) -> None:
    mia = desk.house.customer()
    await mia.writes()
    await desk.opens(mia)
    heights = []
    for lines in (1, 3, 6, 12):
        await desk.field("reply").fill("\n".join(["line"] * lines))
        box = await desk.field("reply").bounding_box()
        heights.append(box["height"] if box else 0)
    assert heights[0] < heights[1] < heights[2] == heights[3]


async def test_drafts_survive_a_reload(desk: Desk) -> None:
    mia = desk.house.customer()
    await mia.writes()
    await desk.opens(mia)
    await desk.presses("r")
    await desk.types("a reply in the making")
    await desk.presses("Escape", "n")
    await desk.types("a note in the making")
    await desk.page.reload()
    await expect(desk.field("reply")).to_have_value("a reply in the making")
    await desk.presses("n")
    await expect(desk.field("note")).to_have_value("a note in the making")


async def test_what_could_not_be_sent_survives_a_reload_and_is_sent_once(desk: Desk) -> None:
    mia = desk.house.customer()
    await mia.writes()
    await desk.opens(mia)

    asked: list[str] = []
    lost = asyncio.Event()

    async def lose_the_first_answer(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) > 1:
            await route.continue_()
            return
        try:
            assert (await route.fetch()).ok  # it arrived, and the page does not know
            await route.abort()
        finally:
            lost.set()

    await desk.page.clock.install()  # the page waits before it tries again
    await desk.page.route("**/reply", lose_the_first_answer)
    await desk.presses("r")
    await desk.types("said once")
    await desk.presses("Enter")
    await expect(desk.page.locator(".delivery.sending")).to_be_visible()
    await expect(desk.page.locator(".message.reply")).to_have_count(1)
    async with asyncio.timeout(60):
        await lost.wait()
    await desk.page.reload()
    await expect(desk.message("reply", "said once")).to_have_count(1)
    await expect(desk.page.locator(".delivery.sending")).to_have_count(0)
    assert await told(mia) == ["Hello", "said once"]


async def test_a_lost_connection_is_said_and_nothing_written_meanwhile_is_lost(desk: Desk, shot: Shot) -> None:
    mia = desk.house.customer()
    await mia.writes()
    await desk.opens(mia)
    await desk.page.context.set_offline(True)
    await expect(desk.page.locator(".bar")).to_contain_text(desk.words("connection.lost"))
    await desk.presses("r")
    for words in ("first", "second"):
        await desk.types(words)
        await desk.presses("Enter")
    await expect(desk.page.locator(".delivery.sending")).to_have_count(2)
    await shot(desk.page, "desk-broken")
    await expect(desk.page.locator(".bar")).to_contain_text(desk.words("connection.unsent", count=2))
    await desk.page.context.set_offline(False)
    await expect(desk.message("reply", "second")).to_be_visible()
    await expect(desk.page.locator(".bar")).to_be_hidden()
    assert await told(mia) == ["Hello", "first", "second"]


async def test_the_bar_shows_while_the_line_is_down(house: House, new_desk: NewDesk) -> None:
    await house.operator("kenji")
    desk = await new_desk()
    cut = True

    async def maybe_cut(socket: Any) -> None:
        if cut:
            await socket.close()
        else:
            socket.connect_to_server()

    await desk.page.route_web_socket("**/api/live", maybe_cut)
    await desk.signs_in()
    bar = desk.page.locator(".bar")
    await expect(bar).to_have_text(desk.words("connection.lost"))
    cut = False
    await expect(bar).to_be_hidden()


async def test_a_reply_that_is_refused_can_be_taken_back_to_the_draft(desk: Desk) -> None:
    mia = desk.house.customer()
    await mia.writes()
    await desk.opens(mia)

    async def refuse(route: Route) -> None:
        await route.fulfill(status=409, json={"error": {"code": "session_erased", "retry": False}})

    await desk.page.route("**/reply", refuse)
    await desk.presses("r")
    await desk.types("my words")
    await desk.presses("Enter")
    failed = desk.page.locator(".delivery.failed")
    await expect(failed).to_contain_text(desk.words("error.session_erased"))
    await desk.page.get_by_role("button", name=desk.words("delivery.take_back")).click()
    await expect(desk.field("reply")).to_have_value("my words")
    await expect(failed).to_have_count(0)


async def test_a_picture_is_pasted_previewed_and_sent(desk: Desk, shot: Shot) -> None:
    mia = desk.house.customer()
    await mia.writes()
    await desk.opens(mia)
    await desk.presses("r")
    for event in ("paste", "drop"):
        await desk.field("reply").evaluate(GIVE_PICTURE, event)
    await expect(desk.page.locator(".tray-file img")).to_have_count(2)
    await expect(desk.page.locator(".tray-file progress:visible")).to_have_count(0)
    await desk.page.get_by_role("button", name=desk.words("composer.remove", name="drop.png")).click()
    await shot(desk.page, "desk-attachment")
    await desk.types("As in this picture")
    await desk.presses("Enter")
    picture = desk.page.locator(".message.reply .picture img")
    await expect(picture).to_have_attribute("alt", "paste.png")
    assert await picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 64
    shown = (await desk.house.feed.catch_up(await mia.session(), None)).shown
    body = next(one.body for one in reversed(shown) if one.body is not None)
    assert [file.name for file in body.files] == ["paste.png"]


GIVE_PICTURE = """async (field, kind) => {
    const canvas = new OffscreenCanvas(64, 48);
    canvas.getContext("2d").fillRect(8, 8, 40, 30);
    const data = new DataTransfer();
    data.items.add(new File([await canvas.convertToBlob()], `${kind}.png`, {type: "image/png"}));
    const Kind = kind === "paste" ? ClipboardEvent : DragEvent;
    const given = kind === "paste" ? {clipboardData: data} : {dataTransfer: data};
    field.dispatchEvent(new Kind(kind, {...given, bubbles: true, cancelable: true}));
}"""


async def test_a_draft_keeps_its_attachments_over_a_reload(desk: Desk) -> None:
    mia = desk.house.customer()
    await mia.writes()
    await desk.opens(mia)
    await desk.presses("r")
    await desk.field("reply").evaluate(GIVE_PICTURE, "paste")
    await expect(desk.page.locator(".tray-file")).to_have_count(1)
    await expect(desk.page.locator(".tray-file progress:visible")).to_have_count(0)
    await desk.page.reload()
    await expect(desk.page.locator(".tray-file")).to_have_text("paste.png")
    await desk.presses("r", "Enter")
    await expect(desk.page.locator(".message.reply .picture img")).to_have_count(1)


async def test_what_is_no_picture_is_refused_by_its_content(desk: Desk) -> None:
    mia = desk.house.customer()
    await mia.writes()
    await desk.opens(mia)
    await desk.page.locator("#panel-reply input[type=file]").set_input_files(
        {"name": "trap.png", "mimeType": "image/png", "buffer": b"<script>alert(1)</script>"}
    )
    await expect(desk.page.locator("#panel-reply .problem")).to_contain_text(
        desk.words("composer.upload_failed", name="trap.png")
    )
    await expect(desk.page.locator(".tray-file")).to_have_count(0)


# ------------------------------------------------------------------ what is shown


@pytest.mark.parametrize(
    "words",
    [
        "<img src=x onerror=alert(1)><b>bold</b>",
        "*stars* _lines_ :smile: https://evil.example/ &lt;",
        f"bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq {TXID} 0.10000000",
        "two  spaces\n\n  and lines",
    ],
)
async def test_words_stand_as_they_were_written(desk: Desk, words: str) -> None:
    mia = desk.house.customer()
    await mia.writes(words)
    await desk.opens(mia)
    shown = desk.page.locator(".message.customer .text")
    assert await shown.evaluate("element => element.textContent") == words
    assert await shown.evaluate("element => element.children.length") == 0
    assert await shown.get_attribute("lang") == "en"
    assert await shown.get_attribute("dir") == "auto"
    width = await desk.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width[0] <= width[1]


async def test_a_customer_who_left_is_said_where_the_reply_stands(desk: Desk) -> None:
    mia = desk.house.customer()
    stored = await mia.writes()
    await desk.opens(mia)
    await mia.does(i.CustomerLeft())
    await desk.house.replies(stored.session.id, desk.house.directory.all()[0].id, "Are you there?")
    just_now = desk.words("time.just_now")
    await expect(desk.page.locator(".delivery")).to_have_text(desk.words("delivery.undelivered", ago=just_now))
    await mia.does(i.CustomerArrived())
    await expect(desk.page.locator(".delivery")).to_have_text(desk.words("delivery.queued"))


async def test_withdrawn_words_go_from_the_page(desk: Desk) -> None:
    mia = desk.house.customer()
    await mia.writes("my password is hunter2")
    await desk.opens(mia)
    await expect(desk.message("customer", "hunter2")).to_be_visible()
    await mia.does(i.CustomerWithdrew(MessageId("c:client-0000")))
    await expect(desk.page.locator(".message .gone")).to_have_text(desk.words("thread.withdrawn"))
    assert "hunter2" not in await desk.page.content()


async def test_a_colleague_who_writes_is_named_and_a_taken_session_stays_theirs(desk: Desk, new_desk: NewDesk) -> None:
    await desk.house.operator("aiko", names={"en": "Aiko"})
    aiko = await (await new_desk()).signs_in("aiko")
    mia = desk.house.customer()
    await mia.writes()
    await desk.opens(mia)
    await aiko.opens(mia)
    writing = desk.page.locator(".writing")
    await desk.page.evaluate(STOPPED_CLOCK)
    await aiko.presses("r")
    await aiko.types("I")
    await expect(writing).to_have_text(desk.words("thread.writing", name="Aiko"))
    await mia.types()
    await expect(writing).to_have_text(desk.words("thread.customer_writing"))
    await aiko.presses("Enter")
    await expect(desk.message("reply", "I")).to_be_visible()
    await expect(writing).to_have_text("")
    await expect(desk.page.locator(".thread-about")).to_contain_text(desk.words("state.assigned", name="Aiko"))
    await expect(desk.page.get_by_role("button", name=desk.words("action.claim"))).to_have_count(0)


async def test_the_list_does_not_jump_under_the_pointer(desk: Desk) -> None:
    house = desk.house
    customers = [house.customer(f"~c{number}", about=About(f"Customer {number}")) for number in range(3)]
    for customer in customers:
        await customer.writes()
    await expect(desk.page.locator(".row")).to_have_count(3)
    before = await desk.codes()
    await desk.page.locator(".row").nth(1).hover()
    (kenji,) = [one for one in house.directory.all() if one.account == "kenji"]
    first = (await customers[0].session()).session
    await house.operator_does(first.id, i.OperatorClaimed(kenji.id), "desk/elsewhere-1")
    await house.customer("~late").writes()
    await expect(desk.page.locator(".row")).to_have_count(4)
    assert (await desk.codes())[:3] == before
    changed = desk.page.get_by_role("button", name=desk.words("list.changed"))
    await expect(changed).to_be_visible()
    await desk.page.mouse.move(1_000, 500)
    await expect(desk.page.locator(".row")).to_have_count(3)
    assert (await desk.codes())[:2] == before[1:]
    await expect(changed).to_be_hidden()


async def test_focus_stays_on_its_row_when_the_order_changes(desk: Desk) -> None:
    house = desk.house
    mia, yuki = house.customer("~mia"), house.customer("~yuki")
    await mia.writes()
    await yuki.writes()
    await desk.presses("3")
    await expect(desk.page.locator(".row")).to_have_count(2)
    await desk.presses("j", "j")
    focused = (await yuki.session()).session.code
    await expect(desk.page.locator(".row:focus .code")).to_have_text(focused)
    session = (await mia.session()).session.id
    await house.replies(session, desk.house.directory.all()[0].id, "Hello Mia")  # Mia does not wait any more
    await expect(desk.page.locator(".row .code").first).to_have_text(focused)
    await expect(desk.page.locator(".row:focus .code")).to_have_text(focused)


async def test_waiting_turns_amber_and_red_in_words_too(desk: Desk, shot: Shot) -> None:
    await desk.house.customer().writes()
    await expect(desk.page.locator(".row .wait")).to_have_class("wait ")
    ahead = 0

    async def shift(route: Route) -> None:
        answer = await route.fetch()
        body = await answer.json()
        await route.fulfill(response=answer, json={**body, "now": body["now"] + ahead})

    await desk.page.route("**/api/sessions?*", shift)
    for minutes, level, key in ((4, "near", "row.waits_near"), (65, "past", "row.waits_past")):
        ahead = minutes * 60_000
        words = desk.words(key, time={4: "4 min", 65: "1 h 5 min"}[minutes])
        for _ in range(30):  # whatever else the service says meanwhile tells the right time again
            await desk.presses("1")
            with suppress(PlaywrightTimeout):
                await desk.page.wait_for_function(WAITS, arg=[f"wait {level}", words], timeout=2_000)
                break
        else:
            raise AssertionError(f"it never said: {words}")
        await shot(desk.page, f"desk-{level}")


WAITS = """([look, words]) => {
  const wait = document.querySelector(".row .wait");
  return wait?.className === look && wait.querySelector(".sr")?.textContent === words;
}"""


async def test_unread_counts_what_came_since_it_was_looked_at(desk: Desk) -> None:
    mia = desk.house.customer()
    await mia.writes("one")
    await mia.writes("two")
    badge = desk.page.locator(".row .badge")
    await expect(badge).to_have_text("2")
    await desk.opens(mia)
    await expect(badge).to_have_count(0)
    await desk.presses("Escape")
    await expect(desk.page.locator(".nothing")).to_be_visible()
    await mia.writes("three")
    await expect(badge).to_have_text("1")


async def test_whoever_reads_further_up_is_told_of_news_and_left_there(desk: Desk) -> None:
    mia = desk.house.customer()
    for number in range(40):
        await mia.writes(f"message {number}")
    await desk.opens(mia)
    scroller = desk.page.locator(".thread-scroll")
    await expect(desk.message("customer", "message 39")).to_be_in_viewport()
    await scroller.evaluate("element => element.scrollTop = 100")
    await expect(desk.message("customer", "message 39")).not_to_be_in_viewport()
    await mia.writes("news")
    pill = desk.page.locator(".pill")
    await expect(pill).to_have_text(desk.words("thread.new", count=1))
    assert await scroller.evaluate("element => element.scrollTop") == 100
    await pill.click()
    await expect(desk.message("customer", "news")).to_be_in_viewport()
    await expect(pill).to_be_hidden()


async def test_whoever_reads_the_end_stays_there_when_it_grows(desk: Desk) -> None:
    mia = desk.house.customer()
    for number in range(40):
        await mia.writes(f"message {number}")
    await desk.opens(mia)
    await expect(desk.message("customer", "message 39")).to_be_in_viewport()
    scroller = desk.page.locator(".thread-scroll")
    await scroller.evaluate(  # a picture above has loaded, and the scroll before it is told only now
        """async (scroller) => {
            scroller.querySelector("li").style.paddingTop = "600px";
            scroller.dispatchEvent(new Event("scroll"));
        }"""
    )
    await expect(desk.message("customer", "message 39")).to_be_in_viewport()
    await mia.writes("news", await desk.house.picture("mia"))
    await expect(desk.message("customer", "news")).to_be_in_viewport()


async def test_what_came_earlier_is_fetched_when_asked_for(desk: Desk) -> None:
    mia = desk.house.customer()
    for number in range(205):
        await mia.writes(f"message {number:03}")
    await desk.opens(mia)
    await expect(desk.message("customer", "message 000")).to_have_count(0)
    await desk.page.get_by_role("button", name=desk.words("thread.older")).click()
    await expect(desk.message("customer", "message 000")).to_have_count(1)
    await expect(desk.page.locator(".message.customer")).to_have_count(205)
    await expect(desk.page.get_by_role("button", name=desk.words("thread.older"))).to_be_hidden()


# ------------------------------------------------------------------ for everybody


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_all_text_can_be_read(house: House, new_desk: NewDesk, shot: Shot, scheme: str) -> None:
    await house.operator("kenji", names={"en": "Sato"}, lead=True)
    desk = await new_desk(color_scheme=scheme)
    await desk.page.goto(f"{house.console}/")
    await expect(desk.page.locator("h1")).to_be_visible()
    assert await faint(desk) == []
    await desk.signs_in()
    mia, session = await busy(desk)
    assert await faint(desk) == []
    await desk.presses("n")
    assert await faint(desk) == []
    await shot(desk.page, f"desk-note-{scheme}")
    await desk.presses("Escape", "e")
    await expect(desk.page.get_by_role("dialog")).to_be_visible()
    assert await faint(desk) == []
    assert (await mia.session()).session.id == session


async def busy(desk: Desk) -> tuple[Customer, SessionId]:
    """A conversation with some of everything in it."""
    house = desk.house
    mia = house.customer("u-1", verified=True, about=About("Mia Brown", "en-GB", "https://exchange.example/"))
    await mia.writes(TXID, await house.picture("mia"))
    await house.customer("~v").writes("مرحبا، أحتاج إلى مساعدة")
    session = await desk.opens(mia)
    await desk.page.locator("#tab-note").click()
    await desk.types("for us only")
    await desk.presses("Enter")
    await expect(desk.message("note", "for us only")).to_be_visible()
    (kenji,) = [one for one in house.directory.all() if one.account == "kenji"]
    await house.replies(session, kenji.id, "One moment.")
    await mia.does(i.CustomerLeft())
    await expect(desk.page.locator(".delivery.undelivered")).to_be_visible()
    await desk.presses("Escape")
    return mia, session


async def test_every_control_has_a_name_and_every_field_is_large_enough_for_phones(desk: Desk) -> None:
    await busy(desk)
    nameless = await desk.page.evaluate(
        """() => [...document.querySelectorAll("button, a[href], input:not([hidden]), textarea, select, [role=tab]")]
            .filter((one) => one.checkVisibility())
            .filter((one) => !(one.textContent.trim() || one.getAttribute("aria-label") || one.labels?.length))
            .filter((one) => !one.querySelector("img[alt]"))
            .map((one) => one.outerHTML)"""
    )
    assert nameless == []
    sizes = await desk.page.evaluate(
        "[...document.querySelectorAll('textarea')].map((one) => parseFloat(getComputedStyle(one).fontSize))"
    )
    assert min(sizes) >= 16
    roles = {"log": 1, "tablist": 1, "navigation": 1, "main": 1, "complementary": 1}
    for role, count in roles.items():
        await expect(desk.page.get_by_role(role)).to_have_count(count)  # type: ignore[arg-type]  # all are ARIA roles


async def test_focus_is_always_seen(desk: Desk) -> None:
    await busy(desk)
    unseen = []
    await desk.page.evaluate("document.activeElement.blur()")
    for _ in range(25):
        await desk.presses("Tab")
        outline = await desk.page.evaluate(
            """() => {
                const at = document.activeElement;
                const styles = [at, at.parentElement].map((one) => getComputedStyle(one));
                const shown = styles.some((one) => parseFloat(one.outlineWidth) >= 1 && one.outlineStyle !== "none");
                return [at.outerHTML.slice(0, 80), shown || at === document.body];
            }"""
        )
        unseen += [] if outline[1] else [outline[0]]
    assert unseen == []


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_phone_shows_one_thing_at_a_time(house: House, new_desk: NewDesk, shot: Shot, language: str) -> None:
    await house.operator("kenji", names={"en": "Sato", "ja": "佐藤", "zh-Hans": "佐藤", "zh-Hant": "佐藤"})
    mia = house.customer("u-1", language="ja", about=About("田中 ゆき"))
    await mia.writes(f"出金が届きません。{TXID}", await house.picture("mia"))
    desk = await (await new_desk(language, viewport=PHONE)).signs_in()
    page = desk.page
    assert await page.evaluate("document.documentElement.lang") == language
    await expect(page.locator(".row")).to_be_visible()
    await shot(page, f"desk-phone-list-{language}")
    await page.locator(".row").click()
    await expect(desk.message("customer", TXID)).to_be_visible()
    await expect(page.locator(".row")).to_be_hidden()
    await shot(page, f"desk-phone-thread-{language}")
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    await page.get_by_role("button", name=desk.words("thread.details")).click()
    await expect(page.locator(".card h2")).to_have_text("田中 ゆき")
    await shot(page, f"desk-phone-card-{language}")
    await page.get_by_role("button", name=desk.words("card.close")).click()
    await page.get_by_role("button", name=desk.words("thread.back")).click()
    await expect(page.locator(".row")).to_be_visible()
    await page.get_by_role("button", name=desk.words("nav.open")).click()
    await page.get_by_role("button", name=re.compile(desk.words("list.all"))).click()
    await expect(page.locator(".row")).to_be_visible()
    await expect(page.locator(".nav")).to_be_hidden()


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_desk_speaks_four_languages(house: House, new_desk: NewDesk, shot: Shot, language: str) -> None:
    await house.operator("kenji", names={"en": "Sato", "ja": "佐藤"}, lead=True)
    desk = await (await new_desk(language)).signs_in()
    await busy(desk)
    await shot(desk.page, f"desk-busy-{language}")
    shown = await desk.page.locator("body").inner_text()
    assert re.findall(r"\{\w+\}", shown) == []
    assert re.findall(r"\b(?:list|line|state|action|composer|card|nav|row)\.[a-z_]+", shown) == []


async def test_the_language_is_changed_without_losing_the_conversation(desk: Desk) -> None:
    mia = desk.house.customer()
    await mia.writes()
    await desk.opens(mia)
    await desk.presses("r")
    await desk.types("kept")
    await desk.page.get_by_label(desk.words("language.choose")).select_option("ja")
    await expect(desk.page.get_by_role("tab", name=text("desk", "ja", "composer.note"))).to_be_visible()
    await expect(desk.field("reply")).to_have_value("kept")
    await desk.page.reload()
    await expect(desk.page.get_by_role("tab", name=text("desk", "ja", "composer.note"))).to_be_visible()


async def test_nothing_is_fetched_from_anywhere_else(house: House, new_desk: NewDesk) -> None:
    await house.operator("kenji")
    desk = await new_desk()
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    desk.page.on("request", note)
    await desk.signs_in()
    await busy(desk)
    assert [url for url in asked if not url.startswith((house.url, "blob:"))] == []
