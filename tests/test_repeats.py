"""Honest repetitions: genuine, different deliveries that look alike must not be swallowed (A8 of the threats)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hooklatch import Header, Provider
from hooklatch.chain import Chain
from hooklatch.providers import GITHUB, MECHANIC, MOMENTO, PATCHWORKS, SPECKLE, STRIPE
from hooklatch.types import Store
from worlds import Endpoint

SECRET = "a secret of sixteen"
MakeEndpoint = Callable[..., Endpoint]

# Shopify's topic stands in a header that nobody signs, and one order can have several topics under one body.
TOPICS = Provider(
    name="topics",
    signature=Header("x-hmac"),
    encoding="base64",
    apart=("x-topic",),
    dispatch=("x-topic",),
)
# A call that is gathered again posts the same form, and the answer is content.
CALLS = Provider(name="calls", signature=Header("x-signature"), repeats="normal")


def test_one_body_under_two_topics_is_two_events_and_each_topic_runs_once(endpoint: MakeEndpoint, store: Store) -> None:
    made = endpoint(routes={"/hook": TOPICS.chain(SECRET)}, store=store)
    sent = [TOPICS.sign(b"{}", secret=SECRET, url="/hook", headers={"x-topic": topic}) for topic in ("create", "paid")]
    for delivery in [*sent, *sent]:
        assert made.post(delivery).status == 200
    assert (len(made.calls), made.reason) == (2, "duplicate")


def test_where_the_answer_is_content_equal_deliveries_run_each_time(endpoint: MakeEndpoint, store: Store) -> None:
    made = endpoint(routes={"/hook": CALLS.chain(SECRET)}, store=store)
    for _ in range(2):
        assert made.post(CALLS.sign(b"a=1", secret=SECRET, url="/hook")).body == b"from the application"
    assert len(made.calls) == 2
    assert made.last.duplicates == "unchecked"


DAY = 86_400.0


@pytest.mark.parametrize(
    ("chain", "ttl"),
    [
        pytest.param(SPECKLE.chain(SECRET), DAY, id="possible repeats without time: a day"),
        pytest.param(PATCHWORKS.chain(SECRET), DAY, id="patchworks"),
        pytest.param(MECHANIC.chain(SECRET), DAY, id="mechanic plain"),
        pytest.param(GITHUB.chain(SECRET), 30 * DAY, id="no repeats without time: thirty days"),
        pytest.param(MOMENTO.chain(SECRET), 120.0, id="a signed time: as long as it is good"),
        pytest.param(STRIPE.chain(SECRET), 3 * DAY, id="retries: as long as they come"),
        pytest.param(MECHANIC.over("a", signature="s", every=60).chain(SECRET), 180.0, id="intervals"),
    ],
)
def test_a_delivery_is_remembered_as_long_as_its_sender_makes_necessary(chain: Chain, ttl: float) -> None:
    assert chain.duplicate_ttl == ttl


def test_an_acknowledged_duplicate_says_when_it_was_first_seen(
    endpoint: MakeEndpoint, caplog: pytest.LogCaptureFixture
) -> None:
    made = endpoint(routes={"/hook": SPECKLE.chain(SECRET)})
    delivery = SPECKLE.sign(b"{}", secret=SECRET, url="/hook")
    made.post(delivery)
    with caplog.at_level("INFO", "hooklatch"):
        moment = made.post(delivery).header("hooklatch-duplicate")
    assert moment is not None
    assert f"duplicate: first seen {moment}" in caplog.text
