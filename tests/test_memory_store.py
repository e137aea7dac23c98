"""The duplicate memory of one process: the contract of a store, its clock, its bounds and its cost."""

from __future__ import annotations

import gc
import hashlib
import itertools
import logging
import os
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from hooklatch import ConfigError
from hooklatch.errors import StoreUnavailable
from hooklatch.stores import MemoryStore, open_store
from hooklatch.stores import cursor as cursor_module
from hooklatch.stores.cursor import Cursor
from hooklatch.testing import Clock
from hooklatch.types import Claim, State

LEASE = 60.0
TTL = 3600.0
PROTECT = 600.0


def wish(
    *names: str,
    fingerprint: str = "as sent",
    lease: float = LEASE,
    ttl: float = TTL,
    protect: float = PROTECT,
) -> Claim:
    """Return a claimant's wish to own the deliveries called *names*, under a token of its own."""
    keys = tuple(hashlib.sha256(name.encode()).digest() for name in names or ("a delivery",))
    return Claim(keys, hashlib.sha256(fingerprint.encode()).digest(), lease, ttl, os.urandom(16), protect)


def asked(store: MemoryStore, claim: Claim) -> str:
    return store.claim(claim).state.value


@pytest.fixture
def clock() -> Clock:
    return Clock(1000.0)


@pytest.fixture
def store(clock: Clock) -> MemoryStore:
    return MemoryStore(clock=clock)


