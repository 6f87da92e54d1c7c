"""Where a session would go, and why: the answer to `kakehashi route`, as plain values and as lines for people.

Nothing is worked out here a second time: a session is opened by the rules themselves, and what is told is what they
decided, with the timers that they set. What the rules do not say is why the other desks lost; that is read off `fit`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from bridge.errors import KakehashiError
from bridge.languages import language_tag, spoken
from routing import sla
from routing.decide import Decision, decide
from routing.hours import Hours
from routing.ids import CustomerKey, DeskId, InputKey, MessageId, SessionId, ShortCode, Topic
from routing.inputs import CustomerWrote, DeadlineFell, Input, Opening
from routing.policy import Desk, Policy, Priority, Promised, Rung, RungKind, fit
from routing.session import Session
from routing.timers import TimerName, timers

ANY = Topic("")
"""No topic in particular."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HEADING = 11


class RouteError(KakehashiError):
    """The question cannot be understood."""


@dataclass(frozen=True, slots=True)
class Atlas:
    """A policy with the names that people know its desks and topics by, and the zones that desks think in."""

    policy: Policy
    desk_titles: Mapping[DeskId, Mapping[str, str]] = field(default_factory=dict)
    topic_titles: Mapping[Topic, Mapping[str, str]] = field(default_factory=dict)
    zones: Mapping[DeskId, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Question:
    """Who asks for a desk: in which language, about what, when (ms since 1970, UTC), seen from which time zone."""

    language: str
    topic: str
    at: int
    zone: tzinfo = UTC


def parse_time(text: str) -> tuple[int, tzinfo]:
    """An ISO time with its offset, as ms since 1970 (UTC), and the zone it was written in. Raises RouteError."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        when = None
    if when is None or when.tzinfo is None:
        raise RouteError("this is no moment", where="--at", mend="write it as in 2026-01-01T03:00+09:00")
    return (when - _EPOCH) // timedelta(milliseconds=1), when.tzinfo


def find_topic(name: str, atlas: Atlas) -> Topic:
    """By its id, or by a word of its title that no other title has. Raises RouteError."""
    topics = atlas.policy.topics
    if not name or name in topics:
        return Topic(name)
    said = name.casefold()
    close = [
        topic for topic in topics if any(_says(title, said) for title in atlas.topic_titles.get(topic, {}).values())
    ]
    if len(close) != 1:
        raise RouteError(f"there is no topic {name}", where="--topic", mend=f"choose from {', '.join(topics)}")
    return close[0]


def _says(title: str, said: str) -> bool:
    title = title.casefold()
    return said in title.split() or said == title or (not said.isascii() and said in title)


# ------------------------------------------------------------------ the answer


def explain(atlas: Atlas, question: Question) -> dict[str, Any]:
    """Which desk, why, whether it is open, who is on call, what is promised, whom the ladder calls, what follows."""
    policy, topic = atlas.policy, find_topic(question.topic, atlas)
    question = replace(question, language=language_tag(question.language, spoken(policy), "--language"))
    opened = _opened(policy, question.language, topic, question.at)
    desk = policy.desks[opened.desk]
    named = atlas.zones.get(desk.id)
    times = _Times(ZoneInfo(named) if named else question.zone)
    begun = _begun(opened, policy)
    rules = policy.topic(topic)
    return {
        "language": question.language,
        "topic": topic or None,
        "topic_title": atlas.topic_titles.get(topic, {}).get("en"),
        "at": times.iso(question.at),
        "zone": named,
        "desk": desk.id,
        "title": atlas.desk_titles.get(desk.id, {}).get("en", desk.id),
        "network": desk.network,
        "place": ", ".join(desk.places),
        "why": _suits(desk, question.language, topic),
        "others": _others(policy, desk, question.language, topic),
        "emergency": rules.emergency,
        "priority": rules.effective_priority,
        "head_start": rules.head_start,
        "identity_check": rules.identity_check,
        "topic_hours": None if rules.hours.spans is None else _hours(rules.hours, question.at, times),
        "hours": _hours(desk.hours, question.at, times),
        "on_call": _on_call(policy, desk, question.at, times),
        "promises": _promises(begun, desk, policy, times),
        "ladder": _ladder(begun, desk, policy, times),
        "overflow": _overflow(desk, policy, timers(begun, policy).get(TimerName.OVERFLOW), times),
        "contact": _contact(desk, timers(opened, policy).get(TimerName.CONTACT), times),
        "translated": policy.translates and not desk.speaks(question.language),
    }


class _Times:
    """Moments as people of the desk read them."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone

    def iso(self, at: int) -> str:
        return (_EPOCH + timedelta(milliseconds=at)).astimezone(self._zone).isoformat(timespec="seconds")

    def iso_or_none(self, at: int | None) -> str | None:
        return None if at is None else self.iso(at)


def _opened(policy: Policy, language: str, topic: Topic, at: int) -> Session:
    """A session with one message, as the rules open it."""
    opening = Opening(SessionId("route.0.x"), ShortCode("0000"), CustomerKey("route", "~"), False, language, topic)
    return _after(None, CustomerWrote(MessageId("c:route"), opening), policy, at)


def _begun(opened: Session, policy: Policy) -> Session:
    """The same once its desk is open, when promises begin to count."""
    return opened if opened.opens_at is None else _after(opened, DeadlineFell(), policy, opened.opens_at)


def _after(session: Session | None, event: Input, policy: Policy, now: int) -> Session:
    verdict = decide(session, event, key=InputKey(f"route/{now}"), now=now, policy=policy)
    if not isinstance(verdict, Decision):
        raise AssertionError("an opening and a deadline that has come are never refused")
    return verdict.session


# ------------------------------------------------------------------ which desk, and why


def _suits(desk: Desk, language: str, topic: Topic) -> str:
    return f"{_speaks(desk, language)}, {_knows(desk, topic)}"


def _speaks(desk: Desk, language: str) -> str:
    if not desk.languages:
        return "speaks any language"
    heard = language if language in desk.languages else language.split("-")[0]
    return f"speaks {heard}" if heard in desk.languages else f"does not speak {language}"


def _knows(desk: Desk, topic: Topic) -> str:
    if not desk.topics:
        return "takes any topic"
    return f"knows {topic}" if topic in desk.topics else f"does not take {topic or 'every topic'}"


def _others(policy: Policy, chosen: Desk, language: str, topic: Topic) -> list[dict[str, str]]:
    best = fit(chosen, language, topic)
    told = []
    for desk in policy.desks.values():
        if desk.id == chosen.id:
            continue
        equal = ", no better, and written below it" if fit(desk, language, topic) == best else ""
        told.append({"desk": desk.id, "why_not": _suits(desk, language, topic) + equal})
    return told


# ------------------------------------------------------------------ hours and who is on call


def _hours(hours: Hours, at: int, times: _Times) -> dict[str, Any]:
    return {
        "always": hours.spans is None,
        "open": hours.open_at(at),
        "opens_at": None if hours.open_at(at) else times.iso_or_none(hours.opens_after(at)),
        "closes_at": times.iso_or_none(hours.closes_after(at)),
    }


def _on_call(policy: Policy, desk: Desk, at: int, times: _Times) -> dict[str, Any] | None:
    rota = policy.rotas.get(desk.rota)
    if rota is None:
        return None
    return {
        "rota": desk.rota,
        "operator": rota.on_call(at),
        "until": times.iso_or_none(rota.changes_after(at)),
    }


# ------------------------------------------------------------------ what is promised, and what follows


def _promises(session: Session, desk: Desk, policy: Policy, times: _Times) -> list[dict[str, Any]]:
    found = []
    for kind in Promised:
        promise = sla.promise_of(kind, session, desk, policy)
        if promise is not None:
            due, warned = (of(kind, session, desk, policy) for of in (sla.due, sla.warning))
            found.append(
                {
                    "promise": kind,
                    "within": promise.within,
                    "clock": promise.clock,
                    "warned_at": times.iso_or_none(warned),
                    "due": times.iso_or_none(due),
                }
            )
    return found


def _ladder(session: Session, desk: Desk, policy: Policy, times: _Times) -> dict[str, Any] | None:
    """Its steps, with the times at which they come if nobody answers."""
    if not desk.ladder.rungs:
        return None
    emergency = session.escalation is not None
    start = session.opened_at if emergency else sla.next_miss(session, desk, policy)
    return {
        "why": "emergency" if emergency else "promise",
        "starts": times.iso_or_none(start),
        "answer_within": desk.ladder.answer_within,
        "rungs": list(_rungs(start, desk, policy, times)),
    }


def _rungs(start: int | None, desk: Desk, policy: Policy, times: _Times) -> Iterator[dict[str, Any]]:
    at = start
    for rung in desk.ladder.rungs:
        at = None if at is None else at + rung.after
        last = rung is desk.ladder.rungs[-1]
        yield {
            "call": rung.kind,
            "to": _whom(rung, desk, policy, at),
            "after": rung.after,
            "at": times.iso_or_none(at),
            "times": None if last else rung.times,
            "every": rung.every,
        }
        at = None if at is None else at + (rung.times - 1) * rung.every


def _whom(rung: Rung, desk: Desk, policy: Policy, at: int | None) -> str | None:
    if rung.kind is RungKind.ON_CALL and at is not None:
        return policy.on_call(desk, at)
    return rung.to or None


def _overflow(desk: Desk, policy: Policy, at: int | None, times: _Times) -> dict[str, Any] | None:
    """The first fallback that is open then takes it, else the first of all."""
    known = [policy.desks[one] for one in desk.fallbacks if one in policy.desks]
    if desk.overflow_after is None or not known:
        return None
    target = next((one for one in known if at is not None and one.hours.open_at(at)), known[0])
    return {
        "after": desk.overflow_after,
        "at": times.iso_or_none(at),
        "to": target.id,
        "open": at is not None and target.hours.open_at(at),
    }


def _contact(desk: Desk, at: int | None, times: _Times) -> dict[str, Any] | None:
    if not (desk.contact.mail or desk.contact.phone):
        return None
    return {"mail": desk.contact.mail, "phone": desk.contact.phone, "offered_at": times.iso_or_none(at)}


# ------------------------------------------------------------------ for people


def lines(answer: Mapping[str, Any]) -> Iterator[str]:
    """The answer, a heading and a line each. Times are the desk's, with the day where it is another one."""
    asked = _Clock(answer["at"])
    zone = answer["zone"] or f"UTC{answer['at'][-6:]}"
    topic = (
        "any topic" if answer["topic"] is None else f"{answer['topic_title'] or answer['topic']} ({answer['topic']})"
    )
    yield f"{answer['language']} · {topic} · {asked.whole(answer['at'])} {zone}"
    yield _line("desk", f"{answer['desk']}: {answer['title']} ({answer['network']} {answer['place']})")
    yield _line("why", answer["why"])
    for other in answer["others"]:
        yield _line("not", f"{other['desk']}: {other['why_not']}")
    yield from _state_lines(answer, asked)
    yield from _promise_lines(answer, asked)
    yield from _ladder_lines(answer["ladder"], asked)
    yield from _way_out_lines(answer, asked)


def _line(heading: str, text: str) -> str:
    return f"{heading:{_HEADING}}{text}".rstrip()


def _state_lines(answer: Mapping[str, Any], asked: _Clock) -> Iterator[str]:
    if answer["topic_hours"] is not None:
        yield _line("topic", _hours_text(answer["topic_hours"], asked))
    yield _line("hours", _hours_text(answer["hours"], asked))
    if answer["emergency"]:
        yield _line("priority", "urgent: an emergency skips the queue, and its ladder starts at once")
    elif answer["priority"] != Priority.NORMAL or answer["head_start"]:
        start = f", a head start of {_span(answer['head_start'])} in the queue" if answer["head_start"] else ""
        yield _line("priority", f"{answer['priority']}{start}")
    if answer["identity_check"]:
        yield _line("identity", "checked by the site before it can be solved")
    if answer["translated"]:
        yield _line("language", "translated by machine, the original beside it")


def _hours_text(hours: Mapping[str, Any], asked: _Clock) -> str:
    if hours["always"]:
        return "open around the clock"
    if hours["open"]:
        return f"open until {asked.short(hours['closes_at'])}"
    return f"closed, opens {asked.whole(hours['opens_at'])}" if hours["opens_at"] else "closed, and never opens"


def _promise_lines(answer: Mapping[str, Any], asked: _Clock) -> Iterator[str]:
    for one in answer["promises"]:
        clock = "business time" if one["clock"] == "business" else "wall time"
        due = f": due {asked.short(one['due'])}" if one["due"] else ""
        warned = f", warned {asked.short(one['warned_at'])}" if one["due"] and one["warned_at"] else ""
        yield _line(
            "promise", f"{one['promise'].replace('_', ' ')} within {_span(one['within'])} ({clock}){due}{warned}"
        )
    if not answer["promises"]:
        yield _line("promise", "none")


def _ladder_lines(ladder: Mapping[str, Any] | None, asked: _Clock) -> Iterator[str]:
    if ladder is None:
        yield _line("ladder", "none: nobody is called")
        return
    if ladder["why"] == "emergency":
        start = "starts at once"
    elif ladder["starts"]:
        start = f"starts {asked.short(ladder['starts'])}, when the first promise is missed"
    else:
        start = "starts by hand only"
    yield _line("ladder", f"{start}; who takes it answers within {_span(ladder['answer_within'])}")
    for number, rung in enumerate(ladder["rungs"], 1):
        yield _line("", f"{number}. {_rung_text(rung, asked)}")


def _rung_text(rung: Mapping[str, Any], asked: _Clock) -> str:
    whom = f" {rung['to']}" if rung["to"] else " (nobody is)" if rung["call"] == RungKind.ON_CALL and rung["at"] else ""
    when = f" {asked.short(rung['at'])}" if rung["at"] else f" after {_span(rung['after'])}"
    again = f", then every {_span(rung['every'])}"
    if rung["times"] is not None:
        again = "" if rung["times"] == 1 else f", {rung['times']} times, every {_span(rung['every'])}"
    return f"{str(rung['call']).replace('_', ' ')}{whom}{when}{again}"


def _way_out_lines(answer: Mapping[str, Any], asked: _Clock) -> Iterator[str]:
    on_call, overflow, contact = answer["on_call"], answer["overflow"], answer["contact"]
    if on_call is not None:
        until = f" until {asked.short(on_call['until'])}" if on_call["until"] else ""
        yield _line("on call", f"{on_call['operator'] or 'nobody'}{until} (rota {on_call['rota']})")
    if overflow is not None:
        when = asked.short(overflow["at"]) if overflow["at"] else f"after {_span(overflow['after'])}"
        yield _line("overflow", f"{when} to {overflow['to']}{' (open)' if overflow['open'] else ' (closed)'}")
    if contact is not None:
        when = f", offered {asked.short(contact['offered_at'])}" if contact["offered_at"] else ""
        yield _line("contact", f"{' or '.join(filter(None, (contact['mail'], contact['phone'])))}{when}")


class _Clock:
    """Writes times as seen from one: the day only where it is another."""

    def __init__(self, now: str) -> None:
        self._day = datetime.fromisoformat(now).date()

    def short(self, at: str) -> str:
        when = datetime.fromisoformat(at)
        return f"{when:%H:%M}" if when.date() == self._day else self.whole(at)

    def whole(self, at: str) -> str:
        return f"{datetime.fromisoformat(at):%a %-d %b %Y %H:%M}"


def _span(ms: int) -> str:
    """`90s`, `10m`, `2h 30m`, `3d`: as the policy writes it."""
    parts, left = [], ms // 1000
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")):
        number, left = divmod(left, size)
        parts += [f"{number}{unit}"] if number else []
    return " ".join(parts) or "0s"
