"""Paddle Classic: the form's fields but the signature, sorted by name, as PHP's ``serialize`` writes an array of texts.

Every text has its length in front, so nothing can move from one field into another.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from hooklatch.documents import FormDocument
from hooklatch.errors import BodyMalformed
from hooklatch.fields import FormField, agreed_kind, form_document
from hooklatch.schemes import OfFields, Statement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hooklatch.schemes import Setting
    from hooklatch.signing import Draft
    from hooklatch.types import Facts, SigningKey

# PHP turns other characters of a name into "_", brackets into arrays, and digits into numbers.
_NAME: Final = re.compile("[A-Za-z_][A-Za-z0-9_]*")


class PHPSerialized(OfFields):
    """All fields of the form."""

    proves = frozenset({"id", "timestamp"})

    def look(self, setting: Setting, facts: Facts) -> None:  # noqa: ARG002 - the signature stands in the body
        """Demand a form."""
        agreed_kind(facts.head, (FormField,))

    def statements(self, setting: Setting, facts: Facts) -> Sequence[Statement]:
        """Return the one statement."""
        fields = form_document(facts).single()
        offers = setting.taken(fields)
        for name in fields:
            if not _NAME.fullmatch(name):
                msg = f"PHP would read the field {name!r} under another name"
                raise BodyMalformed(msg)
        return [Statement(serialized(fields), offers, fields)]

    def sign(self, setting: Setting, draft: Draft, key: SigningKey) -> None:  # noqa: ARG002 - the draft has it all
        """Add the signature."""
        draft.attach(draft.written(key, serialized(FormDocument(draft.body).single())))


def serialized(fields: Mapping[str, str]) -> bytes:
    """Return *fields* as ``serialize(ksort(...))`` writes them."""
    texts = [part.encode("utf-8") for name in sorted(fields) for part in (name, fields[name])]
    return b"a:%d:{%s}" % (len(fields), b"".join(b's:%d:"%s";' % (len(text), text) for text in texts))


SCHEME = PHPSerialized()
