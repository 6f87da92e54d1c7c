"""What a customer does in their conversation: every frame after `hello`, and what it is answered.

`ack` is written only after the commit. Whatever is not known to be stored is `refused` with `retry`, and the page
sends it again as it is: its id makes that safe.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from adapters.web import protocol, render
from adapters.web.audience import Audience
from adapters.web.connection import Connection
from adapters.web.identity import Identity
from adapters.web.languages import language_of
from adapters.web.lobby import Lobby
from adapters.web.protocol import ClientFrame, ProblemError
from adapters.web.reception import Reception
from bridge.errors import KakehashiError, OverloadedError, StoreCorruptError, StoreUnavailableError
from bridge.feed import Signal
from bridge.files import Files, StoredFile
from bridge.messages import Body, FilePart, TextPart
from bridge.ports import Stored
from bridge.relay import Answer, Greeting, Receipt
from routing import inputs as i
from routing.decide import Refusal
from routing.facts import Side
from routing.ids import InputKey, MessageId, Topic
from routing.view import CustomerMessage, customer_view

TYPING_EVERY = 2.5
"""Seconds between two typing signals of one page that are passed on."""

REFUSALS = 100
"""Refused frames in a row after which a page is sent away: nothing that a person does comes near."""

AGAIN_AFTER = 1.0
"""Seconds after which a frame that was shed may come again."""

log = structlog.get_logger(__name__)


class Conversation:
    """Takes the frames of all connections. `files` is None where attachments are not kept."""

    def __init__(
        self, lobby: Lobby, reception: Reception, files: Files | None, topics: Callable[[], tuple[Topic, ...]]
    ) -> None:
        self._lobby = lobby
        self._reception = reception
        self._files = files
        self._topics = topics
        self._handlers: dict[type[ClientFrame], Callable[..., Awaitable[None]]] = {
            protocol.Identify: reception.identify,
            protocol.Refresh: reception.refresh,
            protocol.Logout: self._logout,
            protocol.Message: self._message,
            protocol.Revise: self._revise,
            protocol.Withdraw: self._withdraw,
            protocol.React: self._react,
            protocol.Received: self._received,
            protocol.Typing: self._typing,
            protocol.Answer: self._answer,
            protocol.End: self._end,
            protocol.ChooseLanguage: self._choose_language,
            protocol.Ping: self._ping,
            protocol.Beat: self._beat,
        }

    # ------------------------------------------------------------------ the door

    async def hear(self, connection: Connection, text: str) -> None:
        """One frame as it came over a socket."""
        try:
            frame = protocol.parse(text, self._lobby.settings.limits.frame)
        except ProblemError as problem:
            self._malformed(connection, problem)
        else:
            await self.take(connection, frame)

    async def read(self, connection: Connection, value: object) -> None:
        """One frame that is JSON already."""
        try:
            frame = protocol.read(value)
        except ProblemError as problem:
            self._malformed(connection, problem)
        else:
            await self.take(connection, frame)

    async def take(self, connection: Connection, frame: ClientFrame) -> None:
        """Do what a frame says, and answer it. Never raises, whatever the store does."""
        connection.heard = self._lobby.clock()
        if connection.leaving or self._lobby.expired(connection):
            return
        try:
            self._draw(connection)
            await self._handle(connection, frame)
        except ProblemError as problem:
            self._refuse(connection, frame, problem)
        except (StoreUnavailableError, StoreCorruptError):
            self._not_stored(connection, frame)
        except OverloadedError:
            shed = ProblemError("overloaded", "too much is under way", retry=True, after=AGAIN_AFTER)
            self._refuse(connection, frame, shed)
        except Exception:
            log.exception("customer_frame_broke", frame=protocol.NAMES[type(frame)])
            connection.cut("fault", "a fault of ours")

    async def _handle(self, connection: Connection, frame: ClientFrame) -> None:
        if isinstance(frame, protocol.Hello):
            if connection.identity is not None:
                raise ProblemError("hello_repeated", "hello is the first frame and only that")
            await self._reception.hello(connection, frame)
        elif connection.identity is None:
            connection.cut("hello_refused", "the first frame is hello")
        else:
            await self._handlers[type(frame)](connection, frame)

    def _malformed(self, connection: Connection, problem: ProblemError) -> None:
        connection.heard = self._lobby.clock()
        if connection.identity is None:
            connection.cut("hello_refused", f"{problem.what} ({problem.code})")
        else:
            self._refuse(connection, None, problem)

    def _draw(self, connection: Connection) -> None:
        """Raises ProblemError when the page says too much at once."""
        limits = self._lobby.settings.limits
        wait = connection.frames.draw(self._lobby.clock(), limits.frames_per_second, limits.frames_burst)
        if wait:
            raise ProblemError("rate", "too many frames", retry=True, after=round(wait, 2))

    def _refuse(self, connection: Connection, frame: ClientFrame | None, problem: ProblemError) -> None:
        self._lobby.metrics.refused(problem.code)
        connection.write(render.refused(problem, frame))
        if not problem.retry or problem.code == "rate":  # what the store cannot take is not the page's fault
            connection.refusals += 1
        if connection.refusals > REFUSALS:
            connection.cut("too_many", "too many frames were refused", 60.0)

    def _not_stored(self, connection: Connection, frame: ClientFrame) -> None:
        """A page that is half welcome cannot stay; a message that is not stored is the page's to keep."""
        if isinstance(frame, protocol.Hello | protocol.Identify):
            connection.cut("unavailable", "the store does not answer", AGAIN_AFTER)
        else:
            self._refuse(connection, frame, ProblemError("not_stored", "the store does not answer", retry=True))

    # ------------------------------------------------------------------ words

    async def _message(self, connection: Connection, frame: protocol.Message) -> None:
        identity, audience = _present(connection)
        self._draw_message(audience)
        body = Body(tuple([await self._part(part, identity) for part in frame.parts]))
        message = render.own_id(frame.id)
        connection.sending = message
        try:
            answer = await self._lobby.relay.from_customer(
                identity.customer,
                i.CustomerWrote(message),
                InputKey(f"web/{frame.id}"),
                body=body,
                greeting=self._greeting(connection, identity, frame),
            )
            acked = connection.sending is None  # the feed has told us of it, in its place among the events
            connection.refusals = 0
        finally:
            connection.sending = None
        if not acked:
            self._settle(connection, frame.id, answer)

    async def _revise(self, connection: Connection, frame: protocol.Revise) -> None:
        """A change counts as a message: it is as much work for everybody."""
        identity, audience = _present(connection)
        self._draw_message(audience)
        body = Body(tuple([await self._part(part, identity) for part in frame.parts]))
        await self._act(connection, frame.id, i.CustomerRevised(render.own_id(frame.message)), body)

    async def _withdraw(self, connection: Connection, frame: protocol.Withdraw) -> None:
        await self._act(connection, frame.id, i.CustomerWithdrew(render.own_id(frame.message)))

    async def _react(self, connection: Connection, frame: protocol.React) -> None:
        """The page knows our messages by opaque ids, and only those that it may see."""
        _, audience = _present(connection)
        stored = await self._current(audience)
        message = await self._reply(stored, frame.message) if stored is not None else None
        if message is None:
            raise ProblemError("unknown_message", "there is no such message of ours", field="message")
        await self._act(connection, frame.id, i.CustomerReacted(message, frame.reaction, frame.on))

    async def _reply(self, stored: Stored, opaque: str) -> MessageId | None:
        """Of the latest messages first; what is older stands among the events that the customer has seen."""
        session = stored.session.id
        recent = [one.message for one in stored.session.recent if one.side is Side.REPLY]
        found = next((one for one in recent if render.opaque_id(session, one) == opaque), None)
        if found is not None:
            return found
        events = (customer_view(entry.fact) for entry in await self._lobby.store.visible_since(session, 1))
        said = (one for one in events if isinstance(one, CustomerMessage) and one.side is Side.REPLY)
        return next((one.message for one in said if render.opaque_id(session, one.message) == opaque), None)

    def _draw_message(self, audience: Audience) -> None:
        minute = self._lobby.settings.limits.messages_per_minute
        wait = audience.messages.draw(self._lobby.clock(), minute / 60, minute)
        if wait:
            raise ProblemError("rate", "too many messages", retry=True, after=round(wait, 2))

    async def _part(self, part: TextPart | protocol.NamedFile, identity: Identity) -> TextPart | FilePart:
        if isinstance(part, TextPart):
            return part
        file = await self._stat(part.file)
        owners = {render.owner_of(one) for one in (identity.customer, identity.visitor) if one is not None}
        if file is None or file.owner not in owners:
            raise ProblemError("unknown_file", "there is no such file of this customer's", field="parts")
        return FilePart(file.file_id, file.name, file.media_type, file.size, file.width or 0, file.height or 0)

    async def _stat(self, file: str) -> StoredFile | None:
        if self._files is None:
            return None
        try:
            return await self._files.stat(file)
        except OSError:
            raise StoreUnavailableError("the files cannot be read") from None

    def _greeting(self, connection: Connection, identity: Identity, frame: protocol.Message) -> Greeting:
        topic = Topic(frame.topic)
        return Greeting(
            verified=not identity.customer.anonymous,
            language=language_of(frame.language) if frame.language else connection.language,
            topic=topic if topic in self._topics() else Topic(""),
            about=identity.about,
        )

    def _settle(self, connection: Connection, client_id: str, answer: Answer) -> None:
        """The answer to a frame with an id, where no event answers it."""
        if isinstance(answer, Refusal):
            raise ProblemError(answer.reason.value, "the session's rules do not allow it")
        code = answer.stored.session.code if isinstance(answer, Receipt) else None
        connection.write(render.ack(client_id, code))

    # ------------------------------------------------------------------ the rest

    async def _answer(self, connection: Connection, frame: protocol.Answer) -> None:
        await self._act(connection, frame.id, i.CustomerAnswered(frame.solved))

    async def _end(self, connection: Connection, frame: protocol.End) -> None:
        await self._act(connection, frame.id, i.CustomerEnded())

    async def _choose_language(self, connection: Connection, frame: protocol.ChooseLanguage) -> None:
        await self._act(connection, frame.id, i.CustomerChoseLanguage(language_of(frame.language)))

    async def _act(
        self, connection: Connection, client_id: str, event: i.CustomerInput, body: Body | None = None
    ) -> None:
        identity, _ = _present(connection)
        key = InputKey(f"web/{client_id}")
        answer = await self._lobby.relay.from_customer(identity.customer, event, key, body=body)
        self._settle(connection, client_id, answer)

    async def _received(self, connection: Connection, frame: protocol.Received) -> None:
        """Only the newest reply counts, so the opaque id is compared with that one's."""
        identity, audience = _present(connection)
        stored = await self._current(audience)
        newest = stored.session.last_reply if stored is not None else None
        if stored is None or newest is None or render.opaque_id(stored.session.id, newest) != frame.message:
            return
        key = InputKey(f"web/received/{newest}/{int(frame.seen)}")
        event = i.CustomerReceived(newest, frame.seen)
        await self._lobby.relay.from_customer(identity.customer, event, key)

    async def _typing(self, connection: Connection, _frame: protocol.Typing) -> None:
        _, audience = _present(connection)
        now = self._lobby.clock()
        if now - connection.typed < TYPING_EVERY or not audience.open:
            return
        connection.typed = now
        stored = await self._current(audience)
        if stored is not None:
            with suppress(KakehashiError):  # nobody misses three dots
                await self._lobby.feed.signal(stored.session, Signal("typing", stored.session.id))

    async def _current(self, audience: Audience) -> Stored | None:
        return await self._lobby.relay.session(audience.session) if audience.session is not None else None

    async def _ping(self, connection: Connection, frame: protocol.Ping) -> None:
        connection.write(render.pong(frame.n))

    async def _beat(self, connection: Connection, _frame: protocol.Beat) -> None:
        """It was heard; that is all."""

    async def _logout(self, connection: Connection, _frame: protocol.Logout) -> None:
        await self._reception.logout(connection)


def _present(connection: Connection) -> tuple[Identity, Audience]:
    """A page that was welcomed has both; one that was told to go has lost its audience."""
    if connection.identity is None or connection.audience is None:
        raise AssertionError("a frame of a page that is not welcome is not handled")
    return connection.identity, connection.audience
