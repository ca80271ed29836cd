import pytest
from tests.io.written import Cells, cells


@pytest.fixture(scope="session")
def some() -> Cells:
    """Eleven cells of sixty genes."""
    return cells()
