"""Fetching a sender's keys, from a real TLS server with a throw-away authority, and how rarely it is done."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import trustme

import key_samples
from hooklatch import Chain, Delivery
from hooklatch.fetching import FetchError, HTTPSFetcher, public_addresses
from hooklatch.providers import AWS_SNS, FIREBLOCKS, GOOGLE_CHAT, PLAID, TRAVIS
from hooklatch.remote_keys import Remote
from worlds import NOW, Endpoint

MakeEndpoint = Callable[..., Endpoint]
Answerer = Callable[[ssl.SSLSocket], None]

HOST = "keys.example"
BAD = "CERTIFICATE_VERIFY_FAILED"
URL = f"https://{HOST}/keys.pem"
AUTHORITY = trustme.CA()


class Server:
    """Answers every connection as *answer* says and keeps what was asked."""

    def __init__(self, answer: Answerer, host: str) -> None:
        self.asked: list[bytes] = []
        self._answer = answer
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        AUTHORITY.issue_cert(host).configure_cert(self._context)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.place: tuple[str, int] = self._socket.getsockname()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(plain,), daemon=True).start()

    def _one(self, plain: socket.socket) -> None:
        try:
            with self._context.wrap_socket(plain, server_side=True) as secure:
                self.asked.append(secure.recv(4096))
                self._answer(secure)
        except OSError:
            plain.close()

    def close(self) -> None:
        self._socket.close()


@contextmanager
def serving(answer: Answerer, host: str = HOST, **settings: Any) -> Iterator[tuple[Server, HTTPSFetcher]]:
    server = Server(answer, host)
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    try:
        yield server, HTTPSFetcher(context=context, resolve=lambda name: [server.place], **settings)
    finally:
        server.close()


def answering(head: str, body: bytes = b"") -> Answerer:
    return lambda secure: secure.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body)


def fine(body: bytes) -> Answerer:
    return answering(f"HTTP/1.1 200 OK\nContent-Length: {len(body)}", body)


def test_a_document_is_fetched_by_a_plain_get() -> None:
    with serving(fine(b"the key")) as (server, fetch):
        assert fetch(f"{URL}?version=1") == b"the key"
        (request,) = server.asked
    assert request.startswith(b"GET /keys.pem?version=1 HTTP/1.1\r\nHost: keys.example\r\n")
    assert b"Accept-Encoding: identity" in request


def test_an_address_is_tried_after_another() -> None:
    with serving(fine(b"the key")) as (server, _), socket.create_server(("127.0.0.1", 0)) as other:
        closed = other.getsockname()
        other.close()
        context = ssl.create_default_context()
        AUTHORITY.configure_trust(context)
        assert HTTPSFetcher(context=context, resolve=lambda name: [closed, server.place])(URL) == b"the key"
        with pytest.raises(FetchError, match="refused"):
            HTTPSFetcher(context=context, resolve=lambda name: [closed])(URL)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(answering(f"HTTP/1.1 302 Found\nLocation: {URL}\nContent-Length: 0"), id="redirect"),
        pytest.param(answering("HTTP/1.1 404 Not Found\nContent-Length: 0"), id="absent"),
        pytest.param(answering("HTTP/1.1 206 Partial Content\nContent-Length: 1", b"k"), id="partial"),
        pytest.param(fine(b"k" * 65_537), id="oversize"),
        pytest.param(answering("HTTP/1.1 200 OK", b"k" * 70_000), id="oversize-without-length"),
        pytest.param(answering("HTTP/1.1 200 OK\nContent-Length: 10", b"short"), id="cut"),
        pytest.param(answering("HTTP/1.1 200 OK\nTransfer-Encoding: chunked", b"zz\r\n"), id="bad-chunks"),
        pytest.param(lambda secure: secure.sendall(b"nonsense\r\n\r\n"), id="no-http"),
        pytest.param(lambda secure: None, id="nothing"),
    ],
)
def test_anything_but_one_whole_small_document_is_none(answer: Answerer) -> None:
    with serving(answer) as (server, fetch):
        with pytest.raises(FetchError):
            fetch(URL)
        assert len(server.asked) == 1


def drip(secure: ssl.SSLSocket) -> None:
    secure.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        secure.sendall(b"x: y\r\n")
        time.sleep(0.05)


def hang(secure: ssl.SSLSocket) -> None:
    time.sleep(20)


@pytest.mark.parametrize("answer", [drip, hang])
def test_a_server_that_takes_its_time_is_left(answer: Answerer) -> None:
    with serving(answer, timeout=0.4) as (_, fetch):
        started = time.monotonic()
        with pytest.raises(FetchError):
            fetch(URL)
        assert time.monotonic() - started < 10


def test_a_certificate_of_another_host_or_authority_is_none() -> None:
    with (
        serving(fine(b"k"), host="other.example") as (server, fetch),
        pytest.raises(FetchError, match=BAD),
    ):
        fetch(URL)
    with serving(fine(b"k")) as (server, _), pytest.raises(FetchError, match=BAD):
        HTTPSFetcher(resolve=lambda name: [server.place])(URL)


@pytest.mark.parametrize(
    "url",
    [
        "http://keys.example/k",
        "https://keys.example:8443/k",
        "https://user@keys.example/k",
        "https://keys.example/k#f",
        "https:///k",
        "ftp://keys.example/k",
        "",
    ],
)
def test_only_a_plain_https_address_is_asked(url: str) -> None:
    def resolve(name: str) -> list[tuple[str, int]]:
        raise AssertionError(name)

    with pytest.raises(FetchError):
        HTTPSFetcher(resolve=resolve)(url)


@pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "10.0.0.1", "::1", "localhost"])
def test_an_address_off_the_public_network_is_not_asked(host: str) -> None:
    with pytest.raises(FetchError, match="public"):
        public_addresses(host)


# How rarely it is done.

CERTIFICATES = "https://www.googleapis.com/service_accounts/v1/jwk/chat@system.gserviceaccount.com"
PRIVATE, PUBLIC = key_samples.pair("rsa-pkcs1v15-sha256", 0)


class Keys:
    """A fetcher that counts, and fails while it is told to."""

    def __init__(self, document: bytes) -> None:
        self.document = document
        self.asked: list[str] = []
        self.failing = False
        self.pause = 0.0

    def __call__(self, url: str) -> bytes:
        self.asked.append(url)
        time.sleep(self.pause)
        if self.failing:
            message = "no route to host"
            raise OSError(message)
        return self.document


def key_set(*names: str) -> bytes:
    import base64
    import json

    from Crypto.PublicKey import RSA

    key = RSA.import_key(PUBLIC)
    number = base64.urlsafe_b64encode(key.n.to_bytes(256, "big")).decode().rstrip("=")
    return json.dumps({"keys": [{"kty": "RSA", "kid": name, "n": number, "e": "AQAB"} for name in names]}).encode()


def token(key_id: str | None, **header: Any) -> Delivery:
    """Return a delivery of Google Chat whose token names its key."""
    import base64
    import json

    from hooklatch.private_keys import private_key

    claims = {"iss": "chat@system.gserviceaccount.com", "aud": "https://receiver.example", "iat": int(NOW)}
    head = {"alg": "RS256", **({} if key_id is None else {"kid": key_id}), **header}
    text = ".".join(base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=") for one in (head, claims))
    raw = private_key("rsa-pkcs1v15-sha256", PRIVATE).sign(text.encode())
    signature = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    return Delivery("POST", "/hook", {"authorization": f"Bearer {text}.{signature}"}, b"{}")


def chat(fetch: Keys, clock: Callable[[], float] = time.monotonic) -> Chain:
    chain = GOOGLE_CHAT.chain(expect={"aud": "https://receiver.example"}, fetch=fetch)
    assert isinstance(chain._remote, Remote)
    chain._remote._clock = clock
    return chain


def test_keys_are_fetched_once_and_again_after_an_hour(endpoint: MakeEndpoint) -> None:
    fetch = Keys(key_set("k1", "k2"))
    now = [0.0]
    made = endpoint(routes={"/hook": chat(fetch, lambda: now[0])})
    for moment, count in ((0, 1), (10, 1), (3599, 1), (3601, 2), (3700, 2)):
        now[0] = moment
        assert made.post(token("k1")).status == 200
        assert fetch.asked == [CERTIFICATES] * count


def test_an_unknown_key_id_causes_one_fetch_a_minute_however_many_there_are(endpoint: MakeEndpoint) -> None:
    fetch = Keys(key_set("k1"))
    now = [0.0]
    made = endpoint(routes={"/hook": chat(fetch, lambda: now[0])})
    for number in range(50):
        assert (made.post(token(f"random-{number}")).status, made.reason) == (401, "signature_mismatch")
    assert len(fetch.asked) == 1
    assert made.post(token("k1")).status == 200
    fetch.document = key_set("k1", "new")
    now[0] = 59
    assert made.post(token("new")).status == 401
    now[0] = 61
    assert made.post(token("new")).status == 200
    assert len(fetch.asked) == 2


def test_a_failed_fetch_is_503_and_not_repeated_for_a_minute(endpoint: MakeEndpoint) -> None:
    fetch = Keys(key_set("k1"))
    fetch.failing = True
    now = [0.0]
    made = endpoint(routes={"/hook": chat(fetch, lambda: now[0])})
    for _ in range(5):
        answered = made.post(token("k1"))
        assert (answered.status, made.reason, answered.header("retry-after")) == (503, "secret_unavailable", "30")
    assert len(fetch.asked) == 1
    fetch.failing = False
    now[0] = 61
    assert made.post(token("k1")).status == 200
    assert len(fetch.asked) == 2


def test_known_keys_outlive_a_failing_server_for_a_day(endpoint: MakeEndpoint) -> None:
    fetch = Keys(key_set("k1"))
    now = [0.0]
    made = endpoint(routes={"/hook": chat(fetch, lambda: now[0])})
    assert made.post(token("k1")).status == 200
    fetch.failing = True
    for moment, status in ((4000, 200), (4001, 200), (86_000, 200), (86_500, 503), (86_501, 503)):
        now[0] = moment
        assert made.post(token("k1")).status == status
    assert len(fetch.asked) == 4


def test_requests_that_come_together_cause_one_fetch() -> None:
    fetch = Keys(key_set("k1"))
    fetch.pause = 0.3
    chain = chat(fetch)
    outcomes: list[int] = []

    def one() -> None:
        outcomes.append(chain.verify(**token("k1")._asdict(), now=NOW).key_index)

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (outcomes, len(fetch.asked)) == ([0] * 8, 1)


@pytest.mark.parametrize("document", [b"", b"{}", b"<html>", b'{"keys": []}', b"\xff", key_set("k1")[:-9]])
def test_a_document_without_keys_is_503(document: bytes, endpoint: MakeEndpoint) -> None:
    for record, delivery in ((GOOGLE_CHAT, token("k1")), (TRAVIS, key_samples.sent(TRAVIS))):
        chain = record.chain(fetch=Keys(document), expect=key_samples.expected(record))
        made = endpoint(routes={"/hook": chain})
        assert (made.post(delivery).status, made.reason) == (503, "secret_unavailable")


def test_a_pem_is_found_inside_a_json_document(endpoint: MakeEndpoint) -> None:
    import json

    document = {"config": {"notifications": {"webhook": {"public_key": PUBLIC}}}}
    fetch = Keys(json.dumps(document).encode())
    made = endpoint(routes={"/hook": TRAVIS.chain(fetch=fetch)})
    assert made.post(key_samples.sent(TRAVIS)).status == 200
    assert fetch.asked == ["https://api.travis-ci.com/config"]


def test_the_key_of_an_id_is_asked_of_a_callable_and_kept(endpoint: MakeEndpoint) -> None:
    asked: list[str] = []
    _, public = key_samples.pair(FIREBLOCKS.algorithm, 0)

    def find(key_id: str) -> str | None:
        asked.append(key_id)
        return public if key_id == "k1" else None

    made = endpoint(routes={"/hook": FIREBLOCKS.chain(public_keys=find)})
    genuine = key_samples.sent(FIREBLOCKS)
    assert (made.post(genuine).status, made.reason, asked) == (401, "signature_malformed", [])
    named = named_by(genuine, "k1")
    assert [made.post(named).status for _ in range(3)] == [200, 200, 200]
    assert (made.post(named_by(genuine, "k2")).status, made.reason) == (401, "signature_mismatch")
    assert asked == ["k1", "k2"]
    for number in range(50):
        made.post(named_by(genuine, f"random-{number}"))
    assert len(asked) == 10
    assert (made.reason, made.post(named).status) == ("secret_unavailable", 200)


def named_by(genuine: Delivery, key_id: str) -> Delivery:
    from hooklatch.jose import part
    from hooklatch.private_keys import private_key
    from hooklatch.verifiers.offers import encoded

    header = part({"alg": "RS512", "kid": key_id})
    content = f"{header}.{encoded(genuine.body, 'base64url')}".encode()
    raw = private_key(FIREBLOCKS.algorithm, key_samples.pair(FIREBLOCKS.algorithm, 0)[0]).sign(content)
    return genuine._replace(headers={"fireblocks-webhook-signature": f"{header}..{encoded(raw, 'base64url')}"})


@pytest.mark.parametrize("found", [5, "no key", [], ["", PUBLIC], object()])
def test_a_callable_that_returns_no_key_is_503(found: object, endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={"/hook": FIREBLOCKS.chain(public_keys=lambda key_id: found)})
    made.post(named_by(key_samples.sent(FIREBLOCKS), "k1"))
    assert made.reason == ("signature_mismatch" if found == [] else "secret_unavailable")


@pytest.mark.parametrize("key_id", ["", " ", "a b", "../../etc", "é", "k" * 513, 'k"1', "a\nb"])
def test_a_key_id_is_a_name_and_nothing_else(key_id: str, endpoint: MakeEndpoint) -> None:
    fetch = Keys(key_set("k1"))
    made = endpoint(routes={"/hook": chat(fetch)})
    assert made.post(token(key_id)).status == (200 if key_id == "" else 401)
    assert set(fetch.asked) <= {CERTIFICATES}


def test_what_a_token_says_of_its_key_is_not_followed(endpoint: MakeEndpoint) -> None:
    fetch = Keys(key_set("k1"))
    made = endpoint(routes={"/hook": chat(fetch)})
    attacker = {"jku": "https://evil.example/jwks", "x5u": "https://evil.example/cert", "jwk": {"kty": "RSA"}}
    assert made.post(token("elsewhere", **attacker)).status == 401
    assert fetch.asked == [CERTIFICATES]


def test_plaids_callable_returns_what_its_api_does(endpoint: MakeEndpoint) -> None:
    assert PLAID.published is None
    made = endpoint(routes={"/hook": PLAID.chain(public_keys=[key_samples.pair(PLAID.algorithm, 0)[1]])})
    assert made.post(key_samples.sent(PLAID)).status == 200


# A certificate whose address stands in the request: certificates and addresses of Amazon SNS are in test_sns.py.


def test_the_cache_of_addresses_is_bounded_and_keeps_what_is_used(endpoint: MakeEndpoint) -> None:
    now = [0.0]
    fetch = Keys(PUBLIC.encode())
    chain = AWS_SNS.chain(expect=key_samples.expected(AWS_SNS), fetch=fetch)
    assert isinstance(chain._remote, Remote)
    chain._remote._clock = lambda: now[0]
    made = endpoint(routes={"/hook": chain})
    for number in range(80):
        now[0] += 7
        url = f"https://sns.us-east-1.amazonaws.com/SimpleNotificationService-{number}.pem"
        body = b'{"Message":"m","SigningCertURL":"%b"}' % url.encode()
        assert made.post(key_samples.sent(AWS_SNS, body, id=f"m{number}")).status == 200
    assert (len(fetch.asked), len(chain._remote._shelves)) == (80, 64)
