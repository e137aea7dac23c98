"""Two workers, a clock and a store, driven at random against a model of what ``hooklatch.types.Store`` promises."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from hooklatch.stores import MemoryStore, PostgresStore, RedisStore, SQLiteStore
from hooklatch.testing import Clock
from hooklatch.types import Claim, State, Store
from services import postgres_server, redis_server

KEYS = ["a", "b", "c"]
FINGERPRINTS = ["f", "g"]
WORKERS = [0, 1]


@dataclass
class Row:
    """What the model remembers of one key."""

    fingerprint: bytes
    token: bytes
    done: bool
    leased_until: float
    expires: float


class Model:
    """The contract, said in the plainest way: time is passed in, and nobody else is there."""

    def __init__(self) -> None:
        self.rows: dict[bytes, Row] = {}

    def _known(self, claim: Claim, now: float) -> list[Row]:
        return [row for key in claim.keys if (row := self.rows.get(key)) is not None and row.expires > now]

    def claim(self, claim: Claim, now: float) -> State:
        known = self._known(claim, now)
        if any(row.fingerprint != claim.fingerprint for row in known):
            return State.ALTERED
        if any(row.done for row in known):
            return State.DONE
        if any(row.leased_until > now and row.token != claim.token for row in known):
            return State.IN_FLIGHT
        self._write(claim, now, done=False)
        return State.GRANTED

    def renew(self, claim: Claim, now: float) -> bool:
        known = self._known(claim, now)
        if len(known) < len(claim.keys) or any(row.done or row.token != claim.token for row in known):
            return False
        for row in known:
            row.leased_until = now + claim.lease
            row.expires = max(row.expires, now + claim.ttl)
        return True

    def commit(self, claim: Claim, now: float) -> bool:
        known = self._known(claim, now)
        if any(row.token != claim.token and (row.done or row.leased_until > now) for row in known):
            return False
        self._write(claim, now, done=True)
        return True

    def release(self, claim: Claim, now: float) -> None:
        for row in self._known(claim, now):
            if row.token == claim.token and not row.done:
                row.leased_until = 0
                row.token = b""

    def _write(self, claim: Claim, now: float, *, done: bool) -> None:
        for key in claim.keys:
            leased_until = 0 if done else now + claim.lease
            self.rows[key] = Row(claim.fingerprint, claim.token, done, leased_until, now + claim.ttl)


class Machine(RuleBasedStateMachine):
    """Every answer of the store is the model's."""

    lease = 10.0
    ttl = 35.0

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store = store
        self.model = Model()
        self.claims: dict[int, list[Claim]] = {worker: [] for worker in WORKERS}
        self.minted = 0
        self.agrees = True
        self.salt = os.urandom(16)

    def named(self, name: str) -> bytes:
        return hashlib.sha256(self.salt + name.encode()).digest()

    def minted_claim(self, keys: list[str], fingerprint: str) -> Claim:
        self.minted += 1
        names = tuple(self.named(key) for key in keys)
        token = self.named(f"token {self.minted}")[:16]
        return Claim(names, self.named(fingerprint), self.lease, self.ttl, token, 60)

    def now(self) -> float:
        raise NotImplementedError

    def agree(self, verb: Callable[[Claim], object], expected: Callable[[Claim, float], object], claim: Claim) -> None:
        self.agrees = self.agrees and verb(claim) == expected(claim, self.now())
        assert self.agrees

    def state(self, claim: Claim) -> State:
        return self.store.claim(claim).state

    @rule(
        worker=st.sampled_from(WORKERS),
        keys=st.lists(st.sampled_from(KEYS), min_size=1, max_size=2, unique=True),
        fingerprint=st.sampled_from(["f", "f", "f", "g"]),
    )
    def claim(self, worker: int, keys: list[str], fingerprint: str) -> None:
        claim = self.minted_claim(keys, fingerprint)
        self.agree(self.state, self.model.claim, claim)
        # The claim before it stays in the worker's hands, as a zombie's does.
        self.claims[worker] = [claim, *self.claims[worker][:1]]

    def chosen(self, worker: int, *, before: bool) -> Claim | None:
        return next(iter(self.claims[worker][before:]), None)

    @rule(worker=st.sampled_from(WORKERS), before=st.booleans())
    def claim_again_under_the_same_token(self, worker: int, *, before: bool) -> None:
        claim = self.chosen(worker, before=before)
        if claim is not None:
            self.agree(self.state, self.model.claim, claim)

    @rule(worker=st.sampled_from(WORKERS), before=st.booleans())
    def renew(self, worker: int, *, before: bool) -> None:
        claim = self.chosen(worker, before=before)
        if claim is not None:
            self.agree(self.store.renew, self.model.renew, claim)

    @rule(worker=st.sampled_from(WORKERS), before=st.booleans())
    def commit(self, worker: int, *, before: bool) -> None:
        claim = self.chosen(worker, before=before)
        if claim is not None:
            self.agree(self.store.commit, self.model.commit, claim)

    @rule(worker=st.sampled_from(WORKERS), before=st.booleans())
    def release(self, worker: int, *, before: bool) -> None:
        claim = self.chosen(worker, before=before)
        if claim is not None:
            self.agree(self.store.release, self.model.release, claim)

    def teardown(self) -> None:
        """Ask once more for every key: what the store answers shows what it holds."""
        for key in KEYS if self.agrees else ():
            for fingerprint in FINGERPRINTS:
                self.agree(self.state, self.model.claim, self.minted_claim([key], fingerprint))


