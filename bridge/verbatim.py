"""What in a text is not language: addresses, transaction ids, amounts, links, code, tickers.

A detector must not be misled by it, and a translator must not touch it: a withdrawal to an address with one letter
changed is gone for good. So it is taken out before a text is looked at, and put back byte for byte after.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

TERMS = (
    "AAVE ADA ALGO APE APT ARB ATOM AVAX AXS BAT BCH BNB BSC BTC BUSD CNY CRV DAI DASH DOGE DOT ENJ EOS ERC ETC ETF "
    "ETH EUR FIL FTM GBP GRT HKD ICP IDR INJ JPY KRW LINK LTC LUNA MANA MATIC MKR NEAR NEO NFT OKB OP PEPE POL QTUM "
    "SAND SHIB SGD SOL SUI THB TON TRC TRX TUSD TWD UNI USD USDC USDT VET VND WBTC XEM XLM XMR XRP XTZ ZEC "
    "AML API APY APR CSV DM FAQ FX GAS GMT GPS ID IMEI IP JST KYB KYC LP MFA NG OK OTP P2P PC PDF PIN QR SMS TOTP "
    "TXID UI URL UTC UTXO UUID VIP VPN WIFI"
).replace(" ", "|")
"""Tickers and abbreviations that are written alike in every language; in capitals."""

_HOLE_SHAPE = r"[\[［【〔]\s*\d+\s*[\]］】〕]"
_PATTERNS = {
    "code": r"```.*?```|`[^`\n]+`|" + _HOLE_SHAPE,
    # Its last character is not the sentence's own punctuation.
    "link": r"(?:https?://|www\.)[!-~]*[A-Za-z0-9/#=&_~%+-]",
    "mail": r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+",
    # A hash or an address, also one that was shortened in its middle.
    "hash": r"0x[0-9A-Fa-f]+(?:(?:…|\.{2,})[0-9A-Fa-f]+)?|[A-Za-z0-9]{3,}(?:…|\.{3})[A-Za-z0-9]{3,}"
    r"|(?<![A-Za-z0-9])[A-Za-z0-9]{25,}",
    # Never a part of a longer word: the digits of a hash must stay together.
    "amount": r"[-+]?[¥￥$＄€£₩฿₿]\s?NUMBER(?:\s?[万億千百]+|[kKM])?[円元]?(?![A-Za-z0-9])"
    r"|(?<![A-Za-z0-9])[-+]?NUMBER\s?[万億千百]*\s?(?:円|元|%|％|ドル|(?:TERMS)(?![A-Za-z0-9]))"
    r"|(?<![A-Za-z0-9])[-+]?\d+(?:[-/:.,]\d+)+[A-Za-z]{0,4}(?![A-Za-z0-9])|(?<![A-Za-z0-9])\d{4,}(?![A-Za-z0-9])",
    "name": r"[@#][A-Za-z0-9_]{2,}",
    # An order's number, a short code, a chain's name: letters and digits in one word.
    "mixed": r"(?<![A-Za-z0-9])(?=[A-Za-z0-9_-]*\d)(?=[A-Za-z0-9_-]*[A-Za-z])"
    r"(?:[A-Za-z0-9_-]{6,}|[A-Z0-9][A-Z0-9_-]+(?![A-Za-z0-9]))",
    "term": r"(?<![A-Za-z0-9])(?:TERMS)(?![A-Za-z0-9])",
}
_VERBATIM = re.compile(
    "|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _PATTERNS.items())
    .replace("NUMBER", r"\d+(?:[,.]\d+)*")
    .replace("TERMS", TERMS),
    re.DOTALL,
)
_TELLING = frozenset({"link", "mail", "hash", "amount"})
"""Kinds of which a translation never has one more than its original. A term it may: 二要素認証 is 2FA."""

_HOLE = re.compile(_HOLE_SHAPE.replace(r"\d+", r"(\d+)"))
_GLUES = re.compile(r"[A-Za-z0-9]")


@dataclass(frozen=True, slots=True)
class Masked:
    """A text with holes, written `[1]`, `[2]` …, and what was in them.

    A hole has no letters: LibreTranslate lowers or raises the case of a whole translation to follow its original's.
    """

    text: str
    kept: tuple[str, ...]

    @property
    def has_words(self) -> bool:
        """Whether there is anything to translate."""
        return any(letter.isalpha() for letter in self.text)

    def filled(self, translated: str) -> str | None:
        """The translation with everything put back; None when a hole is missing, doubled, or something was made up."""
        found = [int(hole[1]) for hole in _HOLE.finditer(translated)]
        if sorted(found) != list(range(1, len(self.kept) + 1)):
            return None
        if any(match.lastgroup in _TELLING for match in _matches(_HOLE.sub(" ", translated))):
            return None
        return _HOLE.sub(self._fill, translated)

    def _fill(self, hole: re.Match[str]) -> str:
        kept, around = self.kept[int(hole[1]) - 1], hole.string
        before, after = around[: hole.start()][-1:], around[hole.end() :][:1]
        left = " " if _GLUES.match(before) and _GLUES.match(kept) else ""
        right = " " if _GLUES.match(after) and _GLUES.match(kept[-1]) else ""
        return f"{left}{kept}{right}"


def mask(text: str) -> Masked:
    """The text with a hole for everything that must come through as it is."""
    kept: list[str] = []

    def keep(match: re.Match[str]) -> str:
        kept.append(match[0])
        return f"[{len(kept)}]"

    return Masked(_VERBATIM.sub(keep, text), tuple(kept))


def language_only(text: str) -> str:
    """The text without anything that says nothing about its language."""
    return _VERBATIM.sub(" ", text)


def _matches(text: str) -> Iterator[re.Match[str]]:
    return _VERBATIM.finditer(text)
