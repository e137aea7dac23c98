"""What no template can say: each scheme proves what it says, and refuses whatever could be read in two ways."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from Crypto.Hash import SHA1, SHA256
from Crypto.PublicKey import RSA
from Crypto.Signature import pkcs1_15

import samples
from hooklatch import ConfigError, Delivery, Provider, Secret
from hooklatch.drive import run
from hooklatch.errors import BodyMalformed, SignatureMismatch, SignatureMissing
from hooklatch.keys import PLAIN_ALGORITHMS, PlainKey
from hooklatch.lines import byte_lines
from hooklatch.providers import (
    ADYEN,
    ALIPAY,
    BRAINTREE,
    CLOUDINARY,
    CONTENTFUL,
    HUBSPOT,
    HUBSPOT_V1,
    HUBSPOT_V2,
    MAILGUN,
    MAILGUN_ROUTES,
    MANDRILL,
    MIDTRANS,
    PADDLE_CLASSIC,
    PLIVO,
    SQUARE,
    TRELLO,
    TWILIO,
    provider,
)
from hooklatch.schemes import SCHEMES, Setting, scheme
from hooklatch.signing import Draft
from hooklatch.stores import Unremembering
from hooklatch.testing import Request
from hooklatch.types import Head
from worlds import NOW, Endpoint

MakeEndpoint = Callable[..., Endpoint]

SECRET = "a secret of sixteen"
URL = "https://public.example/hook"
FORM = "application/x-www-form-urlencoded"
TOKEN = "a8ce0edb2dd8301dee6c2405235584e45aa91d1e9f979f3de0"
RSA_KEY = RSA.generate(2048)
PEM = RSA_KEY.public_key().export_key().decode()


class PrivateKey:
    """The sender's half of an RSA key, in the shape of ``types.SigningKey``; verifying is not its business."""

    def __init__(self, hash_module: Any) -> None:
        self._hash = hash_module

    def sign(self, content: bytes, /) -> bytes:
        signature: bytes = pkcs1_15.new(RSA_KEY).sign(self._hash.new(content))
        return signature


def rsa_delivery(record: Provider, hash_module: Any, body: bytes) -> Delivery:
    """Return what a sender with a private key would send; ``Provider.sign`` has none."""
    draft = Draft(record, body, id=None, at=NOW, method="POST", url="/hook", headers={})
    key: Any = PrivateKey(hash_module)
    scheme(record.scheme).sign(Setting(record), draft, key)
    return Delivery(draft.method, draft.url, draft.headers, draft.body)


def route(endpoint: MakeEndpoint, record: Provider, secret: Any = SECRET, **options: Any) -> Endpoint:
    if record.signs_url:
        options.setdefault("public_url", URL)
    return endpoint(routes={"/hook": record.chain(secret, **options)})


def refused(made: Endpoint, request: Delivery | Request, reason: str) -> None:
    seen = len(made.calls)
    answered = made.post(request)
    assert answered.status in {401, 403, 409}
    assert (made.reason, len(made.calls)) == (reason, seen)


# Every scheme.


def everything() -> list[Any]:
    found = []
    for name in samples.SIGNING:
        record = provider(name)
        if record.scheme or record.adjacent or record.algorithm in PLAIN_ALGORITHMS:
            found.append(pytest.param(name, id=name))
    return found


def test_every_scheme_has_a_sender() -> None:
    assert {provider(name).scheme for name in [*samples.SIGNING, "paddle_classic", "alipay"]} - {
        ""
    } == SCHEMES.keys() - samples.OTHERS


@pytest.mark.parametrize("name", everything())
def test_what_a_sender_signs_verifies_and_no_byte_of_it_can_change(name: str, endpoint: MakeEndpoint) -> None:
    record, (secret, url, body, options) = provider(name), samples.sample(name)
    chain = record.chain(secret, **options)
    made = endpoint(routes={f"/hooks/{name}": chain})
    genuine = record.sign(body, secret=secret, url=url, at=NOW, expect=options.get("expect", {}))
    if record.coverage == "body":
        for place in range(len(genuine.body)):
            altered = bytearray(genuine.body)
            altered[place] ^= 1
            refused(made, genuine._replace(body=bytes(altered)), "signature_mismatch")
    else:
        proven = chain.verify(
            headers=genuine.headers, body=genuine.body, method=genuine.method, url=genuine.url, now=NOW
        )
        values = [*proven.fields.values(), *(value for item in proven.items for value in item.values())]
        assert values
        for value in {v for v in values if v}:
            for spelled in {value, quote(value, safe=""), urlencode({"": value})[1:]}:
                at = genuine.body.find(spelled.encode())
                if at < 0:
                    continue
                altered = bytearray(genuine.body)
                last = at + len(spelled.encode()) - 1
                altered[last] ^= 1
                assert made.post(genuine._replace(body=bytes(altered))).status in {401, 403}
    assert made.calls == []
    if record.signs_url:
        refused(made, genuine._replace(url=genuine.url + "?x=1"), "signature_mismatch")
    assert made.post(genuine).status == 200


