"""``hooklatch store``: what an operator sees of each store, what is let through again, and what is never shown."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from hooklatch.cli import main
from hooklatch.providers import GITHUB
from hooklatch.stores import PostgresStore, RedisStore, SQLiteStore
from hooklatch.testing import call_wsgi
from hooklatch.types import Claim, State, Store
from hooklatch.wsgi import WebhookMiddleware
from services import free_port, postgres_server, redis_server

Called = tuple[int, str, str]
Call = Callable[..., Called]

SECRET = "a-secret-of-thirty-two-characters"


@pytest.fixture(autouse=True)
def _no_store_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOOKLATCH_STORE", raising=False)


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Run ``hooklatch store`` in this process: ``call(*argv)`` -> status, stdout, stderr."""

    def run(*argv: str) -> Called:
        capsys.readouterr()
        status = main(("store", *argv))
        return status, *capsys.readouterr()

    return run


@dataclass
class Case:
    """One store, and how the command line names it."""

    kind: str
    store: Any
    argv: tuple[str, ...]


@pytest.fixture(params=["sqlite", "redis", "postgres"])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Case]:
    kind: str = request.param
    if kind == "sqlite":
        path = tmp_path / "deliveries.db"
        made: Any = SQLiteStore(path)
        argv: tuple[str, ...] = ("--store", f"sqlite:///{path}")
    elif kind == "redis":
        name = f"cli-{uuid.uuid4()}"
        made = RedisStore(url=redis_server().url, namespace=name, timeout=5)
        argv = ("--store", redis_server().url, "--namespace", name)
    else:
        name = f"cli_{uuid.uuid4().hex}"
        made = PostgresStore(postgres_server().url, table=name, timeout=5)
        argv = ("--store", postgres_server().url, "--table", name)
    yield Case(kind, made, argv)
    made.close()


def wish(name: str, *more: str, lease: float = 60, ttl: float = 600) -> Claim:
    keys = tuple(one.encode().ljust(32, b".") for one in (name, *more))
    return Claim(keys, b"f" * 32, lease, ttl, os.urandom(16), 60)


def hexed(name: str) -> str:
    return name.encode().ljust(32, b".").hex()


def fill(store: Store) -> None:
    """Leave one done, one in flight, one released, one lapsed, in this order."""
    for name in ("done", "flying", "released", "lapsed"):
        claim = wish(name, lease=0.001 if name == "lapsed" else 60)
        assert store.claim(claim).state is State.GRANTED
        if name == "done":
            assert store.commit(claim)
        elif name == "released":
            store.release(claim)
        time.sleep(0.01)


def assert_one_line_and_two(called: Called, *words: str) -> None:
    status, out, err = called
    assert (status, out) == (2, "")
    assert err.startswith("hooklatch: ")
    assert err.count("\n") == 1
    for word in words:
        assert word in err


# Inspect.


def test_inspect_counts_states_and_lists_the_newest_first(call: Call, case: Case) -> None:
    before = time.time()
    fill(case.store)
    status, out, err = call("inspect", *case.argv)
    lines = out.splitlines()
    assert (status, err) == (0, "")
    assert lines[0] == "4 keys: 1 done, 1 in flight, 2 free"
    assert re.fullmatch(r"oldest: first seen \S+Z, \d+ s ago", lines[1])
    assert re.fullmatch(r"newest: first seen \S+Z, \d+ s ago", lines[2])
    rows = [re.split(r"  +", line) for line in lines[5:]]
    assert [row[:2] for row in rows] == [
        [hexed("lapsed"), "free"],
        [hexed("released"), "free"],
        [hexed("flying"), "in flight"],
        [hexed("done"), "done"],
    ]
    for row in rows:
        assert int(before) <= datetime.fromisoformat(row[2]).timestamp() <= time.time()
        assert re.fullmatch(r"\d+ s", row[3])
        assert row[4:] == ([] if row[1] != "in flight" else [row[4]])
    assert re.fullmatch(r"5\d s|1 min", rows[2][4])


def test_inspect_as_json_has_the_same_in_seconds(call: Call, case: Case) -> None:
    fill(case.store)
    status, out, _ = call("inspect", *case.argv, "--json")
    found = json.loads(out)
    assert status == 0
    assert {name: found[name] for name in ("keys", "done", "in_flight", "free")} == {
        "keys": 4,
        "done": 1,
        "in_flight": 1,
        "free": 2,
    }
    assert 0 <= found["newest_age"] <= found["oldest_age"] < 60
    assert [row["state"] for row in found["rows"]] == ["free", "free", "in_flight", "done"]
    assert [row["lease_left"] is None for row in found["rows"]] == [True, True, False, True]
    assert 30 < found["rows"][2]["lease_left"] <= 60
    assert all(0 <= row["age"] < 60 for row in found["rows"])


