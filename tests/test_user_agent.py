"""User-agent routing: an agent is the sender's own word, and leads only to a narrower place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from hooklatch import ConfigError, NotProven, Party, Provider, Secret, get_webhook
from hooklatch.providers import GITHUB, MOMENTO, SPECKLE, STRIPE
from hooklatch.stores import MemoryStore
from hooklatch.testing import Request
from hooklatch.types import Claim, Delivery, Head, Standing, Store
from worlds import NOW, Endpoint

MakeEndpoint = Callable[..., Endpoint]

SECRET = "correct-horse-battery-staple"
QA = "the-weaker-secret-of-qa-0001"
TESTS = ["Test Harness/*", "curl"]
HARNESS = "Test Harness/1.2"
LIVE = {"momento": MOMENTO.agents[0], "github": "GitHub-Hookshot/044aadd"}
BODY = b'{"text":"hello"}'


def sent(
    agent: str | None, secret: str = SECRET, *, record: Provider = MOMENTO, at: float = NOW, **kw: Any
) -> Delivery:
    made = record.sign(kw.pop("body", BODY), secret=secret, at=at, url=kw.pop("url", "/hook"), headers={}, **kw)
    headers = {name: value for name, value in made.headers.items() if name != "user-agent"}
    return made._replace(headers=headers if agent is None else {**headers, "user-agent": agent})


def live(secret: str = SECRET, *, record: Provider = MOMENTO, **kw: Any) -> Delivery:
    return sent(LIVE[record.name], secret, record=record, **kw)


def with_agent(delivery: Delivery, agent: str) -> Delivery:
    return delivery._replace(headers={**delivery.headers, "user-agent": agent})


def routed(endpoint: MakeEndpoint, secrets: Any = SECRET, *, record: Provider = MOMENTO, **options: Any) -> Endpoint:
    settings = {"store": options.pop("store")} if "store" in options else {}
    return endpoint(routes={"/hook": record.chain(secrets, **{"test_agents": TESTS, **options})}, **settings)


def assert_diverted(app: Endpoint, request: Delivery | Request, *, after: int = 0) -> None:
    answer = app.post(request)
    assert (answer.status, answer.body, app.reason, len(app.calls)) == (200, b"", "diverted", after)
    assert answer.header("cache-control") == "no-store"


def assert_not_allowed(app: Endpoint, request: Delivery | Request) -> None:
    answer = app.post(request)
    assert (answer.status, app.reason, app.calls) == (403, "user_agent_not_allowed", [])


class Counting(MemoryStore):
    """A store that notes what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.claims: list[Claim] = []

    def claim(self, claim: Claim, /) -> Standing:
        self.claims.append(claim)
        return super().claim(claim)


# Which agents are test agents.


@pytest.mark.parametrize("agent", ["Test Harness/1.2", "Test Harness/", "Test Harness/2 (a; b)", "curl", " curl\t"])
def test_a_test_agent_is_acknowledged_and_nothing_runs(endpoint: MakeEndpoint, agent: str) -> None:
    assert_diverted(routed(endpoint), sent(agent))


@pytest.mark.parametrize(
    "agent",
    [
        LIVE["momento"],
        "Test Harness",
        "test harness/1.2",
        "My Test Harness/1.2",
        "curl/8.5",
        "Curl",
        "xcurl",
        "*",
        "Test Harness*",
        "",
        None,
    ],
    ids=repr,
)
def test_what_only_resembles_a_test_agent_is_live(endpoint: MakeEndpoint, agent: str | None) -> None:
    app = routed(endpoint)
    assert app.post(sent(agent)).status == 200
    assert app.last.test is False


def test_without_test_agents_a_test_agent_is_live(endpoint: MakeEndpoint) -> None:
    app = endpoint(routes={"/hook": MOMENTO.chain(SECRET)})
    assert app.post(sent(HARNESS)).status == 200
    assert app.last.test is False


@pytest.mark.parametrize("agents", [[HARNESS], ["Test Harness/*"]], ids=["exact", "prefix"])
@pytest.mark.parametrize("lines", [(HARNESS, LIVE["momento"]), (LIVE["momento"], HARNESS), (HARNESS, HARNESS)])
def test_a_repeated_agent_is_no_test(endpoint: MakeEndpoint, agents: list[str], lines: tuple[str, str]) -> None:
    app = routed(endpoint, test_agents=agents)
    delivery = sent(None)
    headers = [*delivery.headers.items(), *(("user-agent", line) for line in lines)]
    assert app.post(Request("POST", "/hook", headers, delivery.body)).status == 200
    assert (app.reason, len(app.calls)) == ("", 1)
    assert app.last.test is False


