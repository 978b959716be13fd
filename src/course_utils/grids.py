"""Pictures made of cells: images side by side, and the confusion matrix.

Reached as `plots.image_grid` and `plots.confusion_matrix`.
"""

import numpy as np

from .figure import style, subplots


def image_grid(images, titles=None, cols=10, alt=None):
    """Images in rows and columns, each with its title above.

    images: (n, h, w) grey values, one scale from the lowest to the highest of all,
        or (n, h, w, 3) colours: integers 0 to 255, or floats 0 to 1.
    titles: n short texts or numbers. Returns the picture.
    """
    images = np.asarray(images)
    ends = _check_images(images)
    n, h, w = images.shape[:3]
    titles = [] if titles is None else [str(title) for title in titles]
    if titles and len(titles) != n:
        raise ValueError(f"{len(titles)} titles for {n} images: give one each")
    cols = min(cols, n)
    rows = -(-n // cols)
    across, down = 1.12 * w, (1.12 + (0.36 if titles else 0)) * h
    said = f" Titles: {', '.join(titles)}." if titles else ""
    alt = alt or f"{n} images in {rows} rows.{said}"
    width = min(7.0, 1.4 * cols)
    fig, ax = subplots(alt=alt, size=(width, width * rows * down / (cols * across)))
    with style():
        for i, image in enumerate(images):
            left, top = i % cols * across, i // cols * down + down - h
            ax.imshow(
                image, cmap="gray", vmin=ends[0], vmax=ends[1], interpolation="none",
                extent=(left, left + w, top + h, top),
            )  # fmt: skip
            if titles:
                middle = (left + w / 2, top - 0.05 * h)
                ax.text(*middle, titles[i], ha="center", va="bottom")
    gap = 0.06 * w
    ax.set(xlim=(-gap, cols * across - gap), ylim=(rows * down + gap, 0))
    ax.set_axis_off()
    return fig


def _check_images(images):
    """The lowest and highest value of images that can be drawn."""
    shape = images.shape
    if images.ndim not in (3, 4) or shape[3:] not in ((), (3,)) or 0 in shape:
        raise ValueError(
            f"images have shape {shape}: reshape them to (n, h, w) or (n, h, w, 3)"
        )
    low, high = images.min(), images.max()
    top = 1 if images.dtype.kind == "f" else 255
    if images.ndim == 4 and (low < 0 or high > top):
        raise ValueError(f"colours from {low} to {high}: bring them to 0 to {top}")
    return low, high


def confusion_matrix(y, predicted, class_names=None, ax=None, alt=None):
    """How many examples of each class (rows) were given each class (columns).

    y, predicted: integer labels (n,). class_names: K texts; numbers without it.
    The colour of a cell is its share of the row. Returns the picture.
    """
    y, predicted = np.asarray(y), np.asarray(predicted)
    if y.ndim != 1 or y.shape != predicted.shape or len(y) == 0:
        raise ValueError(
            f"y {y.shape} and predicted {predicted.shape}: give labels (n,) for both; "
            "of logits (n, K) take .argmax(1)"
        )
    y, predicted = whole_labels(y), whole_labels(predicted)
    n_classes = int(max(y.max(), predicted.max())) + 1
    given = () if class_names is None else class_names
    names = [str(name) for name in given] or [str(k) for k in range(n_classes)]
    if len(names) < n_classes:
        raise ValueError(f"{len(names)} class_names for labels up to {n_classes - 1}")
    k = len(names)
    counts = np.zeros((k, k), dtype=int)
    np.add.at(counts, (y, predicted), 1)
    if ax is None:
        size = (min(7.0, 2.2 + 0.5 * k), 1.6 + 0.42 * k)
        _, ax = subplots(alt=alt or _say_counts(counts, names), size=size)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    ax.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto", interpolation="none")
    with style():
        for i, j in np.ndindex(k, k):
            colour = "#ffffff" if shares[i, j] > 0.72 else "#010101"
            ax.text(j, i, counts[i, j], color=colour, ha="center", va="center")
    ax.grid(False)
    turn = {"rotation": 40, "ha": "right"} if max(map(len, names)) > 4 else {}
    ax.set_xticks(range(k), names, rotation_mode="anchor", **turn)
    ax.set_yticks(range(k), names)
    ax.set(xlabel="predicted class", ylabel="true class")
    return ax.figure


def whole_labels(y):
    """Labels as integers, or an error that says what to do."""
    labels = y.astype(int)
    if (labels != y).any() or labels.min() < 0:
        raise ValueError("labels must be integers from 0: take the class, not a score")
    return labels


def _say_counts(counts, names):
    """A sentence with the share that is right and the most frequent error."""
    n = counts.sum()
    text = f"{np.trace(counts) / n:.1%} of {n} examples are right."
    wrong = counts - np.diag(np.diag(counts))
    i, j = np.unravel_index(wrong.argmax(), wrong.shape)
    if wrong[i, j]:
        text += f" The most frequent error: {names[i]} taken for {names[j]}"
        text += f", {wrong[i, j]} times."
    return text
