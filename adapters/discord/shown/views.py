"""The windows (modals) that an operator fills in, and the menus that lead to them: pure.

Limits: title 45, five components, label 45 and description 100, a text input 4,000, 25 choices in a menu of up to 100
characters each. A window cannot open another one, so templates are chosen from menus in a message that only the
operator sees, and the window follows from there. What does not fit into its menus is found by `/chat`, which completes
what is typed.

Titles, labels and choices are no markup. What is (the text above the fields) is escaped, or stands in a block.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any

from adapters.discord.refs import custom_id
from adapters.discord.render import OPTION, OPTIONS, Rendered, menu, row, small
from adapters.discord.text.markup import escape, escaped_within, fenced, units
from bridge.messages import one_line
from bridge.networks.card import Action, Wording
from bridge.networks.windows import FILL, WITHIN, Choice, lengths, spans, template_choices
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

TEMPLATE = "template"
"""The action of the menus from which a template is chosen; which one stands in the interaction's values."""

REPLY = "reply"
"""The field of a chosen template's words. The template's code is part of its name: a window's own may be full."""

_LABEL, _TEXT, _INPUT, _CHECKS = 18, 10, 4, 22
_SHORT, _LONG = 1, 2


@dataclass(frozen=True, slots=True)
class Pen:
    """Draws windows of one session: in its language, with its first line in the title."""

    wording: Wording
    language: str
    headline: str

    def text(self, key: str, **words: str) -> str:
        return self.wording(self.language, key, **words)

    def window(self, name: str, placed: Placed, parts: Sequence[Json]) -> Json:
        """What an interaction is answered with (type 9)."""
        title = f"{self.text(f'window.{name}')} · {self.headline}"
        return {
            "custom_id": custom_id(name, placed),
            "title": one_line(title, TITLE),
            "components": list(parts)[:PARTS],
        }

    def asks(self, name: str, field: Json, *, hint: str = "", label: str = "") -> Json:
        shape: Json = {"type": _LABEL, "label": one_line(label or self.text(f"field.{name}"), FIELD) or "–"}
        described = {"description": one_line(self.text(hint), HINT)} if hint else {}
        return shape | described | {"component": {**field, "custom_id": field.get("custom_id") or name}}

    def chooses(
        self, name: str, choices: Sequence[Choice], room: int, *, optional: bool = False, hint: str = "", most: int = 1
    ) -> list[Json]:
        """A list in as many menus as it needs, `room` at most, which says where the rest is found. In several menus
        nothing is asked for: the choice is one, in whichever of them."""
        parts = [choices[start : start + OPTIONS] for start in range(0, len(choices), OPTIONS)]
        many, hint = len(parts) > 1, hint if len(parts) <= room else "hint.not_all"
        made = []
        for number, part in enumerate(parts[:room], 1):
            label = f"{self.text(f'field.{name}')} ({number}/{min(len(parts), room)})" if many else ""
            field = select(part, required=not (many or optional), most=most)
            made.append(
                self.asks(name, field | {"custom_id": f"{name}.{number}" if many else name}, label=label, hint=hint)
            )
        return made

    # ------------------------------------------------------------------ the windows

    def note(self, placed: Placed, quote: str = "") -> Json:
        """What is quoted stands in the field already: a window keeps nothing else."""
        begun = f"> {one_line(quote, QUOTE)}\n" if quote.strip() else ""
        return self.window(Action.NOTE, placed, [self.asks("words", text_input(value=begun), hint="hint.note")])

    def transfer(self, placed: Placed, desks: Sequence[Choice], operators: Sequence[Choice], here: str) -> Json:
        if len(desks) <= OPTIONS:
            asked = [self.asks("desk", select(desks, chosen=here))]
        else:
            asked = self.chooses("desk", desks, 2)
        asked += self.chooses("operator", operators, PARTS - 1 - len(asked), optional=True, hint="hint.operator")
        reason = self.asks("reason", text_input(required=False), hint="hint.reason")
        return self.window(Action.TRANSFER, placed, [*asked, reason])

    def hold(self, placed: Placed) -> Json:
        """Discord has no field for a time: it is typed as behind the command."""
        minutes = spans(self.language, self.wording)
        parts = [
            self.asks("within", select(minutes, chosen=str(WITHIN))),
            self.asks("until", text_input(multiline=False, required=False), hint="hint.until_typed"),
            self.asks("words", text_input(required=False), hint="hint.promise", label=self.text("field.promise")),
        ]
        return self.window(Action.HOLD, placed, parts)

    def resolve(self, placed: Placed, outcomes: Sequence[Choice], tags: Sequence[Choice]) -> Json:
        asked = self.asks("outcome", select(outcomes, chosen=outcomes[0].value))
        return self.window(
            Action.RESOLVE, placed, [asked, *self.chooses("tags", tags, PARTS - 1, optional=True, most=OPTIONS)]
        )

    def block(self, placed: Placed) -> Json:
        parts = [
            told(self.text("block.what")),
            self.asks("how_long", select(lengths(self.language, self.wording), chosen="7")),
            self.asks("sure", check(Choice("yes", self.text("block.sure")))),
        ]
        return self.window(Action.BLOCK, placed, parts)

    def fill(self, placed: Placed, code: str, preview: str, missing: Sequence[str]) -> Json:
        """What the customer will read, to be changed at will, and what is missing for it. Gaps that find no room are
        filled in where they stand; words that are too long to be changed here are shown as far as they go."""
        fits = units(preview) <= WORDS
        above = [] if fits else [told(fenced(preview[: PREVIEW // 2] + "…"))]
        field = text_input(value=preview if fits else "", required=fits) | {"custom_id": f"{REPLY}:{code}"}
        words = self.asks(REPLY, field, hint="hint.reply" if fits else "hint.reply_as_shown")
        gaps = [
            self.asks(f"gap.{name}", text_input(multiline=False), label=self.text("field.gap", name=name))
            for name in missing[: PARTS - 1 - len(above)]
        ]
        return self.window(FILL, placed, [*above, words, *gaps])

    # ------------------------------------------------------------------ what only who asked sees

    def templates(self, placed: Placed, templates: Sequence[Template]) -> Rendered:
        if not templates:
            return Rendered(self.text("window.no_templates"))
        choices = template_choices(templates, self.language)
        parts = [choices[start : start + OPTIONS] for start in range(0, len(choices), OPTIONS)][:MENUS]
        label = self.text("field.template")
        menus = [
            menu(custom_id(TEMPLATE, placed, choice=str(number)), part, placeholder=label, least=0)
            for number, part in enumerate(parts, 1)
        ]
        head = f"**{self.text('window.templates')}** · {escape(one_line(self.headline, 300))}"
        components = tuple(one for each in menus for one in row([each]))
        hints = ["hint.template", *(["hint.not_all"] if len(choices) > MENUS * OPTIONS else [])]
        return Rendered("\n".join((head, *(small(self.text(hint)) for hint in hints))), components=components)

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


def text_input(*, multiline: bool = True, required: bool = True, value: str = "") -> Json:
    shape: Json = {"type": _INPUT, "style": _LONG if multiline else _SHORT, "max_length": WORDS, "required": required}
    return shape | ({"value": value} if value else {})


def check(choice: Choice) -> Json:
    """A box that has to be ticked."""
    options = [{"label": one_line(choice.text, OPTION), "value": choice.value}]
    return {"type": _CHECKS, "options": options, "min_values": 1, "max_values": 1, "required": True}


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
