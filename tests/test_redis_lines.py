"""The connections a Redis store keeps: whoever asks gets the answer to that question, or an error, and in time."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

import pytest
import redis
import redis.asyncio

from hooklatch.stores.redis_lines import AsyncLines, Lines, packed
from services import redis_server

TIMEOUT = 2.0


def client(options: str = "") -> redis.Redis:
    return redis.Redis.from_url(redis_server().url + options, socket_timeout=TIMEOUT / 2)


@pytest.fixture
def lines() -> Iterator[Lines]:
    made = Lines(client(), TIMEOUT)
    yield made
    made.close()


def run(scenario: Callable[[AsyncLines], Any], options: str = "") -> None:
    """Run *scenario* with the connections of a new event loop."""

    async def main() -> None:
        made = AsyncLines(redis.asyncio.Redis.from_url(redis_server().url + options), TIMEOUT)
        try:
            await scenario(made)
        finally:
            await made.close()

    asyncio.run(main())


@pytest.mark.parametrize(
    "words", [("GET", "a"), ("SET", "schlüssel", "wert: ä", "PX", "10"), ("EVAL", "return 1", "0"), ("GET", "")]
)
def test_a_command_is_packed_as_the_client_packs_it(words: tuple[str, ...]) -> None:
    pool: Any = client().connection_pool
    assert b"".join(packed(words)) == b"".join(pool.make_connection().pack_command(*words))


def test_a_connection_is_kept_and_used_again_after_an_answer_and_after_an_error(lines: Lines) -> None:
    first = lines.ask("CLIENT", "ID")
    with pytest.raises(redis.ResponseError):
        lines.ask("NO", "COMMAND")
    assert lines.ask("CLIENT", "ID") == first


def test_threads_that_ask_at_once_each_get_their_own_answers(lines: Lines) -> None:
    gate = threading.Barrier(8)

    def work(number: int) -> set[str]:
        gate.wait(30)
        return {lines.ask("ECHO", f"{number}-{turn}").decode().partition("-")[0] for turn in range(200)}

    with ThreadPoolExecutor(8) as workers:
        assert list(workers.map(work, range(8))) == [{str(number)} for number in range(8)]


class Interrupted(BaseException):
    """What stops a thread in the middle of anything."""


def test_a_question_cut_short_leaves_its_answer_to_nobody(lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> NoReturn:
        raise Interrupted

    lines.ask("PING")
    with monkeypatch.context() as patch:
        patch.setattr(redis.Connection, "read_response", interrupted)
        with pytest.raises(Interrupted):
            lines.ask("ECHO", "the answer of another")
    assert lines.ask("ECHO", "mine") == b"mine"


def test_a_connection_that_the_server_has_closed_is_opened_again(lines: Lines) -> None:
    first = lines.ask("CLIENT", "ID")
    with client() as operator:
        operator.client_kill_filter(_id=str(first))
    assert lines.ask("CLIENT", "ID") != first
    lines.close()
    assert lines.ask("ECHO", "still here") == b"still here"


def test_no_more_connections_are_opened_than_the_url_allows() -> None:
    lines = Lines(client("?max_connections=1"), TIMEOUT)
    waiting = threading.Thread(target=lines.ask, args=("BLPOP", "an empty list", "0.5"))
    waiting.start()
    with client() as operator:
        while not operator.info("clients")["blocked_clients"]:
            time.sleep(0.01)
    with pytest.raises(redis.ConnectionError):
        lines.ask("PING")
    waiting.join()
    assert lines.ask("ECHO", "now") == b"now"
    lines.close()


def test_a_forked_child_has_connections_of_its_own(lines: Lines) -> None:
    mine = lines.ask("CLIENT", "ID")
    context = multiprocessing.get_context("fork")
    answers = context.Queue()

    def child() -> None:
        answers.put((lines.ask("CLIENT", "ID"), lines.ask("ECHO", "the child's")))

    process = context.Process(target=child)
    process.start()
    theirs, echoed = answers.get(timeout=30)
    process.join(30)
    assert (theirs != mine, echoed, process.exitcode) == (True, b"the child's", 0)
    assert lines.ask("CLIENT", "ID") == mine


def test_on_an_event_loop_a_connection_is_kept_and_each_asker_gets_its_own_answer() -> None:
    async def scenario(lines: AsyncLines) -> None:
        first = await lines.ask("CLIENT", "ID")
        with pytest.raises(redis.ResponseError):
            await lines.ask("NO", "COMMAND")
        assert await lines.ask("CLIENT", "ID") == first
        answers = await asyncio.gather(*[lines.ask("ECHO", str(number)) for number in range(20)])
        assert answers == [str(number).encode() for number in range(20)]

    run(scenario)


def test_on_an_event_loop_a_cancelled_question_leaves_its_answer_to_nobody() -> None:
    async def scenario(lines: AsyncLines) -> None:
        await lines.ask("PING")
        waiting = asyncio.ensure_future(lines.ask("BLPOP", "an empty list", "0.3"))
        await asyncio.sleep(0.1)
        waiting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await waiting
        assert [await lines.ask("ECHO", word) for word in "abc"] == [b"a", b"b", b"c"]

    run(scenario)


def test_on_an_event_loop_an_answer_that_does_not_come_ends_in_time_and_reaches_nobody_later() -> None:
    async def scenario(lines: AsyncLines) -> None:
        started = time.monotonic()
        with pytest.raises(TimeoutError):
            await lines.ask("BLPOP", "an empty list", str(TIMEOUT))
        assert TIMEOUT / 2 <= time.monotonic() - started < TIMEOUT
        assert await lines.ask("ECHO", "mine") == b"mine"

    run(scenario)


def test_on_an_event_loop_a_connection_that_the_server_has_closed_is_opened_again() -> None:
    async def scenario(lines: AsyncLines) -> None:
        first = await lines.ask("CLIENT", "ID")
        with client() as operator:
            operator.client_kill_filter(_id=str(first))
        assert await lines.ask("CLIENT", "ID") != first

    run(scenario)


def test_on_an_event_loop_no_more_connections_are_opened_than_the_url_allows() -> None:
    async def scenario(lines: AsyncLines) -> None:
        waiting = asyncio.ensure_future(lines.ask("BLPOP", "an empty list", "0.2"))
        await asyncio.sleep(0)
        with pytest.raises(redis.ConnectionError):
            await lines.ask("PING")
        assert await waiting is None
        assert await lines.ask("ECHO", "now") == b"now"

    run(scenario, "?max_connections=1")
