"""Retelling: what was said before a session came to a mirror, as it is worded now.

It goes along with every move, whatever networks it leads between, and is told anew when any of it is edited, taken back
or removed: whoever goes on there must not go by words that do not hold any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bridge.attachments import without
from bridge.directory import Directory
from bridge.marks import stripped
from bridge.messages import Body, TextPart
from bridge.networks.card import Wording
from bridge.networks.names import customer_name
from bridge.ports import Delivery, Store
from bridge.transcript import Uttered, said_so_far
from routing.effects import RemoveFile
from routing.facts import Side


@dataclass(frozen=True, slots=True)
class Retelling:
    store: Store
    directory: Directory
    wording: Wording

    async def told(self, delivery: Delivery) -> list[tuple[int, str, TextPart]]:
        """As (when, who, words), oldest first, of what was said before the delivery's mirror began; a note says that it
        is one. Empty once it is erased. Raises StoreUnavailableError."""
        session, effect = delivery.session, delivery.effect
        if session.erased:
            return []
        said = await said_so_far(self.store, session.id, before=effect.mirror)
        if isinstance(effect, RemoveFile):
            said = [_without(one, effect) for one in said]
        return self.worded(delivery, said)

    def worded(self, delivery: Delivery, said: Sequence[Uttered]) -> list[tuple[int, str, TextPart]]:
        return [(one.at, self._speaker(delivery, one), _words_of(one.body)) for one in said]

    def _speaker(self, delivery: Delivery, said: Uttered) -> str:
        language = delivery.session.language
        if said.operator is None:
            return customer_name(delivery.about, language, self.wording)
        name = self.directory.public_name(said.operator, language)
        return self.wording(language, "post.history.note", name=name) if said.side is Side.NOTE else name


def _without(said: Uttered, effect: RemoveFile) -> Uttered:
    """Its name goes with it, whoever is faster at the books."""
    return replace(said, body=without(said.body, effect.file)) if said.message == effect.message else said


def _words_of(body: Body) -> TextPart:
    files = "".join(f" [{file.name}]" for file in body.files)
    return stripped(TextPart(body.text + files, body.words.marks))
