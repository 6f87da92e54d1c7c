"""The windows (modals) that an operator fills in, and the menus that lead to them: pure.

Limits: title 45, five components, label 45 and description 100, a text input 4,000, 25 choices in a menu of up to 100
characters each. A window cannot open another one, so templates are chosen from menus in a message that only the
operator sees, and the window follows from there.

Titles, labels and choices are no markup. What is (the text above the fields) is escaped, or stands in a block.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any

from adapters.discord.markup import escape, escaped_within, fenced, units
from adapters.discord.refs import custom_id
from adapters.discord.render import OPTIONS, Choice, Rendered, Wording, menu, row, small
from bridge.card import Action
from bridge.names import one_line
from bridge.ports import Placed
from bridge.templates import Template

Json = dict[str, Any]

TITLE = 45
FIELD = 45
HINT = 100
PARTS = 5
WORDS = 4_000
PREVIEW = 3_500
QUOTE = 140
MENUS = 5
TOLD = 3_900
"""Characters of a history: an embed's description takes 4,096."""

LISTED = 1_200
"""Characters of a history's sessions, under its head."""

SAID = 600
"""Characters of one message in a history."""

FILL = "fill"
"""The window of a chosen template: what is missing, and what the customer will read."""

TEMPLATE = "template"
"""The action of the menus from which a template is chosen; which one stands in the interaction's values."""

WINDOWS = (Action.NOTE, Action.TRANSFER, Action.HOLD, Action.RESOLVE, Action.BLOCK)
"""What opens a window."""

MESSAGES = (Action.TEMPLATES, Action.HISTORY)
"""What is answered by a message that only who asked sees."""

MINUTES = (15, 30, 60, 120, 240, 480)
"""Choices of a hold."""

DAYS = (1, 7, 30, 365)
FOR_GOOD = "for_good"
"""Choices of a block."""

_LABEL, _TEXT, _INPUT = 18, 10, 4
_SHORT, _LONG = 1, 2


