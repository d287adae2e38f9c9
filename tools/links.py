"""Check the links of a built site.

A link to a page, anchor, picture or script that the folder lacks is an error, as is anything that a page would load
from elsewhere. With --links, external links are followed: status 404 or 410 is an error; what cannot be reached from
here is listed, and counts as neither.
"""

from __future__ import annotations

import argparse
import sys
import urllib.error
import urllib.request
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

GONE = {404, 410}


class Page(HTMLParser):
    """A page's anchors, and what it links to or loads."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.anchors = {""}
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value and name in ("id", "name"):
                self.anchors.add(value)
            elif value and name in ("href", "src"):
                (self.links if tag == "a" else self.loads).append(value)


def leads_away(link: str) -> bool:
    parts = urlsplit(link)
    return bool(parts.scheme or parts.netloc)


def broken(page: Page, link: str, pages: dict[Path, Page]) -> bool:
    """Whether a link within the site is broken."""
    parts = urlsplit(link)
    path = (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path
    return not path.exists() or (path in pages and unquote(parts.fragment) not in pages[path].anchors)


def answer(link: str) -> int | str:
    """The status of a server's response, or why there is none."""
    try:
        with urllib.request.urlopen(urllib.request.Request(link, headers={"User-Agent": "links"}), timeout=30) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError as error:
        return str(error)


def main(folder: Path, follow: bool) -> int:
    static = folder / "_static"  # the theme's files, including templates
    paths = [path for path in sorted(folder.rglob("*.html")) if static not in path.parents]
    pages = {path: Page(path) for path in paths}
    errors, away, inside = [], set(), 0
    for page in pages.values():
        name = page.path.relative_to(folder)
        errors += [f"{name}: loads {link}" for link in page.loads if leads_away(link)]
        away |= {link for link in page.links if leads_away(link)}
        links = [link for link in page.links + page.loads if not leads_away(link)]
        errors += [f"{name}: {link} is not there" for link in links if broken(page, link, pages)]
        inside += len(links)
    print(f"{len(pages)} pages, {inside} links within the site, {len(away)} to elsewhere")
    if follow:
        answers = {link: answer(link) for link in sorted(away)}
        errors += [f"{link}: {status}" for link, status in answers.items() if status in GONE]
        unreached = [f"  {link}: {status}" for link, status in answers.items() if status not in GONE and status != 200]
        print(f"{len(unreached)} of those to elsewhere not reached from here:", *unreached, sep="\n")
    print(*errors, sep="\n", file=sys.stderr, end="\n" if errors else "")
    return bool(errors)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--links", action="store_true", help="follow links to elsewhere")
    options = parser.parse_args()
    sys.exit(main(options.folder.resolve(), options.links))
