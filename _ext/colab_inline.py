"""Text, links, formulas and tables of a resolved chapter as plain Markdown.

Knows nothing about cells, exercises and boxes: see colab_markdown.
"""

import base64
import mimetypes
import re
from pathlib import Path
from urllib.parse import urljoin

from docutils import nodes

MARKS = {"emphasis": "*", "strong": "**", "literal_strong": "**"}
SILENT = ("target", "comment", "index", "substitution_definition", "sd_tab_input")
THROUGH = ("inline", "abbreviation", "generated", "title_reference", "label")


class UnknownMarkup(ValueError):
    """A chapter uses markup for which no plain form is known."""


def escape(text):
    """Text on one line in which no character is taken for Markdown."""
    return re.sub(r"([\\`*_\[\]<$|])", r"\\\1", text.replace("\n", " "))


def summary(text):
    """Markdown of a title as HTML, for a place where Markdown is not read."""
    text = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", text)
    text = re.sub(r"(?<!\\)\*(.+?)(?<!\\)\*", r"<i>\1</i>", text)
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", text).replace("\\<", "&lt;")
    return re.sub(r"\\([\\`*_\[\]|.)])", r"\1", text)


def no_tag(formula):
    """A formula in which no "less than" is taken for the start of an HTML tag."""
    return re.sub(r"<(?=[A-Za-z/!])", r"\\lt ", formula)


def formula(text, number=""):
    """A displayed formula with its number, as MathJax reads it in a notebook."""
    text = no_tag(text).strip()
    for name in ("align", "gather"):
        text = re.sub(rf"\\(begin|end){{{name}\*?}}", rf"\\\1{{{name}ed}}", text)
    text = re.sub(r"\\(begin|end){equation\*?}\s*", "", text)
    if r"\\" in text and not text.startswith(r"\begin"):
        text = f"\\begin{{split}}\n{text}\n\\end{{split}}"
    return f"$$\n{text}" + (f" \\tag{{{number}}}" if number else "") + "\n$$"


class Inline:
    """Markdown of whatever stands within a paragraph."""

    def __init__(self, docname, source_folder, site="", numbers=None):
        """Site: address of the published book, or "" for no links into it.

        Numbers: id of an equation, exercise or figure to the number readers see.
        """
        self.docname, self.folder = docname, Path(source_folder)
        self.site, self.numbers = site, numbers or {}

    def unknown(self, node):
        """The error for a node that has no plain form."""
        name, text = node.__class__.__name__, node.astext()[:60]
        return UnknownMarkup(f"{self.docname}: no plain form of <{name}> {text!r}")

    def number(self, node):
        """Number that readers see for an equation, an exercise or a figure."""
        return next((self.numbers[i] for i in node["ids"] if i in self.numbers), "")

    def inline(self, node):
        """Markdown of the children of a node, on one line."""
        return "".join(map(self.one, node.children)).strip(" ")

    def one(self, node):
        """Markdown of one inline node."""
        name = node.__class__.__name__
        if isinstance(node, nodes.Text):
            return escape(node.astext())
        if name in SILENT or "sd-summary-state-marker" in node.get("classes", []):
            return ""
        if name in THROUGH:
            return "".join(map(self.one, node.children))
        if name in MARKS:
            return MARKS[name] + self.inline(node) + MARKS[name]
        if name == "literal":
            return "`" + node.astext().replace("\n", " ") + "`"
        if name == "math":
            return f"${no_tag(node.astext()).replace(chr(10), ' ').strip()}$"
        if name in ("superscript", "subscript"):
            return f"<{name[:3]}>{self.inline(node)}</{name[:3]}>"
        if name == "footnote_reference":
            return f"<sup>{node.astext()}</sup>"
        if name in ("reference", "number_reference"):
            return self.link(node)
        if name == "image":
            return self.image(node)
        if name == "raw" and "html" in node["format"]:
            return node.astext()
        raise self.unknown(node)

    def link(self, node):
        """A link to the web, or into the published book if its address is known."""
        text, address = self.inline(node), node.get("refuri", "")
        space = " " if node.astext().startswith(" ") else ""
        if not node.get("internal"):
            bare = address == node.astext()
            return f"<{address}>" if bare else f"[{text}]({address})"
        if self.site and address and not address.startswith("#"):
            page = urljoin(f"{self.site}{self.docname}.html", address)
            return f"{space}[{text}]({page})"
        return space + text

    def image(self, node):
        """A picture whose bytes stand in the notebook itself."""
        path = self.folder / node["uri"]
        kind = mimetypes.guess_type(path)[0]
        data = base64.b64encode(path.read_bytes()).decode()
        return f"![{escape(node.get('alt', ''))}](data:{kind};base64,{data})"

    def cell(self, entry):
        """Markdown of one cell of a table."""
        for child in entry.children:
            if not isinstance(child, nodes.paragraph):
                raise self.unknown(child)
            for math in child.findall(nodes.math):  # a bar would end the cell
                math[:] = [nodes.Text(re.sub(r"\\?\|", self.bar, math.astext()))]
        return "<br>".join(map(self.inline, entry.children))

    @staticmethod
    def bar(match):
        """A bar of a formula, written so that a table does not end its cell there."""
        return r"\Vert " if match[0] == r"\|" else r"\vert "

    def table(self, node):
        """A table with bars; its title, if any, above it in bold."""
        rows = [[self.cell(e) for e in r.children] for r in node.findall(nodes.row)]
        if not any(node.findall(nodes.thead)):
            rows.insert(0, [""] * len(rows[0]))
        rows.insert(1, ["---"] * len(rows[0]))
        lines = "\n".join("| " + " | ".join(row) + " |" for row in rows)
        for title in node.findall(nodes.title):
            lines = f"**{self.number(node)} {self.inline(title)}**\n\n{lines}"
        return lines
