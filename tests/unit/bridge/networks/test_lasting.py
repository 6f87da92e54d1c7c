"""What is to go on goes on."""

from __future__ import annotations

import pytest

from bridge.networks import lasting


async def test_work_that_breaks_begins_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lasting, "BEGUN_AGAIN", 0.01)
    looks: list[int] = []

    async def work() -> None:
        looks.append(1)
        if len(looks) == 1:
            raise RuntimeError("nobody foresaw this")

    await lasting.lasting(work)
    assert len(looks) == 2
