"""Bad input gets a clear answer, and nothing is lost: the service as a real process, spoken to from outside."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from adapters.web import protocol
from tests.integration.customer_side import Page
from tests.scenarios.customer import Customer, Json
from tests.scenarios.operator import Operator
from tests.scenarios.stage import Stage, stage
from tests.unit.adapters.files import samples

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("bad-input")]

MESSAGE = "message-for-bad-input"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def on(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """One service for all of these: none of them may harm the next."""
    async with stage(tmp_path_factory.mktemp("bad-input")) as one:
        yield one
        assert one.house.running.lives, "nothing of all this ended the service"
        assert "Traceback" not in one.house.running.errors()


@asynccontextmanager
async def page(on: Stage, *, greet: bool = True) -> AsyncIterator[Page]:
    """A page that says what no widget would."""
    url = on.house.url
    async with on.http.ws_connect(f"{url}/v1/socket", headers={"Origin": url}) as socket:
        one = Page(socket)
        if greet:
            await one.greet()
        yield one


async def refusal(one: Page, text: str) -> Json:
    await one.socket.send_str(text)
    return await one.hear_of("refused")


# ------------------------------------------------------------------ wrong types, in every field of every frame

TEXT, NUMBER, FLAG, OBJECT, LIST = (
    (True, 7, 1.5, ["x"], {"x": 1}),
    (True, "7", 1.5, ["x"], {"x": 1}),
    (7, "yes", 1.5, ["x"], {"x": 1}),
    (True, 7, 1.5, "x", ["x"]),
    (True, 7, 1.5, "x", {"x": 1}),
)
"""For each type, JSON values that are none of it."""

PLACE = {"e": "epoch", "o": 1, "t": "tag"}
WORDS = {"type": "text", "text": "hello"}
SAYS = {"t": "message", "id": MESSAGE, "parts": [WORDS]}

FRAMES: Sequence[tuple[Json, dict[str, Sequence[Any]]]] = (
    (
        SAYS,
        {
            "id": TEXT,
            "topic": TEXT,
            "language": TEXT,
            "parts": LIST,
            "parts[0]": OBJECT,
            "parts[0].type": TEXT,
            "parts[0].text": TEXT,
        },
    ),
    ({**SAYS, "parts": [{"type": "file", "file": "x"}]}, {"parts[0].file": TEXT}),
    (
        {"t": "revise", "id": MESSAGE, "message": MESSAGE, "parts": [WORDS]},
        {"id": TEXT, "message": TEXT, "parts": LIST, "parts[0]": OBJECT, "parts[0].text": TEXT},
    ),
    ({"t": "withdraw", "id": MESSAGE, "message": MESSAGE}, {"id": TEXT, "message": TEXT}),
    (
        {"t": "react", "id": MESSAGE, "message": "x", "reaction": "👍", "on": True},
        {"id": TEXT, "message": TEXT, "reaction": TEXT, "on": FLAG},
    ),
    ({"t": "received", "message": "x", "seen": True}, {"message": TEXT, "seen": FLAG}),
    ({"t": "answer", "id": MESSAGE, "solved": True}, {"id": TEXT, "solved": FLAG}),
    ({"t": "end", "id": MESSAGE}, {"id": TEXT}),
    ({"t": "choose_language", "id": MESSAGE, "language": "en"}, {"id": TEXT, "language": TEXT}),
    ({"t": "ping", "n": 1}, {"n": NUMBER}),
    ({"t": "refresh", "jwt": "x"}, {"jwt": TEXT}),
    (
        {"t": "identify", "jwt": "x", "session": "K7Q2", "position": PLACE},
        {
            "jwt": TEXT,
            "session": TEXT,
            "position": OBJECT,
            "position.e": TEXT,
            "position.o": NUMBER,
            "position.t": TEXT,
        },
    ),
)

HELLO = {
    "t": "hello",
    "v": 1,
    "token": "x",
    "jwt": "x",
    "locale": "en",
    "page": "https://shop.example/",
    "tz": "Asia/Tokyo",
    "session": "K7Q2",
    "position": PLACE,
}
HELLO_FIELDS: dict[str, Sequence[Any]] = {
    "v": NUMBER,
    **dict.fromkeys(("token", "jwt", "locale", "page", "tz", "session"), TEXT),
    "position": OBJECT,
    "position.e": TEXT,
    "position.o": NUMBER,
    "position.t": TEXT,
}


def spoilt(frame: Json, path: str, value: Any) -> str:
    """The frame with another value at `path`, as JSON."""
    copy = json.loads(json.dumps(frame))
    *way, last = path.replace("[0]", ".0").split(".")
    place = copy
    for step in way:
        place = place[int(step) if step.isdecimal() else step]
    place[int(last) if last.isdecimal() else last] = value
    return json.dumps(copy)


def _every_field() -> Iterator[Any]:
    for frame, fields in FRAMES:
        for path, values in fields.items():
            yield pytest.param(frame, path, values, id=f"{frame['t']}.{path}")


async def test_no_field_of_any_frame_is_left_out() -> None:
    tried: dict[str, set[str]] = {"hello": {path.partition(".")[0] for path in HELLO_FIELDS}}
    for frame, fields_of_it in FRAMES:
        tried.setdefault(frame["t"], set()).update(re.split(r"[.\[]", path)[0] for path in fields_of_it)
    known = {name: {one.name for one in dataclasses.fields(frame)} for frame, name in protocol.NAMES.items()}
    assert tried == {name: names for name, names in known.items() if names}


@pytest.mark.parametrize(("frame", "path", "values"), list(_every_field()))
async def test_a_wrong_type_is_refused_with_the_fields_name(
    on: Stage, frame: Json, path: str, values: Sequence[Any]
) -> None:
    async with page(on) as one:
        for value in values:
            refused = await refusal(one, spoilt(frame, path, value))
            assert refused["of"] == frame["t"], value
            assert refused["code"] in ("wrong_type", "unknown_type"), value
            assert refused["field"] in (path, path.rpartition(".")[0]), value
            assert refused["retry"] is False
        assert (await one.write("still here"))["pos"]["o"] == 2


@pytest.mark.parametrize(("path", "values"), list(HELLO_FIELDS.items()), ids=list(HELLO_FIELDS))
async def test_a_wrong_type_in_hello_ends_in_goodbye(on: Stage, path: str, values: Sequence[Any]) -> None:
    for value in values:
        async with page(on, greet=False) as one:
            await one.socket.send_str(spoilt(HELLO, path, value))
            bye = await one.hear_of("bye")
            assert (bye["code"], await one.closed()) == ("hello_refused", 4400), value


@pytest.mark.parametrize("t", [*TEXT, None, "", "shout", "Message", "welcome", "t" * 10_000])
async def test_an_unknown_frame_is_refused_and_the_talk_goes_on(on: Stage, t: Any) -> None:
    async with page(on) as one:
        refused = await refusal(one, json.dumps({"t": t, "id": MESSAGE}))
        assert (refused["code"], refused["field"], refused["id"]) == ("unknown_type", "t", MESSAGE)
        assert (await one.write("still here"))["pos"]["o"] == 2


@pytest.mark.parametrize(
    "text", ["", "{", "nonsense", "[]", "null", '"t"', "[" * 9_000, '{"t":"ping","n":1e999}', "{}{}"]
)
async def test_what_is_no_frame_is_refused_and_the_talk_goes_on(on: Stage, text: str) -> None:
    async with page(on) as one:
        refused = await refusal(one, text)
        assert refused["code"] in ("not_json", "not_an_object", "wrong_type")
        assert (await one.write("still here"))["pos"]["o"] == 2


async def test_an_oversize_frame_is_refused_by_its_id_and_a_huge_one_ends_the_line(on: Stage) -> None:
    async with page(on) as one:
        refused = await refusal(one, json.dumps({**SAYS, "padding": "x" * 20_000}))
        assert (refused["code"], refused["id"]) == ("frame_too_large", MESSAGE)
        await one.socket.send_str(json.dumps({**SAYS, "padding": "x" * 100_000}))
        assert await one.closed() == 1009
    async with page(on) as one:
        assert (await one.write("and the next page is let in"))["pos"]["o"] == 2


# ------------------------------------------------------------------ the same over HTTP


async def poll(on: Stage, path: str, body: Any, **headers: str) -> tuple[int, Json]:
    url = on.house.url
    options = {"data": body} if isinstance(body, bytes) else {"json": body}
    sent = {"Origin": url, "Content-Type": "application/json", **headers}
    async with on.http.post(f"{url}/v1/poll{path}", headers=sent, **options) as response:
        return response.status, await response.json()


async def test_over_http_bad_input_gets_the_same_answers(on: Stage) -> None:
    _, begun = await poll(on, "", {"t": "hello", "v": 1})
    line = {"X-Kakehashi-Connection": begun["connection"]}
    for body in (b"", b"{", b"\xff\xfe", b"{}", b"[]", b"5"):
        status, answer = await poll(on, "/send", body, **line)
        assert (status, set(answer["error"])) == (400, {"code", "what", "mend"}), body
    wrong = [json.loads(spoilt(frame, path, values[0])) for frame, fields in FRAMES for path, values in fields.items()]
    for some in (wrong[:20], wrong[20:]):  # a connection says so much in one breath, and not more
        _, answer = await poll(on, "/send", some, **line)
        assert [frame["t"] for frame in answer["frames"]] == ["refused"] * len(some)
    assert (await poll(on, "/send", b"[" + b" " * 70_000 + b"]", **line))[0] == 413
    assert (await poll(on, "/send", [SAYS], **{**line, "Content-Type": "text/plain"}))[0] == 415
    assert (await poll(on, "/send", [SAYS], **{"X-Kakehashi-Connection": "nobody"}))[0] == 410
    status, answer = await poll(on, "/send", [SAYS], **line)
    assert [frame["t"] for frame in answer["frames"]][-1] == "ack", "and the talk goes on"


# ------------------------------------------------------------------ the desk's requests

DESK_FORMS: Sequence[tuple[str, Json, dict[str, Sequence[Any]]]] = (
    ("reply", {"id": "desk-bad-1", "parts": [WORDS]}, {"id": TEXT, "parts": LIST, "parts[0]": OBJECT}),
    ("reply", {"id": "desk-bad-1", "parts": [WORDS]}, {"parts[0].type": TEXT, "parts[0].text": TEXT}),
    ("note", {"id": "desk-bad-1", "parts": [WORDS]}, {"id": TEXT, "parts": LIST, "parts[0].text": TEXT}),
    ("reply", {"id": "desk-bad-1", "parts": [{"type": "file", "file": "x"}]}, {"parts[0].file": TEXT}),
    ("claim", {"id": "desk-bad-1"}, {"id": TEXT}),
    ("release", {"id": "desk-bad-1"}, {"id": TEXT}),
    ("hold", {"id": "desk-bad-1", "until": 1}, {"id": TEXT, "until": NUMBER}),
    ("transfer", {"id": "desk-bad-1", "desk": "ja"}, {"id": TEXT, "desk": TEXT, "operator": TEXT, "reason": TEXT}),
    ("decline", {"id": "desk-bad-1"}, {"id": TEXT}),
    ("escalate", {"id": "desk-bad-1"}, {"id": TEXT}),
    ("acknowledge", {"id": "desk-bad-1"}, {"id": TEXT}),
    ("check", {"id": "desk-bad-1"}, {"id": TEXT}),
    ("incident", {"id": "desk-bad-1", "incident": "INC-000"}, {"id": TEXT, "incident": TEXT}),
    ("resolve", {"id": "desk-bad-1"}, {"id": TEXT, "outcome": TEXT}),
    ("typing", {"kind": "reply"}, {"kind": TEXT}),
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def talk(on: Stage) -> AsyncIterator[tuple[Customer, str]]:
    """A customer who is online, and their session's id."""
    async with on.customer().online() as one:
        await one.write("hello")
        await one.is_heard()
        yield one, await on.operator.session_of(one.code)


