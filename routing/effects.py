"""Effects: what the outside should do, in the imperative. Committed with the facts, delivered by the lanes.

An effect carries ids, never text: whoever delivers it reads the body then, so an erased message cannot be posted late.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from routing.facts import Cause, Side, Waits
from routing.ids import EffectId, MessageId, NetworkName, OperatorId, held_id, history_id, translation_id
from routing.policy import AlertBy, RungKind


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
    held: bool = False  # the network is told its files' types and sizes, and gets no bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviseMessage(Effect):
    message: MessageId
    revision: int
    side: Side
    held: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawMessage(Effect):
    message: MessageId
    side: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactToMessage(Effect):
    """Show or take off a reaction at the message's post; in words where the post cannot bear it."""

    message: MessageId
    reaction: str
    on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PostLine(Effect):
    """One of the bridge's own lines in the thread, by key; wording lives in the locale files."""

    key: str
    words: dict[str, str] = field(default_factory=dict)


MOVED = "moved"
"""The line that points from a thread to where its session goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskAboutHeld(Effect):
    """A line below held words, with what can be done: send them or keep them; until they leave, undo. It says the words
    where no thread does. Asked again, it says what they are now."""

    message: MessageId


@dataclass(frozen=True, slots=True, kw_only=True)
class EndHeld(Effect):
    """Nothing is to be decided any more. The line says by `key` what was, or goes where that is empty."""

    message: MessageId
    key: str = ""
    operator: OperatorId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOperators(Effect):
    """A rung of the ladder on the network: a mention in the thread, a line in a channel, a direct message, a group.

    `to_whom`: the channel or group of the rung, else empty. `operator`: who is on call, or the assignee.
    """

    kind: RungKind
    to_whom: str = ""
    operator: OperatorId | None = None
    key: str
    words: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDesk(Effect):
    """Tell the desk that the session waits. Whom that calls is asked when it is delivered: `bridge.networks.attention`.

    `opened`: when the desk opened, for those that waited for it; they are told of together.
    """

    why: Waits
    by: AlertBy
    group: str = ""
    opened: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Effect):
    """Call a pager. `to` is `ONCALL`; a pager takes the same `escalation` again and again for one page."""

    escalation: EffectId
    pager: str
    cause: Cause
    operator: OperatorId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgePage(Effect):
    """Somebody has it: the pager may be quiet."""

    escalation: EffectId


@dataclass(frozen=True, slots=True, kw_only=True)
class EndPage(Effect):
    """It is answered: the pager closes its books."""

    escalation: EffectId


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslateMessage(Effect):
    """`to` is `TRANSLATION`: have a machine translate a message's revision into `language`."""

    message: MessageId
    revision: int
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PostTranslation(Effect):
    """Show the translation beside the message in the mirror."""

    message: MessageId
    revision: int
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawTranslation(Effect):
    """Its message was taken back, and so is what the machine made of it."""

    message: MessageId
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PostHistory(Effect):
    """Show what was said before, as one compact post, in a mirror that begins in the middle of a talk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteMirror(Effect):
    """Delete whatever of the session can be deleted on the network: the thread, the posts, the files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveFile(Effect):
    """Delete one attachment of a message in the mirror, and say in its place that there was one."""

    message: MessageId
    revision: int
    side: Side
    file: str
    withdrawn: bool = False
    held: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgeFile(Effect):
    """`to` is `FILES`: delete an attachment's bytes, and its name wherever a body still has it."""

    message: MessageId
    file: str


EFFECTS: tuple[type[Effect], ...] = (
    OpenThread,
    PostMessage,
    ReviseMessage,
    WithdrawMessage,
    ReactToMessage,
    PostLine,
    AskAboutHeld,
    EndHeld,
    CallOperators,
    AlertDesk,
    Page,
    AcknowledgePage,
    EndPage,
    TranslateMessage,
    PostTranslation,
    WithdrawTranslation,
    PostHistory,
    DeleteMirror,
    RemoveFile,
    PurgeFile,
)
"""Every effect that this release writes."""


def kept_under(effect: Effect) -> MessageId:
    """The name under which what an effect posts is kept, so that a later effect finds it again."""
    if isinstance(effect, PostTranslation | WithdrawTranslation):
        return translation_id(effect.message, effect.language)
    if isinstance(effect, AskAboutHeld | EndHeld):
        return held_id(effect.message)
    if isinstance(effect, PostHistory):
        return history_id(effect.mirror)
    return effect.message if isinstance(effect, PostMessage | ReviseMessage) else MessageId(effect.id)


ONCALL = NetworkName("oncall")
TRANSLATION = NetworkName("translation")
FILES = NetworkName("files")
"""Destinations that are no place where operators work: lanes lead there as they lead to networks."""
