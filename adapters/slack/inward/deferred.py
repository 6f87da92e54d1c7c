"""Slack's input that was acknowledged before it could be carried out: see `bridge.networks.deferred`."""

from __future__ import annotations

from adapters.slack.refs import NAME
from adapters.slack.wire.shape import GarbledError
from bridge.networks import deferred
from bridge.ports import Store, Unplaced


class Deferred(deferred.Deferred):
    def __init__(self, store: Store, work: deferred.Work) -> None:
        super().__init__(store, NAME, work)

    async def keep(self, unplaced: Unplaced) -> None:
        """As there; raises GarbledError for what nothing can store: half a character, somewhere in what nobody looks
        at."""
        try:
            await super().keep(unplaced)
        except TypeError as wrong:
            raise GarbledError("not what Slack sends: it cannot be stored") from wrong
