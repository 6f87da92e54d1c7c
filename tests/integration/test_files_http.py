"""Files over real HTTP: uploads in chunks, downloads by link, and what each refuses."""

import asyncio
import io
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientConnectionError, ClientPayloadError, ClientResponse, ClientSession, web
from aiohttp.test_utils import TestClient, TestServer

from adapters.files.downloads import files_app
from adapters.files.links import LinkSigner
from adapters.files.store import DiskFiles
from adapters.files.uploads import uploads_app
from bridge.files import FileLimits, StoredFile
from tests.unit.adapters.files import samples

PAGE = "https://exchange.example"
CUSTOMER, OPERATOR = "customer:site/abc", "operator:kenji"
SHOWN_TO = "reader:abc"
Client = TestClient[web.Request, web.Application]


@dataclass
class House:
    """A running service of uploads and downloads, and the knobs that a test may turn."""

    files: DiskFiles
    signer: LinkSigner
    client: Client
    now: float = 1_795_000_000.0
    readers: dict[str, set[str]] = field(default_factory=dict)
    asked: asyncio.Event = field(default_factory=asyncio.Event)  # somebody was authenticated

    async def allows(self, file_id: str, reader: str) -> bool:
        return reader in self.readers.get(file_id, ())

    async def send(
        self, method: str, path: str, owner: str | None = CUSTOMER, headers: dict[str, str] | None = None, **body: Any
    ) -> ClientResponse:
        known = {} if owner is None else {"Authorization": f"Bearer {owner}"}
        return await self.client.request(method, f"/uploads{path}", headers={**known, **(headers or {})}, **body)

    async def begin(self, size: int, name: str = "a.png", owner: str = CUSTOMER) -> str:
        answer = await self.send("POST", "/", owner, json={"name": name, "size": size})
        assert answer.status == 201
        return str((await answer.json())["upload"])

    async def patch(self, upload: str, offset: int, chunk: bytes, owner: str = CUSTOMER) -> ClientResponse:
        return await self.send(
            "PATCH", f"/{upload}", owner, headers={"Upload-Offset": str(offset)}, data=io.BytesIO(chunk)
        )

    async def upload(self, content: bytes, name: str = "a.png") -> StoredFile:
        upload = await self.begin(len(content), name)
        for offset in range(0, len(content), 1024 * 1024):
            assert (await self.patch(upload, offset, content[offset : offset + 1024 * 1024])).status == 200
        answer = await self.send("POST", f"/{upload}/finish")
        assert answer.status == 200, await answer.text()
        file = await self.files.stat((await answer.json())["file"]["id"])
        assert file is not None
        return file

    def link(self, file: StoredFile, reader: str = SHOWN_TO) -> str:
        self.readers.setdefault(file.file_id, set()).add(reader)
        return f"/files/{self.signer.path(file, reader, self.now)}"


Build = Callable[..., Awaitable[House]]


@pytest.fixture
async def build(tmp_path: Path) -> AsyncIterator[Build]:
    async with AsyncExitStack() as stack:

        async def build(limits: FileLimits = samples.ROOMY) -> House:
            files = DiskFiles(tmp_path / "files", limits)
            stack.push_async_callback(files.close)
            signer = LinkSigner(b"s" * 32, ttl=3600)

            async def authenticate(request: web.Request) -> str | None:
                built.asked.set()
                return request.headers.get("Authorization", "").removeprefix("Bearer ") or None

            app = web.Application()
            app.add_subapp("/uploads", uploads_app(files, authenticate, limits, lambda origin: origin == PAGE))
            app.add_subapp(
                "/files", files_app(files, signer, lambda file, reader: built.allows(file, reader), lambda: built.now)
            )
            client: Client = await stack.enter_async_context(TestClient(TestServer(app)))
            built = House(files, signer, client)
            return built

        yield build


@pytest.fixture
async def house(build: Build) -> House:
    return await build()


async def error_of(answer: ClientResponse, status: int) -> str:
    assert answer.status == status, await answer.text()
    error = (await answer.json())["error"]
    assert error["what"]
    assert error["mend"]
    return str(error["code"])


# Uploads


async def test_a_document_in_chunks_arrives_byte_for_byte(house: House) -> None:
    content = samples.pdf("x" * 2_500_000)
    file = await house.upload(content, "明細.pdf")
    assert (file.owner, file.name, file.size) == (CUSTOMER, "明細.pdf", len(content))
    assert await house.files.read(file.file_id) == content


