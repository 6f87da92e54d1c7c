"""Effects: what the outside should do, in the imperative. Committed with the facts, delivered by the lanes.

An effect carries ids, never text: whoever delivers it reads the body then, so an erased message cannot be posted late.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from routing.facts import Side
from routing.ids import EffectId, MessageId, NetworkName, OperatorId


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """`to` names the lane's destination, `mirror` the thread on it."""

    id: EffectId
    to: NetworkName
    mirror: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenThread(Effect):
    """Post the mirror's root, its card. The first effect of every mirror."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostMessage(Effect):
    message: MessageId
    revision: int
    side: Side
    operator: OperatorId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviseMessage(Effect):
    message: MessageId
    revision: int
    side: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawMessage(Effect):
    message: MessageId
    side: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class PostLine(Effect):
    """One of the bridge's own lines in the thread, by key; wording lives in the locale files."""

    key: str
    words: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteMirror(Effect):
    """Delete whatever of the session can be deleted on the network: the thread, the posts, the files."""


EFFECTS: tuple[type[Effect], ...] = (
    OpenThread,
    PostMessage,
    ReviseMessage,
    WithdrawMessage,
    PostLine,
    DeleteMirror,
)
