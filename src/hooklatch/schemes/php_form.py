"""All fields of a form but the signature, sorted by name, in the text that PHP's ``serialize`` makes of them.

What other languages would order or name otherwise than PHP (names of digits, with dots, blanks or brackets) is refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from hooklatch.documents import FormDocument
from hooklatch.errors import BodyMalformed, ConfigError, SignatureMissing
from hooklatch.fields import FormField, agreed_kind, form_document
from hooklatch.schemes import Statement
from hooklatch.verifiers.offers import encoded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hooklatch.provider import Provider
    from hooklatch.schemes import Setting
    from hooklatch.signing import Draft
    from hooklatch.types import Coverage, Facts, Signer

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class _PHPForm:
    proves = frozenset({"id"})
    needs_url = False
    opens_body = True

    def coverage(self, record: Provider, /) -> Coverage:  # noqa: ARG002 - what parsers make of the rest is not signed
        return "fields"

    def look(self, setting: Setting, facts: Facts, /) -> None:  # noqa: ARG002
        agreed_kind(facts.head, (FormField,))

    def statements(self, setting: Setting, facts: Facts, /) -> Sequence[Statement]:
        fields = _fields(form_document(facts))
        signature = fields.pop(_place(setting), "")
        if not signature:
            raise SignatureMissing
        return [Statement(_serialized(fields), [signature], fields)]

    def sign(self, setting: Setting, draft: Draft, key: Signer, /) -> None:
        try:
            fields = _fields(FormDocument(draft.body))
        except BodyMalformed as bad:
            msg = f"{setting.record.name} signs a form, and this body is none: {bad}"
            raise ConfigError(msg) from bad
        draft.put(
            setting.record.places[0], "signature", encoded(key.sign(_serialized(fields)), setting.record.encoding)
        )


def _place(setting: Setting) -> str:
    (place,) = setting.record.places
    return place.name if isinstance(place, FormField) else ""


def _fields(form: FormDocument) -> dict[str, str]:
    """Return the fields by name; raise ``BodyMalformed`` unless PHP would read the same."""
    if not all(_NAME.fullmatch(name) for name, _ in form.pairs):
        msg = "a field's name is not made of letters, digits and underscores"
        raise BodyMalformed(msg)
    return {name: form.text(name) or "" for name, _ in form.pairs}


def _serialized(fields: Mapping[str, str]) -> bytes:
    raw = {name.encode("ascii"): value.encode("utf-8") for name, value in fields.items()}
    pairs = (b's:%d:"%b";s:%d:"%b";' % (len(name), name, len(raw[name]), raw[name]) for name in sorted(raw))
    return b"a:%d:{%b}" % (len(raw), b"".join(pairs))


SCHEME: Final = _PHPForm()
