"""What a Label Studio that runs here needs to sign addresses in the bucket of a corpus."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from corpus.depot import S3Place

__all__ = ["reaching"]

_HERE = ("127.0.0.1", "localhost")
_AMAZON = ("amazonaws.com", "amazonaws.com.cn", "169.254.169.254", "169.254.170.2")
"""Where keys are asked for and buckets are looked at; the numbers give the keys of a machine."""


def reaching(place: S3Place) -> dict[str, str]:
    """Credentials as this process has them, for its environment, and who may be asked directly.

    Everybody else is behind a proxy that is none.
    """
    found = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    files = {"AWS_SHARED_CREDENTIALS_FILE": "credentials", "AWS_CONFIG_FILE": "config"}
    for name, file in files.items():
        # Its own home is another folder.
        found.setdefault(name, str(Path.home() / ".aws" / file))
    hosts = [urlsplit(place.endpoint).hostname or ""] if place.endpoint else _AMAZON
    return {**found, "NO_PROXY": ",".join(filter(None, (*_HERE, *hosts)))}
