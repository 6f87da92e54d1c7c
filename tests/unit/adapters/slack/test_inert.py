"""Whatever a customer writes, is called, or sends: in Slack it rings nobody, leads nowhere, looks like nothing but
words, and reads as it was written. Judged by the simulator's reading, which sees rather more than Slack does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.slack import render
from adapters.slack.outward.announcements import announcement
from adapters.slack.outward.attached import beneath
from adapters.slack.outward.bursts import Bursts, Say
from adapters.slack.places.threads import metadata
from adapters.slack.render import Rendered
from adapters.slack.shown.rewording import reworded
from adapters.slack.shown.sheet import home
from adapters.slack.shown.views import QUOTE, Pen
from bridge.messages import About, Body, FilePart, TextPart
from bridge.networks.answers import Found, Shown
from bridge.networks.bursts import Said
from bridge.networks.commands import Verb
from bridge.networks.names import customer_name, persona
from bridge.ports import Delivery, HeldFile, Store
from config.locales import LANGUAGES, thread_words
from routing.effects import Effect
from routing.facts import Side
from routing.ids import MessageId, SessionId
from tests.simulators.slack.blocks import reading_of
from tests.simulators.slack.composing import compose
from tests.simulators.slack.methods.views import view_errors
from tests.simulators.slack.refusal import Args
from tests.simulators.slack.shapes import seen
from tests.simulators.slack.workspace import Message, Workspace
from tests.unit.adapters.slack.shown.test_card import FULL, SESSION, a_card
from tests.unit.adapters.slack.shown.test_sheet import draws, face, row, sheet
from tests.unit.adapters.slack.shown.test_views import FRAME, windows

ACTS = [
    *("<!channel>", "<!here>", "<!everyone>", "<!here|here>", "<!subteam^S0SIM1|@night>", "<@U0SIM00001>", "<@W1|bob>"),
    *("<#C0SIM00005>", "<#C1|general>", "<!date^1700000000^{date}^https://evil.example|today>", "@channel", "@here"),
    *("<https://evil.example|https://bank.example>", "<mailto:a@evil.example|mail us>", "<tel:+81|call>", "#support"),
    *("https://evil.example/x?a=1&b=2", "evil.example.com", "a@evil.com", "http://xn--e1afmkfd.com", "<javascript:x>"),
    *("&lt;!channel&gt;", "&amp;lt;!here&amp;gt;", "&amp;", "&", "<", ">", "|", "&#60;!here&#62;"),
    *("*bold*", "_italic_", "~struck~", "`code`", "```\npre\n```", "> quote", ">>> all", "• item", "1. item", "***"),
    *(":smile:", ":+1::skin-tone-3:", "🙏🏽", "👩‍👩‍👧‍👦", "🇯🇵", "e\u0301", "\u200b", "\u200d", "\u2060", "\ufeff"),
    *("\u202e", "\u2066", "\u2069", "\u061c", "\n", "\r\n", "\t", "\u2028", "\u3000", "日本"),
    *('{"type": "button", "action_id": "claim"}', '[{"type": "actions", "elements": []}]', "{name}", "{0}", "%s", "\\"),
    *(
        "K7Q2 · Hanako · en · Waiting",
        "This message was withdrawn.",
        "Support · reply from another face",
        "\nSato: yes",
    ),
    *("This session moved to <#C1>. Please go on there.", "Machine translation · en", "11-30 10:00 Sato\nrefunded"),
]
HOSTILE = st.lists(st.sampled_from(ACTS) | st.text(max_size=8), min_size=1, max_size=8).map("".join)
WORDS = HOSTILE.filter(str.strip)


def post(rendered: Rendered, **dress: Any) -> Message:
    """What becomes of it in Slack."""
    workspace = Workspace()
    workspace.app.scopes.add("chat:write.customize")
    told = metadata("effect", SessionId("main.0.abc"), 1)
    sent = json.loads(json.dumps({"channel": "C1", "metadata": told, **rendered.posted, **dress}))
    message = compose(workspace, Args(sent), "1.1")
    assert message.metadata == told
    return message


def read(message: Message) -> str:
    return seen(Workspace(), message)


def do_nothing(messages: Sequence[Message], ours: Sequence[str] = ()) -> None:
    """None of them rings, links, unfurls or is drawn as anything but words; `ours` is what we style ourselves."""
    for message in messages:
        assert message.pings == []
        assert [link for link in message.links if link.kind != "date"] == []
        assert message.unfurls == []
        assert [mark for mark in message.marks if mark not in ours] == []
        assert not message.attachments


def kinds_in(message: Message) -> list[str]:
    return [str(block["type"]) for block in message.blocks]


@settings(deadline=None)
@given(WORDS, HOSTILE, st.sampled_from(LANGUAGES))
@example("*bold* <!channel> :smile:", "<!here>", "en")
def test_words_and_the_name_above_them(words: str, name: str, language: str) -> None:
    speaker = customer_name(About(name=name), language, thread_words)
    parts = render.said(Side.CUSTOMER, Body((TextPart(words),)), speaker, language=language, wording=thread_words)
    (message,) = [post(one) for one in parts]
    do_nothing([message], ours=[speaker])
    assert read(message) == f"{speaker}\n{words}"
    assert kinds_in(message) == ["rich_text"]  # our lines are contexts, our cards have headers


@settings(deadline=None)
@given(WORDS, HOSTILE, st.sampled_from(LANGUAGES))
def test_words_under_a_name_of_their_own(words: str, name: str, language: str) -> None:
    body = Body((TextPart(words),))
    username = persona(About(name=name), language, thread_words)
    (one,) = render.said(Side.CUSTOMER, body, "x", language=language, wording=thread_words, persona=True)
    message = post(one, username=username)
    do_nothing([message])
    assert read(message) == words
    assert message.username == username
    assert "\n" not in username
    assert username not in ("Kakehashi", "Support", "Sato")


@settings(deadline=None)
@given(HOSTILE, st.sampled_from(LANGUAGES))
def test_a_persona_always_says_whose_it_is(name: str, language: str) -> None:
    customer = thread_words(language, "customer.unnamed")
    assert customer.casefold() in persona(About(name=name), language, thread_words).casefold()


@settings(deadline=None)
@given(WORDS, st.lists(HOSTILE, max_size=3), HOSTILE)
def test_words_that_were_changed_and_what_they_were(words: str, former: list[str], name: str) -> None:
    speaker = customer_name(About(name=name), "en", thread_words)
    (one,) = render.said(Side.CUSTOMER, Body((TextPart(words),)), speaker, language="en", wording=thread_words)
    changed = reworded(one, [Body((TextPart(text),)) for text in former], "en", thread_words)
    message = post(changed)
    do_nothing([message], ours=[speaker])
    assert read(message).startswith(f"{speaker}\n{words}\n")


@settings(deadline=None)
@given(WORDS, st.sampled_from(LANGUAGES))
def test_a_machines_translation_of_them(words: str, language: str) -> None:
    parts = render.translation(Body((TextPart(words),)), language, 1_700_000_000_000, thread_words)
    message = post(parts[0])
    do_nothing([message])
    assert read(message).endswith(f"\n{words}")


@settings(deadline=None)
@given(st.lists(st.tuples(HOSTILE, WORDS), min_size=1, max_size=4), st.sampled_from(LANGUAGES))
def test_what_was_said_before(said: list[tuple[str, str]], language: str) -> None:
    """Each one's words are quoted on their own, so that none can put words into somebody else's mouth."""
    speakers = [customer_name(About(name=name), language, thread_words) for name, _ in said]
    told = [(1_700_000_000_000, speaker, TextPart(words)) for speaker, (_, words) in zip(speakers, said, strict=True)]
    (one,) = render.history(told, language, thread_words)
    message = post(one)
    heads = [f"11-14 22:13 {speaker}" for speaker in speakers]
    do_nothing([message], ours=heads)
    elements = message.blocks[-1]["elements"]
    assert [one["type"] for one in elements] == ["rich_text_section", "rich_text_quote"] * len(said)
    shown = [one["elements"][0]["text"] for one in elements]
    assert shown == [text for head, (_, words) in zip(heads, said, strict=True) for text in (head, words)]


@settings(deadline=None)
@given(st.lists(WORDS, min_size=2, max_size=4), HOSTILE)
def test_several_messages_in_one_post(texts: list[str], name: str) -> None:
    speaker = customer_name(About(name=name), "en", thread_words)

    def draw(delivery: Delivery, said: Said, named: bool) -> Rendered:
        del delivery
        assert said.body is not None
        (one,) = render.said(Side.CUSTOMER, said.body, speaker, language="en", wording=thread_words, persona=not named)
        return one

    bursts = Bursts(cast(Store, None), draw, cast(Say, None))
    delivery = Delivery(cast(Effect, None), SESSION, About(name=name), None, None)
    message = post(bursts._joined(delivery, [Said(MessageId(""), Body((TextPart(text),))) for text in texts]))
    do_nothing([message], ours=[speaker])
    assert read(message) == "\n".join((speaker, *texts))
    assert kinds_in(message) == ["rich_text"] * len(texts)


@settings(deadline=None)
@given(HOSTILE, HOSTILE, HOSTILE, st.sampled_from(LANGUAGES))
def test_the_card(name: str, page: str, zone: str, language: str) -> None:
    about = About(name=name, page=page, time_zone=zone, claims={"tier": name, page: zone})
    session = replace(FULL, language=language, tags=(name, zone), incident=None)
    message = post(a_card(session, about))
    do_nothing([message])
    buttons = [block for block in message.blocks if block["type"] == "actions"]
    assert len(buttons) == 1
    assert message.text.startswith(SESSION.code)


def acts_in(blocks: list[dict[str, Any]]) -> tuple[list[object], list[object], list[str]]:
    """Whom they ring, where they lead, and what is drawn as more than words."""
    reading = reading_of(blocks)
    return list(reading.pings), list(reading.links), reading.marks


@settings(deadline=None, max_examples=25)  # each example is all windows
@given(HOSTILE, WORDS, st.sampled_from(LANGUAGES))
def test_windows(name: str, words: str, language: str) -> None:
    """What a customer is called stands on top of each; what they wrote is quoted, filled in, or told as history."""
    for view in windows(Pen(thread_words, language, f"K7Q2 · {name}"), replace(FRAME, quote=words[:QUOTE]), words):
        pings, links, marks = acts_in(view["blocks"])
        assert (pings, links) == ([], [])
        assert [mark for mark in marks if not mark.startswith("11-14 22:13 UTC · ")] == []  # who said it, in bold
        assert view_errors(view, "modal") == []


@settings(deadline=None, max_examples=25)
@given(HOSTILE, st.sampled_from(LANGUAGES))
def test_the_apps_home(name: str, language: str) -> None:
    """It does what it does for somebody of a harmless name, and no more."""
    blocks = home(sheet(2, 2, name), face(language))
    assert acts_in(blocks) == acts_in(home(sheet(2, 2, "Hanako"), face(language)))


@settings(deadline=None, max_examples=25)
@given(HOSTILE, st.sampled_from(LANGUAGES))
def test_answers_to_one_person(name: str, language: str) -> None:
    """To a slash command, or to the same typed in a thread."""

    def answered(called: str) -> list[Message]:
        found = Found("K7Q2", (row(called), row(called)))
        shown = [Shown(part, sheet(2, 2, called)) for part in (Verb.HOME, Verb.QUEUE, Verb.MINE)]
        return [compose(Workspace(), Args(draws(one, language)), "1.1") for one in (found, *shown)]

    for hostile, harmless in zip(answered(name), answered("Hanako"), strict=True):
        assert (hostile.pings, hostile.links, hostile.marks) == (harmless.pings, harmless.links, harmless.marks)
        assert hostile.text == harmless.text
        assert hostile.unfurls == harmless.unfurls


@settings(deadline=None)
@given(WORDS)
def test_an_announcement(text: str) -> None:
    message = post(announcement(text))
    do_nothing([message])
    assert read(message) == text


@settings(deadline=None)
@given(WORDS, HOSTILE)
def test_a_message_with_attachments_that_slack_is_not_given(words: str, name: str) -> None:
    speaker = customer_name(About(name=name), "en", thread_words)
    (one,) = render.said(Side.CUSTOMER, Body((TextPart(words),)), speaker, language="en", wording=thread_words)
    held = (HeldFile("f1", "image/png", 2_000_000), HeldFile("f2", "application/pdf", 1))
    effect = cast(Effect, None)
    body = Body((TextPart(words), FilePart("f3", "", "image/png", 0, purged=True)))
    delivery = Delivery(effect, SESSION, About(name=name), None, body, held=held)
    message = post(beneath(one, delivery, thread_words, lambda session, file: f"https://desk.example/{file}"))
    assert [link.url for link in message.links] == ["https://desk.example/f1", "https://desk.example/f2"]
    assert (message.pings, message.unfurls) == ([], [])
    assert [mark for mark in message.marks if mark != speaker] == []


@pytest.mark.parametrize("size", [4_000, 40_000])
@pytest.mark.parametrize("words", ["<!channel>", "&", "&amp;lt;", "👩‍👩‍👧‍👦", "*a* ", "\n", "日本", "<@U1|x>\u202e"])
def test_the_longest_words_are_taken_whole(words: str, size: int) -> None:
    text = (words * size)[:size].strip("\n") or "x"
    parts = render.said(Side.CUSTOMER, Body((TextPart(text),)), "Hanako", language="en", wording=thread_words)
    messages = [post(one) for one in parts]
    do_nothing(messages, ours=[str(one.blocks[0]["elements"][0]["elements"][0]["text"]) for one in parts])
    assert "".join(read(one).partition("\n")[2] for one in messages) == text
    assert all(len(one.changed["text"]) <= render.TEXT for one in parts)
