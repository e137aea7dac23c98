"""The signature by a scheme: every statement that the sender signed must hold, under one key.

A scheme may need the whole body to tell what was signed, so nothing is hashed before it has arrived.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from hooklatch.errors import SignatureMalformed, SignatureMismatch
from hooklatch.verifiers.proof import judge

if TYPE_CHECKING:
    from hooklatch.schemes import Scheme, Setting
    from hooklatch.types import Check, Facts, Head
    from hooklatch.verifiers.offers import Offers

MAX_STATEMENTS = 100
"""Signed contents in one request; batches of senders have some ten."""


class Statements:
    """Asks *scheme* what was signed, and demands that a key made a signature of each."""

    proves = True
    __slots__ = ("_offers", "_scheme", "_setting")

    def __init__(self, scheme: Scheme, setting: Setting, offers: Offers) -> None:
        """*setting*: what the scheme knows of the route; *offers*: how signatures are written."""
        self._scheme = scheme
        self._setting = setting
        self._offers = offers

    def open(self, head: Head, facts: Facts) -> Check:  # noqa: ARG002 - facts hold the head
        """Let the scheme look at the head; return the check that waits for the body."""
        self._scheme.look(self._setting, facts)
        return self

    def update(self, chunk: bytes) -> None:
        """Do nothing: the flow holds the body for chains that parse."""

    def finish(self, facts: Facts) -> None:
        """Demand that every statement holds; raise what the scheme raises, or ``SignatureMismatch``."""
        statements = self._scheme.statements(self._setting, facts)
        if not statements or len(statements) > MAX_STATEMENTS:
            msg = f"{len(statements)} signed contents, 1 to {MAX_STATEMENTS} are judged"
            raise SignatureMalformed(msg)
        names: list[tuple[bytes, ...]] = []
        matched = set()
        for statement in statements:
            states = []
            for active in facts.keys:
                running = active.key.start()
                running.update(statement.content)
                states.append(running)
            judge(facts, states, self._offers.decoded(statement.offers))
            names.append(facts.names)
            matched.add(facts.key_index)
        if len(matched) > 1:
            # A batch whose parts are signed by different keys was put together by somebody else.
            raise SignatureMismatch
        if len(statements) == 1:
            facts.fields = statements[0].fields
            return
        facts.items = tuple(statement.fields for statement in statements)
        facts.names = tuple(hashlib.sha256(b"".join(parts)).digest() for parts in zip(*names, strict=True))
