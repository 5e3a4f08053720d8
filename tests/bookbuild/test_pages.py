"""The parts of pages that are made from runs."""

import hashlib

import pytest

from bookbuild import api, pages, pythons
from bookbuild.chapters import CHAPTERS, PARTS
from bookbuild.layout import BuildError, Layout, write_json
from bookbuild.records import present_fingerprint
from efficient_ai._files import write_atomic

LEDGER = {"chapter": "propulate", "profile": "smoke", "date": "2026-11-24T00:00:00", "machine": "two cores"}


@pytest.fixture
def layout(book):
    book.chapter("propulate", "1")
    return book.layout


def test_facts_and_status_come_from_the_last_run(layout):
    assert "Not run yet" in pages.chapter_facts(layout, "smoke", "propulate")
    assert "| not run |" in pages.status(layout, "smoke")
    record = {"seconds": 65.2, "peak_memory_mb": 1536, "ranks": 4, "date": "2026-11-24T10:00:00+00:00", "machine": "two cores",
              "commit": "abc1234", "versions": {"python": "3.11.7"}}  # fmt: skip
    write_atomic(layout.executed("smoke", "propulate"), b"{}")
    record |= {
        "sha256": hashlib.sha256(b"{}").hexdigest(),
        "fingerprint": present_fingerprint(layout, "smoke", "propulate"),
    }
    write_json(layout.run_record("smoke", "propulate"), record)
    facts = pages.chapter_facts(layout, "smoke", "propulate")
    assert "**65 s** · **1.5 GB** · **4 MPI ranks** · profile `smoke`" in facts
    write_json(layout.results("smoke", "propulate"), LEDGER)
    assert "| runs | 65 s | 1.5 GB |  | 4 | 24 November 2026 | `abc1234` |" in pages.status(
        layout, "smoke"
    ), "a ledger from before energy was written"
    used = {"joules": 2412.0, "low": 804.0, "high": 7236.0, "watts": 40.2, "seconds": 60.0, "source": "estimated:cpu-time",
            "covers": "cores", "notes": ["no sensor"]}  # fmt: skip
    write_json(layout.results("smoke", "propulate"), LEDGER | {"energy": used})
    status = pages.status(layout, "smoke")
    assert (
        "| runs | 65 s | 1.5 GB | 2.41 kJ (804 J to 7.24 kJ, estimated:cpu-time) | 4 | 24 November 2026 | `abc1234` |"
        in status
    )
    assert status.count("| to come |") == len(CHAPTERS) - 1
    assert "| python | 3.11.7 |" in status


def test_energy_is_compared_with_interval_source_and_notes_and_another_day_is_recorded(layout):
    assert "No chapter has recorded" in pages.fill(
        "<!-- energy -->", layout, "smoke", "book/reference/energy"
    )
    used = {"joules": 2412.0, "low": 804.0, "high": 7236.0, "watts": 40.2, "seconds": 60.0, "source": "measured:rapl", "covers": "2 packages",
            "notes": ["1 wrap added"]}  # fmt: skip
    write_json(layout.results("smoke", "propulate"), LEDGER | {"energy": used})
    write_json(layout.root / "results" / "propulate.json", LEDGER | {"energy": used})
    text = pages.fill("<!-- energy -->", layout, "smoke", "book/reference/energy")
    built, recorded = (
        next(row for row in text.splitlines() if kind in row) for kind in ("this build", "recorded (")
    )
    assert "2.41 kJ | 804 J to 7.24 kJ | 40.2 W | 60 s | measured:rapl | 2 packages" in built
    assert "recorded:rapl" in recorded and "measured:" not in recorded
    assert text.rstrip().endswith("1. 1 wrap added")


def test_the_map_links_what_is_written_and_marks_what_is_not(layout):
    text = pages.chapter_map(layout, "smoke")
    assert text.count("*(to come)*") == len(CHAPTERS) - 1
    assert "[A chapter](/book/chapters/propulate)" in text, "a chapter is called as its notebook calls itself"


def test_placeholders_are_filled_only_where_they_stand_alone(layout):
    text = pages.fill(
        "a\n<!-- chapter-map -->\n`<!-- status -->` b\n<!-- other -->", layout, "smoke", "book/index"
    )
    assert "| Part |" in text and "`<!-- status -->` b" in text and "<!-- other -->" in text


