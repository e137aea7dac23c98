"""Senders that sign single fields of a body: what was proven must be what every parser reads.

The application parses the body again, with a parser of its own: what two parsers could read differently is refused.
"""

from __future__ import annotations

import hmac
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, quote, urlencode

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request as StarletteRequest
from werkzeug.formparser import parse_form_data

from hooklatch import ConfigError, FormField, Header, JSONField, NotProven, Provider, Webhook
from hooklatch.documents import FormDocument, JSONDocument
from hooklatch.errors import BodyMalformed
from hooklatch.providers import MECHANIC, SPECKLE, SPECKLE_BEFORE_2_12
from hooklatch.testing import Request
from hooklatch.types import Delivery, Store
from worlds import NOW, Endpoint

if TYPE_CHECKING:
    from starlette.types import Message

MakeEndpoint = Callable[..., Endpoint]

SECRET = "correct-horse-battery-staple"
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
TIMED = MECHANIC.over("customer_id", signature="customer_id_signature", every=60)
NESTED = MECHANIC.over("customer.id", signature="customer.signature")


def tag(content: str | bytes, secret: str = SECRET) -> str:
    raw = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    return hmac.new(secret.encode(), raw, "sha256").hexdigest()


ONE = tag("1")
TWO = tag("2")
GOOD_FORM = f"customer_id=1&customer_id_signature={ONE}"


def posted(body: str | bytes, content_type: str | None = FORM, **headers: str) -> Request:
    raw = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
    lines = {"content-type": content_type} if content_type is not None else {}
    return Request("POST", "/hook", {**lines, **headers}, raw)


def mechanic(endpoint: MakeEndpoint, record: Provider = MECHANIC, **settings: Any) -> Endpoint:
    return endpoint(routes={"/hook": record.chain(SECRET)}, **settings)


def assert_refused(app: Endpoint, request: Request | Delivery, reason: str = "body_malformed") -> None:
    answer = app.post(request)
    assert (answer.status, app.reason, app.calls) == (401, reason, [])


# Genuine bodies.

GENUINE: dict[str, tuple[Request, str]] = {
    "a form": (posted(GOOD_FORM), "1"),
    "a form as jQuery sends it": (posted(GOOD_FORM, f"{FORM}; charset=UTF-8"), "1"),
    "a form with a quoted charset": (posted(GOOD_FORM, f'{FORM};charset="utf-8"'), "1"),
    "a form with a type in capitals": (posted(GOOD_FORM, FORM.upper()), "1"),
    "a form in another order": (posted(f"customer_id_signature={ONE}&note=hello+world&customer_id=1"), "1"),
    "a form with an escaped value": (posted(f"customer_id=%31&customer_id_signature={ONE}"), "1"),
    "a form with text beyond ASCII": (
        posted(urlencode({"customer_id": "zoë & co", "customer_id_signature": tag("zoë & co")})),
        "zoë & co",
    ),
    "a form with a field of a like name": (posted(f"{GOOD_FORM}&customer=2&customer_id2=2&id=2&xcustomer_id=2"), "1"),
    "a form with a repeated unsigned field": (posted(f"{GOOD_FORM}&tag=a&tag=b&list%5B%5D=1"), "1"),
    "a form with an empty piece": (posted(f"&&{GOOD_FORM}&"), "1"),
    "JSON with an integer": (posted(f'{{"customer_id":1,"customer_id_signature":"{ONE}"}}', JSON), "1"),
    "JSON with a string": (posted(f'{{"customer_id":"1","customer_id_signature":"{ONE}"}}', JSON), "1"),
    "JSON with blanks": (posted(f'\n {{ "customer_id_signature" : "{ONE}" , "customer_id" : 1 }}\n', JSON), "1"),
    "JSON with a charset": (
        posted(f'{{"customer_id":1,"customer_id_signature":"{ONE}"}}', f"{JSON}; charset=utf-8"),
        "1",
    ),
    "JSON with a long integer": (
        posted(f'{{"customer_id":9223372036854775807,"customer_id_signature":"{tag("9223372036854775807")}"}}', JSON),
        "9223372036854775807",
    ),
    "JSON with a negative integer": (posted(f'{{"customer_id":-5,"customer_id_signature":"{tag("-5")}"}}', JSON), "-5"),
    "JSON with an escaped value": (
        posted(f'{{"customer_id":"zo\\u00eb","customer_id_signature":"{tag("zoë")}"}}', JSON),
        "zoë",
    ),
    "JSON with a pair of surrogates": (
        posted(f'{{"customer_id":"\\ud83d\\ude00","customer_id_signature":"{tag("😀")}"}}', JSON),
        "😀",
    ),
    "JSON with odd unsigned fields": (
        posted(f'{{"a":null,"a":1.5,"b":[1,[2]],"customer_id":1,"customer_id_signature":"{ONE}"}}', JSON),
        "1",
    ),
}


