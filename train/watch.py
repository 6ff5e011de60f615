"""What watches a run step by step: the time, the checkpoints, the checks by WER."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from corpus.errors import TrainError
from train.config import TrainConfig
from train.data import Progress
from train.runs import clear_old_checkpoints
from train.schedule import Clock

__all__ = ["Watch", "no_better_since"]


def no_better_since(rates: list[float]) -> int:
    """How many checks have gone by since the best of these word error rates."""
    return len(rates) - 1 - rates.index(min(rates)) if rates else 0


class Watch(TrainerCallback):
    """Stops when the time is over or nothing gets better, saves and checks, tells how far it is.

    All goes by the clock's time, which is one for all processes of a run.
    """

    def __init__(
        self, clock: Clock, config: TrainConfig, *, checked: bool, progress: Progress | None
    ) -> None:
        self._clock = clock
        self._save_seconds = config.save_minutes * 60
        self._patience = config.patience
        self._n_checks = config.checks if checked else 0
        self._progress = progress
        self._saved = 0.0
        self._checked = 0

    def on_train_begin(self, *given: Any, **_named: Any) -> None:
        """Take the time that was spent before, and the checks that were done."""
        _, state, _ = given
        self._clock.tick()
        self._saved = self._clock.schedule.spent
        self._checked = self._due(state.global_step)

    def on_step_end(self, *given: Any, **_named: Any) -> None:
        """Say whether to check, to save or to end."""
        _, state, control = given
        self._clock.tick()
        if self._clock.over():
            control.should_training_stop = True
        self._check(state, control)
        spent = self._clock.schedule.spent
        if spent - self._saved >= self._save_seconds:
            control.should_save = True
        if control.should_save:
            self._saved = spent
        if self._progress is not None:
            expected = self._clock.schedule.expected_steps(state.global_step)
            self._progress("training", state.global_step, expected)

    def _check(self, state: Any, control: Any) -> None:
        due = self._due(state.global_step)
        # The last model is checked too, whatever ended the run.
        if self._n_checks and (due > self._checked or control.should_training_stop):
            control.should_evaluate = control.should_save = True
            self._checked = due

    def _due(self, step: int) -> int:
        return int(self._clock.schedule.done(step) * self._n_checks)

    def on_evaluate(self, *given: Any, **_named: Any) -> None:
        """End the run when nothing has become better for long enough."""
        _, state, control = given
        self._clock.passed()
        rates = [entry["eval_wer"] for entry in state.log_history if "eval_wer" in entry]
        if self._patience is not None and no_better_since(rates) >= self._patience:
            control.should_training_stop = True

    def on_save(self, *given: Any, **_named: Any) -> None:
        """Clear old checkpoints away."""
        args, state, _ = given
        if state.is_world_process_zero:
            best = state.best_model_checkpoint
            clear_old_checkpoints(Path(args.output_dir), Path(best) if best else None)

    def on_log(self, *given: Any, **named: Any) -> None:
        """Raise TrainError when the loss is no number."""
        _, state, _ = given
        if not math.isfinite(named["logs"].get("loss", 0.0)):
            raise TrainError(
                f"the loss is no number at step {state.global_step}: take a lower learning_rate"
            )
