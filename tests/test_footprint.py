"""footprint: energy and money of a run."""

import pytest

from course_utils import footprint


def test_energy_by_hand():
    # One hour, two cores of 12 W, 10 GB of 0.3725 W: 27.725 W, times 1.67.
    assert footprint.energy(3600, 2, 10) == pytest.approx(0.04630075)
    assert footprint.energy(1800, 2, 10) == pytest.approx(0.04630075 / 2)
    assert footprint.energy(3600, memory=0, watts=700) == pytest.approx(1.169)
    assert footprint.energy(0) == 0


def test_the_phrase_names_seconds_energy_and_money():
    phrase = footprint.spent(36_000, cores=2, memory=10)
    assert phrase == "36,000 s, about 0.46 kWh or 0.1 euros"


@pytest.mark.parametrize("bad", [{"seconds": -1}, {"memory": -1}, {"watts": -1}])
def test_negative_numbers_are_refused(bad):
    with pytest.raises(ValueError, match="negative"):
        footprint.energy(**{"seconds": 1} | bad)
