"""Everything that a command may import, imported once: what is forked from here begins at once."""

from __future__ import annotations

import gc
import importlib
import pkgutil

import numpy as np

import align
import annotate
import corpus
from align.aligner import Aligner
from align.ear import Listener
from corpus import rows
from corpus.media import ArraySamples
from corpus.rows import Record
from tests.faults import toys

_OTHERS = (
    "alembic.command",
    "alembic.config",
    "datasets",
    "filelock",
    "matplotlib.pyplot",
    "pyarrow.compute",
    "pyarrow.parquet",
    "rich.progress",
    "sqlalchemy.dialects.sqlite",
    "tantivy",
    "tests.faults.child",
)
_LEFT_OUT = (
    *("align.ctc_checkpoint", "align.encoder", "align.fit", "align.head", "align.re"),
    *("annotate.hints", "annotate.labelstudio", "annotate.server", "annotate.sync"),
    *("corpus.__main__", "corpus.migrations", "corpus.lyrics.web.", "corpus.synth"),
)
"""What runs when it is imported, or brings torch or a server along, which no toy needs."""

for package in (corpus, align, annotate):
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not module.name.startswith(_LEFT_OUT):
            importlib.import_module(module.name)
for name in _OTHERS:
    importlib.import_module(name)
for kind in (*Record.__args__, rows.Done):
    rows.adapter(kind)
# Numba compiles what is called for the first time.
NOISE = ArraySamples(np.random.default_rng(0).normal(0, 0.1, 4 * 16_000).astype(np.float32))
ALIGNER = Aligner(toys.ToyEar())
ALIGNER.align(NOISE, [toys.SUNG[4]])
Listener(ALIGNER).listen(NOISE).places([(toys.SUNG[4],)])
# What is here already is shared with every process that is forked, and never looked at again.
gc.collect()
gc.freeze()
