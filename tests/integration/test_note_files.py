"""A note's files have no way to the customer: in no frame, no history, no transcript, by no guess at their ids."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from adapters.files.downloads import files_app
from adapters.files.links import LinkSigner
from adapters.files.store import DiskFiles
from adapters.files.uploads import uploads_app
from bridge.messages import Body, FilePart, TextPart
from bridge.transcript import transcript
from routing import inputs as i
from routing.ids import MessageId
from tests.integration.console_house import png
from tests.integration.customer_side import AIKO, NOW, ORIGIN, Page, Process, alone, served
from tests.integration.test_customer_poll import PollPage
from tests.unit.adapters.files.samples import ROOMY

OPERATOR = f"operator:{AIKO}"


async def kept(files: DiskFiles, name: str) -> FilePart:
    """A picture of an operator's, unlike any other."""
    file = await files.put(OPERATOR, name, png((64 + len(name), 36)), key=name)
    return FilePart(file.file_id, file.name, file.media_type, file.size, file.width or 0, file.height or 0)


async def inside(house: Process, code: str, files: DiskFiles) -> list[FilePart]:
    """Every way in which a file is there for operators alone: a note, words that wait, and words that were kept."""
    note, waits, stays = [await kept(files, f"{name}-canary.png") for name in ("note", "waits", "stays")]
    await house.act(code, i.OperatorNoted(MessageId("o:note"), AIKO), Body((TextPart("see"), note)))
    for message, file in (("s:waits", waits), ("s:stays", stays)):
        await house.act(code, i.OperatorWrote(MessageId(message), None, "T1:U9", i.Origin(1)), Body((file,)))
    await house.act(code, i.OperatorUndid(MessageId("s:stays"), AIKO))
    await house.act(code, i.OperatorRevised(MessageId("o:note"), AIKO), Body((TextPart("look"), note)))
    return [note, waits, stays]


async def everything_told(house: Process, page: Page, code: str) -> str:
    """All that the customer's pages hear: this one, one that comes back, one that polls; and the transcript."""
    token, place = page.heard[0]["token"], next(one["pos"] for one in page.heard if one["t"] == "ack")
    await page.nothing_more()
    told = list(page.raw)
    for position in (None, place):
        async with house.page() as again:
            await again.greet(token=token, session=code, position=position)
            told += again.raw
    poll = PollPage(house)
    await poll.begin(token=token)
    written = await transcript(house.store, await house.session(code))
    return "".join([*told, json.dumps(poll.heard), json.dumps(written)])


async def test_a_notes_file_reaches_the_customer_by_no_exit(tmp_path: Path) -> None:
    signer, files = LinkSigner(bytes(32), 3600), DiskFiles(tmp_path / "files", ROOMY)

    def link(part: FilePart, reader: str) -> str:
        return f"https://files.example/{signer.link(part.file, reader, NOW)}/{part.name}"

    async with alone(tmp_path / "redis", files=files, links=link) as house, house.page() as page:
        app = web.Application()
        app.add_subapp("/files", files_app(files, signer, _anybody, lambda: NOW))
        app.add_subapp("/uploads", uploads_app(files, house.side.upload_owner, ROOMY, house.side.allows_origin))
        upload = (await page.greet())["upload_token"]
        code = (await page.write("hello"))["session"]
        secret = await inside(house, code, files)
        shown = await kept(files, "shown.png")
        await house.act(code, i.OperatorReplied(MessageId("o:reply"), AIKO), Body((shown,)))
        told = await everything_told(house, page, code)
        assert shown.file in told
        for file in secret:
            assert file.file not in told
            assert file.name not in told
        async with served(app) as url:
            (address, *_) = re.findall(r'https://files\.example(/[^"]+)', told)
            assert await status(house, "GET", f"{url}/files{address}") == 200
            for file in secret:
                guessed = forged(urlsplit(address).path.split("/")[1], shown.file, file.file)
                assert await status(house, "GET", f"{url}/files/{guessed}/{file.name}") == 404
                assert await status(house, "GET", f"{url}/files/{file.file}/{file.name}") == 404
                for method, path in (("HEAD", file.file), ("POST", f"{file.file}/finish")):
                    assert await status(house, method, f"{url}/uploads/{path}", upload) == 404
                await status(house, "DELETE", f"{url}/uploads/{file.file}", upload)
                assert await files.stat(file.file) is not None, "and nobody else's is abandoned by its id"
        for number, file in enumerate(secret, 2):
            await page.say("message", id=f"message-{number}", parts=[{"type": "file", "file": file.file}])
            assert (await page.hear_of("refused"))["code"] == "unknown_file", "nobody makes it theirs by its id"
    await files.close()


def forged(token: str, known: str, wanted: str) -> str:
    """The customer's own link, made to name another file."""
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    assert known.encode() in raw
    return base64.urlsafe_b64encode(raw.replace(known.encode(), wanted.encode())).rstrip(b"=").decode()


async def status(house: Process, method: str, url: str, token: str = "") -> int:
    headers = {"Origin": ORIGIN, "Authorization": f"Bearer {token}"} if token else {}
    async with house.http.request(method, url, headers=headers) as answer:
        return answer.status


async def _anybody(file: str, reader: str) -> bool:
    return bool(file and reader)
