"""The schedule: its shape, and how it shrinks into a budget of time."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.ssl.plan import SURE_AFTER, Plan

TOTALS = st.integers(1, 300)
WARMUPS = st.floats(0, 0.9)


def walked(plan: Plan) -> list[float]:
    """The rate of every step of a whole run."""
    rates = []
    while not plan.over:
        rates.append(plan.rate())
        plan.done += 1
    return rates


def test_it_rises_evenly_then_follows_half_a_cosine() -> None:
    rates = walked(Plan(100, 0.1))
    assert rates[:10] == pytest.approx([(step + 1) / 11 for step in range(10)])
    assert rates[10] == 1.0
    assert rates[10 + 30] == pytest.approx(0.75)  # a third of the way down: (1 + cos 60 degrees) / 2
    assert rates[10 + 45] == pytest.approx(0.5)
    assert 0 < rates[-1] < 0.001


@given(TOTALS, WARMUPS)
@example(1, 0.9)
@example(1, 0.0)
@example(5, 0.9)
def test_rates_lie_in_0_to_1_rise_first_and_fall_then(total: int, warmup: float) -> None:
    rates = walked(Plan(total, warmup))
    assert len(rates) == total
    assert all(0 < rate <= 1 for rate in rates)
    peak = rates.index(max(rates))
    assert rates == sorted(rates[: peak + 1]) + sorted(rates[peak + 1 :], reverse=True)
    assert peak <= warmup * total + 1


def test_the_share_done_ends_at_1() -> None:
    plan = Plan(4, 0.0)
    assert plan.t == 0.0 and not plan.over
    plan.done = 3
    assert plan.t == 0.75 and not plan.over
    plan.done = 4
    assert plan.t == 1.0 and plan.over


def test_without_a_budget_it_stays() -> None:
    plan = Plan(1000, 0.1, done=500, seconds=1e9, training=1e9)
    plan.fit_into(None)
    assert plan.total == 1000


def test_the_time_of_the_first_steps_is_not_believed() -> None:
    plan = Plan(1000, 0.1, done=SURE_AFTER - 1, seconds=1e9, training=1e9)
    plan.fit_into(60)
    assert plan.total == 1000 and not plan.shortened


def test_preparation_takes_from_the_budget_but_is_no_pace() -> None:
    plan = Plan(1000, 0.1)
    plan.spend(50, training=False)
    plan.spend(10, training=True)
    plan.done = 10
    plan.fit_into(100)
    assert plan.shortened and plan.total == 10 + 40  # 40 s are left, a step takes 1 s


def test_a_slow_beginning_is_forgiven() -> None:
    plan = Plan(1000, 0.1, done=10, seconds=20, training=20)
    plan.fit_into(100)
    assert plan.total == 50
    plan.done, plan.seconds, plan.training = 20, 25, 25
    plan.fit_into(100)
    assert plan.total == 80
    plan.done, plan.seconds, plan.training = 60, 30, 30
    plan.fit_into(1e6)
    assert plan.total == 1000, "as many as were planned, no more"


def test_a_spent_budget_ends_it_here() -> None:
    plan = Plan(1000, 0.1, done=10, seconds=200, training=20)
    plan.fit_into(100)
    assert plan.over and plan.total == plan.done == 10


@given(
    total=TOTALS, warmup=WARMUPS, preparation=st.floats(0, 100), budget=st.floats(0.1, 1000),
    pace=st.lists(st.floats(1e-3, 10), min_size=1, max_size=30), look=st.integers(1, 20),
)  # fmt: skip
def test_however_fast_steps_are_the_total_is_at_most_as_planned_and_never_below_what_is_done(
    total: int, warmup: float, preparation: float, budget: float, pace: list[float], look: int
) -> None:
    plan = Plan(total, warmup)
    plan.spend(preparation, training=False)
    while not plan.over:
        plan.spend(pace[plan.done % len(pace)], training=True)
        plan.done += 1
        if plan.done % look == 0:
            plan.fit_into(budget)
        assert plan.done <= plan.total <= total
        assert plan.shortened == (plan.total < total)
        assert plan.over or 0 < plan.rate() <= 1


@given(
    total=TOTALS, preparation=st.floats(0, 100), training=st.floats(1, 1000), pace=st.floats(0.01, 10),
    look=st.integers(1, 20),
)  # fmt: skip
def test_at_a_constant_pace_it_ends_within_the_budget_and_uses_it(
    total: int, preparation: float, training: float, pace: float, look: int
) -> None:
    """But for a budget that is spent before the first look at it."""
    plan, budget = Plan(total, 0.1), preparation + training
    plan.spend(preparation, training=False)
    rate = 0.0
    while not plan.over:
        rate = plan.rate()
        plan.spend(pace, training=True)
        plan.done += 1
        if plan.done % look == 0:
            plan.fit_into(budget)
    first_look = -(-SURE_AFTER // look) * look
    assert plan.done <= max(first_look, training / pace + 1e-6)
    assert plan.done == total or plan.done + 2 >= training / pace
    assert plan.shortened == (plan.done < total)
    if plan.done > 4 * first_look:
        assert rate < 0.1  # it ends low, wherever it was cut
