"""What a network shows at a message, compared with what is known: only what was missed is taken."""

from __future__ import annotations

from bridge.networks.reactions import Shown, unheard
from bridge.ports import Entry
from routing.facts import Actor, Fact, ReactionAdded, ReactionRemoved
from routing.ids import DeskId, InputKey, MessageId, NetworkName, OperatorId, Topic

ASKED, KENJI, MARY = MessageId("c:1"), OperatorId("kenji"), OperatorId("mary")
DISCORD = NetworkName("discord")


def put(sign: str, by: str = KENJI, *, at: int = 1, cause: str = "discord/1", on: bool = True) -> Fact:
    kind = ReactionAdded if on else ReactionRemoved
    known = {"actor": Actor.OPERATOR, "cause": InputKey(cause), "desk": DeskId("en"), "topic": Topic("t")}
    return kind(at=at, message=ASKED, reaction=sign, by=by, **known)  # type: ignore[arg-type]  # its fields


def missed(*facts: Fact, unsure: str = "", **signs: OperatorId) -> list[tuple[OperatorId, str, bool]]:
    journal = [Entry(number, "t", None, fact) for number, fact in enumerate(facts)]
    shown = Shown({sign: frozenset((by,)) for sign, by in signs.items()}, frozenset(unsure))
    return unheard(journal, ASKED, DISCORD, shown, since=10)


def test_what_is_there_and_not_known_was_put_on_and_what_is_known_and_not_there_was_taken_off() -> None:
    assert missed(put("a"), put("b"), b=KENJI, c=MARY) == [(MARY, "c", True), (KENJI, "a", False)]
    assert missed(put("a"), put("a", on=False), a=KENJI) == [(KENJI, "a", True)]
    assert missed(put("a"), a=KENJI) == []


def test_the_customers_own_and_what_was_put_there_elsewhere_are_left_alone() -> None:
    assert missed(put("a", by=""), put("b", cause="desk/1")) == []


def test_where_the_network_may_not_name_everybody_nothing_is_taken_off() -> None:
    assert missed(put("a"), unsure="a") == []


def test_what_was_heard_of_since_the_network_was_asked_holds() -> None:
    assert missed(put("a"), put("a", at=11, on=False), a=KENJI) == []
    assert missed(put("a", at=11)) == []
