"""What somebody wrote in a window comes back with the refusal: within Discord's limits, whole, and inert."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.discord.controls.acting import Act
from adapters.discord.controls.windows import Windows
from adapters.discord.heard.happenings import Author
from adapters.discord.render import Rendered
from adapters.discord.text.markup import FENCE, units
from bridge.networks.card import Action
from bridge.networks.submissions import Over, Submission
from bridge.ports import Placed
from routing.ids import InputKey, MessageId, OperatorId, SessionId
from tests.unit.adapters.discord.judging import acts
from tests.unit.adapters.discord.test_render import wording
from tests.unit.adapters.discord.text.test_markup import HOSTILE

PLACED = Placed(SessionId("main.0.0123456789abcdef"), 1)


class Said:
    """A reply that keeps what was said."""

    async def say(self, shown: Rendered) -> None:
        self.shown = shown


async def refused(**texts: str) -> Rendered:
    nobody = cast(Any, None)
    windows = Windows(
        store=nobody, acting=nobody, offers=nobody, submissions=nobody, wording=wording, zone=lambda _desk: nobody
    )
    said = Said()
    stored = SimpleNamespace(session=SimpleNamespace(language="en"))
    act = Act(cast(Any, stored), PLACED, OperatorId("kenji"), Author("1", "5"), cast(Any, said))
    sent = Submission(Action.NOTE, InputKey("k"), MessageId("m"), "5", PLACED, texts)
    await windows.answer(Over("Not stored."), sent, act)
    return said.shown


@settings(deadline=None, max_examples=25)
@given(HOSTILE, st.sampled_from([1, 60, 400]))
async def test_it_is_taken_by_discord_and_nothing_in_it_acts(words: str, times: int) -> None:
    assert acts(await refused(words=words * times, reason=words)) == []


async def test_the_longest_note_comes_back_whole() -> None:
    written = "".join(f"line {number:04}\n" for number in range(400))[:4_000]
    shown = await refused(words=written)
    back = "".join(
        str(one["description"]).removeprefix(f"{FENCE}\n").removesuffix(f"\n{FENCE}") for one in shown.embeds
    )
    assert "".join(back.split()) == "".join(written.split())


async def test_ticks_between_which_signs_are_put_are_not_too_many_for_a_frame() -> None:
    shown = await refused(words="`" * 4_000)
    lengths = [units(str(one["description"])) for one in shown.embeds]
    assert max(lengths) <= 4_096
    assert sum(lengths) <= 6_000
