"""``in_time``: what is there at once costs no timer, what is waited for keeps its deadline and its own cancellation."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Generator, Iterator
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from hooklatch.deadline import in_time

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


def soon() -> float:
    return time.monotonic() + 5


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_what_is_there_at_once_needs_no_timer(anyio_backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def there() -> int:
        return 7

    monkeypatch.setattr(asyncio, "timeout", lambda _: pytest.fail("a timer was started"))
    assert await in_time(there(), soon()) == 7


async def test_the_steps_may_open_and_close_scopes_of_their_own() -> None:
    async def inner() -> int:
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep, 0.01)
            await anyio.sleep(0.005)
        with anyio.move_on_after(0.01):
            await anyio.sleep_forever()
        return 7

    assert await in_time(inner(), soon()) == 7


async def test_a_timeout_of_the_steps_own_is_no_deadline() -> None:
    async def impatient() -> int:
        with anyio.fail_after(0.01):
            await anyio.sleep_forever()
        return 7

    with pytest.raises(TimeoutError):
        await in_time(impatient(), soon())


async def test_what_is_there_too_late_is_not_taken() -> None:
    async def there() -> int:
        return 7

    assert await in_time(there(), time.monotonic() - 1) is None


async def test_what_is_waited_for_in_several_steps_arrives() -> None:
    async def later() -> int:
        await anyio.lowlevel.checkpoint()
        await anyio.sleep(0.01)
        return 7

    assert await in_time(later(), soon()) == 7


async def test_who_waits_too_long_is_cancelled_once_the_deadline_is_over() -> None:
    told = []

    async def never() -> int:
        try:
            await anyio.sleep_forever()
        finally:
            told.append("cancelled")
        return 7

    assert await in_time(never(), time.monotonic() + 0.02) is None
    assert told == ["cancelled"]


async def test_a_step_that_answers_its_cancellation_decides_what_is_returned() -> None:
    async def stubborn() -> int:
        try:
            await anyio.sleep(5)
        except anyio.get_cancelled_exc_class():
            with anyio.CancelScope(shield=True):
                await anyio.sleep(0.01)
            raise
        return 7

    assert await in_time(stubborn(), time.monotonic() + 0.02) is None


async def test_an_error_after_a_wait_is_the_callers() -> None:
    async def broken() -> int:
        await anyio.sleep(0.01)
        msg = "broken"
        raise LookupError(msg)

    with pytest.raises(LookupError, match="broken"):
        await in_time(broken(), soon())


async def test_a_cancellation_from_outside_reaches_the_steps_and_is_not_swallowed() -> None:
    told = []

    async def never() -> int:
        try:
            await anyio.sleep_forever()
        finally:
            told.append("cancelled")
        return 7

    with anyio.move_on_after(0.02) as scope:
        await in_time(never(), soon())
    assert scope.cancelled_caught
    assert told == ["cancelled"]


class Plain:
    """An awaitable of a server written in Rust: its steps are a plain iterator, without ``send`` and ``throw``."""

    def __init__(self, steps: list[Any]) -> None:
        self._steps = steps

    def __await__(self) -> Generator[Any, Any, int]:
        return _Steps(iter(self._steps))  # type: ignore[return-value]


class _Steps:
    def __init__(self, steps: Iterator[Any]) -> None:
        self._steps = steps

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> object:
        for step in self._steps:
            return step
        raise StopIteration(7)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_plain_iterator_of_steps_is_taken_to_its_end(anyio_backend: str) -> None:
    assert await in_time(Plain([]), soon()) == 7
    assert await in_time(Plain([None, None]), soon()) == 7


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_plain_iterator_that_never_ends_is_given_up(anyio_backend: str) -> None:
    endless: list[Any] = [None] * 10_000_000
    assert await in_time(Plain(endless), time.monotonic() + 0.02) is None
