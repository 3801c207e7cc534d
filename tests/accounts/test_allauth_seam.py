"""What the project uses of allauth's private modules is still there, and is used through one module."""

import importlib
import inspect

import pytest

from tests.support.sources import PACKAGES, sources

PARAMETERS = {
    "did_recently_reauthenticate": ["request"],
    "get_authentication_records": ["request", "user"],
    "perform_login": ["request", "login"],
    "record_authentication": ["request", "user", "method", "extra_data"],
}


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_allauth_still_has_the_function_with_its_parameters(name: str) -> None:
    function = getattr(importlib.import_module("accounts.allauth_seam"), name)
    assert list(inspect.signature(function).parameters) == PARAMETERS[name]


def test_no_other_module_imports_private_modules_of_allauth() -> None:
    found = {
        source.name
        for source in sources(*PACKAGES)
        for _line, name in source.imports()
        if name.startswith("allauth.") and ".internal" in name
    }
    assert found == {"accounts/allauth_seam.py"}
