"""Every sender of the catalogue: its file is facts with a source, and what it signs is accepted and nothing else is."""

from __future__ import annotations

import ast
import json
import re
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import samples
from hooklatch import ConfigError, Delivery, Header, Provider
from hooklatch.keys import PUBLIC_ALGORITHMS
from hooklatch.providers import DISCOURSE, DROPBOX, SHOPIFY, SLACK, SUPABASE, names, provider
from hooklatch.types import Store
from worlds import NOW, Endpoint

HERE = Path(__file__).parent
FILES = sorted(path for path in (HERE.parent / "src/hooklatch/providers").glob("*.py") if path.stem != "__init__")
VECTORS: list[dict[str, Any]] = [
    vector for path in sorted((HERE / "data").glob("vectors*.json")) for vector in json.loads(path.read_text())
]
SIGNABLE = [name for name in names() if provider(name).algorithm not in PUBLIC_ALGORITHMS]
SIGNED = [name for name in SIGNABLE if provider(name).algorithm != "token"]
TOKENS = [name for name in SIGNABLE if provider(name).algorithm == "token"]
URL = "https://receiver.example/hook"
SECRETS = {
    "hex": "ab" * 32,
    "base64": "YSBrZXkgb2YgdHdlbnR5LTQgYnl0ZXMu",
    "whsec": "whsec_YSBrZXkgb2YgdHdlbnR5LTQgYnl0ZXMu",
}

MakeEndpoint = Callable[..., Endpoint]


def secret_of(record: Provider) -> str:
    return SECRETS.get(record.key_encoding, "user:a secret of many bytes")


def sent(record: Provider, body: bytes = b"", *, secret: str = "", **arguments: Any) -> Delivery:
    """Return a delivery as *record*'s sender makes it, with a value in every field and header that it signs."""
    fields: dict[str, Any] = {}
    for name in () if body or record.name in samples.BODIES else record.template.fields:
        *steps, last = name.split(".")
        inner = fields
        for step in steps:
            inner = inner.setdefault(step, {})
        inner[last] = "7331"
    headers = dict.fromkeys(record.template.headers, "7331") | arguments.pop("headers", {})
    usual = samples.BODIES.get(record.name, b'{"id":"evt_1","ok":true}')
    expect = samples.sample(record.name).options.get("expect")
    return record.sign(
        fields or body or usual, secret=secret or secret_of(record), at=NOW, url=URL, headers=headers, expect=expect,
        **arguments
    )  # fmt: skip


def receiver(record: Provider, endpoint: MakeEndpoint, **settings: Any) -> Endpoint:
    options: Any = {**samples.sample(record.name).options}
    if record.signs_url:
        options["public_url"] = URL
    return endpoint(routes={"/hook": record.chain(secret_of(record), **options)}, **settings)


# What a file says


