"""The form's fields as ``name=value``, sorted by name and joined by ``&``, not escaped, as Alipay signs.

A value that itself looks like further pairs could be cut into them, so it is refused.
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

UNSIGNED: Final = "sign_type"
"""Names the algorithm, beside the signature; configuration knows it, so nobody reads it."""

_NAME: Final = re.compile("[A-Za-z0-9_.-]+")
_PAIR: Final = re.compile("&[A-Za-z0-9_.-]+=")


class SortedPairs(OfFields):
    """All fields of the form but the signature and the name of its algorithm."""

    proves = frozenset({"id", "timestamp"})

    def look(self, setting: Setting, facts: Facts) -> None:  # noqa: ARG002 - the signature stands in the body
        """Demand a form."""
        agreed_kind(facts.head, (FormField,))

    def statements(self, setting: Setting, facts: Facts) -> Sequence[Statement]:
        """Return the one statement."""
        fields = form_document(facts).single()
        offers = setting.taken(fields)
        fields.pop(UNSIGNED, None)
        return [Statement(joined(fields).encode("utf-8"), offers, fields)]

    def sign(self, setting: Setting, draft: Draft, key: SigningKey) -> None:  # noqa: ARG002 - the draft has it all
        """Add the signature."""
        fields = FormDocument(draft.body).single()
        fields.pop(UNSIGNED, None)
        draft.attach(draft.written(key, joined(fields).encode("utf-8")))


def joined(fields: Mapping[str, str]) -> str:
    """Return *fields* as pairs; raise ``BodyMalformed`` where they could be read as other pairs."""
    for name, value in fields.items():
        if not _NAME.fullmatch(name) or _PAIR.search(value):
            msg = f"{name!r} could be read as several fields"
            raise BodyMalformed(msg)
    return "&".join(f"{name}={fields[name]}" for name in sorted(fields))


SCHEME = SortedPairs()
