"""The two worlds, three event loops and every store in which one test body runs."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hooklatch.types import Store
from worlds import (
    Endpoint,
    compiled_ripemd128,
    make_endpoint,
    make_store,
    store_names,
    without_extension,
    world_names,
)


@pytest.fixture(params=world_names())
def world(request: pytest.FixtureRequest) -> str:
    """WSGI, or ASGI on asyncio or trio."""
    return str(request.param)


@pytest.fixture(params=store_names())
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """One duplicate memory of each kind."""
    with make_store(request.param) as made:
        yield made


@pytest.fixture(params=["c", "python"])
def ripemd128(request: pytest.FixtureRequest) -> Iterator[str]:
    """What hashes RIPEMD-128 in the chains that are made meanwhile: the extension, or Python where nobody built it."""
    if request.param == "c":
        compiled_ripemd128()
        yield "c"
    else:
        with without_extension():
            yield "python"


@pytest.fixture
def endpoint(world: str) -> Callable[..., Endpoint]:
    """Return a factory of endpoints in one world: ``endpoint(routes={...}, store=...)``."""

    def make(**settings: Any) -> Endpoint:
        return make_endpoint(world, **settings)

    return make


@pytest.fixture(scope="module")
def left_open() -> Iterator[None]:
    """See to it that what frameworks leave open (temporary files, event loops, coroutines) is no later test's."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()
