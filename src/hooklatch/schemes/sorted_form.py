"""The URL, then every form field as name and value, sorted by name, with nothing in between.

Because nothing separates them, characters can move between a name and its value, or the query and the first name,
without a change of the signature. Fields are proven as they stand, in the sense that the sender wrote this text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hooklatch.documents import FormDocument
from hooklatch.fields import FormField, agreed_kind, form_document
from hooklatch.schemes import OfFields, Statement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hooklatch.schemes import Setting
    from hooklatch.signing import Draft
    from hooklatch.types import Facts, SigningKey


class SortedForm(OfFields):
    """Each name once."""

    needs_url = True

    def look(self, setting: Setting, facts: Facts) -> None:
        """Demand a signature and a form."""
        setting.offered(facts.head)
        agreed_kind(facts.head, (FormField,))

    def statements(self, setting: Setting, facts: Facts) -> Sequence[Statement]:
        """Return the one statement."""
        fields = form_document(facts).single()
        content = setting.url(facts.head.query).encode("latin-1") + joined(fields)
        return [Statement(content, setting.offered(facts.head), fields)]

    def sign(self, setting: Setting, draft: Draft, key: SigningKey) -> None:  # noqa: ARG002 - the draft has the URL
        """Add the signature."""
        fields = FormDocument(draft.body).single()
        draft.attach(draft.written(key, draft.url.encode("utf-8") + joined(fields)))


def joined(fields: Mapping[str, str]) -> bytes:
    """Return names and values in the order of the names."""
    return "".join(name + fields[name] for name in sorted(fields)).encode("utf-8")


SCHEME = SortedForm()
