"""The roster as Block Kit: for the app's home, and for the answer to a slash command. Pure.

Sessions stand in `rich_text` lists, whose text elements mean nothing but themselves: whatever a customer calls
themselves, it is only shown. Moments are `date` elements, which each reader sees in their own zone.

Limits (Block Kit reference): 100 blocks a view, 50 a message, header 150, button text 75, button value 2,000.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from adapters.slack.refs import NAME
from adapters.slack.render import HEADER, Block
from bridge.networks.commands import ANYWHERE, IN_THREAD, Verb
from bridge.networks.face import DESKS, Face, Mark, longest, marks
from bridge.networks.face import stands as told_of
from bridge.networks.roster import Queue, Row, Sheet
from routing.availability import Standing
from routing.ids import DeskId

AWAY, BACK, NEXT = "home_away", "home_back", "home_next"
"""The home's buttons, by action_id. None of them names a session, so none is taken for a card's."""

Pieces = list[Block]

_GAP = "\ue000"
"""Stands for what is no text, while a sentence is put together. No wording has it."""


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
    return [_rich([_section([*stands(sheet.standing, face), _text("\n"), _text(face.languages(sheet))])])]


def stands(how: Standing, face: Face) -> Pieces:
    """One line of it."""
    first, *others = [_told(one, face) for one in told_of(how)]
    return [*first, *(piece for one in others for piece in (_text(" · "), *one))]


def _told(mark: Mark, face: Face) -> Pieces:
    if mark.at is not None:
        return timed(face, mark.key, mark.at, **mark.words)
    return [(_bold if mark.strong else _text)(face.say(mark.key, **mark.words))]


def mine(sheet: Sheet, face: Face) -> list[Block]:
    """What they hold, and what they are being offered."""
    head = _header(face.say("home.mine"))
    if not sheet.mine:
        return [head, _line(face.say("home.mine.none"))]
    return [head, rows(sheet.mine, face), *_more(sheet.more, face)]


def queues(sheet: Sheet, face: Face, most: int = DESKS) -> list[Block]:
    """Who waits at their desks: at most four blocks each."""
    if not sheet.queues:
        return [_line(face.say("home.none"))]
    return [block for queue in longest(sheet, most) for block in _queue(queue, face)]


def _queue(queue: Queue, face: Face) -> list[Block]:
    head = _header(face.head(queue))
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
    told = [_figures(face.desk_name(day.desk), face.day(day, sheet)) for day in sheet.days[:DESKS]]
    told.append(_figures(face.say("home.figures.me"), face.own(sheet)))
    return [_header(face.say("home.today", day=sheet.days[0].date)), _rich([_list(told)])]


def _figures(whose: str, told: str) -> Block:
    return _section([_bold(whose), _text(f": {told}")])


# ------------------------------------------------------------------ rows


def rows(some: Iterable[Row], face: Face) -> Block:
    """Sessions, one to a line."""
    return _rich([_list([_section(_row(row, face)) for row in some])])


def _row(row: Row, face: Face) -> Pieces:
    pieces = [code(row, face), _text(f" · {' · '.join(face.about(row))}")]
    for mark in marks(row):
        pieces += [_text(" · "), *_told(mark, face)]
    return pieces


def code(row: Row, face: Face) -> Block:
    """The short code, which leads to its thread."""
    if row.thread is None or row.network != NAME:
        return _bold(row.code)
    return {"type": "link", "url": face.link(row.thread), "text": row.code, "style": {"bold": True}}


# ------------------------------------------------------------------ what can be typed


def explained(face: Face, slash: str, desks: Sequence[DeskId]) -> list[Block]:
    """All commands, those of a thread first."""
    known = face.known(slash, desks)
    typed = [_explained(f"!{face.word(verb)}", verb, face, known) for verb in IN_THREAD]
    asked = [_explained(f"{slash} {face.word(verb)}", verb, face, known) for verb in ANYWHERE]
    return [
        _line(face.say("command.help.anywhere", **known)),
        _rich([_list(asked)]),
        _line(face.say("command.help.head", **known)),
        _rich([_list(typed)]),
    ]


def _explained(typed: str, verb: Verb, face: Face, known: dict[str, str]) -> Block:
    name: Block = {"type": "text", "text": typed, "style": {"code": True}}
    return _section([name, _text(f" {face.say(f'command.help.{verb}', **known)}")])


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
