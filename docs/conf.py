"""Sphinx's configuration: `./dev docs` builds build/docs/html from the pages here, the docstrings and the gallery."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pyminpack

project = "pyminpack"
author = "The pyminpack developers"
copyright = f"2026, {author}"
version = release = pyminpack.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
    "sphinx.ext.mathjax",
    "sphinx-mathjax-offline",
]
templates_path = ["_templates"]
exclude_patterns = ["README.md", "sg_execution_times.rst", "**/sg_execution_times.rst"]
default_role = "py:obj"  # `leastsq` in a docstring: a link to it

myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3

autosummary_generate = True
autodoc_member_order = "groupwise"
autodoc_typehints = "none"  # numpydoc's sections have them
numpydoc_show_class_members = False
numpydoc_validation_checks = {"all", "ES01", "EX01", "GL02", "PR01", "PR03", "PR04", "SA01"}

sphinx_gallery_conf = {
    "examples_dirs": "../examples/gallery",
    "gallery_dirs": "gallery",
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": True,
    "show_memory": False,
    "min_reported_time": 5,
    "remove_config_comments": True,
    "download_all_examples": False,
    "notebook_extensions": set(),  # the data are found beside the program
    "show_signature": False,
}

html_theme = "pydata_sphinx_theme"
html_title = f"pyminpack {version}"
toc_object_entries_show_parents = "hide"
html_static_path = ["_static"]
html_css_files = ["pyminpack.css"]
html_show_sourcelink = False
html_theme_options = {
    "navbar_align": "left",
    "show_prev_next": True,
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": [],
}


def write_sections() -> None:
    """A page for each section of docs/README.md, which alone lists the pages: its list, and its pages under it."""
    folder = Path(__file__).parent
    (folder / "sections").mkdir(exist_ok=True)
    for section in (folder / "README.md").read_text().split("\n## ")[1:]:
        title, _, body = section.partition("\n")
        pages = "\n".join(f"/{name}" for name in re.findall(r"\]\(([\w-]+)\.md\)", body))
        text = f"# {title}\n{body.replace('](', '](../')}\n```{{toctree}}\n:hidden:\n\n{pages}\n```\n"
        name = title.lower().removeprefix("for ").replace(" ", "")
        (folder / "sections" / f"{name}.md").write_text(text)


def by_title(link: re.Match[str]) -> str:
    title, _, _ = (Path(__file__).parent / f"{link[1]}.md").read_text().partition("\n")
    return f"[{title.removeprefix('# ')}]("


def name_pages_by_title(_app: Any, *arguments: Any) -> None:
    """``[ier.md](ier.md)`` names a file where a page is read as it is; in the site it has the page's title."""
    content = arguments[-1]
    content[0] = re.sub(r"\[(?:docs/)?([\w-]+)\.md\]\(", by_title, content[0])


def setup(app: Any) -> None:
    write_sections()
    app.connect("source-read", name_pages_by_title)
    app.connect("include-read", name_pages_by_title)
