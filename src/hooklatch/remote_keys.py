"""Public keys that the sender publishes, found for each request by what it says: a key id, a certificate's address."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hooklatch.types import Facts, Fetch, Keyring


class Remote(ABC):
    """Asked once the head was looked at and the body is complete, before anything is proven."""

    @abstractmethod
    def known(self, facts: Facts) -> Keyring | None:
        """Return the keys for this request if they are at hand; raise an ``Answer`` where none can be trusted."""

    @abstractmethod
    def wish(self, facts: Facts) -> Fetch:
        """Return the wish to fetch them."""

    @abstractmethod
    def ring(self, facts: Facts, found: object) -> Keyring:
        """Return the keys of what was *found*; raise ``SecretUnavailable`` if that holds none."""
