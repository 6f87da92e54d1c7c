"""The directory: who the operators are, and by which name a customer knows them.

An operator has an account (which only colleagues see), a public name per language (which is all that a customer ever
sees), and perhaps users on networks. Accounts are kept in the store, one record each, so that every process and the
command line share them; each process holds a copy and looks again every few seconds.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import structlog

from bridge.errors import KakehashiError, StoreUnavailableError
from bridge.ports import Store
from routing.ids import DeskId, NetworkName, OperatorId
from routing.policy import OperatorProfile

OWNER = OperatorId("owner")
"""The built-in account: whoever reads the terminal. It has no password, only one-time links."""

REFRESH_SECONDS = 5
"""How long a change that another process made may go unnoticed here."""

NAME_LIMIT = 40
"""Characters of a public name: it stands in a bubble's head on a phone."""

_PREFIX = "operator/"
_LOST = "lost-places"
_SCHEMA = 1
_ACCOUNT = re.compile(r"[a-z0-9][a-z0-9._@+-]{1,63}\Z", re.ASCII)
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}\Z", re.ASCII)

_NEUTRAL = {"ja": "サポート担当", "en": "Support", "zh-Hans": "客服", "zh-Hant": "客服", "zh": "客服"}

_log = structlog.get_logger(__name__)


class DirectoryError(KakehashiError):
    """An account cannot be kept as it is. `where` names the field."""


@dataclass(frozen=True, slots=True)
class Loss:
    """A user of a network who has lost a place there (empty: the whole network), and so does not speak there for us."""

    network: NetworkName
    user: str
    place: str
    why: str


@dataclass(frozen=True, slots=True)
class Operator:
    """An account.

    `desks` empty means all of them. `network_users` are ids that the network's adapter minted (Slack: `team:user`).
    `generation` grows when the password changes or the account is closed, and ends what was signed in before.
    """

    id: OperatorId
    account: str
    names: Mapping[str, str] = field(default_factory=dict)
    desks: tuple[DeskId, ...] = ()
    languages: tuple[str, ...] = ()
    capacity: int = 4
    lead: bool = False
    active: bool = True
    generation: int = 0
    network_users: Mapping[NetworkName, tuple[str, ...]] = field(default_factory=dict)
    password_hash: str = field(default="", repr=False)

    @property
    def profile(self) -> OperatorProfile:
        """What the rules may know of them."""
        spoken = dict.fromkeys(self.languages, 3)
        return OperatorProfile(self.id, self.names, self.desks, self.capacity, spoken, lead=self.lead)

    def serves(self, desk: DeskId) -> bool:
        return not self.desks or desk in self.desks


def neutral_name(language: str) -> str:
    """What a customer reads where no public name is known."""
    return _NEUTRAL.get(language) or _NEUTRAL.get(language.split("-")[0]) or _NEUTRAL["en"]


