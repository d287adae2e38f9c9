"""Every file and folder of the repository that the documentation names is there."""

import re

import pytest

from helpers.build import REPOSITORY

pytestmark = pytest.mark.thread_unsafe(reason="runs programs in processes of their own, or measures this one")

PAGES = [path for path in sorted(REPOSITORY.glob("**/*.md")) if "build" not in path.relative_to(REPOSITORY).parts]
PAGES = [path for path in PAGES if not any(part.startswith(".") for part in path.relative_to(REPOSITORY).parts)]
FOLDERS = "|".join(sorted(path.name for path in REPOSITORY.iterdir() if path.is_dir() and path.name.isalpha()))
NAMED = re.compile(rf"(?<![\w./-])(?:{FOLDERS})/[\w./-]*\w")


def test_the_documentation_names_files_at_all():
    assert any(NAMED.search(page.read_text()) for page in PAGES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_what_a_page_names_is_there(page):
    named = {found for found in NAMED.findall(page.read_text()) if not found.startswith("build/")}
    assert {name for name in named if not (REPOSITORY / name).exists()} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_what_a_page_links_to_is_there(page):
    linked = re.findall(r"\]\(([^)#]+)", page.read_text())
    assert [link for link in linked if "://" not in link and not (page.parent / link).exists()] == []