def test_the_url_comes_from_the_configuration_and_no_header_changes_it(endpoint: MakeEndpoint) -> None:
    made = route(endpoint, SQUARE)
    genuine = SQUARE.sign(b'{"event_id":"1"}', secret=SECRET, url=URL)
    inside = genuine._replace(url="http://10.0.0.1:8000/hook")
    forwarded = {
        "x-forwarded-host": "evil.example",
        "x-forwarded-proto": "http",
        "host": "evil.example",
        "forwarded": "host=evil.example",
    }
    assert made.post(inside._replace(headers={**genuine.headers, **forwarded})).status == 200
    elsewhere = SQUARE.sign(b'{"event_id":"2"}', secret=SECRET, url="https://evil.example/hook")
    refused(made, elsewhere._replace(headers={**elsewhere.headers, **forwarded}), "signature_mismatch")


@pytest.mark.parametrize("record", [TWILIO, MANDRILL, PLIVO, SQUARE, TRELLO, HUBSPOT, HUBSPOT_V2], ids=lambda r: r.name)
def test_a_sender_that_signs_its_url_needs_to_be_told_it(record: Provider) -> None:
    with pytest.raises(ConfigError, match="public_url"):
        record.chain(SECRET)


# Twilio.


def twilio(body: bytes = b"Body=pay+10&From=%2B1", **given: Any) -> Delivery:
    return TWILIO.sign(body, secret=SECRET, **{"url": URL, **given})


@pytest.mark.parametrize(
    ("given", "signed"),
    [
        ("https://a.example/x", "https://a.example:443/x"),
        ("https://a.example:443/x", "https://a.example/x"),
        ("http://a.example:8080/x", "http://a.example/x"),
        ("http://a.example", "http://a.example:80"),
        ("https://user:pass@a.example:444/x", "https://user:pass@a.example/x"),
        ("https://[2001:db8::1]:444/x", "https://[2001:db8::1]/x"),
        ("https://[2001:db8::1]/x:9", "https://[2001:db8::1]:443/x:9"),
    ],
)
def test_twilios_url_counts_with_and_without_its_port(given: str, signed: str) -> None:
    chain = TWILIO.chain(SECRET, public_url=given)
    for url in (given, signed):
        genuine = twilio(url=url)
        assert chain.verify(headers=genuine.headers, body=genuine.body, url="/x").fields["From"] == "+1"


def test_twilios_parameters_are_proven_fields_and_its_answers_are_wanted_again(endpoint: MakeEndpoint) -> None:
    made = route(endpoint, TWILIO)
    for _ in range(2):
        assert made.post(twilio()).status == 200
    assert (dict(made.last.fields), made.last.coverage, len(made.calls)) == (
        {"Body": "pay 10", "From": "+1"},
        "fields",
        2,
    )


def test_a_repeated_name_is_signed_as_a_set_and_proves_no_value(endpoint: MakeEndpoint) -> None:
    made = route(endpoint, TWILIO)
    genuine = twilio(b"To=2&Body=x&To=1&To=2")
    for body in (b"To=2&Body=x&To=1&To=2", b"To=1&To=2&Body=x"):
        assert made.post(genuine._replace(body=body)).status == 200
        assert made.last.fields == {"Body": "x"}
    refused(made, genuine._replace(body=b"To=1&Body=x"), "signature_mismatch")


@pytest.mark.parametrize("twin", [b"Body%5B%5D=x", b"Body%00=x", b"%20Body=x", b"Body+=x", b"=x", b"To=a%00"])
def test_a_name_that_frameworks_read_in_two_ways_is_refused_however_it_is_signed(
    twin: bytes, endpoint: MakeEndpoint
) -> None:
    made = route(endpoint, TWILIO)
    text = "".join(sorted(["From1", twin.replace(b"=", b"").decode()]))
    signature = hmac.new(SECRET.encode(), (URL + text).encode(), "sha1").digest()
    headers = {"content-type": FORM, "x-twilio-signature": base64.b64encode(signature).decode()}
    refused(made, Delivery("POST", "/hook", headers, b"From=1&" + twin), "body_malformed")


