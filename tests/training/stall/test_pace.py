"""How long a step and a validation may take."""

from phase2.training.stall.pace import Pace


def test_the_floor_holds_where_steps_are_fast():
    pace = Pace(1800)
    assert pace.step_limit() == pace.validation_limit(n_batches=100) == 1800
    pace.add_step(2)
    assert pace.step_limit() == 1800


def test_a_run_of_slow_steps_gets_ten_times_its_slowest_recent_one():
    pace = Pace(60)
    for seconds in (20, 300, 40):
        pace.add_step(seconds)
    assert pace.slowest_step == 300
    assert pace.step_limit() == 3000


def test_a_slow_step_is_forgotten_after_a_hundred_others():
    pace = Pace(60)
    pace.add_step(300)
    for _ in range(100):
        pace.add_step(7)
    assert pace.step_limit() == 70


def test_a_first_validation_may_take_as_long_as_an_epoch_and_later_ones_ten_times_the_slowest():
    pace = Pace(60)
    pace.add_step(5)
    assert pace.validation_limit(n_batches=400) == 2000
    pace.add_validation(900)
    assert pace.validation_limit(n_batches=400) == 9000