class Timeless(Machine):
    """A store whose clock is ours."""

    def __init__(self, make: Callable[[Clock], Store]) -> None:
        self.clock = Clock(1_700_000_000.0)
        super().__init__(make(self.clock))

    def now(self) -> float:
        return self.clock()

    @rule(seconds=st.sampled_from([1, 5, 10, 11, 35, 36]))
    def advance(self, seconds: int) -> None:
        """Move to, short of and past the edges of a lease and of a ttl."""
        self.clock.advance(seconds)

    def teardown(self) -> None:
        super().teardown()
        if isinstance(self.store, SQLiteStore):
            self.store.close()


class Timed(Machine):
    """A store whose clock is the server's: nothing is asked close to the edge of a lease."""

    lease = 0.3
    ttl = 600.0
    margin = 0.1

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.late = False

    def now(self) -> float:
        return time.monotonic()

    def agree(self, verb: Callable[[Claim], object], expected: Callable[[Claim, float], object], claim: Claim) -> None:
        if self.late:
            return
        self.leave_edges()
        now = self.now()
        answer = verb(claim)
        # On a machine that busy nobody can tell what the right answer was.
        self.late = self.now() - now > self.margin
        self.agrees = self.late or answer == expected(claim, now)
        assert self.agrees

    def leave_edges(self) -> None:
        while close := [end for end in self.leases() if abs(end - self.now()) < self.margin]:
            time.sleep(max(0, max(close) + self.margin - self.now()))

    def leases(self) -> list[float]:
        return [row.leased_until for row in self.model.rows.values()]

    @rule()
    def advance(self) -> None:
        """Let every lease lapse."""
        if not self.late:
            time.sleep(max(0, max(self.leases(), default=0) + self.margin - self.now()))


BOUNDS = settings(derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])


def test_the_memory_store_answers_as_the_contract_says() -> None:
    class Memory(Timeless):
        def __init__(self) -> None:
            super().__init__(lambda clock: MemoryStore(clock=clock))

    run_state_machine_as_test(Memory, settings=settings(BOUNDS, max_examples=150, stateful_step_count=30))


def test_the_sqlite_store_answers_as_the_contract_says(tmp_path: Path) -> None:
    class SQLite(Timeless):
        def __init__(self) -> None:
            path = Path(tempfile.mkdtemp(dir=tmp_path)) / "deliveries.db"
            super().__init__(lambda clock: SQLiteStore(path, timeout=5, clock=clock))

    run_state_machine_as_test(SQLite, settings=settings(BOUNDS, max_examples=60, stateful_step_count=30))


@pytest.mark.parametrize("name", ["memory", "sqlite"])
def test_a_claim_whose_ttl_is_over_cannot_be_renewed(name: str, tmp_path: Path) -> None:
    clock = Clock(1_700_000_000.0)
    store = MemoryStore(clock=clock) if name == "memory" else SQLiteStore(tmp_path / "deliveries.db", clock=clock)
    machine = Machine(store)
    first = machine.minted_claim(["a"], "f")
    assert machine.state(first) is State.GRANTED
    clock.advance(Machine.lease)
    assert store.renew(first)
    clock.advance(Machine.ttl)
    assert not store.renew(first)
    assert machine.state(machine.minted_claim(["a"], "g")) is State.GRANTED
    if isinstance(store, SQLiteStore):
        store.close()


def remote_store(name: str) -> RedisStore | PostgresStore:
    if name == "redis":
        return RedisStore(url=redis_server().url, timeout=5)
    return PostgresStore(postgres_server().url, timeout=5)


@pytest.mark.parametrize("name", ["redis", "postgres"])
def test_a_store_of_a_server_answers_as_the_contract_says(name: str) -> None:
    store = remote_store(name)

    class Remote(Timed):
        def __init__(self) -> None:
            super().__init__(store)

    # Without shrinking: it would sleep for minutes.
    bounds = settings(BOUNDS, max_examples=6, stateful_step_count=15, phases=[Phase.generate])
    run_state_machine_as_test(Remote, settings=bounds)
    store.close()