@pytest.mark.parametrize(("request_", "value"), GENUINE.values(), ids=GENUINE)
def test_genuine_bodies_are_accepted_and_only_the_proven_field_is_shown(
    endpoint: MakeEndpoint, request_: Request, value: str
) -> None:
    app = mechanic(endpoint)
    assert app.post(request_).status == 200
    assert app.last.fields == {"customer_id": value}
    assert type(app.last.fields["customer_id"]) is str
    assert app.last.coverage == "fields"
    assert app.calls[-1].body == request_.body


@pytest.mark.parametrize("body", [{"customer_id": 1, "note": "x"}, b'{"customer_id":"1"}', b"customer_id=1&note=x"])
def test_what_the_record_signs_the_record_accepts(endpoint: MakeEndpoint, body: Any) -> None:
    app = mechanic(endpoint)
    assert app.post(MECHANIC.sign(body, secret=SECRET, at=NOW, url="/hook")).status == 200
    assert app.last.fields == {"customer_id": "1"}


def no_body(webhook: Webhook) -> object:
    return webhook.body


def no_json(webhook: Webhook) -> object:
    return webhook.json()


def no_file(webhook: Webhook) -> object:
    return webhook.open()


@pytest.mark.parametrize("ask", [no_body, no_json, no_file])
def test_the_body_is_not_proven(endpoint: MakeEndpoint, ask: Callable[[Webhook], object]) -> None:
    app = mechanic(endpoint)
    app.post(posted(GOOD_FORM))
    with pytest.raises(NotProven, match=r"webhook\.fields"):
        ask(app.last)


def test_an_unsigned_field_can_be_edited_and_the_start_says_so(
    endpoint: MakeEndpoint, caplog: pytest.LogCaptureFixture
) -> None:
    app = mechanic(endpoint)
    assert "coverage is 'fields'" in caplog.text
    assert "edits the body" in caplog.text
    assert app.post(posted(f"{GOOD_FORM}&note=a")).status == 200
    assert app.post(posted(f"{GOOD_FORM}&note=b")).status == 200
    assert [call.webhook.fields for call in app.calls if call.webhook] == [{"customer_id": "1"}] * 2


def test_the_same_submission_again_is_a_duplicate(endpoint: MakeEndpoint, store: Store) -> None:
    app = mechanic(endpoint, store=store)
    assert app.post(posted(GOOD_FORM)).status == 200
    assert app.post(posted(GOOD_FORM)).status == 200
    assert (app.reason, len(app.calls)) == ("duplicate", 1)


# Bodies that two parsers read differently. All carry the genuine signature of customer 1.

SIG = f"customer_id_signature={ONE}"
AMBIGUOUS_FORMS: dict[str, str | bytes] = {
    "the field twice": f"customer_id=1&customer_id=2&{SIG}",
    "the field twice, the signed one last": f"customer_id=2&customer_id=1&{SIG}",
    "the field twice, alike": f"customer_id=1&customer_id=1&{SIG}",
    "the field twice, once without a value": f"customer_id=1&customer_id&{SIG}",
    "the field twice, once empty": f"customer_id=1&customer_id=&{SIG}",
    "the signature twice": f"customer_id=1&{SIG}&customer_id_signature={TWO}",
    "the signature twice, alike": f"customer_id=1&{SIG}&{SIG}",
    "the signature twice, once empty": f"customer_id=1&{SIG}&customer_id_signature=",
    "a list twin": f"customer_id=1&customer_id[]=2&{SIG}",
    "a list twin, escaped": f"customer_id=1&customer_id%5B%5D=2&{SIG}",
    "a twin with an index": f"customer_id=1&customer_id[0]=2&{SIG}",
    "a list alone": f"customer_id[]=1&{SIG}",
    "a list twin of the signature": f"customer_id=1&{SIG}&customer_id_signature[]={TWO}",
    "a twin with a blank behind": f"customer_id=1&customer_id+=2&{SIG}",
    "a twin with a blank before": f"customer_id=1&%20customer_id=2&{SIG}",
    "a twin with a tab": f"customer_id=1&customer_id%09=2&{SIG}",
    "a twin with a line break": f"customer_id=1&customer_id%0D%0A=2&{SIG}",
    "a twin with a no-break space": f"customer_id=1&customer_id%C2%A0=2&{SIG}",
    "a twin with NUL": f"customer_id=1&customer_id%00=2&{SIG}",
    "a blank-padded name alone": f"+customer_id=1&{SIG}",
    "a percent-escaped twin": f"customer_id=1&customer%5Fid=2&{SIG}",
    "a twin escaped letter by letter": f"customer_id=1&%63ustomer_i%64=2&{SIG}",
    "a percent-escaped twin of the signature": f"customer_id=1&{SIG}&customer%5fid%5fsignature={TWO}",
    "NUL in the value": f"customer_id=1%00&customer_id_signature={tag('1' + chr(0))}",
    "a raw NUL": f"customer_id=1&note=\0&{SIG}",
    "invalid UTF-8, escaped": f"customer_id=1&note=%ff&{SIG}",
    "invalid UTF-8 in the value": f"customer_id=%ff&customer_id_signature={tag(bytes([255]))}",
    "invalid UTF-8 in a name": f"customer_id=1&customer_id%ff=2&{SIG}",
    "an escaped surrogate": f"customer_id=%ED%A0%80&customer_id_signature={tag(chr(0xD800))}",
    "an overlong escape": f"customer_id=1&customer%C1%9Fid=2&{SIG}",
    "raw bytes beyond ASCII": f"customer_id=zoë&customer_id_signature={tag('zoë')}".encode(),
    "raw latin-1": f"customer_id=1&note=zo\xeb&{SIG}".encode("latin-1"),
    "a byte order mark": b"\xef\xbb\xbf" + GOOD_FORM.encode(),
    "UTF-16": GOOD_FORM.encode("utf-16"),
    "UTF-16 without a mark": GOOD_FORM.encode("utf-16-le"),
    "a raw blank": f"customer_id=1 &{SIG}",
    "a raw line break": f"customer_id=1&{SIG}\n",
    "a cut escape": f"customer_id=1&note=%4&{SIG}",
    "an escape without hex": f"customer_id=1&note=%zz&{SIG}",
    "an escape of blanks": f"customer_id=1&note=%+1&{SIG}",
    "1001 fields": f"customer_id=1&{SIG}" + "&n=1" * 999,
    "JSON in disguise": f'{{"customer_id":2,"x":"&{GOOD_FORM}&"}}',
    "a JSON list in disguise": f'[{{"customer_id":2}},"&{GOOD_FORM}&"]',
    "the field is absent": f"customer=1&{SIG}",
    "another case of the field": f"Customer_Id=1&{SIG}",
}


