"""Every request that the service takes: with every JSON type in every field, at addresses that nobody has, in bytes
that are no request. A clear answer each time, none of them a fault of ours, and nothing of it in the log."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from yarl import URL

from adapters.console.api import Api
from adapters.console.incidents import IncidentDesk
from adapters.console.team import Team
from tests.scenarios.customer import Customer, Json
from tests.scenarios.stage import Stage, stage

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("bad-requests")]

JSON_VALUES: Sequence[Any] = (
    None, True, False, 0, -1, 7, 2**63, 10**30, 1.5, 1e300,
    "", "x", "x" * 5_000, "\ud800", "\x00", "../..", "ｘ", [], ["x"], [{}], {}, {"x": 1}, [[]], {"id": 5},
)  # fmt: skip
"""Every type, and of each what programs stumble over."""

WORDS = {"type": "text", "text": "hello"}
SCOPE: Json = {"desks": ["nowhere"], "topics": ["nothing"], "since": 5, "coming": False}
INCIDENT: Json = {"incident": "made up", "titles": {"en": ""}, "banners": {"en": "x"}, "scope": SCOPE}

DESK_FORMS: Mapping[str, Json] = {
    "/sign-in/link": {"token": "made up"},
    "/sign-in/password": {"account": "nobody", "password": "made up"},
    "/me/names": {"names": {"en": "Aiko"}},
    "/sessions/{session}/reply": {"id": "desk-form-1", "parts": [WORDS]},
    "/sessions/{session}/note": {"id": "desk-form-2", "parts": [WORDS, {"type": "file", "file": "x"}]},
    "/sessions/{session}/revise": {"id": "desk-form-20", "message": "made up", "parts": [WORDS]},
    "/sessions/{session}/withdraw": {"id": "desk-form-21", "message": "made up"},
    "/sessions/{session}/react": {"id": "desk-form-22", "message": "made up", "reaction": "made up", "on": True},
    "/sessions/{session}/send": {"id": "desk-form-23", "message": "made up"},
    "/sessions/{session}/keep": {"id": "desk-form-24", "message": "made up"},
    "/sessions/{session}/claim": {"id": "desk-form-3"},
    "/sessions/{session}/release": {"id": "desk-form-4"},
    "/sessions/{session}/hold": {"id": "desk-form-5", "until": 5},
    "/sessions/{session}/transfer": {"id": "desk-form-6", "desk": "nowhere", "operator": "nobody"},
    "/sessions/{session}/resolve": {"id": "desk-form-7", "outcome": "made up"},
    "/sessions/{session}/decline": {"id": "desk-form-10"},
    "/sessions/{session}/escalate": {"id": "desk-form-11"},
    "/sessions/{session}/acknowledge": {"id": "desk-form-12"},
    "/sessions/{session}/check": {"id": "desk-form-13"},
    "/sessions/{session}/incident": {"id": "desk-form-14", "incident": "made up"},
    "/sessions/{session}/typing": {"kind": "made up"},
    "/me/availability": {"choice": "made up"},
    "/team/reassign": {"id": "desk-form-15", "sessions": ["x"], "desk": "nowhere", "operator": "nobody"},
    "/incidents/preview": INCIDENT,
    "/incidents": {"id": "desk-form-16", **INCIDENT},
    "/incidents/{incident}/wording": INCIDENT,
    "/incidents/{incident}/link": {"id": "desk-form-17", "scope": SCOPE},
    "/incidents/{incident}/preview": {"words": {"en": "made up"}},
    "/incidents/{incident}/broadcast": {"id": "desk-form-18", "words": {"en": "x"}, "outcome": "x", "ends": False},
    "/incidents/{incident}/end": {"id": "desk-form-19"},
    "/uploads": {"name": "a.png", "size": 3},
}
"""What can be posted to the desk, by its address. No form here would do anything as it stands."""

TAKEN: Mapping[str, str] = {**dict.fromkeys(DESK_FORMS, "/console/api"), "/v1/uploads": "", "/v1/poll": ""}
STRANGE = ("x", "%00", "%ff", "..%2f..", "a" * 5_000, "%F0%9F%98%80", "1" * 5_000, "-1", "%0a", "{", "%ED%A0%80", "','")
"""Parts of addresses as somebody may type or guess them, encoded."""


@dataclass
class Scene:
    on: Stage
    customer: Customer
    session: str

    async def post(self, path: str, body: object, **headers: str) -> tuple[int, Any]:
        """The answer's status and error; a `body` of bytes goes as it is."""
        url = f"{self.on.house.url}{TAKEN[path]}{path.format(session=self.session, incident='INC-222')}"
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self.on.operator.http.post(url, data=content, headers={**self.headers(), **headers}) as response:
            answer = await response.json() if response.status != 204 else {}
            return response.status, answer.get("error")

    def headers(self) -> dict[str, str]:
        token = self.customer.welcome["upload_token"]
        ours = {"Origin": self.on.house.url, "X-Kakehashi-Desk": "1", "Authorization": f"Bearer {token}"}
        return {**ours, "Content-Type": "application/json", "Connection": "close"}

    async def at(self, method: str, address: str) -> int:
        """The status of a request for an address that is encoded already."""
        url = URL(f"{self.on.house.url}{address}", encoded=True)
        body = None if method == "GET" else b'{"id": "desk-form-9"}'
        async with self.on.operator.http.request(method, url, data=body, headers=self.headers()) as response:
            await response.read()
            return response.status


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    async with stage(tmp_path_factory.mktemp("bad-requests")) as on:
        async with on.customer().online() as one:
            await one.write("hello")
            await one.is_heard()
            yield Scene(on, one, await on.operator.session_of(one.code))
            await one.write("and on")
            await one.is_heard()
            assert one.own() == ["hello", "and on"]
            assert set(one.replies()) <= {"hello", *map(str, JSON_VALUES)}, "only good values are answers"
        errors = on.house.running.errors()
        assert on.house.running.lives, "nothing of all this ended the service"
        assert "Traceback" not in errors
        assert '"level": "error"' not in errors


