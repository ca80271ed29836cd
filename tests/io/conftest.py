import pytest
from tests.io.formats import Cells, cells


@pytest.fixture(scope="session")
def some() -> Cells:
    """Eleven cells of sixty genes."""
    return cells()
