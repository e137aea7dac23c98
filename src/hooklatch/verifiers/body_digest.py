"""The body's digest, for chains that know a delivery by its body."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hooklatch.types import Check, Facts, Head


class BodyDigest:
    """Leaves the SHA-256 of the body in ``facts.body_digest``."""

    late = True

    def open(self, head: Head, facts: Facts) -> Check:  # noqa: ARG002 - concerns the body only
        """Return a check that hashes."""
        return _Check()


class _Check:
    __slots__ = ("_hash",)

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def update(self, chunk: bytes) -> None:
        self._hash.update(chunk)

    def finish(self, facts: Facts) -> None:
        facts.body_digest = self._hash.digest()