def test_another_spelling_of_the_same_form_is_the_same_form_and_of_the_url_another(endpoint: MakeEndpoint) -> None:
    made = route(endpoint, TWILIO)
    genuine = twilio(b"Body=a+b&To=1", url=f"{URL}?x=%c3")
    assert made.post(genuine._replace(body=b"To=%31&Body=a%20b")).status == 200
    refused(made, genuine._replace(url="/hook?x=%C3"), "signature_mismatch")


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "text/plain", "multipart/form-data; boundary=b", f"{FORM}; charset=latin-1", None],
)
def test_a_signature_over_the_url_alone_fits_no_body_of_another_type(
    content_type: str | None, endpoint: MakeEndpoint
) -> None:
    made = route(endpoint, TWILIO)
    empty = twilio(b"")
    assert made.post(empty).status == 200
    headers = {k: v for k, v in empty.headers.items() if k != "content-type"}
    forged = empty._replace(body=b'{"x":1}', headers=headers | ({"content-type": content_type} if content_type else {}))
    refused(made, forged, "body_malformed")
    refused(made, forged._replace(method="GET"), "body_malformed")
    refused(made, empty._replace(body=b"x=1"), "signature_mismatch")
    refused(made, empty._replace(body=b"x=1", method="GET"), "body_malformed")


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_body_without_a_length_is_judged_alike(method: str) -> None:
    chain = TWILIO.chain(SECRET, public_url=URL)
    for genuine, good in (
        (twilio(b""), True),
        (twilio(b"")._replace(body=b"x=1"), False),
        (twilio(), method == "POST"),
    ):
        for kind in (FORM, "application/json"):
            lines = byte_lines({**genuine.headers, "content-type": kind})
            pieces = [genuine.body, b""]
            flow = chain.flow(Head(method, "/hook", "", lines, NOW))
            if good and (not genuine.body or kind == FORM):
                run(flow, lambda pieces=pieces: pieces.pop(0), Unremembering())  # type: ignore[misc]
                continue
            with pytest.raises((BodyMalformed, SignatureMismatch)):
                run(flow, lambda pieces=pieces: pieces.pop(0), Unremembering())  # type: ignore[misc]


def test_json_is_proven_by_its_digest_in_the_url(endpoint: MakeEndpoint) -> None:
    made = route(endpoint, TWILIO)
    genuine = twilio(b'{"a":1}', headers={"content-type": "application/json"})
    assert f"bodySHA256={hashlib.sha256(genuine.body).hexdigest()}" in genuine.url
    assert made.post(genuine).status == 200
    assert (made.last.coverage, made.last.json()) == ("body", {"a": 1})
    refused(made, genuine._replace(body=b'{"a":2}'), "signature_mismatch")
    other = f"{URL}?bodySHA256={hashlib.sha256(b'{}').hexdigest()}"
    refused(made, genuine._replace(body=b"{}", url=other), "signature_mismatch")
    refused(made, genuine._replace(url=f"{genuine.url}&bodySHA256={'0' * 64}"), "header_duplicated")
    refused(made, genuine._replace(url=URL), "body_malformed")
    upper = genuine.url.partition("=")[2].upper()
    refused(made, genuine._replace(url=f"{URL}?bodySHA256={upper}"), "signature_malformed")


def test_a_get_has_its_parameters_in_the_url(endpoint: MakeEndpoint) -> None:
    made = route(endpoint, TWILIO)
    genuine = twilio(method="GET")
    assert (genuine.method, genuine.body, genuine.url) == ("GET", b"", f"{URL}?Body=pay+10&From=%2B1")
    assert made.post(genuine).status == 200
    assert made.last.fields == {"Body": "pay 10", "From": "+1"}
    refused(made, genuine._replace(url=f"{URL}?Body=pay+11&From=%2B1"), "signature_mismatch")
    assert made.post(genuine._replace(method="PUT")).status == 405


def test_a_signature_without_a_body_is_looked_for_in_the_head_first(endpoint: MakeEndpoint) -> None:
    for record in (TWILIO, MANDRILL, PLIVO):
        made = route(endpoint, record)
        refused(made, Delivery("POST", "/hook", {"content-type": FORM}, b"a=1"), "signature_missing")


