"""The roster as a message: the home by command, and the answers to the other commands. Pure.

It is an embed that only who asked sees: its description takes 4,096 characters of markdown, in which what is not ours
is escaped. Sessions stand one to a line; moments are shown in each reader's own zone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from adapters.discord.markup import escape, units
from adapters.discord.refs import NAME, home_id
from adapters.discord.render import Rendered, Title, Wording, button, clock, row
from bridge.answers import Answer, Explained, Found, Lacking, Stood
from bridge.commands import ANYWHERE, IN_THREAD, RESULTS, Mistyped, Verb, spoken
from bridge.names import one_line
from bridge.roster import Day, Queue, Row, Sheet
from routing.availability import Standing
from routing.figures import Figures
from routing.ids import DeskId, ThreadRef
from routing.policy import HOUR, MINUTE
from routing.session import State, TurnOf

AWAY, BACK, NEXT, LOOK = "away", "back", "next", "look"
"""The home's buttons, by their actions."""

DESKS = 20
"""Desks shown with who waits there, the longest lines first."""

WHOLE = 4_000
"""Characters of a description that are used; what goes beyond is left out, from the end."""

NAME_LIMIT, TITLE_LIMIT = 40, 40
SOUGHT = 60


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
        return escape(one_line(self.desk(desk, self.language), TITLE_LIMIT))


# ------------------------------------------------------------------ the whole


def home(sheet: Sheet, face: Face, notice: str = "") -> Rendered:
    """The home: how they stand, what they hold, who waits, the day. `notice` is a line about what they just did."""
    anybody = any(queue.count for queue in sheet.queues)
    lines = [
        *standing(sheet, face),
        *([f"**{escape(notice)}**"] if notice else []),
        *mine(sheet, face),
        *queues(sheet, face),
        *today(sheet, face),
        f"-# {face.say('home.as_of', time=clock(sheet.now))}",
    ]
    return _shown(lines, _buttons(sheet.standing, face, anybody))


def _buttons(how: Standing, face: Face, anybody: bool) -> list[dict[str, object]]:
    def shown(action: str, *, primary: bool = False) -> dict[str, object]:
        return button(home_id(action), face.say(f"home.button.{action}"), primary=primary)

    following = [shown(NEXT, primary=how.on)] if anybody else []
    if how.on:
        return [*following, shown(AWAY), shown(LOOK)]
    return [shown(BACK, primary=True), *following, shown(LOOK)]


def _shown(lines: Sequence[str], buttons: Sequence[dict[str, object]] = ()) -> Rendered:
    kept: list[str] = []
    room = WHOLE
    for line in lines:
        room -= units(line) + 1
        if room < 0:
            break
        kept.append(line)
    return Rendered("", ({"description": "\n".join(kept)},), row(buttons))


def standing(sheet: Sheet, face: Face) -> list[str]:
    """How they stand, why, and until when; what they speak."""
    languages = ", ".join(sheet.languages) or face.say("home.languages.any")
    return [stands(sheet.standing, face), face.say("home.languages", languages=languages)]


def stands(how: Standing, face: Face) -> str:
    """One line of it."""
    told = [f"**{face.say('home.on' if how.on else 'home.off')}**", face.say(f"home.because.{how.because}")]
    if how.until is not None:
        told.append(face.say("home.until", time=clock(how.until)))
    if how.hands_back_at is not None:
        told.append(face.say("home.hands_back", time=clock(how.hands_back_at)))
    return " · ".join(told)


def mine(sheet: Sheet, face: Face) -> list[str]:
    """What they hold, and what they are being offered."""
    told = rows(sheet.mine, face) if sheet.mine else [face.say("home.mine.none")]
    return ["", f"**{face.say('home.mine')}**", *told, *_more(sheet.more, face)]


def queues(sheet: Sheet, face: Face, most: int = DESKS) -> list[str]:
    """Who waits at their desks, those with the longest lines where there are very many."""
    if not sheet.queues:
        return ["", face.say("home.none")]
    longest = sorted(sheet.queues, key=lambda one: -one.count)[:most]
    return [line for queue in sheet.queues if queue in longest for line in _queue(queue, face)]


def _queue(queue: Queue, face: Face) -> list[str]:
    name = face.desk_name(queue.desk)
    head = f"**{face.say('home.queue', desk=f'{name} ({queue.count})' if queue.count else name)}**"
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
    told = [_day(day, _waiting_at(day.desk, sheet), face) for day in sheet.days[:DESKS]]
    done = sheet.done
    own = face.say("home.figures.mine", answered=str(done.answered), resolved=str(done.resolved), held=str(sheet.held))
    more = _beside(done, any(day.promises for day in sheet.days), face)
    told.append(f"- **{face.say('home.figures.me')}**: {own}{more}")
    return ["", f"**{face.say('home.today', day=sheet.days[0].date)}**", *told]