@pytest.fixture
def later(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let seconds pass on every clock there is."""
    passed = Clock(0.0)
    real = time.time

    def wall() -> float:
        return real() + passed()

    def advance(seconds: float) -> None:
        clock.advance(seconds)
        passed.advance(seconds)

    monkeypatch.setattr(time, "time", wall)
    return advance


def fill(store: MemoryStore, count: int, *, done: bool = True, protect: float = PROTECT) -> list[Claim]:
    claims = [wish(f"filling {index}", protect=protect) for index in range(count)]
    for claim in claims:
        assert asked(store, claim) == "granted"
        assert not done or store.commit(claim)
    return claims


# Granting


def test_an_unknown_delivery_is_granted_and_another_claimant_finds_it_in_flight(store: MemoryStore) -> None:
    assert [asked(store, wish()) for _ in range(3)] == ["granted", "in_flight", "in_flight"]


def test_a_committed_delivery_is_done(store: MemoryStore) -> None:
    first = wish()
    store.claim(first)
    assert store.commit(first)
    assert asked(store, wish()) == "done"


def test_a_done_delivery_tells_since_when_it_is_known(store: MemoryStore) -> None:
    first = wish()
    before = int(time.time())
    store.claim(first)
    store.commit(first)
    seen = store.claim(wish()).first_seen
    assert seen is not None
    assert before <= seen <= time.time()


def test_a_released_delivery_is_granted_again(store: MemoryStore) -> None:
    first = wish()
    store.claim(first)
    store.release(first)
    assert asked(store, wish()) == "granted"


def test_releasing_what_is_done_leaves_it_done(store: MemoryStore) -> None:
    first = wish()
    store.claim(first)
    store.commit(first)
    store.release(first)
    assert asked(store, wish()) == "done"


def test_releasing_twice_or_without_a_grant_is_no_error_and_frees_nobody_else(store: MemoryStore) -> None:
    first, stranger = wish(), wish()
    store.claim(first)
    store.release(stranger)
    assert asked(store, wish()) == "in_flight"
    store.release(first)
    store.release(first)
    assert asked(store, wish()) == "granted"


def test_deliveries_do_not_disturb_each_other(store: MemoryStore) -> None:
    one = wish("one")
    store.claim(one)
    store.commit(one)
    assert [asked(store, wish(name)) for name in ("one", "two", "two")] == ["done", "granted", "in_flight"]


def test_a_claim_can_be_asked_for_and_committed_again_under_its_own_token(store: MemoryStore) -> None:
    first = wish()
    assert [asked(store, first) for _ in range(2)] == ["granted", "granted"]
    assert [store.commit(first) for _ in range(2)] == [True, True]
    assert asked(store, wish()) == "done"


# All or nothing


@pytest.mark.parametrize(
    "settle", [lambda _store, _claim: None, lambda store, claim: store.commit(claim)], ids=["in_flight", "done"]
)
@pytest.mark.parametrize("names", [("taken", "free"), ("free", "taken")], ids=" ".join)
def test_a_claim_of_several_keys_is_refused_whole_and_leaves_nothing_behind(
    store: MemoryStore, settle: Callable[[MemoryStore, Claim], object], names: tuple[str, str]
) -> None:
    holder = wish("taken")
    store.claim(holder)
    settle(store, holder)
    assert asked(store, wish(*names)) in {"in_flight", "done"}
    assert asked(store, wish("free", fingerprint="another")) == "granted"


def test_every_key_of_a_granted_claim_is_taken(store: MemoryStore) -> None:
    store.claim(wish("one", "two"))
    assert [asked(store, wish(name)) for name in ("one", "two")] == ["in_flight", "in_flight"]


def test_every_key_of_a_committed_claim_is_done(store: MemoryStore) -> None:
    both = wish("one", "two")
    store.claim(both)
    store.commit(both)
    assert [asked(store, wish(*names)) for names in (("one",), ("two",), ("three", "two"))] == ["done"] * 3


def test_every_key_of_a_released_claim_is_free(store: MemoryStore) -> None:
    both = wish("one", "two")
    store.claim(both)
    store.release(both)
    assert [asked(store, wish(name)) for name in ("one", "two")] == ["granted", "granted"]


# Leases and tokens


def test_a_claim_that_nobody_settles_lapses_with_its_lease(store: MemoryStore, clock: Clock) -> None:
    store.claim(wish())
    clock.advance(LEASE - 1)
    assert asked(store, wish()) == "in_flight"
    clock.advance(1)
    assert asked(store, wish()) == "granted"


def test_renewing_begins_the_lease_anew(store: MemoryStore, clock: Clock) -> None:
    first = wish()
    store.claim(first)
    for _ in range(3):
        clock.advance(LEASE - 1)
        assert store.renew(first)
    clock.advance(LEASE - 1)
    assert asked(store, wish()) == "in_flight"
    clock.advance(1)
    assert asked(store, wish()) == "granted"


def test_a_zombie_can_neither_renew_nor_commit_nor_free(store: MemoryStore, clock: Clock) -> None:
    zombie, owner = wish(), wish()
    store.claim(zombie)
    clock.advance(LEASE)
    store.claim(owner)
    assert (store.renew(zombie), store.commit(zombie)) == (False, False)
    store.release(zombie)
    assert asked(store, wish()) == "in_flight"
    assert store.commit(owner)
    assert asked(store, wish()) == "done"


def test_a_zombie_on_one_key_of_two_can_neither_renew_nor_commit_the_other(store: MemoryStore, clock: Clock) -> None:
    zombie, owner = wish("one", "two"), wish("two")
    store.claim(zombie)
    clock.advance(LEASE)
    store.claim(owner)
    assert (store.renew(zombie), store.commit(zombie)) == (False, False)
    store.release(zombie)
    assert [asked(store, wish(name)) for name in ("one", "two")] == ["granted", "in_flight"]


def test_a_zombie_finds_no_lease_where_another_has_finished(store: MemoryStore, clock: Clock) -> None:
    zombie, owner = wish(), wish()
    store.claim(zombie)
    clock.advance(LEASE)
    store.claim(owner)
    store.commit(owner)
    assert (store.renew(zombie), store.commit(zombie)) == (False, False)
    store.release(zombie)
    assert asked(store, wish()) == "done"


def test_a_lapsed_lease_that_nobody_took_can_still_be_committed(store: MemoryStore, clock: Clock) -> None:
    slow = wish()
    store.claim(slow)
    clock.advance(LEASE + 1)
    assert store.commit(slow)
    assert asked(store, wish()) == "done"


# The fingerprint


def test_another_fingerprint_is_altered_while_the_first_attempt_runs(store: MemoryStore) -> None:
    store.claim(wish())
    assert asked(store, wish(fingerprint="edited")) == "altered"


def test_another_fingerprint_is_altered_once_the_delivery_is_done(store: MemoryStore) -> None:
    first = wish()
    store.claim(first)
    store.commit(first)
    assert asked(store, wish(fingerprint="edited")) == "altered"


def test_the_fingerprint_survives_a_release_until_the_ttl_is_over(store: MemoryStore, clock: Clock) -> None:
    first = wish()
    store.claim(first)
    store.release(first)
    clock.advance(TTL - 1)
    assert asked(store, wish(fingerprint="edited")) == "altered"
    clock.advance(1)
    assert asked(store, wish(fingerprint="edited")) == "granted"


def test_the_fingerprint_survives_a_lapsed_lease_until_the_ttl_is_over(store: MemoryStore, clock: Clock) -> None:
    store.claim(wish())
    clock.advance(TTL - 1)
    assert asked(store, wish(fingerprint="edited")) == "altered"
    assert asked(store, wish()) == "granted"


def test_a_refused_altered_claim_takes_nothing(store: MemoryStore) -> None:
    first = wish("one")
    store.claim(first)
    store.release(first)
    assert asked(store, wish("two", "one", fingerprint="edited")) == "altered"
    assert [asked(store, wish(name)) for name in ("one", "two")] == ["granted", "granted"]


def test_the_fingerprint_pinned_on_one_key_counts_for_a_claim_of_several(store: MemoryStore) -> None:
    first = wish("one", "two")
    store.claim(first)
    store.commit(first)
    assert asked(store, wish("three", "two", fingerprint="edited")) == "altered"


# Expiry


def test_a_done_delivery_is_known_until_its_ttl_is_over(store: MemoryStore, clock: Clock) -> None:
    first = wish()
    store.claim(first)
    clock.advance(LEASE / 2)
    store.commit(first)
    clock.advance(TTL - 1)
    assert asked(store, wish()) == "done"
    clock.advance(1)
    assert asked(store, wish()) == "granted"


def test_a_claim_outlives_a_ttl_that_is_shorter_than_its_lease(store: MemoryStore, clock: Clock) -> None:
    store.claim(wish(lease=100, ttl=10))
    clock.advance(50)
    assert asked(store, wish(lease=100, ttl=10)) == "in_flight"


def test_a_jump_of_the_wall_clock_expires_nothing(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    first = wish()
    store.claim(first)
    store.commit(first)
    day_later = time.time() + 86_400
    monkeypatch.setattr(time, "time", lambda: day_later)
    assert asked(store, wish()) == "done"


def test_expired_deliveries_are_forgotten_while_others_arrive(store: MemoryStore, clock: Clock) -> None:
    fill(store, 500)
    clock.advance(TTL)
    for index in range(500):
        store.claim(wish(f"late {index}"))
    assert repr(store) == "<MemoryStore 500 of 1000000>"


def test_claims_that_nobody_settles_are_forgotten_while_others_arrive(store: MemoryStore, clock: Clock) -> None:
    fill(store, 500, done=False)
    clock.advance(TTL)
    for index in range(500):
        store.claim(wish(f"late {index}"))
    assert repr(store) == "<MemoryStore 500 of 1000000>"


def test_a_released_delivery_is_forgotten_when_its_claim_would_have_been(store: MemoryStore, clock: Clock) -> None:
    first = wish()
    store.claim(first)
    clock.advance(LEASE / 2)
    assert store.renew(first)
    clock.advance(LEASE / 2)
    store.release(first)
    clock.advance(TTL - LEASE / 2 - 1)
    assert asked(store, wish(fingerprint="edited")) == "altered"
    clock.advance(1)
    assert asked(store, wish(fingerprint="edited")) == "granted"


def test_a_delivery_claimed_again_is_known_since_the_first_time(
    store: MemoryStore, later: Callable[[float], None]
) -> None:
    before = time.time()
    for _ in range(2):
        failed = wish()
        store.claim(failed)
        store.release(failed)
        later(LEASE)
    last = wish()
    store.claim(last)
    later(LEASE)
    assert store.commit(last)
    assert store.claim(wish()).first_seen == pytest.approx(before, abs=LEASE / 2)


# The cursor


def test_a_cursor_passes_every_key_of_a_table_that_stays_in_so_many_steps() -> None:
    table = {bytes([number]): None for number in range(200)}
    cursor = Cursor(table)
    for size in (7, 13, 64, 200, 500):
        passed = [key for _ in range(0, 400, size) for key in cursor.walk(size)]
        assert set(passed) == set(table)
        assert len(cursor.walk(size)) >= min(size, 200)


def test_a_cursor_misses_nothing_because_other_keys_were_taken_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cursor_module, "BATCH", 10)
    table = {bytes([number]): None for number in range(200)}
    cursor = Cursor(table)
    seen: set[bytes] = set()
    for _ in range(40):
        keys = cursor.walk(5)
        seen.update(keys)
        odd = [key for key in set(keys) if key[0] % 2 and key in table]
        for key in odd:
            del table[key]
        cursor.dropped(len(odd))
    assert seen == {bytes([number]) for number in range(200)}
    assert list(table) == [bytes([number]) for number in range(0, 200, 2)]


def test_a_cursor_over_nothing_finds_nothing_until_there_is_something() -> None:
    table: dict[bytes, None] = {}
    cursor = Cursor(table)
    assert cursor.walk(5) == []
    table[b"new"] = None
    assert b"new" in cursor.walk(5)


# Full


def test_a_full_store_refuses_what_is_new_and_keeps_what_is_young(store: MemoryStore, clock: Clock) -> None:
    small = MemoryStore(limit=10, clock=clock)
    young = fill(small, 10)
    with pytest.raises(StoreUnavailable, match="10 deliveries"):
        small.claim(wish("new"))
    assert {asked(small, again._replace(token=b"another claimant")) for again in young} == {"done"}
    assert small.evicted == 0


def test_a_full_store_grants_what_it_knows_already(clock: Clock) -> None:
    small = MemoryStore(limit=10, clock=clock)
    (one, *_) = fill(small, 10, done=False)
    small.release(one)
    assert asked(small, one._replace(token=b"another claimant")) == "granted"


def test_a_full_store_lets_done_deliveries_that_protect_no_more_go(
    clock: Clock, later: Callable[[float], None]
) -> None:
    small = MemoryStore(limit=10, clock=clock)
    fill(small, 10)
    later(PROTECT + 60)
    assert asked(small, wish("new")) == "granted"
    assert small.evicted > 0


def test_a_full_store_lets_only_the_aged_go_and_keeps_the_young(clock: Clock, later: Callable[[float], None]) -> None:
    small = MemoryStore(limit=10, clock=clock)
    fill(small, 5)
    later(PROTECT + 60)
    young = [wish(f"young {index}") for index in range(5)]
    for claim in young:
        small.claim(claim)
        small.commit(claim)
    assert asked(small, wish("new")) == "granted"
    assert {asked(small, again._replace(token=b"another claimant")) for again in young} == {"done"}


def test_a_full_store_never_lets_a_live_claim_go(clock: Clock, later: Callable[[float], None]) -> None:
    small = MemoryStore(limit=10, clock=clock)
    live = [wish(f"live {index}", lease=100_000) for index in range(10)]
    for claim in live:
        small.claim(claim)
    later(50_000)
    with pytest.raises(StoreUnavailable):
        small.claim(wish("new"))
    assert {asked(small, again._replace(token=b"another claimant")) for again in live} == {"in_flight"}


def test_a_full_store_never_lets_a_released_delivery_go_early(clock: Clock, later: Callable[[float], None]) -> None:
    small = MemoryStore(limit=10, clock=clock)
    for claim in fill(small, 10, done=False):
        small.release(claim)
    later(PROTECT + 60)
    with pytest.raises(StoreUnavailable):
        small.claim(wish("new"))


def test_a_delivery_is_aged_by_the_clock_of_the_store(clock: Clock) -> None:
    small = MemoryStore(limit=10, clock=clock)
    fill(small, 10)
    clock.advance(PROTECT + 60)
    assert asked(small, wish("new")) == "granted"


def test_a_jump_of_the_wall_clock_ages_nothing(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    small = MemoryStore(limit=10, clock=clock)
    fill(small, 10)
    day_later = time.time() + 86_400
    monkeypatch.setattr(time, "time", lambda: day_later)
    with pytest.raises(StoreUnavailable):
        small.claim(wish("new"))


def test_a_delivery_that_succeeded_late_protects_from_then_on(clock: Clock, later: Callable[[float], None]) -> None:
    small = MemoryStore(limit=1, clock=clock)
    failed = wish()
    small.claim(failed)
    small.release(failed)
    later(PROTECT + 60)
    second = wish()
    small.claim(second)
    small.commit(second)
    with pytest.raises(StoreUnavailable):
        small.claim(wish("new"))
    assert asked(small, wish()) == "done"


def test_a_full_store_forgets_what_has_expired_first(clock: Clock) -> None:
    small = MemoryStore(limit=100, clock=clock)
    fill(small, 100, done=False)
    clock.advance(TTL)
    assert asked(small, wish("new")) == "granted"


def test_a_claim_of_two_keys_needs_room_for_two(clock: Clock) -> None:
    small = MemoryStore(limit=10, clock=clock)
    fill(small, 9)
    with pytest.raises(StoreUnavailable):
        small.claim(wish("new", "newer"))
    assert asked(small, wish("new")) == "granted"


def test_a_claim_of_a_known_key_and_a_new_one_needs_room_for_the_new_one(clock: Clock) -> None:
    small = MemoryStore(limit=10, clock=clock)
    (one, *_) = fill(small, 10, done=False)
    small.release(one)
    both = one._replace(keys=(*one.keys, *wish("new").keys), token=b"another claimant")
    with pytest.raises(StoreUnavailable):
        small.claim(both)
    assert asked(small, one._replace(token=b"another claimant")) == "granted"


def test_a_commit_of_what_was_forgotten_meanwhile_needs_room(clock: Clock) -> None:
    small = MemoryStore(limit=1, clock=clock)
    forgotten, young = wish("forgotten"), wish("young")
    small.claim(forgotten)
    clock.advance(TTL)
    small.claim(young)
    with pytest.raises(StoreUnavailable):
        small.commit(forgotten)
    assert small.commit(young)
    clock.advance(PROTECT + 60)
    assert small.commit(forgotten)
    assert (asked(small, wish("forgotten")), repr(small)) == ("done", "<MemoryStore 1 of 1>")


def test_a_store_that_fills_up_warns_once_at_four_fifths(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, logger="hooklatch")
    small = MemoryStore(limit=100, clock=clock)
    numbers = itertools.count()

    def add(count: int) -> int:
        for _ in range(count):
            small.claim(wish(f"one of many {next(numbers)}"))
        return sum("80 %" in record.message for record in caplog.records)

    assert [add(79), add(3), add(18)] == [0, 1, 1]


@pytest.mark.parametrize("limit", [0, -1, 1.5, "10", None], ids=repr)
def test_a_limit_that_holds_nothing_is_a_config_error(limit: object) -> None:
    with pytest.raises(ConfigError, match="at least one"):
        MemoryStore(limit=limit)  # type: ignore[arg-type]


def test_its_url_opens_it() -> None:
    assert isinstance(open_store("memory://"), MemoryStore)


# Many at once, and many in all


@pytest.fixture
def _restless() -> Iterator[None]:
    """Let threads take turns as often as they can."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("_restless")
def test_of_eight_threads_exactly_one_is_granted_each_of_500_deliveries() -> None:
    store = MemoryStore()
    names = [f"contested {index}" for index in range(500)]
    gate = threading.Barrier(8)

    def claim_all(_: int) -> list[str]:
        gate.wait(30)
        return [name for name in names if store.claim(wish(name, f"also {name}")).state is State.GRANTED]

    with ThreadPoolExecutor(8) as workers:
        granted = list(itertools.chain.from_iterable(workers.map(claim_all, range(8))))
    assert sorted(granted) == sorted(names)


@pytest.mark.usefixtures("_restless")
def test_threads_that_claim_release_and_commit_run_each_delivery_once() -> None:
    store = MemoryStore()
    done: list[int] = []
    gate = threading.Barrier(8)

    def work(_: int) -> None:
        gate.wait(30)
        for index in range(200):
            claim = wish(f"worked on {index}")
            while (state := store.claim(claim).state) is State.IN_FLIGHT:
                time.sleep(0)
            if state is State.GRANTED:
                if index % 2 and index not in done:
                    store.release(claim)
                    claim = wish(f"worked on {index}")
                    if store.claim(claim).state is not State.GRANTED:
                        continue
                done.append(index)
                assert store.commit(claim)

    with ThreadPoolExecutor(8) as workers:
        for future in [workers.submit(work, index) for index in range(8)]:
            future.result(60)
    assert sorted(done) == list(range(200))


def test_a_delivery_costs_at_most_170_bytes_even_while_a_full_store_looks_for_room() -> None:
    count, batch = 200_000, 500
    store = MemoryStore(limit=count)
    like = wish()
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for start in range(0, count, batch):
            keys = tuple(index.to_bytes(32, "little") for index in range(start, start + batch))
            claim = like._replace(keys=keys)
            store.claim(claim)
            store.commit(claim)
        for _ in range(10):
            with pytest.raises(StoreUnavailable):
                store.claim(wish("new"))
        del claim, keys
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert repr(store) == f"<MemoryStore {count} of {count}>"
    assert (after - before) / count <= 170
