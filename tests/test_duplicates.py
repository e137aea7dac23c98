"""Duplicates: what runs once, what runs again and what is refused, in every world and on every store."""

from __future__ import annotations

import base64
import logging
import math
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest

from hooklatch import Chain, ConfigError, Delivery, JSONField, Party, Provider, Secret
from hooklatch.errors import StoreUnavailable
from hooklatch.providers import (
    GITHUB,
    MECHANIC,
    MOMENTO,
    SPECKLE_BEFORE_2_12,
    STANDARD_WEBHOOKS,
    STRIPE,
    SVIX,
)
from hooklatch.stores import MemoryStore
from hooklatch.testing import Answered
from hooklatch.types import Claim, Head, Standing, Store
from worlds import NOW, ApplicationError, Endpoint

MakeEndpoint = Callable[..., Endpoint]
Returned = TypeVar("Returned")

SECRET = "the-secret-of-this-route"
OTHER = "another-secret-of-this-route"
THIRD = "the-secret-that-comes-later"
WHSEC = "whsec_" + base64.b64encode(b"twenty-four bytes of key").decode()
HOOK = "/hooks/github"
BODY = b'{"action":"opened"}'
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")


def push(url: str = HOOK, *, body: bytes = BODY, secret: str = SECRET, method: str = "POST") -> Delivery:
    headers = {"x-github-event": "push", "content-type": "application/json"}
    return GITHUB.sign(body, secret=secret, url=url, method=method, headers=headers)


def with_header(delivery: Delivery, name: str, value: str) -> Delivery:
    return delivery._replace(headers={**delivery.headers, name: value})


def without_header(delivery: Delivery, name: str) -> Delivery:
    return delivery._replace(headers={given: value for given, value in delivery.headers.items() if given != name})


def elsewhere(post: Callable[[], Answered]) -> Answered:
    """Post from another thread, as another worker would: this one is busy."""
    with ThreadPoolExecutor(1) as worker:
        return worker.submit(post).result(30)


class Faulty:
    """A store in front of another; the verbs in *before* and *after* fail before or after they have done their work."""

    def __init__(self, store: Store, *, before: tuple[str, ...] = (), after: tuple[str, ...] = ()) -> None:
        self._store = store
        self.before = before
        self.after = after

    def claim(self, claim: Claim, /) -> Standing:
        return self._do("claim", self._store.claim, claim)

    def renew(self, claim: Claim, /) -> bool:
        return self._do("renew", self._store.renew, claim)

    def commit(self, claim: Claim, /) -> bool:
        return self._do("commit", self._store.commit, claim)

    def release(self, claim: Claim, /) -> None:
        self._do("release", self._store.release, claim)

    def _do(self, name: str, verb: Callable[[Claim], Returned], claim: Claim) -> Returned:
        self._fail(name, self.before)
        found = verb(claim)
        self._fail(name, self.after)
        return found

    def _fail(self, name: str, failing: tuple[str, ...]) -> None:
        if name in failing:
            msg = "out of order"
            raise StoreUnavailable(msg)


# Once


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_a_processed_delivery_is_acknowledged_as_a_duplicate_and_not_run_again(
    endpoint: MakeEndpoint, store: Store, status: int
) -> None:
    made = endpoint(routes={HOOK: GITHUB.chain(SECRET)}, store=store, statuses=[status])
    first = made.post(push())
    again = made.post(push())
    assert (first.status, again.status, made.reason, len(made.calls)) == (status, 200, "duplicate", 1)
    assert again.body == b""
    assert MOMENT.fullmatch(again.header("hooklatch-duplicate") or "")
    assert first.header("hooklatch-duplicate") is None


def test_a_first_delivery_says_that_its_duplicates_are_checked(endpoint: MakeEndpoint, store: Store) -> None:
    made = endpoint(routes={HOOK: GITHUB.chain(SECRET)}, store=store)
    made.post(push())
    assert made.last.duplicates == "checked"


def test_another_body_is_another_event(endpoint: MakeEndpoint, store: Store) -> None:
    made = endpoint(routes={HOOK: GITHUB.chain(SECRET)}, store=store)
    assert [made.post(push(body=body)).status for body in (b"{}", b"[]")] == [200, 200]
    assert len(made.calls) == 2


