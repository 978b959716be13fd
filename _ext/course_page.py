"""What the build adds to, or takes from, every page of the book.

Below a chapter's title: the run time measured when it was last executed and, where
the address of the repository is known, a button that opens it in Colab. Solutions
are folded. Scripts that nothing on the page uses are left out.
"""

import os
import re
from datetime import datetime

from docutils import nodes
from myst_nb.sphinx_ import NbMetadataCollector
from sphinx_exercise.nodes import is_exercise_node, is_solution_node
from sphinxcontrib.bibtex.plugin import register_plugin
from sphinxcontrib.bibtex.style.referencing import BracketStyle
from sphinxcontrib.bibtex.style.referencing.author_year import (
    AuthorYearReferenceStyle,
)

BRANCH = "gh-pages"
STATUS = {"\N{WHITE HEAVY CHECK MARK}": "passed", "\N{CROSS MARK}": "failed"}
EMPTY_HEAD = re.compile(r"<th( [^>]*)?>\s*(?:<p></p>)?\s*</th>")
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


class RoundAuthorYear(AuthorYearReferenceStyle):
    """Citations as (Rumelhart et al., 1986) and Rumelhart et al. (1986)."""

    def __init__(self):
        round_brackets = BracketStyle(left="(", right=")", sep="; ")
        super().__init__(
            bracket_parenthetical=round_brackets, bracket_textual=round_brackets
        )


def find_repository(app, config):
    """Take OWNER/REPO from the setting, else from the environment, else nothing."""
    name = config.course_repository or os.environ.get("GITHUB_REPOSITORY", "")
    config.course_repository = name
    config.html_theme_options["repository_url"] = (
        f"https://github.com/{name}" if name else ""
    )
    config.html_theme_options["use_repository_button"] = bool(name)


def colab_address(repository, docname):
    """Address under which Colab opens the plain copy of a chapter."""
    return (
        f"https://colab.research.google.com/github/{repository}"
        f"/blob/{BRANCH}/colab/{docname}.ipynb"
    )


def run_line(app, docname, seconds, day):
    """Paragraph with the measured run time and, if possible, the Colab button."""
    cores = os.cpu_count()
    text = f"Runs in {seconds:.0f} s on {cores} CPU cores (measured on {day})."
    line = nodes.paragraph(text, text, classes=["course-run"])
    if app.config.course_repository:
        address = colab_address(app.config.course_repository, docname)
        line += nodes.Text(" ")
        line += nodes.reference(
            "", "Open in Colab", refuri=address, classes=["course-colab"]
        )
    return line


def add_run_line(app, doctree, docname):
    """Put the run line below the title of a chapter."""
    data = NbMetadataCollector.get_exec_data(app.env, docname)
    if app.builder.format != "html" or not docname.startswith("chapters/") or not data:
        return
    day = datetime.fromtimestamp(data["mtime"]).strftime("%-d %B %Y")
    title = next(doctree.findall(nodes.title))
    place = title.parent.index(title) + 1
    title.parent.insert(place, run_line(app, docname, data["runtime"], day))


def drop_widgets(app, doctree, docname):
    """Remove what a control leaves in a page that has no kernel to run it."""
    if app.builder.format != "html":
        return
    for raw in list(doctree.findall(nodes.raw)):
        if WIDGET_VIEW in raw.astext()[:80]:
            output = raw.parent
            output.remove(raw)
            if not output.children:
                output.parent.remove(output)


def write_status(app, doctree, docname):
    """Say in words what the table of executions says in pictures."""
    for text in list(doctree.findall(nodes.Text)):
        if text.astext() in STATUS:
            text.parent.replace(text, nodes.Text(STATUS[text.astext()]))


def empty_corners(app, pagename, templatename, context, doctree):
    """Make cells of the empty heads of tables: they are the heads of nothing."""
    if "body" in context:
        context["body"] = EMPTY_HEAD.sub(r"<td\1></td>", context["body"])


def tidy(app, doctree):
    """Fold solutions, make repeated ids unique, forget the state of controls."""
    for node in doctree.findall(nodes.Element):
        if is_solution_node(node) and "dropdown" not in node["classes"]:
            node["classes"].append("dropdown")
        if is_solution_node(node) or is_exercise_node(node):
            for section in node.findall(nodes.section):
                if section["ids"] in (["solution-content"], ["exercise-content"]):
                    section["ids"] = [f"{nodes.make_id(node['label'])}-content"]
    scripts = NbMetadataCollector.get_js_files(app.env, app.env.docname)
    scripts.pop("ipywidgets_state", None)


def forget_thebe(app):
    """Leave out the scripts of sphinx-thebe, which no page uses.

    jupyter-book always loads it, and it declares a constant twice on every page.
    """
    for name in ("env-before-read-docs", "doctree-resolved"):
        for listener in list(app.events.listeners.get(name, [])):
            if listener.handler.__module__ == "sphinx_thebe":
                app.disconnect(listener.id)


def setup(app):
    """Register the settings and the steps with Sphinx."""
    app.add_config_value("course_repository", "", "html", [str])
    app.connect("config-inited", find_repository)
    app.connect("builder-inited", forget_thebe)
    app.connect("doctree-read", tidy, priority=900)
    app.connect("doctree-resolved", drop_widgets, priority=600)
    app.connect("doctree-resolved", add_run_line, priority=700)
    app.connect("doctree-resolved", write_status, priority=700)
    app.connect("html-page-context", empty_corners)
    register_plugin(
        "sphinxcontrib.bibtex.style.referencing", "round_author_year", RoundAuthorYear
    )
    return {"parallel_read_safe": True, "parallel_write_safe": True}
