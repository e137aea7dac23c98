"""The examples of the README and of the pages in ``PAGES`` run, and print what they say they print."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "docs/fastapi.md", "docs/flask.md", "docs/starlette.md")
FENCE = re.compile(r"^```(\w+)$", re.MULTILINE)
EXAMPLE = re.compile(
    r"(?:^```sh\n([^`]*)```\n\n)?^```python\n(.*?)^```(?:\n\n```text\n(.*?)^```)?", re.DOTALL | re.MULTILINE
)


def examples(page: str) -> list[tuple[str, str, str, str]]:
    """Return of every example in *page*: page, shell lines before it, code, output after it."""
    return [(page, *found) for found in EXAMPLE.findall((ROOT / page).read_text())]


EXAMPLES = [example for page in PAGES for example in examples(page)]


@pytest.mark.parametrize(
    ("page", "shell", "code", "output"),
    EXAMPLES,
    ids=[f"{page}: {code.strip().splitlines()[-1][:40]}" for page, _, code, _ in EXAMPLES],
)
def test_an_example_runs_and_prints_what_it_says(
    page: str, shell: str, code: str, output: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("MOMENTO_SECRET", "SPECKLE_SECRET", "SPECKLE_OLD_SECRET", "GITHUB_SECRET", "STRIPE_SECRET"):
        monkeypatch.setenv(name, f"a secret of the {name.lower()}")
    for word, *settings in map(shlex.split, shell.splitlines()):
        if word == "export":
            name, _, value = settings[0].partition("=")
            monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)  # some leave a database behind
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, page, "exec", dont_inherit=True), {"__name__": "example"})
    assert printed.getvalue() == output


def test_the_readme_has_the_examples_it_promises() -> None:
    readme = examples("README.md")
    assert len(readme) == 6
    assert sum(bool(output) for *_, output in readme) == 2


@pytest.mark.parametrize("page", PAGES[1:])
def test_every_block_of_a_page_is_part_of_an_example(page: str) -> None:
    found = examples(page)
    blocks = [kind for _, shell, _, output in found for kind, text in (("sh", shell), ("text", output)) if text]
    assert sorted(FENCE.findall((ROOT / page).read_text())) == sorted(blocks + ["python"] * len(found))
    # The first is the example of examples/, which test_examples calls; the others show what they do.
    assert all(output for *_, output in found[1:])


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.stem)
def test_what_a_page_has_you_install_exists(page: Path) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = re.findall(r"hooklatch\[(\w+)\]", page.read_text())
    assert extras.keys() >= set(named)


def test_the_index_has_one_line_for_every_page_and_for_nothing_else() -> None:
    listed = re.findall(
        r"^- \[(\S+)\]\((\S+?)(?:README\.md)?\): \S", (ROOT / "docs" / "README.md").read_text(), re.MULTILINE
    )
    pages = [page.name for page in (ROOT / "docs").glob("*.md")] + ["providers/"]
    assert all(label == target for label, target in listed)
    assert sorted(label for label, _ in listed) == sorted(set(pages) - {"README.md"})


LINKS = {
    (str(page.relative_to(ROOT)), target)
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
}


@pytest.mark.parametrize(("page", "target"), sorted(LINKS))
def test_every_file_a_page_points_at_is_there(page: str, target: str) -> None:
    assert ((ROOT / page).parent / target).exists()
