"""Twilio: the URL and the sorted form, or the URL alone where its query holds the body's SHA-256 (``bodySHA256``).

A body of another type without ``bodySHA256`` would be covered by nothing, so it is refused. Twilio is not sure whether
it names the port; its own libraries try the URL with and without one, and so does this.
"""

from __future__ import annotations

import hashlib
import re
from hmac import compare_digest
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from hooklatch.documents import FormDocument
from hooklatch.errors import BodyMalformed, SignatureMalformed, SignatureMismatch
from hooklatch.fields import FormField, Query, agreed_kind, form_document
from hooklatch.schemes import OfFields, Statement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hooklatch.schemes import Setting
    from hooklatch.signing import Draft
    from hooklatch.types import Facts, Head, SigningKey

HASH: Final = "bodySHA256"
_DIGEST: Final = re.compile("[0-9a-f]{64}")
_ORIGIN: Final = re.compile(r"(?P<start>https?://[^/?]*?)(?P<port>:[0-9]+)?(?P<rest>[/?].*)?")
_USUAL: Final = {"https": ":443", "http": ":80"}


class Twilio(OfFields):
    """Forms, JSON and GET."""

    needs_url = True

    def look(self, setting: Setting, facts: Facts) -> None:
        """Demand a signature, and a body that it can cover."""
        head = facts.head
        setting.offered(head)
        if not head.length or _hash(head):
            return
        if head.method == "GET":
            raise _uncovered()
        agreed_kind(head, (FormField,))

    def statements(self, setting: Setting, facts: Facts) -> Sequence[Statement]:
        """Return the one statement, for the URL with and without its port."""
        head = facts.head
        parameters = b""
        whole = False
        if not facts.body:
            fields = _once(FormDocument(head.query.encode("latin-1")).values())
        elif (promised := _hash(head)) and not _is_form(head):
            if not compare_digest(promised, hashlib.sha256(facts.body).hexdigest()):
                msg = f"the body is not the one that {HASH} names"
                raise SignatureMismatch(msg)
            fields, whole = {HASH: promised}, True
        else:
            agreed_kind(head, (FormField,))
            if head.method == "GET":
                raise _uncovered()
            values = form_document(facts).values()
            parameters, fields = joined(values), _once(values)
        first, *others = [url.encode("latin-1") + parameters for url in spellings(setting.url(head.query))]
        return [Statement(first, setting.offered(head), fields, others, whole=whole)]

    def sign(self, setting: Setting, draft: Draft, key: SigningKey) -> None:  # noqa: ARG002 - the draft has the URL
        """Add ``bodySHA256`` for a body in JSON, move the form of a GET into the query, and add the signature."""
        parameters = b""
        if draft.body.startswith((b"{", b"[")):
            draft.headers["content-type"] = "application/json"
            draft.put(Query(HASH), HASH, hashlib.sha256(draft.body).hexdigest())
        elif draft.method == "GET":
            separator = "" if not draft.body else "&" if urlsplit(draft.url).query else "?"
            draft.url += separator + draft.body.decode("ascii")
            draft.body = b""
        else:
            parameters = joined(FormDocument(draft.body).values())
        draft.attach(draft.written(key, draft.url.encode("utf-8") + parameters))


def joined(values: Mapping[str, Sequence[str]]) -> bytes:
    """Return names and values in the order of the names; of a repeated name, each different value once, sorted."""
    pairs = [name + value for name in sorted(values) for value in sorted(set(values[name]))]
    return "".join(pairs).encode("utf-8")


def spellings(url: str) -> list[str]:
    """Return *url* without its port, and with it: the scheme's own where it names none."""
    match = _ORIGIN.fullmatch(url)
    if match is None:
        return [url]
    start, port, rest = match["start"], match["port"], match["rest"] or ""
    return [start + rest, start + (port or _USUAL[start.partition(":")[0]]) + rest]


def _hash(head: Head) -> str:
    """Return what the query promises of the body, empty if nothing; raise ``SignatureMalformed``."""
    found = Query(HASH).read(head)
    if not found:
        return ""
    if not _DIGEST.fullmatch(found[0]):
        msg = f"{HASH} is no SHA-256 in hex"
        raise SignatureMalformed(msg)
    return found[0]


def _is_form(head: Head) -> bool:
    try:
        agreed_kind(head, (FormField,))
    except BodyMalformed:
        return False
    return True


def _once(values: Mapping[str, Sequence[str]]) -> dict[str, str]:
    # The order of a repeated name is not signed, and frameworks differ in which one they read: it proves no value.
    return {name: found[0] for name, found in values.items() if len(found) == 1}


def _uncovered() -> BodyMalformed:
    return BodyMalformed(f"the body is neither a form nor covered by {HASH}")


SCHEME = Twilio()
