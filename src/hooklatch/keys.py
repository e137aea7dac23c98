"""Symmetric keys: HMAC keyed once and copied per request, plain hashes over a secret and the content, and the shared
token that is its own signature.

Two prepared hash states are copied per request instead of one ``hmac`` object: the same digest (RFC 2104), at two
thirds of the cost for a small body (see ``benchmarks/``).
"""

from __future__ import annotations

import hashlib
from hmac import compare_digest
from typing import TYPE_CHECKING, Final

from hooklatch.digests import FAST_PACE, digest
from hooklatch.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hooklatch.types import Hash

HMAC_ALGORITHMS: Final = tuple(
    f"hmac-{name}" for name in ("sha1", "sha256", "sha384", "sha512", "sha3-256", "ripemd128")
)
PLAIN_ALGORITHMS: Final = (
    "sha256-secret-prefix",
    "sha1-secret-suffix",
    "sha256-secret-suffix",
    "sha512-secret-suffix",
)
"""A hash without HMAC, of the secret and then the content, or of the content and then the secret."""
PUBLIC_ALGORITHMS: Final = (
    "ed25519",
    "ecdsa-p256-sha256",
    "ecdsa-p256-sha256-p1363",
    "rsa-pkcs1v15-sha1",
    "rsa-pkcs1v15-sha256",
    "rsa-pkcs1v15-sha512",
    "rsa-pss-sha512",
)
SIGNATURE_SIZES: Final = {"ed25519": 64, "ecdsa-p256-sha256-p1363": 64}
"""Bytes of a signature by a private key, for the algorithms whose signatures all have one length."""

_INNER: Final = bytes(byte ^ 0x36 for byte in range(256))
_OUTER: Final = bytes(byte ^ 0x5C for byte in range(256))


class HMACKey:
    """An HMAC key (RFC 2104) over one of the hashes of ``digests``."""

    __slots__ = ("_inner", "_outer", "pace", "size")
    costly = False

    def __init__(self, algorithm: str, secret: bytes) -> None:
        """*algorithm*: such as ``hmac-sha256``; *secret*: the key's bytes; raise ``ConfigError`` for an empty one."""
        if algorithm not in HMAC_ALGORITHMS:
            msg = f"algorithm={algorithm!r} is unknown; known are {', '.join(HMAC_ALGORITHMS)}"
            raise ConfigError(msg)
        function = digest(algorithm.removeprefix("hmac-"))
        block = padded(secret, function.block, function.new)
        # RFC 2104 pads keys with zero bytes, so a key of zero bytes alone is the empty key.
        if not block.strip(b"\0"):
            msg = "the secret is empty: anybody can sign with an empty key"
            raise ConfigError(msg)
        self.size = function.size
        self.pace = function.pace
        self._inner = function.new(block.translate(_INNER))
        self._outer = function.new(block.translate(_OUTER))

    def start(self) -> Hash:
        """Return a fresh hash for signed content."""
        return self._inner.copy()

    def digest(self, running: Hash, /) -> bytes:
        """Return the tag of what *running* took in."""
        outer = self._outer.copy()
        outer.update(running.digest())
        return outer.digest()

    def accepts(self, digest: bytes, offered: Sequence[bytes], /) -> bool:
        """Return whether one of the *offered* tags equals *digest*, full length, in constant time."""
        right = False
        for offer in offered:  # all of them, so that every offer costs the same
            right |= compare_digest(digest, offer)
        return right

    def name(self, digest: bytes, /) -> bytes:
        """Return the tag: equal content has an equal name. It is a valid signature, so hash it before storing it."""
        return digest

    def sign(self, content: bytes, /) -> bytes:
        """Return the tag of *content*."""
        return self.tag(b"", content, b"")

    def tag(self, before: bytes, body: bytes, after: bytes, /) -> bytes:
        """Return the tag of all three, one behind the other."""
        running = self._inner.copy()
        if before:
            running.update(before)
        running.update(body)
        if after:
            running.update(after)
        return self.digest(running)


class PlainKey(HMACKey):
    """A secret hashed together with the content, as senders did before they knew HMAC.

    With the secret in front, whoever sees one digest can compute that of the same content with padding and anything
    else behind it (length extension). With the secret behind, two contents with one digest have one signature, so that
    SHA-1 leaves it to those who can make collisions.
    """

    __slots__ = ("_behind",)

    def __init__(self, algorithm: str, secret: bytes) -> None:
        """*algorithm*: one of ``PLAIN_ALGORITHMS``; *secret*: its bytes; raise ``ConfigError`` for an empty one."""
        if not secret.strip(b"\0"):
            msg = "the secret is empty: anybody can sign with an empty secret"
            raise ConfigError(msg)
        name, _, place = algorithm.partition("-secret-")
        function = digest(name)
        self.size = function.size
        self.pace = function.pace
        self._inner = function.new(secret if place == "prefix" else b"")
        self._behind = secret if place == "suffix" else b""

    def digest(self, running: Hash, /) -> bytes:
        """Return the digest of what *running* took in, and of the secret behind it."""
        if not self._behind:
            return running.digest()
        twin = running.copy()
        twin.update(self._behind)
        return twin.digest()


class TokenKey:
    """A shared token: the sender shows the secret itself, so what it proves is the caller and nothing else."""

    __slots__ = ("_token",)
    size = 0
    pace = FAST_PACE
    costly = False

    def __init__(self, secret: bytes) -> None:
        """*secret*: the token's bytes; raise ``ConfigError`` for an empty one."""
        if not secret.strip(b"\0"):
            msg = "the token is empty: anybody can show an empty token"
            raise ConfigError(msg)
        self._token = secret

    def start(self) -> Hash:
        """Return a hash whose digest does not matter: nothing but the token is compared."""
        return hashlib.sha256()

    def digest(self, running: Hash, /) -> bytes:
        """Return the digest of what *running* took in."""
        return running.digest()

    def accepts(self, digest: bytes, offered: Sequence[bytes], /) -> bool:  # noqa: ARG002 - a token signs nothing
        """Return whether one of the *offered* texts is the token, in constant time."""
        right = False
        for offer in offered:  # all of them, so that every offer costs the same
            right |= compare_digest(self._token, offer)
        return right

    def name(self, digest: bytes, /) -> bytes:
        """Return the digest of the content."""
        return digest

    def sign(self, content: bytes, /) -> bytes:  # noqa: ARG002 - a token signs nothing
        """Return the token."""
        return self._token


def padded(secret: bytes, block: int, new: Callable[[bytes], Hash]) -> bytes:
    """Return *secret* as HMAC uses it: hashed if longer than a *block* (bytes), then padded with zero bytes to it."""
    if len(secret) > block:
        secret = new(secret).digest()
    return secret.ljust(block, b"\0")