@pytest.mark.parametrize("status", [500, 503, 404, 409, 422, 303, 304])
def test_a_delivery_that_the_application_did_not_accept_runs_again(
    endpoint: MakeEndpoint, store: Store, status: int
) -> None:
    made = endpoint(routes={HOOK: GITHUB.chain(SECRET)}, store=store, statuses=[status, status, 200])
    assert [made.post(push()).status for _ in range(4)] == [status, status, 200, 200]
    assert (made.reason, len(made.calls)) == ("duplicate", 3)


def test_a_delivery_whose_handler_raised_runs_again(endpoint: MakeEndpoint, store: Store) -> None:
    made = endpoint(routes={HOOK: GITHUB.chain(SECRET)}, store=store, statuses=[0, 204])
    with pytest.raises(ApplicationError):
        made.post(push())
    assert [made.post(push()).status for _ in range(2)] == [204, 200]
    assert (made.reason, len(made.calls)) == ("duplicate", 2)


def test_a_delivery_in_flight_is_409_with_retry_after_and_not_run(endpoint: MakeEndpoint, store: Store) -> None:
    made = endpoint(routes={HOOK: GITHUB.chain(SECRET)}, store=store)
    seconds: list[tuple[Answered, str]] = []

    def second() -> None:
        seconds.append((elsewhere(lambda: made.post(push())), made.reason))

    made.during = second
    assert made.post(push()).status == 200
    (answer, reason), *others = seconds
    assert (answer.status, reason, others, len(made.calls)) == (409, "duplicate_in_flight", [], 1)
    assert int(answer.header("retry-after") or 0) > 0


def test_a_failure_of_the_first_attempt_frees_what_was_refused_in_flight(endpoint: MakeEndpoint, store: Store) -> None:
    made = endpoint(routes={HOOK: GITHUB.chain(SECRET)}, store=store, statuses=[500, 200])
    seen: list[int] = []

    def second() -> None:
        made.during = lambda: None
        seen.append(elsewhere(lambda: made.post(push())).status)

    made.during = second
    assert (made.post(push()).status, seen, made.post(push()).status) == (500, [409], 200)


def test_of_many_simultaneous_equal_deliveries_exactly_one_runs(endpoint: MakeEndpoint, store: Store) -> None:
    made = endpoint(routes={HOOK: GITHUB.chain(SECRET)}, store=store)
    made.during = lambda: time.sleep(0.05)
    gate = threading.Barrier(8)

    def post() -> int:
        gate.wait(30)
        return made.post(push()).status

    with ThreadPoolExecutor(8) as workers:
        statuses = [future.result(60) for future in [workers.submit(post) for _ in range(8)]]
    assert len(made.calls) == 1
    assert set(statuses) <= {200, 409}
    assert 200 in statuses


# Altered parts

POST_PUT = GITHUB.chain(SECRET, methods=["POST", "PUT"])
ALTERED = {
    "dispatch header": with_header(push(), "x-github-event", "ping"),
    "dispatch header gone": without_header(push(), "x-github-event"),
    "content type": with_header(push(), "content-type", "application/x-www-form-urlencoded"),
    "content type gone": without_header(push(), "content-type"),
    "query": push(f"{HOOK}?dry=1"),
    "method": push(method="PUT"),
}


@pytest.mark.parametrize("altered", ALTERED.values(), ids=ALTERED.keys())
def test_an_altered_copy_of_a_failed_delivery_is_409_and_the_original_runs_again(
    endpoint: MakeEndpoint, store: Store, altered: Delivery
) -> None:
    made = endpoint(routes={HOOK: POST_PUT}, store=store, statuses=[500, 200])
    assert made.post(push()).status == 500
    assert (made.post(altered).status, made.reason, len(made.calls)) == (409, "duplicate_altered", 1)
    assert (made.post(push()).status, len(made.calls)) == (200, 2)


@pytest.mark.parametrize("altered", ALTERED.values(), ids=ALTERED.keys())
def test_an_altered_copy_of_a_processed_delivery_is_never_a_silent_200(
    endpoint: MakeEndpoint, store: Store, altered: Delivery
) -> None:
    made = endpoint(routes={HOOK: POST_PUT}, store=store)
    assert made.post(push()).status == 200
    assert (made.post(altered).status, made.reason, len(made.calls)) == (409, "duplicate_altered", 1)
    assert (made.post(push()).status, made.reason) == (200, "duplicate")