# Mandrill.


def test_mandrill_signs_each_field_once_and_its_test_key_is_a_test(endpoint: MakeEndpoint) -> None:
    made = route(endpoint, MANDRILL, [SECRET, Secret("test-webhook", test=True)], on_test="mark")
    genuine = MANDRILL.sign({"mandrill_events": "[]"}, secret=SECRET, url=URL)
    refused(made, genuine._replace(body=genuine.body + b"&mandrill_events=%5B%5D"), "body_malformed")
    assert made.post(genuine).status == 200
    assert (dict(made.last.fields), made.last.test) == ({"mandrill_events": "[]"}, False)
    assert made.post(MANDRILL.sign({"mandrill_events": "[]"}, secret="test-webhook", url=URL)).status == 200
    assert made.last.test is True


# Plivo.


def test_plivo_signs_the_sorted_query_the_form_and_a_nonce(endpoint: MakeEndpoint) -> None:
    made = route(endpoint, PLIVO)
    genuine = PLIVO.sign(b"To=1&From=2", secret=SECRET, url=f"{URL}?b=2&a=1", at=NOW)
    assert made.post(genuine._replace(url="/hook?a=1&b=2")).status == 200
    assert made.last.fields == {"To": "1", "From": "2"}
    other = {**genuine.headers, "x-plivo-signature-v3-nonce": "1"}
    refused(made, genuine._replace(headers=other), "signature_mismatch")
    refused(made, genuine._replace(body=b"To=1&From=2&To=3"), "body_malformed")
    refused(made, genuine._replace(url="/hook?a=1%26b=2"), "body_malformed")
    without = {name: text for name, text in genuine.headers.items() if not name.endswith("nonce")}
    refused(made, genuine._replace(headers=without), "signature_malformed")
    called = PLIVO.sign(b"", secret=SECRET, url=f"{URL}?To=1", method="GET", at=NOW)
    assert made.post(called).status == 200
    refused(made, called._replace(body=b"To=1", headers={**called.headers, "content-type": FORM}), "body_malformed")


# HubSpot.


def test_hubspots_escapes_count_as_what_they_stand_for_and_others_do_not(endpoint: MakeEndpoint) -> None:
    made = route(endpoint, HUBSPOT)
    genuine = HUBSPOT.sign(b"[]", secret=SECRET, url=f"{URL}?a=%2f%3A,%26", at=NOW)
    assert made.post(genuine._replace(url="/hook?a=/:%2C%26")).status == 200
    refused(made, genuine._replace(url="/hook?a=/:,&"), "signature_mismatch")
    for number, plain in enumerate(":/?@!$'()*,;"):
        every = HUBSPOT.sign(f"[{number}]".encode(), secret=SECRET, url=f"{URL}?a={plain}", at=NOW)
        assert made.post(every._replace(url=f"/hook?a={quote(plain, safe='')}")).status == 200
    refused(made, genuine._replace(method="GET"), "signature_mismatch")
    late = HUBSPOT.sign(b"[]", secret=SECRET, url=URL, at=NOW - 301)
    refused(made, late, "timestamp_expired")


def test_the_version_that_a_request_names_is_not_believed(endpoint: MakeEndpoint) -> None:
    made = route(endpoint, HUBSPOT)
    old = HUBSPOT_V1.sign(b"[]", secret=SECRET)
    headers = {**old.headers, "x-hubspot-signature-version": "v1"}
    refused(made, old._replace(url="/hook", headers=headers), "signature_missing")


def test_what_a_length_extension_can_append_to_version_1_is_no_json(endpoint: MakeEndpoint) -> None:
    """What the record's quirks say, shown: a body that holds the padding is no UTF-8, whatever else follows."""
    padding = b"\x80" + b"\0" * 20 + (8 * (len(SECRET) + 2)).to_bytes(8, "big")
    with pytest.raises(ValueError, match="utf-8"):
        json.loads(b"[]" + padding + b"[]")
    made = route(endpoint, HUBSPOT_V1)
    genuine = HUBSPOT_V1.sign(b"[]", secret=SECRET, url="/hook")
    assert genuine.headers["x-hubspot-signature"] == hashlib.sha256(SECRET.encode() + b"[]").hexdigest()
    refused(made, genuine._replace(body=b"[1]"), "signature_mismatch")
    assert made.post(genuine).status == 200


# Plain hashes.


