"""Write ``docs/senders.md``: every sender of the catalogue, how sure its record is, and how long it is remembered.

Run it after a record has changed: ``python tools/senders.py``.
"""

from __future__ import annotations

from pathlib import Path

from hooklatch import assemble, providers
from hooklatch.chain import Options
from hooklatch.provider import Provider

TARGET = Path(__file__).resolve().parent.parent / "docs" / "senders.md"
KNOWN_BY = {"id": "event id", "signed": "signed content", "body": "body"}
HEAD = """\
# Senders

Written by `tools/senders.py` from the records; `hooklatch providers NAME` tells one of them in words. *Evidence*: `sdk`
agrees with the sender's own code, `published` with a value that the sender published, `documentation` was built from
the sender's page or source, `unconfirmed` from what others wrote about it: try those against a real delivery before you
rely on them. What the other columns mean is in [promise.md](promise.md#how-long-it-is-remembered).

| sender | evidence | a signature is good for | tries again for | remembered for | known by |
|---|---|---|---|---|---|
"""


def span(seconds: float) -> str:
    """Return *seconds* in the largest unit that divides them."""
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"


def spans(record: Provider) -> str:
    """Return the last four cells of *record*'s row."""
    nothing = Options()
    tolerance = assemble._tolerance(record, nothing, [])  # noqa: SLF001 - what a chain would go by, without a secret
    window = sum(tolerance) if tolerance else (2 * record.neighbours + 1) * record.every if record.every else None
    good = "as long as the secret" if window is None else span(window)
    attempts = span(record.retries) if record.retries else "none known"
    if record.repeats == "normal":
        return f"{good} | {attempts} | not at all | nothing: it runs every time"
    remembered = span(max(assemble._memory(record, nothing, tolerance).ttl, 120))  # noqa: SLF001
    return f"{good} | {attempts} | {remembered} | {KNOWN_BY[assemble._duplicate_key(record, nothing)]}"  # noqa: SLF001


def page() -> str:
    """Return the whole page."""
    records = [providers.provider(name) for name in providers.names()]
    return HEAD + "".join(f"| [`{r.name}`]({r.docs}) | {r.evidence} | {spans(r)} |\n" for r in records)


if __name__ == "__main__":
    TARGET.write_text(page())
