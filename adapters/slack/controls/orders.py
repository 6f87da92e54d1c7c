"""How Slack shows what came of a typed command: to who typed it, alone. See `bridge.networks.typed_commands`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from adapters.slack.controls.commands import ROWS, Drawn, drawn
from adapters.slack.parse import Revised, Said
from adapters.slack.refs import Root
from adapters.slack.render import Block
from adapters.slack.shown import held, sheet
from bridge.networks.answers import Answers
from bridge.networks.commands import Command
from bridge.networks.face import Face
from bridge.networks.orders import Orders
from bridge.networks.typed_commands import SIGN, Shown, TypedCommands
from bridge.ports import Store
from bridge.relay import Door
from routing.ids import DeskId, InputKey, OperatorId
from routing.session import Session

Tell = Callable[[InputKey, Root, str, str, Sequence[Block]], None]

_MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>")


class ShownOrders:
    """`tell(key, root, user, text, blocks)` shows something to one person; `face(language)` says how things are called
    in it; `operator` whose user in our workspace is whose."""

    def __init__(
        self, answers: Answers, operator: Callable[[str], OperatorId | None], face: Callable[[str], Face], tell: Tell
    ) -> None:
        self._answers = answers
        self._operator = operator
        self._face = face
        self._tell = tell

    async def show(self, said: Said, shown: Shown) -> None:
        """An edit is told of beside what is told of the message."""
        about = "/command" if isinstance(said, Revised) else ""
        one = self._drawn(shown)
        self._tell(InputKey(f"{said.key}{about}"), said.root, said.author.user, one.text, one.blocks)

    def _drawn(self, shown: Shown) -> Drawn:
        face = self._face(shown.language)
        if shown.at is not None:
            text = face.say(shown.key, time=sheet.fallback(shown.at), **shown.words)
            return Drawn(text, [sheet.notice(sheet.timed(face, shown.key, shown.at, **shown.words))])
        text = f"{face.say(shown.key, **shown.words)} {shown.more}".strip()
        offer = shown.offer
        if offer is None:
            return Drawn(text)
        return Drawn(text, held.offer(shown.session, offer, text, face.wording))

    async def answer(self, said: Said, asked: Command, operator: OperatorId) -> None:
        """What can be asked for anywhere."""
        face = self._face(self._answers.roster.language(operator))
        answer = await self._answers.answer(asked, operator, ROWS)
        one = drawn(answer, face, SIGN, self._desks(operator))
        self._tell(said.key, said.root, said.author.user, one.text, one.blocks)

    def mentioned(self, said: Said) -> OperatorId | None:
        """The first colleague whom it names in Slack's own way."""
        found = _MENTION.search(said.text)
        return self._operator(found[1]) if found else None

    def language(self, operator: OperatorId | None, session: Session) -> str:
        return self._answers.roster.language(operator) if operator else session.language

    def _desks(self, operator: OperatorId) -> list[DeskId]:
        return [desk.id for desk in self._answers.roster.desks(operator)]


def typed_orders(
    orders: Orders, door: Door, store: Store, face: Callable[[str], Face], shown: ShownOrders
) -> TypedCommands[Said]:
    return TypedCommands(
        orders=orders,
        door=door,
        store=store,
        wording=face("en").wording,
        show=shown.show,
        answer=shown.answer,
        mentioned=shown.mentioned,
        language=shown.language,
    )