@dataclass(frozen=True, slots=True)
class Pen:
    """Draws windows of one session: in its language, with its first line in the title."""

    wording: Wording
    language: str
    headline: str

    def text(self, key: str, **words: str) -> str:
        return self.wording(self.language, key, **words)

    def window(self, name: str, placed: Placed, parts: Sequence[Json], *, choice: str = "") -> Json:
        """What an interaction is answered with (type 9)."""
        title = f"{self.text(f'window.{name}')} · {self.headline}"
        return {
            "custom_id": custom_id(name, placed, choice=choice),
            "title": one_line(title, TITLE),
            "components": list(parts)[:PARTS],
        }

    def asks(self, name: str, field: Json, *, hint: str = "", label: str = "") -> Json:
        shape: Json = {"type": _LABEL, "label": one_line(label or self.text(f"field.{name}"), FIELD) or "–"}
        described = {"description": one_line(self.text(hint), HINT)} if hint else {}
        return shape | described | {"component": {**field, "custom_id": field.get("custom_id") or name}}

    def chooses(self, name: str, choices: Sequence[Choice], most: int, *, optional: bool = False) -> list[Json]:
        """A list in as many menus as it needs, `most` at most. In several nothing is asked for: the choice is one."""
        parts = [choices[start : start + OPTIONS] for start in range(0, len(choices), OPTIONS)][:most]
        many = len(parts) > 1
        made = []
        for number, part in enumerate(parts, 1):
            label = f"{self.text(f'field.{name}')} ({number}/{len(parts)})" if many else ""
            field = select(part, required=not (many or optional)) | {"custom_id": f"{name}.{number}" if many else name}
            made.append(self.asks(name, field, label=label))
        return made

    # ------------------------------------------------------------------ the windows

    def note(self, placed: Placed, quote: str = "") -> Json:
        quoted = [told(f"> {escape(one_line(quote, QUOTE))}")] if quote.strip() else []
        return self.window(Action.NOTE, placed, [*quoted, self.asks("words", text_input(), hint="hint.note")])

    def transfer(self, placed: Placed, desks: Sequence[Choice], operators: Sequence[Choice], here: str) -> Json:
        if len(desks) <= OPTIONS:
            asked = [self.asks("desk", select(desks, chosen=here))]
        else:
            asked = self.chooses("desk", desks, 2)
        asked += self.chooses("operator", operators, PARTS - 1 - len(asked), optional=True)
        reason = self.asks("reason", text_input(required=False), hint="hint.reason")
        return self.window(Action.TRANSFER, placed, [*asked, reason])

    def _span(self, minutes: int) -> str:
        hours, rest = divmod(minutes, 60)
        key = "minutes" if rest else "hour" if hours == 1 else "hours"
        return self.text(f"hold.{key}", minutes=str(minutes), hours=str(hours))

    def hold(self, placed: Placed) -> Json:
        """Discord has no field for a time: it is typed as behind the command."""
        minutes = [Choice(str(one), self._span(one)) for one in MINUTES]
        parts = [
            self.asks("within", select(minutes, chosen="30")),
            self.asks("until", text_input(multiline=False, required=False), hint="hint.until_typed"),
            self.asks("words", text_input(required=False), hint="hint.promise", label=self.text("field.promise")),
        ]
        return self.window(Action.HOLD, placed, parts)

    def resolve(self, placed: Placed, outcomes: Sequence[Choice], tags: Sequence[Choice]) -> Json:
        parts = [self.asks("outcome", select(outcomes, chosen=outcomes[0].value))]
        if tags:
            parts.append(self.asks("tags", select(tags, required=False, most=OPTIONS)))
        return self.window(Action.RESOLVE, placed, parts)

    def block(self, placed: Placed) -> Json:
        days = [Choice(str(one), self.text("block.days", days=str(one))) for one in DAYS]
        sure = [Choice("yes", self.text("block.sure"))]
        parts = [
            told(self.text("block.what")),
            self.asks("how_long", select([*days, Choice(FOR_GOOD, self.text("block.for_good"))], chosen="7")),
            self.asks("sure", select(sure)),
        ]
        return self.window(Action.BLOCK, placed, parts)

    def fill(self, placed: Placed, code: str, preview: str, missing: Sequence[str]) -> Json | None:
        """None where a window has not enough room for what is missing: such a template is typed in the thread."""
        if len(missing) > PARTS - 1:
            return None
        shown = preview if units(preview) <= PREVIEW else f"{preview[: PREVIEW // 2]}…"
        above = told(f"{fenced(shown)}\n{small(self.text('window.sends'))}")
        gaps = [
            self.asks(f"gap.{name}", text_input(multiline=False), label=self.text("field.gap", name=name))
            for name in missing
        ]
        return self.window(FILL, placed, [above, *gaps], choice=code)

    # ------------------------------------------------------------------ what only who asked sees

    def templates(self, placed: Placed, templates: Sequence[Template]) -> Rendered:
        if not templates:
            return Rendered(self.text("window.no_templates"))
        named = [(one.code, one.title or one.in_language(self.language) or "") for one in templates]
        choices = [Choice(code, f";{code} · {title}") for code, title in named]
        parts = [choices[start : start + OPTIONS] for start in range(0, len(choices), OPTIONS)][:MENUS]
        label = self.text("field.template")
        menus = [
            menu(custom_id(TEMPLATE, placed, choice=str(number)), part, placeholder=label)
            for number, part in enumerate(parts, 1)
        ]
        head = f"**{self.text('window.templates')}** · {escape(one_line(self.headline, 300))}"
        components = tuple(one for each in menus for one in row([each]))
        return Rendered(f"{head}\n{small(self.text('hint.template'))}", components=components)

    def history(self, sessions: Sequence[str], said: Sequence[tuple[int, str, str]]) -> Rendered:
        """`sessions` a line each; `said` as (when, who, words), the latest of it where it is much."""
        head = f"**{self.text('window.history')}** · {escape(one_line(self.headline, 300))}"
        if not sessions:
            return Rendered(f"{head}\n{small(self.text('history.none'))}")
        lines = _fitting([escape(one_line(one, 300)) for one in sessions], LISTED)
        latest = _fitting([spoken(*one) for one in reversed(said)], TOLD)
        embeds = ({"description": "\n".join(reversed(latest))},) if latest else ()
        return Rendered("\n".join((head, *lines)), embeds)


# ------------------------------------------------------------------ pieces


def _fitting(lines: Sequence[str], room: int) -> list[str]:
    """The first of them, as far as there is room."""
    ends = accumulate(units(line) + 1 for line in lines)
    return [line for line, end in zip(lines, ends, strict=True) if end <= room]


def text_input(*, multiline: bool = True, required: bool = True) -> Json:
    style = _LONG if multiline else _SHORT
    return {"type": _INPUT, "style": style, "max_length": WORDS, "required": required}


def select(choices: Sequence[Choice], *, chosen: str = "", required: bool = True, most: int = 1) -> Json:
    field = menu("", choices, chosen=chosen, least=int(required), most=most)
    return field | {"required": required}


def told(text: str) -> Json:
    """Words above the fields, in Discord's markup."""
    return {"type": _TEXT, "content": text}


def spoken(at: int, who: str, words: str) -> str:
    when = f"{datetime.fromtimestamp(at / 1000, UTC):%m-%d %H:%M} UTC"
    head = f"**{escape(f'{when} · {one_line(who, 60)}')}**"
    cut = escaped_within(words, SAID) or "–"
    return "\n".join((head, *(f"> {line}" for line in cut.split("\n"))))
