"""Sphinx configuration: built offline, with warnings as errors."""

import os
import re
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(1, str(Path(__file__).parent))

import explorers
import illustrations
import pictures
import tables
from docutils import nodes
from sphinx import addnodes
from sphinx.errors import ConfigError

import unrollgraph

HERE = Path(__file__).parent
project = "unrollgraph"
author = "the unrollgraph developers"
copyright = "2026, the unrollgraph developers"
version = release = unrollgraph.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "myst_parser",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
myst_enable_extensions = ["colon_fence", "dollarmath"]
exclude_patterns = [
    "_build",
    "_templates",
    "_tables",
    "_pictures",
    "_explorers",
    "_examples",
    "peers",
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
html_logo = "_static/logo.svg"
html_favicon = "_static/logo.svg"
html_css_files = ["site.css"]
html_theme_options = {
    "logo": {"text": "unrollgraph", "alt_text": ""},
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_context = {"default_mode": "auto"}
html_show_sourcelink = False
html_sidebars = {"index": []}
nitpicky = True
nitpick_ignore_regex = [("py:class", r"(networkx|numpy|matplotlib|IPython)\..*")]
# prompts and results are not copied
copybutton_prompt_text = r">>> |\.\.\. ?"
copybutton_prompt_is_regexp = True

# mathematics is set in the browser, by a file that the site brings along
html_static_path = ["_static", "_fetched"]
mathjax_path = "tex-svg.js"
if not (HERE / "_fetched" / mathjax_path).exists():
    raise ConfigError(f"{mathjax_path} of MathJax is missing; fetch it: python docs/fetch.py")

# to the pages of other projects one links only where there is a network
if os.environ.get("DOCS_INTERSPHINX"):
    extensions.append("sphinx.ext.intersphinx")
    intersphinx_mapping = {
        "python": ("https://docs.python.org/3", None),
        "networkx": ("https://networkx.org/documentation/stable", None),
        "numpy": ("https://numpy.org/doc/stable", None),
    }


def _write_tables(app):
    """Compute the tables that pages include."""
    folder = Path(app.srcdir) / "_tables"
    folder.mkdir(exist_ok=True)
    (folder / "depths.rst").write_text(tables.depths())
    (folder / "unrolled.md").write_text(tables.unrolled())
    (folder / "gradients.md").write_text(tables.gradients())


def _draw_pictures(app):
    """Draw the contact sheet with the page that shows it, and what stands on other pages."""
    pictures.write(Path(app.srcdir) / "_pictures")
    illustrations.write(Path(app.srcdir) / "_pictures")


def _write_explorers(app):
    """Make the pages that are shown in frames."""
    explorers.write(Path(app.srcdir) / "_explorers" / "explorers")


# examples write files beside them, so copies are run
EXAMPLES = HERE / "_examples"
shutil.rmtree(EXAMPLES, ignore_errors=True)
shutil.copytree(
    HERE.parent / "examples",
    EXAMPLES,
    ignore=shutil.ignore_patterns("README.md"),  # of the data, and no gallery
)

sphinx_gallery_conf = {
    "reset_modules": ("matplotlib", "pictures.hold_figures"),
    "examples_dirs": str(EXAMPLES),
    "gallery_dirs": "gallery",
    "filename_pattern": "/(plot|explore)_",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_signature": False,
    "plot_gallery": True,
    "min_reported_time": 1e9,
    "default_thumb_file": str(HERE / "_static" / "explorer.png"),  # of the one that draws nothing
    "thumbnail_size": (480, 320),
}

# Sphinx looks whether what it is to copy is there before anything is made
(HERE / "_explorers").mkdir(exist_ok=True)


COMPOUND = re.compile(r">>> (for|while|if|with|def|class|try|@)")


def _as_typed(_, doctree):
    """Show examples as they are typed: an empty line ends a compound statement, none the whole."""
    for kind in (nodes.literal_block, nodes.doctest_block):
        for block in doctree.findall(kind):
            lines, inside = [], False
            for line in block.astext().rstrip("\n").splitlines():
                if inside and not line.startswith("..."):
                    lines.append("...")
                    inside = False
                inside = inside or bool(COMPOUND.match(line))
                lines.append(line)
            block.rawsource = "\n".join([*lines, "..."] if inside else lines)
            block[:] = [nodes.Text(block.rawsource)]


def _public():
    """Where each public name is explained, by how a page writes it."""
    rooms = {"": unrollgraph} | {
        f"{room}.": getattr(unrollgraph, room)
        for room in ("draw", "explorer", "io", "nn", "symbolic")
    }
    return {
        start + name: f"unrollgraph.{start}{name}"
        for start, room in rooms.items()
        for name in room.__all__
        if callable(getattr(room, name))
    }


def _link_names(app, doctree):
    """Let the names of functions that a page mentions lead to their reference."""
    docname = app.env.docname
    if docname.startswith("api/"):
        return
    public = _public()
    for literal in list(doctree.findall(nodes.literal)):
        name = literal.astext().removesuffix("()").removeprefix("ug.")
        if name in public and isinstance(literal.parent, nodes.paragraph):
            how = {"refdomain": "py", "reftype": "obj", "reftarget": public[name]}
            link = addnodes.pending_xref("", refdoc=docname, refexplicit=False, **how)
            literal.replace_self(link)
            link += literal


def setup(app):
    app.connect("builder-inited", _write_explorers)
    app.connect("builder-inited", _write_tables)
    app.connect("builder-inited", _draw_pictures)
    app.connect("doctree-read", _as_typed)
    app.connect("doctree-read", _link_names)
