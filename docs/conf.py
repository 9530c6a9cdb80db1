"""Sphinx configuration: built offline, with warnings as errors."""

import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(1, str(Path(__file__).parent))

import explorers
import pictures
import tables

import unrollgraph

project = "unrollgraph"
author = "the unrollgraph developers"
copyright = "2026, the unrollgraph developers"
version = release = unrollgraph.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "myst_parser",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = [
    "_build",
    "_templates",
    "_tables",
    "_pictures",
    "_explorers",
    "_examples",
    "sg_execution_times.rst",
    "gallery/sg_execution_times.rst",
    *(f"gallery/*.{kind}" for kind in ("ipynb", "py", "zip", "md5", "json")),
]
html_extra_path = ["_explorers"]
templates_path = ["_templates"]
autosummary_generate = True
# file names that differ in more than the size of a letter
autosummary_filename_map = {"unrollgraph.schedule": "unrollgraph.schedule-function"}
numpydoc_show_class_members = False
numpydoc_xref_param_type = False
autodoc_typehints = "none"
default_role = "literal"
html_theme = "pydata_sphinx_theme"
html_title = "unrollgraph"
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "header_links_before_dropdown": 3,
}
html_show_sourcelink = False
nitpicky = False


def _write_tables(app):
    """Compute the tables that pages include."""
    folder = Path(app.srcdir) / "_tables"
    folder.mkdir(exist_ok=True)
    (folder / "depths.rst").write_text(tables.depths())


def _draw_pictures(app):
    """Draw the pictures of the contact sheet, and the page that shows them."""
    pictures.write(Path(app.srcdir) / "_pictures")


def _write_explorers(app):
    """Make the pages that are shown in frames."""
    explorers.write(Path(app.srcdir) / "_explorers" / "explorers")


# examples write files beside them, so copies are run
EXAMPLES = Path(__file__).parent / "_examples"
shutil.rmtree(EXAMPLES, ignore_errors=True)
shutil.copytree(
    Path(__file__).parent.parent / "examples",
    EXAMPLES,
    ignore=shutil.ignore_patterns("README.md"),  # of the data, and no gallery
)

sphinx_gallery_conf = {
    "examples_dirs": str(EXAMPLES),
    "gallery_dirs": "gallery",
    "filename_pattern": "/(plot|explore)_",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_signature": False,
    "plot_gallery": True,
    "min_reported_time": 1e9,
}

# Sphinx looks whether what it is to copy is there before anything is made
(Path(__file__).parent / "_explorers").mkdir(exist_ok=True)


def setup(app):
    app.connect("builder-inited", _write_explorers)
    app.connect("builder-inited", _write_tables)
    app.connect("builder-inited", _draw_pictures)
