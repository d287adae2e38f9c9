"""The version and the licence are the same in every file and in the installed package; the list of a release."""

import importlib
import shutil
import sys
from importlib.metadata import metadata

import pytest

from helpers.build import REPOSITORY


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
    "another version": ("versions", "meson.build", "    version: '0.", "    version: '9.", "differ: meson.build has 9"),
    "no version": ("versions", "meson.build", "    version: ", "    edition: ", "meson.build has none"),
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


def test_the_citation_and_meson_have_the_licence_of_the_package():
    licence = metadata("pyminpack")["License-Expression"]
    assert f"\nlicense: {licence}\n" in (REPOSITORY / "CITATION.cff").read_text()
    assert f"\n    license: '{licence}',\n" in (REPOSITORY / "meson.build").read_text()