BAD_PATTERNS: dict[str, Any] = {
    "one text": "Test Harness/*",
    "empty": [""],
    "a star alone": ["*"],
    "two stars": ["**"],
    "a star inside": ["Test*Harness"],
    "a star before": ["*Harness"],
    "two stars at the end": ["Harness**"],
    "None": [None],
    "bytes": [b"curl"],
    "a number": ["curl", 5],
}


@pytest.mark.parametrize("patterns", BAD_PATTERNS.values(), ids=BAD_PATTERNS)
def test_a_bad_pattern_is_refused_at_the_start(patterns: Any) -> None:
    with pytest.raises(ConfigError, match="test_agents"):
        MOMENTO.chain(SECRET, test_agents=patterns)


@pytest.mark.parametrize("patterns", BAD_PATTERNS.values(), ids=BAD_PATTERNS)
def test_a_bad_pattern_in_a_record_is_refused_at_the_start(patterns: Any) -> None:
    with pytest.raises(ConfigError, match="agents"):
        MOMENTO.using(agents=patterns).chain(SECRET)


@pytest.mark.parametrize("option", ["on_test", "other_agents"])
@pytest.mark.parametrize("word", ["", "ignore", "ACKNOWLEDGE", None, True], ids=repr)
def test_an_unknown_word_is_refused_at_the_start(option: str, word: Any) -> None:
    options: Any = {option: word}
    with pytest.raises(ConfigError, match=option):
        MOMENTO.chain(SECRET, test_agents=TESTS, **options)


# A test agent weakens nothing.


def test_a_wrong_signature_is_refused_whatever_the_agent(endpoint: MakeEndpoint) -> None:
    app = routed(endpoint)
    live_answer = app.post(live("another secret altogether"))
    assert app.reason == "signature_mismatch"
    assert app.post(sent(HARNESS, "another secret altogether")) == live_answer
    assert (app.reason, app.calls) == ("signature_mismatch", [])


REFUSED_ANYHOW: dict[str, tuple[Callable[[Delivery], Delivery], str]] = {
    "no signature": (
        lambda d: d._replace(headers={k: v for k, v in d.headers.items() if k != "momento-signature"}),
        "signature_missing",
    ),
    "malformed": (lambda d: d._replace(headers={**d.headers, "momento-signature": "zz"}), "signature_malformed"),
    "another body": (lambda d: d._replace(body=d.body + b" "), "signature_mismatch"),
    "another method": (lambda d: d._replace(method="PUT"), "method_not_allowed"),
}


@pytest.mark.parametrize(("change", "reason"), REFUSED_ANYHOW.values(), ids=REFUSED_ANYHOW)
@pytest.mark.parametrize("on_test", ["acknowledge", "mark"])
def test_a_test_agent_excuses_nothing(
    endpoint: MakeEndpoint, change: Callable[[Delivery], Delivery], reason: str, on_test: str
) -> None:
    app = routed(endpoint, on_test=on_test)
    assert app.post(change(sent(HARNESS))).status >= 400
    assert (app.reason, app.calls) == (reason, [])


@pytest.mark.parametrize("on_test", ["acknowledge", "mark"])
@pytest.mark.parametrize(("at", "reason"), [(NOW - 61, "timestamp_expired"), (NOW + 61, "timestamp_in_future")])
def test_the_age_is_judged_before_the_agent(endpoint: MakeEndpoint, on_test: str, at: float, reason: str) -> None:
    app = routed(endpoint, on_test=on_test)
    assert app.post(sent(HARNESS, at=at)).status == 403
    assert (app.reason, app.calls) == (reason, [])


# Acknowledged and marked test traffic.


def test_acknowledged_test_traffic_takes_no_claim(endpoint: MakeEndpoint) -> None:
    store = Counting()
    app = routed(endpoint, store=store)
    assert_diverted(app, sent(HARNESS))
    assert_diverted(app, sent(HARNESS))
    assert store.claims == []
    assert app.post(live()).status == 200
    assert len(store.claims) == 1


def test_a_captured_live_delivery_under_a_test_agent_does_not_burn_the_senders_retry(
    endpoint: MakeEndpoint, store: Store
) -> None:
    app = routed(endpoint, store=store)
    genuine = live()
    assert_diverted(app, with_agent(genuine, HARNESS))
    assert app.post(genuine).status == 200
    assert (app.reason, len(app.calls)) == ("", 1)


def test_marked_test_traffic_claims_apart_from_live_traffic(endpoint: MakeEndpoint, store: Store) -> None:
    app = routed(endpoint, store=store, on_test="mark")
    genuine = live()
    replayed = with_agent(genuine, HARNESS)
    for request, marked in ((replayed, True), (genuine, False)):
        assert app.post(request).status == 200
        assert (app.reason, app.last.test) == ("", marked)
    for request in (replayed, genuine):
        assert app.post(request).status == 200
        assert (app.reason, len(app.calls)) == ("duplicate", 2)


