"""`kakehashi operators …`: accounts of the built-in desk, and who an operator is on a network."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from typing import Any

from bridge.cli.arguments import Commands, add_command, add_group, answering
from bridge.cli.asking import answers_come, password_of
from bridge.cli.command import Command, Status
from bridge.directory import Operator, new_operator_id, normal_account
from bridge.errors import KakehashiError
from bridge.inspection import Engine, NotFoundError
from bridge.languages import LANGUAGES
from bridge.terminal import Terminal
from routing.ids import DeskId, NetworkName, OperatorId
from routing.policy import OperatorProfile

SLACK, DISCORD = NetworkName("slack"), NetworkName("discord")
TITLES = {SLACK: "Slack", DISCORD: "Discord"}


def _add_operator(command: Command) -> Status:
    chosen = command.chosen

    async def add(engine: Engine) -> Status:
        operator_id = await _id_of(engine, chosen.account)
        written = engine.policy().operators.get(operator_id)
        names = dict(chosen.name) or _names(chosen, command.terminal, written)
        password = "" if chosen.no_password else password_of(chosen)
        operator = Operator(
            operator_id,
            account=chosen.account,
            names=names,
            desks=_known_desks(engine, chosen.desk),
            capacity=chosen.capacity,
            lead=chosen.lead,
            network_users={SLACK: tuple(chosen.slack)} if chosen.slack else {},
            password_hash="" if chosen.no_password else await engine.hash_password(password, chosen.account),
        )
        kept = await engine.directory.add(operator)
        way = " by one-time links" if chosen.no_password else ""
        command.terminal.line(f"{kept.account} may sign in at the desk{way} ({kept.id})")
        if not names and written is None:
            command.terminal.line("customers read a neutral name until they choose one, which the desk asks for")
        return Status.DONE

    return command.with_engine(add)


def _names(chosen: argparse.Namespace, terminal: Terminal, written: OperatorProfile | None) -> dict[str, str]:
    """None are needed where the policy's file has them; none can be asked for where the password comes from a pipe."""
    known = written is not None and written.names
    return {} if known or chosen.password_stdin else _ask_names(terminal)


def _ask_names(terminal: Terminal) -> dict[str, str]:
    terminal.line("Public names, as customers see them. Leave a language empty to skip it.")
    with answers_come("give --name LANG=NAME"):
        asked = {language: input(f"  {language}: ").strip() for language in LANGUAGES}
    return {language: name for language, name in asked.items() if name}


async def _id_of(engine: Engine, account: str) -> OperatorId:
    """An operator whom the policy names by this account is that one, with what it says of them; else a new one."""
    await engine.directory.refresh()
    written = OperatorId(normal_account(account))
    named = written in engine.policy().operators and engine.directory.by_account(account) is None
    return written if named else new_operator_id()


def _known_desks(engine: Engine, desks: Sequence[str]) -> tuple[DeskId, ...]:
    known = engine.policy().desks
    for desk in desks:
        if desk not in known:
            raise NotFoundError(f"there is no desk {desk}", mend=f"choose from {', '.join(known)}")
    return tuple(DeskId(desk) for desk in desks)


def _sign_in_link(command: Command) -> Status:
    async def mint(engine: Engine) -> Status:
        if command.chosen.account == "owner":
            operator = await engine.directory.ensure_owner()
        else:
            operator = await _known_account(engine, command.chosen.account)
        if not operator.active:
            raise KakehashiError(f"the account {operator.account} is closed", mend="add another one")
        command.terminal.line(await engine.sign_in_link(operator.id))
        return Status.DONE

    return command.with_engine(mint)


def _link_operator(command: Command) -> Status:
    """With a user, that user speaks as the operator. Without one it prints a sign-in link, as it always has."""
    if command.chosen.user is None:
        return _sign_in_link(command)

    async def link(engine: Engine) -> Status:
        operator = await _linkable(engine, command.chosen.account)
        network = _network_of(command.chosen.user)
        kept = await engine.directory.link(operator.id, network, command.chosen.user)
        command.terminal.line(f"{command.chosen.user} in {TITLES[network]} speaks as {kept.account} from now on")
        return Status.DONE

    return command.with_engine(link)


async def _linkable(engine: Engine, account: str) -> Operator:
    """An account; the owner's, and that of an operator whom only the policy names, are made at first use."""
    await engine.directory.refresh()
    if normal_account(account) == "owner":
        return await engine.directory.ensure_owner()
    written = OperatorId(normal_account(account))
    if engine.directory.by_account(account) is None and written in engine.policy().operators:
        return await engine.directory.add(Operator(written, account=account))
    operator = await _known_account(engine, account)
    if not operator.active:
        raise KakehashiError(f"the account {operator.account} is closed", mend="add another one")
    return operator


def _unlink_operator(command: Command) -> Status:
    async def unlink(engine: Engine) -> Status:
        operator = await _known_account(engine, command.chosen.account)
        network = _network_of(command.chosen.user)
        await engine.directory.unlink(operator.id, network, command.chosen.user)
        command.terminal.line(
            f"{command.chosen.user} in {TITLES[network]} is nobody's now; what they write there is held"
        )
        return Status.DONE

    return command.with_engine(unlink)


