import pytest

from efficient_ai import profiles

COMPLETE = {"smoke": 1, "laptop": 2, "full": 3}


def test_selects_by_name():
    assert [profiles.select(COMPLETE, name) for name in profiles.NAMES] == [1, 2, 3]


def test_unknown_name_lists_the_choices():
    with pytest.raises(ValueError, match=r"unknown profile 'big'.*smoke, laptop, full"):
        profiles.select(COMPLETE, "big")


def test_incomplete_profiles_are_refused():
    with pytest.raises(ValueError, match="defines the profiles"):
        profiles.select({"smoke": 1, "full": 3}, "smoke")
