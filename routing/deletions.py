"""Whose doing a deletion is, where the network does not say: the author's, or somebody who clears up.

Nobody takes back many messages within seconds, and nobody but their author takes back one. So a deletion waits a
moment for others of the same channel; a few of one author's are theirs, and what comes in numbers, or takes several
people's words at once, is a retention rule's or an administrator's doing and stays on this side.
"""

from __future__ import annotations

from collections.abc import Sequence

SETTLE = 5_000
"""ms that a deletion waits for others."""

AT_ONCE_BY_SEVERAL = 3
"""Deletions within that time from which on several authors' words make it a clearing."""

AT_ONCE = 10
"""Deletions within that time that no author makes by hand."""

CLEARING = 60_000
"""ms for which a channel counts as being cleared after the last deletion of such a kind: its end looks harmless."""

OLD = 24 * 3600 * 1000
"""ms. Retention rules take what is older than a day at the least; such deletions are not even kept."""


def is_clearing(authors: Sequence[str]) -> bool:
    """`authors` of everything that was deleted in a channel within `SETTLE`, the bridge's own posts among them."""
    return len(authors) > AT_ONCE or (len(authors) > AT_ONCE_BY_SEVERAL and len(set(authors)) > 1)
