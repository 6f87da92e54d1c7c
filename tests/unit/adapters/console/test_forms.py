from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from adapters.console.forms import LARGEST, Form, FormError

TEXT = {"type": "text", "text": "Hello"}
FILE = {"type": "file", "file": "f1"}


def parts(*given: Any) -> list[tuple[str, str]]:
    return Form({"parts": list(given)}).parts()


def refusal(form: Form, field: str) -> str:
    with pytest.raises(FormError) as refused:
        getattr(form, field)()
    return refused.value.code


def test_a_message_is_a_list_of_texts_and_files() -> None:
    assert parts(TEXT, FILE) == [("text", "Hello"), ("file", "f1")]


@pytest.mark.parametrize(
    "text",
    [
        "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
        "0.10000000 ₿ — “quotes” :) *not bold* <b>",
        "مرحبا‏",
        "👩‍👩‍👧‍👦",
        "a\tb\r\nc",
        "x" * 4_000,
        "🦊" * 4_000,
    ],
)
def test_words_come_byte_for_byte(text: str) -> None:
    assert parts({"type": "text", "text": text}) == [("text", text)]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (None, "not_1_to_10_parts"),
        ([], "not_1_to_10_parts"),
        ([TEXT] * 11, "not_1_to_10_parts"),
        ("text", "not_1_to_10_parts"),
        (["text"], "unknown_part"),
        ([{"type": "html", "text": "x"}], "unknown_part"),
        ([{"type": "text", "text": "   \n"}], "empty"),
        ([{"type": "text", "text": "x" * 4_001}], "too_long"),
        ([{"type": "text", "text": "x" * 3_000}] * 2, "too_long"),
    ],
)
def test_what_is_no_message_is_refused(given: Any, code: str) -> None:
    assert refusal(Form({"parts": given}), "parts") == code


@pytest.mark.parametrize(
    ("text", "code"),
    [("a\x00b", "control_characters"), ("a\x1bb", "control_characters"), ("\ud800", "not_text"), (7, "not_text")],
)
def test_what_is_no_text_is_refused_wherever_it_stands(text: Any, code: str) -> None:
    for field in ({"type": "text", "text": text}, {"type": "file", "file": text}):
        with pytest.raises(FormError) as refused:
            parts(field)
        assert refused.value.code == code


@pytest.mark.parametrize("value", [None, 7, "", "short", "x" * 65, "with space", "ünïcödé", "a/b/c/d/e"])
def test_a_clients_id_has_one_form(value: Any) -> None:
    assert refusal(Form({"id": value}), "client_id") == "not_a_client_id"


@pytest.mark.parametrize("value", [None, "7", 1.5, True, -1, 2**53])
def test_a_time_is_a_whole_number(value: Any) -> None:
    with pytest.raises(FormError):
        Form({"until": value}).number("until")


def test_only_operators_outcomes_are_taken() -> None:
    assert Form({}).outcome() == "solved"
    assert Form({"outcome": "spam"}).outcome() == "spam"
    assert refusal(Form({"outcome": "abandoned"}), "outcome") == "unknown_outcome"


def test_public_names_left_empty_are_left_out() -> None:
    assert Form({"names": {"ja": " 佐藤 ", "en": "  "}}).names() == {"ja": "佐藤"}
    assert refusal(Form({"names": ["佐藤"]}), "names") == "not_an_object"


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (b"{}", "text/plain", "not_json"),
        (b"{", "application/json", "not_json"),
        (b"[" * 50_000, "application/json", "not_json"),
        (b"\xff\xfe\xfd", "application/json", "not_json"),
        (b"[]", "application/json", "not_an_object"),
        (b'"' + b"x" * LARGEST + b'"', "application/json", "too_large"),
    ],
)
async def test_a_body_that_is_no_form_is_refused(body: bytes, kind: str, code: str) -> None:
    async def handler(request: web.Request) -> web.Response:
        try:
            await Form.of(request)
        except FormError as refused:
            return web.json_response(refused.code)
        return web.json_response("taken")

    app = web.Application(client_max_size=2**24)
    app.router.add_post("/", handler)
    async with TestClient(TestServer(app)) as client:
        answer = await client.post("/", data=body, headers={"Content-Type": kind})
        assert json.loads(await answer.read()) == code


async def test_a_compressed_body_is_refused_before_it_is_unpacked() -> None:
    async def handler(request: web.Request) -> web.Response:
        with pytest.raises(FormError) as refused:
            await Form.of(request)
        return web.json_response(refused.value.code)

    app = web.Application()
    app.router.add_post("/", handler)
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    async with TestClient(TestServer(app)) as client:
        answer = await client.post("/", data=gzip.compress(b"{}"), headers=headers)
        assert json.loads(await answer.read()) == "compressed"
