"""The signature by a scheme: every statement that the sender signed must hold, under one key.

A scheme may need the whole body to tell what was signed, so nothing is hashed before it has arrived.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hooklatch.errors import BodyMalformed, SignatureMalformed, SignatureMismatch
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
        names: dict[tuple[bytes, ...], int] = {}
        for statement in statements:
            states = []
            for content in (statement.content, *statement.others):
                for active in facts.keys:
                    running = active.key.start()
                    running.update(content)
                    states.append(running)
            judge(facts, states, self._offers.decoded(statement.offers))
            if facts.names in names:
                msg = "one signed entry stands in the batch twice"
                raise BodyMalformed(msg)
            names[facts.names] = facts.key_index
        if len(set(names.values())) > 1:
            # A batch whose parts are signed by different keys was put together by somebody else.
            raise SignatureMismatch
        if len(statements) == 1:
            facts.fields = statements[0].fields
        facts.items = tuple(statement.fields for statement in statements if statement.item)
        # Every entry is claimed by its own name, or a captured one would look new in another batch.
        facts.names = tuple(name for entry in names for name in entry)
        if all(statement.whole for statement in statements):
            facts.coverage = "body"
