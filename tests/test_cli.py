"""The command line: what it prints, with which exit status, and what it never prints."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import hmac
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import samples
from hooklatch import Answer, Delivery, Header, Provider, providers
from hooklatch.chain import Options
from hooklatch.cli import UsageError, main, options, secrets_in, verify
from hooklatch.errors import ConfigError
from hooklatch.handshakes import sentence
from hooklatch.testing import Answered, call_asgi, call_wsgi

SECRET = "a-secret-of-thirty-two-characters"
WHSEC = "v1,whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
WRITTEN = {"hex": "ab" * 32, "base64": "YSBrZXkgb2YgdHdlbnR5LTQgYnl0ZXMu"}
NOW = 1_700_000_000
MECHANIC = b"customer_id=7&note=hello"

MOMENTO = {
    "headers": {"momento-signature": "b43f72787eb66410ff110295b036ef828e5686af21b414ce092f02c05deea3da"},
    "body": '{"text":"some text", "another_field": "another field" }',
}
GITHUB_SECRET = "It's a Secret to Everybody"
GITHUB = {
    "method": "POST",
    "url": "/hooks/github",
    "headers": {
        "X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
        "X-GitHub-Event": "push",
    },
    "body": "Hello, World!",
}

Called = tuple[int, str, str]
Call = Callable[..., Called]


@pytest.fixture(autouse=True)
def _no_secret_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("HOOKLATCH_SECRET")]:
        monkeypatch.delenv(name)


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Call]:
    """Run the command line in this process: ``call(*argv, secret=..., stdin=...)`` -> status, stdout, stderr."""

    def run(*argv: str, secret: str | None = None, stdin: bytes | str | dict[str, Any] = b"") -> Called:
        if secret is not None:
            monkeypatch.setenv("HOOKLATCH_SECRET", secret)
        text = json.dumps(stdin) if isinstance(stdin, dict) else stdin
        raw = text.encode() if isinstance(text, str) else text
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
        status = main(argv)
        return status, *capsys.readouterr()

    yield run
    capsys.readouterr()


def process(*argv: str, secret: str = "", stdin: bytes = b"", **more: Any) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, **({"HOOKLATCH_SECRET": secret} if secret else {})}
    command = [sys.executable, "-m", "hooklatch", *argv]
    return subprocess.run(command, input=stdin, env=environment, capture_output=True, check=False, **more)


def assert_one_line_and_two(called: Called, *words: str) -> None:
    status, out, err = called
    assert (status, out) == (2, "")
    assert err.startswith("hooklatch: ")
    assert err.endswith("\n")
    assert err.count("\n") == 1
    for word in words:
        assert word in err


# Verify.


def test_momentos_own_vector_is_accepted_without_the_age_check(call: Call) -> None:
    status, out, err = call(
        "verify", "--provider", "momento", "--option", "max_age=none", "-", secret="1234567890", stdin=MOMENTO
    )
    assert (status, err) == (0, "")
    assert out.startswith("accepted: momento, covers body, secret 0")
    assert out.count("\n") == 1


def test_momentos_own_vector_carries_no_time_so_it_is_refused_with_the_age_check(call: Call) -> None:
    status, out, err = call("verify", "--provider", "momento", "-", secret="1234567890", stdin=MOMENTO)
    assert (status, out) == (1, "refused: timestamp_missing (status 403)\n")
    assert err == "hooklatch: timestamp_missing\n"


def test_githubs_published_value_is_accepted_with_all_public_facts(call: Call) -> None:
    status, out, err = call("verify", "--provider", "github", "--json", "-", secret=GITHUB_SECRET, stdin=GITHUB)
    assert (status, err) == (0, "")
    assert json.loads(out) == {
        "verdict": "accepted",
        "status": 200,
        "reason": "",
        "webhook": {
            "provider": "github",
            "coverage": "body",
            "party": None,
            "timestamp": None,
            "age": None,
            "id": None,
            "fields": {},
            "items": [],
            "unsigned": {"event_type": "push"},
            "test": False,
            "key_index": 0,
        },
    }


def test_a_refusal_as_json_tells_status_and_reason_and_no_webhook(call: Call) -> None:
    altered = GITHUB | {"body": "Hello, World?"}
    status, out, err = call("verify", "--provider", "github", "--json", "-", secret=GITHUB_SECRET, stdin=altered)
    assert status == 1
    assert json.loads(out) == {"verdict": "refused", "status": 401, "reason": "signature_mismatch", "webhook": None}
    assert err == "hooklatch: signature_mismatch\n"


def test_the_operators_sentence_is_on_stderr_only(call: Call) -> None:
    short = GITHUB | {"headers": {"X-Hub-Signature-256": "sha256=00"}}
    _, out, err = call("verify", "--provider", "github", "-", secret=GITHUB_SECRET, stdin=short)
    assert out == "refused: signature_malformed (status 401)\n"
    assert err == "hooklatch: signature_malformed: the signature has 1 bytes instead of 32\n"


def test_proven_test_traffic_is_diverted_with_status_0(call: Call) -> None:
    marked = GITHUB | {"headers": {**GITHUB["headers"], "User-Agent": "Harness/2"}}  # type: ignore[dict-item]
    argv = ("verify", "--provider", "github", "--option", "test_agents=Postman/*,Harness/*")
    assert call(*argv, "-", secret=GITHUB_SECRET, stdin=marked)[:2] == (0, "diverted: diverted (status 200)\n")
    status, out, _ = call(*argv, "--json", "-", stdin=marked)
    assert (status, json.loads(out)) == (
        0,
        {"verdict": "diverted", "status": 200, "reason": "diverted", "webhook": None},
    )
    _, out, _ = call(*argv, "--option", "on_test=mark", "-", stdin=marked)
    assert "test traffic" in out


def test_a_browsers_preflight_is_diverted_too(call: Call) -> None:
    headers = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    request = {"method": "OPTIONS", "headers": headers, "body": ""}
    argv = ("verify", "--provider", "mechanic", "--option", "cors=https://shop.example", "-")
    assert call(*argv, secret=SECRET, stdin=request)[:2] == (0, "diverted: preflight (status 204)\n")


def test_headers_may_be_pairs_and_a_repeated_one_is_seen(call: Call) -> None:
    pairs = [[name, text] for name, text in GITHUB["headers"].items()]  # type: ignore[attr-defined]
    argv = ("verify", "--provider", "github", "-")
    assert call(*argv, secret=GITHUB_SECRET, stdin=GITHUB | {"headers": pairs})[0] == 0
    status, out, _ = call(*argv, stdin=GITHUB | {"headers": [pairs[0], *pairs]})
    assert (status, out) == (1, "refused: header_duplicated (status 401)\n")


def test_method_and_url_have_defaults_and_a_body_may_be_base64(call: Call) -> None:
    request = {"headers": GITHUB["headers"], "body_b64": base64.b64encode(b"Hello, World!").decode()}
    assert call("verify", "--provider", "github", "-", secret=GITHUB_SECRET, stdin=request)[0] == 0


def test_the_clock_is_an_argument(call: Call) -> None:
    argv = ("--provider", "momento")
    _, request, _ = call("sign", *argv, "--at", str(NOW), "--json", "-", secret=SECRET, stdin=b"{}")
    for now, status, word in (
        (NOW + 60, 0, "age 60.000 s"),
        (NOW + 61, 1, "timestamp_expired"),
        (NOW - 61, 1, "timestamp_in_future"),
    ):
        found, out, _ = call("verify", *argv, "--now", str(now), "-", stdin=request)
        assert (found, word in out) == (status, True)


def test_a_strangers_values_are_escaped_and_cut(call: Call) -> None:
    body = json.dumps({"payload": "\u001b[31m\n" + "x" * 500}).encode()
    _, request, _ = call("sign", "--provider", "speckle_before_2_12", "--json", "-", secret=SECRET, stdin=body)
    status, out, _ = call("verify", "--provider", "speckle_before_2_12", "-", stdin=request)
    assert (status, out.count("\n"), "\u001b" in out, len(out) < 200) == (0, 1, False, True)


# Options.


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("max_age", "none", None),
        ("max_age", "90", 90),
        ("max_skew", "1.5", 1.5),
        ("max_body", "1000", 1000),
        ("methods", "POST, PUT", ("POST", "PUT")),
        ("cors", "https://a.example,https://b.example", ("https://a.example", "https://b.example")),
        ("cors", "none", None),
        ("test_agents", "", ()),
        ("refusal_status", "403", 403),
        ("public_url", "https://example.com/a=b", "https://example.com/a=b"),
        ("name", "none", "none"),
    ],
)
def test_a_rule_of_the_route_is_read_by_its_type(name: str, text: str, expected: object) -> None:
    record, rules = options.apply(providers.MOMENTO, [f"{name}={text}"])
    assert (record, rules) == (providers.MOMENTO, {name: expected})


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("algorithm", "hmac-sha512", "hmac-sha512"),
        ("adjacent", "yes", True),
        ("retries", "3600", 3600),
        ("agents", "A/*,B", ("A/*", "B")),
        ("prefix", "none", "none"),
        ("id", "none", None),
    ],
)
def test_a_fact_of_the_sender_is_read_by_its_type(name: str, text: str, expected: object) -> None:
    record, rules = options.apply(providers.STRIPE, [f"{name}={text}"])
    assert (getattr(record, name), rules) == (expected, {})


def test_a_place_can_be_said_in_text() -> None:
    given = ["signature=header:x-sig", "id=json:event.id", "timestamp=json:at"]
    record, _ = options.apply(providers.GITHUB, given)
    assert [repr(place) for place in (*record.places, record.id, record.timestamp)] == [
        "Header('x-sig')",
        "JSONField('event', 'id')",
        "JSONField('at')",
    ]


def test_every_fact_and_rule_can_be_given_but_those_that_only_code_can_make() -> None:
    every = {field.name for field in dataclasses.fields(Provider)} | Options.__annotations__.keys()
    with pytest.raises(UsageError) as caught:
        options.apply(providers.SPECKLE, ["nonsense=1"])
    known = set(str(caught.value).rpartition("options are ")[2].split(", "))
    only_code = {"unsigned", "extra", "expect", "on_secret", "claims", "fetch", "published", "key_id"}
    assert known == every - only_code | {"header", "version"}


def test_a_version_is_another_record_of_the_same_sender() -> None:
    record, route = options.apply(providers.HUBSPOT, ["version=v1", "max_body=7"])
    assert (record.name, record.signed, route) == ("hubspot_v1", "{body}", {"max_body": 7})
    with pytest.raises(ConfigError, match="hubspot_v9"):
        options.apply(providers.HUBSPOT, ["version=v9"])


def test_a_renamed_header_keeps_its_grammar_and_takes_the_timestamp_along(call: Call) -> None:
    record, _ = options.apply(providers.STRIPE, ["header=X-Name"])
    assert repr(record.signature) == "Header('x-name', part='v1', many=True)"
    argv = ("--provider", "stripe", "--option", "header=X-Name")
    _, request, _ = call("sign", *argv, "--json", "-", secret=SECRET, stdin=b'{"id":"evt_1"}')
    assert json.loads(request)["headers"].keys() == {"x-name", "user-agent"}
    assert call("verify", *argv, "-", stdin=request)[0] == 0


@pytest.mark.parametrize(
    "given",
    [
        ["every=60"],
        ["fields=customer_id", "signature=sig"],
        ["fields=customer_id,note", "join=:", "signature=sig", "every=60", "neighbours=2"],
        ["every=60", "algorithm=hmac-sha512", "on_duplicate=reject"],
    ],
    ids=" ".join,
)
def test_mechanics_recipes_are_options(call: Call, given: list[str]) -> None:
    argv = ["--provider", "mechanic", *(word for option in given for word in ("--option", option))]
    _, request, _ = call("sign", *argv, "--at", str(NOW), "--json", "-", secret=SECRET, stdin=MECHANIC)
    assert call("verify", *argv, "--now", str(NOW), "-", stdin=request)[0] == 0
    later = call("verify", *argv, "--now", str(NOW + 600), "-", stdin=request)
    assert later[0] == (1 if "every=60" in given else 0)


def test_every_alone_keeps_the_records_own_fields_and_place() -> None:
    record, _ = options.apply(providers.MECHANIC, ["every=60"])
    assert repr(record) == repr(providers.MECHANIC.over("customer_id", signature="customer_id_signature", every=60))


def test_a_body_signing_record_can_be_given_a_template_of_its_own(call: Call) -> None:
    argv = ("--provider", "mechanic", "--option", "signed={interval}:{field.note}", "--option", "every=60")
    _, request, _ = call("sign", *argv, "--json", "-", secret=SECRET, stdin=MECHANIC)
    assert call("verify", *argv, "-", stdin=request)[0] == 0


@pytest.mark.parametrize(
    ("provider", "option", "words"),
    [
        ("github", "nonsense=1", ("nonsense", "max_age", "algorithm")),
        ("github", "fields=a", ("fields",)),
        ("github", "extra=1", ("extra",)),
        ("github", "max_age", ("key=value",)),
        ("github", "=1", ("key=value",)),
        ("github", "max_body=1_000", ("max_body", "whole number")),
        ("github", "max_body=1.5", ("max_body", "whole number")),
        ("github", "max_body=none", ("max_body",)),
        ("github", "max_body=0", ("max_body",)),
        ("github", "methods=post", ("methods",)),
        ("github", "max_age=60", ("max_age",)),
        ("momento", "max_age=nan", ("max_age", "or none")),
        ("momento", "max_age=-1", ("max_age",)),
        ("github", "adjacent=perhaps", ("adjacent", "true or false")),
        ("github", "algorithm=md5", ("algorithm",)),
        ("github", "refusal_status=410", ("refusal_status",)),
        ("github", "on_duplicate=maybe", ("on_duplicate",)),
        ("github", "cors=shop.example", ("cors",)),
        ("github", "test_agents=*", ("test_agents",)),
        ("github", "header=not a header", ("header",)),
        ("github", "id=X-Id", ("header:NAME",)),
        ("github", "id=header:x-id", ("unsigned id",)),
        ("github", "signed={nobody}", ("{nobody}",)),
        ("github", "key_encoding=base64", ("base64",)),
        ("github", "every=60", ("every",)),
        ("stripe", "timestamp=none", ("timestamp",)),
        ("mechanic", "header=X-Name", ("header",)),
        ("mechanic", "fields=", ("field",)),
        ("mechanic", "fields=a,b", ("join",)),
        ("mechanic", "every=0", ("every",)),
        ("github", "signed=\udcff{body}", ("UTF-8",)),
    ],
)
def test_an_unusable_option_is_one_line(call: Call, provider: str, option: str, words: tuple[str, ...]) -> None:
    called = call("verify", "--provider", provider, "--option", option, "-", secret=GITHUB_SECRET, stdin=GITHUB)
    assert_one_line_and_two(called, *words)


def test_an_option_given_twice_is_one_line(call: Call) -> None:
    argv = ("verify", "--provider", "github", "--option", "max_body=1", "--option", "max_body=2", "-")
    assert_one_line_and_two(call(*argv, secret=SECRET, stdin=GITHUB), "max_body", "twice")


# Sign.


@pytest.mark.parametrize("name", samples.SIGNING)
def test_what_sign_makes_verify_accepts(call: Call, name: str) -> None:
    argv, needs = samples.argv(name), samples.sample(name)
    status, request, err = call("sign", *argv, "--json", "--url", needs.url, "-", secret=needs.secret, stdin=needs.body)
    assert (status, err) == (0, "")
    status, out, err = call("verify", *argv, "--json", "-", stdin=request)
    assert (status, json.loads(out)["webhook"]["provider"], err) == (0, name, "")


@pytest.mark.parametrize("name", [name for name in samples.SIGNING if providers.provider(name).coverage == "body"])
def test_one_more_byte_is_refused(call: Call, name: str) -> None:
    argv, needs = samples.argv(name), samples.sample(name)
    _, request, _ = call("sign", *argv, "--json", "--url", needs.url, "-", secret=needs.secret, stdin=needs.body)
    altered = json.loads(request)
    altered["body"] += " "
    status, out, _ = call("verify", *argv, "--json", "-", stdin=altered)
    assert (status, json.loads(out)["reason"]) == (1, "signature_mismatch")


def test_sign_prints_an_http_message_with_the_bodys_exact_bytes() -> None:
    body = b'{"a": "\xff\x00\r\n"}  '
    argv = ("--provider", "github", "--url", "/hooks/github?x=1", "--header", "X-GitHub-Event:  push ", "-")
    done = process("sign", *argv, secret=SECRET, stdin=body)
    head, _, sent = done.stdout.partition(b"\n\n")
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert (done.returncode, done.stderr, sent) == (0, b"", body)
    first, *lines = head.decode().split("\n")
    assert first == "POST /hooks/github?x=1 HTTP/1.1"
    assert {"x-github-event: push", f"x-hub-signature-256: sha256={signature}"} <= set(lines)


def test_a_body_that_is_no_text_travels_in_base64(call: Call) -> None:
    body = bytes(range(256))
    _, request, _ = call("sign", "--provider", "github", "--json", "-", secret=SECRET, stdin=body)
    assert base64.b64decode(json.loads(request)["body_b64"]) == body
    assert "body" not in json.loads(request)
    assert call("verify", "--provider", "github", "-", stdin=request)[0] == 0


def test_id_and_time_are_signed(call: Call) -> None:
    argv = ("--provider", "svix", "--id", "msg_1", "--at", str(NOW), "--method", "POST")
    _, request, _ = call("sign", *argv, "--json", "-", secret=WHSEC, stdin=b"{}")
    headers = json.loads(request)["headers"]
    assert (headers["svix-id"], headers["svix-timestamp"]) == ("msg_1", str(NOW))
    _, out, _ = call("verify", "--provider", "svix", "--now", str(NOW + 2), "--json", "-", stdin=request)
    webhook = json.loads(out)["webhook"]
    assert (webhook["id"], webhook["timestamp"], webhook["age"]) == ("msg_1", NOW, 2)


def test_rules_of_the_route_do_not_disturb_signing(call: Call) -> None:
    argv = ("sign", "--provider", "momento", "--option", "max_age=none", "--option", "on_test=mark")
    assert call(*argv, "-", secret=SECRET, stdin=b"{}")[0] == 0


def test_the_curl_command_sends_the_exact_bytes_and_headers(tmp_path: Path) -> None:
    stand_in = tmp_path / "curl"
    stand_in.write_text(f"#!/bin/sh\ncat > {tmp_path}/body\nprintf '%s\\n' \"$@\" > {tmp_path}/words\n")
    stand_in.chmod(0o755)
    body = b'it\'s "$HOME" `id` \\n %s\n\n\xff\x00'
    header = ("--header", "X-Odd: it's $HOME", "--header", "X-Empty:")
    done = process("sign", "--provider", "github", *header, "--curl", "-", secret=SECRET, stdin=body)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(["sh", "-c", done.stdout], env={"PATH": path}, check=True)
    words = (tmp_path / "words").read_text().splitlines()
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert (tmp_path / "body").read_bytes() == body
    assert words[-1] == "http://127.0.0.1:8000/"
    assert {"x-odd: it's $HOME", "x-empty;", f"x-hub-signature-256: sha256={signature}", "content-type:"} <= set(words)


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("--provider", "nobody", "-"), ("nobody", "hooklatch providers")),
        (("--provider", "GITHUB", "-"), ("GITHUB",)),
        (("--provider", "github", "--id", "x", "-"), ("--id",)),
        (("--provider", "svix", "--id", "x\ny", "-"), ("--id",)),
        (("--provider", "svix", "--id", "", "-"), ("--id",)),
        (("--provider", "github", "--at", "yesterday", "-"), ("--at", "yesterday")),
        (("--provider", "github", "--at", "nan", "-"), ("--at",)),
        (("--provider", "github", "--at", "-1", "-"), ("--at",)),
        (("--provider", "github", "--at", "999999999999999", "-"), ("--at",)),
        (("--provider", "github", "--method", "GET /", "-"), ("--method",)),
        (("--provider", "github", "--url", "hooks", "-"), ("url",)),
        (("--provider", "github", "--url", "http://[", "-"), ("url",)),
        (("--provider", "github", "--url", "/a b", "-"), ("url",)),
        (("--provider", "github", "--header", "no colon", "-"), ("--header",)),
        (("--provider", "github", "--header", "X: a\r\nY: b", "-"), ("--header",)),
        (("--provider", "github", "--header", "X: \u20ac", "-"), ("--header",)),
        (("--provider", "github", "--header", "X: 1", "--header", "x: 2", "-"), ("--header", "twice")),
        (("--provider", "github", "--header", "X: \u00e9", "--curl", "-"), ("ASCII", "--json")),
        (("--provider", "github", "--option", "encoding=text", "-"), ("encoding='text'",)),
        (("--provider", "github", "--option", "signed={header.x-a}:{body}", "-"), ("x-a",)),
        (("--provider", "github", "--json", "--curl", "-"), ("--curl",)),
        (("--provider", "mechanic", "-"), ("customer_id",)),
        (("--provider", "github", "/nowhere/at/all"), ("/nowhere/at/all", "No such file")),
        (("--provider", "github", "/"), ("directory",)),
        (("--provider", "github", "nul\0"), ("nul",)),
        (("--provider", "github"), ("BODYFILE",)),
        (("-",), ("--provider",)),
    ],
)
def test_what_sign_cannot_use_is_one_line(call: Call, argv: tuple[str, ...], words: tuple[str, ...]) -> None:
    assert_one_line_and_two(call("sign", *argv, secret=SECRET, stdin=b"{}"), *words)


@pytest.mark.parametrize(
    "request_text",
    [
        b"",
        b"\xff",
        b"{",
        b"[]",
        b"null",
        b"1" * 5000,
        b"[" * 100_000,
        b'{"headers": {}}',
        b'{"body": ""}',
        b'{"headers": null, "body": ""}',
        b'{"headers": "x", "body": ""}',
        b'{"headers": {"x": 1}, "body": ""}',
        b'{"headers": [["x"]], "body": ""}',
        b'{"headers": [["x", 1]], "body": ""}',
        b'{"headers": ["xy"], "body": ""}',
        b'{"headers": {"x": "1", "x": "2"}, "body": ""}',
        b'{"headers": {}, "body": "", "body_b64": ""}',
        b'{"headers": {}, "body": {}}',
        b'{"headers": {}, "body": "\\ud800"}',
        b'{"headers": {}, "body_b64": "a"}',
        b'{"headers": {}, "body_b64": "\xc3\xa9"}',
        b'{"headers": {}, "body": "", "method": 1}',
        b'{"headers": {}, "body": "", "method": "GET /"}',
        b'{"headers": {}, "body": "", "url": 1}',
        b'{"headers": {}, "body": "", "url": "http://["}',
        b'{"headers": {}, "body": "", "url": "/\\ud800"}',
    ],
    ids=lambda text: text[:40].decode("latin-1"),
)
def test_a_request_that_is_none_is_one_line(call: Call, request_text: bytes) -> None:
    assert_one_line_and_two(call("verify", "--provider", "github", "-", secret=SECRET, stdin=request_text))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
REQUESTS = st.fixed_dictionaries(
    {},
    optional={
        "method": JSON | st.text("GETPOS", min_size=1),
        "url": JSON | st.text("/?=%[]@: h").map("/".__add__),
        "headers": JSON | st.dictionaries(st.sampled_from(["webhook-id", "webhook-timestamp", "x"]), st.text()),
        "body": JSON | st.text(),
        "body_b64": JSON | st.binary().map(lambda raw: base64.b64encode(raw).decode()),
    },
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(REQUESTS)
def test_no_request_raises_anything_but_a_usage_error_or_a_verdict(request: dict[str, object]) -> None:
    chain = providers.STANDARD_WEBHOOKS.chain(WHSEC)
    try:
        parsed = verify.parse(json.dumps(request).encode())
    except UsageError:
        return
    with pytest.raises(Answer):
        chain.verify(**parsed._asdict(), now=NOW)


# Secrets.


def test_several_secrets_come_numbered_and_a_gap_ends_the_list() -> None:
    known = {"HOOKLATCH_SECRET": "new", "HOOKLATCH_SECRET_1": "old", "HOOKLATCH_SECRET_3": "beyond"}
    assert [secret.value for secret in secrets_in.find([], known)] == ["new", "old"]


def test_numbered_secrets_count_without_the_plain_one() -> None:
    assert [secret.value for secret in secrets_in.find([], {"HOOKLATCH_SECRET_1": "one"})] == ["one"]


def test_the_verdict_says_which_secret_matched(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOKLATCH_SECRET_1", GITHUB_SECRET)
    _, out, _ = call("verify", "--provider", "github", "--json", "-", secret="a newer secret", stdin=GITHUB)
    assert json.loads(out)["webhook"]["key_index"] == 1


def test_a_secret_with_a_comma_stays_one(call: Call) -> None:
    body = b"{}"
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(NOW)}
    for key, status in ((base64.b64decode(WHSEC.partition("_")[2]), 0), (b"v1", 1)):
        digest = hmac.new(key, f"msg_1.{NOW}.".encode() + body, hashlib.sha256).digest()
        signed = headers | {"webhook-signature": f"v1,{base64.b64encode(digest).decode()}"}
        request = {"headers": signed, "body": body.decode()}
        argv = ("verify", "--provider", "standard_webhooks", "--now", str(NOW), "-")
        assert call(*argv, secret=WHSEC, stdin=request)[0] == status
    assert [secret.value for secret in secrets_in.find([], {"HOOKLATCH_SECRET": WHSEC})] == [WHSEC]


@pytest.mark.parametrize("line_end", [b"", b"\n", b"\r\n"])
def test_a_secret_file_loses_exactly_one_line_end(call: Call, tmp_path: Path, line_end: bytes) -> None:
    file = tmp_path / "secret"
    file.write_bytes(GITHUB_SECRET.encode() + line_end)
    argv = ("verify", "--provider", "github", "--secret-file", str(file), "-")
    assert call(*argv, stdin=GITHUB)[0] == 0
    file.write_bytes(GITHUB_SECRET.encode() + line_end + b"\n")
    assert call(*argv, stdin=GITHUB)[0] == (0 if line_end == b"" else 2)


def test_secret_files_are_read_newest_first_and_the_environment_is_left_alone(call: Call, tmp_path: Path) -> None:
    (tmp_path / "new").write_text("a newer secret")
    (tmp_path / "old").write_text(GITHUB_SECRET)
    argv = ("verify", "--provider", "github", "--secret-file", str(tmp_path / "new"), "--json")
    _, out, _ = call(*argv, "--secret-file", str(tmp_path / "old"), "-", secret="unused", stdin=GITHUB)
    assert json.loads(out)["webhook"]["key_index"] == 1
    status, _, _ = call(*argv, "-", secret=GITHUB_SECRET, stdin=GITHUB)
    assert status == 1


@pytest.mark.parametrize("command", ["sign", "verify"])
def test_without_a_secret_one_line_says_how_to_give_one(call: Call, command: str) -> None:
    called = call(command, "--provider", "github", "-", stdin=GITHUB)
    assert_one_line_and_two(called, "HOOKLATCH_SECRET", "--secret-file")


@pytest.mark.parametrize("content", [b"", b"\n", b" ", b"secret\n\n", b"\xff\xfes\0", b"\xef\xbb\xbfsecret", b"whsec_"])
def test_a_file_that_holds_no_usable_secret_is_one_line(call: Call, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "secret-file"
    file.write_bytes(content)
    called = call("sign", "--provider", "github", "--secret-file", str(file), "-")
    assert_one_line_and_two(called, "secret-file: ")


def test_an_empty_secret_in_the_environment_is_one_line(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_one_line_and_two(call("sign", "--provider", "github", "-", secret=""), "HOOKLATCH_SECRET: ", "empty")
    monkeypatch.setenv("HOOKLATCH_SECRET_1", "")
    assert_one_line_and_two(call("sign", "--provider", "github", "-", secret=SECRET), "HOOKLATCH_SECRET_1: ", "empty")


def test_a_secret_that_is_no_text_is_one_line() -> None:
    with pytest.raises(UsageError, match=r"^HOOKLATCH_SECRET: .*UTF-8"):
        secrets_in.find([], {"HOOKLATCH_SECRET": os.fsdecode(b"\xff")})


@pytest.mark.parametrize("argv", [("--secret", SECRET), (f"--secret={SECRET}",), ("--secret",)])
@pytest.mark.parametrize("command", ["sign", "verify"])
def test_a_secret_is_never_an_argument(call: Call, command: str, argv: tuple[str, ...]) -> None:
    called = call(command, "--provider", "github", *argv, "-")
    assert_one_line_and_two(called, "HOOKLATCH_SECRET")
    assert SECRET not in called[2]


@pytest.mark.parametrize(
    "argv",
    [
        ("verify", "--provider", "github", "--key", SECRET, "-"),
        ("verify", "--provider", "github", f"--secret-fil={SECRET}", "-"),
        ("--secret", SECRET, "verify"),
        (f"--secret={SECRET}", "verify"),
        ("providers", "--secret", SECRET),
    ],
)
def test_what_stands_beside_an_unknown_option_is_not_repeated(call: Call, argv: tuple[str, ...]) -> None:
    called = call(*argv)
    assert_one_line_and_two(called, "unknown option --")
    assert SECRET not in called[2]


@pytest.mark.parametrize("name", [name for name in samples.SIGNING if providers.provider(name).algorithm != "token"])
def test_neither_secret_nor_expected_signature_is_ever_printed(call: Call, name: str) -> None:
    argv, (secret, url, body, _) = samples.argv(name), samples.sample(name)
    signing = ("sign", *argv, "--url", url, "--at", str(NOW))
    printed: list[str] = []
    for form in ((), ("--json",), ("--curl",)):
        printed += call(*signing, *form, "-", secret=secret, stdin=body)[1:]
    request = json.loads(printed[2])
    for form in ((), ("--json",)):
        printed += call("verify", *argv, *form, "--now", str(NOW), "-", stdin=request)[1:]
    assert secret not in "".join(printed)
    assert "whsec" not in "".join(printed)
    wrong = call("verify", *argv, "--now", str(NOW), "-", secret=f"{secret}BBBB", stdin=request)
    expected = call(*signing, "--json", "-", stdin=body)[1]
    signatures = {*re.findall(r"[0-9A-Za-z+/=]{28,}", expected)} - {*re.findall(r"[0-9A-Za-z+/=]{28,}", printed[2])}
    assert (wrong[0], len(signatures)) == (1, 1)
    assert signatures.pop() not in "".join(wrong[1:])


# Providers.


def test_the_table_has_a_line_for_every_sender_in_order(call: Call) -> None:
    status, out, err = call("providers")
    heading, *lines = out.splitlines()
    assert (status, err) == (0, "")
    assert heading.split() == ["NAME", "ALGORITHM", "SIGNATURE", "EVIDENCE", "COVERAGE", "DOCS"]
    assert [line.split()[0] for line in lines] == sorted(providers.names())
    assert [line.split()[-1] for line in lines] == [providers.provider(name).docs for name in providers.names()]


def test_a_part_of_a_name_narrows_the_table(call: Call) -> None:
    _, out, _ = call("providers", "Webhooks")
    assert [line.split()[0] for line in out.splitlines()] == ["NAME", "standard_webhooks", "standard_webhooks_v1a"]


def test_words_narrow_the_table_to_what_fits_all_of_them(call: Call) -> None:
    listed = {line.split()[0] for line in call("providers", "HMAC-SHA256", "published")[1].splitlines()[1:]}
    every = map(providers.provider, providers.names())
    assert listed == {one.name for one in every if (one.algorithm, one.evidence) == ("hmac-sha256", "published")}
    assert listed


def test_a_description_tells_the_handshake_in_the_words_of_its_mechanism(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = providers.GITHUB.using(handshake="echo_query name=challenge", bare_refusals=True)
    monkeypatch.setattr("hooklatch.cli.providers.provider", lambda name: record)
    out = " ".join(call("providers", "github")[1].split())
    assert f"handshake {sentence('echo_query')} (name challenge)" in out
    assert "refusal status 401, without a body" in out


def test_a_snippet_gives_a_public_key_and_whatever_else_the_sender_needs(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = Provider(name="acme", signature=Header("x-s"), signed="{url}{body}", adjacent=True, algorithm="ed25519",
                      expects=("topic",))  # fmt: skip
    monkeypatch.setattr("hooklatch.cli.providers.provider", lambda name: record)
    monkeypatch.setattr("hooklatch.cli.providers.names", lambda: ("acme",))
    out = call("providers", "acme")[1]
    assert "public_keys, public_url, expect.topic" in out
    assert (
        'ACME.chain(public_keys=os.environ["ACME_PUBLIC_KEY"], public_url="https://example.com/hooks/acme", expect='
        in out
    )
    assert json.loads(call("providers", "acme", "--json")[1])["needs"] == ["public_keys", "public_url", "expect.topic"]


def test_an_unknown_sender_is_one_line(call: Call) -> None:
    assert_one_line_and_two(call("providers", "nobody\n"), "nobody")


@pytest.mark.parametrize("name", providers.names())
def test_a_whole_name_tells_how_that_sender_signs(call: Call, name: str) -> None:
    status, out, _ = call("providers", name)
    record = providers.provider(name)
    labels = [line.split("  ")[0] for line in out.split("\nFlask\n")[0].splitlines() if line and line[0] != " "]
    assert status == 0
    assert {"signature", "signed content", "algorithm", "encoding", "key", "timestamp", "event id", "retries",
            "repeats", "refusal status", "quirks", "docs"} <= set(labels)  # fmt: skip
    assert record.docs in out
    assert str(record.refusal_status) in out
    assert all(line == line.rstrip() for line in out.splitlines())


def test_a_description_says_where_and_what(call: Call) -> None:
    out = " ".join(call("providers", "standard_webhooks")[1].split())
    assert "the header webhook-signature, in the part v1,... (several may be sent)" in out
    assert "{id}.{timestamp}.{body}: the event id, '.', the timestamp, '.', the raw body" in out
    assert "at most 5 minutes old and 5 minutes ahead" in out
    assert "over 76 hours" in out


def snippets(text: str) -> dict[str, str]:
    flask, fastapi = text.partition("\nFlask\n")[2].split("\nFastAPI\n")
    return {
        "flask": "\n".join(line[4:] for line in flask.splitlines()),
        "fastapi": "\n".join(line[4:] for line in fastapi.splitlines()),
    }


@pytest.mark.parametrize("name", samples.SIGNING)
def test_the_snippets_run_as_they_stand(call: Call, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    secret, url, body, given = samples.sample(name)
    monkeypatch.setenv(f"{name.upper()}_SECRET", secret)
    found = snippets(call("providers", name)[1])
    record = providers.provider(name)
    senders: dict[str, Callable[[Any, Delivery], Answered]] = {
        "flask": call_wsgi,
        "fastapi": lambda app, delivery: anyio.run(call_asgi, app, delivery),
    }
    for kind, send in senders.items():
        module = ModuleType(f"snippet_{kind}_{name}")
        monkeypatch.setitem(sys.modules, module.__name__, module)
        exec(compile(found[kind], f"<{kind}>", "exec", dont_inherit=True), module.__dict__)
        app = module.__dict__["create_app"]() if kind == "flask" else module.__dict__["app"]
        delivery = record.sign(body, secret=secret, url=url, expect=given.get("expect", {}))
        assert send(app, delivery).status == 204
        bare = delivery._replace(headers={}, url=f"/hooks/{name}")
        assert send(app, bare).status == record.refusal_status


def test_json_lists_every_fact_of_every_sender(call: Call) -> None:
    listed = json.loads(call("providers", "--json")[1])
    facts = {field.name for field in dataclasses.fields(Provider)} | {"coverage", "needs"}
    assert [one["name"] for one in listed] == list(providers.names())
    assert all(one.keys() == facts for one in listed)


def test_json_of_a_whole_name_is_one_object(call: Call) -> None:
    facts = json.loads(call("providers", "stripe", "--json")[1])
    assert facts["signature"] == [
        {"in": "header", "names": ["stripe-signature"], "part": "v1", "many": True, "separator": ",", "assign": "="}
    ]
    assert facts["id"] == {"in": "json", "path": ["id"]}
    assert (facts["coverage"], facts["max_age"]) == ("body", 300)


# The program.


def test_no_command_and_an_unknown_one_are_one_line(call: Call) -> None:
    assert_one_line_and_two(call(), "sign", "verify")
    assert_one_line_and_two(call("nonsense"), "nonsense")
    assert_one_line_and_two(call("--", "demo"))
    assert_one_line_and_two(call("providers", "a", "--b"), "--b")


@pytest.mark.parametrize("argv", [("--help",), ("sign", "--help"), ("verify", "-h"), ("providers", "-h")])
def test_help_is_status_0(argv: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(argv)
    assert caught.value.code == 0


def test_version(call: Call) -> None:
    status, out, _ = call("--version")
    assert (status, out.split()[0]) == (0, "hooklatch")


def test_a_subcommand_is_a_module_with_two_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    stub = ModuleType("hooklatch.cli.demo")
    stub.__dict__["add_arguments"] = lambda parser: parser.add_argument("--port", type=int)
    stub.__dict__["run"] = lambda arguments: arguments.port
    monkeypatch.setitem(sys.modules, "hooklatch.cli.demo", stub)
    assert main(["demo", "--port", "7"]) == 7


@pytest.mark.parametrize(
    ("trouble", "status", "line"),
    [(BrokenPipeError(), 141, ""), (KeyboardInterrupt(), 130, ""), (OSError(98, "in use"), 2, "hooklatch: in use\n")],
)
def test_trouble_of_the_process_is_no_traceback(
    call: Call, monkeypatch: pytest.MonkeyPatch, trouble: BaseException, status: int, line: str
) -> None:
    def run(arguments: object) -> int:
        raise trouble

    monkeypatch.setattr("hooklatch.cli.providers.run", run)
    assert call("providers") == (status, "", line)


def test_only_the_called_command_is_imported() -> None:
    code = (
        "import sys; from hooklatch.cli import main; before = set(sys.modules); main(['providers', 'github']); "
        "print(sorted(m for m in sys.modules if m.startswith('hooklatch.cli')), 'argparse' in before, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stderr == "['hooklatch.cli', 'hooklatch.cli.providers'] True\n"


def test_the_program_runs_as_a_module_in_a_pipe(tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(b"Hello, World!")
    signed = process("sign", "--provider", "github", "--json", "body", secret=GITHUB_SECRET, cwd=tmp_path)
    judged = process("verify", "--provider", "github", "-", secret=GITHUB_SECRET, stdin=signed.stdout)
    refused = process("verify", "--provider", "github", "-", secret="another", stdin=signed.stdout)
    unusable = process("verify", "--provider", "github", "missing.json", secret="another", cwd=tmp_path)
    assert [done.returncode for done in (signed, judged, refused, unusable)] == [0, 0, 1, 2]
    assert judged.stdout == b"accepted: github, covers body, secret 0\n"
    assert unusable.stderr == b"hooklatch: missing.json: No such file or directory\n"


def test_a_reader_that_went_away_leaves_no_traceback() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "hooklatch", "providers"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_one_line() -> None:
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-m", "hooklatch", "providers"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (2, b"hooklatch: No space left on device\n")
