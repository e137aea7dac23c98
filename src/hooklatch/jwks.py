"""JSON Web Keys (RFC 7517): the public keys of one algorithm out of a set, by their ids.

What a set says of a key can only keep it out: the algorithm comes from the record, never from here.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, Final

from Crypto.PublicKey import ECC, RSA

from hooklatch.errors import ConfigError
from hooklatch.public_keys import public_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hooklatch.types import Key

MAX_KEYS: Final = 32
"""Keys of one set that are looked at."""

_NAMES: Final = {
    "ed25519": ("EdDSA", "Ed25519"),
    "ecdsa-p256-sha256-p1363": ("ES256",),
    "rsa-pkcs1v15-sha256": ("RS256",),
    "rsa-pkcs1v15-sha512": ("RS512",),
}
"""What a key may call its algorithm (RFC 7518, section 3.1); the other algorithms have no name there."""

_FROM_URL: Final = str.maketrans("-_", "+/")

_KINDS: Final = {"ed25519": ("OKP", "Ed25519"), "ecdsa": ("EC", "P-256"), "rsa": ("RSA", None)}


def read_key_set(algorithm: str, given: bytes) -> dict[str, Key]:
    """Return the keys for *algorithm* in *given* (a JSON Web Key Set, or one JSON Web Key), by key id.

    Keys without an id are called by their place. Raises ``ConfigError`` where there is none.
    """
    try:
        document = json.loads(given.decode("utf-8"))
    except (ValueError, RecursionError) as bad:
        msg = "this is no JSON Web Key Set: not JSON"
        raise ConfigError(msg) from bad
    listed = document.get("keys", [document]) if isinstance(document, dict) else None
    if not isinstance(listed, list) or not all(isinstance(jwk, dict) for jwk in listed):
        msg = "this is no JSON Web Key Set: it has no list of keys"
        raise ConfigError(msg)
    if any("d" in jwk for jwk in listed):
        msg = "the JSON Web Key Set holds a private key; a receiver needs the public one only"
        raise ConfigError(msg)
    found = {
        _name(jwk, place): _key(algorithm, jwk) for place, jwk in enumerate(listed[:MAX_KEYS]) if _fits(algorithm, jwk)
    }
    if not found:
        msg = f"the JSON Web Key Set holds no public key for {algorithm}"
        raise ConfigError(msg)
    return found


def _name(jwk: Mapping[str, Any], place: int) -> str:
    name = jwk.get("kid")
    return name if isinstance(name, str) and name else f"#{place}"


def _fits(algorithm: str, jwk: Mapping[str, Any]) -> bool:
    kind, curve = _KINDS[algorithm.partition("-")[0]]
    return (
        jwk.get("kty") == kind
        and jwk.get("crv") == curve
        and jwk.get("use", "sig") == "sig"
        and jwk.get("alg") in {None, *_NAMES.get(algorithm, ())}
    )


def _key(algorithm: str, jwk: Mapping[str, Any]) -> Key:
    try:
        if algorithm == "ed25519":
            return public_key(algorithm, _bytes(jwk, "x"))
        key: Any
        if algorithm.startswith("ecdsa"):
            key = ECC.construct(curve="P-256", point_x=_number(jwk, "x"), point_y=_number(jwk, "y"))
        else:
            key = RSA.construct((_number(jwk, "n"), _number(jwk, "e")))
        return public_key(algorithm, key.export_key(format="DER"))
    except (ValueError, TypeError, KeyError, AttributeError) as bad:
        if isinstance(bad, ConfigError):
            raise
        msg = "a key of the JSON Web Key Set cannot be read"
        raise ConfigError(msg) from bad


def _bytes(jwk: Mapping[str, Any], member: str) -> bytes:
    text = jwk[member].translate(_FROM_URL).rstrip("=")
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)


def _number(jwk: Mapping[str, Any], member: str) -> int:
    return int.from_bytes(_bytes(jwk, member), "big")
