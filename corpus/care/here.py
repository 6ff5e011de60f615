"""What a corpus needs of its own folder: settings that can be, a store that this code knows."""

from __future__ import annotations

from pathlib import Path

from corpus.bucket import Bucket
from corpus.care.doctor import Finding, absent, right, wrong
from corpus.database import HEAD, Database
from corpus.errors import MediaError, MissingExtraError, StoreError
from corpus.workspace import CONFIG_NAME, config_problems, store_url

__all__ = ["bucket", "config", "store"]


def config(root: Path) -> list[Finding]:
    """Each key of corpus.toml that nobody knows, and each value that cannot be."""
    path = root / CONFIG_NAME
    problems = config_problems(path)
    if not problems:
        return [right(CONFIG_NAME, f"every key and value of {path} is known")]
    return [wrong(CONFIG_NAME, says, f"edit {path}") for says in problems]


def bucket(root: Path, depot: Bucket) -> list[Finding]:
    """Whether audio that lies elsewhere may be written, listed, read and removed: each is tried."""
    try:
        depot.try_out()
        keeps = depot.keeps_versions()
    except MissingExtraError as error:
        return [wrong("bucket", str(error), f"pip install 'cante-corpus[{error.extra}]'")]
    except MediaError as error:
        return [wrong("bucket", str(error), f"edit folder under [media] in {root / CONFIG_NAME}")]
    found = [right("bucket", f"{depot.address} may be written, listed, read and removed from")]
    if keeps:
        says = "older versions are kept there: what is purged stays among them"
        found.append(absent("versions", says, "a lifecycle rule that expires noncurrent versions"))
    return found


def store(root: Path, url: str) -> list[Finding]:
    """Whether the store opens, and which revision it is of; nothing is made or changed."""
    address = store_url(root, url)
    if not isinstance(address, str) and not (root / url.removeprefix("sqlite:///")).exists():
        return [absent("store", f"{url} is not there yet: the next command makes it")]
    try:
        database = Database(address)
        try:
            found = database.revision()
        finally:
            database.close()
    except StoreError as error:
        mend = f"edit url in {root / CONFIG_NAME}, or `corpus restore BACKUP FOLDER`"
        return [wrong("store", str(error), mend)]
    if found is None or found < HEAD:
        says = f"revision {found or 'none'}: the next command brings it to {HEAD}"
        return [right("store", says)]
    if found > HEAD:
        says = f"revision {found} is of a newer cante-corpus; this one knows {HEAD}"
        return [wrong("store", says, "pip install --upgrade cante-corpus")]
    return [right("store", f"revision {found}, {database.url}")]