async def test_no_form_of_the_desk_is_left_out() -> None:
    nothing: Any = None
    desks = (Api(nothing, nothing, nothing), Team(nothing, nothing, nothing), IncidentDesk(nothing, nothing, nothing))
    routes = [one for desk in desks for one in desk.routes() if isinstance(one, web.RouteDef)]
    posted = {one.path for one in routes if one.method == "POST"} - {"/me/acted"}  # which has no form
    assert posted == set(DESK_FORMS) - {"/sign-in/link", "/sign-in/password", "/uploads"}


# ------------------------------------------------------------------ forms


def _places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield (*way, key)
        yield from _places(one, (*way, key))


def _with_another(form: Json, way: tuple[Any, ...], value: Any) -> Json:
    copy: Any = json.loads(json.dumps(form))
    place = copy
    for step in way[:-1]:
        place = place[step]
    place[way[-1]] = value
    return dict(copy)


FORMS: Mapping[str, Json] = {**DESK_FORMS, "/v1/uploads": {"name": "a.png", "size": 3}, "/v1/poll": {"t": "hello"}}
FINE = (200, 201, 204)


@pytest.mark.parametrize("path", list(FORMS))
async def test_every_type_in_every_field_gets_an_answer(scene: Scene, path: str) -> None:
    """Some of the values are good ones; whatever is not taken is said to be the sender's fault, with a code."""
    for way in _places(FORMS[path]):
        for value in JSON_VALUES:
            status, error = await scene.post(path, _with_another(FORMS[path], way, value))
            assert status in FINE or (400 <= status < 500 and error["code"]), (way, value, status)


@pytest.mark.parametrize("path", list(FORMS))
async def test_a_body_that_is_no_form_gets_an_answer(scene: Scene, path: str) -> None:
    bodies = [*JSON_VALUES, b"", b"{", b"\xff\xfe", b"[" * 8_000, b'{"id":' * 1_000, b"1" * 5_000, b'{"id": NaN}']
    for body in bodies:
        status, error = await scene.post(path, body)
        assert status in FINE or (400 <= status < 500 and error["code"]), body


@pytest.mark.parametrize("path", list(FORMS))
@pytest.mark.parametrize("compressed", [gzip.compress(b"{}"), b"no gzip at all"], ids=["gzip", "no gzip"])
async def test_a_compressed_body_is_not_unpacked(scene: Scene, path: str, compressed: bytes) -> None:
    status, error = await scene.post(path, compressed, **{"Content-Encoding": "gzip"})
    unknown = (404,) if "{incident}" in path else ()
    assert (status in (400, 415, *unknown), bool(error["code"])) == (True, True)


# ------------------------------------------------------------------ addresses


@pytest.mark.parametrize("strange", STRANGE, ids=range(len(STRANGE)))
async def test_an_address_that_nobody_has_is_not_found(scene: Scene, strange: str) -> None:
    desk = "/console/api"
    for method, address in (
        ("GET", f"{desk}/sessions/{strange}"),
        ("POST", f"{desk}/sessions/{strange}/claim"),
        ("POST", f"{desk}/sessions/{strange}/typing"),
        ("GET", f"{desk}/find?code={strange}"),
        ("PATCH", f"{desk}/uploads/{strange}"),
        ("HEAD", f"/v1/uploads/{strange}"),
        ("POST", f"/v1/uploads/{strange}/finish"),
        ("GET", f"/files/{strange}/x"),
        ("GET", f"/files/x/{strange}"),
        ("GET", f"/widget/{strange}"),
        ("GET", f"/pages/{strange}"),
        ("GET", f"/console/page/{strange}"),
        ("GET", f"/console/words/{strange}.json"),
        ("GET", f"/v1/poll/{strange}"),
    ):
        assert await scene.at(method, address) in (400, 404), (method, address[:80])


