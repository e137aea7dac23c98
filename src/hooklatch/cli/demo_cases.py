"""What the demo sends, and what must become of it: senders and cases as data, and the table of what did."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from string import Template
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from hooklatch import Delivery, Header, Provider
from hooklatch.cli.demo_apps import MECHANIC_BY_THE_MINUTE, PATCHWORKS_RIPEMD128, SHOP
from hooklatch.providers import MOMENTO, PATCHWORKS, SPECKLE

if TYPE_CHECKING:
    from collections.abc import Mapping

Trait: TypeAlias = Literal["time", "test secret", "page"]

NOT_APPLICABLE: Final[Mapping[Trait, str]] = {
    "time": "no time in this scheme",
    "test secret": "no test secret needed beside a signed time",
    "page": "sent by a server, not by a page in a browser",
}
"""Why a case has no meaning for a sender that lacks the trait."""

JSON: Final = {"content-type": "application/json"}
FORM: Final = {"content-type": "application/x-www-form-urlencoded", "origin": SHOP}
HARNESS: Final = "Test Harness/PostmanRuntime"


@dataclass(frozen=True, kw_only=True)
class Sender:
    """One founding sender. In *body*, ``$nonce`` is new each time and signed, ``$note`` may ask for a failure."""

    title: str
    name: str
    """How its secrets are called in the environment."""
    record: Provider
    body: str
    traits: frozenset[Trait]
    headers: Mapping[str, str]
    success: int = 204
    refusal: int = 401

    @property
    def path(self) -> str:
        """Where it posts to."""
        return "/hooks/" + self.name.replace("_", "-")


SENDERS: Final = (
    Sender(
        title="Momento",
        name="momento",
        record=MOMENTO,
        body='{"cache":"chat","topic":"room-281","topic_sequence_number":$nonce,"text":"$note"}',
        traits=frozenset({"time"}),
        headers=JSON,
        refusal=403,
    ),
    Sender(
        title="Speckle",
        name="speckle",
        record=SPECKLE,
        body='{"payload":{"streamId":"$nonce","event":{"event_name":"commit_create"},"activityMessage":"$note"}}',
        traits=frozenset({"test secret"}),
        headers=JSON,
    ),
    Sender(
        title="Patchworks",
        name="patchworks",
        record=PATCHWORKS,
        body='{"order":{"id":$nonce,"total":"12.50","note":"$note"}}',
        traits=frozenset({"test secret"}),
        headers=JSON,
    ),
    Sender(
        title="Patchworks RIPEMD-128",
        name="patchworks_ripemd128",
        record=PATCHWORKS_RIPEMD128,
        body='{"order":{"id":$nonce,"total":"12.50","note":"$note"}}',
        traits=frozenset({"test secret"}),
        headers=JSON,
    ),
    Sender(
        title="Mechanic",
        name="mechanic",
        record=MECHANIC_BY_THE_MINUTE,
        body="customer_id=$nonce&note=$note",
        traits=frozenset({"time", "test secret", "page"}),
        headers=FORM,
        success=200,
    ),
)

SecretName: TypeAlias = Literal["new", "old", "test", "wrong"]


class Outcome(NamedTuple):
    """What became of one request, or what should have."""

    status: int
    calls: int
    """How often the application was called for it."""
    lacks: tuple[str, ...] = ()
    """Header lines that the answer should have had."""

    def __str__(self) -> str:
        """Return such as ``204*``: a star for each call of the application."""
        return f"{self.status}{'*' * self.calls}{''.join(f' without {name}' for name in self.lacks)}"


@dataclass(frozen=True, kw_only=True)
class Case:
    """One request: how it departs from a genuine delivery, and what must become of it."""

    title: str
    status: int | Literal["success", "refusal"]
    """A word stands for the sender's own status."""
    called: bool = False
    answers: tuple[tuple[str, str], ...] = ()
    """Header lines the answer must carry; an empty value stands for any."""
    needs: Trait | None = None
    key: SecretName | None = "new"
    """Whose signature it bears; None for no signature."""
    age: float = 0.0
    """Seconds since it was signed; negative for the future."""
    agent: str = ""
    origin: str = ""
    altered: bool = False
    fails: bool = False
    again: bool = False
    """Byte for byte what the case before has sent."""
    preflight: bool = False

    def applies(self, sender: Sender) -> bool:
        """Return whether the case has a meaning for *sender*."""
        return self.needs is None or self.needs in sender.traits

    def expected(self, sender: Sender) -> Outcome:
        """Return what must become of it."""
        own = {"success": sender.success, "refusal": sender.refusal}
        return Outcome(self.status if isinstance(self.status, int) else own[self.status], int(self.called))

    def lacks(self, headers: Mapping[str, str]) -> tuple[str, ...]:
        """Return what the *headers* (lower case) of an answer should have had."""
        return tuple(name for name, value in self.answers if name not in headers or (value and headers[name] != value))


