"""The scoreboard, the verdicts of a chapter, and the record: made from files of runs alone."""

import csv
import html
import io
import json
import re

import pytest

from bookbuild import record, scoreboard
from bookbuild.layout import BuildError, Layout, read_json, write_json
from efficient_ai import jigsaw, ledger, verify
from efficient_ai.ledger import Claim, Ledger, Published, Rule


def make_run(path, profile="smoke", verdicts=("yes", "open", "no"), **changes):
    """A ledger file of the chapter `jigsaw` with an abstract claim, one of ours and a property."""
    rule = Rule(low=1.0)
    rules = {"smoke": rule, "laptop": rule, "full": rule}
    values = {"yes": [1.5, 1.6, 1.55], "open": [0.9, 1.3, 1.2], "no": [0.1, 0.2, 0.15]}
    claims = [
        Claim(id="A", kind="abstract", sentence="s1", claim="Nobody | waits <b>", source="Abstract", measured="ratio",
              rules=rules, published=Published(2.0, "of three", neutral=1)),
        Claim(id="B", kind="ours", claim="A rival loses", source="ours", measured="ratio", rules=rules, repeats="timings"),
        Claim(id="C", kind="property", claim="Equal", source="follows", measured="difference", rules=rules),
    ]  # fmt: skip
    book = Ledger("jigsaw", claims, profile)
    for claim, kind in zip(claims, verdicts, strict=True):
        book.record(claim.id, values[kind], seeds=[1, 2, 3], baseline="synchronous")
    book.write(path)
    run = read_json(path) | changes
    write_json(path, run)
    return run


@pytest.fixture
def layout(book):
    book.chapter("jigsaw", "1")
    return book.layout


def test_without_a_run_the_page_says_so(layout):
    assert "No chapter has written its ledger" in scoreboard.page(layout, "smoke")
    assert "has not recorded its claims" in scoreboard.chapter_verdicts(layout, "smoke", "jigsaw")


def test_a_row_has_value_interval_repeats_paper_and_words(layout):
    make_run(layout.results("smoke", "jigsaw"))
    text = scoreboard.page(layout, "smoke")
    assert "1.55 [1.43, 1.67]" in text and "n = 3 seeds (few)" in text and "n = 3 timings (few)" in text
    assert (
        "<td data-label='Ours / paper'>0.775<p class='eai-small'>same direction</p></td>" in text
        and "of three" in text
    )
    assert "Nobody | waits &lt;b&gt;" in text and "<b>" not in text
    assert '<span class="verdict verdict-small">≈ replicated at small scale</span>' in text
    assert "contains the bound 1" in text


def test_counts_are_by_kind_and_never_across(layout):
    make_run(layout.results("smoke", "jigsaw"))
    first = scoreboard.page(layout, "smoke").split("<div class='scoreboard-picture'")[0]
    assert "1 chapter, 3 claims" in first
    for kind, verdict in (
        ("abstract", "replicated at small scale"),
        ("ours", "undecided"),
        ("property", "fails"),
    ):
        columns = re.findall(r"for-listeners'>([\w ]+)<", first)
        row = first.split(f"<th scope='row'>{kind}<")[1].split("</tr>")[0]
        cells = dict(zip(["all", *columns], re.findall(r"<td>(\d*)</td>", row), strict=True))
        assert cells["all"] == "1" and cells[verdict] == "1"
        assert sum(bool(cell) for cell in cells.values()) == 2


def test_the_picture_has_every_sentence_and_leads_to_where_it_is_measured(layout):
    make_run(layout.results("smoke", "jigsaw"))
    text = scoreboard.page(layout, "smoke").split("scoreboard-filters")[0]
    assert text.count("<td title=") == len(jigsaw.claims.ABSTRACT)
    assert "href='../chapters/jigsaw.html#claim-A'" in text and "claim-B" not in text


def test_machine_and_date_stand_once_in_a_paper(layout):
    make_run(
        layout.results("smoke", "jigsaw"), machine="a machine with a name", date="2026-11-24T00:00:00+00:00"
    )
    text = scoreboard.page(layout, "smoke")
    assert text.count("a machine with a name") == 1 and text.count("2026-11-24") == 1


def test_a_recorded_full_run_is_what_counts_and_stands_alone(layout):
    make_run(layout.results("smoke", "jigsaw"))
    make_run(layout.root / "results" / "jigsaw.json", "full", verdicts=("no", "open", "yes"))
    text = scoreboard.page(layout, "smoke")
    assert "Recorded full run" in text and "Run of this build" not in text
    assert "not replicated" in text.split("<div class='scoreboard-picture'")[0]


def test_a_record_under_older_rules_is_not_counted(layout):
    make_run(layout.results("smoke", "jigsaw"))
    write_json(layout.root / "results" / "jigsaw.json", {"chapter": "jigsaw", "claims": [{"id": "A"}]})
    assert "Run of this build" in scoreboard.page(layout, "smoke")