@pytest.mark.parametrize("algorithm", PLAIN_ALGORITHMS)
def test_a_plain_hash_is_that_of_secret_and_content(algorithm: str) -> None:
    name, _, place = algorithm.partition("-secret-")
    joined = b"secretcontent" if place == "prefix" else b"contentsecret"
    key = PlainKey(algorithm, b"secret")
    assert key.sign(b"content") == hashlib.new(name, joined).digest()
    running = key.start()
    for piece in (b"con", b"tent"):
        running.update(piece)
    assert key.digest(running) == key.digest(running) == key.sign(b"content")
    with pytest.raises(ConfigError, match="empty"):
        PlainKey(algorithm, b"\0")


def test_cloudinary_accounts_of_the_other_hash_are_another_record(endpoint: MakeEndpoint) -> None:
    newer = CLOUDINARY.using(algorithm="sha256-secret-suffix")
    made = route(endpoint, newer)
    refused(made, CLOUDINARY.sign(b"{}", secret=SECRET, url="/hook", at=NOW), "signature_malformed")
    assert made.post(newer.sign(b"{}", secret=SECRET, url="/hook", at=NOW)).status == 200


# Contentful.


def contentful(**headers: str) -> Delivery:
    given = {"content-type": "application/json", **headers}
    return CONTENTFUL.sign(b'{"a":1}', secret=SECRET, url="/hook?x=a b", at=NOW, headers=given)


def test_contentful_signs_the_headers_it_lists(endpoint: MakeEndpoint) -> None:
    made = route(endpoint, CONTENTFUL)
    genuine = contentful(**{"x-contentful-topic": "Entry.publish"})
    refused(
        made, genuine._replace(headers={**genuine.headers, "x-contentful-topic": "Entry.delete"}), "signature_mismatch"
    )
    assert made.post(genuine).status == 200
    assert made.last.timestamp == NOW


@pytest.mark.parametrize(
    "listed",
    [
        "",
        "content-type",
        "content-type,x-contentful-signed-headers",
        "content-type,x-contentful-timestamp",
        "content-type,content-type,x-contentful-signed-headers,x-contentful-timestamp",
        "absent,x-contentful-signed-headers,x-contentful-timestamp",
        "Content-Type,x-contentful-signed-headers,x-contentful-timestamp",
    ],
)
def test_a_list_of_headers_that_leaves_out_what_it_must_hold_is_refused(listed: str, endpoint: MakeEndpoint) -> None:
    made = route(endpoint, CONTENTFUL)
    genuine = contentful()
    headers = {**genuine.headers, "x-contentful-signed-headers": listed}
    refused(made, genuine._replace(headers=headers), "signature_malformed")


def test_one_header_cannot_be_cut_into_two(endpoint: MakeEndpoint) -> None:
    made = route(endpoint, CONTENTFUL)
    genuine = contentful(**{"x-a": "1;x-b:2", "x-b": "3"})
    refused(made, genuine, "signature_malformed")
    refused(made, genuine._replace(headers={**genuine.headers, "x-a": "1", "x-b": "2;x-b:3"}), "signature_malformed")


def test_a_signed_header_sent_twice_is_refused(endpoint: MakeEndpoint) -> None:
    made = route(endpoint, CONTENTFUL)
    genuine = contentful(**{"x-a": "1"})
    lines = [*genuine.headers.items(), ("x-a", "2")]
    assert made.post(Request("POST", genuine.url, lines, genuine.body)).status == 403
    assert made.calls == []


# Adyen.


def item(**facts: Any) -> dict[str, Any]:
    usual = {"pspReference": "791", "merchantReference": "order 1", "eventCode": "AUTHORISATION", "success": "true"}
    return {"NotificationRequestItem": {**usual, "amount": {"currency": "EUR", "value": 1130}, **facts}}


def adyen(*items: dict[str, Any], secret: str = samples.WRITTEN["hex"]) -> Delivery:
    return ADYEN.sign({"live": "false", "notificationItems": list(items)}, secret=secret, url="/hook")


def with_items(delivery: Delivery, *items: Any) -> Delivery:
    document = json.loads(delivery.body) | {"notificationItems": list(items)}
    return delivery._replace(body=json.dumps(document).encode())


def items_of(delivery: Delivery) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(delivery.body)["notificationItems"]
    return found