class Directory:
    """Reads are from memory and never wait; writes go to the store first.

    `written` are operators that the policy's file names, `users` who of them is whom on a network. They may have an
    account here, under the same id: then the file goes first, but for the public names.
    """

    def __init__(
        self,
        store: Store,
        written: Mapping[OperatorId, OperatorProfile] | None = None,
        users: Mapping[tuple[NetworkName, str], OperatorId] | None = None,
    ) -> None:
        self._store = store
        self._written = dict(written or {})
        self._users = dict(users or {})
        self._operators: dict[OperatorId, Operator] = {}
        self._profiles: dict[OperatorId, OperatorProfile] = dict(self._written)
        self._by_user: dict[tuple[NetworkName, str], OperatorId] = {}
        self._losses: dict[tuple[NetworkName, str, str], Loss] = {}

    # ------------------------------------------------------------------ reading

    def all(self) -> tuple[Operator, ...]:
        """Every account, closed ones too, by account name."""
        return tuple(sorted(self._operators.values(), key=lambda one: one.account))

    def get(self, operator: OperatorId) -> Operator | None:
        return self._operators.get(operator)

    def by_account(self, account: str) -> Operator | None:
        wanted = normal_account(account)
        return next((one for one in self._operators.values() if one.account == wanted), None)

    def by_network_user(
        self, network: NetworkName, user: str, *, place: str = "", home: bool = False
    ) -> OperatorId | None:
        """Whose user on a network this is; None for strangers, for closed accounts, and for who has lost the place.

        Compared whole: the same id in another team is somebody else. `home`: their team is the network's own, which is
        what the policy's file means, where users are named without a team.
        """
        if (network, user, "") in self._losses or (network, user, place) in self._losses:
            return None
        known = self._by_user.get((network, user))
        return known or (self._users.get((network, _bare(user))) if home else None)

    def losses(self, network: NetworkName) -> tuple[Loss, ...]:
        return tuple(one for one in self._losses.values() if one.network == network)

    def lost_by(self, operator: OperatorId, network: NetworkName) -> frozenset[str]:
        """The places of the network that an operator has lost, as any of their users there."""
        mine = {_bare(user) for user in self.users_of(operator)} if self._losses else set()
        return frozenset(one.place for one in self.losses(network) if _bare(one.user) in mine)

    def account_of(self, network: NetworkName, user: str) -> str:
        """Under which account a user is linked, whatever they have lost; empty for nobody's."""
        operator = self._by_user.get((network, user)) or self._users.get((network, _bare(user)))
        account = self._operators.get(operator) if operator else None
        return account.account if account else operator or ""

    def users_of(self, operator: OperatorId, network: NetworkName | None = None) -> tuple[str, ...]:
        """Who they are on networks, or on this one: as linked, and as the policy's file has it."""
        known = self._operators.get(operator)
        linked = _users(known) if known else []
        written = [place for place, whose in self._users.items() if whose == operator]
        return tuple(dict.fromkeys(user for where, user in (*linked, *written) if network in (None, where)))

    def network_user(self, network: NetworkName, operator: OperatorId) -> str | None:
        """The other way: their id on the network, without a team before it; None where it is not known."""
        known = self._operators.get(operator)
        users = known.network_users.get(network, ()) if known and known.active else ()
        if users:
            return _bare(users[0])
        return next(
            (user for (where, user), whose in self._users.items() if (where, whose) == (network, operator)), None
        )

    def profiles(self) -> Mapping[OperatorId, OperatorProfile]:
        """The active operators, for the policy."""
        return self._profiles

    def public_name(self, operator: OperatorId, language: str) -> str:
        """The name that a customer of this language sees: a public one or a neutral word, never the account's."""
        known, written = self._operators.get(operator), self._written.get(operator)
        chosen = known.profile.public_name(language) if known else ""
        return chosen or (written.public_name(language) if written else "") or neutral_name(language)

    # ------------------------------------------------------------------ keeping up

    def rewrite(
        self, written: Mapping[OperatorId, OperatorProfile], users: Mapping[tuple[NetworkName, str], OperatorId]
    ) -> None:
        """The policy's file names others now."""
        self._written, self._users = dict(written), dict(users)
        self._replace(self._operators)

    async def refresh(self) -> None:
        """Read all accounts anew. Raises StoreUnavailableError and keeps what it had."""
        lost = await self._store.shelf(_LOST)
        names = await self._store.names(_PREFIX)
        records = await asyncio.gather(*(self._store.get(name) for name in names))
        self._replace({one.id: one for record in records if record is not None for one in [_decode(record)]})
        self._losses = {(one.network, one.user, one.place): one for one in map(_loss, lost.values())}

    async def follow(self) -> None:
        """Refresh every few seconds, until cancelled."""
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            try:
                await self.refresh()
            except StoreUnavailableError:
                _log.warning("directory_not_refreshed")

    # ------------------------------------------------------------------ writing

    async def add(self, operator: Operator) -> Operator:
        """Keep a new account. Raises DirectoryError when it is not valid, or its name or a user of it is taken."""
        await self.refresh()
        if operator.id in self._operators:
            raise DirectoryError("this operator exists already", where="id", mend="change it instead")
        return await self._keep(operator)

    async def change(self, operator: Operator) -> Operator:
        """Keep a changed account. Raises DirectoryError as `add` does, and for one that does not exist."""
        await self.refresh()
        if operator.id not in self._operators:
            raise DirectoryError("there is no such operator", where="id", mend="see `kakehashi operators list`")
        return await self._keep(operator)

    async def set_password(self, operator: OperatorId, password_hash: str) -> Operator:
        """Set the password, by its hash. Whatever was signed in before is signed out."""
        return await self._renew(operator, password_hash=password_hash)

    async def close(self, operator: OperatorId) -> Operator:
        """Close the account. It stays in the directory, because journals speak of it. Raises DirectoryError for the
        built-in one: the links that the terminal prints are for it, and each would lead nowhere."""
        if operator == OWNER:
            raise DirectoryError(
                "the built-in account cannot be closed",
                where=OWNER,
                mend="leave it: only who can run commands on the server gets a link to it",
            )
        return await self._renew(operator, active=False)

    async def link(self, operator: OperatorId, network: NetworkName, user: str) -> Operator:
        """The network's user speaks as this operator from now on, wherever they had lost that. Raises DirectoryError
        where the user is somebody else's."""
        await self.refresh()
        known = self._operators.get(operator)
        if known is None:
            raise DirectoryError("there is no such operator", where="id", mend="see `kakehashi operators list`")
        if self.account_of(network, user) not in ("", known.account, operator):
            raise DirectoryError("a network user belongs to another operator", where="network_users")
        users = tuple(dict.fromkeys((*known.network_users.get(network, ()), user)))
        kept = await self._keep(replace(known, network_users={**known.network_users, network: users}))
        for loss in self.losses(network):
            if loss.user == user:
                await self._store.forget(_lost_name(loss))
        await self._store.forget(f"not-enrolled-{network}/{user}")
        await self.refresh()
        return kept

    async def unlink(self, operator: OperatorId, network: NetworkName, user: str) -> Operator:
        """The network's user is nobody's any more. Raises DirectoryError where they were not this operator's."""
        await self.refresh()
        known = self._operators.get(operator)
        if known is None or user not in known.network_users.get(network, ()):
            mend = "see `kakehashi operators list`; what the policy's file says is changed there"
            raise DirectoryError("this user is not linked to that operator", where="network_users", mend=mend)
        left = tuple(one for one in known.network_users[network] if one != user)
        return await self._keep(replace(known, network_users={**known.network_users, network: left}))

    async def lose(self, network: NetworkName, user: str, place: str, why: str) -> None:
        """Whoever this is does not speak for us there any more, until they are linked anew."""
        loss = Loss(network, user, place, why)
        record = {"network": network, "user": user, "place": place, "why": why}
        await self._store.put(_lost_name(loss), json.dumps(record))
        self._losses = {**self._losses, (network, user, place): loss}

    async def ensure_owner(self) -> Operator:
        """The built-in account, made at its first use."""
        await self.refresh()
        return self._operators.get(OWNER) or await self._keep(Operator(OWNER, account="owner", lead=True))

    async def _renew(self, operator: OperatorId, **changes: Any) -> Operator:
        await self.refresh()
        known = self._operators.get(operator)
        if known is None:
            raise DirectoryError("there is no such operator", where="id", mend="see `kakehashi operators list`")
        return await self._keep(replace(known, generation=known.generation + 1, **changes))

    async def _keep(self, operator: Operator) -> Operator:
        operator = replace(operator, account=normal_account(operator.account))
        _check(operator)
        self._check_free(operator)
        await self._store.put(_PREFIX + operator.id, _encode(operator))
        self._replace({**self._operators, operator.id: operator})
        return operator

    def _check_free(self, operator: Operator) -> None:
        others = [one for one in self._operators.values() if one.id != operator.id]
        if any(one.account == operator.account for one in others):
            raise DirectoryError("the account name is taken", where="account", mend="choose another")
        taken = {user for one in others if one.active for user in _users(one)}
        if operator.active and taken.intersection(_users(operator)):
            raise DirectoryError("a network user belongs to another operator", where="network_users")

    def _replace(self, operators: dict[OperatorId, Operator]) -> None:
        active = [one for one in operators.values() if one.active]
        self._operators = operators
        self._profiles = {**self._written, **{one.id: self._profile(one) for one in active}}
        self._by_user = {user: one.id for one in active for user in _users(one)}

    def _profile(self, account: Operator) -> OperatorProfile:
        written = self._written.get(account.id)
        if written is None:
            return account.profile
        return replace(written, names={**written.names, **account.names})


