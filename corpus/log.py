"""What a run says, to people or to machines, and never a secret: all of it goes through `LOG`.

People get lines on standard error (`corpus.show`).  Machines get one JSON object a line there, all
those of a run with its `run`, and what became of each item beside.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
import traceback
import uuid

from corpus.redact import without_secrets

__all__ = ["LOG", "Redact", "as_json_lines", "no_secret_in_tracebacks", "to_machines"]

LOG = logging.getLogger("corpus")
"""Level INFO is for people and machines, DEBUG for machines only."""
LOG.setLevel(logging.DEBUG)
LOG.propagate = False


class Redact(logging.Filter):
    """Takes secrets out of what is said: tokens by their form, and those of the environment."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record's texts; none is held back."""
        record.msg, record.args = without_secrets(record.getMessage()), ()
        for name, value in vars(record).items():
            if isinstance(value, str) and name != "msg":
                setattr(record, name, without_secrets(value))
        return True


def no_secret_in_tracebacks() -> None:
    """From here on, what ends this process, or a thread of it, is told without secrets too."""

    def told(error: BaseException | None) -> None:
        if error is not None:
            sys.stderr.write(without_secrets("".join(traceback.format_exception(error))))

    sys.excepthook = lambda _kind, error, _trace: told(error)
    threading.excepthook = lambda ended: told(ended.exc_value)


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
