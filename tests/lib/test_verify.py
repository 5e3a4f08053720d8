"""One claim, one command: what runs, what is printed, and the exit status."""

import json
import types

import pytest

from efficient_ai import ledger, verify
from efficient_ai.ledger import Claim, Experiment, Ledger, LedgerError, Measured, Rule


def claim(id):
    rule = Rule(low=1.0)
    rules = {"smoke": rule, "laptop": rule, "full": rule}
    return Claim(id=id, kind="ours", claim="it is faster", source="s", measured="ratio", rules=rules)


@pytest.fixture
def demo(monkeypatch, tmp_path):
    """A chapter of two experiments; what ran is in ``demo.ran``, the values in ``demo.values``."""
    found = types.SimpleNamespace(
        ran=[], values={"A": [2.0, 2.1, 2.2], "B": [3.0, 3.1, 3.2], "C": [4.0, 4.1, 4.2]}
    )

    def run(name):
        return lambda size: found.ran.append((name, size))

    def read(id):
        return lambda result: Measured(found.values[id], [0, 1, 2], "serial")

    experiments = types.SimpleNamespace(
        EXPERIMENTS=(
            Experiment("first", run("first"), {"A": read("A"), "B": read("B")}),
            Experiment("second", run("second"), {"C": read("C")}),
        )
    )
    package = types.SimpleNamespace(
        CLAIMS=tuple(map(claim, "ABC")), PROFILES={"smoke": "tiny", "laptop": "small", "full": "large"}
    )
    monkeypatch.setattr(verify, "chapter", lambda name: (package, experiments))
    monkeypatch.setattr(verify, "project_root", lambda: tmp_path)
    book = Ledger("demo", package.CLAIMS, "full")
    for id, values in found.values.items():
        book.record(id, values, seeds=[0, 1, 2], baseline="serial")
    book.write(tmp_path / "results" / "demo.json")
    return found


def test_only_what_the_claim_needs_is_run(demo):
    found = verify.verify("demo", ["C"], tell=lambda text: None)
    assert {id: checked.how for id, checked in found.items()} == {"C": ledger.AGREES}
    assert demo.ran == [("second", "tiny")]


def test_without_ids_every_claim_is_run_once_at_the_size_asked_for(demo):
    found = verify.verify("demo", profile="laptop", tell=lambda text: None)
    assert list(found) == ["A", "B", "C"] and demo.ran == [("first", "small"), ("second", "small")]


@pytest.mark.parametrize(
    ("values", "status", "word"),
    [
        ([2.0, 2.1, 2.2], 0, "agrees"),
        ([0.5, 2.0, 3.9], 3, "differs within both"),
        ([5.0, 5.1, 5.2], 1, "differs"),
    ],
)
def test_the_exit_status_says_how_it_agrees(demo, capsys, values, status, word):
    demo.values["A"] = values
    assert verify.main(["demo", "A"]) == status
    printed = capsys.readouterr().out
    for part in ("it is faster", "ratio", "whole interval at least 1", "n = 3 seeds", "record", word):
        assert part in printed


def test_the_gravest_answer_counts(demo):
    demo.values |= {"A": [5.0, 5.1, 5.2], "B": [0.5, 3.0, 5.5]}
    assert verify.main(["demo"]) == 1


def test_what_changed_is_listed_at_the_end_with_both_intervals(demo, capsys):
    demo.values["B"] = [0.5, 3.0, 5.5]
    assert verify.main(["demo"]) == 3
    last = capsys.readouterr().out.strip().splitlines()[-1]
    assert "demo B: differs within both intervals" in last and last.count("[") == 2 and "undecided" in last


def test_a_chapter_that_breaks_does_not_end_the_night(demo, capsys, monkeypatch):
    monkeypatch.setattr(verify, "chapters", lambda: ["demo", "other"])
    whole = verify.chapter

    def one_breaks(name):
        if name == "demo":
            raise RuntimeError("a rank died")
        return whole(name)

    monkeypatch.setattr(verify, "chapter", one_breaks)
    assert verify.main(["--all"]) == 2
    printed = capsys.readouterr()
    assert (
        "a rank died" in printed.err and "3 claims" in printed.out and "demo could not be run" in printed.out
    )


def test_what_is_not_recorded_says_so(demo, tmp_path, capsys):
    (tmp_path / "results" / "demo.json").unlink()
    assert verify.main(["demo", "A"]) == 4
    assert "not recorded" in capsys.readouterr().out


def test_an_experiment_that_breaks_does_not_count_as_an_answer(demo, capsys):
    demo.values["A"] = None
    assert verify.main(["demo", "A"]) == 2


@pytest.mark.parametrize("call", [["demo", "Z"], ["demo", "A", "--profile", "huge"], [], ["demo", "--all"]])
def test_calls_that_cannot_be_carried_out_are_refused(demo, call, capsys):
    try:
        status = verify.main(call)
    except SystemExit as stop:
        status = stop.code
    assert status == 2 and capsys.readouterr().err


def test_an_unknown_chapter_names_those_there_are():
    with pytest.raises(LedgerError, match="jigsaw"):
        verify.chapter("no-such-chapter")


def test_the_command_is_told_of_the_real_record(demo, tmp_path):
    assert json.loads((tmp_path / "results" / "demo.json").read_text())["schema"] == ledger.SCHEMA
