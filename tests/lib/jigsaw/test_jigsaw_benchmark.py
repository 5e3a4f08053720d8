"""The benchmark of the peers: what it counts is right, and its record is whole."""

import json
import sys
from pathlib import Path

import pytest

from efficient_ai.jigsaw import figures, peers
from efficient_ai.parallel import run_ranks

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


def all_sides(comm, folder, path):
    sys.path.insert(0, path)
    from jigsaw_sides import measure
    from jigsaw_sides.sides import SIDES, Sizes

    sizes = Sizes(batch=2, tokens=8, width=16, hidden=32)
    return {side: measure.run(comm, folder, side, sizes, 1, 1) for side in SIDES}


@pytest.mark.mpi
def test_every_side_runs_and_sends_what_it_must(tmp_path):
    found = run_ranks(all_sides, 2, str(tmp_path), str(BENCHMARKS), timeout=150)[0]
    assert set(found) == set(peers.SIDES)
    tokens, width, hidden = 16, 16, 32
    weights = 2 * width * hidden + hidden + 3 * width
    expected = {
        "DDP": 4 * weights,  # a sum over two ranks: 2 (n - 1) / n of it
        "Megatron-style": 4 * 2 * tokens * width,  # two such sums
        "DTensor": 4 * 2 * tokens * width,
        "Jigsaw": 4
        * (
            tokens * (width + hidden) + 2 * tokens
        ),  # two blocks per layer; of the norm two numbers per token, forward only
    }
    for side, sent in expected.items():
        assert found[side]["sent"] == sent, side
    assert found["FSDP2"]["sent"] > 4 * weights, (
        "parts are gathered forward and backward, gradients scattered"
    )
    assert all(run["peak"] > 4 * 4 * weights / 2 and run["seconds"][0] > 0 for run in found.values())


def test_the_record_has_every_side_in_every_round():
    record = peers.Record.load()
    for ranks in (2, 4):
        rounds = {len(record.of(side, ranks)) for side in peers.SIDES}
        assert len(rounds) == 1 and rounds.pop() >= 3
        for measure in figures.MEASURES:
            assert figures.peers_bars(record, measure, ranks)[1]
    assert len(figures.peers_table(record)["side"]) == 10
    assert "load average" in record.where


def test_a_missing_record_says_how_to_make_one(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"run  python benchmarks/jigsaw\.py"):
        peers.Record.load(tmp_path / "none.json")
    (tmp_path / "few.json").write_text(json.dumps({"rows": [], "machine": "m"}))
    with pytest.raises(ValueError, match="empty"):
        peers.Record.load(tmp_path / "few.json")
