"""Numbers of the physics against known ones; the Monte Carlo against the physics; pictures against phantoms."""

import itertools
import math

import numpy as np
import pytest
from scipy import integrate

from efficient_ai import petnet
from efficient_ai.petnet import _montecarlo, imaging, physics

POINT = petnet.Phantom(radius=0, rods=((0, 0, 0, 1),), rod_length=0)


# -- formulas ---------------------------------------------------------------------------------------------------------


def test_klein_nishina_at_511_kev():
    assert physics.klein_nishina_total(physics.ELECTRON_KEV) == pytest.approx(2.8654e-25, rel=2e-5)
    thomson = 8 * math.pi / 3 * physics.ELECTRON_RADIUS_CM**2
    assert physics.klein_nishina_total(physics.ELECTRON_KEV) / thomson == pytest.approx(0.43073, rel=2e-5)
    assert physics.klein_nishina_total(1e-3) == pytest.approx(thomson, rel=1e-3)
    density = lambda c: physics.klein_nishina_density(c, 511.0)  # noqa: E731
    assert integrate.quad(density, -1, 1)[0] == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("angle, energy", [(30, 450.6), (60, 340.7), (90, 255.5), (180, 170.3)])
def test_energies_after_scattering(angle, energy):
    share = physics.scattered_share(math.cos(math.radians(angle)), physics.ELECTRON_KEV)
    assert share * physics.ELECTRON_KEV == pytest.approx(energy, abs=0.06)


@pytest.mark.parametrize(
    "kev, angle, kept", [(350, 57.3, 0.466), (391, 46.1, 0.362), (425, 37.1, 0.269), (450, 30.2, 0.196)]
)
def test_an_energy_cut_keeps_small_angles(kev, angle, kept):
    widest = physics.widest_angle(kev)
    assert math.degrees(widest) == pytest.approx(angle, abs=0.06)
    density = lambda c: physics.klein_nishina_density(c, physics.ELECTRON_KEV)  # noqa: E731
    assert integrate.quad(density, math.cos(widest), 1)[0] == pytest.approx(kept, abs=6e-4)


@pytest.mark.parametrize("energy", [physics.ELECTRON_KEV, 60.0])
def test_sampled_angles_follow_klein_nishina(energy):
    n = 200_000
    cosine = physics.sample_cosine(np.full(n, energy), np.random.default_rng(0))
    edges = np.linspace(-1, 1, 21)
    expected = [
        integrate.quad(lambda c: physics.klein_nishina_density(c, energy), a, b)[0] * n
        for a, b in itertools.pairwise(edges)
    ]
    counts, _ = np.histogram(cosine, edges)
    chi2 = ((counts - expected) ** 2 / expected).sum()
    assert chi2 < 45.3  # 99.9 % of the chi-square law with 20 degrees of freedom
    if energy > 500:
        share = physics.scattered_share(cosine, energy)
        assert share.mean() == pytest.approx(0.65552, abs=4 * share.std() / math.sqrt(n))


def test_attenuation_of_water_and_lso():
    water = [10 * float(physics.attenuation("water", 510.999, p)) for p in ("total", "photo", "compton")]
    assert water == pytest.approx([0.0960, 2e-5, 0.0958], rel=0.15) and water[0] == pytest.approx(
        0.0960, abs=1e-4
    )
    assert 10 * float(physics.attenuation("LSO", 510.999)) == pytest.approx(0.868, abs=1e-3)
    with pytest.raises(KeyError, match="water"):
        physics.attenuation("cheese", 511.0)


def test_dead_times():
    rate = np.array([1e3, 1e6, 1e12])
    assert physics.counted(rate, 1e-6, False)[-1] == pytest.approx(1e6, rel=1e-4)
    assert physics.counted(1e6, 1e-6, True) == pytest.approx(1e6 / math.e)
    assert physics.counted(0.0, 1e-6, True) == 0


def test_necr_of_nothing_is_nothing():
    assert physics.necr(np.array([0.0, 4.0]), np.array([0.0, 2.0]), np.array([0.0, 2.0])).tolist() == [
        0.0,
        2.0,
    ]


# -- the Monte Carlo --------------------------------------------------------------------------------------------------


