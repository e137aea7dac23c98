"""Public keys that the sender publishes, found for each request by what it says: a key id, a certificate's address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from hooklatch.types import Facts, Fetch, Keyring


class Remote(Protocol):
    """Asked once the head was looked at and the body is complete, before anything is proven."""

    def known(self, facts: Facts, /) -> Keyring | None:
        """Return the keys for this request if they are at hand; raise an ``Answer`` where none can be trusted."""

    def wish(self, facts: Facts, /) -> Fetch:
        """Return the wish to fetch them."""

    def ring(self, facts: Facts, found: object, /) -> Keyring:
        """Return the keys of what was *found*; raise ``SecretUnavailable`` if that holds none."""
