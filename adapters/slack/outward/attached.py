"""Attachments that Slack is not given: what is said of them in the thread, and how one that was posted is removed.

A held file is told by type and size, with a way to the desk, which asks who is there. A bot can delete what it has
uploaded itself, and nobody else's: what operators uploaded here is named to them, and noted for whoever ordered it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from adapters.slack.refs import NAME, Post, Root
from adapters.slack.render import TEXT, Rendered, Wording
from adapters.slack.text.markup import escape
from adapters.slack.wire.client import WebApi
from adapters.slack.wire.faults import ALREADY_GONE
from bridge.errors import DeliveryError
from bridge.networks.pacing import Urgency
from bridge.ports import Delivery, HeldFile, Store
from bridge.purges import note_remains
from routing.effects import RemoveFile
from routing.ids import ThreadRef
from routing.session import Session

DeskLink = Callable[[Session, str], str]
"""Where an operator opens a file of a session, after signing in; empty where there is no desk."""

MIB = 1024 * 1024


def beneath(rendered: Rendered, delivery: Delivery, wording: Wording, link: DeskLink) -> Rendered:
    """The message with a line for each attachment that is not in Slack."""
    language, body = delivery.session.language, delivery.body
    plain = [_told(one, language, wording) for one in delivery.held]
    lines = [
        _linked(line, link(delivery.session, one.file), language, wording) for line, one in _pairs(plain, delivery)
    ]
    removed = [wording(language, "post.removed")] * (body.purged if body is not None else 0)
    if not lines and not removed:
        return rendered
    blocks = [_context(line) for line in (*lines, *removed)]
    text = "\n".join((rendered.text, *map(escape, (*plain, *removed))))
    return replace(rendered, text=text[:TEXT], blocks=[*rendered.blocks, *blocks])


def _pairs(plain: list[str], delivery: Delivery) -> list[tuple[str, HeldFile]]:
    return list(zip(plain, delivery.held, strict=True))


def _told(file: HeldFile, language: str, wording: Wording) -> str:
    kind = "image" if file.media_type.startswith("image/") else "document"
    named = f"{wording(language, f'post.kind.{kind}')} ({file.media_type.rpartition('/')[2].upper()})"
    return wording(language, "post.held", type=named, size=_size(file.size))


def _size(size: int) -> str:
    return f"{size / MIB:.1f} MB" if size >= MIB else f"{max(1, round(size / 1024))} KB"


def _linked(line: str, link: str, language: str, wording: Wording) -> str:
    way = f" · <{link}|{escape(wording(language, 'post.held.open'))}>" if link else ""
    return f"{escape(line)}{way}"


def _context(text: str) -> dict[str, object]:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text, "verbatim": True}]}


# ------------------------------------------------------------------ removing one that is there


class Removal:
    """Deletes a purged file from the mirror. `address` is a message's, for people."""

    def __init__(self, api: WebApi, store: Store, address: Callable[[Root], str]) -> None:
        self._api = api
        self._store = store
        self._address = address

    async def remove(self, delivery: Delivery, effect: RemoveFile, place: int) -> None:
        """`place`: which of its message's files it is, of all that it ever had. May be repeated."""
        for file in await self._slack_files(delivery, effect, place):
            try:
                await self._api.call("files.delete", urgency=Urgency.LINE, file=file)
            except DeliveryError as error:
                if error.code not in ALREADY_GONE:
                    raise
        if not delivery.posts and (channel := _written_in_slack(effect)):
            await self._note(delivery, effect, channel)

    async def _slack_files(self, delivery: Delivery, effect: RemoveFile, place: int) -> set[str]:
        """By the record of the upload; else by its place, as long as every file of the message was uploaded; else all
        of the message's: one that may not stay must not stay because we cannot tell it from the others."""
        kept = await self._store.get(uploaded_as(effect.file))
        if kept:
            return set(json.loads(kept))
        shown = [file for post in map(Post.of, delivery.posts) for file in post.files]
        body = delivery.body
        count = len(body.files) + body.purged + len(delivery.held) if body is not None else 0
        return {shown[place]} if count == len(shown) and 0 <= place < count else set(shown)

    async def _note(self, delivery: Delivery, effect: RemoveFile, channel_and_ts: tuple[str, str]) -> None:
        channel, ts = channel_and_ts
        where = self._address(Root(Root.of(ThreadRef(delivery.thread)).team if delivery.thread else "", channel, ts))
        await note_remains(self._store, NAME, delivery, effect.file, where)


def uploaded_as(file: str) -> str:
    """The name under which the store keeps what a file of ours is called in Slack, wherever it was posted."""
    return f"{NAME}/uploaded/{file}"


def _written_in_slack(effect: RemoveFile) -> tuple[str, str] | None:
    """Channel and ts of a message that a person wrote in Slack: its id, as `parse.message_id` mints it."""
    kind, _, rest = effect.message.partition(":")
    channel, _, ts = rest.partition(":")
    return (channel, ts) if kind == "s" and ts else None
