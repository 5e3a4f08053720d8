"""The builder's commands, called by the Makefile: ``python -m bookbuild book``."""

import argparse
import re
import sys

from bookbuild.layout import PROFILES, BuildError, Layout, what_the_disk_says


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bookbuild", description="Builds the book.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, explanation: str, profile: bool = True) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=explanation, description=explanation)
        if profile:
            added.add_argument("--profile", choices=PROFILES, default="laptop", help="size of the runs")
        return added

    for name, explanation in (
        ("execute", "Execute the chapters that changed."),
        ("book", "Execute what changed, render the site, say where it is."),
    ):
        added = command(name, explanation)
        added.add_argument("--limit", type=_seconds, help="seconds that one chapter may take")
        added.add_argument("--chapter", default="", help="only these chapters, separated by commas or spaces")
    command("assets", "Install the scripts and fonts that the site needs.", profile=False)
    command("site", "Render the site from the executed chapters.")
    command("lab", "Open JupyterLab on the reader's copies of the book.", profile=False)
    added = command("assignments", "Write the students' versions of the exercises.", profile=False)
    added.add_argument(
        "--folder", default="release", help="the course folder, below the checkout unless absolute"
    )
    added = command("release", "Write what students get of one assignment.", profile=False)
    added.add_argument("--assignment", default="", help="its name")
    added.add_argument("--folder", default="handout", help="below the checkout unless absolute")
    added = command("grade", "Grade the submissions of one assignment, each in isolation.", profile=False)
    added.add_argument("--assignment", default="", help="its name; guessed from the files if not given")
    added.add_argument(
        "--submissions", default="", help="a folder or a zip, as a learning platform exports it"
    )
    added.add_argument("--folder", default="release", help="the course folder")
    added.add_argument("--seconds", default="", help="that one check may take; 120 if not given")
    added.add_argument(
        "--jobs", default="", help="submissions at a time; half of the processors if not given"
    )
    recording = command(
        "record", "Keep the full runs of this build as the record, and write claims.csv.", profile=False
    )
    recording.add_argument(
        "chapter", nargs="*", help="only these; all full runs that are there if none is named"
    )
    for name, explanation in (("test", "Run the tests."), ("quick", "Run the tests that a change touches.")):
        added = command(name, explanation, profile=False)
        added.add_argument("--arguments", default="", help="what pytest gets")
        added.add_argument("--since", default="", help="a commit; the default is where this branch left main")
    new = command("chapter", "Write the skeleton of a new chapter.", profile=False)
    new.add_argument("--name", required=True, help="of the chapter and of its sub-package")
    new.add_argument("--part", default="", help="I to VII")
    new.add_argument("--title", default="", help="its heading")
    trying = command("pythons", "Build and test the book with the other supported Pythons.", profile=False)
    trying.add_argument("--arguments", default="", help="what pytest gets")
    changing = command(
        "mutants", "Change lines of core and builder and see whether a test fails.", profile=False
    )
    changing.add_argument("--only", default="", help="modules whose path contains one of these words")
    changing.add_argument(
        "--seconds", default="", help="a sample that takes so long; all changes if not given"
    )
    changing.add_argument("--seed", type=int, default=0, help="of the sample")
    printing = command("pdf", "Print the built site, or chapters of it, as one PDF file.")
    printing.add_argument("--chapter", default="", help="only these chapters, separated by commas or spaces")
    serving = command("serve", "Show the built site on a local port.")
    serving.add_argument("--port", default="8000", help="1 to 65535, or 0 for any that is free")
    return parser


def _seconds(text: str, name: str = "LIMIT") -> float | None:
    """An empty text, which make hands over where nothing was said, is no limit of the caller's."""
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        raise BuildError(f"{name} is a number of seconds, not '{text}'") from None


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Returns the exit code; what a reader has to mend is printed without a traceback."""
    try:
        return _run(_parser().parse_args(arguments), Layout.here())
    except BuildError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except OSError as error:
        if (told := what_the_disk_says(error)) is None:
            raise
        print(f"\n{told}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped; what was finished is kept", file=sys.stderr)
        return 130


def _run(options: argparse.Namespace, layout: Layout) -> int:
    # Each command imports what it needs: `make serve` should not wait for Sphinx.
    chapters = (
        re.findall(r"[^\s,]+", options.chapter) if options.command in ("book", "execute", "pdf") else []
    )
    if options.command == "book":
        from bookbuild.build import build

        build(layout, options.profile, chapters, options.limit)
    if options.command == "execute":
        from bookbuild.execute import check, execute

        check(execute(layout, options.profile, chapters, options.limit))
    if options.command == "site":
        from bookbuild.render import render

        print(render(layout, options.profile))
    if options.command == "assets":
        from bookbuild.assets import install

        print(f"assets are in {install(layout)}")
    if options.command == "pdf":
        from bookbuild.pdf import pdf

        print(f"the PDF file is  {pdf(layout, options.profile, chapters)}")
    if options.command == "record":
        from bookbuild.record import record

        for path in record(layout, options.chapter):
            print(path.relative_to(layout.root))
    if options.command == "serve":
        from bookbuild.serve import serve

        hint = "make book" if options.profile == "laptop" else f"make book PROFILE={options.profile}"
        serve(layout.site(options.profile) / "html", options.port, hint)
    if options.command in ("test", "quick"):
        from bookbuild.testing import quick, run_tests

        if options.command == "test":
            return run_tests(layout, options.arguments)
        return quick(layout, options.since, options.arguments)
    if options.command == "chapter":
        from bookbuild.scaffold import write_chapter

        print(*write_chapter(layout, options.name, options.part, options.title), sep="\n")
        print(f"Then: make book PROFILE=smoke CHAPTER={options.name}, and the page book/start/author.md")
    if options.command == "pythons":
        from bookbuild.pythons import try_pythons

        try_pythons(layout, options.arguments)
    if options.command == "mutants":
        from bookbuild import mutants

        limit = _seconds(options.seconds, "SECONDS")
        verdicts = mutants.run_mutants(layout, only=options.only.split(), seconds=limit, seed=options.seed)
        print(*mutants.told(verdicts), sep="\n")
        return int(any(verdict != mutants.NOTICED for verdict in verdicts.values()))
    if options.command == "lab":
        from bookbuild.lab import lab

        return lab(layout)
    if options.command == "assignments":
        from bookbuild._assignments import write_assignments

        print(*write_assignments(layout.root / options.folder), sep="\n")
    if options.command == "release":
        from bookbuild.classroom.course import release

        print(*release(options.assignment, layout.root / options.folder), sep="\n")
    if options.command == "grade":
        from bookbuild.classroom.grade import command

        command(layout.root, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
