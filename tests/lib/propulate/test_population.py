from random import Random

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
