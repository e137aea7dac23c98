"""A deadline that costs nothing where nobody waits: its timer starts only once the first step did not end the matter.

What arrived with the head of a request is there at once, and a timer that is never used would cost more than its hash.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final, TypeVar

import anyio

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator

Returned = TypeVar("Returned")


_asyncio_runs: Final = asyncio._get_running_loop  # noqa: SLF001 - documented, and does not raise where none runs


async def in_time(awaitable: Awaitable[Returned], deadline: float) -> Returned | None:
    """Return what *awaitable* returns, None if it does not before *deadline* (``time.monotonic`` seconds)."""
    if not _asyncio_runs():
        return await _on_trio(awaitable, deadline)
    steps = awaitable.__await__()
    try:
        waiting = next(steps)
    except StopIteration as done:
        at_once: Returned = done.value
        return at_once if time.monotonic() <= deadline else None
    # Not a cancel scope of anyio's: those nest, and the steps may have opened some of their own by now.
    limit = asyncio.timeout(deadline - time.monotonic())
    try:
        async with limit:
            later: Returned = await _Begun(steps, waiting)
            return later
    except TimeoutError:
        if limit.expired():
            return None
        raise


def at_once(awaitable: Awaitable[Returned]) -> tuple[Returned | None, Awaitable[Returned] | None]:
    """Take the first step of *awaitable*: return what it returned, or what is left of it to be awaited."""
    if not _asyncio_runs():
        return None, awaitable
    steps = awaitable.__await__()
    try:
        return None, _Begun(steps, next(steps))
    except StopIteration as done:
        return done.value, None


async def _on_trio(awaitable: Awaitable[Returned], deadline: float) -> Returned | None:
    found = None
    with anyio.move_on_after(deadline - time.monotonic()):
        found = await awaitable
    return found if time.monotonic() <= deadline else None


class _Begun:
    """An awaitable whose first step has been taken: to await it is to take the others (PEP 380)."""

    __slots__ = ("_first", "_steps")

    def __init__(self, steps: Generator[Any, Any, Returned], first: object) -> None:
        """*first*: what the first step waits for."""
        self._steps = steps
        self._first = first

    def __await__(self) -> Generator[Any, Any, Any]:
        """Wait for what the first step waits for, then take the rest."""
        steps, waiting = self._steps, self._first
        while True:
            try:
                try:
                    reply = yield waiting
                except GeneratorExit:
                    _of(steps, "close")()
                    raise
                except BaseException as bad:  # noqa: BLE001 - a cancellation is for the steps to hear of
                    waiting = _of(steps, "throw", bad)(bad)
                else:
                    waiting = next(steps) if reply is None else steps.send(reply)
            except StopIteration as done:
                return done.value


def _of(steps: object, verb: str, bad: BaseException | None = None) -> Callable[..., object]:
    """Return what *steps* do for *verb*; servers written in Rust give plain iterators, which can only go on."""

    def nothing(*_: object) -> None:
        if bad is not None:
            raise bad

    found: Callable[..., object] = getattr(steps, verb, nothing)
    return found