def test_failed_test_traffic_gives_back_its_own_claim_only(endpoint: MakeEndpoint, store: Store) -> None:
    chain = MOMENTO.chain(SECRET, test_agents=TESTS, on_test="mark")
    app = endpoint(routes={"/hook": chain}, store=store, statuses=[200, 500, 200])
    genuine = live()
    replayed = with_agent(genuine, HARNESS)
    assert [app.post(request).status for request in (genuine, replayed, replayed, genuine)] == [200, 500, 200, 200]
    assert (app.reason, len(app.calls)) == ("duplicate", 3)


def test_a_handler_sees_marked_test_traffic_only_if_it_says_so(endpoint: MakeEndpoint) -> None:
    app = routed(endpoint, on_test="mark")
    app.post(sent(HARNESS))
    scope = {"type": "http", "method": "POST", "path": "/hook", "state": {"webhook": app.last}}
    with pytest.raises(NotProven, match="allow_test"):
        get_webhook(scope)
    assert get_webhook(scope, allow_test=True) is app.last
    app.post(live(body=b'{"text":"live"}'))
    assert get_webhook({**scope, "state": {"webhook": app.last}}).test is False


# With a test secret the key decides.

KEYED: list[str | Secret] = [SECRET, Secret(QA, test=True)]


@pytest.mark.parametrize("record", [MOMENTO, GITHUB], ids=lambda r: r.name)
@pytest.mark.parametrize("agents", [TESTS, []], ids=["test agents", "no test agents"])
@pytest.mark.parametrize("agent", ["live", HARNESS, "something else", None])
def test_what_a_test_key_signed_is_a_test_whatever_the_agent(
    endpoint: MakeEndpoint, record: Provider, agents: Sequence[str], agent: str | None
) -> None:
    app = routed(endpoint, KEYED, record=record, test_agents=agents)
    assert_diverted(app, sent(LIVE[record.name] if agent == "live" else agent, QA, record=record))


def test_what_a_test_key_signed_is_marked_under_a_live_agent(endpoint: MakeEndpoint) -> None:
    app = routed(endpoint, KEYED, on_test="mark")
    assert app.post(live(QA)).status == 200
    assert (app.last.test, app.last.key_index) == (True, 1)
    assert app.post(live(body=b'{"text":"live"}')).status == 200
    assert (app.last.test, app.last.key_index) == (False, 0)


@pytest.mark.parametrize("record", [MOMENTO, GITHUB], ids=lambda r: r.name)
@pytest.mark.parametrize("on_test", ["acknowledge", "mark"])
def test_a_test_agent_under_a_live_key_is_not_allowed(endpoint: MakeEndpoint, record: Provider, on_test: str) -> None:
    app = routed(endpoint, KEYED, record=record, on_test=on_test)
    assert_not_allowed(app, sent(HARNESS, record=record))
    assert app.post(live(record=record)).status == 200
    assert app.last.test is False


def test_a_refused_agent_takes_no_claim(endpoint: MakeEndpoint) -> None:
    store = Counting()
    app = routed(endpoint, KEYED, store=store)
    assert_not_allowed(app, sent(HARNESS))
    assert store.claims == []
    assert app.post(live()).status == 200


def test_a_captured_test_delivery_stays_a_test_under_a_live_agent(endpoint: MakeEndpoint) -> None:
    app = routed(endpoint, KEYED, record=GITHUB)
    captured = sent(HARNESS, QA, record=GITHUB)
    assert_diverted(app, captured)
    assert_diverted(app, with_agent(captured, LIVE["github"]))


def test_the_same_body_under_the_live_and_the_test_key_is_two_events(endpoint: MakeEndpoint, store: Store) -> None:
    app = routed(endpoint, KEYED, record=GITHUB, store=store, on_test="mark")
    for secret, marked in ((QA, True), (SECRET, False)):
        assert app.post(live(secret, record=GITHUB)).status == 200
        assert (app.reason, app.last.test) == ("", marked)
    for secret in (QA, SECRET):
        app.post(live(secret, record=GITHUB))
        assert (app.reason, len(app.calls)) == ("duplicate", 2)


def test_an_expired_test_key_still_leaves_the_decision_to_the_keys(endpoint: MakeEndpoint) -> None:
    expired = Secret(QA, test=True, not_after=datetime(2020, 1, 1, tzinfo=UTC))
    app = routed(endpoint, [SECRET, expired])
    assert_not_allowed(app, sent(HARNESS))
    assert app.post(live(QA)).status == 403
    assert app.reason == "signature_mismatch"