def _every_form_field() -> Iterator[Any]:
    for what, form, fields in DESK_FORMS:
        for path, values in fields.items():
            yield pytest.param(what, form, path, values, id=f"{what}.{path}")


@pytest.mark.parametrize(("what", "form", "path", "values"), list(_every_form_field()))
async def test_a_wrong_type_from_the_desk_is_refused_with_the_fields_name(
    on: Stage, talk: tuple[Customer, str], what: str, form: Json, path: str, values: Sequence[Any]
) -> None:
    for value in values:
        async with asked(on.operator, f"sessions/{talk[1]}/{what}", spoilt(form, path, value)) as response:
            error = (await response.json())["error"]
            assert response.status == 400, (value, error)
            assert error["field"] in path.replace("[0]", "").split("."), value
    assert talk[0].replies() == []


def asked(operator: Operator, path: str, body: str, **headers: str) -> Any:
    address = operator.addresses[0]
    sent = {"Origin": address, "X-Kakehashi-Desk": "1", "Content-Type": "application/json", **headers}
    return operator.http.post(f"{address}/console/api/{path}", data=body.encode(), headers=sent)


# ------------------------------------------------------------------ wrong origin


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", ""])
async def test_pages_of_another_origin_are_shut_out_everywhere(
    on: Stage, talk: tuple[Customer, str], origin: str
) -> None:
    url = on.house.url
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await on.http.ws_connect(f"{url}/v1/socket", headers={"Origin": origin})
    assert refused.value.status == 403
    async with on.http.post(f"{url}/v1/poll", json={"t": "hello", "v": 1}, headers={"Origin": origin}) as response:
        assert response.status == 403
    async with asked(on.operator, f"sessions/{talk[1]}/claim", '{"id": "desk-evil-1"}', Origin=origin) as response:
        assert response.status == 403
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await on.operator.http.ws_connect(f"{url}/console/api/live", headers={"Origin": origin})
    assert refused.value.status == 403


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
async def test_pages_of_another_origin_cannot_upload(on: Stage, talk: tuple[Customer, str], origin: str) -> None:
    headers = {"Origin": origin, "Authorization": f"Bearer {talk[0].welcome['upload_token']}"}
    promise = {"name": "a.png", "size": 10}
    async with on.http.post(f"{on.house.url}/v1/uploads", json=promise, headers=headers) as response:
        assert (response.status, (await response.json())["error"]["code"]) == (403, "origin_refused")