def test_every_notification_is_proven_and_told(endpoint: MakeEndpoint) -> None:
    made = route(endpoint, ADYEN, samples.WRITTEN["hex"])
    assert made.post(adyen(item(), item(pspReference="792", originalReference="791"))).status == 200
    first, second = made.last.items
    assert (first["value"], first["originalReference"], second["originalReference"]) == ("1130", "", "791")
    assert made.last.fields == {}
    assert made.post(adyen(item(pspReference="793"))).status == 200
    assert [one["pspReference"] for one in made.last.items] == ["793"]


def test_one_bad_notification_among_good_ones_refuses_them_all(endpoint: MakeEndpoint) -> None:
    made = route(endpoint, ADYEN, samples.WRITTEN["hex"])
    genuine = adyen(item(), item(pspReference="792"))
    good, other = items_of(genuine)
    for field, value in {"success": "false", "pspReference": "7", "merchantReference": "order 2"}.items():
        forged = json.loads(json.dumps(other))
        forged["NotificationRequestItem"][field] = value
        refused(made, with_items(genuine, good, forged), "signature_mismatch")
    unsigned = item(pspReference="794")
    refused(made, with_items(genuine, good, unsigned), "signature_missing")
    refused(made, with_items(genuine, unsigned, good), "signature_missing")
    refused(made, with_items(genuine, good, {"Other": other["NotificationRequestItem"]}), "body_malformed")
    refused(made, with_items(genuine, good, good), "body_malformed")
    refused(made, with_items(genuine), "body_malformed")
    assert made.calls == []
    assert made.post(genuine).status == 200


def test_notifications_under_two_secrets_were_put_together_by_somebody_else(endpoint: MakeEndpoint) -> None:
    old = samples.WRITTEN["hex"][::-1]
    made = route(endpoint, ADYEN, [samples.WRITTEN["hex"], old])
    new_one, old_one = items_of(adyen(item())), items_of(adyen(item(pspReference="792"), secret=old))
    refused(made, with_items(adyen(item()), *new_one, *old_one), "signature_mismatch")
    assert made.post(with_items(adyen(item()), *old_one)).status == 200
    assert made.last.key_index == 1


def test_a_captured_notification_is_not_new_in_another_batch(endpoint: MakeEndpoint) -> None:
    made = route(endpoint, ADYEN, samples.WRITTEN["hex"])
    seen, other = adyen(item()), adyen(item(pspReference="792"))
    assert made.post(seen).status == 200
    assert made.post(seen).header("hooklatch-duplicate")
    refused(made, with_items(seen, *items_of(other), *items_of(seen)), "duplicate_altered")
    refused(made, with_items(seen, *items_of(seen), *items_of(other)), "duplicate_altered")
    assert made.post(other).status == 200
    assert len(made.calls) == 2


def test_characters_cannot_move_from_one_field_of_a_notification_to_another(endpoint: MakeEndpoint) -> None:
    made = route(endpoint, ADYEN, samples.WRITTEN["hex"])
    genuine = adyen(item(merchantAccountCode="shop", merchantReference="a:b:1"))
    (signed,) = items_of(genuine)
    moved = json.loads(json.dumps(signed))
    moved["NotificationRequestItem"] |= {"merchantAccountCode": "shop:a", "merchantReference": "b:1"}
    refused(made, with_items(genuine, moved), "body_malformed")
    assert made.post(genuine).status == 200
    assert made.last.items[0]["merchantReference"] == "a:b:1"


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.replace(b'"success":"true"', b'"success":"true","success":"true"'),
        lambda body: body.replace(b'"success":"true"', b'"success":"true","succ\\u0065ss":"false"'),
        lambda body: body.replace(b'"success":"true"', b'"success":true'),
        lambda body: body.replace(b'"value":1130', b'"value":1130.0'),
        lambda body: body.replace(b'"notificationItems"', b'"notificationItems":[],"notificationItems"'),
        lambda body: body.decode().encode("utf-16"),
    ],
)
def test_a_body_that_can_be_read_in_two_ways_is_refused(
    change: Callable[[bytes], bytes], endpoint: MakeEndpoint
) -> None:
    made = route(endpoint, ADYEN, samples.WRITTEN["hex"])
    genuine = adyen(item())
    changed = change(genuine.body)
    assert changed != genuine.body
    refused(made, genuine._replace(body=changed), "body_malformed")
    typed = genuine._replace(headers={**genuine.headers, "content-type": FORM})
    refused(made, typed, "body_malformed")
    assert made.post(genuine).status == 200


