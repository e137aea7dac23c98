"""The contract of every store, in both faces: what ``hooklatch.types.Store`` promises."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from typing import Any

import anyio
import pytest

from hooklatch.stores import as_async
from hooklatch.types import Claim, Standing, State, Store
from worlds import make_store, store_names

LEASE = 0.4


class Face:
    """One store through one of its faces, each verb as a plain call."""

    def __init__(self, store: Store, backend: str) -> None:
        self._store = store
        self._backend = backend

    def _do(self, verb: str, claim: Claim) -> Any:
        if self._backend == "plain":
            return getattr(self._store, verb)(claim)

        async def once() -> Any:
            face = as_async(self._store)
            try:
                return await getattr(face, verb)(claim)
            finally:
                close = getattr(face, "aclose", None)
                if close is not None and self._backend == "asyncio":
                    await close()

        return anyio.run(once, backend=self._backend)

    def claim(self, claim: Claim) -> State:
        return self.standing(claim).state

    def standing(self, claim: Claim) -> Standing:
        standing = self._do("claim", claim)
        assert isinstance(standing, Standing)
        return standing

    def renew(self, claim: Claim) -> bool:
        return self._bool("renew", claim)

    def commit(self, claim: Claim) -> bool:
        return self._bool("commit", claim)

    def _bool(self, verb: str, claim: Claim) -> bool:
        answer = self._do(verb, claim)
        assert isinstance(answer, bool)
        return answer

    def release(self, claim: Claim) -> None:
        assert self._do("release", claim) is None


@pytest.fixture(params=[f"{store}-{face}" for store in store_names() for face in ("plain", "asyncio", "trio")])
def face(request: pytest.FixtureRequest) -> Iterator[Face]:
    store, backend = request.param.split("-")
    with make_store(store) as made:
        yield Face(made, backend)


def key(name: str) -> bytes:
    return name.encode().ljust(32, b".")


def wish(*names: str, fingerprint: str = "f", lease: float = 60, ttl: float = 600) -> Claim:
    return Claim(tuple(map(key, names)), key(fingerprint), lease, ttl, os.urandom(16), 60)


def test_one_claim_is_granted_and_its_twin_is_in_flight(face: Face) -> None:
    assert face.claim(wish("a")) is State.GRANTED
    assert face.claim(wish("a")) is State.IN_FLIGHT
    assert face.claim(wish("b")) is State.GRANTED


@pytest.mark.parametrize("verb", ["commit", "release"])
def test_one_name_may_stand_under_several_keys(face: Face, verb: str) -> None:
    twice = wish("a", "a")
    assert face.claim(twice) is State.GRANTED
    assert face.claim(wish("a")) is State.IN_FLIGHT
    assert face.renew(twice)
    getattr(face, verb)(twice)
    assert face.claim(wish("a", "a")) is (State.DONE if verb == "commit" else State.GRANTED)


def test_a_committed_delivery_is_done_and_says_since_when(face: Face) -> None:
    first = wish("a")
    face.claim(first)
    assert face.commit(first)
    standing = face.standing(wish("a"))
    assert standing.state is State.DONE
    assert standing.first_seen == pytest.approx(time.time(), abs=30)


def test_a_released_delivery_is_free_again(face: Face) -> None:
    first = wish("a")
    face.claim(first)
    face.release(first)
    assert face.claim(wish("a")) is State.GRANTED


def test_done_is_final(face: Face) -> None:
    first = wish("a")
    face.claim(first)
    face.commit(first)
    face.release(first)
    assert face.claim(wish("a")) is State.DONE
    assert not face.renew(first)


def test_asking_twice_under_one_token_succeeds_twice(face: Face) -> None:
    first = wish("a")
    assert [face.claim(first), face.claim(first)] == [State.GRANTED, State.GRANTED]
    assert [face.commit(first), face.commit(first)] == [True, True]


def test_a_lapsed_lease_is_free_and_its_zombie_can_neither_commit_nor_renew_nor_free_the_next(face: Face) -> None:
    zombie = wish("a", lease=LEASE)
    face.claim(zombie)
    time.sleep(LEASE + 0.1)
    second = wish("a")
    assert face.claim(second) is State.GRANTED
    assert (face.commit(zombie), face.renew(zombie)) == (False, False)
    face.release(zombie)
    assert face.claim(wish("a")) is State.IN_FLIGHT
    assert face.commit(second)


def test_a_lapsed_lease_that_nobody_took_can_still_be_committed(face: Face) -> None:
    slow = wish("a", lease=LEASE)
    face.claim(slow)
    time.sleep(LEASE + 0.1)
    assert face.commit(slow)
    assert face.claim(wish("a")) is State.DONE


def test_a_renewed_lease_begins_anew(face: Face) -> None:
    first = wish("a", lease=LEASE)
    face.claim(first)
    time.sleep(LEASE * 0.6)
    assert face.renew(first)
    time.sleep(LEASE * 0.6)
    assert face.claim(wish("a")) is State.IN_FLIGHT


def test_another_fingerprint_is_altered_while_in_flight_after_a_release_after_a_lapse_and_when_done(face: Face) -> None:
    first = wish("a", lease=LEASE)
    face.claim(first)
    assert face.claim(wish("a", fingerprint="g")) is State.ALTERED
    face.release(first)
    assert face.claim(wish("a", fingerprint="g")) is State.ALTERED
    second = wish("a", lease=LEASE)
    face.claim(second)
    time.sleep(LEASE + 0.1)
    assert face.claim(wish("a", fingerprint="g")) is State.ALTERED
    third = wish("a")
    assert face.claim(third) is State.GRANTED
    face.commit(third)
    assert face.claim(wish("a", fingerprint="g")) is State.ALTERED


def test_what_is_done_is_forgotten_after_its_ttl_and_so_is_its_fingerprint(face: Face) -> None:
    first = wish("a", ttl=LEASE)
    face.claim(first)
    face.commit(first)
    time.sleep(LEASE + 0.1)
    assert face.claim(wish("a", fingerprint="g")) is State.GRANTED


def test_all_keys_are_granted_or_none_is(face: Face) -> None:
    held = wish("b")
    face.claim(held)
    assert face.claim(wish("a", "b", "c")) is State.IN_FLIGHT
    assert face.claim(wish("a", fingerprint="g")) is State.GRANTED
    assert face.claim(wish("c", fingerprint="g")) is State.GRANTED


def test_every_key_of_a_committed_claim_is_done(face: Face) -> None:
    first = wish("a", "b")
    face.claim(first)
    face.commit(first)
    assert face.claim(wish("b", "c")) is State.DONE
    assert face.claim(wish("c", fingerprint="g")) is State.GRANTED


def test_a_zombie_that_lost_one_of_its_keys_can_commit_none(face: Face) -> None:
    zombie = wish("a", "b", lease=LEASE)
    face.claim(zombie)
    time.sleep(LEASE + 0.1)
    other = wish("b")
    face.claim(other)
    assert not face.commit(zombie)
    face.release(zombie)
    assert face.claim(wish("a")) is State.GRANTED
    assert face.claim(wish("b")) is State.IN_FLIGHT
    assert face.commit(other)


@pytest.mark.parametrize("name", store_names())
def test_of_many_equal_claims_at_once_exactly_one_is_granted(name: str) -> None:
    with make_store(name) as store:
        granted: list[int] = []
        failures: list[BaseException] = []

        def work() -> None:
            try:
                granted.extend(number for number in range(40) if store.claim(wish(str(number))).state is State.GRANTED)
            except BaseException as bad:  # noqa: BLE001 - handed to the test
                failures.append(bad)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert sorted(granted) == list(range(40))


@pytest.mark.parametrize("name", store_names())
def test_a_forgotten_delivery_runs_again(name: str) -> None:
    with make_store(name) as store:
        first = wish("a")
        store.claim(first)
        store.commit(first)
        forgetful: Any = store
        assert [forgetful.forget(key("a")), forgetful.forget(key("a"))] == [True, False]
        assert store.claim(wish("a", fingerprint="g")).state is State.GRANTED


@pytest.mark.parametrize("name", [name for name in store_names() if name != "memory"])
def test_operators_see_what_is_remembered_and_can_let_one_delivery_through_again(name: str) -> None:
    with make_store(name) as store:
        store.claim(wish("flying"))
        first = wish("a")
        store.claim(first)
        store.commit(first)
        inspectable: Any = store
        seen = {record.key: record for record in inspectable.inspect()}
        assert set(seen) == {key("a"), key("flying")}
        assert (seen[key("a")].done, seen[key("flying")].done) == (True, False)
        assert seen[key("flying")].leased_until > time.time() > seen[key("a")].leased_until
        assert inspectable.forget(key("a"))
        assert not inspectable.forget(key("a"))
        assert store.claim(wish("a")).state is State.GRANTED
