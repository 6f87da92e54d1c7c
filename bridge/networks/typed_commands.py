"""Typed commands: what somebody writes in a session's thread for us, and for no customer. On every network.

`!claim` is typed as a message. It acts when it is written and never by an edit, and neither way do its words reach the
customer: a command is no message of the session's, and what begins like one and is none stays inside as a note. How
somebody is shown what came of it, each network knows.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from bridge.messages import one_line
from bridge.networks.card import Wording
from bridge.networks.commands import ANYWHERE, RESULTS, Command, Mistyped, Verb, spoken, typed
from bridge.networks.explanations import Offer, offered
from bridge.networks.orders import Amiss, Order, Orders
from bridge.ports import Store, Stored
from bridge.relay import Answer, Door, Receipt
from routing.ids import DeskId, InputKey, MessageId, OperatorId
from routing.inputs import Manner
from routing.session import Session, State

SIGN = "!"
"""The sign by which commands are called in what we say; `/` is understood, too."""

REMEMBERED = 10_000
"""Commands that nothing was done for, by their messages: the journal knows of the others."""

MANNERS = {Verb.NOTE: Manner.NOTE, Verb.SEND: Manner.REPLY}
"""Commands that are words: what follows them is said."""

SOUGHT, TITLE = 60, 40
"""Characters that are repeated of what somebody typed, and of a desk's title."""


class Written(Protocol):
    """Somebody's message in a thread, as a network tells of it. `original` is the key of the message itself, whatever
    became of it."""

    @property
    def key(self) -> InputKey: ...
    @property
    def message(self) -> MessageId: ...
    @property
    def original(self) -> InputKey: ...


W = TypeVar("W", bound=Written)


@dataclass(frozen=True, slots=True)
class Shown:
    """What came of a command: a wording by key, in whose language, with what stands in it. `at` is the moment behind
    `{time}` (ms since 1970). `more` follows in the same breath; `offer` is a note that can be sent after all."""

    session: Session
    language: str
    key: str
    words: Mapping[str, str] = field(default_factory=dict)
    at: int | None = None
    more: str = ""
    offer: Offer | None = None


