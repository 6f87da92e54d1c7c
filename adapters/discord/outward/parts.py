"""What is written down of an effect's posts: those that are there, and how they read when they were first sent.

A message that is too long for one post is several, and each is written down as it is posted. What is drawn from a state
that changes (a count, a history, who is on) would read differently when it is looked for, so its words are written down
before they are sent; a message's own words never change under its revision.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from adapters.discord.refs import NAME
from adapters.discord.render import Rendered
from adapters.discord.text.markup import certain
from bridge.ports import Store
from routing.effects import Effect, PostMessage, PostTranslation, ReviseMessage
from routing.ids import EffectId

KEPT = 30 * 24 * 3600 * 1000
"""ms for which this is kept: longer than any lane waits."""

WORDS_KEPT = 24 * 3600 * 1000
"""ms. Longer than an outcome stays unknown; it is a digest of what may be erased."""

Json = Mapping[str, Any]


class PartBooks:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def read(self, effect: EffectId) -> dict[str, str]:
        """The posts of an effect that an earlier attempt wrote down, by number."""
        kept = await self._store.get(f"{NAME}/parts/{effect}")
        return dict(json.loads(kept)) if kept else {}

    async def write(self, effect: EffectId, posts: Mapping[str, str]) -> None:
        await self._store.put(f"{NAME}/parts/{effect}", json.dumps(posts), KEPT)

    async def note_words(self, effect: Effect, rendered: Sequence[Rendered]) -> None:
        """Before it is sent for the first time; a later attempt says the same about itself."""
        if not isinstance(effect, PostMessage | PostTranslation | ReviseMessage):
            told = json.dumps([_digest(one.content, one.embeds, effect.id) for one in rendered])
            await self._store.put(f"{NAME}/words/{effect.id}", told, WORDS_KEPT)

    async def words(self, effect: EffectId) -> list[str] | None:
        kept = await self._store.get(f"{NAME}/words/{effect}")
        return list(json.loads(kept)) if kept else None


def digest_of(message: Json, effect: EffectId) -> str:
    """Of a message that was read back."""
    embeds = message.get("embeds")
    rich = [one for one in embeds if isinstance(one, Mapping)] if isinstance(embeds, list) else []
    return _digest(str(message.get("content") or ""), rich, effect)


def _digest(content: str, embeds: Sequence[Json], effect: EffectId) -> str:
    """Of what Discord certainly keeps of it."""
    said = [certain(content), *(certain(str(one.get("description") or "")) for one in embeds)]
    return hashlib.blake2b("\0".join(said).encode(), digest_size=12, key=effect.encode()[:64]).hexdigest()
