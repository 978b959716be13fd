"""The explorers of the book, each one call on tables of real runs.

An explorer of your own needs a table, the controls, the marks and a sentence: see
``Explorer``, and CONTRIBUTING for an example.
"""

from course_utils.explorer import Explorer
from course_utils.explorer_curves import training_curves
from course_utils.explorer_depth import signal_by_depth
from course_utils.explorer_maps import decision_boundary
from course_utils.explorer_paths import loss_path
from course_utils.marks import Control, Heat, Line, Panel, Points, Rule

__all__ = [
    "Control", "Explorer", "Heat", "Line", "Panel", "Points", "Rule",
    "decision_boundary", "loss_path", "signal_by_depth", "training_curves",
]  # fmt: skip
