"""`python -m tests.simulators.slack [--port N]`: prints one JSON line with its URL and secrets when it is ready."""

import argparse
import asyncio
import json
import signal
import sys

import uvloop

from .control import state
from .simulator import SlackSimulator


async def serve(options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    simulator = SlackSimulator(port=options.port, speed=options.speed, limits=not options.no_limits, seed=options.seed)
    async with simulator as slack:
        for name in options.channel:
            slack.channel(name)
        sys.stdout.write(json.dumps(state(slack, {})) + "\n")
        sys.stdout.flush()
        await stop.wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.simulators.slack")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--speed", type=float, default=1.0, help="of Slack's clock; 0 stops it")
    parser.add_argument("--seed", type=int, default=0, help="of the dice for mischief")
    parser.add_argument("--no-limits", action="store_true", help="switch rate limits off")
    parser.add_argument("--channel", action="append", default=[], help="make a channel with the bot in it")
    uvloop.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
