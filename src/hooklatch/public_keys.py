"""Public keys behind the face of ``types.Key``: Ed25519, ECDSA on P-256, RSA; the arithmetic is pycryptodome's.

Deliveries are named by the SHA-256 of the signed content, never by the signature: ECDSA has two valid ones for each
message (r, s) and (r, n - s), and randomised schemes have as many as one likes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn

from Crypto.PublicKey import ECC, RSA
from Crypto.Signature import DSS, eddsa, pkcs1_15, pss

from hooklatch.digests import FAST_PACE
from hooklatch.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hooklatch.types import Hash, Key

MIN_RSA_BITS: Final = 2048

SALT: Final = 64
"""Bytes of salt in ``rsa-pss-sha512`` (RFC 9421, section 3.3.1)."""

_OIDS: Final = {"sha1": "1.3.14.3.2.26", "sha256": "2.16.840.1.101.3.4.2.1", "sha512": "2.16.840.1.101.3.4.2.3"}


class _Digest:
    """A finished digest in the shape of the hash objects that pycryptodome's verifiers take."""

    __slots__ = ("_name", "_value", "digest_size", "oid")

    def __init__(self, name: str, value: bytes) -> None:
        self.oid = _OIDS[name]
        self._name = name
        self.digest_size = len(value)
        self._value = value

    def digest(self) -> bytes:
        return self._value

    def new(self) -> Hash:
        """Return an empty hash of the same kind: PSS hashes once more."""
        return hashlib.new(self._name)


class _Gather:
    """A "hash" that keeps everything: Ed25519 hashes its message twice and so needs all of it."""

    __slots__ = ("_pieces",)

    def __init__(self, pieces: Sequence[bytes] = ()) -> None:
        self._pieces = list(pieces)

    def update(self, data: bytes, /) -> None:
        self._pieces.append(data)

    def copy(self) -> _Gather:
        return _Gather(self._pieces)

    def digest(self) -> bytes:
        return b"".join(self._pieces)


class Ed25519Key:
    """An Ed25519 public key (RFC 8032); signatures of 64 bytes."""

    __slots__ = ("_verifier",)
    size = 64
    pace = FAST_PACE
    costly = True

    def __init__(self, given: bytes) -> None:
        """*given*: PEM, DER, or the raw 32 bytes; raise ``ConfigError``."""
        try:
            key = eddsa.import_public_key(given) if len(given) == self.size // 2 else ECC.import_key(given)
        except (ValueError, TypeError, IndexError) as bad:
            _refuse_unreadable("Ed25519", bad)
        if key.has_private():
            _refuse_private()
        if key.curve != "Ed25519":
            msg = f"the public key is one of {key.curve}, and this sender signs with Ed25519"
            raise ConfigError(msg)
        # Under a point of small order one signature fits every message.
        if (key.pointQ * 8).is_point_at_infinity():
            msg = "the Ed25519 public key is a point of small order: it accepts forged signatures"
            raise ConfigError(msg)
        self._verifier = eddsa.new(key, "rfc8032")

    def start(self) -> Hash:
        """Return what gathers the signed content."""
        return _Gather()

    def digest(self, running: Hash, /) -> bytes:
        """Return the signed content itself."""
        return running.digest()

    def accepts(self, digest: bytes, offered: Sequence[bytes], /) -> bool:
        """Return whether one of the *offered* signatures is right."""
        return any(_holds(self._verifier.verify, digest, offer) for offer in offered)

    def name(self, digest: bytes, /) -> bytes:
        """Return the SHA-256 of the signed content."""
        return hashlib.sha256(digest).digest()


class _Prehashed:
    """A key whose signatures are over a digest of the content."""

    __slots__ = ("_hash", "_verify")
    size = 0
    pace = FAST_PACE
    costly = True

    def __init__(self, hash_name: str, verify: Callable[[Any, bytes], object]) -> None:
        self._hash = hash_name
        self._verify = verify

    def start(self) -> Hash:
        """Return a fresh hash for signed content."""
        return hashlib.new(self._hash, usedforsecurity=self._hash != "sha1")

    def digest(self, running: Hash, /) -> bytes:
        """Return the digest of the signed content."""
        return running.digest()

    def accepts(self, digest: bytes, offered: Sequence[bytes], /) -> bool:
        """Return whether one of the *offered* signatures is right."""
        value = _Digest(self._hash, digest)
        return any(_holds(self._verify, value, offer) for offer in offered)

    def name(self, digest: bytes, /) -> bytes:
        """Return the digest: equal content has an equal name, however it was signed."""
        return digest


