"""Four ranks for all tests here; the counted communicator knows who sends what to whom."""

import pytest

from efficient_ai.parallel import start_cluster


@pytest.fixture(scope="session")
def ranks():
    """``ranks(function, *args)`` runs ``function(comm, *args)`` on four ranks and returns their results."""
    with start_cluster(4, where="laptop") as cluster:
        yield lambda function, *args, **kwargs: cluster.run(function, *args, timeout=100, **kwargs)
