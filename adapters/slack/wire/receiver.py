"""Where Slack's payloads come in: one Bolt app behind Socket Mode and behind signed HTTP alike.

Bolt acknowledges before a listener runs, so a crash would lose the event. Here one middleware stands before everything
else: it has the payload committed, then answers 200; or 503 when the store cannot take it, and Slack sends it again.
Only payloads whose answer carries a body go on to listeners, and each kind of them has one.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import structlog
from aiohttp import web
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.render import Wording
from adapters.slack.wire.client import sdk_logger
from adapters.slack.wire.shape import GarbledError
from bridge.errors import KakehashiError

LARGEST = 1024 * 1024
"""Bytes of one payload. Slack's largest (a message of 40,000 characters, with its blocks, twice) is well below."""

WITH_BODY = frozenset(("block_suggestion", "view_submission", "url_verification"))
"""Payloads whose acknowledgement is an answer."""

ANYTHING = re.compile(".*")

Take = Callable[[Mapping[str, Any]], Awaitable[None]]
Asked = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]

Submitted = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any] | None]]
"""What a filled-in window tells is durable when this returns; the answer is what Slack does with the window."""

_log = structlog.get_logger(__name__)


def bolt_app(
    client: AsyncWebClient,
    take: Take,
    wording: Wording,
    asked: Asked | None = None,
    submitted: Submitted | None = None,
) -> AsyncApp:
    """The app that both ways in lead to. Signatures are checked at the HTTP door; a socket needs none.

    `asked` answers slash commands with the acknowledgement's body, `submitted` windows that were filled in.
    """

    async def persist(req: AsyncBoltRequest, next: Callable[[], Awaitable[BoltResponse]]) -> BoltResponse:  # noqa: A002 - Bolt gives arguments by these names
        if _is_answered_with_body(req.body):
            return await next()
        try:
            await take(req.body)
        except KakehashiError as error:
            _log.warning("slack_not_acknowledged", reason=error.what, event_id=req.body.get("event_id"))
            return BoltResponse(status=400 if isinstance(error, GarbledError) else 503, body="")
        return BoltResponse(status=200, body="")

    app = AsyncApp(
        client=client,
        name="kakehashi",  # else Bolt names it by the file above, and reads the sources of the whole stack for that
        logger=sdk_logger(),
        before_authorize=persist,
        process_before_response=True,
        request_verification_enabled=False,
        ssl_check_enabled=False,
        # It would swallow the deletion, by a person, of a message that we posted; `parse` knows our own doings.
        ignoring_self_events_enabled=False,
    )
    _answer_the_rest(app, wording, asked, submitted)
    return app


def _is_answered_with_body(body: Mapping[str, Any]) -> bool:
    return str(body.get("type")) in WITH_BODY or "command" in body


def _answer_the_rest(app: AsyncApp, wording: Wording, asked: Asked | None, submitted: Submitted | None) -> None:
    async def command(ack: AsyncAck, body: Mapping[str, Any]) -> None:
        """Slack has no slash commands inside threads, so none is about a session."""
        await ack(dict(await asked(body)) if asked else wording("en", "told.command"))

    async def options(ack: AsyncAck) -> None:
        await ack(options=[])

    async def view(ack: AsyncAck, body: Mapping[str, Any]) -> None:
        answer = await submitted(body) if submitted is not None else None
        await ack(**(answer or {}))

    app.command(ANYTHING)(command)
    app.options(ANYTHING)(options)
    app.view(ANYTHING)(view)


# ------------------------------------------------------------------ the HTTP door


def _makes_sense(body: object) -> bool:
    """Signed by Slack, and still to be looked at: a proxy between us may have garbled it."""
    if not isinstance(body, Mapping):
        return False
    return body.get("type") != "event_callback" or isinstance(body.get("event"), Mapping)


class HttpDoor:
    """`POST /events`, `/interactions`, `/commands`: signed by Slack within the last five minutes, or refused.

    The same signed request passes twice within that time; what stops a replay is the input's key.
    """

    def __init__(self, app: Callable[[], AsyncApp], signing_secret: str) -> None:
        self._app = app
        self._verifier = SignatureVerifier(signing_secret)

    def application(self) -> web.Application:
        application = web.Application(client_max_size=LARGEST)
        for path in ("/events", "/interactions", "/commands"):
            application.router.add_post(path, self._receive)
        return application

    async def _receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        if not self._is_signed(request, body):
            _log.warning("slack_signature_refused", path=request.path)
            return web.Response(status=401)
        headers: dict[str, str | Sequence[str]] = {"content-type": request.headers.get("Content-Type", "")}
        try:
            payload = AsyncBoltRequest(body=body.decode(), headers=headers)
        except (ValueError, AttributeError, TypeError):  # Bolt expects an object, and stumbles over anything else
            return web.Response(status=400)
        if not _makes_sense(payload.body):
            return web.Response(status=400)
        answer = await self._app().async_dispatch(payload)
        kept = {name: values[0] for name, values in answer.headers.items() if name.lower() != "set-cookie"}
        return web.Response(status=answer.status, body=(answer.body or "").encode(), headers=kept)

    def _is_signed(self, request: web.Request, body: bytes) -> bool:
        """What a forger sends need not be a number, nor ASCII, nor UTF-8; each of these raises in the verifier."""
        try:
            return self._verifier.is_valid(
                body,
                request.headers.get("X-Slack-Request-Timestamp"),
                request.headers.get("X-Slack-Signature"),
            )
        except (ValueError, TypeError):
            return False
