"""A session told by its inputs, judged by the real rules; for tests that read journals."""

from __future__ import annotations

from dataclasses import replace

from bridge.ports import Entry, Stored
from routing import inputs as i
from routing.decide import Decision, decide
from routing.ids import (
    CustomerKey,
    DeskId,
    InputKey,
    MessageId,
    NetworkName,
    OperatorId,
    Place,
    SessionId,
    ShortCode,
    Topic,
)
from routing.policy import Desk, Policy
from routing.session import Session

KENJI, AIKO = OperatorId("op-kenji"), OperatorId("op-aiko")
EN, JA = DeskId("en"), DeskId("ja")
CONSOLE = NetworkName("console")
POLICY = Policy({one: Desk(one, CONSOLE, Place(one), languages=(one,)) for one in (EN, JA)})


class Story:
    """Tells one input after the other; a second passes between two."""

    def __init__(self, account: str = "~mia", number: int = 1) -> None:
        self.now = 1_700_000_000_000
        self.entries: list[Entry] = []
        self._session: Session | None = None
        self._opening = i.Opening(
            SessionId(f"main.0.{number:016x}"),
            ShortCode(f"AA{number:02}"),
            CustomerKey("main", account),
            False,
            "en",
            Topic("trading"),
        )

    @property
    def session(self) -> Session:
        if self._session is None:
            raise AssertionError("the story has not begun")
        return self._session

    @property
    def stored(self) -> Stored:
        return Stored(self.session, len(self.entries), 0, "", "e")

    def tell(self, event: i.Input) -> Story:
        self.now += 1_000
        key = InputKey(f"test/{len(self.entries)}/{self.now}")
        verdict = decide(self._session, event, key=key, now=self.now, policy=POLICY)
        if not isinstance(verdict, Decision):
            raise AssertionError(f"not taken: {verdict}")
        self._session = verdict.session
        self.entries += [Entry(len(self.entries) + place, "t", None, fact) for place, fact in enumerate(verdict.facts)]
        return self

    def customer_writes(self, message: str) -> Story:
        event = i.CustomerWrote(MessageId(message))
        return self.tell(replace(event, opening=self._opening) if self._session is None else event)

    def replies(self, message: str, operator: OperatorId = KENJI) -> Story:
        return self.tell(i.OperatorReplied(MessageId(message), operator))

    def notes(self, message: str, operator: OperatorId = KENJI) -> Story:
        return self.tell(i.OperatorNoted(MessageId(message), operator))

    def receives(self, message: str, *, seen: bool = False) -> Story:
        return self.tell(i.CustomerReceived(MessageId(message), seen))
