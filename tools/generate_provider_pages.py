"""Write ``docs/providers/``: a page for every sender of the catalogue, and a table that counts them by evidence.

Run it plain after a record has changed, with ``--check`` to exit 1 if a page is out of date, missing, or left over.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from importlib import import_module
from pathlib import Path

from hooklatch import providers
from hooklatch.cli.providers import EVIDENCE, snippets, told
from hooklatch.provider import Provider

TARGET = Path(__file__).resolve().parent.parent / "docs" / "providers"
MARK = "Written by `tools/generate_provider_pages.py` from the record; do not edit."


def pages() -> dict[str, str]:
    """Return the text of every page by its file's name."""
    records = [providers.provider(name) for name in providers.names()]
    return {"README.md": index(records), **{f"{record.name}.md": page(record) for record in records}}


def index(records: list[Provider]) -> str:
    """Return the table of all *records*."""
    counts = Counter(record.evidence for record in records)
    lines = ["# Senders", "", MARK, ""]
    lines += [f"{len(records)} senders. How sure their records are:", "", "| evidence | senders | the record |"]
    lines += ["|---|---|---|", *(f"| `{name}` | {counts[name]} | {text} |" for name, text in EVIDENCE.items()), ""]
    lines += ["`hooklatch providers WORD ...` filters this table; how to add a sender is in"]
    lines += ["[add-a-provider.md](../add-a-provider.md), handshakes are in [handshakes.md](../handshakes.md).", ""]
    lines += ["| sender | evidence | algorithm | covers | handshake |", "|---|---|---|---|---|"]
    for record in records:
        cells = [f"[{record.name}]({record.name}.md)", record.evidence, record.algorithm, record.coverage]
        lines.append(f"| {' | '.join([*cells, record.handshake.partition(' ')[0] or '-'])} |")
    return "\n".join(lines) + "\n"


def page(record: Provider) -> str:
    """Return the page of one *record*."""
    module = import_module(f"hooklatch.providers.{record.name}")
    summary = str(module.__doc__).split("\n\n")[0].replace("\n", " ").replace("``", "`")
    lines = [f"# {record.name}", "", summary, "", MARK, "", "| | |", "|---|---|"]
    lines += [f"| {label} | {_cell(text)} |" for label, text in told(record).items()]
    for title, code in snippets(record).items():
        lines += ["", f"## {title}", "", "```python", code.rstrip(), "```"]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    """Return *text* so that Markdown shows it as it is."""
    plain = text.replace("\n", "\\n").replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("``", "`")
    return plain if "://" in plain else plain.replace("*", "\\*")


def stale(wanted: dict[str, str]) -> list[str]:
    """Return the names of pages that differ from *wanted*, or that it does not know."""
    present = {path.name: path.read_text() for path in TARGET.glob("*.md")} if TARGET.is_dir() else {}
    return sorted(name for name in wanted.keys() | present.keys() if wanted.get(name) != present.get(name))


def main() -> int:
    """Return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if a page is out of date")
    arguments = parser.parse_args()
    wanted = pages()
    differing = stale(wanted)
    if arguments.check:
        if differing:
            print(f"out of date: {', '.join(differing)}; run {Path(__file__).name}")
        return bool(differing)
    TARGET.mkdir(parents=True, exist_ok=True)
    for name in differing:
        if name in wanted:
            (TARGET / name).write_text(wanted[name])
        else:
            (TARGET / name).unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
