"""`/chat` and a message's menu: what an operator asks by Discord's own means, answered to them alone.

What is about their own work is asked for anywhere; what is about a session, in its thread, which names it.
"""

from __future__ import annotations

from adapters.discord.controls import slash
from adapters.discord.controls.acting import Act, Acting
from adapters.discord.controls.callers import Callers
from adapters.discord.controls.home import Home
from adapters.discord.controls.naming import Naming
from adapters.discord.controls.replies import Reply
from adapters.discord.controls.windows import Windows
from adapters.discord.heard.happenings import Commanded, Shortcut
from adapters.discord.heard.posted import message_in
from adapters.discord.refs import NAME
from adapters.discord.render import Rendered
from adapters.discord.shown import sheet
from adapters.discord.shown.held import SEND
from bridge.networks.answers import Answers
from bridge.networks.card import Action, Wording
from bridge.networks.commands import IN_THREAD, Command, Verb
from bridge.networks.deeds import BARE
from bridge.networks.submissions import Submission
from bridge.networks.windows import REPLY
from bridge.ports import Store
from bridge.relay import Door
from routing.decide import Refusal
from routing.ids import MessageId, OperatorId
from routing.inputs import OperatorSent

ROWS, DESKS = 5, 6
"""Sessions and desks in an answer; the home shows more."""

SLASH = f"/{slash.COMMAND}"

ACTIONS = {
    Verb.CLAIM: Action.CLAIM,
    Verb.RELEASE: Action.PUT_BACK,
    Verb.ESCALATE: Action.ESCALATE,
    Verb.ACKNOWLEDGE: Action.ACKNOWLEDGE,
}
"""Commands that say all by themselves."""

WINDOWS = {
    Verb.HOLD: Action.HOLD,
    Verb.RESOLVE: Action.RESOLVE,
    Verb.TRANSFER: Action.TRANSFER,
    Verb.NOTE: Action.NOTE,
    slash.TEMPLATE: Action.TEMPLATES,
}
"""What a command opens when nothing is typed behind it."""


class Commands:
    def __init__(
        self,
        *,
        store: Store,
        door: Door,
        answers: Answers,
        acting: Acting,
        callers: Callers,
        naming: Naming,
        home: Home,
        windows: Windows,
        wording: Wording,
    ) -> None:
        self._store = store
        self._door = door
        self._answers = answers
        self._acting = acting
        self._callers = callers
        self._naming = naming
        self._home = home
        self._windows = windows
        self._wording = wording

    async def commanded(self, asked: Commanded, reply: Reply) -> None:
        verb = slash.verb_of(asked)
        if verb == slash.TEMPLATE or verb in IN_THREAD:
            return await self._of_a_session(verb, asked, reply)
        operator = await self._callers.operator(asked.author, reply)
        if operator is None:
            return None
        if not verb:  # another release has registered it
            return await reply.tell("command.failed", reply.language)
        if verb == Verb.HOME:
            return await self._home.show(operator, asked.author, reply)
        return await self._of_their_own(Verb(verb), asked, operator, reply)

    async def _of_their_own(self, verb: Verb, asked: Commanded, operator: OperatorId, reply: Reply) -> None:
        answer = await self._answers.answer(Command(verb, slash.given(asked, slash.SOUGHT)), operator, ROWS)
        roster = self._answers.roster
        face, desks = self._callers.face(roster.language(operator)), [one.id for one in roster.desks(operator)]
        await reply.say(sheet.drawn(answer, face, SLASH, desks, most=DESKS))

    # ------------------------------------------------------------------ of a session

    async def _of_a_session(self, verb: str, asked: Commanded, reply: Reply) -> None:
        placed = await self._naming.placed(asked.root)
        if placed is None:
            return await reply.tell("command.no_session", reply.language, word=f"`{SLASH} {verb}`")
        act = await self._acting.of(placed, asked.author, reply)
        if act is None:
            return None
        if verb in ACTIONS:
            return await self._deed(Verb(verb), asked, act)
        if not any(slash.given(asked, option) for option in slash.OPTIONS[verb]):
            return await self._windows.open(WINDOWS[verb], act)
        if verb == slash.TEMPLATE:
            return await self._windows.fill(slash.given(asked, slash.CODE).lstrip(";"), act)
        return await self._windows.take(self._submission(verb, asked, act), act)

    async def _deed(self, verb: Verb, asked: Commanded, act: Act) -> None:
        event = BARE[ACTIONS[verb]](act.operator)
        answer = await self._door.from_operator(act.stored.session.id, event, asked.key)
        if isinstance(answer, Refusal):
            return await act.reply.say(Rendered(await self._acting.why(act, answer.reason)))
        return await act.reply.tell(f"command.done.{verb}", act.language, code=act.stored.session.code)

    def _submission(self, verb: str, asked: Commanded, act: Act) -> Submission:
        """The same as its window filled in."""
        session = act.stored.session
        texts = {name: slash.given(asked, name) for name in (slash.WORDS, slash.REASON, slash.UNTIL)}
        named = {
            option: self._naming.meant(slash.given(asked, option), option, session)
            for option in (slash.DESK, slash.COLLEAGUE)
            if slash.given(asked, option)
        }
        return Submission(
            name=REPLY if verb == Verb.SEND else WINDOWS[verb],
            key=asked.key,
            message=MessageId(f"{NAME}:{asked.interaction.id}"),
            author=asked.author.user,
            placed=act.placed,
            texts={name: text for name, text in texts.items() if text},
            choices={
                "desk": (named.get(slash.DESK, session.desk),),
                "operator": tuple(filter(None, (named.get(slash.COLLEAGUE, ""),))),
                "outcome": (slash.given(asked, slash.OUTCOME),),
            },
        )

    # ------------------------------------------------------------------ a message's menu

    async def shortcut(self, shortcut: Shortcut, reply: Reply) -> None:
        """The message's thread names the session."""
        action = slash.chosen(shortcut.name, self._wording)
        placed = await self._naming.placed(shortcut.root) or await self._naming.of_card(shortcut.post)
        act = await self._acting.of(placed, shortcut.author, reply)
        if act is None:
            return None
        if action == SEND:
            return await self._send(shortcut, act)
        quote = shortcut.text if action == Action.NOTE else ""
        return await self._windows.open(Action(action), act, quote)

    async def _send(self, shortcut: Shortcut, act: Act) -> None:
        """A held message, or a note, goes out in the name of whoever chose it; whoever has posted it here."""
        session, place = act.stored.session, (act.placed.mirror, shortcut.post.channel, shortcut.id)
        message = await message_in(self._store, session, *place) or shortcut.message
        answer = await self._door.from_operator(session.id, OperatorSent(message, act.operator), shortcut.key)
        if isinstance(answer, Refusal):
            return await act.reply.say(Rendered(await self._acting.why(act, answer.reason)))
        return await act.reply.tell("told.sent", act.language)