def facts_of(path: Path) -> dict[str, ast.expr]:
    """Return the facts that a file states itself, those it takes over from another record left out."""
    (call,) = [node.value for node in ast.parse(path.read_text()).body if isinstance(node, ast.Assign)]
    assert isinstance(call, ast.Call)
    return {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_states_its_source_its_evidence_and_whether_deliveries_repeat(path: Path) -> None:
    facts = facts_of(path)
    record = provider(path.stem)
    assert {"name", "docs", "evidence", "repeats", "quirks"} <= facts.keys()
    assert re.fullmatch(r"https://[a-z0-9.-]+/\S+", record.docs)
    if record.timestamp is not None:
        # A retry that is signed anew is known by its id for as long as the sender tries.
        assert "retries" in facts


@pytest.mark.parametrize("name", names())
def test_quirks_are_sentences(name: str) -> None:
    quirks = provider(name).quirks
    assert re.fullmatch(r"[A-Za-z0-9_'].{10,}\.", quirks)
    assert "  " not in quirks
    assert quirks.isascii()


def test_a_file_is_short() -> None:
    lengths = [len(path.read_text().splitlines()) for path in FILES]
    assert statistics.median(lengths) <= 25
    assert max(lengths) <= 40


@pytest.mark.parametrize("name", names())
def test_a_header_that_names_the_event_unsigned_cannot_be_exchanged_unnoticed(name: str) -> None:
    record = provider(name)
    for claim in ("event_type", "message_type", "shop", "instance"):
        place = record.unsigned.get(claim)
        if isinstance(place, Header):
            assert set(place.names) <= {*record.dispatch, *record.apart}, f"{name}: dispatch lacks {place.names}"


@pytest.mark.parametrize("name", [name for name in names() if provider(name).unsigned and not provider(name).scheme])
def test_what_nobody_signs_can_be_neither_the_id_nor_the_time(name: str) -> None:
    record = provider(name)
    for place in record.unsigned.values():
        for fact in ("id", "timestamp"):
            if record.template.names & {fact}:
                continue
            with pytest.raises(ConfigError, match=f"an unsigned {fact} proves nothing"):
                record.using(**{fact: place})


# Vectors


@pytest.mark.parametrize("name", names())
def test_a_sender_has_a_genuine_and_an_altered_delivery(name: str) -> None:
    found = [vector for vector in VECTORS if name in {vector["provider"], _version(vector)}]
    assert {vector["valid"] for vector in found} == {True, False}
    assert all(vector["source"] and vector["source_kind"] for vector in found)


def _version(vector: dict[str, Any]) -> str:
    """Return the record that ``--option version=`` names, for senders that have several ways of signing."""
    return f"{vector['provider']}_{vector.get('scheme_args', {}).get('ver', '')}"


def test_the_ids_of_vectors_are_their_own() -> None:
    assert len({vector["id"] for vector in VECTORS}) == len(VECTORS)


def test_no_vector_holds_what_looks_like_a_live_secret() -> None:
    live = re.compile(r"sk_live_|rk_live_|AKIA[0-9A-Z]{16}|gh[pousr]_\w{36}|xox[abp]-|glpat-|-----BEGIN [A-Z ]*PRIVATE")
    assert not [vector["id"] for vector in VECTORS if live.search(json.dumps(vector))]


# What a record does


@pytest.mark.parametrize("name", SIGNABLE)
def test_what_a_sender_signs_is_accepted_and_an_altered_byte_is_not(name: str, endpoint: MakeEndpoint) -> None:
    record = provider(name)
    made = receiver(record, endpoint)
    genuine = sent(record)
    if record.coverage == "body":
        for body in (genuine.body + b" ", genuine.body[:-1], genuine.body.replace(b"t", b"T", 1), b""):
            assert made.post(genuine._replace(body=body)).status == record.refusal_status
            assert made.reason in {"signature_mismatch", "timestamp_missing", "timestamp_malformed"}
    assert made.calls == []
    assert made.post(genuine).status == 200
    assert (made.last.provider, made.last.coverage, made.calls[-1].body) == (name, record.coverage, genuine.body)


@pytest.mark.parametrize("name", SIGNABLE)
def test_a_delivery_under_another_secret_is_refused(name: str, endpoint: MakeEndpoint) -> None:
    record = provider(name)
    made = receiver(record, endpoint)
    other = {"hex": "cd" * 32, "base64": "AAAB" * 8, "whsec": "whsec_" + "AAAB" * 8}.get(record.key_encoding, "another")
    assert made.post(sent(record, secret=other)).status == record.refusal_status
    assert (made.reason, made.calls) == ("signature_mismatch", [])


@pytest.mark.parametrize("name", SIGNED)
def test_a_delivery_without_its_headers_is_refused(name: str, endpoint: MakeEndpoint) -> None:
    record = provider(name)
    made = receiver(record, endpoint)
    genuine = sent(record)
    signed = {place.names[0] for place in (*record.places, record.timestamp, record.id) if isinstance(place, Header)}
    for header in signed & genuine.headers.keys():
        bare = {other: value for other, value in genuine.headers.items() if other != header}
        assert made.post(genuine._replace(headers=bare)).status == record.refusal_status, header
    assert made.calls == []


@pytest.mark.parametrize("name", [name for name in SIGNED if provider(name).max_age is not None])
def test_an_old_and_an_early_delivery_are_refused(name: str, endpoint: MakeEndpoint) -> None:
    record = provider(name)
    made = receiver(record, endpoint)
    genuine = sent(record)
    assert record.max_age is not None
    for moment, reason in ((record.max_age + 2, "timestamp_expired"), (-record.max_skew - 2, "timestamp_in_future")):
        made.clock.now = NOW + moment
        assert (made.post(genuine).status, made.reason) == (record.refusal_status, reason)
    made.clock.now = NOW + record.max_age - 1
    assert made.post(genuine).status == 200


@pytest.mark.parametrize("name", TOKENS)
def test_a_token_vouches_for_nothing_but_the_caller(name: str, endpoint: MakeEndpoint) -> None:
    made = receiver(provider(name), endpoint)
    assert made.post(sent(provider(name), b'{"any":"thing"}')).status == 200
    assert (made.last.coverage, made.last.id, made.last.timestamp) == ("caller", None, None)


@pytest.mark.parametrize("name", SIGNABLE)
def test_a_second_equal_delivery_runs_where_deliveries_are_said_to_repeat_and_nowhere_else(
    name: str, endpoint: MakeEndpoint
) -> None:
    record = provider(name)
    made = receiver(record, endpoint)
    assert [made.post(sent(record)).status for _ in range(2)] == [200, 200]
    assert len(made.calls) == (2 if record.repeats == "normal" else 1)


# Shopify's topic, Discourse's event: one body under two names is two events, and neither is somebody else's.


@pytest.mark.parametrize(
    ("record", "header", "tenant"),
    [
        pytest.param(SHOPIFY, "x-shopify-topic", "x-shopify-shop-domain", id="shopify"),
        pytest.param(DISCOURSE, "x-discourse-event", "x-discourse-instance", id="discourse"),
    ],
)
def test_one_body_under_two_topics_runs_once_each_and_under_another_tenant_not_at_all(
    record: Provider, header: str, tenant: str, endpoint: MakeEndpoint, store: Store
) -> None:
    made = receiver(record, endpoint, store=store)
    for topic in ("created", "paid", "created"):
        assert made.post(sent(record, headers={header: topic, tenant: "a.example"})).status == 200
    assert len(made.calls) == 2
    assert made.post(sent(record, headers={header: "paid", tenant: "b.example"})).status == 409
    assert (made.reason, len(made.calls)) == ("duplicate_altered", 2)


def test_a_retry_of_slack_that_is_signed_anew_is_known_by_its_event(endpoint: MakeEndpoint) -> None:
    made = receiver(SLACK, endpoint)
    body = b'{"event_id":"Ev1","event":{"type":"app_mention"}}'
    made.post(SLACK.sign(body, secret=secret_of(SLACK), at=NOW, url=URL))
    made.clock.advance(60)
    again = SLACK.sign(body, secret=secret_of(SLACK), at=NOW + 60, url=URL, headers={"x-slack-retry-num": "1"})
    assert made.post(again).header("hooklatch-duplicate")
    assert (len(made.calls), made.last.id) == (1, "Ev1")


def test_dropbox_lists_the_same_accounts_for_every_change_and_each_one_runs(endpoint: MakeEndpoint) -> None:
    made = receiver(DROPBOX, endpoint)
    body = b'{"list_folder":{"accounts":["dbid:1"]}}'
    for _ in range(3):
        assert made.post(sent(DROPBOX, body)).body == b"from the application"


def test_supabases_secret_is_pasted_whole(endpoint: MakeEndpoint) -> None:
    secret = f"v1,{SECRETS['whsec']}"
    made = endpoint(routes={"/hook": SUPABASE.chain(secret)})
    assert made.post(sent(SUPABASE)).status == 200
    with pytest.raises(ConfigError, match="nothing behind it"):
        SUPABASE.chain("v1,whsec_")
