"""What enters is right or refused, wherever a list of hits, a number or an array enters; each was silently wrong once."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from efficient_ai import petnet
from efficient_ai.petnet import BARS, SMALL, Hits, Scan, Window, imaging, physics

SORTERS = (petnet.sort_plain, petnet.sort_arrays, petnet.sort_compiled)
GRID = imaging.Grid(pixels=9, size=20.0, angles=6)


@pytest.fixture(scope="module")
def recording():
    return petnet.generate(SMALL, 300, seed=5)


@pytest.fixture(scope="module")
def heard():
    seen = petnet.scan(BARS.scanner, petnet.RODS, activity=5e8, seconds=1e-4, seed=3)
    return petnet.uncalibrated(seen, BARS)


def columns(scan):
    return {name: getattr(scan, name) for name in ("time", "crystal", "energy", "decay", "scattered")}


# -- order ------------------------------------------------------------------------------------------------------------


def test_hits_in_disorder_are_refused_and_sorted_hits_give_all_pairs(recording):
    hits, detector = recording.hits, SMALL.detector
    mixed = np.random.default_rng(0).permutation(len(hits))
    rows = [getattr(hits, name)[mixed] for name in ("sample", "crystal", "time", "decay")]
    with pytest.raises(ValueError, match=r"Hits\.sort"):
        Hits(*rows)
    for chosen in ([3, 1], [1, 1]):
        with pytest.raises(ValueError, match=r"Hits\.sort"):
            hits[np.array(chosen)]
    for sorter in SORTERS:
        wanted, got = (len(sorter(each, detector, Window(5))) for each in (hits, Hits.sort(*rows)))
        assert wanted == got > 100


def test_a_scan_in_descending_time_is_refused_and_sorted_finds_all_coincidences(heard):
    back = {name: column[::-1] for name, column in columns(heard).items()}
    with pytest.raises(ValueError, match=r"Scan\.sort"):
        Scan(**back, decays=heard.decays, seconds=heard.seconds, lost=0)
    again = Scan.sort(**back, decays=heard.decays, seconds=heard.seconds)
    window = Window(5, BARS.spread, "resolve")
    wanted, got = (petnet.coincidences(each, BARS.detector, window) for each in (heard, again))
    assert wanted.rates() == got.rates() and len(got) > 500
    twice = Scan.sort(
        **{name: np.repeat(column, 2) for name, column in columns(heard).items()},
        decays=heard.decays,
        seconds=heard.seconds,
    )
    assert petnet.coincidences(twice, BARS.detector, window).rates() == wanted.rates()


# -- types, widths, bounds --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.uint64, np.float64]
)
def test_whole_numbers_of_any_width_and_sign_give_the_same_pairs(recording, kind):
    hits = recording.hits[(recording.hits.sample < 100) & (recording.hits.time < 120)]
    same = Hits(*(getattr(hits, n).astype(kind) for n in ("sample", "crystal", "time")), hits.decay)
    for sorter in SORTERS:
        wanted, got = (sorter(each, SMALL.detector, Window(5, 2, "resolve")) for each in (hits, same))
        assert np.array_equal(wanted.index, got.index) and len(got) > 20
    target = recording.pairs.hits
    assert petnet.score_hits(same, target, 8) == petnet.score_hits(hits, target, 8)
    steps = (100, SMALL.detector.crystals, SMALL.steps)
    assert torch.equal(petnet.raster(hits, *steps), petnet.raster(same, *steps))
    narrow = kind if np.issubdtype(kind, np.integer) else np.int64
    a, b = (np.arange(64).astype(narrow) for _ in range(2))
    wanted = SMALL.detector.opposite(np.arange(64)[:, None], np.arange(64)[None], 2)
    assert np.array_equal(SMALL.detector.opposite(a[:, None], b[None], 2), wanted)


@pytest.mark.parametrize(
    "change, told",
    [
        ({"time": [0, np.nan]}, "finite"),
        ({"time": [0, np.inf]}, "finite"),
        ({"time": np.array([0, 1e-9], dtype=np.float32)}, "float64"),
        ({"time": [False, True]}, "numbers are wanted"),
        ({"time": np.array([0, 2**63], dtype=np.uint64)}, "2\\*\\*52"),
        ({"time": [[0, 1]]}, "shape"),
        ({"time": ["0", "1"]}, "numbers are wanted"),
        ({"crystal": [0, -1]}, "from 0"),
        ({"crystal": [0, 1.5]}, "whole"),
        ({"crystal": [True, True]}, "numbers are wanted"),
        ({"sample": [-1, 0]}, "from 0"),
        ({"decay": [0, -2]}, "from -1"),
        ({"decay": [0]}, "equally long"),
    ],
)
def test_hits_that_are_none_are_refused(change, told):
    good = {"sample": [0, 0], "crystal": [0, 1], "time": [0, 1], "decay": [-1, -1]}
    assert len(Hits(**good)) == 2
    with pytest.raises(ValueError, match=told):
        Hits(**good | change)


@pytest.mark.parametrize("sorter", SORTERS)
def test_crystals_that_a_detector_does_not_have_and_delays_of_another_are_refused(sorter):
    hits = Hits.sort([0, 0], [0, 64], [0, 1])
    with pytest.raises(ValueError, match="crystal"):
        sorter(hits, SMALL.detector, Window(3))
    hits = Hits.sort([0, 0], [0, 1], [0, 1])
    with pytest.raises(ValueError, match="delays"):
        sorter(hits, SMALL.detector, Window(3, delays=np.zeros(65)))


@pytest.mark.parametrize(
    "arguments",
    [
        (np.nan,),
        (np.inf,),
        (True,),
        ("3",),
        (3, -1),
        (3, 1.5),
        (3, True),
        (3, 2, "Resolve"),
        (3, 2, "kill", [np.nan]),
    ],
)
def test_windows_that_are_none_are_refused(arguments):
    with pytest.raises(ValueError):
        Window(*arguments)


def test_a_raster_has_no_place_for_hits_outside_of_it():
    for crystal, time in ((0, -1), (0, 10), (4, 0)):
        hits = Hits.sort([0], [crystal], [time])
        with pytest.raises(ValueError, match="only values"):
            petnet.raster(hits, 1, 4, 10)
        with pytest.raises(ValueError, match="only values"):
            petnet.SpikingNetwork((4, 3)).from_hits(hits, 1, 10)
    with pytest.raises(ValueError, match="whole"):
        petnet.raster(Hits.sort([0], [0], [0.5]), 1, 4, 10)


# -- clocks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tick", [1e-9, 2.5e-10, 1e-10, 0.1, 1 / 3])
def test_multiples_of_a_tick_keep_their_tick(tick):
    number = np.arange(200_000)
    seen = Scan(number * tick, np.zeros_like(number), 0.0 * number, number, 0 * number, 200_000, 1.0, 0)
    stream = replace(BARS, tick=tick, delay_max=0, delay_mean=0)
    assert np.array_equal(petnet.uncalibrated(seen, stream).time, number)
    between = replace(seen, time=(number + 0.999) * tick)
    assert np.array_equal(petnet.uncalibrated(between, stream).time, number)


def test_times_too_late_for_their_tick_are_refused_and_negative_ones_keep_their_order():
    one = {
        "crystal": [0],
        "energy": [511.0],
        "decay": [0],
        "scattered": [0],
        "decays": 1,
        "seconds": 1,
        "lost": 0,
    }
    with pytest.raises(ValueError, match="parts"):
        petnet.uncalibrated(Scan(time=[1e9], **one), BARS)
    early = petnet.uncalibrated(Scan(time=[-1.1 * BARS.tick], **one), BARS)
    assert early.time[0] == -2 - BARS.delays[0]
    with pytest.raises(ValueError, match="whole"):
        petnet.frames(Scan(time=[0.5], **one), BARS)


@pytest.mark.parametrize("sorter", SORTERS)
def test_two_times_whose_difference_is_the_width_are_within_it(sorter):
    tick = np.arange(3000) * 10
    late = np.where(np.arange(3000) % 2, tick - 10 + 3, tick)
    hits = Hits(np.zeros(3000, dtype=int), np.arange(3000) % 2, late * 1e-9, np.full(3000, -1))
    assert len(sorter(hits, SMALL.detector, Window(3e-9))) == 1500
    assert len(sorter(hits, SMALL.detector, Window(2.99e-9))) == 0


def test_late_times_are_scored_like_early_ones(recording):
    hits, target = recording.hits, recording.pairs.hits
    wanted = petnet.score_hits(hits, target, 8)
    for shift in (10**9, 10**12, 10**15, -(10**15), -50):
        moved = [replace(each, time=each.time + shift) for each in (hits, target)]
        assert petnet.score_hits(*moved, 8) == wanted
    far = [
        replace(each, sample=each.sample * 10**12, crystal=each.crystal * 10**10) for each in (hits, target)
    ]
    assert petnet.score_hits(*far, 8) == wanted
    once = Hits.sort([0, 1], [0, 0], [0, 10**15])
    assert (
        petnet.score_hits(once, Hits.sort([0, 1], [0, 0], [10**15, 0]), 10**15).true == 2
    )  # and it does not hang
    assert petnet.score_hits(once, Hits.sort([2], [0], [5]), 10**15).true == 0


@pytest.mark.parametrize("tolerance", [-1, 1.5, True, None])
def test_tolerances_that_are_none_are_refused(recording, tolerance):
    with pytest.raises(ValueError, match="tolerance"):
        petnet.score_hits(recording.hits, recording.hits, tolerance)


# -- neurons ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [{"reset": "zero"}, {"reset": None}, {"threshold": -1}, {"threshold": 0}, {"threshold": np.nan},
     {"beta": 1.5}, {"beta": -0.2}, {"beta": np.nan}, {"beta": True}],
)  # fmt: skip
def test_neurons_that_are_none_are_refused(change):
    with pytest.raises(ValueError, match=next(iter(change))):
        petnet.SpikingNetwork((3, 2), **change)
    if change.get("beta") is not True:  # a tensor has no truth value left
        with pytest.raises(ValueError, match=next(iter(change))):
            petnet.lif(torch.zeros(3, 1, 2), **{"beta": 0.5} | change)
    network = petnet.SpikingNetwork((3, 2))
    for name, value in change.items():
        if name != "beta":
            setattr(network, name, value)
            with pytest.raises(ValueError, match=name):
                network(torch.zeros(4, 1, 3))


@pytest.mark.parametrize("sizes", [(), (3,), (3, 0), (3, 2.5), (True, 2)])
def test_networks_of_no_size_are_refused(sizes):
    with pytest.raises(ValueError):
        petnet.SpikingNetwork(sizes)


def test_a_window_that_does_not_fit_to_the_inputs_is_refused():
    hits = Hits.sort([0], [0], [0])
    with pytest.raises(ValueError, match="window"):
        petnet.SpikingNetwork((6, 3)).from_hits(hits, 1, 4, torch.zeros(4, 4))
    net, recording = petnet.SpikingNetwork((64, 8, 64)), petnet.generate(SMALL, 3, 0)
    with pytest.raises(ValueError, match="recipe"):
        petnet.judge(net, recording, petnet.Recipe(SMALL, (8,)))


# -- physics and pictures ---------------------------------------------------------------------------------------------


def test_a_source_outside_of_the_body_is_attenuated_where_its_lines_pass_it():
    """A point 30 mm from the axis of a long cylinder: a line meets it within the angle whose sine is 20 over 30."""
    phantom = petnet.Phantom(20.0, 4000.0, "water", ((30.0, 0.0, 0.0, 1.0),), 0.0)
    scanner = petnet.Scanner(petnet.Detector(1, 360), length=2.0)
    geometry = petnet.GEOMETRY
    gone = replace(geometry, attenuation=True)
    free, seen = (
        petnet.scan(scanner, phantom, activity=1e6, seconds=1, seed=1, physics=each)
        for each in (geometry, gone)
    )
    assert len(seen) < 0.99 * len(free)
    angle = 2 * np.pi * (seen.crystal + 0.5) / 360
    free_angle = 2 * np.pi * (free.crystal + 0.5) / 360
    # Opposite the source every line passes the whole width of the body, away from it none does.
    for begin, end, chord in ((np.pi - 0.1, np.pi + 0.1, 40.0), (-0.3, 0.3, 0.0)):

        def share(a, begin=begin, end=end):
            turned = (a - begin) % (2 * np.pi)
            return int((turned < end - begin).sum())

        stopped = sum(physics.attenuation("water", physics.ELECTRON_KEV, p) for p in ("compton", "photo"))
        expected = np.exp(-stopped * chord)
        n = share(free_angle)
        assert n > 150 and abs(share(angle) / n - expected) < 0.03 + 5 * np.sqrt(expected / n) / 2


@pytest.mark.parametrize(
    "change",
    [{"radius": -1}, {"radius": np.nan}, {"rods": ()}, {"rods": ((0, 0, -1, 1),)}, {"rods": ((0, 0, 1, 0),)},
     {"rods": ((0, 0, 1, np.nan),)}, {"rod_length": -1}],
)  # fmt: skip
def test_phantoms_that_are_none_are_refused(change):
    with pytest.raises(ValueError):
        replace(petnet.MOUSE, **change)


def test_sources_and_scans_that_cannot_be_are_refused():
    outside = replace(petnet.MOUSE, rods=((60.0, 0.0, 0.0, 1.0),))
    with pytest.raises(ValueError, match="not inside"):
        petnet.scan(petnet.Scanner(), outside, activity=1, seconds=1, seed=0)
    for activity in (np.nan, np.inf, -1, 1e15):
        with pytest.raises(ValueError):
            petnet.scan(petnet.Scanner(), petnet.MOUSE, activity=activity, seconds=1, seed=0)
    for energy in (np.nan, 0.0, -1.0):
        with pytest.raises(ValueError):
            physics.sample_cosine(np.array([511.0, energy]), np.random.default_rng(0))
        with pytest.raises(ValueError):
            physics.attenuation("water", energy)


def test_counts_without_a_likelihood_are_refused():
    good = np.random.default_rng(0).poisson(3.0, (9, 6)).astype(float)
    flat = np.ones((9, 6))
    assert np.isfinite(imaging.mlem(good, GRID, flat, iterations=2)[-1]).all()
    for counts, told in (
        (good - 3, "background"),
        (np.where(good == 3, np.nan, good), "finite"),
        (good.T, "shape"),
    ):
        with pytest.raises(ValueError, match=told):
            imaging.mlem(counts, GRID, flat, iterations=2)
    for change in (
        {"sensitivity": -flat},
        {"sensitivity": flat * np.nan},
        {"background": -1.0},
        {"background": np.nan},
    ):
        with pytest.raises(ValueError, match=next(iter(change))):
            imaging.mlem(**{"counts": good, "grid": GRID, "sensitivity": flat, "iterations": 2} | change)
    with pytest.raises(ValueError, match="iterations"):
        imaging.mlem(good, GRID, flat, iterations=0)
    assert np.isfinite(imaging.filtered_back_projection(good - 3, GRID, flat)).all()
    with pytest.raises(ValueError, match="finite"):
        imaging.filtered_back_projection(good * np.nan, GRID, flat)


# -- calibrated windows -----------------------------------------------------------------------------------------------


def test_a_calibrated_window_counts_its_own_multiples_and_returns_corrected_times(heard, recording):
    time = heard.time + BARS.delays[heard.crystal]
    aligned = Scan.sort(**columns(heard) | {"time": time}, decays=heard.decays, seconds=heard.seconds)
    for multiples in ("kill", "resolve"):
        left = petnet.coincidences(heard, BARS.detector, Window(2, BARS.spread, multiples, BARS.delays))
        right = petnet.coincidences(aligned, BARS.detector, Window(2, BARS.spread, multiples))
        assert left.rates() == right.rates() and left.multiples > 10
    window = Window(0, SMALL.spread, "resolve", recording.delays)
    for sorter in SORTERS:
        pairs = sorter(recording.hits, SMALL.detector, window)
        raw = recording.hits.time[pairs.index]
        assert np.array_equal(pairs.time, raw + recording.delays[recording.hits.crystal[pairs.index]])
        assert petnet.score_hits(pairs.hits, recording.pairs.hits, 0).f1 > 0.98
