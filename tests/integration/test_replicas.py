"""WAIT travels with the writes that it vouches for: too few replicas is never called durable."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.redis.connection import Target, open_store
from adapters.redis.store import RedisStore
from bridge.errors import StoreUnavailableError
from bridge.ports import Committed, Duplicate
from routing import inputs as i
from tests.contract.commits import AIKO, committed, customer, next_commit, opened_session, opening_commit
from tests.redis_servers import Replicated, replicated_redis


@pytest.fixture
async def servers(tmp_path: Path) -> AsyncIterator[Replicated]:
    async with replicated_redis(tmp_path) as pair:
        yield pair
        pair.thaw_replica()


@pytest.fixture
async def store(servers: Replicated) -> AsyncIterator[RedisStore]:
    one, _checks = await open_store(Target(url=servers.url, replicas=1, replica_timeout=1_000))
    yield one
    await one.close()


async def test_with_its_replica_a_commit_is_durable(store: RedisStore) -> None:
    await opened_session(store)


async def test_a_frozen_replica_fails_the_commit_and_the_same_key_finds_it_later(
    store: RedisStore, servers: Replicated
) -> None:
    """On a pooled connection WAIT answered yes with the replica stopped."""
    stored = await opened_session(store)
    servers.freeze_replica()
    late = next_commit(stored, i.OperatorClaimed(AIKO), key="k2")
    for _ in range(2):
        with pytest.raises(StoreUnavailableError, match="replicas"):
            await store.commit(late)
    servers.thaw_replica()
    answer = await store.commit(late)
    assert isinstance(answer, Duplicate)
    assert answer.head == late.after.head


async def test_a_duplicate_vouches_for_nothing_that_no_replica_has(store: RedisStore, servers: Replicated) -> None:
    """Not by another process either, whose own connections have written nothing that a replica could lack."""
    other, _checks = await open_store(Target(url=servers.url, replicas=1, replica_timeout=1_000))
    servers.freeze_replica()
    first = opening_commit(store, customer())
    for process in (store, other):
        with pytest.raises(StoreUnavailableError, match="replicas"):
            await process.commit(first)
    await other.close()


async def test_many_at_once_are_each_vouched_for(store: RedisStore, servers: Replicated) -> None:
    sessions = await asyncio.gather(*(opened_session(store, f"~{number}") for number in range(20)))
    servers.freeze_replica()
    claims = [next_commit(one, i.OperatorClaimed(AIKO), key="k2") for one in sessions]
    answers = await asyncio.gather(*map(store.commit, claims), return_exceptions=True)
    assert all(isinstance(answer, StoreUnavailableError) for answer in answers)
    reads = await asyncio.gather(*(store.load(one.session.id) for one in sessions))
    assert all(reads), "what needs no replica is answered without one"
    servers.thaw_replica()
    again = await asyncio.gather(*map(store.commit, claims))
    assert all(isinstance(answer, Committed | Duplicate) for answer in again)


async def test_one_replica_is_not_two(servers: Replicated) -> None:
    with pytest.raises(StoreUnavailableError, match="replicas"):
        await open_store(Target(url=servers.url, replicas=2, replica_timeout=100))


async def test_books_of_lanes_are_vouched_for_too(store: RedisStore, servers: Replicated) -> None:
    await committed(store, opening_commit(store, customer()))
    servers.freeze_replica()
    with pytest.raises(StoreUnavailableError, match="replicas"):
        await store.hold("slack@0", "one", 60_000)
    with pytest.raises(StoreUnavailableError, match="replicas"):
        await store.put("link/abc", "owner", ttl=60_000)
