"""All figures, one module after another, and a table of them. `python -m benchmarks [NAME …]`."""

from __future__ import annotations

import json
import subprocess
import sys

MODULES = (
    "relay_latency",
    "reply_latency",
    "slow_api",
    "commits",
    "cpu_per_message",
    "idle_sockets",
    "decide",
    "queue_push",
    "slack_goodput",
    "discord_goodput",
    "discord_handover",
)


def main(names: list[str]) -> int:
    figures, failed = [], []
    for name in names or MODULES:
        done = subprocess.run(
            [sys.executable, "-m", f"benchmarks.{name}"], stdout=subprocess.PIPE, text=True, check=False
        )
        print(done.stdout, end="", flush=True)
        figures += [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        failed += [name] if done.returncode else []
    print(f"\n{'figure':32}{'value':>12}  {'unit':12}{'floor':>12}{'ratio':>8}")
    for one in figures:
        print(f"{one['name']:32}{one['value']:>12.3f}  {one['unit']:12}{one['floor']:>12.3f}{one['ratio']:>8.2f}")
    for name in failed:
        print(f"failed: {name}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