# ------------------------------------------------------------------ sessions and tabs


async def test_a_message_to_a_closed_session_opens_the_next_and_the_desk_is_told_no(on: Stage) -> None:
    async with on.customer().online() as one:
        await one.write("first")
        await one.is_heard()
        code, session = one.code, await on.operator.session_of(one.code)
        await one.act("end")
        await one.is_told("closed")
        assert await on.operator.refused(session, "reply", parts=[WORDS]) == "session_closed"
        await one.write("second")
        await one.is_heard()
        assert one.code != code
        assert one.own() == ["second"]
        assert (await on.operator.thread(session))[-1] == ("customer", "first")


async def test_two_tabs_of_one_customer_show_the_same(on: Stage) -> None:
    first = on.customer("first tab")
    async with first.online():
        await first.write("from the first tab")
        await first.is_heard()
        second = on.customer("second tab", token=first.token)
        async with second.online():
            await second.write("from the second tab")
            await second.is_heard()
            await first.write("and again from the first")
            await first.is_heard()
            session = await on.operator.session_of(first.code)
            await on.operator.reply(session, "to both")
            await first.reads("to both")
            await second.reads("to both")
            assert (second.code, second.transcript()) == (first.code, first.transcript())
            assert first.own() == ["from the first tab", "from the second tab", "and again from the first"]


