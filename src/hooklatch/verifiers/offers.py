"""The offered signatures: from text to bytes by a strict grammar, and back.

``fromhex`` takes blanks, ``b64decode`` takes junk, and the last character of base64 has bits that nobody reads: each
would give one signature several spellings.
"""

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING, Final

from hooklatch.errors import AlgorithmNotAllowed, Answer, ConfigError, SignatureMalformed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MAX_OFFERS: Final = 8
"""Signatures of the configured version that are looked at in one request."""

ENCODINGS: Final = ("hex", "base64", "base64url", "text")


class Offers:
    """Decodes what a sender offers as its signature.

    *prefix* stands before it; *size*: its bytes, 0 where that varies.
    """

    __slots__ = ("_decode", "_digits", "_encoding", "_prefix", "size")

    def __init__(self, encoding: str, *, prefix: str = "", size: int = 0) -> None:
        """Raise ``ConfigError`` for an unknown encoding."""
        if encoding not in ENCODINGS:
            msg = f"encoding={encoding!r} is unknown; known are {', '.join(ENCODINGS)}"
            raise ConfigError(msg)
        self._encoding = encoding
        self._decode: Callable[[str], bytes] = _DECODERS[encoding]
        self._digits = 0
        """Of hex whose size is known: with that many there is no room for the blanks that ``fromhex`` takes."""
        if encoding == "hex" and size:
            self._decode, self._digits = bytes.fromhex, 2 * size
        self._prefix = prefix
        self.size = size

    def decoded(self, offers: Sequence[str]) -> list[bytes]:
        """Return the offered texts as bytes; raise ``SignatureMalformed`` or ``AlgorithmNotAllowed``.

        What cannot be a signature counts for nothing beside one that can: Paddle's own tests rotate with ``h1=dummy``.
        """
        if len(offers) > MAX_OFFERS:
            msg = f"more than {MAX_OFFERS} signatures"
            raise SignatureMalformed(msg)
        if len(offers) == 1:
            return [self.one(offers[0])]
        found = []
        bad: Answer | None = None
        for offer in offers:
            try:
                found.append(self.one(offer))
            except (SignatureMalformed, AlgorithmNotAllowed) as malformed:
                bad = malformed
        if bad is not None and not found:
            raise bad
        return found

    def one(self, offer: str) -> bytes:
        """Return one offered text as bytes; raise ``SignatureMalformed`` or ``AlgorithmNotAllowed``."""
        prefix = self._prefix
        if prefix:
            if not offer.startswith(prefix):
                if "=" in offer[:12]:
                    msg = f"the signature does not begin with {prefix!r}"
                    raise AlgorithmNotAllowed(msg)
                raise SignatureMalformed
            offer = offer[len(prefix) :]
        try:
            raw = self._decode(offer)
        except ValueError as bad:
            msg = f"the signature is not {self._encoding}"
            raise SignatureMalformed(msg) from bad
        if len(raw) != self.size and self.size:
            msg = f"the signature has {len(raw)} bytes instead of {self.size}"
            raise SignatureMalformed(msg)
        if len(offer) != self._digits and self._digits:
            msg = "blanks in hex"
            raise SignatureMalformed(msg)
        return raw


def _hex(text: str) -> bytes:
    raw = bytes.fromhex(text)
    if len(raw) * 2 != len(text):
        msg = "blanks in hex"
        raise ValueError(msg)
    return raw


def _base64(text: str) -> bytes:
    raw = binascii.a2b_base64(text, strict_mode=True)
    # Strict mode lets stray bits in the last character pass, which would give one signature several spellings.
    if binascii.b2a_base64(raw, newline=False) != text.encode("ascii"):
        msg = "not canonical"
        raise ValueError(msg)
    return raw


def _base64url(text: str) -> bytes:
    if "+" in text or "/" in text:
        msg = "the alphabet of base64url has - and _"
        raise ValueError(msg)
    bare = text.rstrip("=")
    full = bare + "=" * (-len(bare) % 4)
    if text not in {bare, full}:
        msg = "wrong padding"
        raise ValueError(msg)
    return _base64(full.replace("-", "+").replace("_", "/"))


def _text(text: str) -> bytes:
    return text.encode("latin-1")


_DECODERS: Final = {"hex": _hex, "base64": _base64, "base64url": _base64url, "text": _text}


def encoded(raw: bytes, encoding: str) -> str:
    """Return *raw* as text in *encoding* (one of ``ENCODINGS``), as a sender writes it."""
    match encoding:
        case "hex":
            return raw.hex()
        case "base64":
            return binascii.b2a_base64(raw, newline=False).decode("ascii")
        case "base64url":
            return binascii.b2a_base64(raw, newline=False).decode("ascii").rstrip("=").translate(_TO_URL)
    return raw.decode("latin-1")


_TO_URL: Final = str.maketrans("+/", "-_")
