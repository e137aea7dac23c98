"""Shared tokens: shown as they are, behind a word such as ``Bearer``, or in base64 as HTTP Basic shows them."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from hooklatch import ConfigError, Delivery, Header, Provider, Query
from worlds import Endpoint

MakeEndpoint = Callable[..., Endpoint]

BASIC = Provider(name="basic", signature=Header("authorization"), prefix="Basic ", algorithm="token", encoding="base64")
BEARER = Provider(
    name="bearer", signature=Header("authorization"), prefix="Bearer ", algorithm="token", encoding="text"
)
QUERY = Provider(name="query", signature=Query("token"), algorithm="token", encoding="text")
PAIR = "user:a pässword: with colons"


def basic(pair: bytes) -> str:
    return "Basic " + base64.b64encode(pair).decode()


def test_basic_credentials_are_configured_as_user_and_password_and_shown_in_base64(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={"/hook": BASIC.chain(PAIR)})
    shown = Delivery("POST", "/hook", {"authorization": basic(PAIR.encode())}, b"{}")
    assert BASIC.sign(b"{}", secret=PAIR, url="/hook") == shown
    assert made.post(shown).status == 200
    assert made.last.coverage == "caller"


@pytest.mark.parametrize(
    ("shown", "reason"),
    [
        pytest.param(basic(PAIR.encode()[:-1]), "signature_mismatch", id="a character short"),
        pytest.param(basic(PAIR.encode() + b"s"), "signature_mismatch", id="a character long"),
        pytest.param(basic(PAIR.encode("latin-1")), "signature_mismatch", id="another charset"),
        pytest.param(basic(b""), "signature_malformed", id="nothing behind the word"),
        pytest.param(basic(PAIR.encode()).rstrip("=") + "!", "signature_malformed", id="no base64"),
        pytest.param(basic(PAIR.encode()).replace("Basic ", "Bearer "), "signature_malformed", id="another word"),
        pytest.param(basic(PAIR.encode()).replace("Basic ", ""), "signature_malformed", id="no word"),
        pytest.param(PAIR.encode().decode("latin-1"), "signature_malformed", id="as it is"),
    ],
)
def test_what_is_not_these_credentials_is_refused(shown: str, reason: str, endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={"/hook": BASIC.chain(PAIR)})
    assert made.post(Delivery("POST", "/hook", {"authorization": shown}, b"{}")).status == 401
    assert (made.reason, made.calls) == (reason, [])


def test_a_bearer_token_needs_its_word_and_a_query_token_its_name(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={"/bearer": BEARER.chain("a token of sixteen"), "/query": QUERY.chain("a token of sixteen")})
    for url, headers, status in [
        ("/bearer", {"authorization": "Bearer a token of sixteen"}, 200),
        ("/bearer", {"authorization": "a token of sixteen"}, 401),
        ("/bearer", {"authorization": "Bearer a token of sixteem"}, 401),
        ("/query?token=a%20token+of%20sixteen", {}, 200),
        ("/query?token=a%20token%20of%20sixteem", {}, 401),
        ("/query?tokens=a%20token%20of%20sixteen", {}, 401),
        ("/query?token=a&token=a%20token%20of%20sixteen", {}, 401),
    ]:
        assert made.post(Delivery("POST", url, headers, b"{}")).status == status, url


@pytest.mark.parametrize(("algorithm", "encoding"), [("token", "hex"), ("token", "base64url"), ("hmac-sha256", "text")])
def test_an_encoding_that_no_such_sender_uses_does_not_start(algorithm: str, encoding: str) -> None:
    with pytest.raises(ConfigError, match="do not go together"):
        Provider(name="odd", signature=Header("x-token"), algorithm=algorithm, encoding=encoding)
