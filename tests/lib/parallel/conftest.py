"""One cluster for all tests here; tests that break it rely on the new set that comes up."""

import os
import sys
import time
import uuid

import psutil
import pytest

from efficient_ai.parallel import start_cluster

TAG = "EFFICIENT_AI_TEST_TAG"


@pytest.fixture(scope="session")
def cluster():
    with start_cluster(3, where="laptop") as cluster:
        yield cluster


class ProcessTable:
    """Finds every process that was started, at whatever depth, with this environment."""

    def __init__(self):
        self.tag = uuid.uuid4().hex
        self.env = os.environ | {TAG: self.tag, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}

    def alive(self):
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(TAG) == self.tag and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(" ".join(process.cmdline()))
            except psutil.Error:
                continue
        return found

    def wait_until_empty(self, limit=20.0):
        _wait_for(lambda: not self.alive(), limit, self.alive)


def _wait_for(condition, limit=20.0, explain=lambda: ""):
    """Until ``condition()``; fails after ``limit`` seconds."""
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, f"did not come true in {limit} s: {explain()}"
        time.sleep(0.05)


@pytest.fixture
def process_table():
    return ProcessTable()


@pytest.fixture
def wait_for():
    return _wait_for
