"""The arrows of import between the packages, as docs/architecture.md draws them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("corpus", "align", "annotate", "train")
MAY_KNOW = {"corpus": (), "align": ("corpus",), "annotate": ("corpus",), "train": ("corpus",)}
LAZY = {"corpus/collect/client.py": "corpus.collect.client"}
"""Modules of corpus that are made of something heavy: they are themselves imported in functions."""

HEAVY = ("torch", "transformers", "whisperx", "faster_whisper", "datasets", "yt_dlp", "numba")


def joins_packages(module: str) -> bool:
    """Whether a module is of the command line, or the demo, which bring the packages together."""
    package, _, rest = module.partition("/")
    return package == "corpus" and rest.split("/")[0] in {"cli.py", "commands", "demo.py"}


def imports(tree: ast.AST, *, inside: bool = False) -> Iterator[tuple[str, bool]]:
    """The module of each import, and whether it stands in a function or for types only."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, inside) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, inside
        lazy = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or for_types(node)
        yield from imports(node, inside=inside or lazy)


def for_types(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.If)
        and isinstance(node.test, ast.Name)
        and node.test.id == "TYPE_CHECKING"
    )


def bad_arrows(module: str, source: str) -> list[str]:
    """What the source of `module` ("package/…/file.py") imports and may not."""
    package = module.split("/", maxsplit=1)[0]
    wrong = []
    for name, inside in imports(ast.parse(source)):
        imported = name.partition(".")[0]
        allowed = imported in (package, *MAY_KNOW[package]) or (inside and joins_packages(module))
        if imported in PACKAGES and not allowed:
            wrong.append(f"{module} -> {imported}")
        heavy = name in LAZY.values() or (imported in HEAVY and module not in LAZY)
        if package == "corpus" and heavy and not inside:
            wrong.append(f"{module} -> {imported} (outside a function)")
    return wrong


def modules() -> Iterable[Path]:
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def test_there_are_modules_of_every_package() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in modules()} == set(PACKAGES)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_only_known_arrows(path: Path) -> None:
    module = path.relative_to(ROOT).as_posix()
    assert bad_arrows(module, path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("module", "source", "wrong"),
    [
        ("align/x.py", "from train.config import TrainConfig", "align/x.py -> train"),
        ("train/x.py", "def f():\n    import annotate", "train/x.py -> annotate"),
        ("corpus/x.py", "import align.aligner", "corpus/x.py -> align"),
        ("corpus/x.py", "def f():\n    from align import aligner", "corpus/x.py -> align"),
        ("corpus/cli.py", "import align", "corpus/cli.py -> align"),
        ("corpus/x.py", "import torch.nn", "corpus/x.py -> torch (outside a function)"),
        (
            "corpus/x.py",
            "from corpus.collect.client import listed",
            "corpus/x.py -> corpus (outside a function)",
        ),
        (
            "corpus/x.py",
            "if x:\n    import yt_dlp",
            "corpus/x.py -> yt_dlp (outside a function)",
        ),
        (
            "corpus/x.py",
            "class A:\n    import numba",
            "corpus/x.py -> numba (outside a function)",
        ),
    ],
)
def test_a_bad_arrow_is_seen(module: str, source: str, wrong: str) -> None:
    assert bad_arrows(module, source) == [wrong]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("align/x.py", "from corpus.records import Word\nimport align.viterbi\nimport torch"),
        ("corpus/cli.py", "def verb():\n    from align.aligner import x"),
        ("corpus/commands/listen.py", "def verb():\n    import train"),
        ("corpus/x.py", "def f():\n    import torch\nif TYPE_CHECKING:\n    import datasets"),
    ],
)
def test_a_good_arrow_passes(module: str, source: str) -> None:
    assert bad_arrows(module, source) == []