def test_null_and_absent_are_empty_alike(endpoint: MakeEndpoint) -> None:
    made = route(endpoint, ADYEN, samples.WRITTEN["hex"])
    genuine = adyen(item())
    changed = genuine.body.replace(b'"pspReference"', b'"originalReference":null,"pspReference"')
    assert made.post(genuine._replace(body=changed)).status == 200


# Mailgun.


def mailgun(event: str = "opened", **given: Any) -> Delivery:
    body = {"signature": {"token": TOKEN}, "event-data": {"event": event}}
    return MAILGUN.sign(body, secret=SECRET, **{"at": NOW, "url": "/hook", **given})


def test_a_captured_triple_fits_no_second_body(endpoint: MakeEndpoint) -> None:
    made = route(endpoint, MAILGUN)
    genuine = mailgun()
    assert made.post(genuine).status == 200
    assert (made.last.id, made.last.timestamp, made.last.coverage) == (TOKEN, NOW, "fields")
    forged = genuine._replace(body=genuine.body.replace(b"opened", b"failed"))
    assert forged != genuine
    refused(made, forged, "duplicate_altered")
    assert made.post(genuine).header("hooklatch-duplicate")
    assert len(made.calls) == 1


def test_mailguns_time_is_checked_and_its_token_remembered_for_as_long(endpoint: MakeEndpoint) -> None:
    made = route(endpoint, MAILGUN, max_age=300)
    refused(made, mailgun(at=NOW - 301), "timestamp_expired")
    chain = MAILGUN.chain(SECRET)
    assert MAILGUN.max_age is not None
    assert chain.duplicate_ttl >= MAILGUN.max_age + MAILGUN.max_skew > MAILGUN.retries


def test_a_route_of_inbound_mail_has_the_triple_as_fields(endpoint: MakeEndpoint) -> None:
    made = route(endpoint, MAILGUN_ROUTES)
    genuine = MAILGUN_ROUTES.sign({"subject": "Hi"}, secret=SECRET, id=TOKEN, at=NOW, url="/hook")
    refused(made, genuine._replace(body=genuine.body + b"&token=x"), "body_malformed")
    refused(made, genuine._replace(headers={"content-type": "multipart/form-data; boundary=b"}), "body_malformed")
    assert made.post(genuine).status == 200
    refused(made, genuine._replace(body=genuine.body.replace(b"Hi", b"Ho")), "duplicate_altered")


# Midtrans.


def test_midtrans_proves_three_fields_of_any_body_as_long_as_its_key(endpoint: MakeEndpoint) -> None:
    made = route(endpoint, MIDTRANS)
    genuine = MIDTRANS.sign(samples.BODIES["midtrans"], secret=SECRET, url="/hook")
    assert made.post(genuine).status == 200
    assert made.post(genuine._replace(body=genuine.body.replace(b"deny", b"settlement"))).status == 200
    assert len(made.calls) == 2
    refused(made, genuine._replace(body=genuine.body.replace(b"1111", b"1112")), "signature_mismatch")


# Braintree.


def braintree(payload: str = "PG5vdGlmaWNhdGlvbi8+\n") -> Delivery:
    return BRAINTREE.sign({"bt_payload": payload}, secret=SECRET, url="/hook", expect={"public_key": "ours"})


def signed_by(delivery: Delivery, *pairs: str) -> Delivery:
    payload = "PG5vdGlmaWNhdGlvbi8+\n"
    return delivery._replace(body=urlencode({"bt_payload": payload, "bt_signature": "&".join(pairs)}).encode())


def pair_of(delivery: Delivery) -> str:
    return delivery.body.decode().partition("bt_signature=")[2].replace("%7C", "|")


def test_braintree_is_judged_by_the_pair_of_ones_own_public_key(endpoint: MakeEndpoint) -> None:
    made = route(endpoint, BRAINTREE, expect={"public_key": "ours"})
    genuine = braintree()
    right = pair_of(genuine)
    assert right.startswith("ours|")
    refused(made, signed_by(genuine, right.replace("ours", "theirs")), "signature_missing")
    refused(made, signed_by(genuine, "ours"), "signature_missing")
    refused(made, signed_by(genuine, "ours|" + "0" * 40), "signature_mismatch")
    refused(made, genuine._replace(body=genuine.body + b"&bt_payload=eA%3D%3D"), "body_malformed")
    refused(made, genuine._replace(body=genuine.body.replace(b"PG5v", b"PG5%3B")), "body_malformed")
    assert made.post(signed_by(genuine, "theirs|" + "0" * 40, right)).status == 200
    assert made.last.fields == {"bt_payload": "PG5vdGlmaWNhdGlvbi8+\n"}