@pytest.mark.parametrize("body", AMBIGUOUS_FORMS.values(), ids=AMBIGUOUS_FORMS)
def test_a_form_that_could_be_read_in_two_ways_is_refused(endpoint: MakeEndpoint, body: str | bytes) -> None:
    app = mechanic(endpoint)
    assert_refused(app, posted(body))
    assert app.post(posted(GOOD_FORM)).status == 200


def test_a_form_of_1000_fields_is_accepted(endpoint: MakeEndpoint) -> None:
    assert mechanic(endpoint).post(posted(GOOD_FORM + "&n=1" * 998)).status == 200


JSIG = f'"customer_id_signature":"{ONE}"'
GOOD_JSON = f'{{"customer_id":1,{JSIG}}}'
AMBIGUOUS_JSON: dict[str, str | bytes] = {
    "the field twice": f'{{"customer_id":1,"customer_id":2,{JSIG}}}',
    "the field twice, the signed one last": f'{{"customer_id":2,"customer_id":1,{JSIG}}}',
    "the field twice, alike": f'{{"customer_id":1,"customer_id":1,{JSIG}}}',
    "the field twice, once null": f'{{"customer_id":1,"customer_id":null,{JSIG}}}',
    "an escaped twin": f'{{"customer_id":1,"customer\\u005fid":2,{JSIG}}}',
    "an escaped twin first": f'{{"\\u0063ustomer_id":2,"customer_id":1,{JSIG}}}',
    "the signature twice": f'{{"customer_id":1,{JSIG},"customer_id_signature":"{TWO}"}}',
    "the signature twice, once null": f'{{"customer_id":1,{JSIG},"customer_id_signature":null}}',
    "an escaped twin of the signature": f'{{"customer_id":1,{JSIG},"customer\\u005fid_signature":"{TWO}"}}',
    "true": f'{{"customer_id":true,"customer_id_signature":"{tag("true")}"}}',
    "null": f'{{"customer_id":null,"customer_id_signature":"{tag("null")}"}}',
    "a float": f'{{"customer_id":1.0,"customer_id_signature":"{tag("1.0")}"}}',
    "an exponent": f'{{"customer_id":1e3,"customer_id_signature":"{tag("1e3")}"}}',
    "an infinite float": f'{{"customer_id":1e400,"customer_id_signature":"{tag("1e400")}"}}',
    "25 digits": f'{{"customer_id":{"9" * 25},"customer_id_signature":"{tag("9" * 25)}"}}',
    "5000 digits": f'{{"customer_id":{"9" * 5000},"customer_id_signature":"{tag("9" * 5000)}"}}',
    "a leading zero": f'{{"customer_id":01,"customer_id_signature":"{tag("01")}"}}',
    "a plus": f'{{"customer_id":+1,"customer_id_signature":"{ONE}"}}',
    "an object": f'{{"customer_id":{{"id":1}},{JSIG}}}',
    "an empty object": f'{{"customer_id":{{}},"customer_id_signature":"{tag("")}"}}',
    "an array": f'{{"customer_id":[1],{JSIG}}}',
    "a signature in an array": f'{{"customer_id":1,"customer_id_signature":["{ONE}"]}}',
    "a lone surrogate": f'{{"customer_id":"\\ud800","customer_id_signature":"{tag(chr(0xD800))}"}}',
    "an escaped NUL": f'{{"customer_id":"1\\u0000","customer_id_signature":"{tag("1" + chr(0))}"}}',
    "a raw NUL": f'{{"customer_id":"1\0","customer_id_signature":"{tag("1" + chr(0))}"}}',
    "NaN": f'{{"customer_id":1,"n":NaN,{JSIG}}}',
    "NaN as the field": f'{{"customer_id":NaN,"customer_id_signature":"{tag("NaN")}"}}',
    "Infinity": f'{{"customer_id":1,"n":-Infinity,{JSIG}}}',
    "a byte order mark": b"\xef\xbb\xbf" + GOOD_JSON.encode(),
    "UTF-16": GOOD_JSON.encode("utf-16"),
    "UTF-16 without a mark": GOOD_JSON.encode("utf-16-be"),
    "UTF-32": GOOD_JSON.encode("utf-32"),
    "invalid UTF-8": f'{{"customer_id":1,"n":"\xff",{JSIG}}}'.encode("latin-1"),
    "a surrogate in UTF-8": f'{{"customer_id":1,"n":"\ud800",{JSIG}}}',
    "65 levels": f'{{"customer_id":1,"n":{"[" * 65}{"]" * 65},{JSIG}}}',
    "7000 levels": f'{{"customer_id":1,"n":{"[" * 7000}{"]" * 7000},{JSIG}}}',
    "7000 levels that never end": '{"n":' * 2000 + "[" * 5000,
    "more than 1000 values": f'{{"customer_id":1,"n":[{"0," * 1000}0],{JSIG}}}',
    "two documents": GOOD_JSON + GOOD_JSON,
    "a rest behind it": GOOD_JSON + ";",
    "a comment": f'{{"customer_id":1,/**/{JSIG}}}',
    "single quotes": GOOD_JSON.replace('"', "'"),
    "a trailing comma": f'{{"customer_id":1,{JSIG},}}',
    "cut short": GOOD_JSON[:-1],
    "the field is absent": f"{{{JSIG}}}",
    "another case of the field": f'{{"Customer_id":1,{JSIG}}}',
}


