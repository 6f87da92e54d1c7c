"""The roster as Block Kit: for the app's home, and for the answer to a slash command. Pure.

Sessions stand in `rich_text` lists, whose text elements mean nothing but themselves: whatever a customer calls
themselves, it is only shown. Moments are `date` elements, which each reader sees in their own zone.

Limits (Block Kit reference): 100 blocks a view, 50 a message, header 150, button text 75, button value 2,000.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from adapters.slack.refs import NAME
from adapters.slack.render import HEADER, Block, Title, Wording
from bridge.commands import ANYWHERE, IN_THREAD, RESULTS, Verb, spoken
from bridge.names import one_line
from bridge.roster import Day, Queue, Row, Sheet
from routing.availability import Standing
from routing.figures import Figures
from routing.ids import DeskId, ThreadRef
from routing.policy import HOUR, MINUTE
from routing.session import State, TurnOf

AWAY, BACK, NEXT = "home_away", "home_back", "home_next"
"""The home's buttons, by action_id. None of them names a session, so none is taken for a card's."""

DESKS = 20
"""Desks shown with who waits there, the longest lines first: at most four blocks each."""

NAME_LIMIT, TITLE_LIMIT = 40, 40
SOUGHT = 60

Pieces = list[Block]

_GAP = "\ue000"
"""Stands for what is no text, while a sentence is put together. No wording has it."""


@dataclass(frozen=True, slots=True)
class Face:
    """In whose language, and by which names. `link` gives a thread's address, `place` a desk's channel or nothing."""

    wording: Wording
    language: str
    title: Title
    desk: Callable[[DeskId, str], str]
    link: Callable[[ThreadRef], str]
    place: Callable[[DeskId], str]

    def say(self, key: str, /, **words: str) -> str:
        return self.wording(self.language, key, **words)

    def desk_name(self, desk: DeskId) -> str:
        return one_line(self.desk(desk, self.language), TITLE_LIMIT)


# ------------------------------------------------------------------ the whole


def home(sheet: Sheet, face: Face, notice: Sequence[Block] = ()) -> list[Block]:
    """The app's home. The last block says as of when it is."""
    anybody = any(queue.count for queue in sheet.queues)
    return [
        *standing(sheet, face),
        {"type": "actions", "elements": _buttons(sheet.standing, face, anybody)},
        *notice,
        {"type": "divider"},
        *mine(sheet, face),
        *queues(sheet, face),
        {"type": "divider"},
        *today(sheet, face),
        _rich([_section(timed(face, "home.as_of", sheet.now))]),
    ]


def _buttons(standing: Standing, face: Face, anybody: bool) -> list[Block]:
    def button(action: str, label: str, *, primary: bool = False) -> Block:
        shape = {"type": "button", "action_id": action, "text": _plain(face.say(f"home.button.{label}"))}
        return shape | ({"style": "primary"} if primary else {})

    following = [button(NEXT, "next", primary=standing.on)] if anybody else []
    if standing.on:
        return [*following, button(AWAY, "away")]
    return [button(BACK, "back", primary=True), *following]


def standing(sheet: Sheet, face: Face) -> list[Block]:
    """How they stand, why, and until when; what they speak."""
    spoken_by = ", ".join(sheet.languages) or face.say("home.languages.any")
    languages = [_text(face.say("home.languages", languages=spoken_by))]
    return [_rich([_section([*stands(sheet.standing, face), _text("\n"), *languages])])]


def stands(how: Standing, face: Face) -> Pieces:
    """One line of it."""
    pieces = [_bold(face.say("home.on" if how.on else "home.off"))]
    pieces.append(_text(f" · {face.say(f'home.because.{how.because}')}"))
    if how.until is not None:
        pieces += [_text(" · "), *timed(face, "home.until", how.until)]
    if how.hands_back_at is not None:
        pieces += [_text(" · "), *timed(face, "home.hands_back", how.hands_back_at)]
    return pieces


def mine(sheet: Sheet, face: Face) -> list[Block]:
    """What they hold, and what they are being offered."""
    head = _header(face.say("home.mine"))
    if not sheet.mine:
        return [head, _line(face.say("home.mine.none"))]
    return [head, rows(sheet.mine, face), *_more(sheet.more, face)]


