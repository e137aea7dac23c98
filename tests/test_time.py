"""The timestamp and the age: where it stands, how it is written, and how far it may lie from our clock."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable
from typing import Any

import pytest

from hooklatch import ConfigError, FormField, Header, JSONField, Provider, Query
from hooklatch.providers import GITHUB, MOMENTO, SPECKLE, STANDARD_WEBHOOKS, STRIPE
from hooklatch.testing import Request
from hooklatch.types import Delivery
from worlds import NOW, Endpoint

MakeEndpoint = Callable[..., Endpoint]

SECRET = "correct-horse-battery-staple"
BODY = b'{"text":"hello"}'
DAY = 86400
STAMP = "1700000000"

# Digits to Python, and no digits to a verdict.
ARABIC = {48 + digit: 0x660 + digit for digit in range(10)}
FULL_WIDTH = {48 + digit: 0xFF10 + digit for digit in range(10)}

HEADER = Provider(
    name="header",
    signature=Header("x-signature"),
    timestamp=Header("x-timestamp"),
    signed="{timestamp}.{body}",
    max_age=300,
    max_skew=60,
)
MILLIS = HEADER.using(name="millis", timestamp_unit="ms")
RFC3339 = HEADER.using(name="rfc3339", timestamp_unit="rfc3339")
PART = HEADER.using(name="part", signature=Header("x-signature", part="v1"), timestamp=Header("x-signature", part="t"))
QUERY = HEADER.using(name="query", timestamp=Query("at"))
IN_BODY = HEADER.using(name="in_body", timestamp=JSONField("sent"), signed="{body}")
DEEPER = IN_BODY.using(name="deeper", timestamp=JSONField("meta", "sent"))
IN_BODY_TEXT = IN_BODY.using(name="in_body_text", timestamp_unit="rfc3339")
IN_FORM = HEADER.using(name="in_form", timestamp=FormField("sent"), signed="{body}")

PLACES = [HEADER, MILLIS, RFC3339, PART, QUERY, IN_BODY, IN_BODY_TEXT, IN_FORM, MOMENTO, STRIPE, STANDARD_WEBHOOKS]
in_all_places = pytest.mark.parametrize("record", PLACES, ids=lambda record: record.name)


def tag(content: bytes, algorithm: str = "sha256") -> str:
    return hmac.new(SECRET.encode(), content, algorithm).hexdigest()


def headed(text: str, *, record: Provider = HEADER, body: bytes = BODY) -> Request:
    """Return a request with *text* as its signed timestamp, signed without any help of hooklatch."""
    signature = tag(text.encode("latin-1") + b"." + body)
    if record is PART:
        return Request("POST", "/hook", {"x-signature": f"t={text},v1={signature}"}, body)
    return Request("POST", "/hook", {"x-signature": signature, "x-timestamp": text}, body)


def with_body(body: str | bytes, record: Provider = IN_BODY) -> Request:
    """Return a request with a signed *body* that holds the timestamp."""
    raw = body if isinstance(body, bytes) else body.encode()
    if record is MOMENTO:
        return Request("POST", "/hook", {"momento-signature": tag(raw, "sha3-256")}, raw)
    return Request("POST", "/hook", {"x-signature": tag(raw)}, raw)


def made(record: Provider, at: float, secret: str = SECRET) -> Delivery:
    whole = b"text=hello" if record is IN_FORM else BODY
    return record.sign(whole, secret=key_of(record, secret), at=at, url="/hook")


def key_of(record: Provider, secret: str = SECRET) -> str:
    return "whsec_" + base64.b64encode(secret.encode()).decode() if record.key_encoding == "whsec" else secret


def routed(endpoint: MakeEndpoint, record: Provider = HEADER, **options: Any) -> Endpoint:
    return endpoint(routes={"/hook": record.chain(key_of(record), **options)})


def assert_refused(app: Endpoint, request: Request | Delivery, *reasons: str) -> None:
    assert app.post(request).status in {401, 403}
    assert app.reason in reasons
    assert app.calls == []


def assert_accepted(app: Endpoint, request: Request | Delivery) -> None:
    answer = app.post(request)
    assert (answer.status, app.reason) == (200, "")


# The edges.


@in_all_places
def test_the_proven_time_and_the_age_are_shown(endpoint: MakeEndpoint, record: Provider) -> None:
    app = routed(endpoint, record)
    app.clock.now = NOW + 12.5
    assert_accepted(app, made(record, NOW))
    assert (app.last.received_at, app.last.timestamp, app.last.age) == (NOW + 12.5, NOW, 12.5)


@in_all_places
def test_the_oldest_accepted_delivery_is_exactly_max_age_old(endpoint: MakeEndpoint, record: Provider) -> None:
    app = routed(endpoint, record, max_age=120)
    app.clock.now = NOW + 120
    assert_accepted(app, made(record, NOW))
    late = routed(endpoint, record, max_age=120)
    late.clock.now = NOW + 120.001
    assert_refused(late, made(record, NOW), "timestamp_expired")


@in_all_places
def test_the_newest_accepted_delivery_is_exactly_max_skew_ahead(endpoint: MakeEndpoint, record: Provider) -> None:
    app = routed(endpoint, record, max_skew=10)
    app.clock.now = NOW - 10
    assert_accepted(app, made(record, NOW))
    early = routed(endpoint, record, max_skew=10)
    early.clock.now = NOW - 10.001
    assert_refused(early, made(record, NOW), "timestamp_in_future")


@pytest.mark.parametrize("record", [HEADER, IN_BODY], ids=lambda record: record.name)
def test_past_and_future_are_two_numbers(endpoint: MakeEndpoint, record: Provider) -> None:
    app = routed(endpoint, record, max_age=5, max_skew=100)
    assert_refused(app, made(record, NOW - 6), "timestamp_expired")
    assert_refused(app, made(record, NOW + 101), "timestamp_in_future")
    assert_accepted(app, made(record, NOW + 100))


@pytest.mark.parametrize(
    ("record", "seconds", "reason"),
    [
        (MOMENTO, 61, "timestamp_expired"),
        (MOMENTO, -61, "timestamp_in_future"),
        (STRIPE, 301, "timestamp_expired"),
        (STRIPE, -301, "timestamp_in_future"),
        (STANDARD_WEBHOOKS, 301, "timestamp_expired"),
        (STANDARD_WEBHOOKS, -301, "timestamp_in_future"),
    ],
)
def test_the_senders_advice_is_the_default(
    endpoint: MakeEndpoint, record: Provider, seconds: float, reason: str
) -> None:
    inside = seconds - (1 if seconds > 0 else -1)
    assert_accepted(routed(endpoint, record), made(record, NOW - inside))
    assert_refused(routed(endpoint, record), made(record, NOW - seconds), reason)


def test_a_delivery_that_grew_old_is_refused_and_not_acknowledged_as_a_duplicate(endpoint: MakeEndpoint) -> None:
    app = routed(endpoint)
    request = made(HEADER, NOW)
    assert_accepted(app, request)
    app.clock.advance(301)
    assert app.post(request).status == 401
    assert app.reason == "timestamp_expired"


# How it is written.

GOOD: dict[str, tuple[Provider, str, float]] = {
    "seconds": (HEADER, "1700000000", NOW),
    "seconds as a part": (PART, "1700000000", NOW),
    "milliseconds": (MILLIS, "1700000000123", NOW + 0.123),
    "rfc3339": (RFC3339, "2023-11-14T22:13:20Z", NOW),
    "rfc3339 in lower case": (RFC3339, "2023-11-14t22:13:20z", NOW),
    "rfc3339 with an offset": (RFC3339, "2023-11-15T03:43:20+05:30", NOW),
    "rfc3339 with an offset to the west": (RFC3339, "2023-11-14T13:13:20-09:00", NOW),
    "rfc3339 with no offset": (RFC3339, "2023-11-14T22:13:20+00:00", NOW),
    "rfc3339 with an unknown offset": (RFC3339, "2023-11-14T22:13:20-00:00", NOW),
    "rfc3339 with the widest offset": (RFC3339, "2023-11-15T22:12:20+23:59", NOW),
    "rfc3339 with a tenth": (RFC3339, "2023-11-14T22:13:20.5Z", NOW + 0.5),
    "rfc3339 with milliseconds": (RFC3339, "2023-11-14T22:13:20.125Z", NOW + 0.125),
    "rfc3339 with microseconds": (RFC3339, "2023-11-14T22:13:20.250000+00:00", NOW + 0.25),
    "rfc3339 with nanoseconds": (RFC3339, "2023-11-14T22:13:20.125000000Z", NOW + 0.125),
    "rfc3339 of a leap day": (RFC3339.using(name="leap"), "2024-02-29T12:00:00Z", 1_709_208_000.0),
}


@pytest.mark.parametrize(("record", "text", "moment"), GOOD.values(), ids=GOOD)
def test_a_timestamp_is_read_as_it_is_written(
    endpoint: MakeEndpoint, record: Provider, text: str, moment: float
) -> None:
    app = routed(endpoint, record)
    app.clock.now = moment
    assert_accepted(app, headed(text, record=record))
    assert app.last.timestamp == pytest.approx(moment, abs=1e-6)


BAD: dict[str, tuple[Provider, str]] = {
    "a word": (HEADER, "now"),
    "zero": (HEADER, "0"),
    "a leading zero": (HEADER, "01700000000"),
    "a sign": (HEADER, "+1700000000"),
    "before 1970": (HEADER, "-1700000000"),
    "an underscore": (HEADER, "1_700_000_000"),
    "a fraction": (HEADER, "1700000000.5"),
    "an exponent": (HEADER, "17e8"),
    "hex": (HEADER, "0x6553f100"),
    "a blank inside": (HEADER, "1700 000000"),
    "two": (HEADER, "1700000000,1700000000"),
    "two, with a blank": (HEADER, "1700000000, 1700000000"),
    "milliseconds for seconds": (HEADER, "1700000000000"),
    "a thousand digits": (HEADER, "1" * 1000),
    "nine thousand digits": (HEADER, "1" * 9000),
    "nan": (HEADER, "nan"),
    "inf": (HEADER, "inf"),
    "superscripts": (HEADER, "1700000000\xb2"),
    "a no-break space": (HEADER, "1700000000\xa0"),
    "rfc3339 for seconds": (HEADER, "2023-11-14T22:13:20Z"),
    "an empty part": (PART, ""),
    "a part with a blank": (PART, " 1700000000"),
    "a part in quotes": (PART, '"1700000000"'),
    "a fraction of a millisecond": (MILLIS, "1700000000000.5"),
    "microseconds for milliseconds": (MILLIS, "1700000000000000"),
    "seconds for rfc3339": (RFC3339, "1700000000"),
    "no zone": (RFC3339, "2023-11-14T22:13:20"),
    "a blank for the T": (RFC3339, "2023-11-14 22:13:20Z"),
    "no seconds": (RFC3339, "2023-11-14T22:13Z"),
    "no date": (RFC3339, "22:13:20Z"),
    "no time": (RFC3339, "2023-11-14Z"),
    "the basic form": (RFC3339, "20231114T221320Z"),
    "a week date": (RFC3339, "2023-W46-2T22:13:20Z"),
    "an ordinal date": (RFC3339, "2023-318T22:13:20Z"),
    "one digit": (RFC3339, "2023-11-14T22:13:2Z"),
    "five digits of a year": (RFC3339, "12023-11-14T22:13:20Z"),
    "a point without digits": (RFC3339, "2023-11-14T22:13:20.Z"),
    "ten digits of a second": (RFC3339, "2023-11-14T22:13:20.1234567890Z"),
    "a comma": (RFC3339, "2023-11-14T22:13:20,5Z"),
    "two zones": (RFC3339, "2023-11-14T22:13:20Z+00:00"),
    "a short offset": (RFC3339, "2023-11-14T22:13:20+00"),
    "an offset without a colon": (RFC3339, "2023-11-14T22:13:20+0000"),
    "a named zone": (RFC3339, "2023-11-14T22:13:20UTC"),
    "the 31st of November": (RFC3339, "2023-11-31T22:13:20Z"),
    "the 30th of February": (RFC3339, "2024-02-30T22:13:20Z"),
    "a leap day of no leap year": (RFC3339, "2023-02-29T22:13:20Z"),
    "month 0": (RFC3339, "2023-00-14T22:13:20Z"),
    "month 13": (RFC3339, "2023-13-14T22:13:20Z"),
    "day 0": (RFC3339, "2023-11-00T22:13:20Z"),
    "year 0": (RFC3339, "0000-11-14T22:13:20Z"),
    "hour 24": (RFC3339, "2023-11-13T24:00:00Z"),
    "hour 25": (RFC3339, "2023-11-14T25:13:20Z"),
    "minute 60": (RFC3339, "2023-11-14T21:60:20Z"),
    "a leap second": (RFC3339, "2023-11-14T22:12:60Z"),
    "second 61": (RFC3339, "2023-11-14T22:12:61Z"),
    "an offset of 24 hours": (RFC3339, "2023-11-15T22:13:20+24:00"),
    "an offset of 60 minutes": (RFC3339, "2023-11-15T04:13:20+05:60"),
    "a moment before all years": (RFC3339, "0001-01-01T00:00:00+23:59"),
    "a moment after all years": (RFC3339, "9999-12-31T23:59:59-23:59"),
    "text behind it": (RFC3339, "2023-11-14T22:13:20Z."),
    "superscripts in a date": (RFC3339, "2023-11-14T22:13:2\xb2Z"),
}


@pytest.mark.parametrize(("record", "text"), BAD.values(), ids=BAD)
def test_a_timestamp_that_breaks_its_grammar_is_malformed(endpoint: MakeEndpoint, record: Provider, text: str) -> None:
    app = routed(endpoint, record, max_age=DAY, max_skew=DAY)
    assert_refused(app, headed(text, record=record), "timestamp_malformed")


@pytest.mark.parametrize(
    ("record", "text", "reason"),
    [
        (HEADER, "1", "timestamp_expired"),
        (MILLIS, "1700000000", "timestamp_expired"),
        (HEADER, "17000000000", "timestamp_in_future"),
        (RFC3339, "0001-01-01T00:00:00Z", "timestamp_expired"),
        (RFC3339, "9999-12-31T23:59:59Z", "timestamp_in_future"),
    ],
)
def test_a_timestamp_far_away_is_judged_and_not_malformed(
    endpoint: MakeEndpoint, record: Provider, text: str, reason: str
) -> None:
    assert_refused(routed(endpoint, record), headed(text, record=record), reason)


@pytest.mark.parametrize("text", ["", " ", "\t"], ids=repr)
def test_an_empty_header_is_a_missing_timestamp(endpoint: MakeEndpoint, text: str) -> None:
    assert_refused(routed(endpoint), headed(text), "timestamp_missing")


def without(request: Request, name: str) -> Request:
    assert isinstance(request.headers, dict)
    return request._replace(headers={k: v for k, v in request.headers.items() if k != name})


def test_an_absent_timestamp_is_refused(endpoint: MakeEndpoint) -> None:
    assert_refused(routed(endpoint), without(headed("1700000000"), "x-timestamp"), "timestamp_missing")
    part = Request("POST", "/hook", {"x-signature": f"v1={tag(b'.' + BODY)}"}, BODY)
    assert_refused(routed(endpoint, PART), part, "timestamp_missing")
    query = made(QUERY, NOW)._replace(url="/hook?to=1700000000")
    assert_refused(routed(endpoint, QUERY), query, "timestamp_missing")


def test_a_repeated_timestamp_is_refused(endpoint: MakeEndpoint) -> None:
    good = headed("1700000000")
    assert isinstance(good.headers, dict)
    lines = [*good.headers.items(), ("x-timestamp", "1700000000")]
    app = routed(endpoint)
    # WSGI servers join the two lines with a comma, for which the grammar has no place.
    expected = "timestamp_malformed" if app.world == "wsgi" else "header_duplicated"
    assert_refused(app, good._replace(headers=lines), expected)
    assert_accepted(app, good)


def test_a_repeated_part_is_refused(endpoint: MakeEndpoint) -> None:
    app = routed(endpoint, PART)
    signature = tag(b"1700000000." + BODY)
    for text in (f"t=1700000000,t=1700000000,v1={signature}", f"t=1,t=1700000000,v1={signature}"):
        assert_refused(app, Request("POST", "/hook", {"x-signature": text}, BODY), "signature_malformed")
    assert_accepted(app, Request("POST", "/hook", {"x-signature": f"t=1700000000,v1={signature},v0=x"}, BODY))


def test_a_repeated_query_parameter_is_refused(endpoint: MakeEndpoint) -> None:
    app = routed(endpoint, QUERY)
    good = made(QUERY, NOW)
    assert_refused(app, good._replace(url=f"{good.url}&at=1700000000"), "header_duplicated")
    assert_accepted(app, good)


# A timestamp in the body.

IN_BODY_GOOD: dict[str, tuple[Provider, str, float]] = {
    "a number": (IN_BODY, '{"sent":1700000000}', NOW),
    "digits as a string": (IN_BODY, '{"sent":"1700000000"}', NOW),
    "rfc3339": (IN_BODY_TEXT, '{"sent":"2023-11-14T22:13:20Z"}', NOW),
    "deeper": (DEEPER, '{"sent":1,"meta":{"sent":1700000000}}', NOW),
    "a name escaped": (IN_BODY, '{"s\\u0065nt":1700000000}', NOW),
    "a form": (IN_FORM, "sent=1700000000&text=hello", NOW),
    "momento": (MOMENTO, '{"publish_timestamp":1700000000123,"text":"hello"}', NOW + 0.123),
    "among odd values": (IN_BODY, '{"a":1.5,"a":null,"b":[[]],"sent":1700000000}', NOW),
}


@pytest.mark.parametrize(("record", "body", "moment"), IN_BODY_GOOD.values(), ids=IN_BODY_GOOD)
def test_a_timestamp_is_read_from_the_proven_body(
    endpoint: MakeEndpoint, record: Provider, body: str, moment: float
) -> None:
    app = routed(endpoint, record)
    assert_accepted(app, with_body(body, record))
    assert app.last.timestamp == moment
    assert app.last.body == body.encode()


IN_BODY_BAD: dict[str, tuple[Provider, str | bytes, str]] = {
    "absent": (IN_BODY, "{}", "timestamp_missing"),
    "elsewhere": (IN_BODY, '{"meta":{"sent":1700000000}}', "timestamp_missing"),
    "under a name in other case": (IN_BODY, '{"Sent":1700000000}', "timestamp_missing"),
    "a list": (IN_BODY, "[1700000000]", "timestamp_missing"),
    "a bare number": (IN_BODY, "1700000000", "timestamp_missing"),
    "null": (IN_BODY, '{"sent":null}', "timestamp_malformed"),
    "true": (IN_BODY, '{"sent":true}', "timestamp_malformed"),
    "a float": (IN_BODY, '{"sent":1700000000.0}', "timestamp_malformed"),
    "an exponent": (IN_BODY, '{"sent":17e8}', "timestamp_malformed"),
    "zero": (IN_BODY, '{"sent":0}', "timestamp_malformed"),
    "negative": (IN_BODY, '{"sent":-1700000000}', "timestamp_malformed"),
    "an object": (IN_BODY, '{"sent":{"s":1700000000}}', "timestamp_malformed"),
    "an array": (IN_BODY, '{"sent":[1700000000]}', "timestamp_malformed"),
    "an empty string": (IN_BODY, '{"sent":""}', "timestamp_malformed"),
    "a word": (IN_BODY, '{"sent":"now"}', "timestamp_malformed"),
    "a padded string": (IN_BODY, '{"sent":" 1700000000"}', "timestamp_malformed"),
    "a string with a line break": (IN_BODY, '{"sent":"1700000000\\n"}', "timestamp_malformed"),
    "Arabic digits": (IN_BODY, f'{{"sent":"{STAMP.translate(ARABIC)}"}}', "timestamp_malformed"),
    "full-width digits": (IN_BODY, f'{{"sent":"{STAMP.translate(FULL_WIDTH)}"}}', "timestamp_malformed"),
    "a lone surrogate": (IN_BODY, '{"sent":"\\ud800"}', "timestamp_malformed"),
    "5000 digits": (IN_BODY, f'{{"sent":{"1" * 5000}}}', "timestamp_malformed"),
    "NaN": (IN_BODY, '{"sent":NaN}', "timestamp_malformed"),
    "Infinity": (IN_BODY, '{"sent":Infinity}', "timestamp_malformed"),
    "infinite": (IN_BODY, '{"sent":1e999}', "timestamp_malformed"),
    "twice": (IN_BODY, '{"sent":1700000000,"sent":1700000000}', "timestamp_malformed"),
    "twice, once escaped": (IN_BODY, '{"sent":1700000000,"s\\u0065nt":1}', "timestamp_malformed"),
    "twice on the way": (DEEPER, '{"meta":{"sent":1},"meta":{"sent":1700000000}}', "timestamp_malformed"),
    "no JSON": (IN_BODY, "sent=1700000000", "timestamp_malformed"),
    "no body": (IN_BODY, "", "timestamp_malformed"),
    "a byte order mark": (IN_BODY, b'\xef\xbb\xbf{"sent":1700000000}', "timestamp_malformed"),
    "UTF-16": (IN_BODY, '{"sent":1700000000}'.encode("utf-16"), "timestamp_malformed"),
    "not UTF-8": (IN_BODY, b'{"sent":1700000000,"x":"\xff"}', "timestamp_malformed"),
    "nested without end": (IN_BODY, "[" * 100_000, "timestamp_malformed"),
    "nested deeply": (IN_BODY, '{"sent":1700000000,"x":' + "[" * 50_000 + "]" * 50_000 + "}", "timestamp_malformed"),
    "Arabic digits in a date": (
        IN_BODY_TEXT,
        f'{{"sent":"{"2023".translate(ARABIC)}-11-14T22:13:20Z"}}',
        "timestamp_malformed",
    ),
    "Arabic digits in a fraction": (
        IN_BODY_TEXT,
        f'{{"sent":"2023-11-14T22:13:20.{"5".translate(ARABIC)}Z"}}',
        "timestamp_malformed",
    ),
    "Arabic digits in an offset": (
        IN_BODY_TEXT,
        f'{{"sent":"2023-11-14T22:13:20+00:{"00".translate(ARABIC)}"}}',
        "timestamp_malformed",
    ),
    "a number for rfc3339": (IN_BODY_TEXT, '{"sent":1700000000}', "timestamp_malformed"),
    "twice in a form": (IN_FORM, "sent=1700000000&sent=1", "timestamp_malformed"),
    "a twin in a form": (IN_FORM, "sent=1700000000&sent%5B%5D=1", "timestamp_malformed"),
    "absent from a form": (IN_FORM, "text=hello", "timestamp_missing"),
    "momento without one": (MOMENTO, '{"text":"some text", "another_field": "another field" }', "timestamp_missing"),
    "momento with null": (MOMENTO, '{"publish_timestamp":null}', "timestamp_malformed"),
    "momento in seconds": (MOMENTO, '{"publish_timestamp":1700000000}', "timestamp_expired"),
}


@pytest.mark.parametrize(("record", "body", "reason"), IN_BODY_BAD.values(), ids=IN_BODY_BAD)
def test_a_body_without_one_clear_timestamp_is_refused(
    endpoint: MakeEndpoint, record: Provider, body: str | bytes, reason: str
) -> None:
    assert_refused(routed(endpoint, record), with_body(body, record), reason)


# The age switched off.


@pytest.mark.parametrize(
    "body",
    [
        '{"text":"some text", "another_field": "another field" }',
        '{"publish_timestamp":null}',
        '{"publish_timestamp":1,"publish_timestamp":2}',
        "no JSON at all",
    ],
)
def test_momento_without_a_time_is_accepted_where_the_age_is_off(endpoint: MakeEndpoint, body: str) -> None:
    app = routed(endpoint, MOMENTO, max_age=None)
    assert_accepted(app, with_body(body, MOMENTO))
    assert (app.last.timestamp, app.last.age) == (None, None)
    assert_refused(app_without_calls(app), with_body(body, MOMENTO)._replace(body=b"{}"), "signature_mismatch")


def app_without_calls(app: Endpoint) -> Endpoint:
    app.calls.clear()
    return app


def test_momentos_own_vector_needs_the_age_off(endpoint: MakeEndpoint) -> None:
    """From momentohq/client-sdk-javascript, test/unit/webhookutils: a body without a time."""
    body = b'{"text":"some text", "another_field": "another field" }'
    signature = "b43f72787eb66410ff110295b036ef828e5686af21b414ce092f02c05deea3da"
    request = Request("POST", "/hook", {"momento-signature": signature}, body)
    off = endpoint(routes={"/hook": MOMENTO.chain("1234567890", max_age=None)})
    assert_accepted(off, request)
    on = endpoint(routes={"/hook": MOMENTO.chain("1234567890")})
    assert on.post(request).status == 403
    assert (on.reason, on.calls) == ("timestamp_missing", [])


@in_all_places
def test_an_old_delivery_is_accepted_where_the_age_is_off(endpoint: MakeEndpoint, record: Provider) -> None:
    app = routed(endpoint, record, max_age=None)
    assert_accepted(app, made(record, NOW - 400 * DAY))
    assert app.last.age == 400 * DAY


def said_of_age(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [text for record in caplog.records if "age is not checked" in (text := record.getMessage())]


@in_all_places
def test_the_start_says_that_the_route_has_switched_the_age_off(
    endpoint: MakeEndpoint, caplog: pytest.LogCaptureFixture, record: Provider
) -> None:
    routed(endpoint, record, max_age=None)
    (said,) = said_of_age(caplog)
    assert "/hook" in said


@pytest.mark.parametrize("record", [MOMENTO.using(max_age=None), HEADER.using(max_age=None)], ids=lambda r: r.name)
def test_the_start_says_that_the_record_knows_no_age(
    endpoint: MakeEndpoint, caplog: pytest.LogCaptureFixture, record: Provider
) -> None:
    routed(endpoint, record)
    (said,) = said_of_age(caplog)
    assert "/hook" in said


@in_all_places
def test_the_start_says_nothing_where_the_age_is_checked(
    endpoint: MakeEndpoint, caplog: pytest.LogCaptureFixture, record: Provider
) -> None:
    routed(endpoint, record)
    assert said_of_age(caplog) == []


# What is refused when the application starts.

NONSENSE: dict[str, Any] = {
    "0": 0,
    "negative": -1,
    "nan": float("nan"),
    "inf": float("inf"),
    "-inf": float("-inf"),
    "True": True,
    "False": False,
    "text": "300",
    "over a day": DAY + 1,
    "milliseconds": 300_000,
}


@pytest.mark.parametrize("setting", ["max_age", "max_skew"])
@pytest.mark.parametrize("figure", NONSENSE.values(), ids=NONSENSE)
def test_a_tolerance_is_a_finite_positive_number_of_seconds(setting: str, figure: Any) -> None:
    options: Any = {setting: figure}
    with pytest.raises(ConfigError, match=setting):
        MOMENTO.chain(SECRET, **options)
    facts: Any = {"max_age": 60, setting: figure}
    with pytest.raises(ConfigError, match=setting):
        MOMENTO.using(**facts).chain(SECRET)


def test_max_skew_is_a_number(endpoint: MakeEndpoint) -> None:
    nothing: Any = None
    with pytest.raises(ConfigError, match="max_skew"):
        MOMENTO.chain(SECRET, max_skew=nothing)


@pytest.mark.parametrize("figure", [0.5, 1, DAY])
def test_a_tolerance_of_up_to_a_day_is_accepted(endpoint: MakeEndpoint, figure: float) -> None:
    app = routed(endpoint, MOMENTO, max_age=figure, max_skew=figure)
    assert_accepted(app, made(MOMENTO, NOW - figure))


def test_max_skew_without_max_age_is_refused() -> None:
    with pytest.raises(ConfigError, match="max_skew without max_age"):
        MOMENTO.chain(SECRET, max_age=None, max_skew=60)
    with pytest.raises(ConfigError, match="max_skew without max_age"):
        MOMENTO.using(max_age=None).chain(SECRET, max_skew=60)


@pytest.mark.parametrize("record", [GITHUB, SPECKLE], ids=lambda record: record.name)
@pytest.mark.parametrize("setting", ["max_age", "max_skew"])
def test_a_tolerance_without_a_signed_time_is_refused(record: Provider, setting: str) -> None:
    options: Any = {setting: 60}
    with pytest.raises(ConfigError, match=f"{setting} needs a signed timestamp"):
        record.chain(SECRET, **options)


def test_a_record_with_a_tolerance_and_no_time_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"max_age.*timestamp"):
        GITHUB.using(max_age=300).chain(SECRET)


@pytest.mark.parametrize("unit", ["", "us", "S", "iso8601", None], ids=repr)
def test_an_unknown_unit_is_refused(unit: Any) -> None:
    with pytest.raises(ConfigError, match="timestamp_unit"):
        HEADER.using(timestamp_unit=unit).chain(SECRET)


# The order: what is refused first, and what is not read for it.


@pytest.mark.parametrize("record", [HEADER, PART, QUERY], ids=lambda record: record.name)
def test_a_stale_timestamp_in_the_head_is_refused_before_the_signature_is_looked_at(
    endpoint: MakeEndpoint, record: Provider
) -> None:
    assert_refused(routed(endpoint, record), made(record, NOW - 301, "another secret"), "timestamp_expired")
    assert_refused(routed(endpoint, record), made(record, NOW, "another secret"), "signature_mismatch")


@pytest.mark.parametrize("record", [IN_BODY, IN_FORM, MOMENTO], ids=lambda record: record.name)
def test_a_timestamp_in_an_unproven_body_is_not_looked_at(endpoint: MakeEndpoint, record: Provider) -> None:
    assert_refused(routed(endpoint, record), made(record, NOW - 301, "another secret"), "signature_mismatch")
    assert_refused(routed(endpoint, record), made(record, NOW - 301), "timestamp_expired")


class Untouched:
    """A body that notes whether somebody read it."""

    def __init__(self) -> None:
        self.read_from = False

    def read(self, size: int) -> bytes:
        self.read_from = True
        return b""[:size]


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (headed("1699999699"), "timestamp_expired"),
        (headed("1700000061"), "timestamp_in_future"),
        (headed("now"), "timestamp_malformed"),
        (without(headed("1700000000"), "x-timestamp"), "timestamp_missing"),
    ],
    ids=["expired", "in future", "malformed", "missing"],
)
def test_a_timestamp_in_the_head_is_refused_before_a_body_byte_is_read(
    endpoint: MakeEndpoint, request_: Request, reason: str
) -> None:
    app = routed(endpoint, body_timeout=0.2)
    body = Untouched()
    # On ASGI there is nothing to receive: whoever asks waits until the body's time is over.
    # On WSGI the length is beyond what is drained after the answer has left.
    wsgi = {"wsgi__input": body, "CONTENT_LENGTH": "500000"}
    overrides: dict[str, Any] = wsgi if app.world == "wsgi" else {"events": []}
    assert app.post(request_, **overrides).status == 401
    assert (app.reason, body.read_from) == (reason, False)
    app.post(headed("1700000000"), **overrides)
    assert app.reason == ("body_incomplete" if app.world == "wsgi" else "body_timeout")


def test_a_forged_clock_moves_nothing(endpoint: MakeEndpoint) -> None:
    stale = made(HEADER, NOW - 301)
    dated = {**stale.headers, "date": "Tue, 14 Nov 2023 22:08:19 GMT", "x-now": "1699999699"}
    assert_refused(routed(endpoint), stale._replace(headers=dated), "timestamp_expired")
