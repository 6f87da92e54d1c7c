"""References and custom ids: what was minted is read back, within Discord's limits, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.discord.refs import (
    LONGEST,
    Aim,
    Post,
    Root,
    custom_id,
    made_at,
    message_id,
    read_custom_id,
    written_at,
)
from bridge.ports import Placed
from routing.ids import MessageId, PostRef, SessionId, sent_id

SNOWFLAKES = st.integers(1, 2**64 - 1).map(str)
PLACED = Placed(SessionId("main.3f.0123456789abcdef"), 12)
WIDEST = Placed(SessionId(f"{'s' * 32}.ffff.0123456789abcdef"), 999)


@given(SNOWFLAKES, SNOWFLAKES, SNOWFLAKES, st.lists(SNOWFLAKES, max_size=3))
def test_references_are_read_as_they_were_minted(guild: str, channel: str, message: str, files: list[str]) -> None:
    root = Root(guild, channel)
    assert Root.of(root.ref) == root
    for together in ((), (MessageId("c:a+b:c"), message_id(channel, message))):
        post = Post(guild, channel, message, tuple(files), together)
        assert Post.of(post.ref) == post
    assert root.post(message).link == f"https://discord.com/channels/{guild}/{channel}/{message}"


def test_a_threads_reference_reads_as_the_message_that_it_begins_with() -> None:
    assert Post.of(PostRef(Root("1", "77").ref)) == Post("1", "77", "77")


@given(SNOWFLAKES, SNOWFLAKES)
def test_a_button_names_any_message_of_discords_in_a_hundred_characters(channel: str, message: str) -> None:
    written = message_id(channel, message)
    assert written_at(written) == (channel, message)
    for named in (written, sent_id(written)):
        made = custom_id("send", WIDEST, named)
        assert len(made) <= LONGEST
        assert read_custom_id(made) == ("send", Aim(WIDEST, named))


@pytest.mark.parametrize("message", ["c:0a1b", "o:x|y", "!1!2", "r:c:é", "h:d:1:2", "c:" + "x" * 200])
def test_other_messages_are_named_where_there_is_room(message: str) -> None:
    made = custom_id("keep", PLACED, MessageId(message))
    assert len(made) <= LONGEST
    told = MessageId(message) if len(message) < 50 else None
    assert read_custom_id(made) == ("keep", Aim(PLACED, told))


@pytest.mark.parametrize(
    "text", ["", "claim", "k|claim|1|nothing|", "k|claim|x|main.0.a|", "K|claim|1|main.0.a|", "k|claim|1|main.0.a"]
)
def test_what_is_not_ours_is_not_read(text: str) -> None:
    assert read_custom_id(text) is None


@given(st.text(max_size=120))
def test_any_custom_id_can_be_asked_about(text: str) -> None:
    read_custom_id(text)


def test_an_id_tells_when_it_was_minted() -> None:
    assert made_at("175928847299117063") == 1_462_015_105_796
