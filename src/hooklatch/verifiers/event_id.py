"""The event id: what the sender calls the event, read only where the signature covers it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from hooklatch.errors import BodyMalformed, IdMalformed, IdMissing, SignatureMalformed
from hooklatch.fields import Header, Query

if TYPE_CHECKING:
    from hooklatch.fields import BodyField, HeadField
    from hooklatch.types import Check, Facts, Head

MAX_ID: Final = 1024
"""Longest id (characters); longer ones are not what any sender documents."""

# A comma is where a server joins two header lines into one.
_HEAD_ID: Final = re.compile(r"[\x21-\x2b\x2d-\x7e]+")


def well_formed(text: str, barred: str = "") -> bool:
    """Return whether *text* can be an id in a head: printable ASCII without comma, blanks or the *barred* character."""
    return len(text) <= MAX_ID and _HEAD_ID.fullmatch(text) is not None and not (barred and barred in text)


class EventId:
    """Reads the event id at *place*. *barred*: the character that follows it in the signed content and must not occur
    in it.

    An id in the body that is absent is no error: the delivery is then known by its signed content.
    """

    late = True
    __slots__ = ("_barred", "_body", "head")

    def __init__(self, place: HeadField | BodyField, *, barred: str = "") -> None:
        """*place*: where the id sits."""
        self.head = place if isinstance(place, Header | Query) else None
        self._body = None if isinstance(place, Header | Query) else place
        self._barred = barred

    def open(self, head: Head, facts: Facts) -> Check | None:
        """Read an id in the head; raise ``IdMissing`` or ``IdMalformed``."""
        if self.head is None:
            return self
        try:
            found = self.head.read(head)
        except SignatureMalformed as bad:
            raise IdMalformed from bad
        if not found:
            raise IdMissing
        text = found[0]
        if not self.fits(text):
            raise IdMalformed
        facts.id = facts.texts["id"] = text
        return None

    def fits(self, text: str) -> bool:
        """Return whether *text* can be an id in this sender's heads."""
        return well_formed(text, self._barred)

    def update(self, chunk: bytes) -> None:
        """Do nothing: the flow holds the body for chains that parse."""

    def finish(self, facts: Facts) -> None:
        """Read an id in the proven body; raise ``IdMalformed`` for one that could be read in two ways."""
        if self._body is None:
            return
        try:
            found = self._body.find(facts)
        except BodyMalformed as bad:
            if facts.document is None:
                return
            raise IdMalformed(str(bad)) from bad
        if found and len(found) <= MAX_ID:
            facts.id = found
        elif found:
            raise IdMalformed