def _lost_name(loss: Loss) -> str:
    return f"{_LOST}/{loss.network}/{loss.user}/{loss.place}"


def _loss(record: str) -> Loss:
    fields = json.loads(record)
    return Loss(NetworkName(fields["network"]), fields["user"], fields["place"], fields["why"])


def _bare(user: str) -> str:
    """A user's id without the team before it: Slack's are unique without."""
    return user.replace("/", ":").rpartition(":")[2]


def new_operator_id() -> OperatorId:
    """Random: an account that is made anew under an old name is not the old operator."""
    return OperatorId(f"op-{secrets.token_hex(5)}")


def normal_account(account: str) -> str:
    """As account names are compared: without case, and full-width letters as plain ones."""
    return unicodedata.normalize("NFKC", account).strip().casefold()


def check_public_names(names: Mapping[str, str]) -> None:
    """Raises DirectoryError with the field when a language or a name cannot be used."""
    for language, name in names.items():
        where = f"names.{language}"
        if not _LANGUAGE.match(language):
            raise DirectoryError("this is no language tag", where="names", mend="use ja, en, zh-Hans, zh-Hant …")
        if not name.strip() or len(name) > NAME_LIMIT:
            raise DirectoryError(f"a public name has 1 to {NAME_LIMIT} characters", where=where)
        if any(unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") for letter in name):
            raise DirectoryError("a public name has no control characters", where=where, mend="type it anew")


def _check(operator: Operator) -> None:
    if not _ACCOUNT.match(operator.account):
        raise DirectoryError(
            "an account name is 2 to 64 small letters, digits or . _ @ + -", where="account", mend="choose another"
        )
    if not 0 <= operator.capacity <= 1000:
        raise DirectoryError("the capacity is 0 to 1000 sessions", where="capacity")
    for language in operator.languages:
        if not _LANGUAGE.match(language):
            raise DirectoryError("this is no language tag", where="languages", mend="use ja, en, zh-Hans, zh-Hant …")
    check_public_names(operator.names)


def _users(operator: Operator) -> list[tuple[NetworkName, str]]:
    return [(network, user) for network, users in operator.network_users.items() for user in users]


def _encode(operator: Operator) -> str:
    record = {
        "schema": _SCHEMA,
        "id": operator.id,
        "account": operator.account,
        "names": dict(operator.names),
        "desks": operator.desks,
        "languages": operator.languages,
        "capacity": operator.capacity,
        "lead": operator.lead,
        "active": operator.active,
        "generation": operator.generation,
        "network_users": {network: list(users) for network, users in operator.network_users.items()},
        "password_hash": operator.password_hash,
    }
    return json.dumps(record, ensure_ascii=False)


def _decode(record: str) -> Operator:
    fields = json.loads(record)
    return Operator(
        id=OperatorId(fields["id"]),
        account=fields["account"],
        names=fields["names"],
        desks=tuple(DeskId(desk) for desk in fields["desks"]),
        languages=tuple(fields["languages"]),
        capacity=fields["capacity"],
        lead=fields["lead"],
        active=fields["active"],
        generation=fields["generation"],
        network_users={NetworkName(name): tuple(users) for name, users in fields["network_users"].items()},
        password_hash=fields["password_hash"],
    )