# ------------------------------------------------------------------ words


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"),
        (" \n\t\u3000", "empty"),
        ("x" * 10_000, "too_long"),
        ("x" * 4_001, "too_long"),
        ("a\x00b", "control_characters"),
        ("a\x1b[31mred", "control_characters"),
        ("a\x7fb", "control_characters"),
        ("a\r\nb", "control_characters"),
    ],
)
async def test_words_that_cannot_be_kept_as_they_are_are_refused_by_their_id(on: Stage, text: str, code: str) -> None:
    async with page(on) as one:
        refused = await refusal(one, json.dumps({**SAYS, "parts": [{"type": "text", "text": text}]}))
        assert (refused["code"], refused["id"], refused["retry"]) == (code, MESSAGE, False)
        assert (await one.write("still here"))["pos"]["o"] == 2


WORDS_OF_THE_WORLD = [
    "رقم الطلب 0x52908400098527886E0F7030069857D2E4169EE7 من فضلك",
    "abc \u202e txt.exe \u202c def \u2066 x \u2069 \u200f",
    "送金が届きません。至急お願いします🙏🏽👩‍👩‍👧‍👦🏳️‍🌈",
    "e\u0301 vs é, ﬁ vs fi, \u00a0 vs space, ＡＢＣ vs ABC, \u200b zero width",
    "line one\nline two\n\n\tindented",
    "<script>alert(1)</script> &amp; <!channel> *bold* :smile: [x](http://a.example) 0.10000000 BTC",
    "界" * 3_999 + "。",
    "😀" * 4_000,
]


