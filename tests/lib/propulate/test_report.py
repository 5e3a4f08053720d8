"""A report of a search from its folder, and candidates to start from."""

import math
import time

import numpy as np
import pytest
from mpi4py import MPI

from efficient_ai import parallel
from efficient_ai.propulate import (
    Choice,
    Float,
    Integer,
    LogFloat,
    Ordinal,
    Space,
    default_propagator,
    evolve,
    read_checkpoint,
    report,
)
from efficient_ai.propulate import __main__ as command

pytestmark = pytest.mark.mpi


def helper(x):
    return x


SPACE = Space(
    {
        "rate": LogFloat(1e-4, 1.0),
        "noise": Float(0, 1),
        "layers": Integer(1, 4),
        "width": Ordinal(16, 32, 64),
        "activation": Choice("relu", "tanh"),
        "function": Choice(helper, abs),
    }
)
KNOWN = [
    {"rate": 0.01, "noise": 0.5, "layers": 2, "width": 32, "activation": "tanh", "function": abs},
    {"rate": 0.1, "noise": 0.1, "layers": 1, "width": 16, "activation": "relu", "function": helper},
]


def loss(genes):
    if genes["noise"] > 0.95:
        raise ValueError("too much noise")
    return abs(math.log10(genes["rate"]) + 2) + 0.01 * genes["layers"]


def search(comm, folder, initial=(), evaluations=60, resume=False):
    propagator = default_propagator(SPACE, 8)
    return evolve(
        comm,
        SPACE,
        loss,
        propagator,
        seed=1,
        evaluations=evaluations,
        checkpoint=folder,
        initial=initial,
        resume=resume,
    )


def test_a_report_needs_the_folder_alone(tmp_path, capsys):
    with pytest.warns(UserWarning, match="failed"):
        run = search(MPI.COMM_SELF, tmp_path / "run", evaluations=200)
    found = report.load(tmp_path / "run")
    assert len(found.individuals) == 200 and found.workers == 1
    assert found.failed == sum(math.isinf(one.loss) for one in run.individuals) > 0
    assert found.ranked[0].loss == run.best.loss and found.ranked[0].genes[:5] == run.best.genes[:5]
    assert "helper" in str(found.space.genes[5].values) and 0.0 < found.busy <= 1.0
    shares = found.importance()
    assert shares["rate"] > 0.5 > shares["noise"] and set(shares) == set(SPACE.names)
    assert command.main(["report", str(tmp_path / "run")]) == 0
    said = capsys.readouterr().out
    assert "200 evaluations on 1 ranks" in said and "rate" in said
    page = (tmp_path / "run" / "report.html").read_text()
    assert "parcoords" in page and "Losses over time" in page and "cdn" not in page.split("</script>")[-1]


def test_folders_without_a_run_are_refused(tmp_path, capsys):
    assert command.main(["report", str(tmp_path)]) == 2
    assert "there is no run in" in capsys.readouterr().err
    search(MPI.COMM_SELF, tmp_path / "run")
    for path in (tmp_path / "run").glob("rank-*.jsonl"):
        path.write_text("")
    with pytest.raises(ValueError, match="evaluated nothing yet"):
        report.load(tmp_path / "run")


def test_a_gene_that_says_nothing_explains_nothing():
    rng = np.random.default_rng(0)
    ranks = rng.permutation(400).astype(float)
    by_chance = [report._explained(ranks, rng.integers(0, 8, 400)) for _ in range(50)]
    assert np.mean(by_chance) < 0.02
    assert report._explained(ranks, ranks // 50) > 0.95 and report._explained(ranks, np.zeros(400)) == 0


def test_known_candidates_come_first_and_once(tmp_path):
    run = search(MPI.COMM_SELF, tmp_path / "run", KNOWN, evaluations=10)
    first = sorted(run.individuals, key=lambda one: one.generation)[:2]
    assert [one.genes for one in first] == [tuple(named.values()) for named in KNOWN]
    run = search(MPI.COMM_SELF, tmp_path / "run", KNOWN, evaluations=20, resume=True)
    assert [one.genes for one in run.individuals].count(tuple(KNOWN[0].values())) == 1
    assert len(read_checkpoint(tmp_path / "run", SPACE)) == 20


PLAIN = Space({"x": Float(0, 1)})


def slow(genes):
    time.sleep(0.05)
    return genes["x"]


def dealt(comm):
    known = [{"x": k / 10} for k in range(6)]
    run = evolve(
        comm,
        PLAIN,
        slow,
        default_propagator(PLAIN, 4),
        seed=0,
        evaluations=20,
        initial=known,
    )
    return {one.genes[0] for one in run.individuals if one.generation < 3}


def test_they_are_dealt_out_among_the_ranks():
    assert parallel.run_ranks(dealt, 2)[0] == {k / 10 for k in range(6)}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"x": 2.0}, "gene 'x' cannot be 2.0"),
        ({}, r"missing \['x'\]"),
        ({"x": 0.5, "y": 1}, r"unknown \['y'\]"),
    ],
)
def test_candidates_that_do_not_fit_are_refused(wrong, says):
    with pytest.raises(ValueError, match=says):
        evolve(
            MPI.COMM_SELF,
            PLAIN,
            lambda genes: 0.0,
            default_propagator(PLAIN, 4),
            seed=0,
            evaluations=4,
            initial=[wrong],
        )
