"""`kakehashi version`, `slack manifest`, `secrets rotate`: what belongs to the installation."""

from __future__ import annotations

from importlib.metadata import version

from bridge.cli.arguments import Commands, add_command, add_group
from bridge.cli.command import Command, Status


def _version(command: Command) -> Status:
    command.terminal.line(f"kakehashi {version('kakehashi')}")
    return Status.DONE


def _manifest(command: Command) -> Status:
    command.terminal.line(command.wiring.slack_manifest(command.config).rstrip())
    return Status.DONE


def _rotate(command: Command) -> Status:
    command.wiring.rotate_secret(command.config, command.chosen.name)
    command.terminal.line(f"{command.chosen.name} has a new key; restart every process to use it")
    command.terminal.line("what the key before it signed stays valid until the next rotation")
    return Status.DONE


def arguments(commands: Commands) -> None:
    add_command(commands, "version", _version, "print the version")
    slack = add_group(commands, "slack", "Slack")
    add_command(slack, "manifest", _manifest, "print a manifest that creates the Slack app")
    secrets = add_group(commands, "secrets", "the installation's own secrets")
    rotate = add_command(secrets, "rotate", _rotate, "replace a key; the one before stays valid until the next time")
    rotate.add_argument("name", help="visitor_tokens or file_links")