def queues(sheet: Sheet, face: Face, most: int = DESKS) -> list[Block]:
    """Who waits at their desks, those with the longest lines where there are very many."""
    if not sheet.queues:
        return [_line(face.say("home.none"))]
    longest = sorted(sheet.queues, key=lambda one: -one.count)[:most]
    return [block for queue in sheet.queues if queue in longest for block in _queue(queue, face)]


def _queue(queue: Queue, face: Face) -> list[Block]:
    name = face.desk_name(queue.desk)
    head = _header(face.say("home.queue", desk=f"{name} ({queue.count})" if queue.count else name))
    if not queue.rows:
        return [head, _line(face.say("home.queue.none"))]
    return [head, rows(queue.rows, face), *_more(queue.count - len(queue.rows), face, face.place(queue.desk))]


def _more(count: int, face: Face, place: str = "") -> list[Block]:
    if count <= 0:
        return []
    pieces = [_text(face.say("home.more", count=str(count)))]
    if place:
        pieces += [_text(" · "), {"type": "channel", "channel_id": place}]
    return [_rich([_section(pieces)])]


def today(sheet: Sheet, face: Face) -> list[Block]:
    """The figures of each desk since its midnight, and their own."""
    if not sheet.days:
        return []
    told = [_day(day, _waiting_at(day.desk, sheet), face) for day in sheet.days[:DESKS]]
    own = face.say(
        "home.figures.mine",
        answered=str(sheet.done.answered),
        resolved=str(sheet.done.resolved),
        held=str(sheet.held),
    )
    more = _beside(sheet.done, any(day.promises for day in sheet.days), face)
    told.append(_section([_bold(face.say("home.figures.me")), _text(f": {own}{more}")]))
    return [_header(face.say("home.today", day=sheet.days[0].date)), _rich([_list(told)])]


def _waiting_at(desk: DeskId, sheet: Sheet) -> int:
    return next((queue.count for queue in sheet.queues if queue.desk == desk), 0)


def _day(day: Day, waiting: int, face: Face) -> Block:
    of = day.figures
    told = face.say(
        "home.figures",
        opened=str(of.opened),
        answered=str(of.answered),
        resolved=str(of.resolved),
        waiting=str(waiting),
    )
    return _section([_bold(face.desk_name(day.desk)), _text(f": {told}{_beside(of, day.promises, face)}")])


def _beside(of: Figures, promises: bool, face: Face) -> str:
    """How soon, where somebody was answered at all."""
    told = ""
    if of.answered and promises:
        told += f" · {face.say('home.kept', kept=str(of.kept), promised=str(of.answered))}"
    if of.median is not None:
        told += f" · {face.say('home.median', time=span(of.median, face))}"
    return told


