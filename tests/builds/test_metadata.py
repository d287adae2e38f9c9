"""What stands in pyproject.toml and elsewhere is the same, and reaches the installed package; the list of a release."""

import importlib
import re
import shutil
import sys
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


@pytest.fixture
def release(monkeypatch):
    """tools/release.py."""
    monkeypatch.setattr(sys, "path", [str(REPOSITORY / "tools"), *sys.path])
    return importlib.import_module("release")


def test_one_version_stands_in_every_file_and_the_changelog_says_that_no_bits_change(release):
    version = metadata("pyminpack")["Version"]
    assert release.versions() == f"version {version} in {', '.join(release.VERSIONS)}"
    assert f" lines for {version}, " in release.changelog()


MISTAKES = {  # the point of the list, the file, what is replaced there, and what is said
    "another version": ("versions", "CITATION.cff", "version: 0.", "version: 9.", "differ: .*, CITATION.cff has 9"),
    "no version": ("versions", "CITATION.cff", "\nversion: ", "\nedition: ", "CITATION.cff has none"),
    "no heading": ("versions", "CHANGELOG.md", "\n## ", "\n## 9.9 (2030-01-01)\n\n## ", "CHANGELOG.md has 9.9"),
    "no lines": ("changelog", "CHANGELOG.md", "\n| `", "\n- `", r"^CHANGELOG.md: .* has no entry"),
    "other bits": ("changelog", "CHANGELOG.md", "| no |", "| yes |", r"^CHANGELOG.md: bits may never change: .* yes"),
}


@pytest.mark.parametrize(("point", "file", "right", "wrong", "said"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_the_list_of_a_release_is_found(release, tmp_path, point, file, right, wrong, said):
    for name in release.VERSIONS:
        shutil.copy(REPOSITORY / name, tmp_path)
    text = (tmp_path / file).read_text()
    assert right in text
    (tmp_path / file).write_text(text.replace(right, wrong))
    with pytest.raises(release.Failure, match=said):
        getattr(release, point)(tmp_path)


def test_the_citation_has_the_licence_of_the_package():
    assert f"\nlicense: {metadata('pyminpack')['License-Expression']}\n" in (REPOSITORY / "CITATION.cff").read_text()
