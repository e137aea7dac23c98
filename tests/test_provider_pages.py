"""The pages of ``docs/providers`` are written from the records, and they are up to date."""

from __future__ import annotations

import importlib.util
import re
import shutil
from pathlib import Path
from types import ModuleType

import pytest

from hooklatch import providers

ROOT = Path(__file__).parent.parent


@pytest.fixture
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("pages", ROOT / "tools" / "generate_provider_pages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_committed_pages_are_those_the_records_give(generator: ModuleType) -> None:
    assert generator.stale(generator.pages()) == [], "run tools/generate_provider_pages.py"


def test_a_changed_a_missing_and_a_left_over_page_are_noticed_and_mended(
    generator: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(generator.TARGET, tmp_path / "pages")
    monkeypatch.setattr(generator, "TARGET", tmp_path / "pages")
    (tmp_path / "pages" / "github.md").write_text("edited")
    (tmp_path / "pages" / "momento.md").unlink()
    (tmp_path / "pages" / "nobody.md").write_text("left over")
    monkeypatch.setattr("sys.argv", ["generate", "--check"])
    assert generator.main() == 1
    assert "github.md, momento.md, nobody.md" in capsys.readouterr().out
    monkeypatch.setattr("sys.argv", ["generate"])
    assert generator.main() == 0
    assert generator.stale(generator.pages()) == []


def test_every_sender_has_a_page_with_its_source_and_evidence_and_the_table_counts_them(generator: ModuleType) -> None:
    pages = generator.pages()
    table = pages.pop("README.md")
    assert pages.keys() == {f"{name}.md" for name in providers.names()}
    for name in providers.names():
        record = providers.provider(name)
        assert record.docs in pages[f"{name}.md"]
        assert f"| evidence | {record.evidence}: " in pages[f"{name}.md"]
        assert f"{record.name.upper()}.chain(" in pages[f"{name}.md"]
        assert f"[{name}]({name}.md) | {record.evidence} | " in table
    counts = re.findall(r"^\| `\w+` \| (\d+) \|", table, re.MULTILINE)
    assert sum(map(int, counts)) == len(providers.names())


def test_no_cell_breaks_its_table(generator: ModuleType) -> None:
    for text in generator.pages().values():
        for line in text.split("\n## ")[0].splitlines():
            if line.startswith("| ") and "](" not in line:
                assert len(re.findall(r"(?<!\\)\|", line)) in {3, 4, 6}
