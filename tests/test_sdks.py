"""The senders' own libraries: what we sign they accept, what they sign we accept, and neither accepts another body."""

from __future__ import annotations

import time
from collections.abc import Mapping

import pytest
from hypothesis import given, settings

from hooklatch import Rejected
from sdks import LIBRARIES, Library, Lines

some = settings(max_examples=40, deadline=None, derandomize=True)
each = pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: library.record.name)


def accepted(library: Library, body: bytes, headers: Mapping[str, str]) -> bool:
    """Return whether the sender's library takes a delivery: it may raise what it likes, return False or None."""
    try:
        return library.verifies(body, Lines(headers), library.secret) is not False
    except Exception:  # noqa: BLE001 - every library has errors of its own
        return False


def altered(body: bytes) -> bytes:
    """Return *body* with a letter more, still text and still JSON where it was."""
    return body[:-1] + b' ,"x":1}' if body.endswith(b"}") else body + b"x"


@each
def test_a_library_accepts_what_we_sign_and_not_with_another_body_or_secret(library: Library) -> None:
    @some
    @given(library.bodies)
    def holds(body: bytes) -> None:
        ours = library.record.sign(body, secret=library.secret)
        assert accepted(library, ours.body, ours.headers)
        assert not accepted(library, altered(ours.body), ours.headers)
        other = library.record.sign(body, secret=library.secret[:-4] + "AAAA")
        assert not accepted(library, other.body, other.headers)

    holds()


@pytest.mark.parametrize("library", [one for one in LIBRARIES if one.signs], ids=lambda library: library.record.name)
def test_we_accept_what_a_library_signs_and_not_with_another_body(library: Library) -> None:
    chain = library.record.chain(library.secret)
    signs = library.signs
    assert signs is not None

    @some
    @given(library.bodies)
    def holds(body: bytes) -> None:
        headers = signs(body, library.secret, int(time.time()))
        assert chain.verify(headers=headers, body=body).key_index == 0
        with pytest.raises(Rejected, match="signature_mismatch"):
            chain.verify(headers=headers, body=altered(body))

    holds()


@pytest.mark.parametrize(
    "library", [one for one in LIBRARIES if one.record.max_age], ids=lambda library: library.record.name
)
def test_what_a_library_takes_for_too_old_we_do_too(library: Library) -> None:
    record = library.record
    assert record.max_age is not None
    stale = record.sign(b"{}", secret=library.secret, at=time.time() - record.max_age - 5)
    assert not accepted(library, stale.body, stale.headers)
    with pytest.raises(Rejected, match="timestamp_expired"):
        record.chain(library.secret).verify(headers=stale.headers, body=stale.body)