@pytest.mark.parametrize(
    "headers",
    [{"x-github-delivery": "another"}, {"user-agent": "GitHub-Hookshot/9"}, {"x-request-id": "7"}],
    ids=["delivery id", "agent", "unknown header"],
)
def test_headers_by_which_nobody_decides_leave_a_duplicate_a_duplicate(
    endpoint: MakeEndpoint, store: Store, headers: dict[str, str]
) -> None:
    made = endpoint(routes={HOOK: GITHUB.chain(SECRET)}, store=store)
    made.post(push())
    again = made.post(push()._replace(headers={**push().headers, **headers}))
    assert (again.status, made.reason, len(made.calls)) == (200, "duplicate", 1)


def test_an_edited_unsigned_field_under_a_signature_that_is_good_once_is_altered(
    endpoint: MakeEndpoint, store: Store
) -> None:
    timed = MECHANIC.over("customer", signature="proof", every=60)
    made = endpoint(routes={"/form": timed.chain(SECRET)}, store=store, statuses=[500, 200])
    genuine = timed.sign({"customer": "7", "amount": "10"}, secret=SECRET, at=NOW, url="/form")
    edited = genuine._replace(body=genuine.body.replace(b"amount=10", b"amount=99"))
    assert edited != genuine
    assert made.post(genuine).status == 500
    assert (made.post(edited).status, made.reason) == (409, "duplicate_altered")
    assert (made.post(genuine).status, len(made.calls)) == (200, 2)


def test_an_edited_envelope_around_a_signed_field_is_altered(endpoint: MakeEndpoint, store: Store) -> None:
    made = endpoint(routes={"/old": SPECKLE_BEFORE_2_12.chain(SECRET)}, store=store)
    genuine = SPECKLE_BEFORE_2_12.sign({"payload": "{}", "stream": "a"}, secret=SECRET, url="/old")
    edited = genuine._replace(body=genuine.body.replace(b'"a"', b'"b"'))
    assert edited != genuine
    assert [made.post(genuine).status, made.post(edited).status] == [200, 409]
    assert (made.reason, len(made.calls)) == ("duplicate_altered", 1)


# What burns nothing


@pytest.mark.parametrize("record", [STANDARD_WEBHOOKS, SVIX, STRIPE], ids=lambda record: record.name)
def test_a_forged_delivery_burns_no_id(endpoint: MakeEndpoint, store: Store, record: Provider) -> None:
    made = endpoint(routes={"/in": record.chain(WHSEC)}, store=store)
    wrong = "whsec_" + base64.b64encode(b"not the key of that sender").decode()
    forged, genuine = (event(record, secret=secret) for secret in (wrong, WHSEC))
    assert [made.post(forged).status for _ in range(2)] == [401, 401]
    assert made.reason == "signature_mismatch"
    assert (made.post(genuine).status, len(made.calls)) == (200, 1)


@pytest.mark.parametrize("record", [STANDARD_WEBHOOKS, SVIX, STRIPE], ids=lambda record: record.name)
@pytest.mark.parametrize(
    ("moment", "reason"), [(NOW - 301, "timestamp_expired"), (NOW + 301, "timestamp_in_future")], ids=["stale", "early"]
)
def test_a_delivery_out_of_time_burns_no_id(
    endpoint: MakeEndpoint, store: Store, record: Provider, moment: float, reason: str
) -> None:
    made = endpoint(routes={"/in": record.chain(WHSEC)}, store=store)
    assert (made.post(event(record, at=moment)).status, made.reason) == (401, reason)
    assert (made.post(event(record)).status, len(made.calls)) == (200, 1)


def test_a_forged_delivery_burns_no_signed_content(endpoint: MakeEndpoint, store: Store) -> None:
    made = endpoint(routes={HOOK: GITHUB.chain(SECRET)}, store=store)
    assert made.post(push(secret=OTHER)).status == 401
    assert (made.post(push()).status, len(made.calls)) == (200, 1)


def test_a_captured_live_delivery_sent_as_a_test_is_not_used_up(endpoint: MakeEndpoint, store: Store) -> None:
    made = endpoint(routes={"/m": MOMENTO.chain(SECRET, test_agents=["QA/*"])}, store=store)
    live = MOMENTO.sign({"text": "hello"}, secret=SECRET, at=NOW, url="/m")
    assert (made.post(with_header(live, "user-agent", "QA/1")).status, made.reason) == (200, "diverted")
    assert (made.post(live).status, len(made.calls)) == (200, 1)


