"""Nothing that is read can become a program: no call that would run what is in a file or a text."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("corpus", "align", "annotate", "train")

NEVER = {
    *("eval", "exec", "compile", "__import__", "os.system", "os.popen"),
    *("pickle.load", "pickle.loads", "pickle.Unpickler", "marshal.load", "marshal.loads"),
    *("shelve.open", "dill.load", "dill.loads", "joblib.load", "pandas.read_pickle"),
    *(
        "cloudpickle.load",
        "cloudpickle.loads",
        "subprocess.getoutput",
        "subprocess.getstatusoutput",
    ),
    *("yaml.unsafe_load", "yaml.full_load", "yaml.load_all", "yaml.unsafe_load_all"),
    *("xml.etree.ElementTree.parse", "xml.dom.minidom.parse", "tempfile.mktemp"),
}
LOADERS = {"yaml.SafeLoader", "yaml.CSafeLoader", "SafeLoader", "CSafeLoader"}


def called(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Each call with the whole name of what is called, whatever it was imported as."""
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            known |= {one.asname or one.name: one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            known |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            first, dot, rest = ast.unparse(node.func).partition(".")
            yield f"{known.get(first, first)}{dot}{rest}", node


def said(call: ast.Call, name: str) -> str:
    """What a named argument is, as it is written; "" where it is not given."""
    return next((ast.unparse(one.value) for one in call.keywords if one.arg == name), "")


def unsafe(source: str) -> list[str]:
    """The calls that may run what they read, or write where they are told."""
    found = []
    archives = any(word in source for word in ("tarfile", "zipfile", "tar."))
    for name, call in called(ast.parse(source)):
        last = name.rpartition(".")[2]
        loader = said(call, "Loader") or (ast.unparse(call.args[1]) if len(call.args) > 1 else "")
        if (
            name in NEVER
            or (name == "yaml.load" and loader not in LOADERS)
            or (name == "torch.load" and said(call, "weights_only") != "True")
            or (
                name in {"numpy.load", "np.load"}
                and said(call, "allow_pickle") not in {"", "False"}
            )
            or (archives and last in {"extractall", "extract"} and said(call, "filter") != "'data'")
            or said(call, "shell") not in {"", "False"}
            or said(call, "trust_remote_code") not in {"", "False"}
        ):
            found.append(f"{name}, line {call.lineno}")
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_no_call_runs_what_it_reads(package: str) -> None:
    found = {
        path.relative_to(ROOT).as_posix(): bad
        for path in sorted((ROOT / package).rglob("*.py"))
        if (bad := unsafe(path.read_text("utf-8")))
    }
    assert found == {}


@pytest.mark.parametrize(
    "source",
    [
        "eval(x)",
        "import pickle as p\np.load(f)",
        "from pickle import loads\nloads(x)",
        "import yaml\nyaml.load(x)",
        "import yaml\nyaml.load(x, Loader=yaml.Loader)",
        "import yaml\nyaml.load(x, yaml.UnsafeLoader)",
        "import torch\ntorch.load(x)",
        "import torch\ntorch.load(x, weights_only=False)",
        "import numpy as np\nnp.load(x, allow_pickle=True)",
        "tar.extractall(folder)",
        "tar.extract('a', filter='fully_trusted')",
        "import subprocess\nsubprocess.run(x, shell=True)",
        "AutoModel.from_pretrained(x, trust_remote_code=True)",
    ],
)
def test_what_is_unsafe_is_found(source: str) -> None:
    assert unsafe(source)


@pytest.mark.parametrize(
    "source",
    [
        "model.eval()",
        "import re\nre.compile(x)",
        "import yaml\nyaml.safe_load(x)",
        "import yaml\nyaml.load(x, Loader=yaml.SafeLoader)",
        "import torch\ntorch.load(x, 'cpu', weights_only=True)",
        "tar.extractall(folder, filter='data')",
        "import subprocess\nsubprocess.run(x)",
    ],
)
def test_what_is_safe_is_let_through(source: str) -> None:
    assert unsafe(source) == []


def test_pages_are_made_in_one_place() -> None:
    """There all text is escaped; the other templates are cards, in Markdown."""
    made = {
        path.relative_to(ROOT).as_posix(): said(call, "autoescape")
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        for name, call in called(ast.parse(path.read_text("utf-8")))
        if name == "jinja2.Environment"
    }
    assert made.pop("corpus/pages.py") == "True"
    assert set(made) == {"corpus/publish/card.py", "train/model_card.py"}
    for path in made:
        assert ".html" not in (ROOT / path).read_text("utf-8")
