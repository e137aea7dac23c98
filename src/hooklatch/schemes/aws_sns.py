"""Amazon SNS: chosen members of a JSON body, each as a line with its name and a line with its value.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message-verify-message-signature.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hooklatch.documents import JSONDocument
from hooklatch.errors import AlgorithmNotAllowed, BodyMalformed, ConfigError, SignatureMismatch, SignatureMissing
from hooklatch.fields import JSONField, json_document
from hooklatch.schemes import Statement
from hooklatch.verifiers.offers import encoded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hooklatch.provider import Provider
    from hooklatch.schemes import Setting
    from hooklatch.signing import Draft
    from hooklatch.types import Coverage, Facts, Signer

_CONFIRMATION: Final = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_SIGNED: Final[Mapping[str, tuple[str, ...]]] = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": _CONFIRMATION,
    "UnsubscribeConfirmation": _CONFIRMATION,
}
_OPTIONAL: Final = {"Subject"}
_VERSIONS: Final = {"rsa-pkcs1v15-sha1": "1", "rsa-pkcs1v15-sha256": "2"}
_TYPES: Final = {"text/plain", "application/json"}


class _SNS:
    proves = frozenset({"timestamp", "id"})
    needs_url = False
    opens_body = True

    def coverage(self, record: Provider, /) -> Coverage:  # noqa: ARG002 - MessageAttributes, for one, are not signed
        return "fields"

    def look(self, setting: Setting, facts: Facts, /) -> None:
        """Do nothing: all that counts stands in the body."""

    def statements(self, setting: Setting, facts: Facts, /) -> Sequence[Statement]:
        lines = facts.head.headers.all("content-type")
        if len(lines) != 1 or lines[0].partition(";")[0].strip(" \t").lower() not in _TYPES:
            msg = f"the Content-Type must be {' or '.join(sorted(_TYPES))}, once"
            raise BodyMalformed(msg)
        document = json_document(facts).bounded()
        version = document.text("SignatureVersion")
        wanted = _VERSIONS[setting.record.algorithm]
        if version != wanted:
            msg = f"the message is signed by version {version!r:.20}, the route takes {wanted} (see the quirks)"
            raise AlgorithmNotAllowed(msg)
        signature = document.text("Signature")
        if not signature:
            raise SignatureMissing
        fields = _fields(document)
        for name, value in setting.expect.items():
            if fields.get(name) != value:
                msg = f"the message's {name} is not the expected one"
                raise SignatureMismatch(msg)
        return [Statement(_content(fields), [signature], fields)]

    def sign(self, setting: Setting, draft: Draft, key: Signer, /) -> None:
        given = {"Type": "Notification", **setting.expect, "SignatureVersion": _VERSIONS[setting.record.algorithm]}
        given["MessageId"] = draft.texts.get("id", "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324")
        for name, value in given.items():
            draft.put(JSONField(name), name, value)
        try:
            fields = _fields(JSONDocument(draft.body))
        except BodyMalformed as bad:
            msg = f"{setting.record.name}: this body is no message of Amazon SNS: {bad}"
            raise ConfigError(msg) from bad
        draft.headers["content-type"] = "text/plain; charset=UTF-8"
        draft.put(JSONField("Signature"), "signature", encoded(key.sign(_content(fields)), "base64"))


def _fields(document: JSONDocument) -> dict[str, str]:
    """Return the signed members in their order; raise ``BodyMalformed``."""
    names = _SIGNED.get(document.text("Type") or "")
    if names is None:
        msg = "the Type is none that is signed"
        raise BodyMalformed(msg)
    found = {name: document.text(name) for name in names}
    missing = [name for name, value in found.items() if value is None and name not in _OPTIONAL]
    if missing:
        msg = f"a signed member is absent: {', '.join(missing)}"
        raise BodyMalformed(msg)
    return {name: value for name, value in found.items() if value is not None}


def _content(fields: Mapping[str, str]) -> bytes:
    return "".join(f"{name}\n{value}\n" for name, value in fields.items()).encode("utf-8")


SCHEME: Final = _SNS()
