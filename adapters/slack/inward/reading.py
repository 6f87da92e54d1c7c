"""What somebody wrote, read as words: with the names of people and places that customers may know."""

from __future__ import annotations

from collections.abc import Callable

from adapters.slack.parse import Said
from adapters.slack.people import People
from adapters.slack.refs import NAME
from adapters.slack.render import Wording
from adapters.slack.text import mrkdwn, richtext
from adapters.slack.text.mentions import Names
from bridge.directory import Directory
from bridge.messages import Body, Mark, MarkKind, TextPart
from bridge.ports import Stored


class Reading:
    """`public_place` names a channel in a language, where customers know it."""

    def __init__(
        self, directory: Directory, people: People, wording: Wording, public_place: Callable[[str, str], str | None]
    ) -> None:
        self._directory = directory
        self._people = people
        self._wording = wording
        self._public_place = public_place

    def words(self, said: Said, stored: Stored) -> TextPart:
        """What they wrote. The blocks say it best; a message without them is read by its text."""
        language = stored.session.language
        names = self.names(said, language)
        rich = richtext.read(said.blocks, names)
        own = rich if rich is not None and rich.text else mrkdwn.read(said.text, names)
        if not said.shared:
            return own
        handed_on = [part for text in said.shared for part in self._forwarded(mrkdwn.read(text, names), language)]
        return Body((*((own,) if own.text else ()), *handed_on)).words

    def _forwarded(self, inner: TextPart, language: str) -> list[TextPart]:
        told = TextPart(self._wording(language, "said.forwarded"))
        if not inner.text:
            return [told]
        return [told, TextPart(inner.text, (Mark(MarkKind.QUOTE, 0, len(inner.text)), *inner.marks))]

    def names(self, said: Said, language: str) -> Names:
        def person(user: str) -> str | None:
            operator = self._directory.by_network_user(NAME, self._people.named(user), home=True)
            return self._directory.public_name(operator, language) if operator else None

        def place(channel: str) -> str | None:
            return self._public_place(channel, language)

        words = {kind: self._wording(language, f"mention.{kind}") for kind in ("somebody", "channel", "group")}
        return Names(person, place, emoji=said.emoji, **words)
