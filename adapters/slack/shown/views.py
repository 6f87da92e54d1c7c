"""The windows (modals) that an operator fills in, as Block Kit: pure.

Limits (views reference): title, submit and close 24 characters, 100 blocks, private_metadata 3,000, label and hint
2,000, options 100 and groups 100, option text 75 and value 150, a text input 3,000, section text 3,000.

Every text of a customer's is `plain_text` or a text element of `rich_text`: nothing in it acts.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from adapters.slack.refs import Root
from bridge.messages import one_line
from bridge.networks.card import Action, Wording
from bridge.networks.windows import FILL, WITHIN, Choice, lengths, spans, template_choices
from bridge.ports import Placed
from bridge.templates import Template
from routing.ids import SessionId, read_session_id

Block = dict[str, Any]

HEAD = 24
OPTIONS = 100
OPTION = 75
METADATA = 3_000
WORDS = 3_000
PREVIEW = 2_900
QUOTE = 140
BLOCKS = 100
SAID = 600
"""Characters of one message in a history."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What a window knows of where it was opened. It travels with it, in its private_metadata."""

    session: str
    mirror: int
    team: str
    channel: str
    root: str
    template: str = ""
    quote: str = ""

    @property
    def placed(self) -> Placed:
        return Placed(SessionId(self.session), self.mirror)

    @property
    def at(self) -> Root:
        return Root(self.team, self.channel, self.root)

    @property
    def metadata(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)


def read_frame(metadata: str) -> Frame | None:
    """None for what is none of ours."""
    try:
        frame = Frame(**json.loads(metadata))
        fits = read_session_id(frame.session) is not None and type(frame.mirror) is int
    except (ValueError, TypeError, RecursionError):
        return None
    texts = (frame.team, frame.channel, frame.root, frame.template, frame.quote)
    return frame if fits and all(isinstance(one, str) for one in texts) else None


