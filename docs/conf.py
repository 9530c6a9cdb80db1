"""Sphinx configuration: built offline, with warnings as errors."""

import os
import sys

sys.path.insert(0, os.path.abspath(".."))

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
]
exclude_patterns = ["_build", "_templates"]
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
html_theme_options = {"show_toc_level": 2, "navigation_with_keys": False}
html_show_sourcelink = False
nitpicky = False
