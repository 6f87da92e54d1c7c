"""One engine a module and kind; each test has a prefix of its own on it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import pytest

from adapters.redis.store import RedisStore
from tests.contract.engines import ENGINES, engine, opened

_PREFIXES = itertools.count()


@pytest.fixture(scope="module", params=ENGINES)
def engine_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running engine. The engines are processes, so they outlive the loop that starts them."""
    loop, stack = asyncio.new_event_loop(), AsyncExitStack()
    try:
        url = loop.run_until_complete(
            stack.enter_async_context(engine(request.param, tmp_path_factory.mktemp(request.param)))
        )
    except LookupError as error:
        loop.close()
        pytest.skip(str(error))  # the contract then runs on the two that every machine has
    yield url
    loop.run_until_complete(stack.aclose())
    loop.close()


@pytest.fixture
def prefix() -> str:
    return f"t{next(_PREFIXES)}"


@pytest.fixture
async def store(engine_url: str, prefix: str) -> AsyncIterator[RedisStore]:
    async with opened(engine_url, prefix) as one:
        yield one


@pytest.fixture
async def other_store(engine_url: str, prefix: str) -> AsyncIterator[RedisStore]:
    """The same data, as another process sees it."""
    async with opened(engine_url, prefix) as one:
        yield one