@pytest.mark.parametrize("body", AMBIGUOUS_JSON.values(), ids=AMBIGUOUS_JSON)
def test_json_that_could_be_read_in_two_ways_is_refused(endpoint: MakeEndpoint, body: str | bytes) -> None:
    app = mechanic(endpoint)
    assert_refused(app, posted(body, JSON))
    assert app.post(posted(GOOD_JSON, JSON)).status == 200


@pytest.mark.parametrize("body", [f"[{GOOD_JSON}]", '"customer_id"', "1", "null", "{}"])
def test_json_without_a_signature_where_it_belongs_has_none(endpoint: MakeEndpoint, body: str) -> None:
    assert_refused(mechanic(endpoint), posted(body, JSON), "signature_missing")


@pytest.mark.parametrize("body", ["customer_id=1", "customer_id=1&customer_id_signature=", "", "&"])
def test_a_form_without_a_signature_has_none(endpoint: MakeEndpoint, body: str) -> None:
    assert_refused(mechanic(endpoint), posted(body), "signature_missing")


def test_a_signature_in_a_header_or_in_the_query_is_no_signature(endpoint: MakeEndpoint) -> None:
    request = posted("customer_id=1", **{"customer_id_signature": ONE, "customer-id-signature": ONE})
    assert_refused(mechanic(endpoint), request._replace(url=f"/hook?customer_id_signature={ONE}"), "signature_missing")


@pytest.mark.parametrize("offered", ["zz" * 32, ONE[:-2], ONE + "00", ONE[:62] + "%20%20", f"sha256%3D{ONE}", "1"])
def test_a_signature_that_is_no_hex_is_malformed(endpoint: MakeEndpoint, offered: str) -> None:
    request = posted(f"customer_id=1&customer_id_signature={offered}")
    assert_refused(mechanic(endpoint), request, "signature_malformed")


@pytest.mark.parametrize(
    "body",
    [
        f"customer_id=2&customer_id_signature={ONE}",
        f"customer_id=01&customer_id_signature={ONE}",
        f"customer_id=1+&customer_id_signature={ONE}",
        f"customer_id=&customer_id_signature={ONE}",
        f"customer_id=1&customer_id_signature={tag('1', 'another secret')}",
    ],
)
def test_another_value_than_the_signed_one_is_refused(endpoint: MakeEndpoint, body: str) -> None:
    assert_refused(mechanic(endpoint), posted(body), "signature_mismatch")


# Whatever is read here, every other parser reads too.

NAMES = ["id", "%69d", "i%64", "id[]", "id%5B%5D", "id%20", "+id", "id%00", "ID", "note", "%EF%BB%BFid", "id;id", ""]
VALUES = [
    "1",
    "2",
    "",
    "%31",
    "a+b",
    "%C3%AB",
    "%ff",
    "%",
    "1=2",
    "1;id=2",
    "\u00eb",
    "%00",
    "%0D%0A",
    "{",
    '"',
    "#",
    "?id=2",
]
PIECES = st.tuples(st.sampled_from(NAMES), st.sampled_from(["=", "=", "=", "", "=="]), st.sampled_from(VALUES))


