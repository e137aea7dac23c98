"""Where handshakes are answered: beside the chain where nobody signs them, after the proof where the sender does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hooklatch.errors import BodyTooLarge, SecretUnavailable, SignatureMissing
from hooklatch.fields import Header, Query

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from hooklatch.fields import Field
    from hooklatch.handshakes import Mechanism
    from hooklatch.types import Check, Facts, Head

LONGEST: Final = 1 << 14
"""Largest body of a handshake (bytes); a larger one is a delivery."""


class Beside:
    """Asked before all other verifiers: for an unsigned handshake it returns the one check that judges the request.

    A request that could be a delivery (by one of the route's *methods*) and carries something in one of the *places* of
    a signature is left to the chain, whatever else it looks like.
    """

    def __init__(self, mechanism: Mechanism, places: Iterable[Field], methods: Collection[str]) -> None:
        self._mechanism = mechanism
        self._methods = frozenset(methods)
        self._names = frozenset(name for place in places if isinstance(place, Header) for name in place.names)
        self._queries = tuple(place for place in places if isinstance(place, Query))

    def open(self, head: Head, facts: Facts) -> Check | None:  # noqa: ARG002 - the head says it all
        """Return the check of a handshake, None for everything else; raise what the mechanism raises."""
        if head.method in self._methods and self._signed(head):
            return None
        if self._mechanism.reads and (head.limited or (head.length or 0) > LONGEST):
            return None
        return _Instead(self._mechanism) if self._mechanism.recognises(head) else None

    def _signed(self, head: Head) -> bool:
        return head.headers.any(self._names) or any(query.read(head) for query in self._queries)


class Proven:
    """Placed after the proof: a signed handshake is answered, and everything else goes on."""

    late = True

    def __init__(self, mechanism: Mechanism) -> None:
        self._mechanism = mechanism

    def open(self, head: Head, facts: Facts) -> Check | None:  # noqa: ARG002 - the head says it all
        """Return the check of what could be a handshake."""
        return _After(self._mechanism) if self._mechanism.recognises(head) else None


class Waiting:
    """Answers 503 to every delivery, while the secret of a route is still to come."""

    def open(self, head: Head, facts: Facts) -> None:  # noqa: ARG002 - nothing it says matters
        """Raise ``SecretUnavailable``."""
        msg = "the route is PENDING: start it again with the secret that on_secret was given"
        raise SecretUnavailable(msg)


class _Instead:
    """Ends the request in every case: with the handshake's answer, or a refusal."""

    __slots__ = ("_body", "_mechanism")

    def __init__(self, mechanism: Mechanism) -> None:
        self._mechanism = mechanism
        self._body = bytearray()

    def update(self, chunk: bytes) -> None:
        self._body += chunk
        if len(self._body) > LONGEST:
            msg = f"more than {LONGEST} bytes, and no signature"
            raise BodyTooLarge(msg)

    def finish(self, facts: Facts) -> None:
        body = bytes(self._body)
        answer = self._mechanism.answer(facts, body) if self._mechanism.reads or not body else None
        if answer is None:
            raise SignatureMissing
        raise answer


class _After:
    """Ends the request if it is a handshake."""

    __slots__ = ("_body", "_mechanism")

    def __init__(self, mechanism: Mechanism) -> None:
        self._mechanism = mechanism
        self._body: bytearray | None = bytearray()

    def update(self, chunk: bytes) -> None:
        if self._body is None or len(self._body) + len(chunk) > LONGEST:
            self._body = None
        else:
            self._body += chunk

    def finish(self, facts: Facts) -> None:
        answer = None if self._body is None else self._mechanism.answer(facts, bytes(self._body))
        if answer is not None:
            raise answer
