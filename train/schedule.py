"""The learning rate by the share of the run that is done, counted in steps or in time.

A run that may take an hour cannot know its number of steps beforehand.  Its rate
falls with whichever is nearer to its end, the steps or the time, so it has come
down to nothing when the time is over.
"""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["Clock", "Schedule"]


class Schedule:
    """Rises in a line over the first `warmup` of the run, then falls in a line to its end.

    Called with the number of steps done it gives the factor of the peak rate, as
    torch's LambdaLR wants it.  LambdaLR keeps the attributes of such an object with
    a checkpoint and brings them back: that is how `spent` outlives a kill.
    """

    def __init__(self, *, total_steps: int, warmup: float, seconds: float | None) -> None:
        self.total_steps = total_steps
        self.warmup = warmup
        self.seconds = seconds
        self.spent = 0.0

    def done(self, step: int) -> float:
        """The share of the run that is behind, 0..1, after `step` steps and the time spent."""
        by_time = self.spent / self.seconds if self.seconds is not None else 0.0
        return min(1.0, max(step / self.total_steps, by_time))

    def __call__(self, step: int) -> float:
        """The factor of the peak rate after `step` steps, 0..1."""
        # The step that comes is counted half done: neither the first nor the last is wasted.
        share = min(1.0, self.done(step) + 0.5 / self.total_steps)
        if share < self.warmup:
            return share / self.warmup
        return (1 - share) / (1 - self.warmup)

    def expected_steps(self, step: int) -> int:
        """How many steps the whole run will have, judged after `step` of them."""
        share = self.done(step)
        return max(step, round(step / share)) if share > 0 else self.total_steps


class Clock:
    """Adds the time that goes by, from `started` (monotonic seconds) on, to `schedule.spent`.

    `agreed` makes the time of several processes one: it is given seconds and gives back those of
    the first process.
    """

    def __init__(
        self, schedule: Schedule, started: float, agreed: Callable[[float], float] = float
    ) -> None:
        self.schedule = schedule
        self._last = started
        self._agreed = agreed
        self._step_seconds = 0.0
        self._check_seconds = 0.0

    def tick(self) -> None:
        """Called when training begins and after every step."""
        self._step_seconds = self._went_by()

    def passed(self) -> None:
        """Called after a check: its time is spent as well, and kept free for the last one."""
        self._check_seconds = self._went_by()

    def _went_by(self) -> float:
        now = time.monotonic()
        seconds = self._agreed(now - self._last)
        self.schedule.spent += seconds
        self._last = now
        return seconds

    def over(self) -> bool:
        """Whether another step like the last, and a check, would end after the time given."""
        seconds = self.schedule.seconds
        ahead = self.schedule.spent + self._step_seconds + self._check_seconds
        return seconds is not None and ahead > seconds