def by_starlette(body: bytes) -> list[str]:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def read() -> list[str]:
        scope = {"type": "http", "method": "POST", "headers": [(b"content-type", FORM.encode())]}
        form = await StarletteRequest(scope, receive).form()
        return [str(value) for value in form.getlist("id")]

    return anyio.run(read)


def by_werkzeug(body: bytes) -> list[str]:
    environ = {"wsgi.input": io.BytesIO(body), "CONTENT_TYPE": FORM, "CONTENT_LENGTH": str(len(body))}
    return parse_form_data(environ)[1].getlist("id")


@given(st.lists(PIECES, max_size=4), st.sampled_from(["&", "&", "&", ";", "&&"]))
def test_every_form_parser_reads_the_same_value_or_none_is_proven(
    pieces: list[tuple[str, str, str]], separator: str
) -> None:
    body = separator.join(map("".join, pieces)).encode()
    try:
        value = FormDocument(body).text("id")
    except BodyMalformed:
        return
    if value is None:
        return
    assert by_werkzeug(body) == by_starlette(body) == [value]
    assert parse_qs(body.decode(), keep_blank_values=True)["id"] == [value]
    assert dict(parse_qsl(body.decode(), keep_blank_values=True))["id"] == value


JSON_NAMES = ['"id"', '"\\u0069d"', '"ID"', '"id "', '"note"', '"id\\u0000"']
JSON_VALUES = [
    "1",
    "-0",
    "1.0",
    "1e2",
    '"1"',
    '"\\u0031"',
    '"\\ud800"',
    '"\u00eb"',
    "null",
    "true",
    "[1]",
    '{"id":2}',
    "01",
    "9" * 19,
]


@given(st.lists(st.tuples(st.sampled_from(JSON_NAMES), st.sampled_from(JSON_VALUES)), max_size=4))
def test_every_json_parser_reads_the_same_value_or_none_is_proven(members: list[tuple[str, str]]) -> None:
    body = "{" + ",".join(f"{name}:{value}" for name, value in members) + "}"
    try:
        text = JSONDocument(body.encode()).text("id")
    except BodyMalformed:
        return
    first: dict[str, object] = {}
    for name, value in json.loads(body, object_pairs_hook=list):
        first.setdefault(name, value)
    for document in (json.loads(body), first):
        if text is None:
            assert "id" not in document
        else:
            assert str(document["id"]) == text or (text, document["id"]) == ("-0", 0)


# The Content-Type: the application believes it, so it must say what the record says.

WRONG_TYPES: dict[str, str | None] = {
    "missing": None,
    "empty": "",
    "multipart": "multipart/form-data; boundary=x",
    "text": "text/plain",
    "text/json": "text/json",
    "a +json type": "application/vnd.api+json",
    "a type with a tail": f"{FORM}x",
    "utf-16": f"{FORM}; charset=utf-16",
    "latin-1": f"{FORM}; charset=iso-8859-1",
    "two charsets": f"{FORM}; charset=utf-8; charset=utf-16",
    "a charset in disguise": f"{FORM}; charset*=utf-16",
    "another parameter": f"{FORM}; boundary=x",
    "two types in one line": f"{FORM}, {JSON}",
    "the same type twice in one line": f"{FORM},{FORM}",
    "JSON": JSON,
}


@pytest.mark.parametrize("content_type", WRONG_TYPES.values(), ids=WRONG_TYPES)
def test_a_form_under_another_type_is_refused(endpoint: MakeEndpoint, content_type: str | None) -> None:
    app = mechanic(endpoint)
    assert_refused(app, posted(GOOD_FORM, content_type))
    assert app.post(posted(GOOD_FORM)).status == 200


@pytest.mark.parametrize("content_type", [FORM, None, "text/plain", f"{JSON}; charset=utf-16", f"{JSON}-patch"])
def test_json_under_another_type_is_refused(endpoint: MakeEndpoint, content_type: str | None) -> None:
    app = mechanic(endpoint)
    assert_refused(app, posted(GOOD_JSON, content_type))
    assert app.post(posted(GOOD_JSON, JSON)).status == 200


@pytest.mark.parametrize("lines", [(FORM, JSON), (JSON, FORM), (FORM, FORM)], ids=repr)
def test_a_repeated_content_type_is_refused(endpoint: MakeEndpoint, lines: tuple[str, str]) -> None:
    app = mechanic(endpoint)
    request = Request("POST", "/hook", [("content-type", line) for line in lines], GOOD_FORM.encode())
    # A WSGI server has joined the two lines, or has dropped one, before anybody could see it.
    overrides = {"CONTENT_TYPE": ",".join(lines)} if app.world == "wsgi" else {}
    assert app.post(request, **overrides).status == 401
    assert (app.reason, app.calls) == ("body_malformed", [])


def test_the_type_is_refused_before_the_body_is_read(endpoint: MakeEndpoint) -> None:
    app = mechanic(endpoint)
    untouched = Untouched()
    # On WSGI the length is beyond what is drained after the answer has left.
    wsgi = {"wsgi__input": untouched, "CONTENT_LENGTH": "500000"}
    overrides: dict[str, Any] = wsgi if app.world == "wsgi" else {"events": []}
    assert app.post(posted(GOOD_FORM, "text/plain"), **overrides).status == 401
    assert (app.reason, untouched.read_from) == ("body_malformed", False)


