"""Puts the drawing library of the explorers beside the book's own scripts.

The library comes from the installed vl-convert, so the built book asks no other host.
It is written as a module; in a function it loads as a plain script, also from a file.
"""

from pathlib import Path

import vl_convert


def write_library(app, exception):
    """Write ``_static/vega.js`` once the pages stand."""
    if exception or app.builder.format != "html":
        return
    folder = Path(app.outdir) / "_static"
    folder.mkdir(exist_ok=True)
    script = f"(() => {{{vl_convert.javascript_bundle()}\n}})();\n"
    (folder / "vega.js").write_text(script, encoding="utf-8")


def setup(app):
    """Register the step with Sphinx."""
    app.connect("build-finished", write_library)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