@pytest.mark.parametrize("strange", [*STRANGE, "", "1.5", "%D9%A3"])
async def test_a_strange_question_is_refused_or_answered(scene: Scene, strange: str) -> None:
    assert await scene.at("GET", f"/console/api/sessions/{scene.session}?before={strange}") == 400
    assert await scene.at("GET", f"/console/api/sessions?list={strange}") == 400
    assert await scene.at("GET", f"/console/api/sessions?desk={strange}") == 200
    assert await scene.at("GET", f"/?lang={strange}") == 200
    assert await scene.at("GET", f"/chat?topic={strange}") == 200


# ------------------------------------------------------------------ bytes that are no request


HEAD = "POST {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nX-Kakehashi-Desk: 1\r\n"
JSON_HEAD = HEAD + "Content-Type: application/json\r\n"
GARBLED = (
    "GET\r\n\r\n",
    "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03SECRET",  # TLS, on a port that does not speak it
    "SECRET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "GET /" + "SECRET" * 2_000 + " HTTP/1.1\r\nHost: {host}\r\n\r\n",
    JSON_HEAD + "Cookie: kakehashi-desk=SECRET\x01\r\nContent-Length: 2\r\n\r\n{{}}",
    JSON_HEAD + "X-Long: " + "SECRET" * 3_000 + "\r\nContent-Length: 2\r\n\r\n{{}}",
    JSON_HEAD + "Transfer-Encoding: chunked\r\n\r\n6\r\nSECRET\r\nZZ\r\n",
    JSON_HEAD + "Transfer-Encoding: chunked\r\n\r\n2\r\nSECRET\r\n0\r\n\r\n",
    JSON_HEAD + "Content-Length: SECRET\r\n\r\n",
    JSON_HEAD + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{{}}",
)


@pytest.mark.parametrize("path", ["/console/api/sign-in/link", "/v1/poll", "/v1/uploads"])
@pytest.mark.parametrize("garbled", GARBLED, ids=range(len(GARBLED)))
async def test_what_is_no_request_is_refused_and_stays_out_of_the_log(scene: Scene, path: str, garbled: str) -> None:
    host = f"127.0.0.1:{scene.on.house.port}"
    reader, writer = await asyncio.open_connection("127.0.0.1", scene.on.house.port)
    writer.write(garbled.format(path=path, host=host).encode("latin-1"))
    assert (await reader.readline()).split()[1:2] == [b"400"]
    writer.close()
    await writer.wait_closed()
    assert "SECRET" not in scene.on.house.running.errors()


@pytest.mark.parametrize("cookie", ["x", "x" * 5_000, '"', "%00", "a=b; kakehashi-desk=c"])
async def test_a_cookie_that_is_no_seat_lets_nobody_in(scene: Scene, cookie: str) -> None:
    headers = {"Cookie": f"kakehashi-desk={cookie}"}
    async with scene.on.http.get(f"{scene.on.house.url}/console/api/me", headers=headers) as response:
        assert (response.status, (await response.json())["error"]["code"]) == (401, "not_signed_in")


# ------------------------------------------------------------------ what was signed, forged and used again


async def test_a_link_that_signs_in_does_it_once(scene: Scene) -> None:
    link = (await scene.on.house.answer("operators", "link")).strip().rsplit("/", 1)[1]
    assert (await scene.post("/sign-in/link", {"token": link}))[0] == 200
    status, error = await scene.post("/sign-in/link", {"token": link})
    assert (status, error["code"]) == (401, "link_used")


async def test_a_changed_upload_token_opens_nothing(scene: Scene) -> None:
    token = scene.customer.welcome["upload_token"]
    for forged in (token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1], token[1:], token + "x", "", "."):
        status, error = await scene.post("/v1/uploads", FORMS["/v1/uploads"], Authorization=f"Bearer {forged}")
        assert (status, error["code"]) == (401, "unauthenticated"), forged


async def test_a_changed_visitor_token_is_a_new_visitor_and_sees_nothing(scene: Scene) -> None:
    token = scene.customer.token or ""
    forged = token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1]
    stranger = scene.on.customer("forger", token=forged)
    async with stranger.online():
        await stranger.write("who am I?")
        await stranger.is_heard()
    assert stranger.token not in (token, forged)
    assert stranger.own() == ["who am I?"]
    assert stranger.code != scene.customer.code


async def test_a_hello_that_names_somebody_elses_session_sees_nothing_of_it(scene: Scene) -> None:
    """A code and a position are known to whoever looked over a shoulder; which session is reached follows from who
    the customer is."""
    thief = scene.on.customer("thief")
    thief.code, thief.position = scene.customer.code, scene.customer.position
    async with thief.online():
        await thief.write("mine")
        await thief.is_heard()
    assert thief.own() == ["mine"]
    assert thief.code != scene.customer.code