def test_geometry_alone_meets_the_solid_angle():
    scanner = petnet.Scanner()
    scan = petnet.scan(scanner, POINT, activity=4e5, seconds=1, seed=0, physics=petnet.GEOMETRY)
    share = len(scan) / 2 / scan.decays
    assert share == pytest.approx(physics.solid_angle(57, 35.6), abs=4 * math.sqrt(0.21 / scan.decays))
    assert physics.solid_angle(57, 35.6) == pytest.approx(0.298, abs=1e-3)
    # Both photons of a decay in the middle hit, and they hit opposite crystals.
    order = np.argsort(scan.decay, kind="stable")
    assert (np.diff(scan.decay[order])[::2] == 0).all()
    first, second = scan.crystal[order][::2], scan.crystal[order][1::2]
    assert scanner.detector.opposite(first, second, 1).all()


def test_straight_photons_leave_a_phantom_as_the_law_of_attenuation_says():
    phantom = petnet.Phantom(radius=50, length=1000, rods=((0, 0, 0, 1),), rod_length=0)
    switched = petnet.Physics(positron=False, scatter=False, crystals=False, timing=False)
    scanner = petnet.Scanner(radius=60, length=4)
    scans = [
        petnet.scan(scanner, phantom, activity=2e6, seconds=1, seed=1, physics=p)
        for p in (switched, petnet.GEOMETRY)
    ]
    stopped = sum(physics.attenuation("water", physics.ELECTRON_KEV, p) for p in ("compton", "photo"))
    survived = len(scans[0]) / len(scans[1])
    expected = float(np.exp(-stopped * 50))
    assert survived == pytest.approx(expected, abs=4 * expected * math.sqrt(2 / len(scans[0])))


def test_scattered_photons_come_back_as_scattered_and_energy_is_lost():
    phantom = petnet.Phantom(radius=40, length=200, rods=((0, 0, 0, 1),), rod_length=0)
    switched = petnet.Physics(crystals=False)
    scan = petnet.scan(petnet.Scanner(), phantom, activity=2e5, seconds=1, seed=2, physics=switched)
    clean = scan.scattered == 0
    assert 0.1 < (~clean).mean() < 0.9
    assert (
        np.allclose(scan.energy[clean], physics.ELECTRON_KEV)
        and (scan.energy[~clean] < physics.ELECTRON_KEV).all()
    )
    assert scan.energy[scan.scattered == 1].min() >= physics.ELECTRON_KEV / 3 - 1e-6


def test_only_pairs_of_one_clean_annihilation_are_true():
    scanner = petnet.Scanner()
    scan = petnet.scan(scanner, petnet.MOUSE, activity=4e8, seconds=2e-3, seed=3)
    found = petnet.coincidences(scan, scanner.detector, petnet.Window(2e-9))
    rates = found.rates()
    assert len(found) > 300 and rates["true"] > rates["scattered"] > 0 and rates["random"] > 0
    assert sum(rates[kind] for kind in petnet.KINDS) * scan.seconds == pytest.approx(len(found))
    assert rates["NECR"] < rates["true"]


def test_randoms_grow_with_the_square_of_the_activity():
    """All pairs of hits of different decays within tau: tau S^2 per second, in each of two activities."""
    scanner = petnet.Scanner()
    tau = 20e-9
    for activity, seconds in ((1e7, 0.02), (4e7, 0.005)):
        scan = petnet.scan(
            scanner, POINT, activity=activity, seconds=seconds, seed=4, physics=petnet.GEOMETRY
        )
        reach = np.searchsorted(scan.time, scan.time + tau, side="right")
        pairs = (reach - np.arange(len(scan)) - 1).sum() - len(scan) // 2  # without the partner of each
        # Two hits come together, so the pairs of different decays are 4 for each pair of decays that both hit.
        hitting = len(scan) / 2 / seconds
        expected = 4 * tau * hitting**2 * seconds
        assert pairs == pytest.approx(expected, abs=10 * math.sqrt(expected))
        assert 4 * tau * hitting**2 == pytest.approx(physics.randoms_rate(tau, 2 * hitting, hitting))


def test_dead_time_of_a_crystal():
    time, crystal = np.array([0.0, 0.6, 1.1, 1.8]), np.array([0, 0, 0, 1])
    assert _montecarlo._alive(time, crystal, 1.0, False, 2).tolist() == [True, False, True, True]
    assert _montecarlo._alive(time, crystal, 1.0, True, 2).tolist() == [True, False, False, True]


@pytest.mark.parametrize("paralysable", [False, True])
def test_dead_time_lowers_the_rate_as_its_formula_says(paralysable):
    rng = np.random.default_rng(0)
    rate, tau, n = 1e6, 5e-7, 100_000
    alive = _montecarlo._alive(np.cumsum(rng.exponential(1 / rate, n)), np.zeros(n, int), tau, paralysable, 1)
    expected = physics.counted(rate, tau, paralysable) / rate
    assert alive.mean() == pytest.approx(expected, abs=4 / math.sqrt(n))