@pytest.mark.parametrize("text", WORDS_OF_THE_WORLD, ids=range(len(WORDS_OF_THE_WORLD)))
async def test_words_of_any_script_arrive_byte_for_byte_both_ways(on: Stage, text: str) -> None:
    async with on.customer().online() as one:
        await one.write(text)
        await one.is_heard()
        session = await on.operator.session_of(one.code)
        await on.operator.reply(session, text)
        await one.reads(text)
        assert await on.operator.thread(session) == [("customer", text), ("reply", text)]
        assert one.transcript() == [("you", text), ("operator", text)]


# ------------------------------------------------------------------ files


def _polyglots() -> Iterator[Any]:
    script = b"<script>alert(document.domain)</script>"
    yield pytest.param("page.html", b"<html>" + script + samples.png(), (415, "unsupported_type"), id="html, then png")
    yield pytest.param(
        "a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'>" + script, (415, "unsupported_type"), id="svg"
    )
    yield pytest.param("a.gif", b"GIF89a/*" + script + b"*/=1;", (422, "damaged"), id="gif and script")
    yield pytest.param("a.png", samples.png()[:40], (422, "damaged"), id="half a png")
    yield pytest.param("a.png", b"", (400, "empty"), id="nothing")


@pytest.mark.parametrize(("name", "content", "answer"), list(_polyglots()))
async def test_a_file_that_is_not_what_it_says_is_refused(
    on: Stage, talk: tuple[Customer, str], name: str, content: bytes, answer: tuple[int, str]
) -> None:
    status, said = await talk[0].upload(name, content)
    assert (status, said["error"]["code"]) == answer
    assert said["error"]["mend"]


async def test_a_hundred_and_forty_four_million_pixels_in_17_kib_are_refused(
    on: Stage, talk: tuple[Customer, str]
) -> None:
    bomb = samples.huge_png()
    assert len(bomb) < 20_000
    status, said = await talk[0].upload("screen.png", bomb)
    assert (status, said["error"]["code"]) == (422, "too_many_pixels")
    assert said["error"]["limit"] == 50_000_000


async def test_a_picture_with_a_page_behind_it_is_kept_without_the_page(on: Stage, talk: tuple[Customer, str]) -> None:
    customer, session = talk
    await customer.show("../../<b>screen.html", samples.png() + b"<script>alert(1)</script>", "look")
    await customer.is_heard()
    part = (await desk_lines(on.operator, session))[-1]["parts"][1]
    async with on.operator.http.get(part["url"]) as response:
        content = await response.read()
        assert response.headers["Content-Type"] == "image/png"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Content-Disposition"].startswith("attachment")
    assert content.startswith(b"\x89PNG")
    assert b"script" not in content
    assert "/" not in part["name"]


async def desk_lines(operator: Operator, session: str) -> list[Json]:
    async with operator.http.get(f"{operator.addresses[0]}/console/api/sessions/{session}") as response:
        return list((await response.json())["lines"])


async def test_a_file_of_somebody_elses_is_no_file(on: Stage, talk: tuple[Customer, str]) -> None:
    _, answer = await talk[0].upload("screen.png", samples.png())
    part = {"type": "file", "file": answer["file"]["id"]}
    async with page(on) as one:
        refused = await refusal(one, json.dumps({**SAYS, "parts": [part]}))
        assert (refused["code"], refused["retry"]) == ("unknown_file", False)


async def test_a_disk_without_room_for_files_says_so_and_chats_on(tmp_path: Path) -> None:
    async with stage(tmp_path, FILES__RESERVE=10**15) as full, full.customer().online() as one:
        await one.write("hello")
        await one.is_heard()
        status, answer = await one.upload("screen.png", samples.png())
        assert (status, answer["error"]["code"]) == (507, "storage_full")