def _ecdsa(given: bytes, hash_name: str, encoding: Literal["der", "binary"]) -> Key:
    try:
        key = ECC.import_key(given)
    except (ValueError, TypeError, IndexError) as bad:
        _refuse_unreadable("ECDSA P-256", bad)
    if key.has_private():
        _refuse_private()
    if key.curve != "NIST P-256":
        msg = f"the public key is one of {key.curve}, and this sender signs with P-256"
        raise ConfigError(msg)
    return _Prehashed(hash_name, DSS.new(key, "fips-186-3", encoding=encoding).verify)


def _rsa(given: bytes, hash_name: str, *, salt: int | None = None) -> Key:
    """*salt*: bytes of salt of a PSS signature (RFC 8017, section 8.1); None: PKCS #1 v1.5."""
    try:
        key = RSA.import_key(given)
    except (ValueError, TypeError, IndexError) as bad:
        _refuse_unreadable("RSA", bad)
    if key.has_private():
        _refuse_private()
    if key.size_in_bits() < MIN_RSA_BITS:
        msg = f"the RSA public key has {key.size_in_bits()} bits; under {MIN_RSA_BITS} it can be broken"
        raise ConfigError(msg)
    if salt is not None:
        return _Prehashed(hash_name, pss.new(key, salt_bytes=salt).verify)
    return _Prehashed(hash_name, pkcs1_15.new(key).verify)


_MAKERS: Final[dict[str, Callable[[bytes], Key]]] = {
    "ed25519": Ed25519Key,
    "ecdsa-p256-sha256": lambda given: _ecdsa(given, "sha256", "der"),
    "ecdsa-p256-sha256-p1363": lambda given: _ecdsa(given, "sha256", "binary"),
    "rsa-pkcs1v15-sha1": lambda given: _rsa(given, "sha1"),
    "rsa-pkcs1v15-sha256": lambda given: _rsa(given, "sha256"),
    "rsa-pkcs1v15-sha512": lambda given: _rsa(given, "sha512"),
    "rsa-pss-sha512": lambda given: _rsa(given, "sha512", salt=SALT),
}


def public_key(algorithm: str, given: str | bytes) -> Key:
    """Return the key *given* for *algorithm*; raise ``ConfigError`` for what is no public key of that kind.

    *given*: PEM, of a key or of a certificate that holds it; or the key's bytes, raw (Ed25519) or DER, as ``bytes``,
    hex, base64, or base64 behind ``whpk_``.
    """
    return _MAKERS[algorithm](key_bytes(given))


def public_keys(algorithm: str, given: str | bytes) -> list[Key]:
    """Return the keys *given* in one text: a JSON Web Key Set, or what ``public_key`` reads; raise ``ConfigError``."""
    if isinstance(given, str) and given.lstrip().startswith("{"):
        from hooklatch.jwks import read_key_set  # noqa: PLC0415 - it needs this module

        return list(read_key_set(algorithm, given.encode("utf-8", "replace")).values())
    return [public_key(algorithm, given)]


def key_bytes(given: str | bytes) -> bytes:
    """Return the bytes that *given* stands for, PEM as it is; raise ``ConfigError``."""
    if isinstance(given, bytes):
        return given
    text = given.strip()
    if text.startswith("-----"):
        return text.encode("utf-8", "replace")
    try:
        return bytes.fromhex(text)
    except ValueError:
        try:
            return base64.b64decode(text.removeprefix("whpk_").removeprefix("whsk_"), validate=True)
        except (binascii.Error, ValueError) as bad:
            msg = "the public key is neither PEM, hex nor base64; copy it whole"
            raise ConfigError(msg) from bad


def _holds(verify: Callable[[Any, bytes], object], content: object, signature: bytes) -> bool:
    # pycryptodome says no in several exceptions; none of them means anything but "not this signature".
    try:
        verify(content, signature)
    except (ValueError, TypeError, IndexError):
        return False
    return True


def _refuse_private() -> NoReturn:
    msg = "this is a private key; a receiver needs the public one, and should never see the other"
    raise ConfigError(msg)


def _refuse_unreadable(kind: str, bad: Exception) -> NoReturn:
    msg = f"this is no {kind} public key that can be read; copy it whole"
    raise ConfigError(msg) from bad
