"""What a run says, to people or to machines, and never a secret: all of it goes through `LOG`.

People get lines on standard error (`corpus.show`).  Machines get one JSON object a line there, all
those of a run with its `run`, and what became of each item beside.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import time
import uuid

__all__ = ["LOG", "REDACTED", "Redact", "as_json_lines", "to_machines"]

LOG = logging.getLogger("corpus")
"""Level INFO is for people and machines, DEBUG for machines only."""
LOG.setLevel(logging.DEBUG)
LOG.propagate = False

REDACTED = "***"

_SECRETS = re.compile(
    r"\bhf_[A-Za-z0-9]{10,}"  # a token of the hub
    r"|(?<=://)[^/\s@]*:[^/\s@]*(?=@)"  # user and password of an address
    r"|\beyJ[\w-]{10,}\.[\w-]+\.[\w-]+"  # a JSON web token, as Label Studio gives
    r"|(?<=[?&](?:X-Amz-Signature=))[0-9a-f]+",  # of a presigned address
)
_NAMED = re.compile(r"TOKEN|SECRET|PASSWORD|API_KEY")
_SHORTEST = 8
"""Letters of a secret in the environment: what is shorter stands in other words too."""


class Redact(logging.Filter):
    """Takes secrets out of what is said: tokens by their form, and those of the environment."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record's texts; none is held back."""
        values = (value for name, value in os.environ.items() if _NAMED.search(name))
        secrets = [value for value in values if len(value) >= _SHORTEST]
        record.msg, record.args = _without(record.getMessage(), secrets), ()
        for name, value in vars(record).items():
            if isinstance(value, str) and name != "msg":
                setattr(record, name, _without(value, secrets))
        return True


def _without(text: str, secrets: list[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, REDACTED)
    return _SECRETS.sub(REDACTED, text)


def as_json_lines() -> None:
    """From here on, what is said goes to standard error as JSON lines, with an id of this run."""
    from pythonjsonlogger.json import JsonFormatter

    handler = logging.StreamHandler(sys.stderr)
    made = JsonFormatter(
        "%(levelname)s %(message)s",
        rename_fields={"levelname": "level"},
        static_fields={"run": uuid.uuid4().hex},
        timestamp=True,
        json_ensure_ascii=False,
    )
    made.converter = time.gmtime
    handler.setFormatter(made)
    handler.addFilter(Redact())
    LOG.handlers = [handler]


def to_machines() -> bool:
    """Whether JSON lines are written: no bar may stand between them."""
    return any(isinstance(handler, logging.StreamHandler) for handler in LOG.handlers)
