from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from efficient_ai.propulate import Individual, Population


@given(st.lists(st.floats(allow_nan=False), max_size=60), st.integers(0, 10))
def test_best_equals_sorting_everything(losses, k):
    individuals = [Individual((i,), loss, 0, i) for i, loss in enumerate(losses)]
    population = Population()
    for individual in individuals:
        population.add(individual)
    assert [ind.loss for ind in population.best(k)] == sorted(losses)[:k]
    assert len(population) == len(losses) == len(list(population))


def test_order_does_not_depend_on_arrival():
    individuals = [Individual((i,), float(i % 3), i % 4, i) for i in range(40)]
    shuffled = individuals[:]
    Random(0).shuffle(shuffled)
    assert list(Population(individuals)) == list(Population(shuffled))


@given(st.lists(st.sampled_from([0.0, 1.0, 2.5, float("inf")]), min_size=1, max_size=30), st.data())
def test_who_breeds_no_more_stays_known(losses, data):
    born = [Individual((i,), loss, i % 3, i // 3) for i, loss in enumerate(losses)]
    individuals = data.draw(st.permutations(born))
    population = Population(individuals, rank=1)
    gone = data.draw(st.sets(st.sampled_from(individuals)))
    back = data.draw(st.sets(st.sampled_from(sorted(gone)))) if gone else set()
    for individual in gone:
        population.deactivate(individual)
    for individual in back:
        population.activate(individual)
    active = sorted(set(individuals) - gone | back, key=lambda ind: (ind.loss, ind.rank, ind.generation))
    assert list(population) == active and len(population) == len(active)
    assert population.worst(2) == active[::-1][:2] and population.best(2) == active[:2]
    assert population.known == individuals
    for rank in range(3):
        own = [ind for ind in individuals if ind.rank == rank]
        assert population.newest(rank) == max(own, key=lambda ind: ind.generation, default=None)
        assert population.best_of(rank) == min(own, key=lambda ind: (ind.loss, ind.generation), default=None)


def test_nobody_is_deactivated_twice():
    individual = Individual((0,), 1.0, 0, 0)
    population = Population([individual])
    population.deactivate(individual)
    with pytest.raises(ValueError):
        population.deactivate(individual)
