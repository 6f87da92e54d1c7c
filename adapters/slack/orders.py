"""Typed commands: what somebody writes in a session's thread for us, and for no customer.

Slack has no slash commands in threads, so `!claim` is typed as a message. It acts when it is written and never by an
edit, and neither way do its words reach the customer: a command is no message of the session's, and what begins like
one and is none stays inside as a note.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Sequence

from adapters.slack import held, sheet
from adapters.slack.commands import ROWS, Drawn, drawn
from adapters.slack.parse import Revised, Said
from adapters.slack.refs import Root
from adapters.slack.render import Block
from adapters.slack.sheet import Face
from bridge.answers import Answers
from bridge.commands import ANYWHERE, Command, Mistyped, Verb, typed
from bridge.explanations import offered
from bridge.orders import Amiss, Order, Orders
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

Tell = Callable[[InputKey, Root, str, str, Sequence[Block]], None]

_MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>")


class TypedOrders:
    """`tell(key, root, user, text, blocks)` shows something to one person; `face(language)` says how things are
    called in it; `operator` whose user in our workspace is whose."""

    def __init__(
        self,
        *,
        orders: Orders,
        answers: Answers,
        door: Door,
        store: Store,
        operator: Callable[[str], OperatorId | None],
        face: Callable[[str], Face],
        tell: Tell,
    ) -> None:
        self._orders = orders
        self._answers = answers
        self._door = door
        self._store = store
        self._operator = operator
        self._face = face
        self._tell = tell
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

    async def take(self, said: Said, stored: Stored, asked: Command, operator: OperatorId) -> Answer | None:
        """Do what a command asks; None where it asked nothing of the session. Raises as `Inbound.take` does."""
        self._remember(said.message)
        face = self._face(self._answers.roster.language(operator))
        if asked.verb in ANYWHERE:
            answer = await self._answers.answer(asked, operator, ROWS)
            self._show(said, drawn(answer, face, SIGN, self._desks(operator)))
            return None
        order = self._orders.order(asked, operator, stored.session, await self._store.now(), self._mentioned(said))
        if isinstance(order, Amiss):
            self._show(said, Drawn(self._amiss(order, asked, face)))
            return None
        done = await self._door.from_operator(stored.session.id, order.event, said.key)
        if isinstance(done, Receipt):
            self._show(said, self._confirmed(order, asked.verb, done.stored.session, face))
        return done

    def explain(self, said: Said, session: Session, asked: Mistyped, operator: OperatorId | None) -> None:
        """Why it stayed inside, what was perhaps meant, and the button that sends it after all."""
        face = self._face(self._answers.roster.language(operator) if operator else session.language)
        text = f"{_mistyped(asked, face)} {face.say('command.kept')}"
        spoken = session.spoken(said.message)
        if spoken is None or session.state is State.CLOSED:
            return self._show(said, Drawn(text))
        about = offered(session, said.message)
        return self._show(said, Drawn(text, held.offer(session, about, text, face.wording)))

    def _mentioned(self, said: Said) -> OperatorId | None:
        """The first colleague whom it names in Slack's own way."""
        found = _MENTION.search(said.text)
        return self._operator(found[1]) if found else None

    def _desks(self, operator: OperatorId) -> list[DeskId]:
        return [desk.id for desk in self._answers.roster.desks(operator)]

    def _amiss(self, amiss: Amiss, asked: Command, face: Face) -> str:
        desks = ", ".join(face.desk_name(one) for one in self._orders.desks())
        word = f"{SIGN}{sheet.word(asked.verb, face)}"
        return face.say(f"command.{amiss.key}", word=word, outcomes=sheet.outcomes(face), desks=desks)

    def _confirmed(self, order: Order, verb: Verb, session: Session, face: Face) -> Drawn:
        key, code = f"command.done.{verb}", session.code
        words = {name: str(value) for name, value in order.words.items()}
        if "outcome" in words:
            words["outcome"] = sheet.outcome(words["outcome"], face)
        if "desk" in words:
            words["desk"] = face.desk_name(DeskId(words["desk"]))
        if "time" in words:
            at = int(words.pop("time"))
            return Drawn(
                face.say(key, code=code, time=sheet.fallback(at)), [sheet.notice(sheet.timed(face, key, at, code=code))]
            )
        return Drawn(face.say(key, code=code, **words))

    # ------------------------------------------------------------------ when it is edited

    async def takes_edit(self, revised: Revised, session: Session, asked: Command | Mistyped | None) -> bool:
        """A command acts when it is written: whoever edits into one, or out of it, is told so. True when the message
        was a command, and so is no message of the session's whose words could change."""
        was = await self._was_command(revised, session)
        if was or self.acts(asked):
            face = self._face(session.language)
            self._show(revised, Drawn(face.say("command.was" if asked is None else "command.edited")), "/command")
        return was

    async def _was_command(self, revised: Revised, session: Session) -> bool:
        """Something was done for it, and no words of it were kept; or nothing was, and this process remembers."""
        if revised.message in self._acted:
            return True
        if session.spoken(revised.message) or session.held(revised.message):
            return False
        known = await self._store.wrote_before(session.customer, revised.original)
        return known is not None and not await self._store.has_body(session.id, revised.message)

    # ------------------------------------------------------------------ what is told

    def _show(self, said: Said, shown: Drawn, about: str = "") -> None:
        self._tell(InputKey(f"{said.key}{about}"), said.root, said.author.user, shown.text, shown.blocks)

    def _remember(self, message: MessageId) -> None:
        self._acted[message] = None
        if len(self._acted) > REMEMBERED:
            self._acted.popitem(last=False)


def _mistyped(asked: Mistyped, face: Face) -> str:
    if asked.misplaced:
        verb = next((one for one in Verb if one.value == asked.word), None)
        word = sheet.word(verb, face) if verb else asked.word
        return face.say("command.misplaced", word=f"{SIGN}{word}")
    nearest = sheet.nearest(asked.nearest, SIGN, sheet.word(Verb.HELP, face), face)
    return face.say("command.unknown", word=asked.word[: sheet.SOUGHT], nearest=nearest)
