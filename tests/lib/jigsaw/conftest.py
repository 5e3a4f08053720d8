"""Four ranks for all tests here: most need 2 or 4 of them; grids with more ranks start their own."""

import pytest

from efficient_ai.parallel import start_cluster


@pytest.fixture(scope="session")
def ranks():
    """``ranks(function, *args)`` runs ``function(comm, *args)`` on four ranks and returns their results."""
    with start_cluster(4, where="laptop") as cluster:
        yield lambda function, *args, **kwargs: cluster.run(function, *args, timeout=200, **kwargs)