def span(ms: int, face: Face) -> str:
    """A duration as people say it."""
    if ms < MINUTE:
        return face.say("home.minutes.under")
    hours, minutes = divmod(round(ms / MINUTE), HOUR // MINUTE)
    if not hours:
        return face.say("home.minutes", minutes=str(minutes))
    return face.say("home.hours", hours=str(hours), minutes=str(minutes))


# ------------------------------------------------------------------ rows


def rows(some: Iterable[Row], face: Face) -> Block:
    """Sessions, one to a line."""
    return _rich([_list([_section(_row(row, face)) for row in some])])


def _row(row: Row, face: Face) -> Pieces:
    name = one_line(row.name, NAME_LIMIT) or face.say("customer.unnamed")
    topic = one_line(face.title(row.topic, face.language), TITLE_LIMIT)
    about = " · ".join(one for one in (name, row.language, topic) if one)
    pieces = [code(row, face), _text(f" · {about}")]
    for marked in _marks(row, face):
        pieces += [_text(" · "), *marked]
    return pieces


def code(row: Row, face: Face) -> Block:
    """The short code, which leads to its thread."""
    if row.thread is None or row.network != NAME:
        return _bold(row.code)
    return {"type": "link", "url": face.link(row.thread), "text": row.code, "style": {"bold": True}}


def _marks(row: Row, face: Face) -> Iterable[Pieces]:
    if row.offered:
        yield [_bold(face.say("home.offered"))]
    if row.state in (State.RESOLVED, State.CLOSED):
        yield [_text(face.say(f"state.{row.state}"))]
    elif row.turn is TurnOf.HELD and row.until is not None:
        yield timed(face, "home.turn.held", row.until)
    elif row.waiting_since is not None:
        yield timed(face, "home.since", row.waiting_since)
    elif row.state is State.ASSIGNED:
        yield [_text(face.say(f"home.turn.{row.turn}"))]
    if row.urgency:
        yield [_bold(face.say(f"home.{row.urgency}"))]
    if row.unreached:
        yield [_text(face.say("home.unreached"))]
    if row.setback is not None:
        yield [_bold(face.say("home.uncertain" if row.setback.uncertain else "home.held_up", code=row.setback.code))]


# ------------------------------------------------------------------ what can be typed


def word(verb: Verb, face: Face) -> str:
    """What a command is called in the reader's language."""
    return next(iter(spoken(face.say(f"command.{verb}"))), verb)


def outcome(one: str, face: Face) -> str:
    """What an outcome is called, where it is typed and where it is told."""
    return next(iter(spoken(face.say(f"command.outcome.{one}"))), one)


def outcomes(face: Face) -> str:
    return ", ".join(outcome(one, face) for one in RESULTS)


def explained(face: Face, slash: str, desks: Sequence[DeskId]) -> list[Block]:
    """All commands, those of a thread first."""
    known = {"outcomes": outcomes(face), "desks": ", ".join(map(face.desk_name, desks[:DESKS])), "slash": slash}
    typed = [_explained(f"!{word(verb, face)}", verb, face, known) for verb in IN_THREAD]
    asked = [_explained(f"{slash} {word(verb, face)}", verb, face, known) for verb in ANYWHERE]
    return [
        _line(face.say("command.help.anywhere", **known)),
        _rich([_list(asked)]),
        _line(face.say("command.help.head", **known)),
        _rich([_list(typed)]),
    ]


def _explained(typed: str, verb: Verb, face: Face, known: dict[str, str]) -> Block:
    name: Block = {"type": "text", "text": typed, "style": {"code": True}}
    return _section([name, _text(f" {face.say(f'command.help.{verb}', **known)}")])


def nearest(words: Sequence[str], sign: str, help_word: str, face: Face) -> str:
    """Where to go on from a word that is no command."""
    named = ", ".join(f"{sign}{one}" for one in words)
    key = "command.nearest" if named else "command.nearest.none"
    return face.say(key, words=named, help=f"{sign}{help_word}")


# ------------------------------------------------------------------ pieces


def notice(pieces: Pieces) -> Block:
    """A line of the bridge's own."""
    return _rich([_section(pieces)])


def told(text: str) -> Block:
    return _line(text)


def sentence(face: Face, key: str, gap: str, inner: Block, **words: str) -> Pieces:
    """A wording with something in its `gap` that is no text."""
    before, _, after = face.say(key, **{gap: _GAP}, **words).partition(_GAP)
    return [*([_text(before)] if before else []), inner, *([_text(after)] if after else [])]


def timed(face: Face, key: str, at: int, **words: str) -> Pieces:
    """A wording with a moment in it, in each reader's own zone."""
    inner = {"type": "date", "timestamp": at // 1000, "format": "{date_short_pretty} {time}", "fallback": fallback(at)}
    return sentence(face, key, "time", inner, **words)


def fallback(at: int) -> str:
    """For clients that cannot."""
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M} UTC"


def _text(text: str) -> Block:
    return {"type": "text", "text": text}


def _bold(text: str) -> Block:
    return {"type": "text", "text": text, "style": {"bold": True}}


def _section(pieces: Pieces) -> Block:
    return {"type": "rich_text_section", "elements": pieces}


def _list(sections: Sequence[Block]) -> Block:
    return {"type": "rich_text_list", "style": "bullet", "elements": list(sections)}


def _rich(elements: Sequence[Block]) -> Block:
    return {"type": "rich_text", "elements": list(elements)}


def _line(text: str) -> Block:
    return _rich([_section([_text(text)])])


def _header(text: str) -> Block:
    return {"type": "header", "text": _plain(text[:HEADER])}


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}
