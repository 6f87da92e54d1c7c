"""Pagers that are only told: whatever Apprise has an address for. Mail, SMS, LINE, Teams, Jira Service Management …

Apprise cannot acknowledge and cannot resolve, so a page here is a message, and a rung that is repeated is a message
more. It has no keys either: a message whose answer was lost is sent again.

Its calls block, so they run in threads of their own. A call that outlives its deadline is given up here and ends by its
own timeouts, a few seconds each; its outcome is then unknown.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from bridge.doctor import Finding
from bridge.errors import DeliveryError, Fault
from bridge.pagers import PageCall, Severity

if TYPE_CHECKING:
    from apprise import Apprise

THREADS = 2
"""Calls at once to one target. A second one may go while the first hangs."""

BODY_LIMIT = 480
"""Characters of a message: three short messages of a telephone."""

_MEND = "write pagers.{name}.url as Apprise's documentation shows for this service"
_KINDS: dict[Severity, str] = {"critical": "failure", "error": "failure", "warning": "warning", "info": "info"}


class ToldPager:
    """One Apprise address. It is a secret: most of them hold a token or a password."""

    def __init__(self, name: str, url: str, language: str = "en") -> None:
        self.name = name
        self.language = language
        self._url = url
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix=f"pager-{name}")
        self._apprise: Apprise | None = None

    async def page(self, call: PageCall) -> None:
        """Send one message. Raises `DeliveryError`: POISON for an address that means nothing."""
        await asyncio.get_running_loop().run_in_executor(self._threads, self._tell, call)

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def doctor(self) -> Sequence[Finding]:
        """Look at the address only: there is no way to ask a service whether a message would arrive."""
        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, self._opened)
        except DeliveryError as error:
            return [Finding("fail", f"pager {self.name}: Apprise cannot read its address", error.mend)]
        what = f"pager {self.name}: one way, through Apprise; try it: kakehashi page --test {self.name}"
        return [Finding("ok", what)]

    def _tell(self, call: PageCall) -> None:
        told = self._opened().notify(
            title="Kakehashi", body=_body(call), notify_type=_KINDS[call.severity], interpret_escapes=False
        )
        if not told:
            # What exactly was wrong Apprise says only in its log, beside addresses that are secrets.
            raise DeliveryError(Fault.TRANSIENT, "apprise_failed", mend=_MEND.format(name=self.name))

    def _opened(self) -> Apprise:
        """Imported here: it takes most of a second, and brings in a hundred services that few of us use."""
        if self._apprise is None:
            from apprise import Apprise, AppriseAsset

            logging.getLogger("apprise").setLevel(logging.CRITICAL)
            # No picture: it would be fetched from a stranger's server by whoever reads the page.
            made = Apprise(asset=AppriseAsset(app_id="Kakehashi", image_url_mask="", image_url_logo="", app_url=""))
            if not made.add(self._url):
                raise DeliveryError(Fault.BLOCKED, "apprise_address", mend=_MEND.format(name=self.name))
            self._apprise = made
        return self._apprise


def _body(call: PageCall) -> str:
    line = call.line if len(call.line) <= BODY_LIMIT else f"{call.line[: BODY_LIMIT - 1]}…"
    return f"{line}\n{call.link}" if call.link else line
