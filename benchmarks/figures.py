"""How a figure is told: its value, the floor that was measured in the same run, and the ratio of the two."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """`floor` is the barest code doing the same work with the same libraries, interleaved with ours."""

    name: str
    value: float
    unit: str
    floor: float
    ratio: float


def tell(name: str, value: float, unit: str, floor: float) -> Figure:
    """Print one figure as a JSON line."""
    figure = Figure(name, round(value, 3), unit, round(floor, 3), round(value / floor, 3) if floor else 0.0)
    print(json.dumps(asdict(figure)), flush=True)
    return figure


def p50(samples: Sequence[float]) -> float:
    return statistics.median(samples)


def p99(samples: Sequence[float]) -> float:
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