class Untouched:
    """A body that notes whether somebody read it."""

    read_from = False

    def read(self, size: int) -> bytes:
        self.read_from = True
        return b""[:size]


def test_a_record_of_one_form_takes_no_other(endpoint: MakeEndpoint) -> None:
    form_only = MECHANIC.using(signature=FormField("customer_id_signature"))
    assert_refused(mechanic(endpoint, form_only), posted(GOOD_JSON, JSON))
    json_only = MECHANIC.using(signature=JSONField("customer_id_signature"))
    assert_refused(mechanic(endpoint, json_only), posted(GOOD_FORM))
    assert mechanic(endpoint, form_only).post(posted(GOOD_FORM)).status == 200
    assert mechanic(endpoint, json_only).post(posted(GOOD_JSON, JSON)).status == 200


# The size of what is parsed before anything is proven.


@pytest.mark.parametrize("size", [16384, 16385])
def test_a_body_over_16_kib_is_too_large(endpoint: MakeEndpoint, size: int) -> None:
    body = f"{GOOD_FORM}&n=".ljust(size, "x")
    app = mechanic(endpoint)
    answer = app.post(posted(body))
    if size <= 16384:
        assert (answer.status, len(app.calls)) == (200, 1)
    else:
        assert (answer.status, app.reason, app.calls) == (413, "body_too_large", [])


def test_a_body_over_16_kib_of_undeclared_length_is_too_large(endpoint: MakeEndpoint) -> None:
    body = f"{GOOD_FORM}&n=".ljust(16385, "x").encode()
    app = mechanic(endpoint)
    if app.world == "wsgi":
        answer = app.post(posted(body), CONTENT_LENGTH="", wsgi__input_terminated=True)
    else:
        lines = [(b"content-type", FORM.encode())]
        events = [{"type": "http.request", "body": body[:9000], "more_body": True}]
        events += [{"type": "http.request", "body": body[9000:], "more_body": False}]
        answer = app.post(posted(body), headers=lines, events=events)
    assert (answer.status, app.reason, app.calls) == (413, "body_too_large", [])


# Fields deeper in a JSON body.


def test_a_nested_field_is_shown_under_its_path(endpoint: MakeEndpoint) -> None:
    app = mechanic(endpoint, NESTED)
    body = json.dumps({"customer": {"id": 7, "signature": tag("7"), "name": "x"}})
    assert app.post(posted(body, JSON)).status == 200
    assert app.last.fields == {"customer.id": "7"}


SEVEN = f'{{"id":7,"signature":"{tag("7")}"}}'


@pytest.mark.parametrize(
    "body",
    [
        f'{{"customer":{SEVEN},"customer":{{"id":8}}}}',
        f'{{"customer":{{"id":8}},"customer":{SEVEN}}}',
        f'{{"customer":{SEVEN},"\\u0063ustomer":null}}',
        f'{{"customer":{{"id":7,"id":8,"signature":"{tag("7")}"}}}}',
        f'{{"customer":{{"id":7,"i\\u0064":8,"signature":"{tag("7")}"}}}}',
        f'{{"customer":{{"id":7,"signature":"{tag("7")}","signature":"{TWO}"}}}}',
    ],
)
def test_every_step_of_a_path_occurs_once(endpoint: MakeEndpoint, body: str) -> None:
    assert_refused(mechanic(endpoint, NESTED), posted(body, JSON))


def test_a_name_with_a_dot_is_not_the_path(endpoint: MakeEndpoint) -> None:
    app = mechanic(endpoint, NESTED)
    body = f'{{"customer.id":7,"customer.signature":"{tag("7")}"}}'
    assert_refused(app, posted(body, JSON), "signature_missing")
    assert app.post(posted(f'{{"customer":{SEVEN},"customer.id":8}}', JSON)).status == 200
    assert app.last.fields == {"customer.id": "7"}


# The time, rounded into the signature.


def at_interval(number: int) -> Request:
    return posted(f"customer_id=1&customer_id_signature={tag(f'1{number}')}")


@pytest.mark.parametrize("neighbours", [0, 1, 2])
def test_an_interval_counts_as_far_as_its_neighbours(endpoint: MakeEndpoint, neighbours: int) -> None:
    record = MECHANIC.over("customer_id", signature="customer_id_signature", every=60, neighbours=neighbours)
    app = endpoint(routes={"/hook": record.chain(SECRET, on_duplicate="run")})
    now = round(NOW / 60)
    for offset in range(-4, 5):
        good = abs(offset) <= neighbours
        assert app.post(at_interval(now + offset)).status == (200 if good else 401), offset
        assert app.reason == ("" if good else "signature_mismatch")
    assert len(app.calls) == 2 * neighbours + 1