def test_crystals_that_share_a_read_out_share_its_dead_time():
    """More crystals on one read-out lose more hits, and a dead time that hits prolong loses more than a fixed one."""

    def lost(share, paralysable=False):
        scanner = petnet.Scanner(dead_time=2e-7, share=share, paralysable=paralysable)
        return petnet.scan(scanner, petnet.MOUSE, activity=2e9, seconds=1e-5, seed=0).lost

    assert 0 < lost(1) < lost(15) < lost(15, paralysable=True)


def test_turning_keeps_length_and_angle():
    rng = np.random.default_rng(0)
    way = _montecarlo._isotropic(1000, rng)
    cosine = 2 * rng.random(1000) - 1
    turned = _montecarlo.turn(way, cosine, 2 * np.pi * rng.random(1000))
    assert np.allclose(np.linalg.norm(turned, axis=1), 1) and np.allclose((way * turned).sum(1), cosine)


def test_a_scan_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="does not fit"):
        petnet.scan(petnet.Scanner(), petnet.Phantom(radius=80), activity=1, seconds=1, seed=0)
    with pytest.raises(ValueError, match="at least 0"):
        petnet.scan(petnet.Scanner(), POINT, activity=-1, seconds=1, seed=0)


def test_no_decay_no_hit():
    scan = petnet.scan(petnet.Scanner(), POINT, activity=0, seconds=1, seed=0)
    assert (
        len(scan) == 0 and len(petnet.coincidences(scan, petnet.Scanner().detector, petnet.Window(1e-9))) == 0
    )


# -- pictures ---------------------------------------------------------------------------------------------------------

GRID = imaging.Grid()
ONE_ROD = petnet.Phantom(radius=0, rods=((7.0, -4.0, 3.0, 1.0),), rod_length=0)


def test_projection_keeps_the_sum_and_turns_the_right_way():
    """A scan of one rod off the centre: lines lie where the matrix projects its picture."""
    scanner = petnet.Scanner()
    scan = petnet.scan(scanner, ONE_ROD, activity=3e5, seconds=1, seed=0, physics=petnet.GEOMETRY)
    order = np.argsort(scan.decay, kind="stable")
    both = np.flatnonzero(np.diff(scan.decay[order]) == 0)
    counts = imaging.sinogram(scanner, scan.crystal[order][both], scan.crystal[order][both + 1], GRID)
    projected = (GRID.matrix @ imaging.truth(ONE_ROD, GRID).ravel()).reshape(counts.shape)
    assert counts.sum() == len(both)
    assert np.corrcoef(counts.ravel(), projected.ravel())[0, 1] > 0.85
    mirrored = projected[::-1]
    assert np.corrcoef(counts.ravel(), mirrored.ravel())[0, 1] < 0.5


def test_both_reconstructions_find_the_rods():
    truth = imaging.truth(ONE_ROD, GRID)
    counts = (GRID.matrix @ truth.ravel()).reshape(GRID.pixels, GRID.angles)
    flat = np.ones_like(counts)
    back = imaging.filtered_back_projection(counts, GRID, flat)
    pictures = imaging.mlem(counts, GRID, flat, iterations=30)
    assert imaging.picture_error(back, truth, GRID) < 0.45
    errors = [imaging.picture_error(picture, truth, GRID) for picture in pictures]
    assert errors[-1] < 0.3 and errors[-1] < errors[2]


def test_mlem_keeps_the_counts_and_never_lowers_the_likelihood():
    rng = np.random.default_rng(0)
    truth = imaging.truth(ONE_ROD, GRID)
    sensitivity = np.full((GRID.pixels, GRID.angles), 0.7)
    counts = rng.poisson(3 * 0.7 * (GRID.matrix @ truth.ravel())).reshape(sensitivity.shape).astype(float)
    likelihood = []
    for picture in imaging.mlem(counts, GRID, sensitivity, iterations=12):
        expected = (0.7 * (GRID.matrix @ picture.ravel())).reshape(counts.shape)
        assert expected.sum() == pytest.approx(counts.sum(), rel=1e-6)
        likelihood.append((counts * np.log(np.maximum(expected, 1e-300)) - expected)[counts > 0].sum())
    assert (np.diff(likelihood) > -1e-6 * abs(likelihood[0])).all()


def test_survival_is_that_of_the_whole_chord():
    survival = imaging.survival(petnet.MOUSE, GRID)
    middle = survival[GRID.pixels // 2, 0]
    assert middle == pytest.approx(math.exp(-0.0958 * 2.5), abs=2e-3) and survival[0, 0] == 1.0
