"""What stands both in pyproject.toml and in meson.build is the same, and reaches the installed package."""

import re
import tomllib
from importlib.metadata import metadata

import pytest

from helpers.build import REPOSITORY


@pytest.mark.parametrize(("field", "installed"), [("version", "Version"), ("license", "License-Expression")])
def test_pyproject_meson_and_the_installed_package_agree(field, installed):
    with open(REPOSITORY / "pyproject.toml", "rb") as file:
        value = tomllib.load(file)["project"][field]
    assert re.findall(rf"^ *{field}: '(.*)',$", (REPOSITORY / "meson.build").read_text(), re.MULTILINE) == [value]
    assert metadata("pyminpack")[installed] == value