@dataclass(frozen=True, slots=True)
class Pen:
    """Draws windows of one session: in its language, with its first line on top."""

    wording: Wording
    language: str
    headline: str

    def text(self, key: str, **words: str) -> str:
        return self.wording(self.language, key, **words)

    def window(self, name: str, frame: Frame, blocks: Sequence[Block], *, submit: str = "") -> dict[str, Any]:
        """`submit` is the wording's key of the button that sends it; without one the window is only read."""
        head = {"type": "context", "elements": [plain(one_line(self.headline, 300))]}
        view: dict[str, Any] = {
            "type": "modal",
            "callback_id": name,
            "private_metadata": frame.metadata,
            "title": plain(self.text(f"window.{name}")[:HEAD]),
            "close": plain(self.text("window.close" if not submit else "window.cancel")[:HEAD]),
            "blocks": [head, *blocks][:BLOCKS],
        }
        return view | ({"submit": plain(self.text(submit)[:HEAD])} if submit else {})

    def asks(self, name: str, element: Block, *, optional: bool = False, hint: str = "", label: str = "") -> Block:
        block = {
            "type": "input",
            "block_id": name,
            "label": plain(label or self.text(f"field.{name}")),
            "element": element | {"action_id": name},
            "optional": optional,
        }
        return block | ({"hint": plain(self.text(hint))} if hint else {})

    def line(self, text: str) -> Block:
        return {"type": "context", "elements": [plain(text)]}

    # ------------------------------------------------------------------ the windows

    def note(self, frame: Frame) -> dict[str, Any]:
        quoted = [quote(frame.quote)] if frame.quote else []
        words = self.asks("words", text_input(), hint="hint.note")
        return self.window(Action.NOTE, frame, [*quoted, words], submit="submit.note")

    def transfer(self, frame: Frame, desks: Sequence[Choice], operators: Sequence[Choice], here: str) -> dict[str, Any]:
        blocks = [self.asks("desk", select(desks, chosen=here))]
        if operators:
            blocks.append(self.asks("operator", select(operators), optional=True, hint="hint.operator"))
        blocks.append(self.asks("reason", text_input(), optional=True, hint="hint.reason"))
        return self.window(Action.TRANSFER, frame, blocks, submit="submit.transfer")

    def hold(self, frame: Frame) -> dict[str, Any]:
        blocks = [
            self.asks("within", select(spans(self.language, self.wording), chosen=str(WITHIN))),
            self.asks("until", {"type": "datetimepicker"}, optional=True, hint="hint.until"),
            self.asks("words", text_input(), optional=True, hint="hint.promise", label=self.text("field.promise")),
        ]
        return self.window(Action.HOLD, frame, blocks, submit="submit.hold")

    def resolve(self, frame: Frame, outcomes: Sequence[Choice], tags: Sequence[Choice]) -> dict[str, Any]:
        blocks = [self.asks("outcome", select(outcomes, chosen=outcomes[0].value))]
        if tags:
            blocks.append(self.asks("tags", {**select(tags), "type": "multi_static_select"}, optional=True))
        return self.window(Action.RESOLVE, frame, blocks, submit="submit.resolve")

    def templates(self, frame: Frame, templates: Sequence[Template]) -> dict[str, Any]:
        if not templates:
            return self.window(Action.TEMPLATES, frame, [self.line(self.text("window.no_templates"))])
        choices = template_choices(templates, self.language)
        blocks = [self.asks("template", select(choices), hint="hint.template")]
        return self.window(Action.TEMPLATES, frame, blocks, submit="submit.next")

    def fill(self, frame: Frame, preview: str, missing: Sequence[str]) -> dict[str, Any]:
        shown = preview if len(preview) <= PREVIEW else f"{preview[: PREVIEW - 1]}…"
        blocks: list[Block] = [{"type": "section", "text": plain(shown)}]
        blocks += [
            self.asks(f"gap.{name}", text_input(multiline=False), label=self.text("field.gap", name=name))
            for name in missing
        ]
        blocks.append(self.line(self.text("window.sends")))
        return self.window(FILL, frame, blocks, submit="submit.send")

    def block(self, frame: Frame) -> dict[str, Any]:
        sure = [{"text": plain(self.text("block.sure")[:OPTION]), "value": "yes"}]
        blocks = [
            self.line(self.text("block.what")),
            self.asks("how_long", select(lengths(self.language, self.wording), chosen="7")),
            self.asks("sure", {"type": "checkboxes", "options": sure}),
        ]
        return self.window(Action.BLOCK, frame, blocks, submit="submit.block")

    def history(self, frame: Frame, sessions: Sequence[str], said: Sequence[tuple[int, str, str]]) -> dict[str, Any]:
        """`sessions` a line each; `said` as (when, who, words), the latest of it where it is much."""
        blocks: list[Block] = [self.line(one_line(one, 300)) for one in sessions]
        if not blocks:
            blocks.append(self.line(self.text("history.none")))
        room = BLOCKS - len(blocks) - 2
        if said:
            blocks.append({"type": "divider"})
        for at, who, words in said[-room:]:
            when = f"{datetime.fromtimestamp(at / 1000, UTC):%m-%d %H:%M} UTC"
            blocks.append(spoken(f"{when} · {one_line(who, 60)}", words))
        return self.window(Action.HISTORY, frame, blocks)


# ------------------------------------------------------------------ pieces


def text_input(*, multiline: bool = True) -> Block:
    return {"type": "plain_text_input", "multiline": multiline, "max_length": WORDS}


def select(choices: Sequence[Choice], *, chosen: str = "") -> Block:
    """A list; what is too long for one stands in groups, each named by its first."""
    options = [{"text": plain(one_line(one.text, OPTION)), "value": one.value} for one in choices]
    first = next((one for one in options if one["value"] == chosen), None)
    initial = {"initial_option": first} if first else {}
    if len(options) <= OPTIONS:
        return {"type": "static_select", "options": options, **initial}
    parts = [options[start : start + OPTIONS] for start in range(0, OPTIONS * OPTIONS, OPTIONS)]
    groups = [{"label": part[0]["text"], "options": part} for part in parts if part]
    return {"type": "static_select", "option_groups": groups, **initial}


def quote(text: str) -> Block:
    return {"type": "rich_text", "elements": [{"type": "rich_text_quote", "elements": [_piece(text)]}]}


def spoken(head: str, words: str) -> Block:
    cut = words if len(words) <= SAID else f"{words[: SAID - 1]}…"
    elements = [_piece(f"{head}\n", bold=True), _piece(cut or "–")]
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements}]}


def _piece(text: str, *, bold: bool = False) -> Block:
    piece: Block = {"type": "text", "text": text}
    return piece | ({"style": {"bold": True}} if bold else {})


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text or "–", "emoji": False}