def test_marked_test_traffic_claims_in_a_namespace_of_its_own(endpoint: MakeEndpoint, store: Store) -> None:
    made = endpoint(routes={"/m": MOMENTO.chain(SECRET, test_agents=["QA/*"], on_test="mark")}, store=store)
    live = MOMENTO.sign({"text": "hello"}, secret=SECRET, at=NOW, url="/m")
    test = with_header(live, "user-agent", "QA/1")
    assert [made.post(delivery).status for delivery in (test, live, test, live)] == [200] * 4
    assert [seen.webhook is not None and seen.webhook.test for seen in made.calls] == [True, False]


def test_the_holder_of_a_test_secret_cannot_burn_a_live_id(endpoint: MakeEndpoint, store: Store) -> None:
    chain = STANDARD_WEBHOOKS.chain([WHSEC, Secret(OTHER.encode(), test=True)], on_test="mark")
    made = endpoint(routes={"/in": chain}, store=store)
    test = STANDARD_WEBHOOKS.sign(b"{}", secret=OTHER.encode(), id="evt_1", at=NOW, url="/in")
    assert [made.post(delivery).status for delivery in (test, event(STANDARD_WEBHOOKS))] == [200, 200]
    assert len(made.calls) == 2


# Namespaces


def event(
    record: Provider, url: str = "/in", *, at: float = NOW, secret: str = WHSEC, name: str = "evt_1", text: str = "a"
) -> Delivery:
    body = f'{{"id":"{name}","text":"{text}"}}'.encode()
    return record.sign(body, secret=secret, at=at, id=None if isinstance(record.id, JSONField) else name, url=url)


def test_one_id_at_two_providers_is_two_events(endpoint: MakeEndpoint, store: Store) -> None:
    routes = {"/svix": SVIX.chain(WHSEC), "/standard": STANDARD_WEBHOOKS.chain(WHSEC)}
    made = endpoint(routes=routes, store=store)
    assert made.post(event(SVIX, "/svix")).status == 200
    assert made.post(event(STANDARD_WEBHOOKS, "/standard")).status == 200
    assert len(made.calls) == 2


def test_one_id_at_the_next_provider_of_a_route_is_another_event(endpoint: MakeEndpoint, store: Store) -> None:
    for record in (SVIX, STANDARD_WEBHOOKS):
        made = endpoint(routes={"/in": record.chain(WHSEC)}, store=store)
        assert (made.post(event(record)).status, len(made.calls)) == (200, 1)


def test_one_id_at_two_routes_is_two_events(endpoint: MakeEndpoint, store: Store) -> None:
    made = endpoint(routes={"/a": SVIX.chain(WHSEC), "/b": SVIX.chain(WHSEC)}, store=store)
    assert [made.post(event(SVIX, url)).status for url in ("/a", "/b", "/a")] == [200, 200, 200]
    assert (made.reason, len(made.calls)) == ("duplicate", 2)


def test_one_id_of_two_parties_is_two_events(endpoint: MakeEndpoint, store: Store) -> None:
    def find(head: Head) -> Party:
        return Party(head.path.rpartition("/")[2], WHSEC)

    made = endpoint(routes={"/in/*": SVIX.chain(find)}, store=store)
    assert [made.post(event(SVIX, url)).status for url in ("/in/ann", "/in/bob", "/in/ann")] == [200, 200, 200]
    assert ([seen.path for seen in made.calls], made.reason) == (["/in/ann", "/in/bob"], "duplicate")


@pytest.mark.parametrize("again", ["/hooks/b", "/hooks/a/", "/hooks/a/b/c", "/hooks", "/hooks/"])
def test_below_a_prefix_route_another_path_makes_no_delivery_new(
    endpoint: MakeEndpoint, store: Store, again: str
) -> None:
    made = endpoint(routes={"/hooks/*": GITHUB.chain(SECRET)}, store=store)
    assert made.post(push("/hooks/a")).status == 200
    assert (made.post(push(again)).status, made.reason, len(made.calls)) == (200, "duplicate", 1)


