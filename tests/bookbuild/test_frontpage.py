"""The first page: a card for every chapter, with what is known of it."""

from bookbuild import frontpage
from bookbuild.chapters import CHAPTERS
from bookbuild.layout import write_json


def test_every_chapter_has_a_card_and_those_to_come_say_so(book):
    book.chapter("jigsaw", "1")
    text = frontpage.cards(book.layout, "smoke")
    assert text.count("class='book-card") - 1 == len(CHAPTERS)
    assert text.count("to come</p>") == len(CHAPTERS) - 1 and "not run yet" in text
    assert "<a href='chapters/jigsaw.html'>Jigsaw: Cut one model into pieces</a>" in text
    assert "chapters/f3.html" not in text


def test_a_card_shows_the_verdicts_of_the_abstract_and_leads_to_them(book, monkeypatch):
    from test_scoreboard import make_run

    book.chapter("jigsaw", "1")
    make_run(book.layout.results("smoke", "jigsaw"))
    text = frontpage.cards(book.layout, "smoke")
    assert text.count("class='chip") == 1 and "href='chapters/jigsaw.html#claim-A'" in text


def test_what_a_run_takes_is_read_from_the_last_one(book, monkeypatch):
    book.chapter("jigsaw", "1")
    record = {"seconds": 65.2, "peak_memory_mb": 1536, "ranks": 4}
    write_json(book.layout.run_record("smoke", "jigsaw"), record)
    monkeypatch.setattr(frontpage, "state", lambda *of: "sound")
    assert "a run takes 65 s, 1.5 GB, 4 MPI ranks" in frontpage.cards(book.layout, "smoke")


def test_the_moving_figure_moves_without_a_kernel():
    text = frontpage.moving_figure()
    assert text.count("type='range'") == 2 and "eai-spec" in text and len(text) < 300_000
