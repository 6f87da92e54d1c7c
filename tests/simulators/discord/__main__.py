"""`python -m tests.simulators.discord [--port N]`: prints one JSON line with its URL and secrets when it is ready."""

import argparse
import asyncio
import json
import signal
import sys

import uvloop

from .control import state
from .simulator import DiscordSimulator


async def serve(options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    simulator = DiscordSimulator(
        port=options.port, speed=options.speed, limits=not options.no_limits, seed=options.seed
    )
    async with simulator as discord:
        for name in options.channel:
            discord.channel(name)
        for name in options.forum:
            discord.channel(name, "forum", tags=options.tag)
        sys.stdout.write(json.dumps(state(discord, {})) + "\n")
        sys.stdout.flush()
        await stop.wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.simulators.discord")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--speed", type=float, default=1.0, help="of Discord's clock; 0 stops it")
    parser.add_argument("--seed", type=int, default=0, help="of the dice for mischief")
    parser.add_argument("--no-limits", action="store_true", help="switch rate limits off")
    parser.add_argument("--channel", action="append", default=[], help="make a text channel that the bot can see")
    parser.add_argument("--forum", action="append", default=[], help="make a forum that the bot can see")
    parser.add_argument("--tag", action="append", default=[], help="of each of those forums")
    uvloop.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