def test_braintrees_payload_counts_with_a_line_break_that_its_sender_lost(endpoint: MakeEndpoint) -> None:
    made = route(endpoint, BRAINTREE, expect={"public_key": "ours"})
    genuine = braintree()
    lost = genuine._replace(body=genuine.body.replace(b"%0A", b""))
    assert made.post(genuine).status == 200
    refused(made, lost, "duplicate_altered")


def test_braintree_cannot_be_configured_without_its_public_key() -> None:
    for expect in ({}, {"public_key": ""}, {"other": "x"}):
        with pytest.raises(ConfigError, match="expect"):
            BRAINTREE.chain(SECRET, expect=expect)
    with pytest.raises(ConfigError, match="public key"):
        BRAINTREE.sign({"bt_payload": "eA=="}, secret=SECRET)
    with pytest.raises(ConfigError, match="bt_payload"):
        BRAINTREE.sign(b"a=1", secret=SECRET, expect={"public_key": "ours"})


# Public keys over forms.


def paddle(body: bytes = b"alert_id=7&alert_name=paid&amount=10.00") -> Delivery:
    return rsa_delivery(PADDLE_CLASSIC, SHA1, body)


def test_paddles_form_is_proven_as_php_writes_it(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={"/hook": PADDLE_CLASSIC.chain(public_keys=PEM)})
    genuine = paddle(b"alert_id=7&email=%C3%A9%40b.example&alert_name=")
    assert made.post(genuine).status == 200
    assert (made.last.id, dict(made.last.fields)) == ("7", {"alert_id": "7", "email": "é@b.example", "alert_name": ""})
    assert made.post(paddle(b"alert_id=7&more=1")).status == 409


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda body: body.replace(b"10.00", b"10.01"), "signature_mismatch"),
        (lambda body: body + b"&more=1", "signature_mismatch"),
        (lambda body: body + b"&amount=1", "body_malformed"),
        (lambda body: body + b"&a.b=1", "body_malformed"),
        (lambda body: body + b"&7=1", "body_malformed"),
        (lambda body: body + b"&p_signature=eA%3D%3D", "body_malformed"),
        (lambda body: body.partition(b"&p_signature")[0], "signature_missing"),
        (lambda body: body.replace(b"amount=10.00", b"amoun=t10.00"), "signature_mismatch"),
    ],
)
def test_an_altered_form_of_paddle_is_refused(
    change: Callable[[bytes], bytes], reason: str, endpoint: MakeEndpoint
) -> None:
    made = endpoint(routes={"/hook": PADDLE_CLASSIC.chain(public_keys=PEM)})
    genuine = paddle()
    refused(made, genuine._replace(body=change(genuine.body)), reason)
    assert made.post(genuine).status == 200


def test_alipays_pairs_cannot_be_cut_in_another_place(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={"/hook": ALIPAY.chain(public_keys=PEM)})
    genuine = rsa_delivery(ALIPAY, SHA256, b"notify_id=1&a_id=x&trade_status=TRADE_SUCCESS&sign_type=RSA2")
    joined = genuine.body.replace(b"a_id=x&", b"").replace(b"notify_id=1", b"a_id=x%26notify_id%3D1")
    assert joined != genuine.body
    refused(made, genuine._replace(body=joined), "body_malformed")
    refused(made, genuine._replace(body=genuine.body.replace(b"SUCCESS", b"CLOSED")), "signature_mismatch")
    unsigned = genuine._replace(body=genuine.body.partition(b"&sign=")[0])
    refused(made, unsigned, "signature_missing")
    assert made.post(genuine).status == 200
    assert (made.last.id, made.last.fields["trade_status"]) == ("1", "TRADE_SUCCESS")


# The protocol.


def test_a_request_that_offers_nothing_in_its_head_is_no_list_of_nothing() -> None:
    head = Head("POST", "/hook", "", byte_lines({}), NOW)
    with pytest.raises(SignatureMissing):
        Setting(TWILIO, URL).offered(head)


def test_what_cannot_be_signed_is_a_mistake_of_the_caller() -> None:
    for record, body in ((ADYEN, b"{}"), (ADYEN, b"["), (MANDRILL, b"\xff")):
        with pytest.raises(ConfigError):
            record.sign(body, secret=samples.WRITTEN["hex"], url=URL)
