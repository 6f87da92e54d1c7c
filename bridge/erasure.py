"""Erasing a session: order it, delete the words and files, wait for every mirror, and say what is left where.

The facts stay (who, when, which outcome), because they hold no words. What we cannot reach is named, not hidden.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import monotonic

from bridge.errors import KakehashiError, StoreUnavailableError
from bridge.files import Files
from bridge.ports import LaneState, Store, Stored
from bridge.relay import Receipt, Relay
from routing.decide import Refusal
from routing.ids import InputKey, NetworkName, SessionId
from routing.inputs import ErasureOrdered

REMAINS = "remains/"
"""Where an adapter notes what of a mirror it could not delete, as `remains/<session>/<mirror>`."""

LOOK_EVERY = 0.2  # seconds between two looks at the lanes


class ErasureError(KakehashiError):
    """The erasure could not be ordered."""


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What is not gone. `lanes` have mirrors left to delete; `disk` says why erased words may still lie on the disk."""

    lanes: tuple[LaneState, ...] = ()
    disk: str = ""
    posts: tuple[str, ...] = ()  # what a network would not let us delete, one line each; no words

    @property
    def nothing(self) -> bool:
        return not self.lanes and not self.disk and not self.posts


ELSEWHERE = (
    "backups of the data folder made before now",
    "copies that people made: downloads, screenshots, forwarded messages",
    "what the chat network keeps by its own retention and export rules",
    "an operator's input from a thread that is not known yet, for a day at most",
    "the customer's own device, until their page is next open or they log out",
)
"""Where an erasure does not reach, whatever we do."""


async def erase(
    store: Store,
    relay: Relay,
    files: Files,
    stored: Stored,
    *,
    networks: Iterable[NetworkName],
    patience: float,
    told: Callable[[str], None],
) -> Leftovers:
    """Erase all that the session says. Waits up to `patience` seconds for the mirrors; `told` hears of progress.

    May be repeated: what is done already is not done again. Raises ErasureError, StoreUnavailableError.
    """
    session = stored.session.id
    told("ordering the erasure")
    await _order(relay, session)
    told("deleting words and files")
    await _delete_files(store, files, session)
    await store.erase(session)
    waiting = await _wait_for_mirrors(store, session, tuple(networks), patience, told)
    told("rewriting what is on the disk")
    return Leftovers(tuple(waiting), await _rewrite(store), tuple(await _remaining_posts(store, session)))


async def _remaining_posts(store: Store, session: SessionId) -> list[str]:
    """What the networks' adapters noted as impossible to delete: other people's posts, mostly."""
    lines = []
    for name in await store.names(f"{REMAINS}{session}/"):
        left = json.loads(await store.get(name) or "{}")
        lines.append(f"{left.get('network')} {left.get('where')}: {left.get('messages')} posts of {left.get('whose')}")
    return lines


async def _order(relay: Relay, session: SessionId) -> None:
    answer = await relay.from_bridge(session, ErasureOrdered(), InputKey(f"erase/{secrets.token_hex(8)}"))
    if isinstance(answer, Refusal):
        raise ErasureError(f"the session cannot be erased ({answer.reason})")
    if isinstance(answer, Receipt) and not answer.stored.session.erased:
        raise AssertionError("ErasureOrdered is accepted in every state, and records SessionErased")


async def _delete_files(store: Store, files: Files, session: SessionId) -> None:
    """Every file that any message of the session carries, before the messages that name them go."""
    for file in await named_files(store, session):
        await files.delete(file)


async def named_files(store: Store, session: SessionId) -> list[str]:
    """The ids of the files in the session's messages, in every revision."""
    wanted = [
        (entry.fact.message, getattr(entry.fact, "revision", 0))
        for entry in await store.journal(session)
        if hasattr(entry.fact, "message")
    ]
    bodies = await store.bodies(session, wanted) if wanted else []
    return sorted({part.file for body in bodies if body is not None for part in body.files})


async def _wait_for_mirrors(
    store: Store, session: SessionId, networks: tuple[NetworkName, ...], patience: float, told: Callable[[str], None]
) -> list[LaneState]:
    """Until every lane is empty, or patience is over; what is left then."""
    end = monotonic() + patience
    said = ""
    while waiting := [state for to in networks if (state := await store.lane_states(session, to)) is not None]:
        saying = ", ".join(f"{state.lane.to}: {state.effects} to do" for state in waiting)
        if saying != said:
            told(f"deleting mirrors ({saying})")
            said = saying
        if monotonic() >= end:
            break
        await asyncio.sleep(LOOK_EVERY)
    return waiting


async def _rewrite(store: Store) -> str:
    try:
        await store.rewrite()
    except StoreUnavailableError as error:
        return error.what
    return ""
