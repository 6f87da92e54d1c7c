from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bridge import directory as module
from bridge.directory import OWNER, Directory, DirectoryError, Operator, neutral_name, new_operator_id
from bridge.errors import StoreUnavailableError
from routing.ids import DeskId, NetworkName, OperatorId
from routing.policy import OperatorProfile
from tests.unit.bridge.book import Book

SLACK = NetworkName("slack")


def kenji(**changes: object) -> Operator:
    known = Operator(OperatorId("op-1"), "kenji", {"ja": "佐藤", "en": "Sato"})
    return replace(known, **changes)  # type: ignore[arg-type]  # a test's own words


@pytest.fixture
def book() -> Book:
    return Book()


async def test_an_account_is_the_same_in_every_process(book: Book) -> None:
    first, second = Directory(book.store), Directory(book.store)
    kept = await first.add(
        kenji(
            desks=(DeskId("ja"),),
            languages=("ja",),
            capacity=7,
            lead=True,
            network_users={SLACK: ("T1:U1",)},
            password_hash="$argon2id$x",
        )
    )
    await second.refresh()
    assert second.all() == (kept,)
    assert second.get(kept.id) == kept
    assert second.by_account("KENJI ") == kept
    assert second.by_network_user(SLACK, "T1:U1") == kept.id


async def test_a_change_of_another_process_is_noticed(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REFRESH_SECONDS", 0)
    here, there = Directory(book.store), Directory(book.store)
    following = asyncio.create_task(here.follow())
    await there.add(kenji())
    while here.get(OperatorId("op-1")) is None:  # noqa: ASYNC110 - the directory has no event to give us
        await asyncio.sleep(0)
    following.cancel()


async def test_a_store_that_is_away_leaves_what_is_known(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REFRESH_SECONDS", 0)
    directory = Directory(book.store)
    await directory.add(kenji())
    asked = asyncio.Event()

    async def away(prefix: str) -> list[str]:
        asked.set()
        raise StoreUnavailableError("away")

    monkeypatch.setattr(book, "names", away)
    following = asyncio.create_task(directory.follow())
    await asked.wait()
    asked.clear()
    await asked.wait()  # it goes on asking
    following.cancel()
    assert directory.public_name(OperatorId("op-1"), "en") == "Sato"


@pytest.mark.parametrize(("language", "name"), [("ja", "佐藤"), ("en", "Sato"), ("en-GB", "Sato"), ("zh-Hant", "Sato")])
async def test_customers_see_the_public_name_in_their_language(book: Book, language: str, name: str) -> None:
    directory = Directory(book.store)
    await directory.add(kenji())
    assert directory.public_name(OperatorId("op-1"), language) == name


@pytest.mark.parametrize(
    ("language", "word"),
    [
        ("ja", "サポート担当"),
        ("en", "Support"),
        ("zh-Hans", "客服"),
        ("zh-Hant", "客服"),
        ("zh-HK", "客服"),
        ("fr", "Support"),
    ],
)
async def test_customers_never_see_an_account(book: Book, language: str, word: str) -> None:
    directory = Directory(book.store)
    await directory.add(kenji(names={}))
    assert directory.public_name(OperatorId("op-1"), language) == word
    assert directory.public_name(OperatorId("slack:T1/U9"), language) == word
    assert neutral_name(language) == word


async def test_an_account_of_an_operator_of_the_policy_has_its_own_names_and_the_policys_work(book: Book) -> None:
    written = OperatorProfile(OperatorId("op-1"), {"en": "Written"}, capacity=9)
    directory = Directory(book.store, {written.id: written})
    assert directory.public_name(written.id, "en") == "Written"
    assert directory.profiles() == {written.id: written}
    await directory.add(kenji())
    assert directory.public_name(written.id, "en") == "Sato"
    assert directory.profiles()[written.id].capacity == 9
    assert directory.profiles()[written.id].public_name("ja") == "佐藤"


async def test_a_closed_account_is_known_by_name_and_no_more(book: Book) -> None:
    directory = Directory(book.store)
    kept = await directory.add(kenji(network_users={SLACK: ("T1:U1",)}))
    closed = await directory.close(kept.id)
    assert not closed.active
    assert closed.generation > kept.generation
    assert directory.public_name(kept.id, "en") == "Sato"
    assert kept.id not in directory.profiles()
    assert directory.by_network_user(SLACK, "T1:U1") is None


async def test_a_new_password_ends_what_was_signed_in(book: Book) -> None:
    directory = Directory(book.store)
    before = await directory.add(kenji())
    after = await directory.set_password(before.id, "hash")
    assert (after.password_hash, after.generation) == ("hash", before.generation + 1)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("account", "k"),
        ("account", "ken ji"),
        ("account", "ken\nji"),
        ("account", "x" * 65),
        ("capacity", -1),
        ("languages", ("Japanese!",)),
        ("names", {"ja": ""}),
        ("names", {"ja": "x" * 41}),
        ("names", {"ja": "a\u202eb"}),
        ("names", {"ja": "a\nb"}),
        ("names", {"Japanese language": "x"}),
    ],
)
async def test_what_cannot_be_kept_is_refused_with_its_field(book: Book, field: str, wrong: object) -> None:
    directory = Directory(book.store)
    with pytest.raises(DirectoryError) as refused:
        await directory.add(kenji(**{field: wrong}))
    assert refused.value.where.startswith(field)
    assert not book.lasting