async def test_each_step_answers_what_the_next_one_needs(house: House) -> None:
    content = samples.png()
    answer = await house.send("POST", "", json={"name": "x/截图.PNG", "size": len(content)})
    begun = await answer.json()
    upload = begun.pop("upload")
    assert begun == {"offset": 0, "size": len(content), "chunk": 1024 * 1024}
    answer = await house.patch(upload, 0, content[:50])
    assert (answer.status, await answer.json(), answer.headers["Upload-Offset"]) == (200, {"offset": 50}, "50")
    answer = await house.send("HEAD", f"/{upload}")
    assert (answer.status, answer.headers["Upload-Offset"]) == (200, "50")
    assert answer.headers["Upload-Length"] == str(len(content))
    assert answer.headers["Cache-Control"] == "no-store"
    await house.patch(upload, 50, content[50:])
    answers = [await (await house.send("POST", f"/{upload}/finish")).json() for _ in range(2)]
    assert answers[0] == answers[1]
    described = answers[0]["file"]
    assert described.pop("id")
    assert described.pop("size") > 0
    assert described == {"name": "截图.PNG", "type": "image/png", "width": 48, "height": 32}


async def test_a_wrong_offset_is_answered_with_the_right_one(house: House) -> None:
    upload = await house.begin(100)
    await house.patch(upload, 0, b"x" * 30)
    for wrong in (0, 29, 31, 10**14):
        answer = await house.patch(upload, wrong, b"y" * 10)
        assert await error_of(answer, 409) == "wrong_offset"
        assert (await answer.json())["offset"] == 30
        assert answer.headers["Upload-Offset"] == "30"


@pytest.mark.parametrize("offset", [None, "", "-1", "1.5", "x", "9" * 16, "\u0663", " "])
async def test_an_offset_that_is_no_number_is_refused(house: House, offset: str | None) -> None:
    upload = await house.begin(100)
    headers = {} if offset is None else {"Upload-Offset": offset}
    answer = await house.send("PATCH", f"/{upload}", headers=headers, data=b"x")
    assert await error_of(answer, 400) == "bad_request"


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"{}", b"nonsense", b"\xff", b'"x"', b"[" * 5000, b'{"name": "a"}', b'{"name": "a", "size": "9"}',
        b'{"name": 1, "size": 9}', b'{"name": "a", "size": true}', b'{"name": "a", "size": 9.5}',
        b'{"name": "a", "size": null}', b'{"name": null, "size": 9}', b'{"name": "a", "size": 1e3}',
        b'{"name": "a", "size": ' + b"9" * 5000 + b"}",
    ],
)  # fmt: skip
async def test_a_promise_of_the_wrong_shape_is_refused(house: House, body: bytes) -> None:
    assert await error_of(await house.send("POST", "/", data=body), 400) == "bad_request"


async def test_a_name_that_no_encoding_can_carry_is_taken(house: House) -> None:
    content = samples.png()
    answer = await house.send("POST", "/", data=b'{"name": "\\ud800\\u0000.png", "size": %d}' % len(content))
    upload = (await answer.json())["upload"]
    await house.patch(upload, 0, content)
    answer = await house.send("POST", f"/{upload}/finish")
    assert (await answer.json())["file"]["name"] == "png.png"


async def test_sizes_are_refused_before_a_byte_is_sent(house: House) -> None:
    for size, status, code in ((0, 400, "empty"), (-5, 400, "empty"), (10 * 1024 * 1024 + 1, 413, "too_large")):
        answer = await house.send("POST", "/", json={"name": "a", "size": size})
        assert await error_of(answer, status) == code
    assert (await answer.json())["error"]["limit"] == 10 * 1024 * 1024


async def test_bodies_are_bounded_whether_or_not_they_say_their_length(house: House) -> None:
    upload = await house.begin(9 * 1024 * 1024)

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65536

    assert await error_of(await house.patch(upload, 0, b"x" * (1024 * 1024 + 1)), 413) == "too_large"
    assert await error_of(await house.send("POST", "/", data=b"x" * 10_000), 413) == "too_large"
    try:
        answer = await house.send("PATCH", f"/{upload}", headers={"Upload-Offset": "0"}, data=endless())
        assert answer.status == 413
    except ClientConnectionError:
        pass  # cut while we still sent, which says as much
    assert (await house.files.resume(upload, CUSTOMER)).offset == 0
    assert await error_of(await house.patch(await house.begin(10), 0, b"x" * 11), 413) == "too_large"


