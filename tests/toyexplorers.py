"""Small made-up tables, and an explorer of every kind on them.

Also reads an explorer's numbers back from the page as ``explorer.js`` does.
"""

import json
import re
from functools import cache
from html.parser import HTMLParser
from itertools import product

import numpy as np
import pandas as pd

from course_utils import explorers
from course_utils.explorer_page import DIGITS
from course_utils.explorers import Control, Explorer, Heat, Line, Panel, Points, Rule

SCORES = ["train_loss", "train_accuracy", "validation_loss", "validation_accuracy"]
RATES, SEEDS, EPOCHS = [0.01, 0.1, 1.0], 3, 5


def runs(seeds=SEEDS):
    """Twelve settings. Momentum at rate 1: with 0.5 seed 0 is lost, with 0.9 all are.

    Plain descent does not use the momentum: its runs are the same with both.
    """
    rows = []
    for rule, rate, beta, seed in product(
        ["sgd", "momentum"], RATES, [0.5, 0.9], range(seeds)
    ):
        speed = rate * (1 if rule == "sgd" else 1 / (1 - beta))
        noise = np.random.default_rng([seed, int(100 * speed)])
        for epoch in range(1, EPOCHS + 1):
            loss = 0.05 + 2 * np.exp(-speed * epoch) + 0.1 * noise.random()
            valid = 1.1 * loss + 0.1 * speed * (epoch > 3) - 0.3 * (rate == 0.01)
            scores = np.array([loss, 1 - loss / 3, valid, 1 - valid / 2])
            lost = speed > 1.5 and epoch > 2 and (beta == 0.9 or seed == 0)
            scores[:] = np.nan if lost else scores
            rows.append([rule, rate, beta, seed, epoch, *scores, lost])
    settings = ["optimizer", "learning_rate", "momentum", "seed", "epoch"]
    return pd.DataFrame(rows, columns=[*settings, *SCORES, "diverged"])


def paths():
    rows = []
    axes = ["bowl", "ravine"], ["gradient descent", "Adam"], [0.1, 0.3], [0.5, 0.9]
    for surface, rule, rate, beta, start in product(*axes, ["near", "far"]):
        used = beta if rule == "Adam" else 0.0
        shrink = 1 - rate * (5 if surface == "bowl" else 8) * (1 - used)
        for step in range(7):
            x, y = np.array([1, -0.5]) * (1 + (start == "far")) * shrink**step
            row = [surface, rule, rate, beta, start, step, x, y, x**2 + y**2]
            rows.append([*row, 5.0 + step + (surface == "ravine"), 2 / rate])
    settings = ["surface", "optimizer", "learning_rate", "momentum", "start"]
    return pd.DataFrame(
        rows, columns=[*settings, "step", "x", "y", "loss", "sharpness", "limit"]
    )


def contours():
    turns = np.linspace(0, np.pi, 9)
    rows = [
        [surface, level, piece, (1 - 2 * piece) * np.sin(t), size * np.cos(t)]
        for surface, size in (("bowl", 2.5), ("ravine", 1.5))
        for level, piece, t in product([1.0], [0, 1], turns)
    ]
    return pd.DataFrame(rows, columns=["surface", "level", "piece", "x", "y"])


def maps():
    """Runs, cells of a map and training points of two data sets and two widths."""
    told, cells, points, grid = [], [], [], np.linspace(-2, 2, 6)
    for data, width in product(["moons", "xor"], [2, 4]):
        for seed, epoch in product(range(2), range(1, 5)):
            loss = 1 / (epoch * width) + 0.05 * seed + 0.1 * (data == "xor")
            scores = [loss, 1 - loss / 2, 1.2 * loss, 0.95 - loss / 2]
            told.append([data, width, seed, epoch, *scores, False])
        for epoch, y, x in product([0, 2, 4], grid, grid):
            logit = epoch * (x * y if data == "xor" else x - y / width)
            cells.append([data, width, epoch, x, y, 1 / (1 + np.exp(-logit))])
    for data in ("moons", "xor"):
        x = np.random.default_rng(len(data)).normal(size=(12, 2))
        points += [[data, a, b, int(a > 0)] for a, b in x]
    start = ["data", "width"]
    return (
        pd.DataFrame(told, columns=[*start, "seed", "epoch", *SCORES, "diverged"]),
        pd.DataFrame(cells, columns=[*start, "epoch", "x", "y", "p"]),
        pd.DataFrame(points, columns=["data", "x", "y", "class"]),
    )


def signals():
    rows = [
        [scale, rule, seed, layer, scale**layer, scale ** (5 - layer)]
        for scale, rule, seed, layer in product(
            [0.5, 1.0, 2.0], ["relu", "tanh"], range(2), range(1, 6)
        )
    ]
    columns = ["initial_scale", "activation", "seed", "layer"]
    table = pd.DataFrame(rows, columns=[*columns, "activation_size", "gradient_size"])
    table["activation_size"] *= 1 + 0.1 * table["seed"] * table["layer"]
    table.loc[table["activation"] == "tanh", "gradient_size"] *= 0.7
    return table


