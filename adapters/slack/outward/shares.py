"""Files on their way to a thread: upload, record, complete, and wait until Slack shows them.

Sharing is asynchronous and the message that shows a file bears no metadata, so the file ids are written down *before*
the upload is completed: they are the only way to find out what became of it.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import structlog

from adapters.slack.outward.attached import uploaded_as
from adapters.slack.refs import NAME, Post, Root
from adapters.slack.wire.client import WebApi
from adapters.slack.wire.faults import ALREADY_GONE, unanswered
from bridge.errors import DeliveryError
from bridge.files import Files
from bridge.messages import FilePart
from bridge.ports import Store
from routing.ids import EffectId

KEPT = 30 * 24 * 3600 * 1000
"""ms for which the record of a share is kept: longer than any lane waits."""

LOOKS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.2, 1.6)
"""Seconds between looks at a file that is being shared. Together below the send deadline."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Share:
    """What is known of an effect's files. `post` is the text above them, in `thread`; `uploaded`: our file id →
    Slack's."""

    post: str = ""
    thread: str = ""
    uploaded: dict[str, str] = field(default_factory=dict)
    completing: bool = False

    @property
    def file_ids(self) -> tuple[str, ...]:
        return tuple(self.uploaded.values())


class Shares:
    def __init__(self, store: Store, files: Files, api: WebApi) -> None:
        self._store = store
        self._files = files
        self._api = api

    async def recorded(self, effect: EffectId) -> Share:
        """What an earlier attempt wrote down; empty when there was none."""
        kept = await self._store.get(_name(effect))
        return Share(**json.loads(kept)) if kept else Share()

    async def record(self, effect: EffectId, share: Share) -> None:
        await self._store.put(_name(effect), json.dumps(asdict(share)), KEPT)

    async def show(self, effect: EffectId, share: Share, parts: tuple[FilePart, ...], root: Root) -> Post | None:
        """Bring the files into the thread, from wherever an earlier attempt left off. None: all were erased here.

        Raises DeliveryError; ambiguous when the upload was completed and no share can be seen yet.
        """
        if share.completing and (post := await self.shown(share, root)):
            return post
        if not share.completing:
            share = await self._upload(effect, share, parts)
            if not share.uploaded:
                return None
            share = replace(share, completing=True)
            await self.record(effect, share)
        await self._complete(share, root)
        for pause in LOOKS:
            if post := await self.shown(share, root):
                return post
            await asyncio.sleep(pause)
        raise unanswered("share_pending")

    async def shown(self, share: Share, root: Root) -> Post | None:
        """The message in the thread that shows these files, if there is one."""
        for file in share.file_ids:
            ts = _shared_at(await self._info(file), self._api.channel(root.channel), root.ts)
            if ts:
                return root.post(ts, share.file_ids)
        return None

    async def _upload(self, effect: EffectId, share: Share, parts: tuple[FilePart, ...]) -> Share:
        """Each file is recorded when it is up: a message of many may take more than one send deadline."""
        for part in parts:
            if part.file in share.uploaded:
                continue
            content = await self._files.read(part.file)
            if content is None:
                _log.warning("slack_file_gone", effect=effect, file=part.file)
                continue
            share = replace(share, uploaded={**share.uploaded, part.file: await self._up(part, content)})
            await self.record(effect, share)
            await self._note(part.file, share.uploaded[part.file])
        return share

    async def _note(self, file: str, uploaded: str) -> None:
        """Under our own name for it, so that a purge finds it however often and wherever it was uploaded."""
        before = await self._store.get(uploaded_as(file))
        known = json.loads(before) if before else []
        await self._store.put(uploaded_as(file), json.dumps([*known, uploaded]), KEPT)

    async def _up(self, part: FilePart, content: bytes) -> str:
        place = await self._api.call("files.getUploadURLExternal", filename=part.name, length=len(content))
        await self._api.upload(place["upload_url"], content)
        return str(place["file_id"])

    async def _complete(self, share: Share, root: Root) -> None:
        files = [{"id": file} for file in share.file_ids]
        try:
            await self._api.call(
                "files.completeUploadExternal", files=files, channel_id=root.channel, thread_ts=root.ts
            )
        except DeliveryError as error:
            if error.code != "file_update_failed":  # it was completed before; what is left is to see it shown
                raise

    async def _info(self, file: str) -> dict[str, Any]:
        try:
            answer = await self._api.call("files.info", file=file)
        except DeliveryError as error:
            if error.code in ALREADY_GONE:
                return {}
            raise
        return dict(answer["file"])


def _name(effect: EffectId) -> str:
    return f"{NAME}/share/{effect}"


def _shared_at(file: dict[str, Any], channel: str, thread_ts: str) -> str:
    for channels in (file.get("shares") or {}).values():
        for place in channels.get(channel) or ():
            if place.get("thread_ts") == thread_ts:
                return str(place["ts"])
    return ""