async def test_a_compressed_body_is_refused(house: House) -> None:
    upload = await house.begin(100)
    headers = {"Upload-Offset": "0", "Content-Encoding": "gzip"}
    answer = await house.send("PATCH", f"/{upload}", headers=headers, data=b"x" * 10)
    assert await error_of(answer, 415) == "bad_request"


async def test_a_chunk_that_is_cut_on_its_way_is_not_kept(house: House) -> None:
    upload = await house.begin(1000)
    server = house.client.server
    assert server.port is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    head = f"PATCH /uploads/{upload} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {CUSTOMER}\r\nUpload-Offset: 0\r\n"
    writer.write(f"{head}Content-Length: 1000\r\n\r\n".encode() + b"x" * 500)
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert (await house.patch(upload, 0, b"y" * 1000)).status == 200
    assert reader.at_eof() or not await reader.read()


async def test_a_chunk_that_comes_too_slowly_is_refused(build: Build) -> None:
    upload = await (await build()).begin(1000)
    house = await build(replace(samples.ROOMY, chunk_seconds=0.05))
    hold = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"x"
        await hold.wait()

    answer = await house.send("PATCH", f"/{upload}", headers={"Upload-Offset": "0"}, data=slow())
    assert await error_of(answer, 408) == "too_slow"
    hold.set()


@pytest.mark.parametrize("bounds", [{"owner_chunks_at_once": 1}, {"chunks_at_once": 1}])
async def test_chunks_in_memory_are_bounded_by_owner_and_in_all(build: Build, bounds: dict[str, int]) -> None:
    house = await build(replace(samples.ROOMY, **bounds))
    upload = await house.begin(10)
    other = await house.begin(10, owner=OPERATOR)
    hold = asyncio.Event()
    house.asked.clear()

    async def held() -> AsyncIterator[bytes]:
        yield b"x" * 5
        await hold.wait()
        yield b"x" * 5

    headers = {"Upload-Offset": "0"}
    first = asyncio.create_task(house.send("PATCH", f"/{upload}", headers=headers, data=held()))
    await house.asked.wait()  # and takes its place before it waits for anything
    busy = await house.patch(upload, 0, b"x" * 10)
    assert await error_of(busy, 503) == "busy"
    assert busy.headers["Retry-After"]
    status = (await house.patch(other, 0, b"x" * 10, OPERATOR)).status
    assert status == (200 if "owner_chunks_at_once" in bounds else 503)
    hold.set()
    assert (await first).status == 200
    assert (await house.patch(upload, 10, b"")).status == 200


async def test_strangers_and_other_owners_get_nowhere(house: House) -> None:
    upload = await house.begin(100)
    steps = [("HEAD", ""), ("PATCH", ""), ("POST", "/finish")]
    for method, step in steps:
        headers = {"Upload-Offset": "0"}
        answer = await house.send(method, f"/{upload}{step}", None, headers, data=b"x")
        assert answer.status == 401
        assert (await house.send(method, f"/{upload}{step}", OPERATOR, headers, data=b"x")).status == 404
    assert (await house.send("POST", "/", None, json={"name": "a", "size": 1})).status == 401
    assert (await house.send("DELETE", f"/{upload}", None)).status == 401
    assert (await house.send("DELETE", f"/{upload}", OPERATOR)).status == 204
    assert (await house.files.resume(upload, CUSTOMER)).offset == 0


async def test_an_abandoned_upload_is_gone(house: House) -> None:
    upload = await house.begin(100)
    assert [(await house.send("DELETE", f"/{upload}")).status for _ in range(2)] == [204, 204]
    assert await error_of(await house.patch(upload, 0, b"x"), 404) == "unknown_upload"


@pytest.mark.parametrize("path", ["/x/y/z", "/..%2f..%2fetc%2fpasswd", "/" + "ab" * 16, "/%00", "/%ff"])
async def test_paths_that_lead_nowhere_say_so_in_json(house: House, path: str) -> None:
    answer = await house.send("PATCH", path, headers={"Upload-Offset": "0"}, data=b"x")
    assert await error_of(answer, 404) in ("not_found", "unknown_upload")


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "unsupported_type"),
        (samples.png()[:80], 422, "damaged"),
        (samples.huge_png(), 422, "too_many_pixels"),
    ],
)
async def test_refusals_have_a_code_a_reason_and_a_mend(house: House, content: bytes, status: int, code: str) -> None:
    upload = await house.begin(len(content))
    await house.patch(upload, 0, content)
    for _ in range(2):
        answer = await house.send("POST", f"/{upload}/finish")
        assert await error_of(answer, status) == code


