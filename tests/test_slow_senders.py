"""What strangers can hold up: nothing, on a server that waits for many at once."""

from __future__ import annotations

import hashlib
import hmac
import socket
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from hooklatch.providers import GITHUB
from server_apps import Answered, Server, receive_answer, wire

for needed in ("uvicorn", "h11", "httptools"):
    pytest.importorskip(needed)

HOOK, FREE, RIPEMD128 = "/webhooks/gh", "/free", "/webhooks/rmd128"
SECRET = "It's a Secret to Everybody"
SENDERS = 200
TIMEOUT = 2.0
LARGEST = 1 << 16
WELL_FORMED = [("X-Hub-Signature-256", "sha256=" + "6" * 64)]
UNPROVEN = [("X-Hmac-Hash", "6" * 32)]


@pytest.fixture(scope="module", params=["uvicorn-h11", "uvicorn-httptools"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    settings = {"SERVER_APPS_BODY_TIMEOUT": str(TIMEOUT), "SERVER_APPS_WITHOUT_EXTENSION": "yes"}
    with Server(request.param, **settings) as started:
        yield started


def genuine(number: int) -> bytes:
    body = b'{"number":%d}' % number
    headers = [("X-Hub-Signature-256", "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest())]
    return wire("POST", HOOK, headers, body)


def test_the_deliveries_of_this_file_are_githubs() -> None:
    signed = GITHUB.sign(b'{"number":1}', secret=SECRET, url=HOOK)
    assert {name.lower(): value for name, value in signed.headers.items()}["x-hub-signature-256"].encode() in genuine(1)


def test_two_hundred_slow_senders_stop_nobody_and_are_told_the_time(server: Server) -> None:
    server.report()
    with ExitStack() as held:
        slow = []
        for number in range(SENDERS):
            line = held.enter_context(server.connect())
            headers = [*WELL_FORMED, ("Content-Length", "1000"), ("X-Number", str(number))]
            line.sendall(wire("POST", HOOK, headers, b"a few", length=False))
            slow.append(line)
        began = time.monotonic()
        took: list[float] = []
        while time.monotonic() < began + TIMEOUT / 2:
            started = time.monotonic()
            assert server.exchange(genuine(len(took))).status == 200
            took.append(time.monotonic() - started)
        assert nothing_said(slow)
        answers = [receive_answer(line) for line in slow]
        waited = time.monotonic() - began
    sys.stdout.write(f"{server.name}: {len(took)} deliveries meanwhile, the slowest {max(took) * 1000:.1f} ms\n")
    assert max(took) < 1
    assert [answered.status for answered in answers] == [408] * SENDERS
    assert TIMEOUT / 2 < waited < TIMEOUT + 3
    report = server.report()
    assert report.reasons.count("body_timeout") == SENDERS
    assert len(report.calls) == len(took)


def nothing_said(lines: list[socket.socket]) -> bool:
    """Return whether not one of the *lines* has been answered."""
    for line in lines:
        line.setblocking(False)
        try:
            line.recv(1)
        except BlockingIOError:
            line.settimeout(20)
        else:
            return False
    return True


def test_a_slow_drip_does_not_renew_the_deadline(server: Server) -> None:
    with server.connect() as line:
        line.sendall(wire("POST", HOOK, [*WELL_FORMED, ("Content-Length", "1000")], length=False))
        began = time.monotonic()
        line.settimeout(0.2)
        while (answered := receive_answer(line)).status == -1:
            assert time.monotonic() < began + TIMEOUT + 3
            line.sendall(b"a")
    assert answered.status == 408
    assert time.monotonic() - began > TIMEOUT - 0.5


def test_the_slow_digest_of_many_large_bodies_leaves_room_for_others(server: Server) -> None:
    # Pure Python takes 24 ms for 64 KiB: twenty at once keep the only core busy all the time.
    request = wire("POST", RIPEMD128, UNPROVEN, b"a" * LARGEST)
    server.report()
    over = threading.Event()
    answers: list[Answered] = []

    def flood() -> None:
        while not over.is_set():
            answers.append(server.exchange(request))

    threads = [threading.Thread(target=flood) for _ in range(20)]
    for thread in threads:
        thread.start()
    took = []
    try:
        time.sleep(0.3)
        until = time.monotonic() + 3
        while time.monotonic() < until:
            started = time.monotonic()
            assert server.exchange(wire("GET", FREE)).status == 200
            took.append(time.monotonic() - started)
            time.sleep(0.01)
    finally:
        over.set()
        for thread in threads:
            thread.join()
    middle = statistics.median(took)
    sys.stdout.write(f"{server.name}: others {middle * 1000:.1f} ms, the slowest {max(took) * 1000:.1f} ms\n")
    assert {answered.status for answered in answers} == {401}
    assert middle < 0.1
    assert max(took) < 0.4


def test_one_byte_too_many_for_the_slow_digest_is_refused_unread(server: Server) -> None:
    server.report()
    with server.connect() as line:
        # Not a byte of the body is sent: whoever answers has not waited for it.
        line.sendall(wire("POST", RIPEMD128, [*UNPROVEN, ("Content-Length", str(LARGEST + 1))], length=False))
        line.settimeout(TIMEOUT / 2)
        assert receive_answer(line).status == 413
    assert server.exchange(wire("POST", RIPEMD128, UNPROVEN, b"a" * (LARGEST + 1))).status == 413
    assert server.report().reasons == ["body_too_large"] * 2
