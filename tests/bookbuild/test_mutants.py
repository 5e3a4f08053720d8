"""Changes of a line: which are made, which are left alone, and that a run tells noticed ones from survivors."""

import ast
import math
import subprocess

import pytest

from bookbuild import mutants
from bookbuild._mutations import mutations
from bookbuild.layout import BuildError, Layout


def changed(source):
    """The bodies after each change that means something else."""
    return {text for each in mutations(source) if (text := each.applied(source)) is not None}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a < b", {"a <= b"}),
        ("a <= b", {"a < b"}),
        ("(a) == (b)", {"(a) != (b)"}),
        ("a in b", {"a not in b"}),
        ("a + b", {"a - b"}),
        ("(a +\n b)", {"(a -\n b)"}),
        ("(a  # or so\n * b)", {"(a  # or so\n / b)"}),
        ("(a) // (b)", {"(a) / (b)"}),
        ("a and b or c", {"a or b or c", "a and b and c"}),
        ("not a", {"a"}),
        ("x = True", {"x = False"}),
        ("x = 3", {"x = 4"}),
        ("x = 0.5", {"x = 1.0"}),
        ("x = 0.0", {"x = 1.0"}),
        ("x = -y", {"x = y"}),
        ("x = min(y)", {"x = max(y)"}),
        ("x = sorted(y)", {"x = list(y)"}),
        ("f()", set()),
        ("x = 'ä' if a else b", {"x = 'ä' if True else b", "x = 'ä' if False else b"}),
        ("'ä'; x = a + b", {"'ä'; x = a - b"}),
    ],
)  # fmt: skip
def test_each_kind_of_change_is_made_where_it_stands(source, expected):
    """A statement may also be left out, which is taken away here."""
    found = {text for text in changed(source) if "pass" not in text}
    assert found == expected


def test_statements_and_results_are_dropped():
    source = "def f(a):\n    g(a)\n    a += 1\n    return a"
    assert {text.replace(source[:10], "").strip() for text in changed(source)} >= {
        "pass\n    a += 1\n    return a",
        "g(a)\n    pass\n    return a",
        "g(a)\n    a += 1\n    return None",
    }


def test_texts_types_and_what_ends_processes_stay_as_they_are():
    for source in (
        '"""Doc 1 + 2."""',
        "def f(a: int | None) -> 3: ...",
        "x = f'{a + 1} of {b}'",
        "os.kill(pid, 9)",
        "shutil.rmtree(folder + name)",
    ):
        assert not [each for each in mutations(source) if each.new != "..."], source


def test_every_change_of_a_real_module_parses_and_differs():
    layout = Layout.here()
    source = (layout.lib / "efficient_ai/ledger/_judge.py").read_text()
    made = [each.applied(source) for each in mutations(source)]
    real = [text for text in made if text]
    assert len(real) > 50 and len(set(real)) == len(real) and source not in real
    assert len(real) > 0.9 * len(made)
    for text in real:
        ast.parse(text)


def test_the_tests_of_a_module_are_those_that_mirror_it():
    layout = Layout.here()
    assert mutants.tests_of(layout, "efficient_ai/ledger/_judge.py") == ("tests/lib/test_ledger.py",)
    assert all(
        test.startswith("tests/lib/metering/")
        for test in mutants.tests_of(layout, "efficient_ai/metering/_counter.py")
    )
    assert "tests/bookbuild/test_render.py" in mutants.tests_of(layout, "bookbuild/assets.py")
    listed = mutants.modules(layout)
    assert "bookbuild/scoreboard.py" in listed and "efficient_ai/_files.py" in listed
    assert not set(mutants.NEVER).intersection(listed)
    assert not [name for name in listed if "/petnet/" in name or "bookbuild/skeleton" in name], (
        "core and builder only"
    )
    with pytest.raises(BuildError, match="no module of core or builder is called nowhere"):
        mutants.all_mutants(layout, ["nowhere"])


@pytest.fixture
def small(tmp_path):
    """A project with one module, half of which is tested."""
    (tmp_path / "lib/efficient_ai").mkdir(parents=True)
    (tmp_path / "lib/bookbuild").mkdir()
    (tmp_path / "tests/lib").mkdir(parents=True)
    (tmp_path / "lib/efficient_ai/__init__.py").write_text("")
    (tmp_path / "lib/efficient_ai/things.py").write_text(
        "def seen(a):\n    return a < 3\n\n\ndef unseen(a):\n    return a + 1\n"
    )
    (tmp_path / "tests/lib/test_things.py").write_text(
        "from efficient_ai.things import seen\n\n\ndef test_seen():\n    assert seen(2) and not seen(3)\n"
    )
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    return Layout(tmp_path, tmp_path / "build")


@pytest.mark.mutants
def test_a_run_tells_what_no_test_noticed_and_goes_on_where_it_was(small):
    verdicts = mutants.run_mutants(small)
    seen = {name: verdict for name, verdict in verdicts.items() if "things.py:2" in name}
    unseen = {name: verdict for name, verdict in verdicts.items() if "things.py:6" in name}
    assert set(seen.values()) == {mutants.NOTICED} and len(seen) == 3
    assert set(unseen.values()) == {mutants.SURVIVED} and len(unseen) == 3
    assert "return a < 3" in (small.lib / "efficient_ai/things.py").read_text(), "the checkout is untouched"
    said = list(mutants.told(verdicts))
    assert said[-1] == "3 of 6 changes were noticed by a test"
    assert "survived: lib/efficient_ai/things.py:6  +  ->  -" in said
    (small.root / "tests/lib/test_things.py").write_text("raise SystemError")
    assert mutants.run_mutants(small) == verdicts, "all of it is known"
    (small.build / "mutants.jsonl").unlink()
    assert set(mutants.run_mutants(small).values()) == {mutants.BROKEN}


SAMPLE = 100.0  # seconds
LEAST = 0.5  # share of the changes that some test notices; most that survive change a text or a default
CHANCE = 0.01  # a sample as bad as this is drawn so seldom where the share is LEAST


@pytest.mark.mutants
def test_most_changes_of_a_sample_are_noticed(tmp_path):
    here = Layout.here()
    verdicts = mutants.run_mutants(Layout(here.root, tmp_path), seconds=SAMPLE)
    print(*mutants.told(verdicts), sep="\n")
    noticed = sum(verdict == mutants.NOTICED for verdict in verdicts.values())
    assert mutants.BROKEN not in verdicts.values()
    if not verdicts:
        pytest.skip("this machine is too busy: the time of the sample was over before one change was judged")
    worse = sum(math.comb(len(verdicts), k) for k in range(noticed + 1)) * LEAST ** len(verdicts)
    assert worse > CHANCE, "\n".join(mutants.told(verdicts))