@pytest.mark.parametrize("limit", [0, 1, 3])
def test_the_limit_bounds_the_rows_and_not_the_counts(call: Call, case: Case, limit: int) -> None:
    fill(case.store)
    _, out, _ = call("inspect", *case.argv, "--json", "--limit", str(limit))
    found = json.loads(out)
    newest = [hexed(name) for name in ("lapsed", "released", "flying")]
    assert (found["keys"], [row["key"] for row in found["rows"]]) == (4, newest[:limit])
    _, out, _ = call("inspect", *case.argv, "--limit", str(limit))
    assert out.startswith("4 keys: ")
    assert (f"the newest {limit} of 4" in out) == (limit > 0)


def test_an_empty_store_has_no_ages(call: Call, case: Case) -> None:
    claim = wish("only")
    case.store.claim(claim)
    case.store.forget(claim.keys[0])
    assert call("inspect", *case.argv) == (0, "0 keys: 0 done, 0 in flight, 0 free\n", "")
    found = json.loads(call("inspect", *case.argv, "--json")[1])
    assert (found["oldest_age"], found["newest_age"], found["rows"]) == (None, None, [])


def test_expired_keys_are_not_counted(call: Call, case: Case) -> None:
    claim = wish("brief", lease=0.05, ttl=0.05)
    case.store.claim(claim)
    case.store.commit(claim)
    case.store.claim(wish("long"))
    time.sleep(0.1)
    assert call("inspect", *case.argv)[1].startswith("1 key: ")


# Forget.


def test_forget_lets_one_delivery_through_again(call: Call, case: Case) -> None:
    fill(case.store)
    assert case.store.claim(wish("done")).state is State.DONE
    assert call("forget", *case.argv, hexed("done").upper()) == (0, f"forgotten: {hexed('done')}\n", "")
    assert case.store.claim(wish("done")).state is State.GRANTED
    assert case.store.claim(wish("flying")).state is State.IN_FLIGHT


def test_forget_says_which_key_is_unknown_and_forgets_the_others(call: Call, case: Case) -> None:
    claim = wish("old secret", "new secret")
    case.store.claim(claim)
    case.store.commit(claim)
    given = (hexed("old secret"), hexed("nobody"), hexed("new secret"))
    status, out, _ = call("forget", *case.argv, *given)
    assert status == 1
    assert out.splitlines() == [f"forgotten: {given[0]}", f"unknown: {given[1]}", f"forgotten: {given[2]}"]
    assert case.store.claim(wish("old secret", "new secret")).state is State.GRANTED


def test_a_duplicates_answer_leads_to_the_key_that_lets_it_through(call: Call, case: Case) -> None:
    ran: list[str] = []

    def application(environ: Any, start_response: Any) -> list[bytes]:
        ran.append(environ["hooklatch.webhook"].provider)
        start_response("204 No Content", [])
        return []

    app = WebhookMiddleware(application, routes={"/hooks/github": GITHUB.chain(SECRET)}, store=case.store)
    case.store.claim(wish("another"))
    delivery = GITHUB.sign(b"{}", secret=SECRET, url="/hooks/github")
    assert call_wsgi(app, delivery).status == 204
    again = call_wsgi(app, delivery)
    assert (again.status, ran) == (200, ["github"])
    rows = json.loads(call("inspect", *case.argv, "--json")[1])["rows"]
    found = [row["key"] for row in rows if row["state"] == "done"]
    assert [row["first_seen"] for row in rows if row["state"] == "done"] == [again.header("hooklatch-duplicate")]
    assert call("forget", *case.argv, *found)[0] == 0
    assert (call_wsgi(app, delivery).status, ran) == (204, ["github", "github"])


@pytest.mark.parametrize("key", ["", "zz", "abc", "0x12", "ab cd", "redis://:topsecret@host/0", "aa" * 65])
def test_a_key_that_is_no_hex_is_one_line_and_not_repeated(call: Call, tmp_path: Path, key: str) -> None:
    SQLiteStore(tmp_path / "d.db").close()
    called = call("forget", "--store", f"sqlite:///{tmp_path}/d.db", key)
    assert_one_line_and_two(called, "hex")
    assert "topsecret" not in called[2]


# Sweep.


def test_sweep_deletes_what_expired_and_nothing_else(call: Call, case: Case) -> None:
    for name in ("one", "two"):
        case.store.claim(wish(name, lease=0.01, ttl=0.01))
    case.store.claim(wish("stays"))
    time.sleep(0.05)
    swept = call("sweep", *case.argv)
    if case.kind == "redis":
        assert swept == (0, "nothing to sweep: Redis deletes by itself what has expired\n", "")
    else:
        assert swept == (0, "swept: 2 expired keys\n", "")
        assert call("sweep", *case.argv) == (0, "swept: 0 expired keys\n", "")
    assert case.store.claim(wish("stays")).state is State.IN_FLIGHT


# Which store.