def _waiting_at(desk: DeskId, sheet: Sheet) -> int:
    return next((queue.count for queue in sheet.queues if queue.desk == desk), 0)


def _day(day: Day, waiting: int, face: Face) -> str:
    of = day.figures
    figures = {"opened": of.opened, "answered": of.answered, "resolved": of.resolved, "waiting": waiting}
    told = face.say("home.figures", **{name: str(count) for name, count in figures.items()})
    return f"- **{face.desk_name(day.desk)}**: {told}{_beside(of, day.promises, face)}"


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


def rows(some: Iterable[Row], face: Face) -> list[str]:
    """Sessions, one to a line."""
    return [f"- {_row(one, face)}" for one in some]


def _row(of: Row, face: Face) -> str:
    name = escape(one_line(of.name, NAME_LIMIT)) or face.say("customer.unnamed")
    topic = escape(one_line(face.title(of.topic, face.language), TITLE_LIMIT))
    told = (code(of, face), name, escape(of.language), topic, *_marks(of, face))
    return " · ".join(one for one in told if one)


def code(of: Row, face: Face) -> str:
    """The short code, which leads to its thread."""
    if of.thread is None or of.network != NAME:
        return f"**{of.code}**"
    return f"[**{of.code}**](<{face.link(of.thread)}>)"


def _marks(of: Row, face: Face) -> Iterable[str]:
    if of.offered:
        yield f"**{face.say('home.offered')}**"
    if of.state in (State.RESOLVED, State.CLOSED):
        yield face.say(f"state.{of.state}")
    elif of.turn is TurnOf.HELD and of.until is not None:
        yield face.say("home.turn.held", time=clock(of.until))
    elif of.waiting_since is not None:
        yield face.say("home.since", time=clock(of.waiting_since, "R"))
    elif of.state is State.ASSIGNED:
        yield face.say(f"home.turn.{of.turn}")
    if of.urgency:
        yield f"**{face.say(f'home.{of.urgency}')}**"
    if of.unreached:
        yield face.say("home.unreached")
    if of.setback is not None:
        key = "home.uncertain" if of.setback.uncertain else "home.held_up"
        yield f"**{escape(face.say(key, code=of.setback.code))}**"


# ------------------------------------------------------------------ answers to commands


def drawn(answer: Answer, face: Face, slash: str, desks: Sequence[DeskId], *, most: int = DESKS) -> Rendered:
    """An answer as who asked sees it. `slash` is what they typed, `desks` are theirs."""
    if isinstance(answer, Mistyped):
        return _said(_mistyped(answer, face, f"{slash} "))
    if isinstance(answer, Lacking):
        sign = "!" if answer.key == "no_session" else f"{slash} "
        return _said(escape(face.say(f"command.{answer.key}", word=f"{sign}{word(answer.verb, face)}")))
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
    named = ", ".join(f"{sign}{one}" for one in answer.nearest)
    help_word = f"{sign}{word(Verb.HELP, face)}"
    way = face.say("command.nearest" if named else "command.nearest.none", words=named, help=help_word)
    return escape(face.say("command.unknown.asked", word=one_line(answer.word, SOUGHT), nearest=way))


def word(verb: Verb, face: Face) -> str:
    """What a command is called in the reader's language."""
    return next(iter(spoken(face.say(f"command.{verb}"))), verb)


def outcomes(face: Face) -> str:
    return ", ".join(next(iter(spoken(face.say(f"command.outcome.{one}"))), one) for one in RESULTS)


def explained(face: Face, slash: str, desks: Sequence[DeskId]) -> list[str]:
    """All commands, those that can be asked anywhere first."""
    known = {"outcomes": outcomes(face), "desks": ", ".join(map(face.desk_name, desks[:DESKS])), "slash": slash}

    def line(typed: str, verb: Verb) -> str:
        return f"- `{typed}` {face.say(f'command.help.{verb}', **known)}"

    asked = [line(f"{slash} {word(verb, face)}", verb) for verb in ANYWHERE]
    typed = [line(f"!{word(verb, face)}", verb) for verb in IN_THREAD]
    return [face.say("command.help.anywhere", **known), *asked, "", face.say("command.help.head", **known), *typed]


__all__ = ["AWAY", "BACK", "LOOK", "NEXT", "Face", "drawn", "home"]
