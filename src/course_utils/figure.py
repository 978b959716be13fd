"""Pictures for the book: inline SVG that follows the colour of the page.

Knows matplotlib's figures and nothing of what is drawn in them.
matplotlib.pyplot is never used, and its settings are never changed globally.
"""

import hashlib
import io
import itertools
import math
import re
from html import escape

import matplotlib as mpl
import numpy as np
from cycler import cycler
from matplotlib.figure import Figure
from matplotlib.legend import Legend

# For readers who see colour differently, in the spirit of Okabe and Ito (2008).
# Each has a contrast of at least 3:1 on white and on DARK.
BLUE, ORANGE, GREEN = "#4063d7", "#d57a03", "#2fa08c"
RED, PURPLE, GREY = "#b94735", "#8a5fa8", "#7f868f"
COLOURS = [BLUE, ORANGE, GREEN, RED, PURPLE, GREY]
LINE_STYLES = ["-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2))]
MARKERS = ["o", "s", "^", "D", "v", "P"]
DARK = "#14181e"  # the page's background in the dark theme

# Written wherever the page's own text colour shall stand. matplotlib's default
# black is treated alike, so a line or label drawn without a colour reads as well.
INK = "#010203"
FONTS = "'DejaVu Sans', Verdana, sans-serif"  # measured, as wide, whatever there is
GRID = {"color": "#808890", "alpha": 0.3, "linewidth": 0.7}
STYLE = {
    "axes.edgecolor": INK,
    "axes.facecolor": "none",
    "axes.labelcolor": INK,
    "axes.labelsize": 10.5,
    "axes.linewidth": 0.8,
    "axes.prop_cycle": cycler(
        color=COLOURS, linestyle=LINE_STYLES, linewidth=[1.8] * len(COLOURS)
    ),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlesize": 11.5,
    "axes3d.xaxis.panecolor": "#80889018",
    "axes3d.yaxis.panecolor": "#80889018",
    "axes3d.zaxis.panecolor": "#80889018",
    "figure.edgecolor": "none",
    "figure.facecolor": "none",
    "figure.titlesize": 12,
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10.5,
    "grid.alpha": GRID["alpha"],
    "grid.color": GRID["color"],
    "grid.linewidth": GRID["linewidth"],
    "image.cmap": "viridis",
    "legend.edgecolor": "none",
    "legend.facecolor": "none",
    "legend.fontsize": 10,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "mathtext.fontset": "dejavusans",
    "patch.edgecolor": INK,
    "savefig.facecolor": "none",
    "savefig.edgecolor": "none",
    "svg.fonttype": "none",
    "text.color": INK,
    "text.usetex": False,
    "xtick.color": INK,
    "xtick.labelsize": 10,
    "ytick.color": INK,
    "ytick.labelsize": 10,
}
_shown = itertools.count(1)


def style():
    """A context in which new artists take the book's look."""
    return mpl.rc_context(STYLE)


class Picture(Figure):
    """A figure that says in words what it shows and displays as inline SVG."""

    def __init__(self, *args, alt, **kw):
        """Takes what matplotlib's Figure takes, and `alt`, the alternative text."""
        self.alt = alt
        with style():
            super().__init__(*args, **kw)

    @property
    def alt(self):
        """What the picture shows, for readers who do not see it."""
        return self._alt

    @alt.setter
    def alt(self, text):
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"alt={text!r}: describe what the picture shows")
        self._alt = " ".join(text.split())

    def add_subplot(self, *args, **kw):
        with style():
            return super().add_subplot(*args, **kw)

    def add_axes(self, *args, **kw):
        with style():
            return super().add_axes(*args, **kw)

    def colorbar(self, *args, **kw):
        with style():
            return super().colorbar(*args, **kw)

    def savefig(self, *args, **kw):
        for legend in self.findobj(Legend):  # may come from outside of style()
            legend.get_frame().set(facecolor="none", edgecolor="none")
        with style():
            super().savefig(*args, **kw)

    def svg(self):
        """The picture as an <svg> element to stand inside an HTML page."""
        file = io.StringIO()
        with mpl.rc_context({"svg.hashsalt": "course"}):  # the same ids each build
            nothing = dict.fromkeys(["Date", "Creator", "Format", "Type"])
            self.savefig(file, format="svg", dpi=144, metadata=nothing)
        return _inline(file.getvalue(), self.alt)

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/html": self.svg(), "text/plain": self.alt}

    def _ipython_display_(self):
        # Without this, IPython adds a PNG as soon as anything imports pyplot.
        from IPython.display import display

        display(self._repr_mimebundle_(), raw=True)


def subplots(rows=1, cols=1, *, alt, size=None, **kw):
    """A new picture and its axes: one, or an array as matplotlib gives it.

    alt: what the picture shows, in a sentence or two (required).
    size: (width, height) in inches; 7.0 is the width of the page.
    kw: as for matplotlib's Figure.subplots (sharex, width_ratios, subplot_kw ...).
    """
    if size is None:
        size = (7.0, 4.0 if rows * cols == 1 else 3.2 * rows)
    fig = Picture(alt=alt, figsize=size, layout="constrained")
    with style():
        axes = fig.subplots(rows, cols, **kw)
        for ax in np.ravel(axes):
            ax.set_axisbelow(True)
            ax.grid(True, **GRID)
    return fig, axes


def _inline(svg, alt):
    """Make matplotlib's SVG file an element that shares a page with others."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.S)
    svg = re.sub(r"<style.*?</style>", "", svg, flags=re.S)  # would style the page
    svg = re.sub(rf"{INK}|#000000", "currentColor", svg)
    svg = re.sub(r"font-family: [^;\"]*", f"font-family: {FONTS}", svg)
    digest = hashlib.sha256(svg.encode()).hexdigest()[:8]
    prefix = f"pic{next(_shown)}-{digest}-"
    used = set(re.findall(r'(?:url\(|href=")#([^)"]+)', svg))
    svg = re.sub(
        r'\s+id="([^"]+)"',
        lambda m: f' id="{prefix}{m[1]}"' if m[1] in used else "",
        svg,
    )
    svg = re.sub(r'(url\(|href=")#', rf"\1#{prefix}", svg)
    end = svg.index(">")
    width, height = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg[:end]).groups()
    head = (
        '<svg xmlns="http://www.w3.org/2000/svg"'
        ' xmlns:xlink="http://www.w3.org/1999/xlink"'
        f' role="img" aria-label="{escape(alt)}" viewBox="0 0 {width} {height}"'
        f' style="max-width:{math.ceil(float(width) * 4 / 3)}px;width:100%;height:auto;'
        'fill:currentColor;stroke-linejoin:round;stroke-linecap:butt"'
    )
    return head + re.sub(r"\s*\n\s*", "\n", svg[end:])
