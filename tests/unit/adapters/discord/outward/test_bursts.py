"""Several messages in one post: within Discord's limit whatever becomes of them, and with nothing in it that acts."""

from __future__ import annotations

from typing import cast

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.discord.outward.bursts import MEASURE, Bursts, Change, Say
from adapters.discord.render import CONTENT, Rendered
from adapters.discord.shown.filtered import Filter
from adapters.discord.text.markup import units
from bridge.lanes import MERGED
from bridge.messages import About, Body, TextPart
from bridge.networks.bursts import Said
from bridge.ports import Delivery, Store
from config.locales import LANGUAGES, thread_words
from routing.effects import Effect
from routing.ids import MessageId
from routing.session import Session
from tests.unit.adapters.discord.judging import OURS, acts, taken
from tests.unit.adapters.slack.shown.test_card import SESSION

FILTER = Filter(thread_words, lambda session, file: f"https://desk.example/#{session.code}/{file}")
BURSTS = Bursts(cast(Store, None), thread_words, FILTER, cast(Say, None), cast(Change, None))

HOSTILE = [
    *("```", "`", "@everyone", "<@1>", "[a](https://evil.example)", "\n# head", "-# small", "discord.gg/x", "🙏"),
    *("\u200b", "\n", "</x:1>", "||s||", "**", "a" * 30),
]
TEXTS = st.lists(st.sampled_from(HOSTILE) | st.text(max_size=40), min_size=1, max_size=30).map("".join)


def words(text: str) -> Body:
    return Body((TextPart(text),))


def delivery(session: Session = SESSION, name: str = "Hanako") -> Delivery:
    return Delivery(cast(Effect, None), session, About(name=name), None, None)


def drawn(said: list[Said], *withheld: str, name: str = "Hanako") -> Rendered:
    return BURSTS.joined(delivery(name=name), said, frozenset(map(MessageId, withheld)))


@st.composite
def bursts(draw: st.DrawFn) -> list[Said]:
    """What fits into one post at first, and what becomes of it then."""
    first = draw(st.lists(TEXTS, min_size=2, max_size=MERGED))
    while sum(MEASURE.weigh(text) for text in first) > MEASURE.at_first:
        first.pop()
    grown, said = MEASURE.grown(max(1, len(first))), []
    for number, text in enumerate(first):
        fate, later = draw(st.sampled_from(("same", "gone", "edited"))), draw(TEXTS)
        name, room = MessageId(f"m{number}"), max(grown, MEASURE.weigh(text))
        if fate == "edited":
            said.append(Said(name, MEASURE.beginning(words(later), room), True, (words(text),)))
        else:
            said.append(Said(name, words(text) if fate == "same" else None))
    return said


@settings(deadline=None, max_examples=60)
@given(bursts(), TEXTS, st.sets(st.integers(0, MERGED)))
def test_whatever_becomes_of_them_they_fit_and_nothing_acts(said: list[Said], name: str, withheld: set[int]) -> None:
    rendered = drawn(said, *(f"m{number}" for number in withheld), name=name)
    assert units(rendered.content) <= CONTENT
    taken(rendered)
    assert acts(rendered, OURS | {"masked_link"} if withheld else OURS) == [], "our own way to the desk alone"


def test_each_stands_in_a_block_of_its_own_beneath_the_name() -> None:
    said = [Said(MessageId("a"), words("one")), Said(MessageId("b"), words("two ``` <@1>"))]
    assert drawn(said).content.startswith("**Hanako**\n```\none\n```\n```\ntwo ")
    assert drawn(said).content.endswith(" <@1>\n```")


def test_what_was_said_before_stands_where_there_is_room_for_it() -> None:
    def content(length: int) -> str:
        said = [Said(MessageId(f"{n}"), words("x" * length), True, (words("y" * 270),)) for n in range(MERGED)]
        return drawn(said).content

    assert 0 < content(10).count("y" * 270) < MERGED
    assert content(10).count(thread_words("en", "post.edited")) == MERGED
    assert units(content(64)) <= CONTENT


def test_what_is_withheld_says_so_and_where_it_is() -> None:
    said = [Said(MessageId("a"), words("one")), Said(MessageId("b"), words("bad"), True, (words("good"),))]
    content = drawn(said, "b").content
    assert "one" in content
    assert ("bad" in content, "good" in content) == (False, False)
    assert thread_words("en", "post.filtered") in content
    assert f"https://desk.example/#{SESSION.code}" in content


def test_in_every_language_what_a_message_may_take_is_enough_for_what_is_said_of_it() -> None:
    least = MEASURE.grown(MERGED) + MEASURE.each
    for language in LANGUAGES:
        for key in ("line.withdrawn", "post.filtered"):
            assert units(f"-# {thread_words(language, key)}\n") <= least
        assert units(f"```\n\n```\n-# {thread_words(language, 'post.edited')}\n") <= MEASURE.each