def _set_password(command: Command) -> Status:
    password = password_of(command.chosen)

    async def change(engine: Engine) -> Status:
        operator = await _known_account(engine, command.chosen.account)
        kept = await engine.hash_password(password, operator.account)
        await engine.directory.set_password(operator.id, kept)
        command.terminal.line(f"{operator.account} has a new password, and is signed out everywhere")
        return Status.DONE

    return command.with_engine(change)


def _close_operator(command: Command) -> Status:
    async def close(engine: Engine) -> Status:
        operator = await _known_account(engine, command.chosen.account)
        await engine.directory.close(operator.id)
        command.terminal.line(f"{operator.account} can no longer sign in; what they wrote stays")
        return Status.DONE

    return command.with_engine(close)


async def _known_account(engine: Engine, account: str) -> Operator:
    await engine.directory.refresh()
    operator = engine.directory.by_account(account)
    if operator is None:
        raise NotFoundError(f"there is no account {account}", mend="see `kakehashi operators list`")
    return operator


def _list_operators(command: Command) -> Status:
    async def answer(engine: Engine) -> Status:
        await engine.directory.refresh()
        profiles = engine.policy().operators
        users = engine.directory.users_of
        rows = [_operator(one, profiles.get(one.id)) | {"users": list(users(one.id))} for one in engine.directory.all()]
        command.table(rows, ("account", "names", "desks", "capacity", "lead", "active", "users"), "no operators")
        return Status.DONE

    return command.with_engine(answer)


def _operator(operator: Operator, profile: OperatorProfile | None) -> dict[str, Any]:
    """As it counts: what the policy's file says of an operator goes before what was said when the account was made."""
    profile = profile or operator.profile  # a closed account is in no policy
    return {
        "id": operator.id,
        "account": operator.account,
        "names": dict(profile.names),
        "desks": list(profile.desks),
        "capacity": profile.capacity,
        "lead": operator.lead or profile.lead,
        "active": operator.active,
    }


def arguments(commands: Commands) -> None:
    group = add_group(commands, "operators", "accounts of the built-in desk")
    answering(add_command(group, "list", _list_operators, "list the accounts"))
    add = add_command(group, "add", _add_operator, "add an account; asks for names and password")
    add.add_argument("account", help="the name to sign in with; customers never see it")
    add.add_argument("--name", action="append", type=_name, default=[], metavar="LANG=NAME", help="a public name")
    add.add_argument("--desk", action="append", default=[], metavar="DESK", help="where they work; else everywhere")
    add.add_argument("--capacity", type=int, default=4, help="sessions at once; default: 4")
    add.add_argument("--lead", action="store_true", help="sees the team: who is on, and how much each holds")
    add.add_argument(
        "--slack", action="append", type=_slack_user, default=[], metavar="TEAM:USER", help="who they are in Slack"
    )
    link = add_command(
        group, "link", _link_operator, "say who an operator is in a chat: only then are their words replies"
    )
    part = add_command(group, "unlink", _unlink_operator, "end that; what the user writes is held from then on")
    sign_in = add_command(group, "sign-in", _sign_in_link, "print a link that signs in once, without a password")
    password = add_command(group, "password", _set_password, "set a password; whoever was signed in is signed out")
    close = add_command(group, "close", _close_operator, "close an account; what it wrote stays")
    for made in (link, sign_in):
        made.add_argument("account", nargs="?", default="owner", help="default: owner, the built-in account")
    link.add_argument(
        "user",
        nargs="?",
        type=_network_user,
        metavar="USER",
        help="Slack's TEAM:USER or Discord's user id; left out: a sign-in link is printed instead",
    )
    part.add_argument("account", help="whose user it was")
    part.add_argument("user", type=_network_user, metavar="USER", help="Slack's TEAM:USER or Discord's user id")
    for made in (password, close):
        made.add_argument("account", help="the name to sign in with")
    passing = add.add_mutually_exclusive_group()
    passing.add_argument("--no-password", action="store_true", help="they sign in by one-time links only")
    for ways in (passing, password):
        ways.add_argument("--password-stdin", action="store_true", help="read the password from standard input")


def _network_user(text: str) -> str:
    if text.isdecimal() and 15 <= len(text) <= 20:
        return text
    try:
        return _slack_user(text)
    except argparse.ArgumentTypeError:
        told = "write it as in T024BE7LD:U061F7AUR (Slack), or as a user id of Discord's"
        raise argparse.ArgumentTypeError(told) from None


def _network_of(user: str) -> NetworkName:
    """Discord's users are named by digits alone."""
    return DISCORD if user.isdecimal() else SLACK


def _slack_user(text: str) -> str:
    if not re.fullmatch(r"[TE][A-Z0-9]{2,}:[UW][A-Z0-9]{2,}", text):
        raise argparse.ArgumentTypeError("write it as in T024BE7LD:U061F7AUR")
    return text


def _name(text: str) -> tuple[str, str]:
    language, separator, name = text.partition("=")
    if not separator or not language or not name:
        raise argparse.ArgumentTypeError("write it as in ja=佐藤")
    return language, name
