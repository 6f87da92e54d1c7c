"""A quotation says what its message says now, and nothing once that is taken back."""

from __future__ import annotations

from bridge.carriers import Carrier
from bridge.messages import Body, FilePart, MarkKind, TextPart
from bridge.quotations import SHOWN, all_requoted, quotation, quoted_in, requoted, unquoted
from routing.facts import Side
from routing.ids import MessageId

ASKED, OTHER = MessageId("c:1"), MessageId("c:2")
WORDS = TextPart("Try again")


def says(text: str) -> Body:
    return Body((TextPart(text),))


def quoting(text: str, message: MessageId = ASKED) -> Body:
    above = quotation(message, says(text))
    assert above is not None
    return Body((above, WORDS))


def test_it_is_the_beginning_of_the_words_on_one_line_and_never_a_files_name() -> None:
    above = quotation(ASKED, says("one\ntwo " + "x" * 200))
    assert above is not None
    assert above.text.startswith("one two")
    assert len(above.text) <= SHOWN
    assert [(mark.kind, mark.start, mark.end) for mark in above.marks] == [(MarkKind.QUOTE, 0, len(above.text))]
    assert quotation(ASKED, Body((FilePart("f1", "seed-phrase.png", "image/png", 9),))) is None


def test_it_changes_with_its_message_and_goes_with_it_and_others_stay() -> None:
    body = quoting("my password is x")
    assert requoted(body, ASKED, says("nothing")).text == "nothing\nTry again"
    assert requoted(body, ASKED, None) == Body((WORDS,))
    assert requoted(body, OTHER, None) == body
    assert unquoted(body) == Body((WORDS,))
    assert (quoted_in(body), quoted_in(says("x"))) == (ASKED, None)


def test_every_wording_that_quotes_it_is_written_anew_and_no_other() -> None:
    reply = Carrier(MessageId("o:1"), Side.REPLY, 1, [0, 7], bodies={0: quoting("secret"), 7: quoting("secret")})
    note = Carrier(MessageId("o:2"), Side.NOTE, 2, bodies={0: quoting("secret", OTHER)})
    found = all_requoted([reply, note], ASKED, None)
    assert [(one.message, one.revision, one.body.text) for one in found] == [
        ("o:1", 0, "Try again"),
        ("o:1", 7, "Try again"),
    ]
