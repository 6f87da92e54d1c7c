"""Templates at work: which a desk has ready for a session, what is known for their gaps, how often each was used."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bridge import templates
from bridge.directory import Directory
from bridge.messages import About
from bridge.networks.card import Title, Wording
from bridge.ports import Store
from bridge.templates import Filled, Lacking, Template, Typed
from routing.ids import DeskId, OperatorId
from routing.session import Session

USED = "template_use"
"""Prefix of the names under which the store counts uses, by desk and code."""

TRIES = 4
"""To count one use while others count theirs. One that is lost changes an order a little, and nothing else."""

Ready = Callable[[DeskId], Sequence[Template]]


class DeskTitle(Protocol):
    """What a desk is called in a language."""

    def __call__(self, desk: DeskId, language: str, /) -> str: ...


@dataclass(frozen=True, slots=True)
class Unknown:
    """There is no such template; `nearest` are codes that may have been meant."""

    nearest: tuple[str, ...]


class Canned:
    """`ready` gives a desk's templates as the policy of the moment has them."""

    def __init__(
        self, store: Store, directory: Directory, ready: Ready, *, wording: Wording, title: Title, desk_title: DeskTitle
    ) -> None:
        self._store = store
        self._directory = directory
        self._ready = ready
        self._wording = wording
        self._title = title
        self._desk_title = desk_title

    async def offered(self, session: Session) -> list[Template]:
        """Those with words for this customer, the likeliest first. Raises StoreUnavailableError."""
        counted = await self._store.shelf(f"{USED}/{session.desk}")
        used = {name.rpartition("/")[2]: int(count) for name, count in counted.items() if count.isdigit()}
        return templates.ranked(self._ready(session.desk), session.topic, session.language, used)

    def named(self, session: Session, code: str) -> Template | None:
        return templates.named(self._ready(session.desk), code)

    def nearest(self, session: Session, code: str) -> list[str]:
        """Codes of the desk's that may have been meant."""
        return templates.nearest(self._ready(session.desk), code)

    def known(self, session: Session, about: About, operator: OperatorId) -> Mapping[str, str]:
        """What the session itself fills in. The claims come first, so that none takes the place of what we know."""
        language = session.language
        name = about.name.strip()
        return {
            **about.claims,
            "customer": self._wording(language, "customer.named" if name else "customer.addressed", name=name),
            "operator": self._directory.public_name(operator, language),
            "code": session.code,
            "desk": self._desk_title(session.desk, language),
            "topic": self._title(session.topic, language),
        }

    async def fill(
        self, template: Template, session: Session, operator: OperatorId, given: Mapping[str, str], edited: str = ""
    ) -> Filled | Lacking:
        """Its words for this customer; what is not known is taken from `given`. `edited`: the words as the operator has
        changed them, should they have. Raises StoreUnavailableError."""
        if edited.strip():
            preview, missing = await self.preview(template, session, operator)
            if edited.split() != preview.split():
                return templates.completed(edited, missing, given)
        about = await self._store.about(session.id)
        known = self.known(session, about, operator)
        return templates.fill(template, session.language, {**given, **{k: v for k, v in known.items() if v.strip()}})

    async def read(self, typed: Typed, session: Session, operator: OperatorId) -> Filled | Lacking | Unknown:
        """What a typed code stands for. Raises StoreUnavailableError."""
        template = self.named(session, typed.code)
        if template is None:
            return Unknown(tuple(self.nearest(session, typed.code)))
        return await self.fill(template, session, operator, typed.given)

    async def preview(self, template: Template, session: Session, operator: OperatorId) -> tuple[str, tuple[str, ...]]:
        """What the customer would read, with the names of what is missing in braces; and those names."""
        known = self.known(session, await self._store.about(session.id), operator)
        words = template.in_language(session.language) or ""
        text = templates.GAP.sub(lambda gap: known.get(gap[1], "").strip() or gap[0], words)
        return text, tuple(name for name in templates.gaps(words) if not known.get(name, "").strip())

    async def note_use(self, session: Session, code: str) -> None:
        """Raises StoreUnavailableError."""
        name = f"{USED}/{session.desk}/{code}"
        for _ in range(TRIES):
            before = await self._store.get(name)
            if await self._store.swap(name, before, str(int(before or 0) + 1)):
                return


def lacks(lacking: Lacking, code: str, wording: Wording, language: str) -> str:
    """Why a template did not go out, in the operator's words."""
    if lacking.language:
        return wording(language, "told.template_language", code=code, language=lacking.language)
    if lacking.too_long:
        return wording(language, "told.template_long", code=code)
    return wording(language, "told.template_lacks", code=code, names=", ".join(lacking.names))