def test_a_test_key_of_one_party_decides_for_that_party_only(endpoint: MakeEndpoint) -> None:
    def find(head: Head) -> Party:
        return Party("keyed", KEYED) if head.path == "/hooks/keyed" else Party("plain", SECRET)

    app = endpoint(routes={"/hooks/*": MOMENTO.chain(find, test_agents=TESTS)})
    assert_not_allowed(app, sent(HARNESS, url="/hooks/keyed"))
    assert_diverted(app, live(QA, url="/hooks/keyed"))
    assert_diverted(app, sent(HARNESS, url="/hooks/plain"))
    assert app.post(live(QA, url="/hooks/plain")).status == 403
    assert app.reason == "signature_mismatch"


# Agents that are neither the sender's nor test agents.


@pytest.mark.parametrize(
    ("record", "agent"),
    [
        (MOMENTO, LIVE["momento"]),
        (MOMENTO, "Momento/2.0 (Webhooks)"),
        (GITHUB, "GitHub-Hookshot/1"),
        (STRIPE, "Stripe/2.0"),
    ],
    ids=["momento", "momento's next version", "github", "stripe's next version"],
)
def test_the_senders_own_agents_are_let_in_whatever_their_version(
    endpoint: MakeEndpoint, record: Provider, agent: str
) -> None:
    app = routed(endpoint, record=record, other_agents="reject")
    assert app.post(sent(agent, record=record)).status == 200
    assert app.last.test is False


@pytest.mark.parametrize("agent", ["something else", "momento/1.0", "Momento", "x Momento/1.0", "", None], ids=repr)
def test_other_agents_are_refused_only_where_the_route_says_so(endpoint: MakeEndpoint, agent: str | None) -> None:
    assert_not_allowed(routed(endpoint, other_agents="reject"), sent(agent))
    assert routed(endpoint, other_agents="accept").post(sent(agent)).status == 200
    assert routed(endpoint).post(sent(agent)).status == 200


def test_other_agents_are_refused_without_test_agents_as_well(endpoint: MakeEndpoint) -> None:
    app = endpoint(routes={"/hook": MOMENTO.chain(SECRET, other_agents="reject")})
    assert_not_allowed(app, sent("something else"))
    assert_not_allowed(app, sent(HARNESS))
    assert app.post(live()).status == 200


def test_tests_are_diverted_where_other_agents_are_refused(endpoint: MakeEndpoint) -> None:
    assert_diverted(routed(endpoint, other_agents="reject"), sent(HARNESS))
    assert_diverted(routed(endpoint, KEYED, other_agents="reject"), sent("something else", QA))


def test_an_unproven_request_learns_nothing_of_its_agent(endpoint: MakeEndpoint) -> None:
    app = routed(endpoint, other_agents="reject")
    app.post(sent("something else", "another secret altogether"))
    assert app.reason == "signature_mismatch"


def test_other_agents_cannot_be_refused_where_the_senders_are_unknown() -> None:
    with pytest.raises(ConfigError, match=r"other_agents.*agents="):
        SPECKLE.chain(SECRET, other_agents="reject")


# What is said at start-up.

QA_KEY = Secret(QA, test=True)
REPLAYABLE: dict[str, tuple[Provider, Any, dict[str, Any], bool]] = {
    "no time, no test key": (GITHUB, SECRET, {}, True),
    "no time, marked": (GITHUB, SECRET, {"on_test": "mark"}, True),
    "no time, keys found per request": (GITHUB, lambda _: SECRET, {}, True),
    "the age switched off": (MOMENTO, SECRET, {"max_age": None}, True),
    "the age switched off in the record": (MOMENTO.using(max_age=None), SECRET, {}, True),
    "no time, a test key": (GITHUB, [SECRET, QA_KEY], {}, False),
    "a signed time": (MOMENTO, SECRET, {}, False),
    "a signed time and a test key": (MOMENTO, [SECRET, QA_KEY], {}, False),
    "no test agents": (GITHUB, SECRET, {"test_agents": []}, False),
}


@pytest.mark.parametrize(("record", "secrets", "options", "said"), REPLAYABLE.values(), ids=REPLAYABLE)
def test_the_start_says_that_a_captured_test_can_be_replayed_as_live(
    endpoint: MakeEndpoint,
    caplog: pytest.LogCaptureFixture,
    record: Provider,
    secrets: Any,
    options: dict[str, Any],
    *,
    said: bool,
) -> None:
    routed(endpoint, secrets, record=record, **options)
    warnings = [r.getMessage() for r in caplog.records if "test_agents" in r.getMessage()]
    assert len(warnings) == said
    for text in warnings:
        assert "/hook" in text
        assert "Secret(test=True)" in text


def test_what_the_start_warns_of_does_happen(endpoint: MakeEndpoint) -> None:
    app = routed(endpoint, record=GITHUB)
    captured = sent(HARNESS, record=GITHUB)
    assert_diverted(app, captured)
    assert app.post(with_agent(captured, LIVE["github"])).status == 200
    assert (app.last.test, len(app.calls)) == (False, 1)