def test_the_url_may_come_from_the_environment(call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("from-environment", "from-argument"):
        store = SQLiteStore(tmp_path / name)
        store.claim(wish(name))
        store.close()
    monkeypatch.setenv("HOOKLATCH_STORE", f"sqlite:///{tmp_path}/from-environment")
    assert hexed("from-environment") in call("inspect")[1]
    assert hexed("from-argument") in call("inspect", "--store", f"sqlite:///{tmp_path}/from-argument")[1]
    monkeypatch.setenv("HOOKLATCH_STORE", "")
    assert_one_line_and_two(call("inspect"), "HOOKLATCH_STORE", "--store")


def test_a_relative_path_is_relative_to_where_one_is(
    call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    SQLiteStore("a file?.db").close()
    assert call("inspect", "--store", "sqlite:///a%20file%3F.db")[0] == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a file?.db"]


@pytest.mark.parametrize("action", [("inspect",), ("forget", "aa"), ("sweep",)])
def test_memory_is_refused(call: Call, action: tuple[str, ...]) -> None:
    assert_one_line_and_two(call(action[0], "--store", "memory://", *action[1:]), "memory://", "process")


@pytest.mark.parametrize("action", [("inspect",), ("forget", "aa"), ("sweep",)])
def test_no_file_is_created(call: Call, tmp_path: Path, action: tuple[str, ...]) -> None:
    url = f"sqlite:///{tmp_path}/missing.db"
    assert_one_line_and_two(call(action[0], "--store", url, *action[1:]), "missing.db", "no such file")
    assert_one_line_and_two(call(action[0], "--store", f"sqlite:///{tmp_path}", *action[1:]))
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_store_stays_as_it_is(call: Call, tmp_path: Path) -> None:
    foreign, text = tmp_path / "foreign.db", tmp_path / "text.db"
    connection = sqlite3.connect(foreign)
    connection.execute("CREATE TABLE orders (id INTEGER)")
    connection.execute("PRAGMA user_version = 1")
    connection.commit()
    connection.close()
    text.write_text("no database at all\n" * 100)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert_one_line_and_two(call("inspect", "--store", f"sqlite:///{foreign}"), "no store")
    assert_one_line_and_two(call("inspect", "--store", f"sqlite:///{text}"), "not a database")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_database_without_the_table_gets_none(call: Call) -> None:
    import psycopg

    name = f"never_{uuid.uuid4().hex}"
    assert_one_line_and_two(call("inspect", "--store", postgres_server().url, "--table", name), "no such table")
    with psycopg.connect(postgres_server().url) as connection:
        assert connection.execute("SELECT to_regclass(%s)", (name,)).fetchone() == (None,)


def test_a_namespace_and_a_table_belong_to_their_stores(call: Call, tmp_path: Path) -> None:
    SQLiteStore(tmp_path / "d.db").close()
    for option in ("--namespace", "--table"):
        assert_one_line_and_two(call("inspect", "--store", f"sqlite:///{tmp_path}/d.db", option, "x"), option)
    assert_one_line_and_two(call("inspect", "--store", redis_server().url, "--table", "x"), "PostgreSQL")
    assert_one_line_and_two(call("inspect", "--store", postgres_server().url, "--namespace", "x"), "Redis")


# What never shows, and trouble.


@pytest.mark.parametrize("kind", ["redis://:topsecret@127.0.0.1:{}/0", "postgresql://u:topsecret@127.0.0.1:{}/db"])
@pytest.mark.parametrize("how", ["argument", "environment"])
def test_an_unreachable_server_is_one_line_without_its_password(kind: str, how: str) -> None:
    url = kind.format(free_port())
    argv = ["store", "inspect", "--timeout", "0.5", *(["--store", url] if how == "argument" else [])]
    environment = {**os.environ, **({"HOOKLATCH_STORE": url} if how == "environment" else {})}
    command = [sys.executable, "-m", "hooklatch", *argv]
    done = subprocess.run(command, env=environment, capture_output=True, check=False, text=True, timeout=60)
    assert_one_line_and_two((done.returncode, done.stdout, done.stderr), "cannot be used")
    assert "topsecret" not in done.stderr


@pytest.mark.parametrize(
    "argv",
    [
        (),
        ("redis://:topsecret@host/0",),
        ("inspect", "redis://:topsecret@host/0"),
        ("inspect", "--store", "nonsense://:topsecret@host/0"),
        ("inspect", "--store", ":topsecret@host"),
        ("inspect", "--store", "redis://:topsecret@host:port/0"),
        ("inspect", "--store", "postgresql://u:topsecret@host:1/db?nonsense=topsecret"),
        ("inspect", "--store", "sqlite://:topsecret@host/path"),
        ("inspect", "--limit", "many"),
        ("inspect", "--timeout", "0"),
        ("forget", "--store", "redis://:topsecret@host/0"),
        ("sweep", "--store", "redis://:topsecret@host/0", "--json"),
    ],
)
def test_a_slip_is_one_line_and_repeats_no_url(call: Call, argv: tuple[str, ...]) -> None:
    called = call(*argv)
    assert_one_line_and_two(called)
    assert "topsecret" not in called[2]


def test_every_action_has_a_help(capsys: pytest.CaptureFixture[str]) -> None:
    for argv in (("store", "-h"), ("store", "inspect", "-h"), ("store", "forget", "-h"), ("store", "sweep", "--help")):
        with pytest.raises(SystemExit) as caught:
            main(argv)
        assert caught.value.code == 0
    assert "HOOKLATCH_STORE" in capsys.readouterr().out
