"""Forum tags: a session's state, language and topic, for whoever filters a forum's posts.

A tag is found by its name, in any of the faces' languages, whoever has made it. A forum has 20 at most and a post shows
five; a tag's name has 20 characters. One that a forum does not have costs nothing but the tag.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence

from adapters.discord.places.channels import Channel, Tag
from bridge.errors import DeliveryError
from bridge.languages import LANGUAGES
from bridge.networks.card import Title, Wording
from config.locales import text
from routing.ids import Topic
from routing.policy import Policy
from routing.session import Session, State, TurnOf

APPLIED = 5
"""Tags that one post shows."""

DEFINED = 20
"""Tags that one forum has."""

LONGEST = 20
"""Characters of a tag's name."""

HELD, ESCALATED = "turn.held", "card.escalation"
STATES = (*(f"state.{one}" for one in State if one is not State.NEW), HELD)

_OWN = {"ja": ("日本語",), "en": ("English",), "zh-Hans": ("简体中文", "中文"), "zh-Hant": ("繁體中文", "中文")}
"""What a language is called by who speaks it, besides its names in the faces' languages."""


class ForumTags:
    def __init__(self, wording: Wording, title: Title, policy: Callable[[], Policy]) -> None:
        self._wording = wording
        self._title = title
        self._policy = policy

    def of(self, channel: Channel, session: Session) -> tuple[Tag, ...]:
        """Those of the channel's tags that say how it is with the session, the likeliest filter first."""
        slots = (
            [self._worded(HELD), *self._state(session)] if session.turn.of is TurnOf.HELD else self._state(session),
            [self._worded(ESCALATED)] if session.escalation is not None else [],
            [_language(session.language)],
            [self._topic(session.topic)],
        )
        found = (next((tag for names in slot if (tag := _named(channel.tags, names))), None) for slot in slots)
        return tuple(dict.fromkeys(tag for tag in found if tag is not None))

    def following(self, channel: Channel, session: Session) -> frozenset[str]:
        """The ids of all tags that follow sessions. Any other is somebody's own, and stays where they put it."""
        topics = {*self._policy().topic_rules, session.topic}
        names = [self._worded(key) for key in (*STATES, ESCALATED)]
        names += [_language(one) for one in (*LANGUAGES, session.language)]
        names += [self._topic(one) for one in topics]
        known = set().union(*names)
        return frozenset(tag.id for tag in channel.tags if folded(tag.name) in known)

    def advised(
        self, language: str, spoken: Iterable[str], topics: Iterable[Topic]
    ) -> list[tuple[str, frozenset[str]]]:
        """What a forum's tags are best called in a language, and the names by which each is found."""
        states = [(self._wording(language, key), self._worded(key)) for key in (*STATES, ESCALATED)]
        languages = [(_OWN.get(one, (one,))[0], _language(one)) for one in spoken]
        named = [(self._title(one, language)[:LONGEST], self._topic(one)) for one in topics]
        return [*states, *languages, *named]

    def _state(self, session: Session) -> list[frozenset[str]]:
        return [self._worded(f"state.{session.state}")]

    def _worded(self, key: str) -> frozenset[str]:
        return _folded(self._wording(language, key) for language in LANGUAGES)

    def _topic(self, topic: Topic) -> frozenset[str]:
        return _folded((topic, *(self._title(topic, language) for language in LANGUAGES)))


def given_up(tags: Sequence[Tag], error: DeliveryError) -> tuple[Tag, ...] | None:
    """The tags to try with next; None where they were not what was refused."""
    if error.code == "no_permission" and any(tag.moderated for tag in tags):
        return tuple(tag for tag in tags if not tag.moderated)
    if error.code == "invalid_form" and tags:
        return ()
    return None


def _named(tags: Iterable[Tag], names: frozenset[str]) -> Tag | None:
    return next((tag for tag in tags if folded(tag.name) in names), None)


def _language(language: str) -> frozenset[str]:
    base = language.split("-")[0]
    words = [text("desk", face, f"language.{one}") for face in LANGUAGES for one in {language, base} if one in _KNOWN]
    return _folded((language, *_OWN.get(language, ()), *words))


_KNOWN = frozenset((*LANGUAGES, "zh"))


def _folded(names: Iterable[str]) -> frozenset[str]:
    return frozenset(folded(name[:LONGEST]) for name in names)


def folded(name: str) -> str:
    """Without case, width, spaces and signs."""
    return "".join(sign for sign in unicodedata.normalize("NFKC", name).casefold() if sign.isalnum())
