from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.embedded_odoo import EmbeddedOdoo


@pytest.fixture
def odoo(tmp_path: Path) -> Iterator[EmbeddedOdoo]:
    with EmbeddedOdoo(tmp_path / "firm.db") as server:
        yield server