def test_a_slash_at_the_end_makes_no_delivery_new(endpoint: MakeEndpoint, store: Store) -> None:
    made = endpoint(routes={HOOK: GITHUB.chain(SECRET)}, store=store)
    assert [made.post(push(url)).status for url in (HOOK, f"{HOOK}/")] == [200, 200]
    assert (made.reason, len(made.calls)) == ("duplicate", 1)


def test_a_named_chain_keeps_its_memory_when_its_route_is_renamed(endpoint: MakeEndpoint, store: Store) -> None:
    before = endpoint(routes={"/old": GITHUB.chain(SECRET, name="pushes")}, store=store)
    after = endpoint(routes={"/new/*": GITHUB.chain(SECRET, name="pushes")}, store=store)
    assert before.post(push("/old")).status == 200
    assert (after.post(push("/new/place")).status, after.reason, len(after.calls)) == (200, "duplicate", 0)


def test_chains_of_two_names_remember_apart(endpoint: MakeEndpoint, store: Store) -> None:
    for name in ("pushes", "pulls"):
        made = endpoint(routes={HOOK: GITHUB.chain(SECRET, name=name)}, store=store)
        assert (made.post(push()).status, len(made.calls)) == (200, 1)


# Rotation

ROTATIONS: dict[str, tuple[list[str | bytes], list[str | bytes]]] = {
    "a newer one is added": ([SECRET], [OTHER, SECRET]),
    "an older one is added": ([SECRET], [SECRET, OTHER]),
    "they are reordered": ([SECRET, OTHER], [OTHER, SECRET]),
    "the newest is dropped": ([OTHER, SECRET], [SECRET]),
    "the oldest is dropped": ([SECRET, OTHER], [SECRET]),
    "the newest is replaced": ([OTHER, SECRET], [THIRD, SECRET]),
    "the oldest is replaced": ([SECRET, OTHER], [SECRET, THIRD]),
    "one is dropped, two are added": ([OTHER, SECRET], [b"a-fourth-secret-of-all", THIRD, SECRET]),
}


@pytest.mark.parametrize(("before", "after"), ROTATIONS.values(), ids=ROTATIONS.keys())
def test_a_seen_delivery_stays_seen_when(
    endpoint: MakeEndpoint, store: Store, before: list[str | bytes], after: list[str | bytes]
) -> None:
    first, second = (endpoint(routes={HOOK: GITHUB.chain(secrets)}, store=store) for secrets in (before, after))
    assert first.post(push()).status == 200
    assert (second.post(push()).status, second.reason, len(second.calls)) == (200, "duplicate", 0)


@pytest.mark.parametrize(("before", "after"), ROTATIONS.values(), ids=ROTATIONS.keys())
def test_a_failed_delivery_stays_pinned_when(
    endpoint: MakeEndpoint, store: Store, before: list[str | bytes], after: list[str | bytes]
) -> None:
    first = endpoint(routes={HOOK: GITHUB.chain(before)}, store=store, statuses=[500])
    second = endpoint(routes={HOOK: GITHUB.chain(after)}, store=store)
    assert first.post(push()).status == 500
    assert (second.post(ALTERED["dispatch header"]).status, second.reason) == (409, "duplicate_altered")
    assert (second.post(push()).status, len(second.calls)) == (200, 1)


def test_a_retry_signed_with_the_other_secret_is_a_duplicate(endpoint: MakeEndpoint, store: Store) -> None:
    made = endpoint(routes={HOOK: GITHUB.chain([OTHER, SECRET])}, store=store)
    assert [made.post(push(secret=secret)).status for secret in (SECRET, OTHER)] == [200, 200]
    assert (made.reason, len(made.calls)) == ("duplicate", 1)


def test_a_retry_signed_with_the_other_secret_is_a_duplicate_after_the_first_was_dropped(
    endpoint: MakeEndpoint, store: Store
) -> None:
    both = endpoint(routes={HOOK: GITHUB.chain([OTHER, SECRET])}, store=store)
    one = endpoint(routes={HOOK: GITHUB.chain([OTHER])}, store=store)
    assert both.post(push(secret=SECRET)).status == 200
    assert (one.post(push(secret=OTHER)).status, one.reason, len(one.calls)) == (200, "duplicate", 0)


