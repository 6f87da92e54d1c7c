"""The roster as a message: the home by command, and the answers to the other commands. Pure.

It is an embed that only who asked sees: its description takes 4,096 characters of markdown, in which what is not ours
is escaped. Sessions stand one to a line; moments are shown in each reader's own zone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from adapters.discord.refs import NAME, home_id
from adapters.discord.render import Rendered, button, clock, row, since
from adapters.discord.text.markup import escape, units
from bridge.messages import one_line
from bridge.networks.answers import Answer, Explained, Found, Lacking, Stood
from bridge.networks.commands import ANYWHERE, IN_THREAD, Mistyped, Verb
from bridge.networks.face import DESKS, SOUGHT, Face, Mark, longest, marks
from bridge.networks.face import stands as told_of
from bridge.networks.roster import Queue, Row, Sheet
from routing.availability import Standing
from routing.ids import DeskId

AWAY, BACK, NEXT, LOOK = "away", "back", "next", "look"
"""The home's buttons, by their actions."""

WHOLE = 4_000
"""Characters of a description that are used; what goes beyond is left out, from the end."""

# ------------------------------------------------------------------ the whole


def home(sheet: Sheet, face: Face, notice: str = "", goes_on: str = "") -> Rendered:
    """The home: how they stand, what they hold, who waits, the day. `notice` is a line about what they just did,
    `goes_on` says whether it follows what changes."""
    anybody = any(queue.count for queue in sheet.queues)
    lines = [
        *standing(sheet, face),
        *([f"**{escape(notice)}**"] if notice else []),
        *mine(sheet, face),
        *queues(sheet, face),
        *today(sheet, face),
    ]
    as_of = face.say("home.as_of", time=clock(sheet.now))
    return _shown(lines, _buttons(sheet.standing, face, anybody), f"-# {' · '.join(filter(None, (as_of, goes_on)))}")


def _buttons(how: Standing, face: Face, anybody: bool) -> list[dict[str, object]]:
    def shown(action: str, *, primary: bool = False) -> dict[str, object]:
        return button(home_id(action), face.say(f"home.button.{action}"), primary=primary)

    following = [shown(NEXT, primary=how.on)] if anybody else []
    if how.on:
        return [*following, shown(AWAY), shown(LOOK)]
    return [shown(BACK, primary=True), *following, shown(LOOK)]


def _shown(lines: Sequence[str], buttons: Sequence[dict[str, object]] = (), last: str = "") -> Rendered:
    """`last` is never what is left out."""
    kept: list[str] = []
    room = WHOLE - units(last) - 1
    for line in lines:
        room -= units(line) + 1
        if room < 0:
            break
        kept.append(line)
    return Rendered("", ({"description": "\n".join((*kept, *([last] if last else ())))},), row(buttons))


def standing(sheet: Sheet, face: Face) -> list[str]:
    """How they stand, why, and until when; what they speak."""
    return [stands(sheet.standing, face), face.languages(sheet)]


def stands(how: Standing, face: Face) -> str:
    """One line of it."""
    return " · ".join(_told(one, face) for one in told_of(how))


def _told(mark: Mark, face: Face) -> str:
    """A time is shown in each reader's own zone; since when somebody waits, with how long that is."""
    at = mark.at
    times = {} if at is None else {"time": since(at) if mark.key == "home.since" else clock(at)}
    told = face.say(mark.key, **{name: escape(word) for name, word in mark.words.items()}, **times)
    return f"**{told}**" if mark.strong else told


def mine(sheet: Sheet, face: Face) -> list[str]:
    """What they hold, and what they are being offered."""
    told = rows(sheet.mine, face) if sheet.mine else [face.say("home.mine.none")]
    return ["", f"**{face.say('home.mine')}**", *told, *_more(sheet.more, face)]