async def test_an_account_name_and_a_network_user_have_one_owner(book: Book) -> None:
    directory = Directory(book.store)
    await directory.add(kenji(network_users={SLACK: ("T1:U1",)}))
    other = Operator(new_operator_id(), "ＫＥＮＪＩ", {"en": "Other"})  # the same name in full-width letters
    with pytest.raises(DirectoryError) as refused:
        await directory.add(other)
    assert refused.value.where == "account"
    with pytest.raises(DirectoryError) as refused:
        await directory.add(replace(other, account="other", network_users={SLACK: ("T1:U1",)}))
    assert refused.value.where == "network_users"


async def test_nobody_is_added_twice_or_changed_unseen(book: Book) -> None:
    directory = Directory(book.store)
    with pytest.raises(DirectoryError):
        await directory.change(kenji())
    with pytest.raises(DirectoryError):
        await directory.close(OperatorId("op-1"))
    await directory.add(kenji())
    with pytest.raises(DirectoryError):
        await directory.add(kenji())
    changed = await directory.change(kenji(names={"en": "Ken"}))
    assert directory.public_name(changed.id, "en") == "Ken"


async def test_the_owner_is_made_once_and_has_no_password(book: Book) -> None:
    directory = Directory(book.store)
    owner = await directory.ensure_owner()
    assert (owner.id, owner.password_hash, owner.lead) == (OWNER, "", True)
    await directory.change(replace(owner, names={"en": "Mika"}))
    assert (await Directory(book.store).ensure_owner()).names == {"en": "Mika"}


async def test_the_owner_cannot_be_closed_since_the_printed_links_are_for_it(book: Book) -> None:
    directory = Directory(book.store)
    await directory.ensure_owner()
    with pytest.raises(DirectoryError):
        await directory.close(OWNER)
    assert (await Directory(book.store).ensure_owner()).active


def test_a_password_hash_is_not_printed() -> None:
    assert "secret" not in repr(kenji(password_hash="secret"))


# ------------------------------------------------------------------ who they are on networks


async def test_team_and_id_both_count(book: Book) -> None:
    directory = Directory(book.store, users={(SLACK, "U2"): OperatorId("written")})
    await directory.add(kenji(network_users={SLACK: ("T1:U1",)}))
    assert directory.by_network_user(SLACK, "T2:U1", home=True) is None
    assert directory.by_network_user(SLACK, "T1:U2", home=True) == "written", "the file means the network's own team"
    assert directory.by_network_user(SLACK, "T2:U2") is None


async def test_who_has_lost_a_place_does_not_speak_there_until_they_are_linked_anew(book: Book) -> None:
    here, there = Directory(book.store), Directory(book.store)
    kept = await here.add(kenji(network_users={SLACK: ("T1:U1",)}))
    await here.lose(SLACK, "T1:U1", "C1", "left")
    await there.refresh()
    for directory in (here, there):
        assert directory.by_network_user(SLACK, "T1:U1", place="C1") is None
        assert directory.by_network_user(SLACK, "T1:U1", place="C2") == kept.id
    await here.lose(SLACK, "T1:U1", "", "gone")
    assert here.by_network_user(SLACK, "T1:U1", place="C2") is None
    await here.link(kept.id, SLACK, "T1:U1")
    await there.refresh()
    assert there.by_network_user(SLACK, "T1:U1", place="C1") == kept.id


async def test_a_user_whom_the_policys_file_names_is_not_linked_to_somebody_else(book: Book) -> None:
    directory = Directory(book.store, users={(SLACK, "U2"): OperatorId("written")})
    kept = await directory.add(kenji())
    with pytest.raises(DirectoryError):
        await directory.link(kept.id, SLACK, "T1:U2")