def test_a_delivery_signed_with_a_dropped_secret_is_refused_and_not_new(endpoint: MakeEndpoint, store: Store) -> None:
    both = endpoint(routes={HOOK: GITHUB.chain([OTHER, SECRET])}, store=store)
    one = endpoint(routes={HOOK: GITHUB.chain([OTHER])}, store=store)
    assert both.post(push()).status == 200
    assert (one.post(push()).status, one.reason, len(one.calls)) == (401, "signature_mismatch", 0)


@pytest.mark.parametrize("kept", [0, 1], ids=["the first", "the second"])
@pytest.mark.parametrize("secrets", [[SECRET, OTHER], [SECRET], [OTHER]], ids=["both known", "first", "second"])
@pytest.mark.parametrize("key", ["id", "signed"])
def test_dropping_one_of_two_offered_signatures_makes_no_delivery_new(
    endpoint: MakeEndpoint, store: Store, kept: int, secrets: list[str], key: str
) -> None:
    chain = STRIPE.chain(secrets, duplicate_key="signed" if key == "signed" else "id")
    made = endpoint(routes={"/in": chain}, store=store)
    signed = [event(STRIPE, secret=secret).headers["stripe-signature"] for secret in (SECRET, OTHER)]
    offers = [header.partition(",")[2] for header in signed]
    stamp = signed[0].partition(",")[0]
    two = with_header(event(STRIPE), "stripe-signature", ",".join([stamp, *offers]))
    one = with_header(two, "stripe-signature", f"{stamp},{offers[kept]}")
    assert made.post(two).status == 200
    answer = made.post(one)
    expected = (200, "duplicate") if (SECRET, OTHER)[kept] in secrets else (401, "signature_mismatch")
    assert ((answer.status, made.reason), len(made.calls)) == (expected, 1)


# What a delivery is called


@pytest.mark.parametrize("record", [STANDARD_WEBHOOKS, SVIX, STRIPE], ids=lambda record: record.name)
def test_a_retry_signed_anew_with_a_new_time_is_a_duplicate_by_its_id(
    endpoint: MakeEndpoint, store: Store, record: Provider
) -> None:
    made = endpoint(routes={"/in": record.chain(WHSEC)}, store=store)
    first = event(record)
    made.clock.advance(120)
    again = event(record, at=made.clock())
    assert again.headers != first.headers
    assert [made.post(delivery).status for delivery in (first, again)] == [200, 200]
    assert (made.reason, len(made.calls)) == ("duplicate", 1)


def test_another_id_with_the_same_body_is_another_event(endpoint: MakeEndpoint, store: Store) -> None:
    made = endpoint(routes={"/in": SVIX.chain(WHSEC)}, store=store)
    for name in ("evt_1", "evt_2"):
        assert made.post(SVIX.sign(b"{}", secret=WHSEC, at=NOW, id=name, url="/in")).status == 200
    assert len(made.calls) == 2


def test_without_an_id_in_its_body_a_delivery_is_known_by_its_signed_content(
    endpoint: MakeEndpoint, store: Store
) -> None:
    made = endpoint(routes={"/in": STRIPE.chain(SECRET)}, store=store)
    bare = STRIPE.sign(b"no json at all", secret=SECRET, at=NOW, url="/in")
    assert [made.post(bare).status for _ in range(2)] == [200, 200]
    assert (made.reason, len(made.calls)) == ("duplicate", 1)


@pytest.mark.parametrize(
    ("chain", "runs"),
    [
        (STRIPE.chain(WHSEC, duplicate_key="id"), 1),
        (STRIPE.chain(WHSEC, duplicate_key="body"), 1),
        (STRIPE.chain(WHSEC, duplicate_key="signed"), 2),
    ],
    ids=["id", "body", "signed"],
)
def test_duplicate_key_decides_whether_a_retry_with_a_new_time_is_the_same(
    endpoint: MakeEndpoint, store: Store, chain: Chain, runs: int
) -> None:
    made = endpoint(routes={"/in": chain}, store=store)
    assert [made.post(event(STRIPE, at=moment)).status for moment in (NOW, NOW - 9, NOW - 9)] == [200, 200, 200]
    assert (made.reason, len(made.calls)) == ("duplicate", runs)


@pytest.mark.parametrize(
    ("chain", "runs"),
    [(SVIX.chain(WHSEC, duplicate_key="id"), 1), (SVIX.chain(WHSEC, duplicate_key="body"), 2)],
    ids=["id", "body"],
)
def test_duplicate_key_decides_whether_another_body_under_one_id_is_the_same(
    endpoint: MakeEndpoint, store: Store, chain: Chain, runs: int
) -> None:
    made = endpoint(routes={"/in": chain}, store=store)
    assert [made.post(event(SVIX, text=text)).status for text in ("a", "b")] == [200, 200]
    assert len(made.calls) == runs