async def test_finishing_too_early_says_that_part_is_missing(house: House) -> None:
    upload = await house.begin(100)
    assert await error_of(await house.send("POST", f"/{upload}/finish"), 409) == "incomplete"


async def test_a_full_disk_is_507_and_acknowledges_nothing(build: Build) -> None:
    upload = await (await build()).begin(100)
    full = await build(replace(samples.ROOMY, reserve_bytes=2**62))
    answer = await full.patch(upload, 0, b"x" * 100)
    assert await error_of(answer, 507) == "storage_full"
    assert answer.headers["Retry-After"]
    assert (await full.send("HEAD", f"/{upload}")).headers["Upload-Offset"] == "0"
    assert await error_of(await full.send("POST", "/", json={"name": "a", "size": 9}), 507) == "storage_full"


async def test_pages_of_listed_origins_may_upload_and_read_the_offset(house: House) -> None:
    asked = {"Origin": PAGE, "Access-Control-Request-Method": "PATCH"}
    answer = await house.send("OPTIONS", "/" + "ab" * 16, None, asked)
    assert answer.status == 204
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    assert "PATCH" in answer.headers["Access-Control-Allow-Methods"]
    assert "Upload-Offset" in answer.headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in answer.headers
    answer = await house.send("POST", "/", headers={"Origin": PAGE}, json={"name": "a", "size": 0})
    assert answer.status == 400
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE, "pages may read refusals too"
    assert "Upload-Offset" in answer.headers["Access-Control-Expose-Headers"]
    assert answer.headers["Vary"] == "Origin"


@pytest.mark.parametrize("origin", ["https://evil.example", "null", PAGE + ".evil.example", PAGE.upper(), ""])
async def test_pages_of_other_origins_may_not(house: House, origin: str) -> None:
    for method in ("OPTIONS", "POST"):
        answer = await house.send(method, "/", headers={"Origin": origin}, json={"name": "a", "size": 5})
        assert await error_of(answer, 403) == "origin_refused"
        assert "Access-Control-Allow-Origin" not in answer.headers


# Downloads


async def test_a_file_is_served_as_what_it_is_and_can_run_nothing(house: House) -> None:
    file = await house.upload(samples.png(), "画像 {1}.png")
    answer = await house.client.get(house.link(file))
    assert answer.status == 200
    assert await answer.read() == await house.files.read(file.file_id)
    headers = answer.headers
    assert headers["Content-Type"] == "image/png"
    assert headers["Content-Disposition"].startswith("attachment; ")
    assert headers["Content-Disposition"].endswith("filename*=UTF-8''%E7%94%BB%E5%83%8F%20%7B1%7D.png")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert headers["Referrer-Policy"] == "no-referrer"
    kept = re.fullmatch(r"private, max-age=(\d+)", headers["Cache-Control"])
    assert kept is not None
    assert 2700 <= int(kept[1]) <= 3600


async def test_head_says_the_same_without_the_bytes(house: House) -> None:
    link = house.link(await house.upload(samples.pdf(), "a.pdf"))
    got, head = await house.client.get(link), await house.client.head(link)
    assert await head.read() == b""
    for name in ("Content-Length", "Content-Type", "Content-Disposition", "ETag", "Cache-Control"):
        assert head.headers[name] == got.headers[name]
    assert (await house.client.get(link)).status == 200, "the connection can be used again"


async def test_a_large_file_comes_whole(house: House) -> None:
    content = samples.pdf("x" * 2_000_000)
    answer = await house.client.get(house.link(await house.upload(content)))
    assert await answer.read() == content


@pytest.mark.parametrize(
    ("asked", "status", "start", "stop"),
    [
        ("bytes=0-0", 206, 0, 1),
        ("bytes=10-19", 206, 10, 20),
        ("bytes=100-", 206, 100, None),
        ("bytes=100-999999999", 206, 100, None),
        ("bytes=-20", 206, -20, None),
        ("bytes=-999999999", 200, 0, None),
        ("bytes=0-", 200, 0, None),
        ("bytes=999999999-", 416, 0, 0),
        ("bytes=-0", 416, 0, 0),
        ("bytes=20-10", 200, 0, None),
        ("bytes=-", 200, 0, None),
        ("bytes=0-1,5-6", 200, 0, None),
        ("lines=1-2", 200, 0, None),
        ("bytes=\u0661-2", 200, 0, None),
        ("bytes=" + "9" * 50 + "-", 200, 0, None),
    ],
)
async def test_ranges(house: House, asked: str, status: int, start: int, stop: int | None) -> None:
    content = samples.pdf()
    answer = await house.client.get(house.link(await house.upload(content)), headers={"Range": asked})
    assert answer.status == status
    if status == 416:
        assert answer.headers["Content-Range"] == f"bytes */{len(content)}"
        assert await answer.read() == b""
        return
    assert await answer.read() == content[start:stop]
    first, last, _ = slice(start, stop).indices(len(content))
    told = f"bytes {first}-{last - 1}/{len(content)}" if status == 206 else None
    assert answer.headers.get("Content-Range") == told


