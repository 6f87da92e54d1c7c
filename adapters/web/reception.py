"""Reception: who a page is, and its welcome. Here, and nowhere else, a connection gets its customer.

A visitor who logs in takes their own open session along, the one that their own token names; nobody else's can be
reached, because no frame carries a session's id. What the store does not answer for ends in `bye` `unavailable`: a
page that is half welcome would show half a history.
"""

from __future__ import annotations

from asyncio import timeout
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.web import protocol, render
from adapters.web.connection import Connection
from adapters.web.identity import UPLOAD_SECONDS, Account, Identity, SiteTokens, UploadTokens, VisitorTokens
from adapters.web.languages import DEFAULT, language_of, title_in
from adapters.web.lobby import Lobby
from adapters.web.protocol import ProblemError
from adapters.web.render import Reader
from bridge.feed import Position, Resumed
from bridge.files import FileLimits
from bridge.messages import PARTS_LIMIT, TEXT_LIMIT, About
from bridge.ports import Stored
from config.settings import WebSettings
from routing.facts import Side
from routing.ids import CustomerKey, MessageId, Topic
from routing.reactions import CUSTOMERS
from routing.session import Session, State

WELCOME_WITHIN = 30.0
"""Seconds for a long history to be taken; who is slower is cut and resumes from where they got to."""

Titles = Mapping[Topic, Mapping[str, str]]
"""What topics are called: topic → language → title."""

_REVOKED = "revoked/"


@dataclass(frozen=True, slots=True)
class Tokens:
    """Everything that proves who somebody is."""

    visitors: VisitorTokens
    uploads: UploadTokens
    site: SiteTokens

    @classmethod
    def of(cls, keys: Sequence[bytes], settings: WebSettings, site: str) -> Tokens:
        """`keys`: our own secrets, the newest first."""
        return cls(VisitorTokens(keys, site), UploadTokens(keys), SiteTokens(settings.jwt, site))