def test_under_a_reusable_proof_the_body_is_what_a_delivery_is_called(endpoint: MakeEndpoint, store: Store) -> None:
    made = endpoint(routes={"/form": MECHANIC.chain(SECRET)}, store=store)
    forms = [
        MECHANIC.sign({"customer_id": "7", "note": note}, secret=SECRET, url="/form") for note in ("one", "two", "one")
    ]
    assert [made.post(form).status for form in forms] == [200, 200, 200]
    assert (made.reason, len(made.calls)) == ("duplicate", 2)


@pytest.mark.parametrize(
    ("record", "options", "words"),
    [
        (GITHUB, {"duplicate_key": "id"}, "signed event id"),
        (MOMENTO, {"duplicate_key": "id"}, "signed event id"),
        (GITHUB, {"duplicate_key": "event"}, "duplicate_key='event'"),
        (GITHUB, {"duplicate_key": None}, "duplicate_key=None"),
        (SPECKLE_BEFORE_2_12, {"duplicate_key": "body"}, "duplicate_key='body'"),
        (MECHANIC.over("customer", signature="proof", every=60), {"duplicate_key": "body"}, "duplicate_key='body'"),
        (GITHUB, {"on_duplicate": "ignore"}, "on_duplicate='ignore'"),
        (STRIPE, {"duplicate_ttl": 599}, "duplicate_ttl=599"),
        (GITHUB, {"duplicate_ttl": 0}, "duplicate_ttl=0"),
        (GITHUB, {"duplicate_ttl": math.inf}, "duplicate_ttl=inf"),
        (GITHUB, {"duplicate_ttl": math.nan}, "duplicate_ttl=nan"),
        (GITHUB, {"duplicate_ttl": "600"}, "duplicate_ttl='600'"),
        (GITHUB, {"lease": 0}, "lease=0"),
        (GITHUB, {"lease": True}, "lease=True"),
    ],
    ids=lambda value: value.name if isinstance(value, Provider) else str(value),
)
def test_memory_that_could_not_work_is_a_config_error(record: Provider, options: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)):
        record.chain(SECRET, **options)


def test_a_memory_as_long_as_a_signature_stays_good_is_accepted() -> None:
    assert STRIPE.chain(SECRET, duplicate_ttl=600).duplicate_ttl == 600


@pytest.mark.parametrize("record", [GITHUB, STRIPE, SVIX, MOMENTO, MECHANIC], ids=lambda record: record.name)
def test_a_delivery_is_remembered_as_long_as_the_sender_retries_and_a_signature_is_good(record: Provider) -> None:
    chain = record.chain(WHSEC)
    window = (record.max_age + record.max_skew) if record.max_age else 0
    assert chain.duplicate_ttl >= max(window, record.retries, chain.protect)


# on_duplicate


def test_on_duplicate_reject_answers_409(endpoint: MakeEndpoint, store: Store) -> None:
    made = endpoint(routes={HOOK: GITHUB.chain(SECRET, on_duplicate="reject")}, store=store)
    assert [made.post(push()).status for _ in range(3)] == [200, 409, 409]
    assert len(made.calls) == 1
    assert MOMENT.fullmatch(made.post(push()).header("hooklatch-duplicate") or "")


def test_on_duplicate_run_calls_the_application_every_time(endpoint: MakeEndpoint, store: Store) -> None:
    made = endpoint(routes={HOOK: GITHUB.chain(SECRET, on_duplicate="run")}, store=store)
    assert [made.post(push()).status for _ in range(3)] == [200, 200, 200]
    assert (len(made.calls), made.last.duplicates) == (3, "unchecked")


def test_a_sender_whose_equal_deliveries_are_normal_runs_by_default(endpoint: MakeEndpoint, store: Store) -> None:
    normal = GITHUB.using(name="normal", repeats="normal")
    made = endpoint(routes={HOOK: normal.chain(SECRET)}, store=store)
    assert [made.post(push()).status for _ in range(2)] == [200, 200]
    assert len(made.calls) == 2


# A store that fails


