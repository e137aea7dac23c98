"""Adyen's standard webhooks: each notification in the body carries a signature over eight of its own fields.

A delivery holds only if every notification does. The fields are joined by colons without escaping, so only the
merchant reference, which a shop chooses, may contain one.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from hooklatch.documents import JSONDocument
from hooklatch.errors import BodyMalformed, ConfigError, SignatureMissing
from hooklatch.fields import JSONField, agreed_kind, json_document
from hooklatch.schemes import OfFields, Statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hooklatch.schemes import Setting
    from hooklatch.signing import Draft
    from hooklatch.types import Facts, SigningKey

ITEMS: Final = "notificationItems"
ITEM: Final = "NotificationRequestItem"
SIGNATURE: Final = ("additionalData", "hmacSignature")
FIELDS: Final = {
    "pspReference": ("pspReference",),
    "originalReference": ("originalReference",),
    "merchantAccountCode": ("merchantAccountCode",),
    "merchantReference": ("merchantReference",),
    "value": ("amount", "value"),
    "currency": ("amount", "currency"),
    "eventCode": ("eventCode",),
    "success": ("success",),
}
_OPEN: Final = "merchantReference"


class AdyenItems(OfFields):
    """One statement per notification."""

    def look(self, setting: Setting, facts: Facts) -> None:  # noqa: ARG002 - the signatures stand in the body
        """Demand JSON."""
        agreed_kind(facts.head, (JSONField,))

    def statements(self, setting: Setting, facts: Facts) -> Sequence[Statement]:  # noqa: ARG002 - the body says it all
        """Return a statement for each notification."""
        document = json_document(facts).bounded()
        return [_statement(document, place) for place in range(_count(document))]

    def sign(self, setting: Setting, draft: Draft, key: SigningKey) -> None:  # noqa: ARG002 - the draft has it all
        """Sign every notification that carries no signature."""
        document = JSONDocument(draft.body)
        written = json.loads(draft.body)
        for place in range(_count(document)):
            item = written[ITEMS][place][ITEM]
            data = item.setdefault(SIGNATURE[0], {})
            if not isinstance(data, dict):
                msg = "Adyen signs into additionalData, which must be an object"
                raise ConfigError(msg)
            data.setdefault(SIGNATURE[1], draft.written(key, _content(_fields(document, place))))
        draft.body = json.dumps(written, separators=(",", ":"), ensure_ascii=False).encode("utf-8")


def _count(document: JSONDocument) -> int:
    try:
        items = document.find(ITEMS)
        if isinstance(items, list) and items:
            for place in range(len(items)):
                document.find(ITEMS, str(place), ITEM)
            return len(items)
    except KeyError:
        pass
    msg = f"the body holds no {ITEMS}"
    raise BodyMalformed(msg)


def _statement(document: JSONDocument, place: int) -> Statement:
    offer = document.text(ITEMS, str(place), ITEM, *SIGNATURE)
    if not offer:
        raise SignatureMissing
    fields = _fields(document, place)
    return Statement(_content(fields), [offer], fields, item=True)


def _fields(document: JSONDocument, place: int) -> dict[str, str]:
    found = {name: _text(document, ITEMS, str(place), ITEM, *path) for name, path in FIELDS.items()}
    for name, text in found.items():
        if ":" in text and name != _OPEN:
            msg = f"{name} contains the separator of the signed content"
            raise BodyMalformed(msg)
    return found


def _text(document: JSONDocument, *path: str) -> str:
    """Return the text at *path*; absent and null are empty."""
    try:
        if document.find(*path) is None:
            return ""
    except KeyError:
        return ""
    return document.text(*path) or ""


def _content(fields: dict[str, str]) -> bytes:
    return ":".join(fields.values()).encode("utf-8")


SCHEME = AdyenItems()
