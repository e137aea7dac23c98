"""The hash functions a signature can name: what ``hashlib`` has, and RIPEMD-128 beside it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, NamedTuple

from hooklatch.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from hooklatch.types import Hash


class Digest(NamedTuple):
    """A hash function, its figures in bytes, and what it costs."""

    new: Callable[[bytes], Hash]
    size: int
    block: int
    pace: int
    """Bytes that may be hashed at one go on an event loop: some hundred microseconds."""


FAST_PACE: Final = 1 << 18
PURE_PYTHON_PACE: Final = 1 << 11
PURE_PYTHON_CAP: Final = 1 << 16
"""Largest body (bytes) that pure Python may be asked to hash for a stranger."""


def digest(name: str) -> Digest:
    """Return the hash function called *name*; raise ``ConfigError`` for an unknown one."""
    if name == "ripemd128":
        return _ripemd128()
    if name not in _HASHLIB:
        msg = f"the hash {name!r} is unknown; known are {', '.join([*_HASHLIB, 'ripemd128'])}"
        raise ConfigError(msg)
    return _HASHLIB[name]


def _ripemd128() -> Digest:
    """Return RIPEMD-128 in C, or in Python where the package was installed without a compiler."""
    # Only routes that name it pay for it.
    try:
        from hooklatch._ripemd128_c import RIPEMD128 as COMPILED  # noqa: PLC0415
    except ImportError:
        from hooklatch._ripemd128 import RIPEMD128  # noqa: PLC0415

        return Digest(RIPEMD128, 16, 64, PURE_PYTHON_PACE)
    return Digest(COMPILED, 16, 64, FAST_PACE)


_HASHLIB: Final = {
    "sha1": Digest(hashlib.sha1, 20, 64, FAST_PACE),
    "sha256": Digest(hashlib.sha256, 32, 64, FAST_PACE),
    "sha384": Digest(hashlib.sha384, 48, 128, FAST_PACE),
    "sha512": Digest(hashlib.sha512, 64, 128, FAST_PACE),
    "sha3-256": Digest(hashlib.sha3_256, 32, 136, FAST_PACE),
}
