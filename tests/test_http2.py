"""The same verdicts over HTTP/2, where a body needs no length and header names are lower-case by law."""

from __future__ import annotations

import hashlib
import hmac
import socket
from collections.abc import Iterator

import pytest

from server_apps import Server

pytest.importorskip("hypercorn")
connection = pytest.importorskip("h2.connection")
events = pytest.importorskip("h2.events")

BODY = b'{"event":"push","n":1}'
GOOD = "sha256=" + hmac.new(b"It's a Secret to Everybody", BODY, hashlib.sha256).hexdigest()
EVIL = "sha256=" + "6" * 64
NAME = "x-hub-signature-256"

Lines = list[tuple[str, str]]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server("hypercorn") as started:
        yield started


def posted(server: Server, lines: Lines, *pieces: bytes, path: str = "/webhooks/gh") -> int:
    """Send one delivery by prior knowledge (RFC 9113, section 3.3); return the status, 0 where the stream was reset."""
    protocol = connection.H2Connection()
    protocol.initiate_connection()
    head = [(":method", "POST"), (":path", path), (":scheme", "http"), (":authority", "hooks.example"), *lines]
    protocol.send_headers(1, head, end_stream=not pieces)
    for number, piece in enumerate(pieces, 1):
        protocol.send_data(1, piece, end_stream=number == len(pieces))
    with server.connect() as line:
        line.sendall(protocol.data_to_send())
        return _status(protocol, line)


def _status(protocol: object, line: socket.socket) -> int:
    while data := line.recv(1 << 16):
        for event in protocol.receive_data(data):  # type: ignore[attr-defined]
            if isinstance(event, events.ResponseReceived):
                return int(dict(event.headers).get(b":status") or dict(event.headers)[":status"])
            if isinstance(event, events.StreamReset | events.ConnectionTerminated):
                return 0
        line.sendall(protocol.data_to_send())  # type: ignore[attr-defined]
    return 0


@pytest.mark.parametrize(
    ("lines", "pieces"),
    [
        ([(NAME, GOOD)], (BODY,)),
        ([(NAME, GOOD), ("content-length", "22")], (BODY,)),
        ([(NAME, GOOD)], (BODY[:1], BODY[1:7], BODY[7:])),
        ([(NAME, GOOD)], (BODY[:9], BODY[9:], b"")),
    ],
    ids=["no length", "length", "frames", "empty frame at the end"],
)
def test_a_genuine_delivery_arrives(server: Server, lines: Lines, pieces: tuple[bytes, ...]) -> None:
    server.report()
    assert posted(server, lines, *pieces) == 200
    (call,) = server.report().calls
    assert call["webhook"]
    assert call["body"] == hashlib.sha256(BODY).hexdigest()


@pytest.mark.parametrize(
    ("lines", "reasons"),
    [
        ([], ["signature_missing"]),
        ([(NAME, EVIL)], ["signature_mismatch"]),
        ([(NAME, GOOD), (NAME, EVIL)], ["header_duplicated"]),
        ([(NAME, GOOD), (NAME, GOOD)], ["header_duplicated"]),
        ([(NAME, GOOD), ("x-http-method-override", "PUT")], ["request_ambiguous"]),
    ],
)
def test_what_proves_nothing_is_refused(server: Server, lines: Lines, reasons: list[str]) -> None:
    server.report()
    assert posted(server, lines, BODY) in {400, 401}
    report = server.report()
    assert (report.calls, report.reasons) == ([], reasons)


def test_a_body_that_contradicts_its_length_is_not_run(server: Server) -> None:
    server.report()
    assert posted(server, [(NAME, GOOD), ("content-length", "21")], BODY) in {0, 400}
    assert server.report().calls == []


def test_a_path_that_means_another_is_refused(server: Server) -> None:
    server.report()
    assert posted(server, [(NAME, GOOD)], BODY, path="//webhooks/gh") == 400
    assert server.report().calls == []
