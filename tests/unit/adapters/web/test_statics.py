"""The widget's files: the right types, cached for ever under their version, and loadable from any site."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from adapters.web.statics import Statics

Client = TestClient[web.Request, web.Application]


def files(root: Path) -> Path:
    (root / "widget" / "deep").mkdir(parents=True)
    (root / "pages").mkdir()
    (root / "widget" / "widget.js").write_text('const version = "@version@";')
    (root / "widget" / "app.js").write_text("export const x = 1;")
    (root / "widget" / "deep" / "a.css").write_text(":host{}")
    (root / "widget" / "README.md").write_text("not served")
    (root / "pages" / "chat.html").write_text("<!doctype html><title>c</title>")
    (root / "pages" / "demo.html").write_text("<!doctype html><title>d</title>")
    (root / "pages" / "demo.css").write_text("body{}")
    (root / "secret.js").write_text("no")
    return root


@pytest.fixture
def statics(tmp_path: Path) -> Statics:
    return Statics({"ja": {"a": "あ"}}, ("wss://chat.example", "https://files.example"), files(tmp_path))


@pytest.fixture
async def client(statics: Statics) -> AsyncIterator[Client]:
    app = web.Application()
    app.add_routes(statics.routes(demo=True))
    async with TestClient(TestServer(app), auto_decompress=False) as one:
        yield one


async def get(client: Client, path: str, **headers: str) -> aiohttp.ClientResponse:
    return await client.get(path, headers={"Accept-Encoding": "identity", **headers})


async def test_the_loader_knows_the_version_and_is_asked_for_again(client: Client, statics: Statics) -> None:
    response = await get(client, "/widget.js")
    assert await response.text() == f'const version = "{statics.version}";'
    assert response.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert response.headers["Cache-Control"] == "public, max-age=300"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_modules_under_the_version_never_change(client: Client, statics: Statics) -> None:
    response = await get(client, f"/widget/{statics.version}/app.js")
    assert await response.text() == "export const x = 1;"
    assert "immutable" in response.headers["Cache-Control"]
    assert (await get(client, f"/widget/{statics.version}/deep/a.css")).content_type == "text/css"


async def test_a_page_from_before_an_update_still_gets_modules(client: Client) -> None:
    for path in ("/widget/app.js", "/widget/0123456789abcdef/app.js", "/widget/deep/a.css"):
        response = await get(client, path)
        assert response.status == 200
        assert response.headers["Cache-Control"] == "no-cache"


async def test_words_are_served_beside_the_modules(client: Client, statics: Statics) -> None:
    for path in ("/widget/locales/ja.json", f"/widget/{statics.version}/locales/ja.json"):
        assert await (await get(client, path)).json() == {"a": "あ"}


async def test_a_browser_that_has_it_is_not_sent_it_again(client: Client) -> None:
    tag = (await get(client, "/widget.js")).headers["ETag"]
    response = await get(client, "/widget.js", **{"If-None-Match": tag})
    assert response.status == 304
    assert await response.read() == b""
    assert (await get(client, "/widget.js", **{"If-None-Match": '"other"'})).status == 200


async def test_who_can_unpack_gets_it_packed(client: Client, statics: Statics) -> None:
    response = await client.get("/widget.js", headers={"Accept-Encoding": "br, gzip"})
    assert response.headers["Content-Encoding"] == "gzip"
    assert statics.version.encode() in gzip.decompress(await response.read())


@pytest.mark.parametrize(
    "path",
    [
        "/widget/README.md",
        "/widget/../secret.js",
        "/widget/%2e%2e/secret.js",
        "/widget/..%2fsecret.js",
        "/pages/chat.html",
        "/pages/nothing.js",
        "/widget/",
        "/secret.js",
    ],
)
async def test_nothing_else_is_served(client: Client, path: str) -> None:
    from yarl import URL

    response = await client.get(URL(path, encoded=True))
    assert response.status in (403, 404)


@pytest.mark.parametrize(("path", "title"), [("/", "d"), ("/chat", "c")])
async def test_pages_run_only_what_we_ship(client: Client, path: str, title: str) -> None:
    response = await get(client, path)
    assert f"<title>{title}</title>" in await response.text()
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "connect-src 'self' wss://chat.example https://files.example" in policy
    assert "Access-Control-Allow-Origin" not in response.headers


async def test_pages_have_their_own_files(client: Client) -> None:
    assert (await get(client, "/pages/demo.css")).content_type == "text/css"


async def test_the_demo_can_be_switched_off(statics: Statics) -> None:
    assert all(route.path != "/" for route in statics.routes(demo=False))


def test_the_version_changes_with_any_file_and_any_word(tmp_path: Path) -> None:
    root = files(tmp_path)
    before = Statics({"ja": {"a": "あ"}}, root=root).version
    assert Statics({"ja": {"a": "あ"}}, root=root).version == before
    assert Statics({"ja": {"a": "い"}}, root=root).version != before
    (root / "widget" / "app.js").write_text("export const x = 2;")
    assert Statics({"ja": {"a": "あ"}}, root=root).version != before
