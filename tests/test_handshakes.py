"""What senders ask beside their deliveries: answered where the route says so, and never to a forger's use."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from handshake_records import HANDSHAKES, record
from hooklatch import (
    Acknowledged,
    Answer,
    Chain,
    ConfigError,
    Delivery,
    Header,
    Provider,
    Rejected,
    Secret,
    handshakes,
    providers,
)
from hooklatch.chain import Options
from hooklatch.cli import main, options
from hooklatch.errors import Handshake
from hooklatch.handshakes import MECHANISMS, PENDING, Setting, sentence
from hooklatch.ratelimit import FailureLimit
from hooklatch.testing import Request
from worlds import NOW, Endpoint

ROWS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "data" / "handshakes.json").read_text())
SECRET = "a secret of sixteen and more"
JSON = {"content-type": "application/json"}

MakeEndpoint = Callable[..., Endpoint]


def chain_of(row: dict[str, Any], told: list[str]) -> Chain:
    sender = record(row["provider"])
    options = Options(handshake=row.get("handshake", True), expect=row.get("expect", {}))
    if row.get("pending"):
        options["on_secret"] = told.append
        return sender.chain(PENDING, **options)
    if sender.algorithm == "ed25519":
        return sender.chain(public_keys=row["secret"], **options)
    if sender.signs_url:
        options["public_url"] = "https://receiver.example/hook"
    if row["provider"] == "braintree" and "braintree" not in providers.names():
        # The key is a digest of the private key, which the catalogue's record knows and the least of one does not.
        return sender.chain(hashlib.sha1(row["secret"].encode()).digest(), **options)
    return sender.chain(row["secret"], **options)


def request_of(row: dict[str, Any]) -> Delivery:
    body = row["body"].encode()
    if not row.get("sign"):
        return Delivery(row["method"], row["url"], row["headers"], body)
    sender = record(row["provider"])
    return sender.sign(body, secret=row["secret"], at=row["now"], url=row["url"], headers=row["headers"])


def same(kind: str, found: bytes, expected: str) -> bool:
    return bool(json.loads(found) == json.loads(expected)) if "json" in kind else found.decode() == expected


@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_a_handshake_is_answered_as_the_sender_wants_and_the_application_never_sees_it(
    row: dict[str, Any], endpoint: MakeEndpoint
) -> None:
    told: list[str] = []
    made = endpoint(routes={"/hook": chain_of(row, told)})
    made.clock.now = row["now"]
    answered = made.post(request_of(row))
    kind = answered.header("content-type") or ""
    assert (answered.status, made.calls) == (row["expect_status"], [])
    assert same(kind, answered.body, row["expect_body"])
    for name, value in row["expect_headers"].items():
        assert (answered.header(name) or "").startswith(value), name
    assert answered.header("cache-control") == "no-store"
    if answered.status == 200:
        assert made.reason == "handshake"
        assert answered.header("x-content-type-options") == "nosniff"
        assert kind in {"text/plain; charset=utf-8", "application/json"}
        assert repr(made.store) == "<MemoryStore 0 of 1000000>", "a claim was taken"


@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_a_route_that_does_not_ask_for_handshakes_answers_none(row: dict[str, Any], endpoint: MakeEndpoint) -> None:
    sender = record(row["provider"])
    options = Options(expect=row.get("expect", {}))
    if sender.signs_url:
        options["public_url"] = "https://receiver.example/hook"
    keyed = sender.algorithm != "ed25519"
    secret = row["secret"] or SECRET
    made = endpoint(routes={"/hook": sender.chain(secret, **options) if keyed else
                            sender.chain(public_keys=secret, **options)})  # fmt: skip
    made.clock.now = row["now"]
    request = request_of(row)
    answered = made.post(request)
    if row["expect_status"] != 200 or not (row.get("sign") or row["provider"] in {"discord", "twitch"}):
        assert answered.status in {401, 403, 405}
        assert made.calls == []
    else:
        assert [seen.body for seen in made.calls] == [request.body]  # it is a delivery like any other


@pytest.mark.parametrize("name", sorted(HANDSHAKES))
def test_the_catalogue_names_the_handshake_of_each_sender(name: str) -> None:
    assert record(name).handshake == HANDSHAKES[name]


IN_THE_CATALOGUE = {name for name in providers.names() if providers.provider(name).handshake}


@pytest.mark.parametrize("name", sorted(IN_THE_CATALOGUE | HANDSHAKES.keys()))
def test_every_record_names_a_mechanism_that_can_be_made(name: str) -> None:
    sender = record(name)
    mechanism, parameters = handshakes.named(sender.handshake)
    made = handshakes._module(mechanism).MECHANISM(
        Setting(sender, ("POST",), "given", print, {"public_key": "x"}), **parameters
    )
    assert made.signed or made.unsigned


def test_every_mechanism_tells_in_a_sentence_what_it_does() -> None:
    told = [sentence(f"{name} name=x") for name in MECHANISMS]
    assert all(text.endswith(".") and len(text.split()) > 5 for text in told)
    assert len(set(told)) == len(MECHANISMS)


# A signing oracle is what a naive answer to X's challenge would be.


@pytest.mark.parametrize(
    "token", ['{"forged":true}', "a b", "a.b", "a:b", "", "x" * 257, "\xe9", "a\nb", "v0:1700000000:{}", "%7B%7D"]
)
@pytest.mark.parametrize(("name", "parameter"), [("x_twitter", "crc_token"), ("linkedin", "challengeCode")])
def test_no_token_that_could_be_a_delivery_is_signed(
    name: str, parameter: str, token: str, endpoint: MakeEndpoint
) -> None:
    from urllib.parse import urlencode

    made = endpoint(routes={"/hook": record(name).chain(SECRET, handshake=True)})
    answered = made.post(Request("GET", "/hook?" + urlencode({parameter: token}), {}, b""))
    assert answered.status in {400, 405}
    assert b"sha256" not in answered.body
    assert b"esponse" not in answered.body
    assert made.calls == []


def test_no_delivery_of_x_can_be_forged_with_what_the_challenge_gives_away(endpoint: MakeEndpoint) -> None:
    sender = record("x_twitter")
    made = endpoint(routes={"/hook": sender.chain(SECRET, handshake=True)})
    for body in (b'{"forged":true}', b"[]", b"{}", b'"x"'):
        genuine = sender.sign(body, secret=SECRET, url="/hook")
        query = body.decode().translate({ord(c): f"%{ord(c):02X}" for c in '{}[]":'})
        answered = made.post(Request("GET", f"/hook?crc_token={query}", {}, b""))
        assert (answered.status, made.reason) == (400, "handshake_malformed")
        assert genuine.headers["x-twitter-webhooks-signature"].encode() not in answered.body


@pytest.mark.parametrize("token", ["20f9f8ed05f77439fe955c977e4c8a5", "f" * 33, "f" * 19, "G" * 24, "PD94bWw="])
def test_braintrees_challenge_is_twenty_to_thirty_two_hex_digits(token: str, endpoint: MakeEndpoint) -> None:
    row = next(row for row in ROWS if row["provider"] == "braintree")
    made = endpoint(routes={"/hook": chain_of(row, [])})
    answered = made.post(Request("GET", f"/hook?bt_challenge={token}", {}, b""))
    good = len(token) == 31
    assert (answered.status, b"integration_public_key|" in answered.body) == (200 if good else 400, good)


def test_the_newest_live_key_answers_an_unsigned_challenge() -> None:
    secrets: list[str | bytes | Secret] = [
        Secret("a secret of the tests", test=True),
        "the new secret of X",
        "the old secret of X",
    ]
    chain = record("x_twitter").chain(secrets, handshake=True)
    expected = hmac.new(b"the new secret of X", b"abc", hashlib.sha256).digest()
    with pytest.raises(Handshake) as caught:
        chain.verify(method="GET", url="/?crc_token=abc", headers={}, body=b"")
    import base64

    assert json.loads(caught.value.body) == {"response_token": f"sha256={base64.b64encode(expected).decode()}"}


def zoom_challenge(token: str, secret: str = SECRET) -> Delivery:
    body = json.dumps({"event": "endpoint.url_validation", "payload": {"plainToken": token}}).encode()
    return record("zoom").sign(body, secret=secret, at=NOW, url="/hook", headers=JSON)


@pytest.mark.parametrize("token", ['v0:1700000000:{"a":1}', "a b", "", "x" * 129, "a+b", "a/b", "\u00e9"])
def test_zooms_token_is_signed_only_if_it_is_a_plain_word(token: str, endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={"/hook": record("zoom").chain(SECRET, handshake=True)})
    answered = made.post(zoom_challenge(token))
    assert (answered.status, made.reason) == (400, "handshake_malformed")
    assert b"encryptedToken" not in answered.body


def test_a_signed_challenge_is_answered_with_the_key_that_signed_it(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={"/hook": record("zoom").chain(["the new secret of Zoom", SECRET], handshake=True)})
    answered = made.post(zoom_challenge("abc"))
    expected = hmac.new(SECRET.encode(), b"abc", hashlib.sha256).hexdigest()
    assert json.loads(answered.body) == {"plainToken": "abc", "encryptedToken": expected}


SIGNED = [
    row for row in ROWS if row["expect_status"] == 200 and row["provider"] in {"slack", "zoom", "discord", "twitch"}
]


@pytest.mark.parametrize("row", SIGNED, ids=[row["id"] for row in SIGNED])
def test_a_signed_handshake_is_verified_before_it_is_answered(row: dict[str, Any], endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={"/hook": chain_of(row, [])})
    made.clock.now = row["now"]
    genuine = request_of(row)
    refusal = record(row["provider"]).refusal_status
    assert made.post(genuine._replace(body=genuine.body + b" ")).status == refusal
    unsigned = {name: value for name, value in genuine.headers.items() if "ignature" not in name}
    assert made.post(genuine._replace(headers=unsigned)).status == refusal
    assert made.post(genuine).status == 200
    assert made.calls == []


def test_a_stale_handshake_is_refused(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={"/hook": record("zoom").chain(SECRET, handshake=True)})
    made.clock.advance(301)
    assert (made.post(zoom_challenge("abc")).status, made.reason) == (401, "timestamp_expired")


@pytest.mark.parametrize(
    "body",
    [
        b'{"type":"event_callback","event_id":"Ev1","text":"url_verification"}',
        b'{"type":["url_verification"],"challenge":"x"}',
        b'{"type":"url_verification","type":"event_callback","challenge":"x"}',
        b"payload=url_verification",
        b'{"type":"url_verification"' + b" " * 20_000 + b',"challenge":"x"}',
    ],
    ids=["in-a-text", "in-a-list", "twice", "in-a-form", "too-long"],
)
def test_a_signed_delivery_that_only_resembles_a_handshake_reaches_the_application(
    body: bytes, endpoint: MakeEndpoint
) -> None:
    made = endpoint(routes={"/hook": record("slack").chain(SECRET, handshake=True)})
    assert made.post(record("slack").sign(body, secret=SECRET, at=NOW, url="/hook")).status == 200
    assert [seen.body for seen in made.calls] == [body]


# Unsigned ones are recognised narrowly, and never in place of a delivery.


def test_a_delivery_that_carries_a_signature_goes_through_the_chain_whatever_its_query_says(
    endpoint: MakeEndpoint,
) -> None:
    sender = Provider(name="s", signature=Header("x-signature"), handshake=HANDSHAKES["msgraph"])
    made = endpoint(routes={"/hook": sender.chain(SECRET, handshake=True)})
    genuine = sender.sign(b"", secret=SECRET, url="/hook?validationToken=abc")
    assert made.post(genuine).status == 200
    assert len(made.calls) == 1
    assert made.post(genuine._replace(headers={"x-signature": "0" * 64})).status == 401
    assert made.reason == "signature_mismatch"
    assert made.post(genuine._replace(headers={"x-signature": ""})).status == 401
    assert made.post(genuine._replace(headers={})).body == b"abc"


def test_a_body_beside_an_echo_is_no_handshake(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={"/hook": record("msgraph").chain(SECRET, handshake=True)})
    answered = made.post(Request("POST", "/hook?validationToken=abc", JSON, b'{"value":[]}'))
    assert (answered.status, made.reason, made.calls) == (401, "signature_missing", [])


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("challenge=abc", 200),
        ("challenge=%3Cscript%3Ealert(1)%3C/script%3E", 400),
        ("challenge=a%20b", 400),
        ("challenge=a%0D%0Ab", 400),
        ("challenge=%C3%A9", 400),
        ("challenge=" + "x" * 256, 200),
        ("challenge=" + "x" * 257, 400),
        ("challenge=", 405),
        ("challenge", 405),
        ("", 405),
        ("Challenge=abc", 405),
        ("challenge=a&challenge=b", 401),
        ("&".join(["a=b"] * 101) + "&challenge=a", 401),
    ],
)
def test_an_echo_is_short_plain_text_and_nothing_a_browser_would_run(
    query: str, status: int, endpoint: MakeEndpoint
) -> None:
    made = endpoint(routes={"/hook": record("dropbox").chain(SECRET, handshake=True, refusal_status=401)})
    answered = made.post(Request("GET", f"/hook?{query}", {}, b""))
    assert (answered.status, made.calls) == (status, [])
    if status != 200:
        assert b"script" not in answered.body
        assert answered.header("content-type") == "application/problem+json"


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "get"])
def test_another_method_stays_forbidden_but_for_the_handshake_itself(method: str, endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={"/hook": record("dropbox").chain(SECRET, handshake=True)})
    query = "?challenge=abc" if method != "GET" else "?other=abc"
    answered = made.post(Request(method, f"/hook{query}", {}, b""))
    assert (answered.status, answered.header("allow"), made.calls) == (405, "POST", [])


def test_a_head_probe_has_no_body_and_opens_no_other_method(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={"/hook": record("ship24").chain(SECRET, handshake=True)})
    answered = made.post(Request("HEAD", "/hook", {}, b""))
    assert (answered.status, answered.body, answered.header("content-length")) == (200, b"", "0")
    assert made.post(Request("GET", "/hook", {}, b"")).status == 405


@pytest.mark.parametrize("token", ["", "meatyhamhoc", "meatyhamhock2", "\u00e9", "meatyhamhock&hub.verify_token=x"])
def test_meta_is_echoed_nothing_without_the_routes_verify_token(token: str, endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={"/hook": record("meta").chain(SECRET, handshake="meatyhamhock")})
    query = f"hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={token}".replace("\u00e9", "%C3%A9")
    answered = made.post(Request("GET", f"/hook?{query}", {}, b""))
    assert (answered.status, made.calls) == (401, [])
    assert b"1158201444" not in answered.body


def test_a_guessed_verify_token_counts_against_the_address(endpoint: MakeEndpoint) -> None:
    limit = FailureLimit("2/minute", storage="memory://")
    made = endpoint(
        routes={"/hook": record("viber").using(handshake=HANDSHAKES["meta"]).chain(SECRET, handshake="meatyhamhock")},
        limit_failures=limit,
        trusted_proxies=0,
    )
    for _ in range(2):
        made.post(Request("GET", "/hook?hub.challenge=1&hub.verify_token=x", {}, b""))
    assert made.reason == "handshake_refused"
    # Over the limit no body is read for a handshake; what the head alone decides costs nothing.
    pings = endpoint(
        routes={"/hook": record("viber").chain(SECRET, handshake=True)}, limit_failures=limit, trusted_proxies=0
    )
    ping = next(request_of(row) for row in ROWS if row["id"] == "hs-viber-1")
    assert pings.post(ping).status == 429
    assert made.post(Request("GET", "/hook?hub.challenge=1&hub.verify_token=meatyhamhock", {}, b"")).status == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"webhook_id=",
        b"webhook_id=1&x=2",
        b"webhook_id=1\n",
        b'{"webhook_id":1}',
        b"webhook_id=" + b"1" * 21,
        b"x" * 17_000,
    ],
)
def test_an_unsigned_post_that_is_not_exactly_the_ping_is_refused(body: bytes, endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={"/hook": record("woocommerce").chain(SECRET, handshake=True)})
    answered = made.post(Request("POST", "/hook", {"content-type": "application/x-www-form-urlencoded"}, body))
    assert (answered.status, made.reason, made.calls) == (401, "signature_missing", [])


def test_an_unsigned_body_is_read_no_further_than_a_handshake_goes() -> None:
    from hooklatch.lines import byte_lines
    from hooklatch.types import CHUNK, Head

    head = Head("POST", "/", "", byte_lines({}), NOW)  # a chunked body, whose length nobody declared
    flow = record("woocommerce").chain(SECRET, handshake=True).flow(head)
    assert flow.send(None) is CHUNK
    assert flow.send(b"x" * (1 << 14)) is CHUNK
    with pytest.raises(Rejected) as caught:
        flow.send(b"x")
    assert caught.value.reason == "body_too_large"


def test_cloudevents_permission_can_be_tied_to_one_origin(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={"/hook": record("cloudevents").chain(SECRET, handshake="eventgrid.azure.net")})
    asked = Request("OPTIONS", "/hook", {"WebHook-Request-Origin": "EventGrid.azure.net"}, b"")
    answered = made.post(asked)
    assert (answered.status, answered.header("webhook-allowed-origin")) == (200, "EventGrid.azure.net")
    assert answered.header("webhook-allowed-rate") is None
    refused = made.post(asked._replace(headers={"WebHook-Request-Origin": "evil.example"}))
    assert (refused.status, refused.header("webhook-allowed-origin")) == (401, None)
    for headers in (
        {"WebHook-Request-Origin": "<x>"},
        {"WebHook-Request-Origin": "eventgrid.azure.net", "WebHook-Request-Rate": "-1"},
    ):
        assert made.post(asked._replace(headers=headers)).status == 400


def test_a_cors_preflight_is_not_taken_for_a_cloudevents_question(endpoint: MakeEndpoint) -> None:
    chain = record("cloudevents").chain(SECRET, handshake=True, cors=["https://shop.example"])
    made = endpoint(routes={"/hook": chain})
    headers = {
        "Origin": "https://shop.example",
        "Access-Control-Request-Method": "POST",
        "WebHook-Request-Origin": "eventemitter.example.com",
    }
    answered = made.post(Request("OPTIONS", "/hook", headers, b""))
    assert (answered.status, made.reason) == (204, "preflight")
    assert answered.header("webhook-allowed-origin") is None


def test_xero_gets_refusals_without_a_body_from_every_rule_of_its_route(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={"/hook": record("xero").using(bare_refusals=True).chain(SECRET)})
    for request in (Request("POST", "/hook", {}, b"{}"), Request("GET", "/hook", {}, b"")):
        answered = made.post(request)
        assert (answered.status, answered.body, answered.header("content-length")) in {(401, b"", "0"), (405, b"", "0")}


# A handshake that brings the secret.

ASANA = {"x-hook-secret": "b537207f20cbfa02357cf448134da559e8bd39d61597dcd5631b8012eae53e81"}


def test_a_keyed_route_takes_no_other_key_from_anybody(endpoint: MakeEndpoint) -> None:
    sender = record("asana")
    made = endpoint(routes={"/asana": sender.chain(SECRET)})
    answered = made.post(Request("POST", "/asana", {"X-Hook-Secret": "evil"}, b"{}"))
    assert (answered.status, answered.header("x-hook-secret"), made.calls) == (401, None, [])
    assert made.post(sender.sign(b"{}", secret="evil", url="/asana")).status == 401
    assert made.post(sender.sign(b"{}", secret=SECRET, url="/asana")).status == 200


def test_a_pending_route_hands_over_one_secret_and_uses_none(
    endpoint: MakeEndpoint, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []
    sender = record("asana")
    made = endpoint(routes={"/asana": sender.chain(PENDING, handshake=True, on_secret=told.append)})
    with caplog.at_level(logging.INFO):
        assert made.post(Request("POST", "/asana", ASANA, b"{}")).header("x-hook-secret") == ASANA["x-hook-secret"]
        second = made.post(Request("POST", "/asana", {"x-hook-secret": "evil"}, b"{}"))
    assert (second.status, second.header("x-hook-secret"), second.header("retry-after")) == (503, None, "30")
    assert told == [ASANA["x-hook-secret"]]
    assert "handshake" in caplog.text
    assert ASANA["x-hook-secret"] not in caplog.text
    delivery = sender.sign(b"{}", secret=told[0], url="/asana")
    assert (made.post(delivery).status, made.reason, made.calls) == (503, "secret_unavailable", [])
    restarted = endpoint(routes={"/asana": sender.chain(told[0])})
    assert restarted.post(delivery).status == 200


@pytest.mark.parametrize("secret", ["a b", "<x>", "x" * 257, "\xe9"])
def test_a_secret_that_cannot_be_echoed_is_not_handed_over(secret: str, endpoint: MakeEndpoint) -> None:
    told: list[str] = []
    made = endpoint(routes={"/asana": record("asana").chain(PENDING, handshake=True, on_secret=told.append)})
    assert made.post(Request("POST", "/asana", {"x-hook-secret": secret}, b"{}")).status == 400
    assert told == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{}", 401),
        (b"", 401),
        (b'{"verification_token":{"a":1}}', 400),
        (b'{"verification_token":"a b"}', 400),
        (b'{"verification_token":"a","verification_token":"b"}', 400),
    ],
)
def test_a_body_without_a_usable_token_hands_nothing_over(body: bytes, status: int, endpoint: MakeEndpoint) -> None:
    told: list[str] = []
    made = endpoint(routes={"/hook": record("notion").chain(PENDING, handshake=True, on_secret=told.append)})
    assert (made.post(Request("POST", "/hook", JSON, body)).status, told) == (status, [])


def test_a_callback_that_fails_leaves_the_route_waiting(
    endpoint: MakeEndpoint, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []

    def keep(secret: str) -> None:
        told.append(secret)
        if len(told) == 1:
            raise OSError(secret)

    made = endpoint(routes={"/asana": record("asana").chain(PENDING, handshake=True, on_secret=keep)})
    assert made.post(Request("POST", "/asana", ASANA, b"{}")).status == 503
    assert ASANA["x-hook-secret"] not in caplog.text
    assert made.post(Request("POST", "/asana", ASANA, b"{}")).status == 200
    assert len(told) == 2


# Configuration.


@pytest.mark.parametrize(
    ("name", "secrets", "options", "words"),
    [
        ("speckle", SECRET, {"handshake": True}, "knows of no handshake"),
        ("dropbox", SECRET, {"handshake": "text"}, "shows no text"),
        ("dropbox", SECRET, {"handshake": ""}, "must be True"),
        ("dropbox", SECRET, {"handshake": 1}, "must be True"),
        ("meta", SECRET, {"handshake": True}, "hub.verify_token"),
        ("braintree", SECRET, {"handshake": True}, "public_key"),
        ("braintree", SECRET, {"handshake": True, "expect": {"public_key": "a b"}}, "without blanks"),
        ("asana", SECRET, {"handshake": True}, "PENDING"),
        ("asana", PENDING, {"handshake": True}, "on_secret"),
        ("asana", PENDING, {}, "handshake=True"),
        ("asana", SECRET, {"on_secret": print}, "handshake=True"),
        ("dropbox", PENDING, {"handshake": True, "on_secret": print}, "brings the secret"),
        ("dropbox", SECRET, {"handshake": True, "on_secret": print}, "brings the secret"),
    ],
)
def test_a_handshake_that_cannot_work_is_refused_at_start_up(name: str, secrets: Any, options: Any, words: str) -> None:
    sender = record(name) if name in HANDSHAKES else providers.provider(name)
    if sender.signs_url:
        options = {**options, "public_url": "https://receiver.example/hook"}
    with pytest.raises(ConfigError, match=words):
        sender.chain(secrets, **options)


@pytest.mark.parametrize("text", ["nonsense name=x", "echo_query", "echo_query name=x other=y", "crc name=x answer=y"])
def test_a_record_that_names_no_mechanism_or_names_it_wrongly_is_a_config_error(text: str) -> None:
    with pytest.raises(ConfigError, match=r"handshake|HMAC"):
        Provider(name="s", signature=Header("authorization"), algorithm="token", encoding="text", handshake=text).chain(
            SECRET, handshake=True
        )


# Without middleware.


def test_verify_and_receive_raise_the_answer(endpoint: MakeEndpoint) -> None:
    chain = record("dropbox").chain(SECRET, handshake=True)
    with pytest.raises(Acknowledged) as caught:
        chain.verify(method="GET", url="/?challenge=abc", headers={}, body=b"")
    assert (caught.value.status, caught.value.body, caught.value.reason) == (200, b"abc", "handshake")
    with (
        pytest.raises(Answer),
        chain.receive(method="GET", url="/?challenge=abc", headers={}, body=b"", store="memory://"),
    ):
        pytest.fail("a handshake is nothing to be processed")


@pytest.mark.parametrize("as_json", [False, True])
def test_the_command_line_prints_the_whole_answer(
    as_json: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("hooklatch.cli.verify.provider", record)
    monkeypatch.setenv("HOOKLATCH_SECRET", SECRET)
    path = tmp_path / "request.json"
    path.write_text(json.dumps({"method": "GET", "url": "/?challenge=abc", "headers": {}, "body": ""}))
    argv = [
        "verify",
        "--provider",
        "dropbox",
        "--option",
        "handshake=true",
        *(["--json"] if as_json else []),
        str(path),
    ]
    assert main(argv) == 0
    out, err = capsys.readouterr()
    headers = [["content-type", "text/plain; charset=utf-8"], ["x-content-type-options", "nosniff"],
               ["cache-control", "no-store"]]  # fmt: skip
    if as_json:
        told = json.loads(out)
        assert (told["verdict"], told["status"], told["reason"], told["webhook"]) == (
            "answered",
            200,
            "handshake",
            None,
        )
        assert (told["headers"], told["body"]) == (headers, "abc")
    else:
        assert out.splitlines() == [
            "answered: handshake (status 200)", *(": ".join(line) for line in headers), "", "abc",
        ]  # fmt: skip
    assert err == ""


def test_a_verify_token_is_given_on_the_command_line_as_it_is() -> None:
    _, rules = options.apply(record("meta"), ["handshake=meatyhamhock"])
    assert rules == {"handshake": "meatyhamhock"}
    assert options.apply(record("dropbox"), ["handshake=yes"])[1] == {"handshake": True}


@pytest.mark.parametrize(
    ("name", "headers", "body"),
    [
        ("asana", {"X-Hook-Secret": "b537207f20cbfa02357cf448134da559"}, "{}"),
        ("notion", {"content-type": "application/json"}, '{"verification_token":"secret_tMrlL1qK5vuQAh1b6cZGhFCh"}'),
    ],
)
def test_the_command_line_needs_no_secret_for_a_handshake_that_brings_one(
    name: str, headers: dict[str, str], body: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request = tmp_path / "request.json"
    request.write_text(json.dumps({"method": "POST", "url": "/hook", "headers": headers, "body": body}))
    assert main(["verify", "--provider", name, "--option", "handshake=true", str(request)]) == 0
    assert "answered: handshake (status 200)" in capsys.readouterr().out


def test_the_routes_of_the_page_can_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "asana.secret").write_text(SECRET)
    page = (Path(__file__).parent.parent / "docs" / "handshakes.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    given = dict.fromkeys(("SECRET", "APP_SECRET", "PRIVATE_KEY", "PUBLIC_KEY", "TOKEN"), "a_secret_of_sixteen")
    records = {
        name.upper(): providers.provider(name) for name in ("slack", "meta", "braintree", "cloudevents", "asana")
    }
    for block in blocks:
        exec(compile(block, "handshakes.md", "exec", dont_inherit=True), {**given, **records, "Path": Path})
    assert len(blocks) == 2
