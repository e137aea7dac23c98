"""Plivo (V3): the URL with its query sorted, the sorted form, and a nonce, joined by dots.

Both are signed decoded. As with Twilio, nothing separates the names and values of the form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from hooklatch.documents import FormDocument
from hooklatch.errors import BodyMalformed, SignatureMalformed
from hooklatch.fields import FormField, Header, agreed_kind, form_document
from hooklatch.schemes import OfFields, Statement
from hooklatch.schemes.sorted_pairs import joined

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hooklatch.schemes import Setting
    from hooklatch.signing import Draft
    from hooklatch.types import Facts, Head, SigningKey

NONCE: Final = Header("x-plivo-signature-v3-nonce")


class Plivo(OfFields):
    """Forms and GET, each name once."""

    needs_url = True

    def look(self, setting: Setting, facts: Facts) -> None:
        """Demand a signature, a nonce, and a form or no body."""
        head = facts.head
        setting.offered(head)
        _nonce(head)
        if head.method != "GET" and head.length:
            agreed_kind(head, (FormField,))

    def statements(self, setting: Setting, facts: Facts) -> Sequence[Statement]:
        """Return the one statement."""
        head = facts.head
        if facts.body:
            agreed_kind(head, (FormField,))
        if facts.body and head.method == "GET":
            msg = "the body of a GET is not signed"
            raise BodyMalformed(msg)
        query = FormDocument(head.query.encode("latin-1")).single()
        form = form_document(facts).single() if facts.body else {}
        content = _content(setting.public_url, query, form, _nonce(head))
        return [Statement(content, setting.offered(head), form or query)]

    def sign(self, setting: Setting, draft: Draft, key: SigningKey) -> None:
        """Add the nonce, unless one is given, and the signature; a GET has its parameters in the URL."""
        nonce = draft.headers.setdefault(NONCE.names[0], str(int(draft.at * 1000)))
        query = FormDocument(urlsplit(draft.url).query.encode("utf-8")).single()
        form = FormDocument(draft.body).single() if draft.body else {}
        draft.attach(draft.written(key, _content(setting.public_url, query, form, nonce)))


def _content(url: str, query: Mapping[str, str], form: Mapping[str, str], nonce: str) -> bytes:
    text = f"{url}?{joined(query)}" if query or form else url
    if query and form:
        text += "."
    text += "".join(name + form[name] for name in sorted(form))
    return f"{text}.{nonce}".encode()


def _nonce(head: Head) -> str:
    found = NONCE.read(head)
    if not found or not found[0].isascii() or not found[0].isprintable():
        msg = f"the header {NONCE.names[0]} is absent or malformed"
        raise SignatureMalformed(msg)
    return found[0]


SCHEME = Plivo()