def test_a_store_that_is_down_at_the_claim_is_503_with_retry_after(endpoint: MakeEndpoint, store: Store) -> None:
    faulty = Faulty(store, before=("claim",))
    made = endpoint(routes={HOOK: GITHUB.chain(SECRET)}, store=faulty)
    down = made.post(push())
    assert (down.status, made.reason, len(made.calls)) == (503, "store_unavailable", 0)
    assert int(down.header("retry-after") or 0) > 0
    faulty.before = ()
    assert (made.post(push()).status, len(made.calls)) == (200, 1)


def test_a_store_that_is_down_for_good_is_503_and_nothing_worse(endpoint: MakeEndpoint, store: Store) -> None:
    made = endpoint(routes={HOOK: GITHUB.chain(SECRET)}, store=Faulty(store, before=("claim", "release")))
    assert (made.post(push()).status, made.reason) == (503, "store_unavailable")


def test_a_commit_that_fails_leaves_the_answer_and_is_logged(
    endpoint: MakeEndpoint, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    made = endpoint(routes={HOOK: GITHUB.chain(SECRET)}, store=Faulty(store, before=("commit",)), statuses=[201])
    answer = made.post(push())
    assert (answer.status, answer.body) == (201, b"from the application")
    assert [r.levelno for r in caplog.records if "commit_failed" in r.message] == [logging.ERROR]


def test_a_delivery_whose_commit_failed_does_not_run_at_once_again(endpoint: MakeEndpoint, store: Store) -> None:
    made = endpoint(routes={HOOK: GITHUB.chain(SECRET)}, store=Faulty(store, before=("commit",)))
    assert made.post(push()).status == 200
    made.post(push())
    assert (made.reason in {"duplicate", "duplicate_in_flight"}, len(made.calls)) == (True, 1)


def test_a_release_that_fails_leaves_the_answer_and_is_logged(
    endpoint: MakeEndpoint, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    made = endpoint(routes={HOOK: GITHUB.chain(SECRET)}, store=Faulty(store, before=("release",)), statuses=[422])
    answer = made.post(push())
    assert (answer.status, answer.body) == (422, b"from the application")
    assert "release_failed" in caplog.text


def test_a_release_that_fails_hides_no_exception_of_the_application(endpoint: MakeEndpoint, store: Store) -> None:
    made = endpoint(routes={HOOK: GITHUB.chain(SECRET)}, store=Faulty(store, before=("release",)), statuses=[0])
    with pytest.raises(ApplicationError):
        made.post(push())


def test_a_claim_whose_answer_was_lost_is_given_back(endpoint: MakeEndpoint, store: Store) -> None:
    faulty = Faulty(store, after=("claim",))
    made = endpoint(routes={HOOK: GITHUB.chain(SECRET)}, store=faulty)
    assert (made.post(push()).status, len(made.calls)) == (503, 0)
    faulty.after = ()
    assert (made.post(push()).status, len(made.calls)) == (200, 1)


def test_a_claim_that_another_holds_survives_a_lost_answer(endpoint: MakeEndpoint, store: Store) -> None:
    made = endpoint(routes={HOOK: GITHUB.chain(SECRET)}, store=store)
    unlucky = endpoint(routes={HOOK: GITHUB.chain(SECRET)}, store=Faulty(store, after=("claim",)))
    seen: list[int] = []

    def meanwhile() -> None:
        seen.append(elsewhere(lambda: unlucky.post(push())).status)
        seen.append(elsewhere(lambda: made.post(push())).status)

    made.during = meanwhile
    assert (made.post(push()).status, seen, len(made.calls)) == (200, [503, 409], 1)


def test_a_full_store_is_503_and_the_application_is_not_called(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={HOOK: GITHUB.chain(SECRET)}, store=MemoryStore(limit=1))
    assert [made.post(push(body=body)).status for body in (b"{}", b"[]")] == [200, 503]
    assert (made.reason, len(made.calls)) == ("store_unavailable", 1)


@pytest.mark.parametrize(
    "given", [None, object(), {}, "nosuch://", "memory"], ids=["none", "object", "dict", "unknown url", "no url"]
)
def test_what_is_no_store_is_a_config_error(endpoint: MakeEndpoint, given: object) -> None:
    with pytest.raises(ConfigError, match="store"):
        endpoint(routes={HOOK: GITHUB.chain(SECRET)}, store=given)