def test_the_table_of_chapters_names_every_paper_once_and_each_is_in_the_bibliography():
    names = [chapter.name for chapter in CHAPTERS]
    assert len(set(names)) == len(names) >= 11
    assert {chapter.part for chapter in CHAPTERS} == set(PARTS)
    bibliography = (Layout.here().root / "book" / "references.bib").read_text()
    for chapter in CHAPTERS:
        if chapter.paper:
            assert f"{{{chapter.paper}," in bibliography and f"arXiv:{chapter.arxiv}" in bibliography


def test_numbers_are_short_and_units_are_kept():
    assert pages.quantity(0.000123456, "s") == "0.000123 s"
    assert pages.quantity(None, "s") == "not measured"
    assert pages.quantity("up to three orders", "times") == "up to three orders"
    assert [pages.duration(seconds) for seconds in (4.4, 119, 120, 240, 7200, 9000)] == [
        "4 s", "119 s", "2 min", "4 min", "2.0 h", "2.5 h",
    ]  # fmt: skip
    assert pages.day("2026-11-04T01:02:03+00:00") == "4 November 2026"


def test_the_other_pythons_are_tried_once_per_change_of_pins(layout, monkeypatch):
    monkeypatch.setattr(pythons.sys, "version_info", (3, 11, 7))
    assert pythons.others() == ["3.12", "3.13"]
    assert [row[1] for row in pythons.rows(layout)] == ["this build", *["not tried yet: `make pythons`"] * 2]
    entry = {"python": "3.12.1", "pins": pythons.pins_hash(layout), "date": "2026-11-28", "tests": "9 passed", "arguments": ""}  # fmt: skip
    write_json(pythons.record_path(layout), {"3.12": entry})
    assert pythons.rows(layout)[1] == ["3.12.1", "2026-11-28: book built, 9 passed"]
    layout.pins[0].write_text("numpy  # a comment\n")
    assert "changed since" not in pythons.rows(layout)[1][1]
    layout.pins[0].write_text("numpy==3\n")
    assert "the pins have changed since" in pythons.rows(layout)[1][1]


def test_a_python_that_is_not_there_is_named(layout, monkeypatch):
    monkeypatch.setattr(pythons.shutil, "which", lambda name: None)
    with pytest.raises(BuildError, match=r"was not found; install it, or name it: make pythons PYTHON3"):
        pythons.try_pythons(layout)


def test_the_author_s_guide_states_what_every_test_of_a_chapter_enforces():
    said = pages.rules(Layout.here())
    assert "no code cell is longer than 28 lines" in said and "a phone of 390 pixels" in said
    for path in pages.RULES:
        tests = (Layout.here().root / "tests" / path).read_text().count("\ndef test_")
        part = said.split(f"`tests/{path}`")[1].split("\n###")[0]
        assert part.count("\n* ") == tests, f"{path}: a test that the guide does not mention"


def test_what_a_chapter_hands_on_from_core_is_described_once():
    source = (
        "from efficient_ai.transport import MPITransport\nfrom efficient_ai.demo._own import Own\n"
        "from efficient_ai.transport._letters import Letters as Box\n"
    )
    assert api.elsewhere(source, "efficient_ai.demo") == ["MPITransport", "Box"]
    assert api.elsewhere(source, "efficient_ai.transport") == []
    written = dict(api.pages())
    assert sum(text.count("automodule:: efficient_ai.transport\n") for text in written.values()) == 1
    jigsaw = written[f"{api.INDEX}/jigsaw"].split("automodule:: efficient_ai.jigsaw\n")[1].split("```")[0]
    assert "MPITransport" in jigsaw.split(":exclude-members:")[1]


def test_every_chapter_names_misconceptions_and_what_comes_before_and_next():
    from bookbuild import reading
    from bookbuild.chapters import BY_NAME

    layout = Layout.here()
    for name in layout.toc("chapters"):
        assert reading.of_chapter(layout, BY_NAME[name]).count("\n* ") >= 2, name
        assert reading.before(name) and f"/book/exercises/{name})" in reading.then(layout, name)
        assert set(BY_NAME[name].then) <= BY_NAME.keys()
    text = reading.misconceptions(layout)
    assert text.count("## [") == len(layout.toc("chapters")) and "the [exercises]" not in text.lower()
