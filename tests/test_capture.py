"""Edges of capturing a body that real servers showed."""

from __future__ import annotations

import io
from typing import Any

import pytest

from hooklatch import ConfigError, Header, JSONField, Rejected
from hooklatch.providers import GITHUB
from hooklatch.routes import Routes
from hooklatch.testing import Request
from worlds import make_endpoint

SECRET = "a secret of sixteen"
BODY = b"x" * 1000


class Socket:
    """What gunicorn shows of a connection: only its timeout."""

    def __init__(self) -> None:
        self.timeouts: list[float | None] = [None]

    def gettimeout(self) -> float | None:
        return self.timeouts[0]

    def settimeout(self, seconds: float | None) -> None:
        self.timeouts.append(seconds)


class Held(io.BytesIO):
    """A body whose sender stopped half way: the read ends when the socket's time is over."""

    def read(self, size: int | None = -1, /) -> bytes:
        raise TimeoutError


def unsigned() -> Request:
    return Request("POST", "/hook", {}, BODY)


def test_an_unsigned_body_is_not_waited_for_where_nothing_bounds_the_wait() -> None:
    made = make_endpoint("wsgi", routes={"/hook": GITHUB.chain(SECRET)})
    body = io.BytesIO(BODY)
    assert made.post(unsigned(), wsgi__input=body).status == 401
    assert body.tell() == 0


def test_a_small_unsigned_body_is_read_after_the_answer_where_the_wait_is_bounded() -> None:
    made = make_endpoint("wsgi", routes={"/hook": GITHUB.chain(SECRET)})
    body, line = io.BytesIO(BODY), Socket()
    assert made.post(unsigned(), wsgi__input=body, gunicorn__socket=line).status == 401
    assert body.tell() == len(BODY)
    assert all(seconds is None or 0 < seconds <= 1 for seconds in line.timeouts)
    assert line.timeouts[-1] is None


def test_a_body_that_stops_half_way_is_408_where_the_server_lets_us_bound_the_wait() -> None:
    made = make_endpoint("wsgi", routes={"/hook": GITHUB.chain(SECRET, body_timeout=2)})
    line = Socket()
    genuine = GITHUB.sign(BODY, secret=SECRET, url="/hook")
    assert made.post(genuine, wsgi__input=Held(BODY), gunicorn__socket=line).status == 408
    assert made.reason == "body_timeout"
    assert line.timeouts[-1] is None
    assert max(filter(None, line.timeouts)) == pytest.approx(2, abs=0.5)


@pytest.mark.parametrize("coding", ["gzip, chunked", "gzip", "identity", "chunked, chunked"])
def test_a_transfer_coding_other_than_chunked_is_ambiguous_in_every_world(coding: str) -> None:
    for world in ("wsgi", "asyncio", "trio"):
        made = make_endpoint(world, routes={"/hook": GITHUB.chain(SECRET)})
        genuine = GITHUB.sign(BODY, secret=SECRET, url="/hook")
        lines: Any = {**genuine.headers, "transfer-encoding": coding}
        assert made.post(genuine._replace(headers=lines)).status == 400
        assert (made.reason, made.calls) == ("request_ambiguous", [])


@pytest.mark.parametrize("path", ["/hook%23x", "/hook%3Fx", "/%23/../hook"])
def test_a_path_that_hides_a_query_or_a_fragment_is_ambiguous_on_a_route(path: str) -> None:
    for world in ("wsgi", "asyncio", "trio"):
        made = make_endpoint(world, routes={"/hook": GITHUB.chain(SECRET)})
        assert made.post(Request("POST", path, {}, BODY)).status == 400
        assert (made.reason, made.calls) == ("request_ambiguous", [])


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-Original-URL", "X-Rewrite-URL", "X-Method-Override"])
def test_a_header_that_rewrites_method_or_path_is_ambiguous_even_on_a_genuine_delivery(name: str) -> None:
    for world in ("wsgi", "asyncio", "trio"):
        made = make_endpoint(world, routes={"/hook": GITHUB.chain(SECRET)})
        genuine = GITHUB.sign(BODY, secret=SECRET, url="/hook")
        lines: Any = {**genuine.headers, name: "/other"}
        assert made.post(genuine._replace(headers=lines)).status == 400
        assert (made.reason, made.calls) == ("request_ambiguous", [])


@pytest.mark.parametrize("path", ["/api;a\\..\\b", "/api;\\\x00?", "/api;x", "/api\\..\\api/x"])
def test_a_path_that_one_reading_puts_below_protect_is_never_passed_on(path: str) -> None:
    routes = Routes({"/h": GITHUB.chain(SECRET)}, ["/api", "/api/*"])
    with pytest.raises(Rejected):
        routes.find(path)


@pytest.mark.parametrize("given", [5, [None], [], bytearray(b"x"), {"a": 1}, "-----\udcff"], ids=repr)
def test_what_is_no_public_key_is_a_config_error(given: Any) -> None:
    record = GITHUB.using(algorithm="ed25519", encoding="base64", prefix="")
    with pytest.raises(ConfigError):
        record.chain(public_keys=given)


def test_signatures_in_the_head_and_in_the_body_do_not_mix() -> None:
    with pytest.raises(ConfigError, match="signature="):
        GITHUB.using(signature=(Header("x-a"), JSONField("b"))).chain(SECRET)