class Reception:
    """`topics` are the policy's, asked each time; `titles` is what they are called, `under` what each is a part of."""

    def __init__(
        self,
        lobby: Lobby,
        tokens: Tokens,
        limits: FileLimits,
        topics: Callable[[], Sequence[Topic]],
        titles: Titles,
        under: Mapping[Topic, Topic],
    ) -> None:
        self._lobby = lobby
        self._tokens = tokens
        self._limits = limits
        self._topics = topics
        self._titles = titles
        self._under = under

    # ------------------------------------------------------------------ the frames

    async def hello(self, connection: Connection, hello: protocol.Hello) -> None:
        """Raises StoreUnavailableError; whatever is wrong with the frame or its tokens has ended in `bye`."""
        if hello.v != protocol.VERSION:
            connection.cut("unsupported_version", f"this service speaks version {protocol.VERSION}")
            return
        try:
            identity, token, language = await self._identify(connection, hello)
        except ProblemError as problem:
            connection.cut_for(problem)
            return
        connection.identity, connection.language = identity, language
        await self._welcome(connection, token, hello.session, hello.position)

    async def identify(self, connection: Connection, frame: protocol.Identify) -> None:
        """Raises ProblemError when the token is not taken; then nothing has changed."""
        before = _identity(connection)
        account = await self._account(frame.jwt)
        if not before.customer.anonymous and before.customer != account.customer:
            raise ProblemError("other_account", "another account is logged in here: log out first", field="jwt")
        connection.identity = _logged_in(before, account)
        if before.customer.anonymous:
            await self._attach(connection, before.customer, account.customer)
        await self._welcome(connection, None, frame.session, frame.position)

    async def refresh(self, connection: Connection, frame: protocol.Refresh) -> None:
        """Raises ProblemError when the token is not taken, or is another account's."""
        before = _identity(connection)
        account = await self._account(frame.jwt)
        if account.customer != before.customer:
            raise ProblemError("other_account", "the token is for another account", field="jwt")
        identity = connection.identity = _logged_in(before, account)
        fields = {"upload_token": self._upload_token(identity), "expires": account.expires * 1000}
        connection.write(render.dump({"t": "refreshed", **fields}))

    async def logout(self, connection: Connection) -> None:
        """Revoke what this page came with, and send away every page that came with the same."""
        identity = _identity(connection)
        now = self._lobby.wall_clock()
        for name, expires in ((identity.token_id, identity.token_expires), (identity.jwt, identity.expires or 0)):
            if name and expires > now:
                await self._lobby.store.put(_REVOKED + name, "1", int((expires - now) * 1000) + 1)
        audience = connection.audience
        for other in tuple(audience.connections) if audience is not None else ():
            if other is connection or _same_token(_identity(other), identity):
                other.cut("logged_out", "logged out")

    async def upload_owner(self, token: str) -> str | None:
        """Whose files are uploaded with this token; None for nobody's. Raises StoreUnavailableError."""
        found = self._tokens.uploads.read(token, self._lobby.wall_clock())
        if found is None:
            return None
        customer, identity = found
        if await self._revoked(identity):
            return None
        return f"customer:{customer}"

    # ------------------------------------------------------------------ who it is

    async def _identify(self, connection: Connection, hello: protocol.Hello) -> tuple[Identity, str | None, str]:
        """The page's identity, the token that it should keep (None: nothing new), and its language."""
        now = self._lobby.wall_clock()
        visitor = self._tokens.visitors.read(hello.token, now) if hello.token else None
        if visitor is not None and await self._revoked(visitor.id):
            visitor = None
        token = None
        if visitor is None and not hello.jwt:
            token, visitor = self._tokens.visitors.mint(now)
        about = About(locale=hello.locale, page=hello.page, time_zone=hello.tz)
        language = language_of(hello.locale) if hello.locale else DEFAULT
        if visitor is not None:
            identity = Identity(visitor.customer, about, token_id=visitor.id, token_expires=visitor.expires)
        if not hello.jwt:
            return identity, token, language
        account = await self._account(hello.jwt)
        if visitor is None:
            identity = Identity(account.customer, about)
        else:
            await self._attach(connection, visitor.customer, account.customer)
        language = language_of(hello.locale or account.locale) if hello.locale or account.locale else DEFAULT
        return _logged_in(identity, account), None, language

    async def _account(self, token: str) -> Account:
        account = self._tokens.site.read(token, self._lobby.wall_clock())
        if await self._revoked(account.digest):
            raise ProblemError("token_refused", "the token was revoked by a logout", field="jwt")
        return account

    async def _revoked(self, name: str) -> bool:
        return bool(name) and await self._lobby.store.get(_REVOKED + name) is not None

    async def _attach(self, connection: Connection, visitor: CustomerKey, account: CustomerKey) -> None:
        """Take the visitor's open session along, unless the account has one open.

        First the account's books, then the session: a crash between is mended by the next hello, which does both again.
        """
        stored = await self._latest(visitor)
        if stored is None or stored.session.state is State.CLOSED:
            return
        if await self._lobby.store.attach(account, stored.session.id):
            await self._lobby.relay.link(stored, account)
            self._lobby.start_anew(visitor, but=connection)

    async def _latest(self, customer: CustomerKey) -> Stored | None:
        """The customer's open session, else their latest. From the store: what this process remembers may be old."""
        store = self._lobby.store
        session = await store.open_session(customer)
        stored = await store.load(session) if session is not None else None
        return stored if stored is not None and stored.session.customer == customer else None

    # ------------------------------------------------------------------ the welcome

    async def _welcome(self, connection: Connection, token: str | None, code: str, position: Position | None) -> None:
        identity = _identity(connection)
        connection.pause()
        audience = self._lobby.join(connection, identity.customer)  # before reading: what comes meanwhile is missed,
        stored = await self._latest(identity.customer)  # noticed, and caught up with
        resumed = await self._resumed(stored, code, position)
        if connection.leaving:
            return
        frames = self._frames(connection, identity, token, stored, resumed, code)
        connection.write(render.dump(frames[0]))
        if len(frames) > 1:
            await self._send_rest(connection, frames[1:])
        if stored is None or resumed is None:
            connection.go_live(None, None)
            return
        audience.follow_session(stored.session)
        connection.go_live(stored.session.id, resumed.position)
        await self._lobby.arrive(stored)

    async def _resumed(self, stored: Stored | None, code: str, position: Position | None) -> Resumed | None:
        """What the page is missing, with all of its recent messages that have reached the desk by now."""
        if stored is None:
            return None
        known = position if code == stored.session.code else None
        resumed = await self._lobby.feed.catch_up(stored, known)
        mine = _recent_own(stored.session)
        reached = await self._lobby.store.posted(stored.session.id, mine) if mine else set()
        return Resumed(resumed.complete, resumed.shown, resumed.reached | reached, resumed.position)

    def _frames(
        self,
        connection: Connection,
        identity: Identity,
        token: str | None,
        stored: Stored | None,
        resumed: Resumed | None,
        code: str,
    ) -> list[dict[str, Any]]:
        """The welcome, and the rest of a long history."""
        frame = {"t": "welcome", "v": protocol.VERSION, **self._who(identity, token), **self._house(connection)}
        if stored is None or resumed is None:
            nothing: dict[str, Any] = {"session": None, "position": None, "reached": [], "events": [], "more": False}
            return [{**frame, **nothing, "queue": None, "resume": "reset" if code else "complete"}]
        session, renderer = stored.session, self._lobby.renderer
        reader = Reader(render.owner_of(identity.customer), connection.language)
        pages = renderer.pages(session, resumed, reader)
        first = {
            "session": renderer.session(session, connection.language),
            "resume": "complete" if resumed.complete else "reset",
            "position": render.position(resumed.position),
            "queue": self._queue(session),
            "reached": [render.own_client_id(one) for one in sorted(resumed.reached)],
            "events": pages[0],
            "more": len(pages) > 1,
        }
        rest = [{"t": "events", "events": page, "reached": [], "more": page is not pages[-1]} for page in pages[1:]]
        return [{**frame, **first}, *rest]

    def _queue(self, session: Session) -> dict[str, Any] | None:
        queue = self._lobby.feed.queue(session)
        return None if queue is None else render.place(queue)

    async def _send_rest(self, connection: Connection, frames: Sequence[dict[str, Any]]) -> None:
        try:
            async with timeout(WELCOME_WITHIN):
                for frame in frames:
                    if not connection.leaving:
                        await connection.outlet.send(render.dump(frame))
        except TimeoutError:
            connection.cut("slow", "the history was not taken in time")

    def _who(self, identity: Identity, token: str | None) -> dict[str, Any]:
        customer = {
            "kind": "visitor" if identity.customer.anonymous else "account",
            "name": identity.about.name or None,
            "expires": identity.expires * 1000 if identity.expires is not None else None,
        }
        return {"customer": customer, "token": token, "upload_token": self._upload_token(identity)}

    def _upload_token(self, identity: Identity) -> str:
        """An account's uploads end with its login; a visitor's token can be revoked, so it is named in theirs."""
        if identity.expires is not None:
            return self._tokens.uploads.mint(identity.customer, "", identity.expires)
        return self._tokens.uploads.mint(
            identity.customer, identity.token_id, self._lobby.wall_clock() + UPLOAD_SECONDS
        )

    def _house(self, connection: Connection) -> dict[str, Any]:
        """What the settings say to every page."""
        settings = self._lobby.settings
        return {
            "limits": {
                "text": TEXT_LIMIT,
                "parts": PARTS_LIMIT,
                "file": self._limits.file_bytes,
                "chunk": self._limits.chunk_bytes,
                "revise": self._lobby.house.revise_within,
            },
            "now": int(self._lobby.wall_clock() * 1000),
            "reactions": list(CUSTOMERS),
            "beat": settings.limits.beat,
            "topics": list(self._topics()),
            "topic_titles": {topic: dict(self._titles.get(topic, {})) for topic in self._topics()},
            "topic_under": {topic: self._under[topic] for topic in self._topics() if topic in self._under},
            "brand": {"name": settings.brand.name, "colour": settings.brand.colour},
            "contact": _contact(settings),
            "emergency": [
                {"url": link.url, "title": title_in(link.titles, connection.language)} for link in settings.emergency
            ],
            "policy_url": settings.contact.recording_policy,
            "seen": settings.seen,
            **self._lobby.house.news(connection.language),
        }


def _identity(connection: Connection) -> Identity:
    if connection.identity is None:
        raise AssertionError("only hello is taken from a page without an identity")
    return connection.identity


def _logged_in(before: Identity, account: Account) -> Identity:
    """The account, with the page that it is on and the visitor that it was."""
    about = About(account.name, before.about.locale, before.about.page, before.about.time_zone, account.claims)
    visitor = before.customer if before.customer.anonymous else before.visitor
    return Identity(
        account.customer, about, visitor, before.token_id, before.token_expires, account.digest, account.expires
    )


def _same_token(one: Identity, other: Identity) -> bool:
    return (one.token_id != "" and one.token_id == other.token_id) or (one.jwt != "" and one.jwt == other.jwt)


def _recent_own(session: Session) -> list[MessageId]:
    return [one.message for one in session.recent if one.side is Side.CUSTOMER]


def _contact(settings: WebSettings) -> list[dict[str, str | None]]:
    contact = settings.contact
    ways = (
        ("help", contact.help_centre, None),
        ("faq", contact.faq, None),
        ("mail", contact.mail, None),
        ("phone", contact.phone, contact.phone_hours),
    )
    return [{"kind": kind, "value": value, "hours": hours} for kind, value, hours in ways if value]
