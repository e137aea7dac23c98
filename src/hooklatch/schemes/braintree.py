"""Braintree: a form of ``bt_payload``, base64 that is signed as it stands, and ``bt_signature``, pairs of public key
and signature, of which one's own public key chooses.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from hooklatch.documents import FormDocument
from hooklatch.errors import BodyMalformed, ConfigError, SignatureMissing
from hooklatch.fields import FormField, agreed_kind, form_document
from hooklatch.schemes import OfFields, Statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hooklatch.schemes import Setting
    from hooklatch.signing import Draft
    from hooklatch.types import Facts, SigningKey

SIGNATURE: Final = "bt_signature"
PAYLOAD: Final = "bt_payload"
_BASE64: Final = re.compile(r"[A-Za-z0-9+/=\n]+")


class Braintree(OfFields):
    """The payload, with or without a line break at its end."""

    def look(self, setting: Setting, facts: Facts) -> None:  # noqa: ARG002 - the signature stands in the body
        """Demand a form."""
        agreed_kind(facts.head, (FormField,))

    def statements(self, setting: Setting, facts: Facts) -> Sequence[Statement]:
        """Return the one statement."""
        form = form_document(facts)
        payload = form.text(PAYLOAD) or ""
        pairs = [pair.partition("|") for pair in (form.text(SIGNATURE) or "").split("&")]
        offers = [signature for public_key, _, signature in pairs if public_key == setting.expect["public_key"]]
        if not any(offers):
            raise SignatureMissing
        if not _BASE64.fullmatch(payload):
            msg = f"{PAYLOAD} is no base64"
            raise BodyMalformed(msg)
        content = payload.encode("ascii")
        return [Statement(content, offers, {PAYLOAD: payload}, [content + b"\n"])]

    def sign(self, setting: Setting, draft: Draft, key: SigningKey) -> None:
        """Add the signature."""
        payload = FormDocument(draft.body).text(PAYLOAD) or ""
        public_key = setting.expect.get("public_key")
        if not _BASE64.fullmatch(payload) or not public_key:
            msg = f"Braintree signs the field {PAYLOAD}, base64, under a public key; give both, the key as expect="
            raise ConfigError(msg)
        draft.attach(f"{public_key}|{draft.written(key, payload.encode('utf-8'))}")


SCHEME = Braintree()