@pytest.mark.parametrize("seconds", [-61, -60, -31, -29, 0, 29, 31, 60, 61, 119, 121])
def test_what_the_page_signed_is_good_for_the_neighbouring_minutes_only(endpoint: MakeEndpoint, seconds: int) -> None:
    app = mechanic(endpoint, TIMED)
    app.clock.now = 28_333_333 * 60.0
    sent = app.clock.now - seconds
    apart = abs(28_333_333 - int((sent + 30) // 60))
    request = TIMED.sign(b"customer_id=1", secret=SECRET, at=sent, url="/hook")
    assert app.post(request).status == (200 if apart <= 1 else 401)
    assert apart == {-61: 1, -60: 1, -31: 1, -29: 0, 0: 0, 29: 0, 31: 1, 60: 1, 61: 1, 119: 2, 121: 2}[seconds]


@pytest.mark.parametrize("minute", [28_333_332, 28_333_333], ids=["even", "odd"])
def test_half_a_minute_rounds_up_as_liquid_does_and_python_does_not(endpoint: MakeEndpoint, minute: int) -> None:
    record = MECHANIC.over("customer_id", signature="customer_id_signature", every=60, neighbours=0)
    app = mechanic(endpoint, record)
    app.clock.now = minute * 60 + 30.0
    assert datetime.fromtimestamp(app.clock.now, UTC).second == 30
    assert_refused(app, at_interval(minute), "signature_mismatch")
    assert app.post(at_interval(minute + 1)).status == 200
    assert TIMED.sign(b"customer_id=1", secret=SECRET, at=app.clock.now).body == at_interval(minute + 1).body
    app.clock.now -= 0.001
    assert app.post(at_interval(minute)).status == 200


def test_a_plain_signature_is_no_timed_one(endpoint: MakeEndpoint) -> None:
    assert_refused(mechanic(endpoint, TIMED), posted(GOOD_FORM), "signature_mismatch")


def test_a_timed_signature_is_good_once(endpoint: MakeEndpoint, store: Store) -> None:
    app = mechanic(endpoint, TIMED, store=store)
    request = TIMED.sign(b"customer_id=1", secret=SECRET, at=NOW, url="/hook")
    assert app.post(request).status == 200
    assert app.last.fields == {"customer_id": "1"}
    app.clock.advance(60)
    assert app.post(request).status == 200
    assert app.reason == "duplicate"
    # Another body under the same proof is no accident: it must not run, and must not look like success.
    assert app.post(request._replace(body=request.body + b"&note=edited")).status == 409
    assert (app.reason, len(app.calls)) == ("duplicate_altered", 1)


# Several fields.

TWO_FIELDS = MECHANIC.over("shop", "customer_id", signature="signature", join=":")


def test_several_fields_need_something_between_them() -> None:
    with pytest.raises(ConfigError, match=r"join="):
        MECHANIC.over("shop", "customer_id", signature="signature")


def test_over_needs_a_field() -> None:
    with pytest.raises(ConfigError, match="at least one field"):
        MECHANIC.over(signature="signature")


def test_several_fields_are_proven_in_their_order(endpoint: MakeEndpoint) -> None:
    app = mechanic(endpoint, TWO_FIELDS)
    good = tag("7:1:2")
    assert app.post(posted(f"customer_id=1:2&shop=7&signature={good}")).status == 200
    assert app.last.fields == {"shop": "7", "customer_id": "1:2"}
    assert app.post(posted(f"customer_id=7&shop=1:2&signature={tag('1:2:7')}")).status == 401
    assert app.post(posted(f"customer_id=7&shop=1&signature={tag('7:1')}")).status == 401
    assert app.reason == "signature_mismatch"


@pytest.mark.parametrize("shop", ["7:1", "7%3A1", ":"])
def test_the_separator_inside_a_value_is_refused(endpoint: MakeEndpoint, shop: str) -> None:
    app = mechanic(endpoint, TWO_FIELDS)
    assert_refused(app, posted(f"shop={shop}&customer_id=2&signature={tag('7:1:2')}"))


@pytest.mark.parametrize("neighbours", [-1, 6, 1.5, None], ids=repr)
def test_neighbours_are_a_few(neighbours: Any) -> None:
    with pytest.raises(ConfigError, match="neighbours="):
        MECHANIC.over("customer_id", signature="customer_id_signature", every=60, neighbours=neighbours)


@pytest.mark.parametrize("every", [0, -60, float("nan"), float("inf"), True, "60"], ids=repr)
def test_every_is_a_finite_number_of_seconds(every: Any) -> None:
    with pytest.raises(ConfigError, match="every="):
        MECHANIC.over("customer_id", signature="customer_id_signature", every=every)


# A signature in the head over fields of the body.

HEADED = Provider(name="headed", signature=Header("x-signature"), signed="{field.order}", fields_in="form")


def test_fields_under_a_signature_in_the_head(endpoint: MakeEndpoint) -> None:
    app = mechanic(endpoint, HEADED)
    assert app.post(posted("order=1&note=x", **{"x-signature": ONE})).status == 200
    assert app.last.fields == {"order": "1"}
    fresh = mechanic(endpoint, HEADED)
    assert_refused(fresh, posted("order=1&order=2", **{"x-signature": ONE}))
    assert_refused(fresh, posted("order=2", **{"x-signature": ONE}), "signature_mismatch")
    assert_refused(fresh, posted('{"order":1}', JSON, **{"x-signature": ONE}))
    assert_refused(fresh, posted("order=1"), "signature_missing")


# Speckle's two formats.

INNER = '{"streamId":"1d0e5a2f00","activityMessage":"Commit on main: café","n":1}'


def speckled(body: bytes, signature: str) -> Request:
    return Request("POST", "/hook", {"content-type": JSON, "x-webhook-signature": signature}, body)


@pytest.mark.parametrize("ascii_only", [True, False], ids=["escaped", "raw"])
def test_speckles_old_format_is_accepted(endpoint: MakeEndpoint, *, ascii_only: bool) -> None:
    app = endpoint(routes={"/hook": SPECKLE_BEFORE_2_12.chain(SECRET)})
    body = json.dumps({"payload": INNER}, ensure_ascii=ascii_only).encode()
    assert app.post(speckled(body, tag(INNER))).status == 200
    assert app.last.fields == {"payload": INNER}
    with pytest.raises(NotProven):
        app.last.json()


def test_speckles_old_format_is_bound_to_the_text_inside(endpoint: MakeEndpoint) -> None:
    app = endpoint(routes={"/hook": SPECKLE_BEFORE_2_12.chain(SECRET)})
    other = INNER.replace("main", "dev")
    assert_refused(app, speckled(json.dumps({"payload": other}).encode(), tag(INNER)), "signature_mismatch")
    twice = f'{{"payload":{json.dumps(INNER)},"payload":{json.dumps(other)}}}'.encode()
    assert_refused(app, speckled(twice, tag(INNER)))
    assert_refused(app, speckled(json.dumps({"payload": json.loads(INNER)}).encode(), tag(INNER)))
    assert_refused(app, speckled(INNER.encode(), tag(INNER)))


def test_a_new_speckle_body_wrapped_as_an_old_one_is_refused(endpoint: MakeEndpoint) -> None:
    app = endpoint(routes={"/hook": SPECKLE.chain(SECRET)})
    genuine = SPECKLE.sign(b'{"payload":{"n":1}}', secret=SECRET, at=NOW, url="/hook")
    wrapped = json.dumps({"payload": genuine.body.decode()}).encode()
    assert_refused(app, genuine._replace(body=wrapped), "signature_mismatch")
    assert app.post(genuine).status == 200


def test_an_old_speckle_body_is_refused_on_a_route_of_the_new_format(endpoint: MakeEndpoint) -> None:
    app = endpoint(routes={"/hook": SPECKLE.chain(SECRET)})
    assert_refused(app, speckled(json.dumps({"payload": INNER}).encode(), tag(INNER)), "signature_mismatch")


# One secret, one recipe.

ID2 = MECHANIC.over("order_id", signature="customer_id_signature")
SHARED: dict[str, tuple[Provider, Provider]] = {
    "speckle, new and old": (SPECKLE, SPECKLE_BEFORE_2_12),
    "speckle, old and new": (SPECKLE_BEFORE_2_12, SPECKLE),
    "mechanic, plain and timed": (MECHANIC, TIMED),
    "mechanic, timed and plain": (TIMED, MECHANIC),
    "mechanic, two fields": (MECHANIC, ID2),
    "mechanic, two intervals": (TIMED, TIMED.using(every=3600)),
}


@pytest.mark.parametrize(("first", "second"), SHARED.values(), ids=SHARED)
@pytest.mark.parametrize(
    "secrets",
    [(SECRET, SECRET), (SECRET, SECRET.encode()), ([SECRET, "another one"], ["and another", SECRET])],
    ids=["same", "as bytes", "in rotation"],
)
def test_one_secret_under_two_recipes_is_refused(
    endpoint: MakeEndpoint, first: Provider, second: Provider, secrets: tuple[Any, Any]
) -> None:
    routes = {"/a": first.chain(secrets[0]), "/b": second.chain(secrets[1])}
    with pytest.raises(ConfigError, match=r"'/a' and '/b' share a secret"):
        endpoint(routes=routes)
    assert endpoint(routes={"/a": first.chain(SECRET), "/b": second.chain("a secret of its own")})


def test_one_recipe_may_serve_two_routes(endpoint: MakeEndpoint) -> None:
    app = endpoint(routes={"/hook": MECHANIC.chain(SECRET), "/b": MECHANIC.chain(SECRET)})
    assert app.post(posted(GOOD_FORM)).status == 200


def test_what_a_shared_secret_would_let_through(endpoint: MakeEndpoint) -> None:
    """Why it is refused: the timed signature of customer 7 is the plain one of customer 728333333."""
    minute = round(NOW / 60)
    timed = TIMED.sign(b"customer_id=7", secret=SECRET, at=NOW, url="/hook")
    plain = timed.body.replace(b"customer_id=7", b"customer_id=" + quote(f"7{minute}").encode())
    assert mechanic(endpoint, TIMED).post(timed).status == 200
    assert mechanic(endpoint).post(posted(plain)).status == 200