async def test_a_range_of_another_version_gets_the_whole(house: House) -> None:
    content = samples.pdf()
    link = house.link(await house.upload(content))
    etag = (await house.client.head(link)).headers["ETag"]
    for condition, status in ((etag, 206), ('"other"', 200), (f"W/{etag}", 200)):
        answer = await house.client.get(link, headers={"Range": "bytes=0-9", "If-Range": condition})
        assert answer.status == status


async def test_what_the_browser_has_is_not_sent_again(house: House) -> None:
    link = house.link(await house.upload(samples.png()))
    etag = (await house.client.head(link)).headers["ETag"]
    for condition, status in ((etag, 304), (f'"x", W/{etag}', 304), ("*", 304), ('"x"', 200)):
        answer = await house.client.get(link, headers={"If-None-Match": condition})
        assert answer.status == status
        assert (await answer.read() == b"") == (status == 304)


async def test_every_link_that_does_not_count_gets_the_same_answer(house: House) -> None:
    file, erased = await house.upload(samples.pdf("a")), await house.upload(samples.pdf("b"))
    good, of_erased = house.link(file), house.link(erased)
    foreign = f"/files/{house.signer.path(file, 'reader:mallory', house.now)}"
    forged = f"/files/{LinkSigner(b'x' * 32, 3600).path(file, SHOWN_TO, house.now)}"
    expired = f"/files/{house.signer.path(file, SHOWN_TO, house.now - 3601)}"
    await house.files.delete(erased.file_id)
    bad = [
        foreign,
        forged,
        expired,
        of_erased,
        "/files/x/y",
        "/files/x",
        "/files/",
        good[:-10].replace("/files/", "/files/A"),
    ]
    answers = [await house.client.get(link) for link in bad]
    seen = {(answer.status, await answer.read(), tuple(sorted(said(answer).items()))) for answer in answers}
    assert len(seen) == 1
    assert seen.pop()[0] == 404
    assert answers[0].headers["Cache-Control"] == "no-store"
    assert (await house.client.get(good)).status == 200


async def test_a_reader_who_is_no_longer_allowed_loses_the_link(house: House) -> None:
    file = await house.upload(samples.pdf())
    link = house.link(file)
    assert (await house.client.get(link)).status == 200
    house.readers[file.file_id].clear()
    assert (await house.client.get(link)).status == 404


async def test_a_file_erased_on_its_way_is_not_taken_for_whole(house: House) -> None:
    file = await house.upload(samples.pdf("x" * 8_000_000))
    answer = await house.client.get(house.link(file))
    await answer.content.readexactly(1)
    await house.files.delete(file.file_id)
    with pytest.raises((ClientPayloadError, ClientConnectionError)):
        await answer.read()


async def test_a_reader_who_leaves_in_the_middle_is_no_fault_of_ours(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    """On a server as ours is: the one of the other tests cancels whoever answers a reader that has left."""
    file, over = await house.upload(samples.pdf("x" * 8_000_000)), asyncio.Event()

    @web.middleware
    async def watched(request: web.Request, handler: Callable[..., Awaitable[web.StreamResponse]]) -> Any:
        try:
            return await handler(request)
        finally:
            over.set()

    outer = web.Application(middlewares=[watched])
    outer.add_subapp("/files", files_app(house.files, house.signer, house.allows, lambda: house.now))
    runner = web.AppRunner(outer)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with ClientSession() as http:
        answer = await http.get(f"http://127.0.0.1:{runner.addresses[0][1]}{house.link(file)}")
        await answer.content.readexactly(1)
        answer.close()
        await over.wait()
    await runner.cleanup()
    assert [one.getMessage() for one in caplog.records if one.name == "aiohttp.server"] == []


def said(answer: ClientResponse) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name != "Date"}
