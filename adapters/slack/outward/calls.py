"""Calling operators: the rungs of a ladder that end on Slack, and in which words.

In the session's thread a call is a line with a mention. In a channel or a direct message, where nobody sees the thread,
it is one line that decides: code, language, topic, since when, and the way there. No customer's words leave the thread.
"""

from __future__ import annotations

from collections.abc import Callable

from adapters.slack.places.history import History, with_effect
from adapters.slack.places.threads import metadata
from adapters.slack.refs import NAME, Post, Root
from adapters.slack.render import DAY, Rendered, Title, Wording, clock, line
from adapters.slack.text.markup import escape
from adapters.slack.wire.client import WebApi
from bridge.directory import Directory
from bridge.networks.canned import DeskTitle
from bridge.networks.pacing import Urgency
from bridge.ports import Delivered, Delivery
from routing.effects import CallOperators, PostLine
from routing.ids import OperatorId
from routing.policy import RungKind
from routing.session import Session

IN_THREAD = (RungKind.THREAD, RungKind.GROUP)

_OF_OTHERS = {"why": "escalation", "promise": "promise"}
"""Words that are keys themselves, and under which prefix they are worded."""


class Calls:
    """`link` is a root's address, `team` the app's own workspace."""

    def __init__(
        self,
        api: WebApi,
        directory: Directory,
        wording: Wording,
        title: Title,
        link: Callable[[Root], str],
        team: Callable[[], str],
        desk_title: DeskTitle,
    ) -> None:
        self._api = api
        self._history = History(api)
        self._directory = directory
        self._wording = wording
        self._title = title
        self._link = link
        self._team = team
        self._desk_title = desk_title

    # ------------------------------------------------------------------ words

    def words(self, session: Session, effect: PostLine | CallOperators, onward: str = "") -> str:
        """A line of the bridge's own, with what stands in it: people by mention, times in each reader's zone. `onward`:
        where the session goes on, should that be on another network."""
        language, here = session.language, session.mirror
        said = {name: self._word(language, name, value) for name, value in effect.words.items()}
        desk = escape(self._desk_title(session.desk, language))
        said["place"] = f"<#{here.place}>" if here.network == NAME else f"<{onward}|{desk}>" if onward else desk
        return self._wording(language, f"line.{effect.key}", **said)

    def _word(self, language: str, name: str, value: str) -> str:
        if name == "operator":
            return self._mention(OperatorId(value)) or escape(value)
        if name in ("due", "since"):
            return clock(int(value), DAY)
        return self._wording(language, f"{_OF_OTHERS[name]}.{value}") if name in _OF_OTHERS else escape(value)

    def in_thread(self, session: Session, effect: CallOperators) -> str:
        """Who is called, and why."""
        group = f"<!subteam^{effect.to_whom}>" if effect.kind is RungKind.GROUP and effect.to_whom else ""
        called = group or (self._named(effect.operator, session.language) if effect.operator else "")
        return f"{called} {self.words(session, effect)}".strip()

    def _named(self, operator: OperatorId, language: str) -> str:
        """By mention; who works elsewhere, by the name that colleagues and customers know."""
        return self._mention(operator) or escape(self._directory.public_name(operator, language))

    def _mention(self, operator: OperatorId) -> str:
        user = self.user(operator)
        return f"<@{user}>" if user else ""

    def user(self, operator: OperatorId) -> str | None:
        """Their Slack user; somebody of Slack's whom the directory does not know bears it in their id."""
        known = self._directory.network_user(NAME, operator)
        if known is None and operator.startswith(f"{NAME}:") and self._directory.get(operator) is None:
            return operator.rpartition(":")[2]
        return known

    def one_line(self, delivery: Delivery, words: str) -> Rendered:
        """What stands where nobody sees the thread: which session, since when, the words, and the way there."""
        session = delivery.session
        known = [session.code, escape(session.language), escape(self._title(session.topic, session.language))]
        if session.waiting_since is not None:
            known.append(self._wording(session.language, "call.since", time=clock(session.waiting_since, DAY)))
        told = f"*{' · '.join(known)}*\n{words}"
        if delivery.thread:
            told += f"\n<{self._link(Root.of(delivery.thread))}|{self._wording(session.language, 'call.open')}>"
        return line(told)

    # ------------------------------------------------------------------ beyond the thread

    async def deliver(self, delivery: Delivery, effect: CallOperators) -> Delivered:
        """Say it in a channel, or to who is on call: directly, or in the desk's channel where their user is unknown."""
        place = await self._place(delivery, effect)
        told = metadata(effect.id, delivery.session.id, effect.mirror)
        rendered = self.one_line(delivery, self.words(delivery.session, effect)).posted
        answer = await self._api.call(
            "chat.postMessage", urgency=Urgency.WORDS, channel=place, metadata=told, **rendered
        )
        return Delivered(posts=(Post(self._team(), answer["channel"], answer["ts"]).ref,))

    async def find(self, delivery: Delivery, effect: CallOperators) -> list[Delivered]:
        """See `bridge.ports.Network`."""
        place = await self._place(delivery, effect)
        messages = await self._history.channel(place, delivery.session.opened_at)
        found = with_effect(messages, effect.id)
        return [Delivered(posts=(Post(self._team(), place, one["ts"]).ref,)) for one in found]

    async def _place(self, delivery: Delivery, effect: CallOperators) -> str:
        user = self._directory.network_user(NAME, effect.operator) if effect.operator else None
        if effect.kind is RungKind.ON_CALL and user is not None:
            opened = await self._api.call("conversations.open", users=user)
            return str(opened["channel"]["id"])
        return effect.to_whom if effect.kind is RungKind.CHANNEL and effect.to_whom else delivery.session.mirror.place
