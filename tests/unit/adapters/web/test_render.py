"""What a page is told: words byte for byte, public names, and nothing else of the operators' side."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from adapters.web import render
from adapters.web.house import House
from adapters.web.protocol import NAMES, Message, ProblemError, Typing
from adapters.web.render import Reader, Renderer
from bridge.directory import neutral_name
from bridge.feed import Position, Queue, Resumed, Shown
from bridge.incidents import Incident
from bridge.messages import Body, FilePart, TextPart
from config.settings import WebSettings
from routing import facts as f
from routing.facts import Actor, Mirror, Side
from routing.hours import Hours
from routing.ids import (
    CustomerKey,
    DeskId,
    IncidentId,
    InputKey,
    MessageId,
    NetworkName,
    OperatorId,
    Place,
    SessionId,
    ShortCode,
    Topic,
)
from routing.inputs import Outcome, PurgeReason
from routing.policy import Contact, Desk, Policy
from routing.session import Session, State, Turn, TurnOf
from routing.view import (
    NOTICES,
    CustomerEvent,
    CustomerMessage,
    CustomerNotice,
    CustomerTranslation,
    customer_view,
)

AIKO = OperatorId("account-of-aiko")
READER = Reader("customer:main/user-1", "en")
SESSION = Session(
    id=SessionId("main.0.abc"),
    code=ShortCode("K7Q2"),
    customer=CustomerKey("main", "user-1"),
    verified=True,
    language="ja",
    topic=Topic("trading"),
    desk=DeskId("secret-desk"),
    state=State.ASSIGNED,
    opened_at=5,
    last_at=9,
    turn=Turn(TurnOf.OURS, 9),
    mirrors=(Mirror(1, NetworkName("slack"), Place("C0SECRET")),),
    assignee=AIKO,
)


def public_name(operator: OperatorId, language: str) -> str:
    return "佐藤" if language == "ja" else "Aiko Sato"


DESK = Desk(
    DeskId("secret-desk"),
    NetworkName("slack"),
    Place("C0SECRET"),
    contact=Contact("help@shop.example", "+81 3-0000-0000", Hours(((0, 100), (500, 600)))),
)
LATE = Incident(IncidentId("I1"), {"en": "Withdrawals are late", "ja": "出金が遅れています"}, {}, 5, AIKO)
SETTINGS = WebSettings.model_validate(
    {"identity": {"url": "https://shop.example/verify?step=up", "keys": [{"kid": "a", "secret": "s" * 40}]}}
)
HOUSE = House(
    SETTINGS,
    lambda: Policy(desks={DESK.id: DESK}),
    lambda: 50,
    titles={DESK.id: {"en": "Withdrawals", "ja": "入出金"}},
)


def link(part: FilePart, reader: str) -> str:
    return f"https://files.example/{part.file}/{reader}"


RENDERER = Renderer(public_name, link, HOUSE)


def shown(offset: int, event: CustomerEvent, *texts: str) -> Shown:
    body = Body(tuple(TextPart(text) for text in texts)) if texts else None
    return Shown(Position("ep", offset, f"tag{offset}"), event, body)


def reply(name: str, revision: int = 0, *, withdrawn: bool = False) -> CustomerMessage:
    return CustomerMessage(7, Side.REPLY, MessageId(name), revision, AIKO, withdrawn)


def told(offset: int, event: CustomerEvent, *texts: str, reader: Reader = READER) -> dict[str, Any]:
    frame: dict[str, Any] = json.loads(render.dump(RENDERER.event(SESSION, shown(offset, event, *texts), reader)))
    return frame


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_words_are_told_byte_for_byte(text: str) -> None:
    assert told(1, reply("s:1"), text)["parts"] == [{"type": "text", "text": text}]
    own = CustomerMessage(7, Side.CUSTOMER, MessageId("c:mine"))
    assert told(1, own, text)["parts"] == [{"type": "text", "text": text}]


def test_an_operators_message_shows_a_public_name_and_nothing_of_where_they_work() -> None:
    event = told(3, reply("s:C0SECRET:17.5"), "hello")
    assert (event["from"], event["name"], event["initials"]) == ("operator", "Aiko Sato", "AS")
    assert event["pos"] == {"e": "ep", "o": 3, "t": "tag3"}
    text = json.dumps([event, RENDERER.session(SESSION, "en")])
    for secret in ("C0SECRET", "17.5", AIKO, "slack", "secret-desk", "main.0.abc"):
        assert secret not in text


def test_a_revision_and_a_withdrawal_have_their_messages_id() -> None:
    first, changed = told(3, reply("s:1"), "a"), told(4, reply("s:1", 1), "b")
    gone = told(5, reply("s:1", withdrawn=True))
    assert first["id"] == changed["id"] == gone["id"] != told(6, reply("s:2"), "c")["id"]
    assert (changed["rev"], gone["parts"], gone["withdrawn"]) == (1, None, True)


def test_erased_words_are_null_and_not_withdrawn() -> None:
    event = told(3, reply("s:1"))
    assert (event["parts"], event["withdrawn"]) == (None, False)


def test_ones_own_message_has_the_id_that_the_page_gave_it() -> None:
    event = told(2, CustomerMessage(7, Side.CUSTOMER, MessageId("c:page-made-1")), "hello")
    assert (event["id"], event["from"], event["name"]) == ("page-made-1", "you", None)


def test_a_file_has_a_link_for_this_reader() -> None:
    part = FilePart("f1", "a.png", "image/png", 10, 640, 480)
    event = RENDERER.event(SESSION, Shown(Position("e", 1, "t"), reply("s:1"), Body((part,))), READER)
    assert event["parts"] == [
        {
            "type": "file",
            "file": "f1",
            "name": "a.png",
            "media": "image/png",
            "size": 10,
            "width": 640,
            "height": 480,
            "url": "https://files.example/f1/customer:main/user-1",
        }
    ]


def test_notices_tell_keys_and_public_names_and_not_how_we_count() -> None:
    for key in NOTICES:
        notice = CustomerNotice(7, key, AIKO, 99, Topic("trading"), DESK.id, Outcome.SPAM)
        event = told(1, notice)
        about = {"key", "name", "until", "desk", "language", "incident", "contact", "url"}
        assert set(event) == {"session", "pos", "at", "kind"} | about
        assert event["name"] == ("Aiko Sato" if key in ("joined", "left", "held") else None)
        assert event["desk"] == ("Withdrawals" if key in ("moved", "moved_language", "overflowed") else None)
        assert (event["contact"] is None) == (key not in ("outside_hours", "contact_offered"))
        assert event["url"] is None
        text = json.dumps(event)
        assert not [secret for secret in ("secret-desk", "C0SECRET", "slack", AIKO, "spam") if secret in text]


def test_another_way_to_the_desk_is_named_with_the_hours_of_its_telephone() -> None:
    contact = told(1, CustomerNotice(7, "contact_offered", desk=DESK.id))["contact"]
    hours = {"open": True, "changes": 100, "text": None}
    assert contact == {"mail": "help@shop.example", "phone": "+81 3-0000-0000", "hours": hours}


def test_a_check_leads_to_the_sites_own_page_with_our_nonce() -> None:
    event = told(1, CustomerNotice(7, "check_requested", until=99, nonce="n0/nce"))
    assert event["url"] == "https://shop.example/verify?step=up&nonce=n0%2Fnce"


async def test_an_incident_is_called_by_its_title_in_the_readers_language() -> None:
    async def current() -> tuple[Incident, ...]:
        return (LATE,)

    house = House(SETTINGS, lambda: Policy(desks={DESK.id: DESK}), lambda: 50, incidents=current)
    notice = shown(1, CustomerNotice(7, "incident", incident=LATE.id))
    renderer = Renderer(public_name, link, house)
    assert renderer.event(SESSION, notice, READER)["incident"] is None  # nobody has asked yet
    await house.look()
    assert renderer.event(SESSION, notice, READER)["incident"] == "Withdrawals are late"
    assert renderer.event(SESSION, notice, Reader("x", "ja"))["incident"] == "出金が遅れています"


def test_who_has_no_public_name_is_not_called_support_twice() -> None:
    renderer = Renderer(lambda _, language: neutral_name(language), link, HOUSE)
    for key, name in (("joined", None), ("left", None), ("held", "サポート担当")):
        event = renderer.event(SESSION, shown(1, CustomerNotice(7, key, AIKO, 99)), Reader("x", "ja"))
        assert event["name"] == name


def test_a_translation_stands_beside_its_message_by_the_same_opaque_id() -> None:
    message = told(3, reply("s:1"), "ただいま")
    event = told(4, CustomerTranslation(8, MessageId("s:1"), 0, "en"), "Just now")
    assert (event["kind"], event["id"], event["rev"], event["language"]) == ("translation", message["id"], 0, "en")
    assert event["parts"] == [{"type": "text", "text": "Just now"}]


def test_a_place_in_the_line_is_told_in_minutes_and_its_end_as_none() -> None:
    assert json.loads(render.queue("K7Q2", Queue(3, 4, 7, risen=True))) == {
        "t": "queue",
        "session": "K7Q2",
        "queue": {"position": 3, "low": 4, "high": 7, "risen": True},
    }
    assert json.loads(render.queue("K7Q2", None))["queue"] is None


def test_names_are_in_the_readers_language() -> None:
    assert told(1, CustomerNotice(7, "joined", AIKO), reader=Reader("x", "ja"))["name"] == "佐藤"
    assert RENDERER.session(SESSION, "ja")["agent"] == {"name": "佐藤", "initials": "佐"}


def test_initials() -> None:
    names = {"Aiko Sato": "AS", "aiko": "A", "佐藤 愛子": "佐", "王小明": "王", "": "", "(...)": "", "Øyvind B": "ØB"}
    assert {name: render.initials(name) for name in names} == names


def test_a_history_tells_each_message_with_its_last_words() -> None:
    history = (
        shown(1, reply("s:1"), "my pasword is"),
        shown(2, reply("s:2"), "wrong window"),
        shown(3, reply("s:1", 1), "please wait"),
        shown(4, reply("s:2", withdrawn=True)),
        shown(5, CustomerNotice(7, "closed")),
    )
    (page,) = RENDERER.pages(SESSION, Resumed(False, history, frozenset(), Position("ep", 5, "t")), READER)
    assert [(one["rev"], one["withdrawn"], one["parts"]) for one in page[:4]] == [
        (1, False, [{"type": "text", "text": "please wait"}]),
        (0, True, None),
        (1, False, [{"type": "text", "text": "please wait"}]),
        (0, True, None),
    ]
    assert [one["pos"]["o"] for one in page] == [1, 2, 3, 4, 5]


def test_edited_is_what_was_told_in_other_words_before_and_a_first_revision_may_be_any() -> None:
    known: dict[str, Any] = {"at": 7, "actor": Actor.OPERATOR, "cause": InputKey("k")}
    known |= {"desk": DeskId("secret-desk"), "topic": Topic("trading")}
    one, two = MessageId("s:1"), MessageId("s:2")
    purge = {"file": "1", "side": Side.REPLY, "withdrawn": False, "why": PurgeReason.OTHER}
    facts = (
        f.ReplyAdded(**known, message=one, operator=AIKO, mirror=None, revision=4_000),  # changed before it left
        f.ReplyAdded(**known, message=two, operator=AIKO, mirror=None),
        f.MessageRevised(**known, message=two, revision=1, side=Side.REPLY),
        f.FilePurged(**known, message=two, revision=1, **purge),  # type: ignore[arg-type]  # its fields
    )
    events = [event for fact in facts if (event := customer_view(fact)) is not None]
    assert [told(number, event, "x")["edited"] for number, event in enumerate(events)] == [False, False, True, False]
    history = render.as_it_stands_now([shown(number, event, "x") for number, event in enumerate(events)])
    assert [one.event.edited for one in history if isinstance(one.event, CustomerMessage)] == [False, True, True, True]


def test_a_history_repeats_no_translation_of_words_that_have_changed_since() -> None:
    def of(message: str, revision: int = 0) -> CustomerTranslation:
        return CustomerTranslation(8, MessageId(message), revision, "en")

    history = (
        shown(1, reply("s:1"), "一"),
        shown(2, of("s:1"), "one"),
        shown(3, reply("s:1", 1), "二"),
        shown(4, of("s:1", 1), "two"),
        shown(5, reply("s:2"), "三"),
        shown(6, of("s:2"), "three"),
        shown(7, reply("s:2", withdrawn=True)),
        shown(8, of("s:0"), "of a message before these"),
    )
    now = render.as_it_stands_now(history)
    assert [one.body.text if one.body else None for one in now if isinstance(one.event, CustomerTranslation)] == [
        None,
        "two",
        None,
        "of a message before these",
    ]


def test_a_long_history_has_pages_and_an_empty_one_has_one() -> None:
    history = tuple(shown(number, reply(f"s:{number}"), "x") for number in range(1, 252))
    resumed = Resumed(False, history, frozenset(), Position("ep", 251, "t"))
    assert [len(page) for page in RENDERER.pages(SESSION, resumed, READER)] == [100, 100, 51]
    assert RENDERER.pages(SESSION, Resumed(True, (), frozenset(), Position("ep", 251, "t")), READER) == [[]]


def test_a_batch_is_rendered_once_per_language() -> None:
    asked: list[str] = []

    def counting(operator: OperatorId, language: str) -> str:
        asked.append(language)
        return "Aiko"

    events = (shown(1, CustomerNotice(7, "queued")), shown(2, CustomerNotice(7, "closed")))
    batch = render.Batch(Renderer(counting, link, HOUSE), "x", SESSION, events)
    assert batch.event(1, "en") is batch.event(1, "en")
    batch.event(1, "ja")
    assert asked == ["en", "ja"]  # `after` names who answers
    assert json.loads(batch.event(0, "en"))["after"] is None
    assert json.loads(batch.event(1, "en"))["after"]["state"] == "assigned"


def test_a_refusal_says_what_was_refused() -> None:
    problem = ProblemError("rate", "too fast", retry=True, after=1.5)
    frame = json.loads(render.refused(problem, Message("message-1", ())))
    assert (frame["of"], frame["id"], frame["retry"], frame["after"]) == ("message", "message-1", True, 1.5)
    assert json.loads(render.refused(problem, Typing()))["id"] is None


def test_every_client_frame_has_its_name() -> None:
    assert sorted(name.replace("_", "") for name in NAMES.values()) == sorted(one.__name__.lower() for one in NAMES)


def test_lone_surrogates_of_a_network_do_not_break_the_line() -> None:
    assert render.dump({"x": "a\ud800b"}) == b'{"x":"a?b"}'
