"""What Prometheus reads of a service that is really used: every figure that the documents name is there, and moves."""

from __future__ import annotations

from pathlib import Path

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.scenarios.stage import Stage, stage
from tests.service import until
from tests.unit.docs.pages import codes_in, rows_of

TABLES = ("What deserves an alarm", "What is good to look at")


async def scraped(on: Stage) -> list[Metric]:
    async with on.http.get(f"{on.house.url}/metrics") as answer:
        assert answer.status == 200
        return list(text_string_to_metric_families(await answer.text()))


def samples(families: list[Metric]) -> dict[str, float]:
    """Each sample by its name, summed over its labels."""
    found: dict[str, float] = {}
    for sample in (one for family in families for one in family.samples):
        found[sample.name] = found.get(sample.name, 0.0) + sample.value
    return found


async def test_every_figure_that_is_documented_is_there_after_a_talk(tmp_path: Path) -> None:
    named = {codes_in(row[0])[0] for table in TABLES for row in rows_of("docs/operating.md", table)}
    async with stage(tmp_path) as on, on.customer().online() as one:
        await one.write("hello")
        await one.is_heard()
        await on.operator.reply(await on.operator.session_of(one.code), "good evening")
        await one.reads("good evening")

        async def delivered() -> bool:
            return samples(await scraped(on)).get("kakehashi_delivery_seconds_count", 0) >= 2  # its root, its words

        await until(delivered, "the desk has it")
        families = await scraped(on)
        found = samples(families)
        assert sorted(name for name in named if name not in found and f"{name}_count" not in found) == []
        unmoved = [one.name for one in families if one.type == "histogram" and not found[f"{one.name}_count"]]
        assert unmoved == [], "a figure that nothing feeds says that all is quiet"
        assert found["kakehashi_commits_total"] >= 2
        assert found["kakehashi_connections"] == 1
        assert found["kakehashi_leases_held"] == 3 * 8, "the desk's, the pagers' and the files'"
        assert (found["kakehashi_store_up"], found["kakehashi_network_up"]) == (1, 3)