def test_the_verdicts_of_a_chapter_are_a_fold_with_counts_abstract_first(layout):
    run = make_run(layout.results("smoke", "jigsaw"))
    run["claims"][1]["recorded"] = "results/benchmarks/x.json, another machine"
    write_json(layout.results("smoke", "jigsaw"), run)
    text = scoreboard.chapter_verdicts(layout, "smoke", "jigsaw")
    assert re.search(
        r"<summary>What held of the abstract: 1 replicated at small scale <span>\(all 3 claims\)", text
    )
    assert re.findall(r"data-kind='(\w+)'", text) == ["abstract", "property", "ours"]
    assert text.count("recorded, not of this run") == 1 and "1.55 [1.43, 1.67]" in text


def test_cells_that_record_are_found(layout):
    source = "result = experiments.WEAK.run(size)\nweak = claims.take(\n    experiments.WEAK, result\n)"
    assert scoreboard.claims_of_cell(source, "jigsaw") == ["C4", "C4b"]
    assert scoreboard.claims_of_cell('claims.record("X1", [1], seeds=[0])', "jigsaw") == ["X1"]
    seen = set()
    assert scoreboard.anchors(source, "jigsaw", seen).count("<span") == 2
    assert scoreboard.anchors(source, "jigsaw", seen) == "", "a place has one mark"


def test_the_files_hold_every_value_and_the_page_says_what_the_columns_are(layout):
    run = make_run(layout.results("smoke", "jigsaw"))
    rows = scoreboard.table(layout, "smoke")
    assert scoreboard.table(layout) == [], "nothing is recorded"
    kept = json.loads(scoreboard.as_json(rows))
    assert [row["values"] for row in kept["claims"]] == [claim["values"] for claim in run["claims"]]
    lines = list(csv.DictReader(io.StringIO(scoreboard.as_csv(rows).decode())))
    assert tuple(lines[0]) == scoreboard.COLUMNS and json.loads(lines[0]["values"]) == [1.5, 1.6, 1.55]
    assert float(lines[0]["value"]) == run["claims"][0]["value"] and lines[1]["paper_value"] == ""
    about = scoreboard.columns()
    assert not [name for name in scoreboard.COLUMNS if name not in about]


def test_only_full_runs_of_a_commit_become_the_record(layout):
    path = layout.results("full", "jigsaw")
    with pytest.raises(BuildError, match="PROFILE=full"):
        record.record(layout, ["jigsaw"])
    make_run(path, "full", commit="abc-modified")
    with pytest.raises(BuildError, match="commit them"):
        record.record(layout)
    make_run(path, "smoke", commit="abc")
    with pytest.raises(BuildError, match="not a full run"):
        record.record(layout, ["jigsaw"])
    run = make_run(path, "full", commit="abc")
    written = [path.relative_to(layout.root).as_posix() for path in record.record(layout)]
    assert written == ["results/jigsaw.json", "results/claims.csv", "results/claims.json"]
    assert ledger.load(layout.root / "results" / "jigsaw.json") == run


def test_the_committed_tables_are_those_of_the_committed_records():
    here = Layout.here()
    rows = scoreboard.table(here)
    for suffix, as_bytes in (("csv", scoreboard.as_csv), ("json", scoreboard.as_json)):
        path = here.root / "results" / f"claims.{suffix}"
        assert path.read_bytes() == as_bytes(rows), f"{path.name}: call  python -m bookbuild record"


@pytest.mark.parametrize("name", verify.chapters())
def test_every_sentence_of_an_abstract_has_a_claim_and_every_claim_an_experiment(name):
    package, experiments = verify.chapter(name)
    ledger.check(package.CLAIMS, scoreboard.sentences(name))
    answered = [id for experiment in experiments.EXPERIMENTS for id in experiment.reads]
    asked = [claim.id for claim in package.CLAIMS if isinstance(claim.rules["smoke"], Rule)]
    assert len(set(answered)) == len(answered) and set(asked) <= set(answered)
    # What needs a sensor or a cluster may have an experiment that runs where there is one.
    assert set(answered) <= {claim.id for claim in package.CLAIMS}


def test_no_text_of_a_claim_can_break_the_page(layout):
    run = make_run(layout.results("smoke", "jigsaw"))
    for key in (
        "claim",
        "source",
        "measured",
        "baseline",
        "why",
        "paper_note",
        "recorded",
        "rule",
        "assumption",
    ):
        run["claims"][0][key] = "<script>'\"&"
    write_json(layout.results("smoke", "jigsaw"), run)
    for text in (scoreboard.page(layout, "smoke"), scoreboard.chapter_verdicts(layout, "smoke", "jigsaw")):
        assert "<script>" not in text and html.escape("<script>") in text