class TypedCommands(Generic[W]):
    """`show(said, shown)` shows it to who wrote; `answer(said, asked, operator)` what is asked for anywhere;
    `mentioned(said)` is the first colleague whom a message names in the network's own way; `language(operator)` is
    whose language they read."""

    def __init__(
        self,
        *,
        orders: Orders,
        door: Door,
        store: Store,
        wording: Wording,
        show: Callable[[W, Shown], Awaitable[None]],
        answer: Callable[[W, Command, OperatorId], Awaitable[None]],
        mentioned: Callable[[W], OperatorId | None],
        language: Callable[[OperatorId | None, Session], str],
    ) -> None:
        self._orders = orders
        self._door = door
        self._store = store
        self._wording = wording
        self._show = show
        self._answer = answer
        self._mentioned = mentioned
        self._language = language
        self._acted: OrderedDict[MessageId, None] = OrderedDict()

    # ------------------------------------------------------------------ what it is

    def read(self, text: str) -> Command | Mistyped | None:
        """What plain `text` asks for; None: it is words, as any other."""
        return typed(text, self._orders.vocabulary)

    def acts(self, asked: Command | Mistyped | None) -> bool:
        """Whether it is a command that is no words."""
        return isinstance(asked, Command) and asked.verb not in MANNERS

    def manner(self, asked: Command | Mistyped) -> tuple[Manner, int]:
        """How its words are meant, and where they begin. Whatever is not plainly words stays inside, as a whole."""
        if isinstance(asked, Command) and asked.verb in MANNERS:
            return MANNERS[asked.verb], asked.begins
        return Manner.NOTE, 0

    # ------------------------------------------------------------------ when it is written

    async def take(self, said: W, stored: Stored, asked: Command, operator: OperatorId) -> Answer | None:
        """Do what a command asks; None where it asked nothing of the session. Raises as the door does."""
        self._remember(said.message)
        if asked.verb in ANYWHERE:
            await self._answer(said, asked, operator)
            return None
        session = stored.session
        order = self._orders.order(asked, operator, session, await self._store.now(), self._mentioned(said))
        language = self._language(operator, session)
        if isinstance(order, Amiss):
            await self._show(said, self._amiss(order, asked, session, language))
            return None
        done = await self._door.from_operator(session.id, order.event, said.key)
        if isinstance(done, Receipt):
            await self._show(said, self._confirmed(order, asked.verb, done.stored.session, language))
        return done

    async def explain(self, said: W, session: Session, asked: Mistyped, operator: OperatorId | None) -> None:
        """Why it stayed inside, what was perhaps meant, and the offer to send it after all."""
        language = self._language(operator, session)
        closed = session.spoken(said.message) is None or session.state is State.CLOSED
        shown = self._mistyped(asked, session, language, None if closed else offered(session, said.message))
        await self._show(said, shown)

    def _amiss(self, amiss: Amiss, asked: Command, session: Session, language: str) -> Shown:
        words = {
            "word": f"{SIGN}{self.word(asked.verb, language)}",
            "outcomes": ", ".join(self._outcome(one, language) for one in RESULTS),
            "desks": ", ".join(self._desk(one, language) for one in self._orders.desks()),
        }
        return Shown(session, language, f"command.{amiss.key}", words)

    def _confirmed(self, order: Order, verb: Verb, session: Session, language: str) -> Shown:
        words = {"code": str(session.code)} | {name: str(value) for name, value in order.words.items()}
        if "outcome" in words:
            words["outcome"] = self._outcome(words["outcome"], language)
        if "desk" in words:
            words["desk"] = self._desk(DeskId(words["desk"]), language)
        at = words.pop("time", None)
        return Shown(session, language, f"command.done.{verb}", words, int(at) if at is not None else None)

    def _mistyped(self, asked: Mistyped, session: Session, language: str, offer: Offer | None) -> Shown:
        kept = self._wording(language, "command.kept")
        if asked.misplaced:
            verb = next((one for one in Verb if one.value == asked.word), None)
            word = self.word(verb, language) if verb else asked.word
            words = {"word": f"{SIGN}{word}"}
            return Shown(session, language, "command.misplaced", words, more=kept, offer=offer)
        words = {"word": asked.word[:SOUGHT], "nearest": self._nearest(asked, language)}
        return Shown(session, language, "command.unknown", words, more=kept, offer=offer)

    def _nearest(self, asked: Mistyped, language: str) -> str:
        """Where to go on from a word that is no command."""
        named = ", ".join(f"{SIGN}{one}" for one in asked.nearest)
        key = "command.nearest" if named else "command.nearest.none"
        return self._wording(language, key, words=named, help=f"{SIGN}{self.word(Verb.HELP, language)}")

    def word(self, verb: Verb, language: str) -> str:
        """What a command is called in the reader's language."""
        return next(iter(spoken(self._wording(language, f"command.{verb}"))), verb)

    def _outcome(self, one: str, language: str) -> str:
        return next(iter(spoken(self._wording(language, f"command.outcome.{one}"))), one)

    def _desk(self, desk: DeskId, language: str) -> str:
        return one_line(self._orders.title(desk, language), TITLE)

    # ------------------------------------------------------------------ when it is edited

    async def takes_edit(self, revised: W, session: Session, asked: Command | Mistyped | None) -> bool:
        """A command acts when it is written: whoever edits into one, or out of it, is told so. True when the message
        was a command, and so is no message of the session's whose words could change."""
        was = await self._was_command(revised, session)
        if was or self.acts(asked):
            key = "command.was" if asked is None else "command.edited"
            await self._show(revised, Shown(session, session.language, key))
        return was

    async def _was_command(self, revised: W, session: Session) -> bool:
        """Something was done for it, and no words of it were kept; or nothing was, and this process remembers."""
        if revised.message in self._acted:
            return True
        if session.spoken(revised.message) or session.held(revised.message):
            return False
        known = await self._store.wrote_before(session.customer, revised.original)
        return known is not None and not await self._store.has_body(session.id, revised.message)

    def _remember(self, message: MessageId) -> None:
        self._acted[message] = None
        if len(self._acted) > REMEMBERED:
            self._acted.popitem(last=False)