def ranks(train=None, **changes):
    """An explorer with what the four others do not have."""
    rows = [
        [rank, method, seed, size, words, (rank + seed) / size * (1 + len(method))]
        for rank, method, seed, size, words in product(
            [1, 2, 4, 8], ["svd", "pruned"], range(2), [10, 100], ["all", "some"]
        )
    ]
    errors = pd.DataFrame(
        rows, columns=["rank", "method", "seed", "size", "words", "error"]
    )
    seen = [
        [rank, q, k, np.nan if q + k == "catthe" else rank * (i + 1)]
        for rank, q, (i, k) in product(
            [1, 2, 4, 8], ["cat", "a"], enumerate(["the", "cat", "a"])
        )
    ]
    seen = pd.DataFrame(seen, columns=["rank", "q", "k", "weight"])
    marks = (
        Line("errors", "size", "error", series="words"),
        Points("dots", "size", "error", series="words"),
        Rule("errors", x="rank", label="rank"),
    )
    arguments = {
        "name": "rank-1",
        "tables": {"errors": errors, "dots": errors[errors["seed"] == 0], "seen": seen},
        "controls": [
            Control("rank", "Rank", unit="columns", log=True, play=True),
            Control("method", "Method </script>", only={"rank": (2, 4, 8)}),
        ],
        "panels": [
            Panel("examples", "error", marks, log_x=True, log_y=True),
            Panel("key", "query", (Heat("seen", "k", "q", "weight"),)),
        ],
        "say": lambda r: f'Error <{r["errors"]["error"].mean():.3g}> & "less".',
    }
    return Explorer(**{**arguments, "train": train, **changes})


@cache
def kinds() -> dict:
    """An explorer of every kind; with its defaults every control has an effect."""
    return {
        "curves": explorers.training_curves(runs(), defaults={"optimizer": "momentum"}),
        "paths": explorers.loss_path(
            paths(), contours(), defaults={"optimizer": "Adam"}
        ),
        "boundary": explorers.decision_boundary(*maps()),
        "depth": explorers.signal_by_depth(signals()),
        "general": ranks(),
    }


def settings_of(explorer):
    """Every setting of the grid, and its places in the lists of values."""
    lists = list(explorer.values.values())
    for state in product(*(range(len(values)) for values in lists)):
        chosen = (values[i] for values, i in zip(lists, state, strict=True))
        yield state, dict(zip(explorer.values, chosen, strict=True))


def anonymous(svg):
    """An SVG without the prefix that makes its ids unique in a page."""
    return re.sub(r"pic\d+-[0-9a-f]{8}-", "", svg)


# --- what explorer.js does


class _Script(HTMLParser):
    text, inside = "", False

    def handle_starttag(self, tag, attrs):
        self.inside = tag == "script"

    def handle_endtag(self, tag):
        self.inside = self.inside and tag != "script"

    def handle_data(self, data):
        self.text += data * self.inside


def in_page(element: str) -> dict:
    """What a browser reads from the script of an explorer's element."""
    parser = _Script()
    parser.feed(element)
    parser.close()
    return json.loads(parser.text, parse_constant=lambda word: 1 / 0)


def choose(choice, state, controls):
    place = 0
    for i in choice["by"]:
        place = place * len(controls[i]["texts"]) + state[i]
    return choice["items"][choice["index"][place]]


def rows_in_page(mark, state, data) -> pd.DataFrame:
    places = choose(mark, state, data["controls"])
    columns = {name: data["columns"][place] for name, place in places.items()}
    if "heat" in mark:
        return _cells(mark["heat"], **columns)
    lists = [v for v in columns.values() if isinstance(v, list)]
    assert lists and len({len(v) for v in lists}) == 1
    table = pd.DataFrame(columns, index=range(len(lists[0])))
    words = [name for name in table if table[name].map(type).eq(str).all()]
    return table.astype({name: float for name in table if name not in words})


def _cells(heat, x, y, v):
    low, high = heat["span"]
    rows = []
    for k, digit in enumerate(v):
        if digit in DIGITS:
            value = low + (high - low) * DIGITS.index(digit) / (len(DIGITS) - 1)
            most = max(high - heat["middle"], heat["middle"] - low) or 1
            strength = heat["opacity"] * abs(value - heat["middle"]) / most
            colour = heat["colours"][0 if value < heat["middle"] else 1]
            rows.append([x[k % len(x)], y[k // len(x)], value, colour, strength])
    return pd.DataFrame(rows, columns=["x", "y", "v", "c", "o"])
