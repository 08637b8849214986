"""Hooks of MkDocs (``hooks`` in mkdocs.yml): navigation, pages from outside of docs, and their links."""

from __future__ import annotations

from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from tools.generated import ROOT
from tools.site.navigation import INDEX, navigation
from tools.site.notebooks import notebook_page
from tools.site.outside import PAGES, links_in_site

_SOURCES = {page: source for source, page in PAGES.items()}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Take the navigation from the index."""
    folder = ROOT / "docs"
    outside = {path.removeprefix("docs/") if path.startswith("docs/") else f"../{path}": PAGES[path] for path in PAGES}
    config.nav = navigation((folder / INDEX).read_text(encoding="utf-8"), folder, outside)
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are not files below docs."""
    for source, page in PAGES.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        content = notebook_page(text, source.rpartition("/")[2]) if source.endswith(".ipynb") else text
        files.append(File.generated(config, page, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Let links lead to where their targets are in the site; the index itself is the navigation of the home page."""
    if page.file.src_uri == INDEX:
        page.meta["hide"] = ["navigation"]
    return links_in_site(markdown, _SOURCES.get(page.file.src_uri, f"docs/{page.file.src_uri}"))


def on_post_page(output: str, **_: Any) -> str:
    """Give the dialog of the search a name, which Material leaves out."""
    dialog = 'data-md-component="search" role="dialog"'
    return output.replace(dialog, f'{dialog} aria-label="Search"')
