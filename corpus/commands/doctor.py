"""The verb that says what a corpus lacks: of its machine, of others, of its own folder."""

from __future__ import annotations

import os
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from corpus.commands.listen import BUILT_IN
from corpus.commands.shared import Json, extra
from corpus.errors import (
    AnnotationServerError,
    ConfigError,
    MissingExtraError,
    UsageError,
    WorkspaceError,
)
from corpus.show import as_json, say, waiting

if TYPE_CHECKING:
    from corpus.care.doctor import Check, Finding
    from corpus.models import Form
    from corpus.workspace import Config

__all__ = ["app"]

app = typer.Typer()

_SECONDS = 5.0
"""How long one thing may take, but for a first import of PyTorch."""


@app.command()
def doctor(context: typer.Context, json: Json = False) -> None:
    """Look whether all is there that a corpus needs, and name the command that mends it.

    FFmpeg, PyTorch and its GPU, torchcodec, models, room; the hub and Label Studio, and their
    tokens; in a corpus, its settings, its store and its bucket, where it has one. Who cannot be
    reached gets a line. Leaves with 1 where something is wrong.
    """
    from corpus.care.doctor import State, examined

    with waiting("looking"):
        found = examined(_checks(context.obj["workspace"]))
    if json:
        as_json(found)
    else:
        for one in found:
            typer.echo(f"{one.state.value:7}{one.what}: {one.says}")
            # A line of its own: a command is there to be copied.
            if one.mend:
                typer.echo(f"{'':7}-> {one.mend}")
    n_wrong = sum(one.state is State.WRONG for one in found)
    if not json:
        say(f"doctor: {n_wrong} wrong" if n_wrong else "doctor: nothing is wrong")
    if n_wrong:
        raise typer.Exit(1)


def _checks(start: Path) -> list[Check]:
    from corpus.care import here, machine, others
    from corpus.care.doctor import Check
    from corpus.workspace import workspace_root

    try:
        root = workspace_root(start)
    except WorkspaceError:
        root = None
    settings = _settings(root)
    checks = [
        Check(what="FFmpeg", look=machine.ffmpeg, seconds=2 * _SECONDS),
        Check(what="torch", look=machine.torch, seconds=machine.TORCH_SECONDS + _SECONDS),
        Check(what="models", look=partial(machine.models, _models(settings)), seconds=_SECONDS),
        Check(what="room", look=partial(machine.room, _folders(root, settings)), seconds=_SECONDS),
        Check(what="hub", look=others.hub, seconds=_SECONDS, late="look at the network"),
        Check(
            what="Label Studio",
            look=partial(_label_studio, root),
            seconds=_SECONDS,
            late="look whether it runs",
        ),
    ]
    if root is not None:
        checks.append(Check(what="config", look=partial(here.config, root), seconds=_SECONDS))
    if root is not None and settings is not None:
        look = partial(here.store, root, settings.store.url)
        late = "look at url under [store] in corpus.toml, and whether its server runs"
        checks.append(Check(what="store", look=look, seconds=_SECONDS, late=late))
        checks += _bucket(root, settings)
    return checks


def _bucket(root: Path, settings: Config) -> list[Check]:
    """Where audio lies elsewhere: whether it can be reached, and may be written."""
    from corpus.bucket import Bucket
    from corpus.care import here
    from corpus.care.doctor import Check
    from corpus.workspace import depot_of

    depot = depot_of(root, settings.media)
    if not isinstance(depot, Bucket):
        return []
    look, late = partial(here.bucket, root, depot), "look at the network, and at AWS_ENDPOINT_URL"
    # The library that speaks to it takes a while to be read.
    return [Check(what="bucket", look=look, seconds=3 * _SECONDS, late=late)]


def _settings(root: Path | None) -> Config | None:
    """Those of the corpus; None where there is none, or what it says cannot be."""
    from corpus.workspace import CONFIG_NAME, read_config

    if root is None:
        return None
    try:
        return read_config(root / CONFIG_NAME)
    except ConfigError:
        return None


def _models(settings: Config | None) -> list[tuple[str, str, Form]]:
    """What writes drafts, and what the aligner listens with: purpose, name, form."""
    from corpus.models import form_of
    from corpus.workspace import Config

    said = settings or Config()
    draft, aligner = said.match.draft_model, said.align.model
    # One that was fine-tuned here is brought to the other form when it is needed.
    form = form_of(Path(draft).expanduser()) or "ctranslate2"
    own_head = (Path(aligner).expanduser() / "head.safetensors").is_file()
    listens = said.align.encoder if own_head or aligner == BUILT_IN else aligner
    return [("drafts", draft, form), ("alignment", listens, "transformers")]


def _folders(root: Path | None, settings: Config | None) -> list[tuple[str, Path]]:
    from corpus.models import cache_folder
    from corpus.workspace import depot_of

    found = [("models", cache_folder()), ("passing files", Path(tempfile.gettempdir()))]
    if root is not None:
        found.insert(0, ("the corpus", root))
    if root is not None and settings is not None:
        # Of a bucket, what is fetched from it.
        found.insert(1, ("audio", depot_of(root, settings.media).folder))
    return found


def _label_studio(root: Path | None) -> list[Finding]:
    """The server that LABEL_STUDIO_URL names, or the one that runs here, and the token for it."""
    from corpus.care.doctor import absent, right, wrong
    from corpus.care.others import answers

    what, serve = "Label Studio", "corpus annotate serve"
    try:
        url, token = _server(root)
    except MissingExtraError as error:
        return [absent(what, str(error), "pip install 'cante-corpus[annotate]'")]
    except (AnnotationServerError, UsageError) as error:
        return [wrong(what, str(error), serve)]
    if not url:
        return [absent(what, "none runs here, and LABEL_STUDIO_URL names none", serve)]
    if reason := answers(url):
        return [absent(what, f"{url} cannot be reached: {reason}", serve)]
    return [right(what, f"{url} answers"), _token(url, token)]


def _server(root: Path | None) -> tuple[str, str]:
    """Its address and token, as `corpus annotate push` takes them; "" where there is none."""
    with extra("annotate"):
        from annotate.server import running_server
        from annotate.wire import address

    url = os.environ.get("LABEL_STUDIO_URL", "")
    here = running_server(root) if root and not url else None
    if here is not None:
        return here.url, here.token
    return address(url) if url else "", os.environ.get("LABEL_STUDIO_API_KEY", "")


def _token(url: str, token: str) -> Finding:
    import httpx

    from corpus.care.doctor import absent, right, wrong
    from corpus.care.others import SECONDS

    what, mend = "Label Studio token", "export LABEL_STUDIO_API_KEY=... (Account & Settings there)"
    if not token:
        return absent(what, "LABEL_STUDIO_API_KEY is not set", mend)
    try:
        with extra("annotate"):
            from annotate.labelstudio import LabelStudio
        with LabelStudio(url, token, timeout=httpx.Timeout(SECONDS)) as server:
            return right(what, f"of {server.who().email}")
    except MissingExtraError as error:
        return absent(what, str(error), "pip install 'cante-corpus[annotate]'")
    except (AnnotationServerError, UsageError) as error:
        return wrong(what, str(error), mend)
