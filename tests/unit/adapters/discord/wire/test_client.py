"""What a call says and what is made of its answer, byte for byte: answers that only a proxy or a bad day gives, too."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from adapters.discord.wire.client import RestApi, Upload
from adapters.discord.wire.limits import EVERY
from bridge.errors import DeliveryError, Fault
from bridge.ports import Store
from config.settings import DiscordSettings
from tests.unit.adapters.discord.wire.test_limits import Drawn

MESSAGES = "/channels/200000000000000001/messages"
PAGE = "<html><body>error code: 1015</body></html>"


class Front:
    """Answers every call with what a test has chosen, and remembers the last one."""

    def __init__(self) -> None:
        self.status, self.body, self.headers = 200, "{}", dict[str, str]()
        self.heard = dict[str, str]()
        self.raw = b""

    def will(self, status: int, body: str = "{}", **headers: str) -> None:
        self.status, self.body = status, body
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    async def handle(self, request: web.Request) -> web.Response:
        self.heard, self.raw = dict(request.headers), await request.read()
        return web.Response(status=self.status, text=self.body, headers=self.headers, content_type="text/plain")


@pytest.fixture
def store() -> Drawn:
    return Drawn()


@pytest.fixture
def front() -> Front:
    return Front()


@pytest.fixture
async def api(front: Front, store: Drawn) -> AsyncIterator[RestApi]:
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", front.handle)
    async with TestServer(app) as server:
        settings = DiscordSettings(bot_token=SecretStr("a.b.c"), api_url=str(server.make_url("/api/v10")))
        made = RestApi(settings, cast(Store, store))
        await made.open()
        yield made
        await made.close()


async def failed(api: RestApi, *, free: bool = False) -> DeliveryError:
    with pytest.raises(DeliveryError) as raised:
        await api.call("POST", MESSAGES, {"content": "hello"}, free=free)
    return raised.value


@pytest.mark.parametrize("body", ['{"id": "1', PAGE, "\x00"])
async def test_what_was_taken_with_an_answer_that_nobody_can_read_was_perhaps_done(
    api: RestApi, front: Front, body: str
) -> None:
    front.will(200, body)
    assert (await failed(api)).fault is Fault.AMBIGUOUS


async def test_nothing_to_tell_is_an_answer(api: RestApi, front: Front) -> None:
    front.will(204, "")
    assert await api.call("POST", f"{MESSAGES}/typing") is None


async def test_a_call_that_is_sent_elsewhere_is_not_followed(api: RestApi, front: Front) -> None:
    """It would come there as a GET, without what it says."""
    front.will(302, "", Location="/elsewhere")
    error = await failed(api)
    assert (error.fault, error.code) == (Fault.BLOCKED, "http_302")


@pytest.mark.parametrize("headers", [{"X_RateLimit_Remaining": "a few"}, {"X_RateLimit_Reset_After": "soon"}])
async def test_a_limit_that_nobody_can_read_undoes_nothing(api: RestApi, front: Front, headers: dict[str, str]) -> None:
    told = {"X_RateLimit_Bucket": "b", "X_RateLimit_Remaining": "1", "X_RateLimit_Reset_After": "1.5"}
    front.will(200, '{"id": "7"}', **(told | headers))
    assert await api.call("POST", MESSAGES, {"content": "hello"}) == {"id": "7"}


@pytest.mark.parametrize(
    ("body", "headers", "seconds", "everywhere"),
    [
        ('{"message": "", "retry_after": 64.57, "global": false}', {"Retry_After": "65"}, 64.57, False),
        ('{"message": "", "retry_after": 3, "global": true}', {"Retry_After": "3"}, 3, True),
        ('{"message": "", "retry_after": 3}', {"Retry_After": "3", "X_RateLimit_Global": "true"}, 3, True),
        ('{"message": "", "retry_after": 0.0, "global": true}', {"Retry_After": "1"}, 0.02, True),
        ('{"message": "", "global": false}', {"Retry_After": "12"}, 12, False),
        ('{"message": "", "retry_after": "x", "code": 20016}', {}, 1, False),
        (PAGE, {"Retry_After": "600"}, 600, True),
        ("", {"Retry_After": "Wed, 21 Oct 2026 07:28:00 GMT"}, 60, True),
        ('["odd"]', {}, 60, True),
        ('{"code": 0, "message": "You are being blocked from accessing our API temporarily"}', {}, 60, True),
    ],
)
async def test_a_limit_is_waited_for_as_long_as_it_says(
    api: RestApi, front: Front, store: Drawn, body: str, headers: dict[str, str], seconds: float, everywhere: bool
) -> None:
    front.will(429, body, **headers)
    error = await failed(api)
    assert error.fault is Fault.TRANSIENT
    assert error.retry_after == pytest.approx(seconds)
    assert [bucket for bucket, _ in store.paused] == [EVERY] * everywhere


@pytest.mark.parametrize(
    ("status", "body", "meaning", "code"),
    [
        (401, '{"message": "401: Unauthorized", "code": 0}', Fault.BLOCKED, "unauthorized"),
        (403, PAGE, Fault.BLOCKED, "http_403"),
        (404, '{"message": "404: Not Found", "code": 0}', Fault.BLOCKED, "http_404"),
        (404, '{"message": "Unknown Channel", "code": 10003}', Fault.BLOCKED, "unknown_channel"),
        (413, PAGE, Fault.POISON, "too_large"),
        (400, '{"message": "", "code": "50035"}', Fault.POISON, "invalid_form"),
        (400, '{"code": 50035, "errors": {"embeds": {"0": {"_errors": [{}]}}}}', Fault.POISON, "invalid_form"),
        (400, '{"message": "400: Bad Request", "code": 0}', Fault.POISON, "http_400"),
        (400, PAGE, Fault.BLOCKED, "http_400"),
        (400, "", Fault.BLOCKED, "http_400"),
        (500, '{"message": "500: Internal Server Error", "code": 0}', Fault.AMBIGUOUS, "http_500"),
        (502, PAGE, Fault.AMBIGUOUS, "http_502"),
        (520, PAGE, Fault.AMBIGUOUS, "http_520"),
    ],
)  # fmt: skip
async def test_a_refusal_in_whatever_form(
    api: RestApi, front: Front, status: int, body: str, meaning: Fault, code: str
) -> None:
    front.will(status, body)
    error = await failed(api)
    assert (error.fault, error.code) == (meaning, code)


async def test_an_interactions_own_path_is_called_without_the_token_and_its_end_is_not_the_tokens(
    api: RestApi, front: Front
) -> None:
    front.will(401, '{"message": "Invalid Webhook Token", "code": 50027}')
    error = await failed(api, free=True)
    assert (error.fault, error.code) == (Fault.POISON, "token_ended")
    assert "Authorization" not in front.heard
    assert api.pulse.trouble is None
    front.will(200)
    await api.call("POST", MESSAGES, {"content": "hello"})
    assert front.heard["Authorization"] == "Bot a.b.c"


async def test_every_call_says_who_calls_as_discord_asks_for_it(api: RestApi, front: Front) -> None:
    for free in (True, False):
        await api.call("POST", MESSAGES, {"content": "hello"}, free=free)
        assert front.heard["User-Agent"].startswith("DiscordBot (https://")
        assert front.heard["Content-Type"] == "application/json"


async def test_a_file_goes_up_under_its_own_name(api: RestApi, front: Front) -> None:
    names = ("入金 明細.png", 'a"b\\c%20.txt', "x\r\ny.txt")
    await api.say(MESSAGES, {"content": ""}, [Upload(name, "text/plain", b"bytes") for name in names])
    head, form = front.heard["Content-Type"], front.raw.decode()
    assert head.startswith("multipart/form-data")
    assert 'name="files[0]"; filename="入金 明細.png"' in form
    assert 'name="files[1]"; filename="a\\"b\\\\c%20.txt"' in form
    assert 'name="files[2]"; filename="xy.txt"' in form
    told: dict[str, Any] = json.loads(form.partition("application/json\r\n")[2].split("\r\n--")[0].split("\r\n")[-1])
    assert told["attachments"] == [{"id": number, "filename": name} for number, name in enumerate(names)]
