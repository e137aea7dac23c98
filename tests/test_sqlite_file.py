"""The connections of a SQLite store: one a thread, used again, given back whatever happens, closed when it is free."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hooklatch.stores.sqlite_file import Locked, SQLiteFile, SQLiteUnavailable

WAIT = 5.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deliveries.db"


@pytest.fixture
def file(path: Path) -> Iterator[SQLiteFile]:
    made = SQLiteFile(path)
    yield made
    made.close()


def used(file: SQLiteFile, timeout: float = WAIT) -> sqlite3.Connection:
    with file.connection(timeout) as connection:
        connection.run("DELETE FROM delivery")
        return connection.sqlite


def test_a_thread_has_one_connection_for_each_time_it_would_wait(file: SQLiteFile) -> None:
    mine = used(file)
    assert used(file) is mine
    assert used(file, 0.0) is not mine
    with ThreadPoolExecutor(1) as other:
        assert other.submit(used, file).result(WAIT) is not mine


@pytest.mark.parametrize("failure", [sqlite3.OperationalError, ValueError])
def test_a_connection_is_given_back_after_a_failure(file: SQLiteFile, failure: type[Exception]) -> None:
    raised = SQLiteUnavailable if failure is sqlite3.OperationalError else failure
    with pytest.raises(raised, match="as it happens"), file.connection(WAIT):
        raise failure("as it happens")  # noqa: EM101, TRY003 - a test's own
    used(file)


def test_what_another_connection_has_locked_is_told_from_other_failures(file: SQLiteFile) -> None:
    with file.connection(WAIT) as connection:
        connection.run("BEGIN IMMEDIATE")
        with pytest.raises(Locked):
            used(file, 0.0)
        connection.run("ROLLBACK")
    with pytest.raises(SQLiteUnavailable, match="syntax") as failed, file.connection(WAIT) as connection:
        connection.run("no SQL")
    assert not isinstance(failed.value, Locked)


def test_a_closed_file_is_opened_again_by_whoever_uses_it(file: SQLiteFile) -> None:
    before = used(file)
    with ThreadPoolExecutor(1) as other:
        others = other.submit(used, file).result(WAIT)
        file.close()
        for closed in (before, others):
            with pytest.raises(sqlite3.ProgrammingError):
                closed.execute("SELECT 1")
        assert used(file) is not before
        assert other.submit(used, file).result(WAIT) is not others


def test_closing_waits_for_who_is_using_a_connection(file: SQLiteFile) -> None:
    with ThreadPoolExecutor(1) as other:
        with file.connection(WAIT) as connection:
            closing = other.submit(file.close)
            threading.Event().wait(0.1)
            assert not closing.done()
            connection.run("DELETE FROM delivery")
        closing.result(WAIT)
    used(file)
