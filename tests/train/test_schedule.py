from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.schedule import Clock, Schedule


@given(st.integers(1, 500), st.floats(0, 0.9))
def test_the_rate_rises_then_falls_and_no_step_is_wasted(total: int, warmup: float) -> None:
    schedule = Schedule(total_steps=total, warmup=warmup, seconds=None)
    rates = [schedule(step) for step in range(total)]
    assert all(0 < rate <= 1 for rate in rates)
    peak = rates.index(max(rates))
    assert rates[:peak] == sorted(rates[:peak])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert schedule(total) == pytest.approx(0)


def test_the_time_spent_brings_the_rate_down_before_the_steps_do() -> None:
    schedule = Schedule(total_steps=1000, warmup=0.1, seconds=100.0)
    early = schedule(10)
    schedule.spent = 50.0
    assert early < 0.2  # still rising
    assert schedule(10) == pytest.approx(0.5 / 0.9, abs=1e-3)
    schedule.spent = 200.0
    assert schedule(10) == 0.0
    assert schedule.expected_steps(10) == 10


def test_how_many_steps_are_expected() -> None:
    schedule = Schedule(total_steps=1000, warmup=0.1, seconds=100.0)
    assert schedule.expected_steps(0) == 1000
    schedule.spent = 25.0
    assert schedule.expected_steps(10) == 40


def test_the_clock_stops_before_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("train.schedule.time.monotonic", lambda: now)
    clock = Clock(Schedule(total_steps=100, warmup=0.1, seconds=20.0), started=998.0)
    clock.tick()  # loading took 2 s
    now += 6.0
    clock.tick()
    assert clock.schedule.spent == 8.0
    assert not clock.over()
    now += 7.0
    clock.tick()
    assert clock.over()  # at 15 s another step of 7 s has no room


def test_without_minutes_the_time_is_never_over() -> None:
    clock = Clock(Schedule(total_steps=100, warmup=0.1, seconds=None), started=-1e9)
    clock.tick()
    assert not clock.over()


def test_the_time_spent_outlives_a_checkpoint() -> None:
    import torch

    def scheduler(schedule: Schedule) -> torch.optim.lr_scheduler.LambdaLR:
        optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))])
        return torch.optim.lr_scheduler.LambdaLR(optimizer, schedule)

    before = Schedule(total_steps=100, warmup=0.1, seconds=60.0)
    saved = scheduler(before)
    before.spent = 30.0
    after = Schedule(total_steps=100, warmup=0.1, seconds=60.0)
    scheduler(after).load_state_dict(saved.state_dict())
    assert after.spent == 30.0
