"""`kakehashi version`, `slack manifest`, `discord invite`, `secrets rotate`: what belongs to the installation."""

from __future__ import annotations

import argparse
import asyncio
import re
from importlib.metadata import version

from bridge.cli.arguments import Commands, add_command, add_group
from bridge.cli.command import Command, Status


def _version(command: Command) -> Status:
    command.terminal.line(f"kakehashi {version('kakehashi')}")
    return Status.DONE


def _manifest(command: Command) -> Status:
    command.terminal.line(command.wiring.slack_manifest(command.config).rstrip())
    return Status.DONE


def _invite(command: Command) -> Status:
    wanted = command.wiring.discord_invite(command.config, command.chosen.application or "")
    command.terminal.line(asyncio.run(wanted))
    return Status.DONE


def _rotate(command: Command) -> Status:
    command.wiring.rotate_secret(command.config, command.chosen.name)
    command.terminal.line(f"{command.chosen.name} has a new key; restart every process to use it")
    command.terminal.line("what the key before it signed stays valid until the next rotation")
    return Status.DONE


def _application(text: str) -> str:
    if not re.fullmatch(r"\d{15,20}", text, re.ASCII):
        raise argparse.ArgumentTypeError("an application's id is 15 to 20 digits, see its page “General Information”")
    return text


def arguments(commands: Commands) -> None:
    add_command(commands, "version", _version, "print the version")
    slack = add_group(commands, "slack", "Slack")
    add_command(slack, "manifest", _manifest, "print a manifest that creates the Slack app")
    discord = add_group(commands, "discord", "Discord")
    invite = add_command(discord, "invite", _invite, "print the address that invites the bot to your server")
    invite.add_argument("--application", type=_application, metavar="ID", help="instead of asking Discord")
    secrets = add_group(commands, "secrets", "the installation's own secrets")
    rotate = add_command(secrets, "rotate", _rotate, "replace a key; the one before stays valid until the next time")
    rotate.add_argument("name", help="visitor_tokens or file_links")
