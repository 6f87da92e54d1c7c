"""Errors that know their audience. Vendor exceptions become one of these at the adapter's edge, cause chained."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum


class KakehashiError(Exception):
    """Three parts: what is wrong, where, and the mend. Never carries a customer's words or a secret."""

    def __init__(self, what: str, *, where: str = "", mend: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.mend = mend

    def __str__(self) -> str:
        lines = [self.what]
        lines += [f"  where: {self.where}"] if self.where else []
        lines += [f"  mend:  {self.mend}"] if self.mend else []
        return "\n".join(lines)


class SettingsError(KakehashiError):
    """A setting is wrong. Found before any socket opens."""


class StoreUnavailableError(KakehashiError):
    """The store did not answer, so nothing is known to be stored. The same input may be sent again as it is."""


class StoreCorruptError(KakehashiError):
    """A key holds something else than we wrote. Nothing was changed; a person has to look."""


class OverloadedError(KakehashiError):
    """Shed on purpose: too much is under way. The same input may be sent again later."""


class Fault(StrEnum):
    """What is known about a delivery that did not succeed, and so what may be done next."""

    TRANSIENT = "transient"  # certainly not done; doing it again later helps
    AMBIGUOUS = "ambiguous"  # perhaps done: look before doing it again
    BLOCKED = "blocked"  # certainly not done; a person must mend something (token, channel) first
    POISON = "poison"  # certainly not done, and never will be: this effect alone is set aside


class DeliveryError(KakehashiError):
    """A delivery failed. `code` is the platform's word for it; `retry_after` is in seconds, when it named a time.

    `of_place`: the place itself is at fault, and with it all that lives there; so are the places in `also`.
    """

    def __init__(
        self,
        fault: Fault,
        code: str,
        *,
        retry_after: float | None = None,
        mend: str = "",
        of_place: bool = False,
        also: Sequence[str] = (),
    ) -> None:
        super().__init__(f"delivery failed: {code}", mend=mend)
        self.of_place = of_place
        self.also = tuple(also)
        self.fault = fault
        self.code = code
        self.retry_after = retry_after


class LostLeaseError(KakehashiError):
    """Another process holds the lease now; what this one was doing in its name was not written."""