# A minute's signature counts for a minute on either side, so three minutes are out of tolerance in every scheme.
THREE_MINUTES: Final = 180.0
ALLOWED: Final = (("access-control-allow-origin", SHOP),)
MARKED: Final = (("hooklatch-duplicate", ""),)

CASES: Final = (
    Case(title="genuine", status="success", called=True),
    Case(title="the same again", status=200, again=True, answers=MARKED),
    Case(title="one byte changed", status="refusal", altered=True),
    Case(title="wrong secret", status="refusal", key="wrong"),
    Case(title="no signature", status="refusal", key=None),
    Case(title="old secret, during rotation", status="success", called=True, key="old"),
    Case(title="signed three minutes ago", status="refusal", age=THREE_MINUTES, needs="time"),
    Case(title="signed three minutes ahead", status="refusal", age=-THREE_MINUTES, needs="time"),
    Case(title="test agent", status=200, agent=HARNESS, key="test"),
    Case(title="test agent, but a live secret", status=403, agent=HARNESS, needs="test secret"),
    Case(title="the application fails", status=500, called=True, fails=True),
    Case(title="  and it is sent again", status="success", called=True, again=True),
    Case(title="  and once more", status=200, again=True, answers=MARKED),
    Case(title="a browser's preflight", status=204, preflight=True, answers=ALLOWED, needs="page"),
    Case(title="a refusal the page can read", status="refusal", key="wrong", answers=ALLOWED, needs="page"),
    Case(title="a page of another shop", status=403, origin="https://other.example", needs="page"),
)


def prepare(case: Case, sender: Sender, known: Mapping[SecretName, str]) -> Delivery:
    """Return the request of *case* (not of one that is sent again) as *sender* would make it now."""
    headers = {**sender.headers, **_given(origin=case.origin, **{"user-agent": case.agent})}
    if case.preflight:
        asked = {"origin": headers["origin"], "access-control-request-method": "POST"}
        return Delivery("OPTIONS", sender.path, asked, b"")
    nonce = str(secrets.randbelow(9 * 10**11) + 10**11)
    note = f"fail-once-{nonce}" if case.fails else "hello"
    body = Template(sender.body).substitute(nonce=nonce, note=note).encode("ascii")
    # Where a signed time guards test traffic, it is signed as live traffic is.
    key = "new" if case.key is None or (case.key == "test" and "test secret" not in sender.traits) else case.key
    signed = sender.record.sign(body, secret=known[key], at=time.time() - case.age, url=sender.path, headers=headers)
    if case.key is None:
        return _unsigned(sender.record, signed, body)
    if case.altered:
        other = f"{nonce[:-1]}{(int(nonce[-1]) + 1) % 10}"
        return signed._replace(body=signed.body.replace(nonce.encode(), other.encode(), 1))
    return signed


def _given(**headers: str) -> dict[str, str]:
    return {name: value for name, value in headers.items() if value}


def _unsigned(record: Provider, signed: Delivery, body: bytes) -> Delivery:
    """Return *signed* without its signature, *body* being what was to be signed."""
    places = {name for place in record.places if isinstance(place, Header) for name in place.names}
    headers = {name: value for name, value in signed.headers.items() if name not in places}
    return signed._replace(headers=headers, body=signed.body if places else body)


class Cell(NamedTuple):
    """One sender, one case: what was expected, and what was seen (None where it does not apply)."""

    sender: Sender
    case: Case
    expected: Outcome
    seen: Outcome | None

    @property
    def wrong(self) -> bool:
        """Whether something else was seen than expected."""
        return self.seen is not None and self.seen != self.expected

    def __str__(self) -> str:
        """Return such as ``204*/204* ok``."""
        return f"{self.expected}/{self.seen} {'WRONG' if self.wrong else 'ok'}" if self.seen else "-"


def table(cells: list[Cell]) -> list[str]:
    """Return the lines of a table: a row for each case, a column for each sender."""
    cases = dict.fromkeys(cell.case for cell in cells)
    rows = [["", *dict.fromkeys(cell.sender.title for cell in cells)]]
    rows += [[case.title, *(str(cell) for cell in cells if cell.case == case)] for case in cases]
    widths = [max(len(row[column]) for row in rows if column < len(row)) for column in range(len(rows[0]))]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=False)).rstrip() for row in rows]


def legend(cells: list[Cell]) -> list[str]:
    """Return the lines that explain the table, with the reason of every dash."""
    lines = ["", "expected/seen, with a * for each call of the application; - does not apply:"]
    for need, reason in NOT_APPLICABLE.items():
        senders = dict.fromkeys(cell.sender.title for cell in cells if cell.seen is None and cell.case.needs == need)
        lines += [f"  {reason}: {', '.join(senders)}"] if senders else []
    return lines
