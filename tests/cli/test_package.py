"""The package from Python: its names are there, and load what they need only when they are used."""

import subprocess
import sys

import pytest

import campaigns


@pytest.mark.parametrize("name", campaigns.__all__)
def test_every_public_name_can_be_imported_and_is_listed(name: str) -> None:
    assert getattr(campaigns, name) is not None
    assert name in dir(campaigns)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'sned'"):
        campaigns.sned  # noqa: B018 - that it is read is the test


def test_importing_the_package_imports_nothing_else_of_it() -> None:
    program = "import sys, campaigns; print(*(name for name in sys.modules if name.startswith('campaigns.')))"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == ""
