"""The sender's side of ``public_keys``: private keys, for tests and for outgoing requests; a receiver needs none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NoReturn

from Crypto.Hash import SHA1, SHA256, SHA512
from Crypto.PublicKey import ECC, RSA
from Crypto.Signature import DSS, eddsa, pkcs1_15, pss

from hooklatch.errors import ConfigError
from hooklatch.public_keys import SALT, key_bytes, public_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from hooklatch.types import Signer

_HASHES: Final[dict[str, Any]] = {"sha1": SHA1, "sha256": SHA256, "sha512": SHA512}

SEED: Final = 32
"""Bytes of an Ed25519 private key (RFC 8032); twice as many are the private key and the public one."""


class _Signer:
    """Signs with *key*; *scheme* makes what pycryptodome signs with, *hash_name* is empty where it hashes itself."""

    __slots__ = ("_hash", "_sign")

    def __init__(self, sign: Callable[[Any], bytes], hash_name: str) -> None:
        self._sign = sign
        self._hash = _HASHES.get(hash_name)

    def sign(self, content: bytes, /) -> bytes:
        """Return the signature of *content*."""
        return self._sign(content if self._hash is None else self._hash.new(content))


def private_key(algorithm: str, given: str | bytes) -> Signer:
    """Return what signs by *algorithm* with the private key *given*; raise ``ConfigError`` for anything else.

    *given*: PEM; or the key's bytes, DER or raw (Ed25519: 32, or 64 with the public key behind), as ``bytes``, hex,
    base64, or base64 behind ``whsk_``.
    """
    try:
        raw = key_bytes(given)
    except ConfigError:
        _refuse(algorithm)
    key = _read(algorithm, raw)
    if not key.has_private():
        msg = "this is a public key; whoever signs needs the private one"
        raise ConfigError(msg)
    # What no receiver would take is no key to sign with either.
    public_key(algorithm, key.public_key().export_key(format="DER"))
    hash_name = algorithm.rpartition("-")[2]
    if algorithm == "ed25519":
        return _Signer(eddsa.new(key, "rfc8032").sign, "")
    if algorithm.startswith("ecdsa"):
        p1363 = algorithm.endswith("-p1363")
        signer = DSS.new(key, "fips-186-3", encoding="binary" if p1363 else "der")
        return _Signer(signer.sign, "sha256")
    if algorithm.startswith("rsa-pss"):
        return _Signer(pss.new(key, salt_bytes=SALT).sign, hash_name)
    return _Signer(pkcs1_15.new(key).sign, hash_name)


def _read(algorithm: str, raw: bytes) -> Any:  # noqa: ANN401 - pycryptodome's keys have no common type
    try:
        if algorithm == "ed25519" and len(raw) in {SEED, 2 * SEED}:
            return eddsa.import_private_key(raw[:SEED])
        return RSA.import_key(raw) if algorithm.startswith("rsa") else ECC.import_key(raw)
    except (ValueError, TypeError, IndexError):
        _refuse(algorithm)


def _refuse(algorithm: str) -> NoReturn:
    # Without the cause: it could hold a part of the key.
    msg = f"this is no private key for {algorithm} that can be read; give it whole, as PEM"
    raise ConfigError(msg) from None
