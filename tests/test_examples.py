"""The examples run: each lets a signed delivery in, and nothing else; its page shows the same lines."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from framework_apps import aiohttp, azure, mangum
from framework_record import Post, asgi_post, wsgi_post
from hooklatch.providers import GITHUB

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*_app.py"))
SECRET = "a secret of the examples"

pytestmark = [
    pytest.mark.usefixtures("left_open"),
    pytest.mark.filterwarnings("ignore:websockets.legacy is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def azure_post(example: ModuleType, closing: ExitStack) -> Post:
    class Called:
        async def handle_async(self, request: Any) -> Any:
            return await example.main(request, None)

    made: Any = Called()
    return azure.handled(made)


POSTS: dict[str, Callable[[ModuleType, ExitStack], Post]] = {
    "a2wsgi": lambda example, closing: asgi_post(example.app),
    "aiohttp": lambda example, closing: aiohttp.served(example.main(), closing),
    "azure": azure_post,
    "bottle": lambda example, closing: wsgi_post(example.app),
    "connexion": lambda example, closing: asgi_post(example.app, closing),
    "falcon": lambda example, closing: wsgi_post(example.app),
    "fastapi": lambda example, closing: asgi_post(example.app),
    "flask": lambda example, closing: wsgi_post(example.create_app()),
    "litestar": lambda example, closing: asgi_post(example.app),
    "mangum": lambda example, closing: mangum.called(example.handler),
    "pyramid": lambda example, closing: wsgi_post(example.main()),
    "quart": lambda example, closing: asgi_post(example.app),
    "sanic": lambda example, closing: asgi_post(example.app, closing),
    "starlette": lambda example, closing: asgi_post(example.app),
}


def loaded(name: str) -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module(f"{name}_app")


@pytest.fixture
def closing() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_SECRET", SECRET)
    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    # Sanic keeps a register of applications, and rewrites its classes once in a process.
    monkeypatch.setenv("SANIC_TOUCHUP", "False")


def lets_in_what_is_signed(post: Post) -> None:
    delivery = GITHUB.sign({"ref": "refs/heads/main"}, secret=SECRET, url="/hooks/github")
    unsigned = {"content-type": "application/json"}
    answers = [post(delivery._replace(headers=unsigned)), post(delivery), post(delivery)]
    assert [answer.status for answer in answers] == [401, 200, 200]
    assert json.loads(answers[1].body) == {"from": "github", "ref": "refs/heads/main"}
    assert answers[2].header("hooklatch-duplicate")


@pytest.mark.parametrize("name", POSTS)
def test_an_example_lets_in_what_is_signed_and_nothing_else(name: str, closing: ExitStack) -> None:
    lets_in_what_is_signed(POSTS[name](loaded(name), closing))


def test_the_asgi_half_of_the_falcon_example_does_the_same() -> None:
    lets_in_what_is_signed(asgi_post(loaded("falcon").asgi_app))


def test_every_example_is_run() -> None:
    # Django can be configured once in a process, so its example runs in one of its own: test_django.
    assert [path.name.removesuffix("_app.py") for path in EXAMPLES] == sorted([*POSTS, "django"])


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_page_of_a_framework_shows_the_example(path: Path) -> None:
    page = (ROOT / "docs" / f"{path.name.removesuffix('_app.py')}.md").read_text()
    code = path.read_text().partition('"""\n\n')[2]
    assert f"```python\n{code}```" in page


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_command_of_a_page_is_the_one_of_its_example_and_names_what_is_there(path: Path) -> None:
    page = (ROOT / "docs" / f"{path.name.removesuffix('_app.py')}.md").read_text()
    told = re.findall(r"`([^`\n]*examples\.\w+:[^`]*)`", path.read_text().partition('"""\n\n')[0])
    assert all(f"`{command}`" in page for command in told)
    for module, name in re.findall(r"\bexamples\.(\w+):(\w+)", page):
        assert module == path.stem
        assert callable(getattr(loaded(module.removesuffix("_app")), name))


def test_from_the_root_the_examples_are_ours_and_not_an_installed_package_of_that_name() -> None:
    asked = [sys.executable, "-c", "import examples; print(examples.__file__)"]
    told = subprocess.run(asked, cwd=ROOT, check=True, capture_output=True, text=True)
    assert told.stdout.strip() == str(ROOT / "examples" / "__init__.py")
