"""The whole difference between the two worlds: ``run`` and ``arun`` grant a flow its wishes and differ by ``await``.

What goes wrong while a wish is granted is thrown into the flow, so that one place dresses every answer. A claim that
ends in any exception is given back: the grant may have happened although its answer was lost.
"""

from __future__ import annotations

import contextlib
import inspect
from functools import cache
from typing import TYPE_CHECKING

from hooklatch.errors import Answer, SecretUnavailable, StoreUnavailable
from hooklatch.types import CHUNK, Admitted, AsyncStore, Claim, Fetch, Flow, Standing, Store

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from concurrent.futures import ThreadPoolExecutor

    from anyio import Lock
    from anyio.lowlevel import RunVar

SOURCE_THREADS = 8


def run(flow: Flow, read: Callable[[], bytes], store: Store) -> Admitted:
    """Drive *flow* to its verdict; *read* returns the next body bytes, ``b""`` at the end."""
    reply: object = None
    while True:
        try:
            wish = flow.send(reply)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]
        try:
            if wish is CHUNK:
                reply = read()
            elif isinstance(wish, Claim):
                reply = claimed(store, wish)
            elif isinstance(wish, Fetch):
                reply = _fetch(wish)
        except Answer as answer:
            flow.throw(answer)
            raise


async def arun(flow: Flow, read: Callable[[], Awaitable[bytes]], store: AsyncStore) -> Admitted:
    """Drive *flow* to its verdict; *read* awaits the next body bytes, ``b""`` at the end."""
    reply: object = None
    while True:
        try:
            wish = flow.send(reply)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]
        try:
            if wish is CHUNK:
                reply = await read()
            elif isinstance(wish, Claim):
                reply = await aclaimed(store, wish)
            elif isinstance(wish, Fetch):
                reply = await _afetch(wish)
        except Answer as answer:
            flow.throw(answer)
            raise


def claimed(store: Store, claim: Claim) -> Standing:
    """Return what *store* says of *claim*; one that ends in an exception is given back."""
    try:
        return store.claim(claim)
    except BaseException as bad:
        if getattr(bad, "uncertain", True):
            with contextlib.suppress(StoreUnavailable):  # the lease frees it
                store.release(claim)
        raise


async def aclaimed(store: AsyncStore, claim: Claim) -> Standing:
    """Do as ``claimed`` does, awaiting the *store*."""
    try:
        return await store.claim(claim)
    except BaseException as bad:
        if getattr(bad, "uncertain", True):
            with contextlib.suppress(StoreUnavailable):  # the lease frees it
                await store.release(claim)
        raise


async def pause() -> None:
    """Let the event loop turn once, whichever it is."""
    from anyio.lowlevel import checkpoint  # noqa: PLC0415 - synchronous programs never pay for it

    await checkpoint()


async def turn() -> None:
    """Wait for a turn of the event loop that no other slow work has: however many ask, each turn serves one."""
    from anyio import Lock  # noqa: PLC0415 - synchronous programs never pay for it
    from anyio.lowlevel import RunVar  # noqa: PLC0415

    held: RunVar[Lock] = _turns(RunVar)
    try:
        lock = held.get()
    except LookupError:
        lock = Lock()
        held.set(lock)
    async with lock:
        await pause()


@cache
def _turns(kind: type[RunVar[Lock]]) -> RunVar[Lock]:
    return kind("hooklatch-turns")


@cache
def _threads() -> ThreadPoolExecutor:
    """Return the threads in which sources are called, so that a hung one costs a thread and not a request."""
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - only programs with a source pay for it

    return ThreadPoolExecutor(SOURCE_THREADS, thread_name_prefix="hooklatch-source")


def _call(fetch: Fetch) -> object:
    found = fetch.source()
    if not inspect.isawaitable(found):
        return found
    import asyncio  # noqa: PLC0415 - only programs with an asynchronous source pay for it

    return asyncio.run(_awaited(found))


async def _awaited(found: Awaitable[object]) -> object:
    return await found


def _fetch(fetch: Fetch) -> object:
    waiting = _threads().submit(_call, fetch)
    try:
        return waiting.result(fetch.timeout)
    except TimeoutError as late:
        waiting.cancel()
        msg = f"the source of the secrets did not answer within {fetch.timeout} seconds"
        raise SecretUnavailable(msg) from late
    except Answer:
        raise
    except Exception as bad:
        msg = f"the source of the secrets failed: {type(bad).__name__}"
        raise SecretUnavailable(msg) from bad


async def _afetch(fetch: Fetch) -> object:
    import anyio  # noqa: PLC0415 - synchronous programs never pay for it
    from anyio import to_thread  # noqa: PLC0415

    try:
        with anyio.fail_after(fetch.timeout):
            if inspect.iscoroutinefunction(fetch.source):
                return await fetch.source()
            # In a tuple, because trio refuses a thread that returns something to be awaited.
            (found,) = await to_thread.run_sync(lambda: (fetch.source(),), abandon_on_cancel=True)
            return await found if inspect.isawaitable(found) else found
    except TimeoutError as late:
        msg = f"the source of the secrets did not answer within {fetch.timeout} seconds"
        raise SecretUnavailable(msg) from late
    except Answer:
        raise
    except Exception as bad:
        msg = f"the source of the secrets failed: {type(bad).__name__}"
        raise SecretUnavailable(msg) from bad
