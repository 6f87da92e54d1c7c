"""The bridge's own lines in a thread, and calls: whom they mention.

A mention rings only whom the call names in `allowed_mentions`: a name of a customer's that looks like one rings nobody.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from adapters.discord import render
from adapters.discord.refs import NAME
from adapters.discord.render import Rendered
from bridge.directory import Directory
from bridge.networks.attention import Called
from bridge.networks.canned import DeskTitle
from bridge.networks.card import Wording
from routing.effects import AlertDesk, CallOperators, PostLine
from routing.ids import OperatorId
from routing.policy import AlertBy, RungKind
from routing.session import Session

Whom = Callable[[Session, AlertDesk], Awaitable[Called | None]]
"""See `bridge.networks.attention.Attention.whom`."""

RUNG = 50
"""People whom one line calls: Discord takes a hundred, and what names them has to fit into 2,000 characters."""

_OF_OTHERS = {"why": "escalation", "promise": "promise"}
"""Words that are keys themselves, and under which prefix they are worded."""


async def everybody_here(session: Session, effect: AlertDesk) -> Called:
    """Where nobody knows who is on."""
    del session
    return Called(effect.by if effect.by is not AlertBy.AVAILABLE else AlertBy.HERE, group=effect.group)


class Calls:
    """`whom` asks whom an alert calls now."""

    def __init__(self, directory: Directory, wording: Wording, whom: Whom, desk_title: DeskTitle) -> None:
        self._directory = directory
        self._wording = wording
        self._whom = whom
        self._desk_title = desk_title

    def line(self, session: Session, effect: PostLine | CallOperators, onward: str = "") -> Rendered:
        """A line of the bridge's own, with who is called, if anybody is. `onward`: where the session goes on, should
        that be on another network."""
        words = self._words(session, effect, onward)
        if not isinstance(effect, CallOperators):
            return render.line(words)
        if effect.kind is RungKind.GROUP and effect.to_whom:
            return render.line(f"<@&{effect.to_whom}> {words}", roles=(effect.to_whom,))
        if effect.operator is None:
            return render.line(words, called=True)
        user = self.user(effect.operator)
        name = f"<@{user}>" if user else render.escape(self._directory.public_name(effect.operator, session.language))
        return render.line(f"{name} {words}", users=(user,) if user else (), called=True)

    def _words(self, session: Session, effect: PostLine | CallOperators, onward: str) -> str:
        language, here = session.language, session.mirror
        said = {name: self._word(language, name, value) for name, value in effect.words.items()}
        desk = render.escape(self._desk_title(session.desk, language))
        said["place"] = f"<#{here.place}>" if here.network == NAME else f"[{desk}](<{onward}>)" if onward else desk
        return self._wording(language, f"line.{effect.key}", **said)

    def _word(self, language: str, name: str, value: str) -> str:
        if name == "operator":
            user = self.user(OperatorId(value))
            return f"<@{user}>" if user else render.escape(value)
        if name in ("due", "since"):
            return render.clock(int(value))
        return self._wording(language, f"{_OF_OTHERS[name]}.{value}") if name in _OF_OTHERS else render.escape(value)

    async def called(self, session: Session, effect: AlertDesk) -> Called | None:
        """Whom an alert calls now; None when nobody is to be disturbed."""
        return await self._whom(session, effect)

    def alert(self, session: Session, effect: AlertDesk, called: Called) -> Rendered:
        """That a session waits, to those who could take it."""
        count = {"count": str(called.waiting)} if called.waiting else {}
        words = self._wording(session.language, f"line.alert_{effect.why}", **count)
        users = tuple(user for one in called.operators if (user := self.user(one)) is not None)[:RUNG]
        if users:
            return render.line(f"{' '.join(f'<@{user}>' for user in users)} {words}", users=users)
        if called.by is AlertBy.GROUP:
            return render.line(f"<@&{called.group}> {words}", roles=(called.group,))
        sign = "@everyone" if called.by is AlertBy.CHANNEL else "@here"
        return render.line(f"{sign} {words}", everyone=True)

    def user_of(self, effect: CallOperators) -> str | None:
        """Of who is on call, as far as they work on Discord."""
        return self._directory.network_user(NAME, effect.operator) if effect.operator else None

    def user(self, operator: OperatorId) -> str | None:
        """Their Discord user; somebody of Discord's whom the directory does not know bears it in their id."""
        known = self._directory.network_user(NAME, operator)
        if known is None and operator.startswith(f"{NAME}:") and self._directory.get(operator) is None:
            return operator.rpartition(":")[2]
        return known
