"""Settings of the documentation site: ``python -m sphinx -W docs build/docs``. It needs no network."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import pages

import wengert

project = "wengert"
author = "wengert developers"
copyright = "wengert developers"
release = version = wengert.__version__

extensions = ["myst_parser"]
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
source_suffix = {".md": "markdown"}
exclude_patterns = ["gallery", "Thumbs.db"]
html_theme = "furo"
html_title = "wengert"
html_copy_source = False
highlight_language = "text"


def setup(app):
    """Write the pages that are made from the package before the others are read."""
    pages.write(Path(app.srcdir) / "generated", Path(app.srcdir).parent)
