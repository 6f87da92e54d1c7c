"""How Discord tells of a late reply: by an answer to their message that rings its author, and by a mark on it. See
`bridge.networks.late`.

Nobody who typed can be told alone here, so whoever reads the thread reads the answer, too, and no other line is needed
where we may not react.
"""

from __future__ import annotations

from adapters.discord.inward import reactions
from adapters.discord.inward.whispers import Whispers
from adapters.discord.places.waking import Waking
from adapters.discord.refs import Root
from adapters.discord.wire.client import RestApi
from bridge.networks.late import Debt
from routing.ids import ThreadRef

NOT_SENT = "\N{NO ENTRY SIGN}"
"""The reaction on a message that the customer never got."""


class LateReplies:
    """A `bridge.networks.late.Payer`."""

    def __init__(self, api: RestApi, whispers: Whispers, waking: Waking) -> None:
        self._api = api
        self._whispers = whispers
        self._waking = waking

    async def tell(self, debt: Debt) -> None:
        await self._whispers.say(_root(debt), debt.post, f"{debt.key}/refused", debt.why)

    async def mark(self, debt: Debt) -> bool:
        await reactions.put(self._api, self._waking, _root(debt).post(debt.post), NOT_SENT)
        return True

    async def say(self, debt: Debt) -> None:
        """The answer has said it already."""


def _root(debt: Debt) -> Root:
    return Root.of(ThreadRef(debt.thread))
