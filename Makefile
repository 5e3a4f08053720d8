# The two commands of the book are `make book` and `make test`; `make help` lists the others.
# Everything is written into .venv/ (the environment) and build/ (all products).

PROFILE ?= laptop
VENV ?= .venv
PORT ?= 8000
CHAPTER ?=
LIMIT ?=
FOLDER ?= release
ARGS ?=
ONLY ?=
SECONDS ?=
ASSIGNMENT ?=
SUBMISSIONS ?=
JOBS ?=
HANDOUT ?= handout
SOLUTIONS ?= yes

PROFILES = smoke laptop full
ifneq ($(filter $(PROFILES),$(PROFILE)),$(PROFILE))
    $(error PROFILE is one of: $(PROFILES), not '$(PROFILE)')
endif

# What is installed in the environment counts, not what a module system or another checkout put on the path.
unexport PYTHONPATH PYTHONHOME

PYTHON_CANDIDATES = $(PYTHON) python3 python3.11 python3.12 python3.13 python
BOOKBUILD = "$(VENV)/bin/python" -m bookbuild

.PHONY: help setup book pdf test test-lab quick lab serve assignments course release grade test-class chapter mutants pythons verify clean
.DEFAULT_GOAL := help

help:
	@echo "make book         set up, run the chapters that changed, build the site, say where it is"
	@echo "make test         set up and run every test"
	@echo "make test-lab     run every chapter in a real JupyterLab in a browser"
	@echo "make quick        run the tests that your change touches, in about three minutes  (SINCE=commit)"
	@echo "make serve        show the built site on a local port       (PORT=$(PORT))"
	@echo "make pdf          print the built site as one PDF file; CHAPTER=\"energy jigsaw\" only these"
	@echo "make lab          open JupyterLab on your own copies of the book, in work/"
	@echo "make assignments  write the students' versions of the exercises to FOLDER=$(FOLDER)"
	@echo "make course       the same: an nbgrader course with all assignments, points and a grade book"
	@echo "make release ASSIGNMENT=jigsaw    write what students get, and nothing else, to HANDOUT=$(HANDOUT)"
	@echo "make grade SUBMISSIONS=folder-or-zip    marks, feedback, summary  (ASSIGNMENT=jigsaw SECONDS=120 JOBS=2)"
	@echo "make test-class   grade forty made-up submissions, many of them hostile, and compare with the table"
	@echo "make verify       run every claim again and list what changed against the recorded runs"
	@echo "make chapter NAME=demo    write a new chapter that builds and passes the tests  (PART=VI TITLE=\"...\")"
	@echo "make mutants      change lines of core and builder: does a test notice?  (ONLY=ledger SECONDS=120)"
	@echo "make pythons      build and test with the other Pythons, in environments of their own"
	@echo "make setup        only create or refresh the environment    (VENV=$(VENV))"
	@echo "make clean        delete what was built; the environment stays"
	@echo
	@echo "make book PROFILE=smoke|laptop|full chooses the size of the runs (now: $(PROFILE))."
	@echo "make book CHAPTER=\"energy jigsaw\" brings only these chapters up to date; LIMIT=seconds ends a run that takes longer."
	@echo "make book SOLUTIONS=no leaves the solutions of the exercises out of the site."
	@echo "make test ARGS=\"-k ledger\" hands ARGS to pytest."

# Any Python that starts may run the bootstrap: it looks for a suitable one itself and says what is missing.
setup:
	@for python in $(PYTHON_CANDIDATES); do \
	    if "$$python" -c "" >/dev/null 2>&1; then exec "$$python" lib/bookbuild/bootstrap.py --venv "$(VENV)"; fi; \
	done; \
	echo "make: no Python starts here. Install Python 3.11, 3.12 or 3.13;"; \
	echo "      on Debian or Ubuntu: apt-get install python3 python3-venv git"; exit 1

book: setup
	@EFFICIENT_AI_SOLUTIONS="$(SOLUTIONS)" $(BOOKBUILD) book --profile "$(PROFILE)" --chapter="$(CHAPTER)" --limit="$(LIMIT)"

test: setup
	@$(BOOKBUILD) test --arguments="$$ARGS"

# JupyterLab in a browser, with every chapter; CI does it with three.
test-lab: setup
	@EFFICIENT_AI_LAB=all $(BOOKBUILD) test --arguments="tests/lab $$ARGS"

# What differs from main (or SINCE=commit), the short tests first, for three minutes.
quick: setup
	@$(BOOKBUILD) quick --since="$(SINCE)" --arguments="$$ARGS"

lab: setup
	@$(BOOKBUILD) lab

pdf: setup
	@$(BOOKBUILD) pdf --profile "$(PROFILE)" --chapter="$(CHAPTER)"

serve: setup
	@$(BOOKBUILD) serve --profile "$(PROFILE)" --port "$(PORT)"

assignments: setup
	@$(BOOKBUILD) assignments --folder "$(FOLDER)"

course: assignments

# Only the student's notebook: no solution, no hidden test, no grade book.
release: setup
	@$(BOOKBUILD) release --assignment="$(ASSIGNMENT)" --folder "$(HANDOUT)"

# What was graded is kept, and only what is new or changed is graded when this is called again.
grade: setup
	@$(BOOKBUILD) grade --assignment="$(ASSIGNMENT)" --submissions="$(SUBMISSIONS)" --folder "$(FOLDER)" \
	    --seconds="$(SECONDS)" --jobs="$(JOBS)"

test-class: setup
	@$(BOOKBUILD) test --arguments="tests/classroom $$ARGS"

chapter: setup
	@$(BOOKBUILD) chapter --name="$(NAME)" --part="$(PART)" --title="$(TITLE)"

# All changes take a night; a run that was stopped goes on, and build/mutants.jsonl keeps what was found.
mutants: setup
	@$(BOOKBUILD) mutants --only="$(ONLY)" --seconds="$(SECONDS)"

# Once per change of the pins: an hour for each Python.
pythons: setup
	@$(BOOKBUILD) pythons --arguments="$$ARGS"

# Runs every claim of the book again and lists what changed against the recorded runs: for a night.
verify: setup
	@"$(VENV)/bin/python" -m efficient_ai.verify --all --profile "$(PROFILE)"

clean:
	@rm -rf build
	@echo "build/ is gone. $(VENV)/ stays, and so does release/, where answers of a class may lie"
