"""Bytes by formula: the authors' networks to the last digit, and the algorithms of a sum."""

import pytest
import torch

from efficient_ai.ab_training import PUBLISHED, Plan, Schedule, Sizes, run_bytes, total
from efficient_ai.ab_training.published import MODELS


@pytest.mark.parametrize(("name", "layers", "a", "b", "others"), [
    ("ResNet-50", 52, 23_445_504, 5_152_768, 53_120 + 2_058_408),
    ("ViT-B/16", 48, 84_934_656, 28_311_552, 122_344 + 1_510_656),
    ("VGG16", 14, 134_246_400, 35_360_768, 12_352 + 42_762),
])  # fmt: skip
def test_the_counts_of_the_published_networks(name, layers, a, b, others):
    sizes = MODELS[name]
    assert (len(sizes.matrices), sizes.factor("a"), sizes.factor("b"), sizes.others) == (layers, a, b, others)
    assert sizes.whole == a  # of full rank, A is as large as the weight


def test_a_sum_of_a_thousand_floats():
    two = Plan(4).sum(4000)
    assert (two.between, two.total) == (8000, 24_000)
    assert Plan(4).sum(8000).total == 48_000 and Plan(1).sum(4000).total == 0 and Plan(4, 1).sum(0).total == 0
    assert (Plan(4).copy(4000).between, Plan(4).copy(4000).total) == (4000, 12_000)


def test_segments_are_the_phases_step_by_step():
    for schedule in [Schedule(60, 10, 20, 4), Schedule(60, 23, 20, 5), Schedule(10, 20, 5, 2), Schedule(10, 0, 5, 2),
                     Schedule(41, 8, 16, 2), Schedule(33, 8, 16, 2), Schedule(9, 3, 50, 2)]:  # fmt: skip
        long = [phase for phase, steps in schedule.segments() for _ in range(steps)]
        assert long == [schedule.phase(t) for t in range(schedule.total)]
    assert sum(steps for _, steps in PUBLISHED["ResNet-50, 64 nodes"].segments()) == 2850


def test_a_low_rank_saves_inside_a_group_and_hardly_between():
    sizes, schedule = Sizes(((1, 512, 512),), 1000, 2), Schedule(3000, 600, 200, 20)
    phases = sum(phase == "apart" for phase, _ in schedule.segments())
    high, low = (total(run_bytes(schedule, Plan(4), sizes, ranks)) for ranks in (None, [[51]] * phases))
    assert low.inside < 0.6 * high.inside
    assert low.between > 0.9 * high.between


def test_rates_of_a_link_must_be_positive():
    from efficient_ai.ab_training import Alone, SlowLink

    with pytest.raises(ValueError, match="positive"):
        SlowLink(Alone(), [[0]], 0)
    assert torch.tensor([1.0]).sum() == 1
