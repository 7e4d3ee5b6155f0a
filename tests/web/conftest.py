import pytest
from flask import Flask

from tests.web.interface import make_interface


@pytest.fixture(scope="session")
def interface() -> Flask:
    """The design system alone, without a database."""
    return make_interface()
