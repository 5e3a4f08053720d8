"""Lists of sample files: what cannot be trained on is refused by name, and instances stay in step."""

import math

import numpy as np
import pytest
import torch

from efficient_ai import jigsaw

SHAPE, GRID = (2, 4, 6), jigsaw.Grid(1, 2)


def write(folder, name, kind=np.float32, states=2, change=None):
    values = np.arange(states * math.prod(SHAPE), dtype=kind)
    if change:
        values[change[0]] = change[1]
    values.tofile(folder / name)
    return folder / name


def listed(folder, *names):
    (folder / "all.txt").write_text("\n".join(names) + "\n\n")
    return jigsaw.SampleList.from_text(folder / "all.txt", SHAPE)


def test_blanks_in_names_and_paths_beside_the_list(tmp_path):
    write(tmp_path, "first of may.f32")
    found = listed(tmp_path, "first of may.f32", str(write(tmp_path, "b.f32")))
    assert [p.name for p in found.paths] == ["first of may.f32", "b.f32"]
    block = next(found.batches(GRID, 1, 1, 0, 1))
    assert block.shape == (1, 2, 4, 6) and block[0, 0, 0, 0] == 24 and block[0, 1, 0, 0] == 72


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"kind": np.float64}, "float64"),
        ({"states": 4}, "four states"),
        ({"states": 1}, "one state"),
        ({"states": 3}, "bytes"),
    ],
)
def test_files_of_another_size_are_named(tmp_path, options, said):
    write(tmp_path, "good.f32")
    write(tmp_path, "bad.f32", **options)
    with pytest.raises(ValueError, match=rf"bad\.f32 .*{said}"):
        listed(tmp_path, "good.f32", "bad.f32")


def test_missing_files_empty_lists_and_no_list(tmp_path):
    for names, said in ((["nowhere.f32"], "nowhere.f32 is not there"), ([], "is empty"), ([""], "is empty")):
        with pytest.raises(ValueError, match=said):
            listed(tmp_path, *names)
    with pytest.raises(ValueError, match="cannot be read"):
        jigsaw.SampleList.from_text(tmp_path / "no.txt", SHAPE)


@pytest.mark.parametrize(("at", "part"), [(0, "state"), (50, "next state")])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_named(tmp_path, at, part, bad):
    write(tmp_path, "bad.f32", change=(at, bad))
    with pytest.raises(ValueError, match=rf"bad\.f32: the {part} holds"):
        next(listed(tmp_path, "bad.f32").batches(GRID, 0, 1, 0, 1))


@pytest.mark.parametrize(("files", "batch", "instances"), [(1, 2, 1), (1, 1, 2), (3, 2, 2), (2, 0, 1)])
def test_too_few_files_for_a_step(tmp_path, files, batch, instances):
    names = [write(tmp_path, f"{k}.f32").name for k in range(files)]
    with pytest.raises(ValueError, match="a step takes"):
        listed(tmp_path, *names).batches(GRID, 0, batch, 0, instances)


def test_three_files_on_two_instances_stay_in_step(tmp_path):
    """In every turn each instance has as many samples, none is seen by both, and what was left out comes later."""
    for k in range(3):
        np.full(2 * math.prod(SHAPE), k, dtype=np.float32).tofile(tmp_path / f"{k}.f32")
    found = listed(tmp_path, "0.f32", "1.f32", "2.f32")
    sides = [found.batches(GRID, 0, 1, m, 2) for m in range(2)]
    seen = [[int(next(side)[0, 0, 0, 0]) for side in sides] for _ in range(12)]
    assert all(a != b for a, b in seen) and {k for pair in seen for k in pair} == {0, 1, 2}


def test_a_run_that_goes_on_sees_what_it_would_have_seen(tmp_path):
    for k in range(5):
        np.full(2 * math.prod(SHAPE), k, dtype=np.float32).tofile(tmp_path / f"{k}.f32")
    found = listed(tmp_path, *(f"{k}.f32" for k in range(5)))
    whole = found.batches(GRID, 0, 2, 0, 1)
    seen = [next(whole)[:, 0, 0, 0].tolist() for _ in range(9)]
    later = found.batches(GRID, 0, 2, 0, 1, skip=4)
    assert [next(later)[:, 0, 0, 0].tolist() for _ in range(5)] == seen[4:]


@pytest.mark.parametrize("bad", [torch.linspace(90, -90, 5), torch.tensor([0.0, float("nan")])])
def test_latitudes_in_degrees_are_refused(bad):
    with pytest.raises(ValueError, match="radians"):
        jigsaw.latitude_weights(bad)


def test_what_goes_wrong_in_the_reading_thread_reaches_the_caller(tmp_path):
    file = jigsaw.SampleFile(tmp_path / "later.f32", SHAPE)
    file.create()
    ahead = jigsaw.Prefetcher(file, GRID, 0)
    ahead._thread.join()
    file.path.unlink()
    ahead.next()
    with pytest.raises(FileNotFoundError):
        ahead.next()