def queues(sheet: Sheet, face: Face, most: int = DESKS) -> list[str]:
    """Who waits at their desks, those with the longest lines where there are very many."""
    if not sheet.queues:
        return ["", face.say("home.none")]
    return [line for queue in longest(sheet, most) for line in _queue(queue, face)]


def _queue(queue: Queue, face: Face) -> list[str]:
    head = f"**{escape(face.head(queue))}**"
    if not queue.rows:
        return ["", head, face.say("home.queue.none")]
    return ["", head, *rows(queue.rows, face), *_more(queue.count - len(queue.rows), face, face.place(queue.desk))]


def _more(count: int, face: Face, place: str = "") -> list[str]:
    if count <= 0:
        return []
    told = face.say("home.more", count=str(count))
    return [f"{told} · <#{place}>" if place else told]


def today(sheet: Sheet, face: Face) -> list[str]:
    """The figures of each desk since its midnight, and their own."""
    if not sheet.days:
        return []
    told = [f"- **{escape(face.desk_name(day.desk))}**: {face.day(day, sheet)}" for day in sheet.days[:DESKS]]
    told.append(f"- **{face.say('home.figures.me')}**: {face.own(sheet)}")
    return ["", f"**{face.say('home.today', day=sheet.days[0].date)}**", *told]


# ------------------------------------------------------------------ rows


def rows(some: Iterable[Row], face: Face) -> list[str]:
    """Sessions, one to a line."""
    return [f"- {_row(one, face)}" for one in some]


def _row(of: Row, face: Face) -> str:
    about = map(escape, face.about(of))
    return " · ".join((code(of, face), *about, *(_told(one, face) for one in marks(of))))


def code(of: Row, face: Face) -> str:
    """The short code, which leads to its thread."""
    if of.thread is None or of.network != NAME:
        return f"**{of.code}**"
    return f"[**{of.code}**](<{face.link(of.thread)}>)"


# ------------------------------------------------------------------ answers to commands


def drawn(answer: Answer, face: Face, slash: str, desks: Sequence[DeskId], *, most: int = DESKS) -> Rendered:
    """An answer as who asked sees it. `slash` is what they typed, `desks` are theirs."""
    if isinstance(answer, Mistyped):
        return _said(_mistyped(answer, face, f"{slash} "))
    if isinstance(answer, Lacking):
        sign = "!" if answer.key == "no_session" else f"{slash} "
        return _said(escape(face.say(f"command.{answer.key}", word=f"{sign}{face.word(answer.verb)}")))
    if isinstance(answer, Stood):
        return _said(stands(answer.standing, face))
    if isinstance(answer, Found):
        none = escape(face.say("find.none", sought=one_line(answer.sought, SOUGHT)))
        return _shown(rows(answer.rows, face)) if answer.rows else _said(none)
    if isinstance(answer, Explained):
        return _shown(explained(face, slash, desks))
    if answer.part is Verb.HOME:
        return home(answer.sheet, face)
    return _shown(mine(answer.sheet, face) if answer.part is Verb.MINE else queues(answer.sheet, face, most))


def _said(text: str) -> Rendered:
    return Rendered(text)


def _mistyped(answer: Mistyped, face: Face, sign: str) -> str:
    nearest = face.nearest(answer.nearest, sign)
    return escape(face.say("command.unknown.asked", word=one_line(answer.word, SOUGHT), nearest=nearest))


def explained(face: Face, slash: str, desks: Sequence[DeskId]) -> list[str]:
    """All commands, those that can be asked anywhere first. What is done in a thread can be typed either way."""
    known = {name: escape(word) for name, word in face.known(slash, desks).items()}

    def line(sign: str, verb: Verb) -> str:
        return f"- `{sign}{face.word(verb)}` {face.say(f'command.help.{verb}', **known)}"

    asked = [line(f"{slash} ", verb) for verb in ANYWHERE]
    typed = [line("!", verb) for verb in IN_THREAD]
    return [face.say("command.help.anywhere", **known), *asked, "", face.say("command.help.either", **known), *typed]
