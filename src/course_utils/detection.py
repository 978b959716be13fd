"""Scenes of objects with exact boxes, and what judges a detector of them.

A box is (left, top, right, bottom) in pixels, the origin at the top left. A truth is
a row (scene, class, box), a detection a row (scene, class, score, box). Knows neither
data sets nor frameworks: arrays in, arrays out.
"""

import numpy as np


def make_scenes(
    pictures, labels, n, seed, side=64, count=(2, 5), longest=(14, 30), most=0.1,
    noise=0.1,
):  # fmt: skip
    """Paste pictures at random sizes and places on dark canvases.

    Args:
        pictures: (m, h, w), ink from 0 (none) to 1; each is cropped to its ink.
        labels: (m,) whole numbers, the class of each picture.
        n: how many scenes; seed: of all draws.
        side: of the square canvas, pixels.
        count: fewest and most pictures tried in a scene.
        longest: smallest and largest longer side of a pasted picture, pixels.
        most: a picture that would overlap another by a larger IoU is left out.
        noise: standard deviation of the noise on every pixel, in units of ink.

    Returns scenes (n, side, side) float32 in [0, 1] and truths (objects, 6).
    Raises ValueError for pictures without ink and for ranges that do not fit.
    """
    pictures, labels = np.asarray(pictures, float), np.asarray(labels)
    if pictures.ndim != 3 or labels.shape != pictures.shape[:1] or not len(labels):
        raise ValueError(f"pictures (m, h, w), labels (m,): got {pictures.shape}")
    if n < 1 or not 1 <= count[0] <= count[1]:
        raise ValueError(f"n = {n}, count = {count}: at least one, fewest first")
    if not 2 <= longest[0] <= longest[1] <= side:
        raise ValueError(f"longest = {longest} must be 2 to {side}, smallest first")
    rng = np.random.default_rng(seed)
    scenes, truth = np.zeros((n, side, side), np.float32), []
    for i in range(n):
        boxes = np.zeros((0, 4))
        for _ in range(rng.integers(*count, endpoint=True)):
            k = rng.integers(len(pictures))
            longer = rng.integers(*longest, endpoint=True)
            h, w = (small := resized(cropped(pictures[k]), longer)).shape
            x, y = rng.integers(0, side - w + 1), rng.integers(0, side - h + 1)
            box = np.array([x, y, x + w, y + h], float)
            if (iou(box[None], boxes) <= most).all():
                paste(scenes[i], small, x, y)
                boxes = np.vstack([boxes, box])
                truth.append([i, labels[k], *box])
        scenes[i] += rng.normal(0, noise, (side, side))
    return np.clip(scenes, 0, 1), np.array(truth)


def cropped(picture, least=0.1):
    """The part of a picture (h, w) with all ink above ``least``; ValueError if none."""
    rows, columns = np.nonzero(np.asarray(picture) > least)
    if not len(rows):
        raise ValueError(f"no ink above {least}: ink is 1, paper 0")
    return picture[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


def resized(picture, longest):
    """A picture (h, w) scaled linearly to a longer side of ``longest`` pixels.

    The corners stay corners; the shorter side is rounded, at least 1 pixel.
    """
    old = np.array(picture.shape)
    if longest < 1:
        raise ValueError(f"longest = {longest}: at least 1 pixel")
    new = np.maximum(1, np.round(old * longest / old.max()).astype(int))
    for axis in (0, 1):
        at = np.linspace(0, old[axis] - 1, new[axis])
        low = np.minimum(at.astype(int), max(old[axis] - 2, 0))
        share, a = np.expand_dims(at - low, 1 - axis), np.take(picture, low, axis)
        picture = (1 - share) * a + share * np.take(picture, low + 1, axis, mode="clip")
    return picture


def paste(canvas, picture, x, y):
    """Lay a picture (h, w) on a canvas, in place; the darker ink of the two wins.

    Its left top corner comes to column x, row y. Returns its box (4,); ValueError
    where it would stand out.
    """
    (h, w), (height, width) = picture.shape, canvas.shape
    if not (0 <= x <= width - w and 0 <= y <= height - h):
        most = f"x at most {width - w}, y at most {height - h}, none < 0"
        raise ValueError(f"{w} x {h} pixels at ({x}, {y}) stand out: {most}")
    part = canvas[y : y + h, x : x + w]
    np.maximum(part, picture, out=part, casting="same_kind")
    return np.array([x, y, x + w, y + h], float)


def iou(a, b):
    """Intersection over union of all pairs of boxes (m, 4) and (n, 4): (m, n).

    Boxes without area have 0. Raises ValueError for other shapes and for boxes whose
    right is left of their left or whose bottom is above their top. Source: Everingham
    et al. (2010), "The Pascal Visual Object Classes (VOC) Challenge", IJCV 88.
    """
    a, b = _boxes(a), _boxes(b)
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    inside = np.clip(high - low, 0, None).prod(-1)  # (m, n)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(-1) for boxes in (a, b)]
    union = areas[0][:, None] + areas[1][None] - inside
    return np.divide(inside, union, out=np.zeros_like(inside), where=union > 0)


def suppress(boxes, scores, most=0.5):
    """Non-maximum suppression: indices of the boxes that stay, best first.

    Of boxes (n, 4) with scores (n,) the best stays, all with a larger IoU than
    ``most`` with it go, and so on; equal scores in the order given. For one class.
    """
    boxes, scores = _boxes(boxes), np.asarray(scores, float)
    if scores.shape != (len(boxes),) or np.isnan(scores).any():
        raise ValueError(f"{len(boxes)} boxes need as many scores, none of them NaN")
    overlaps, kept = iou(boxes, boxes), []
    rest = np.argsort(-scores, kind="stable")
    while len(rest):
        kept.append(rest[0])
        rest = rest[1:][overlaps[rest[0], rest[1:]] <= most]
    return np.array(kept, int)


def matched(found, truth, least=0.5):
    """For each detection (m, 7) the row of the truth (n, 6) that it hits, or -1: (m,).

    By falling score, each takes of the free objects of its scene and class the one
    with the largest IoU, if that is at least ``least``.
    """
    found, truth = _rows(found, 7, "found"), _rows(truth, 6, "truth")
    hit, free = np.full(len(found), -1), {}
    for row, key in enumerate(map(tuple, truth[:, :2])):
        free.setdefault(key, []).append(row)
    for i in np.argsort(-found[:, 2], kind="stable"):
        rows = free.get(tuple(found[i, :2]))
        if rows:
            overlaps = iou(found[i : i + 1, 3:], truth[rows, 2:])[0]
            if overlaps.max() >= least:
                hit[i] = rows.pop(int(overlaps.argmax()))
    return hit


def precision_recall(right, scores, n):
    """Recall and precision (m,) after each detection, by falling score.

    right: (m,), which are hits; n: how many true objects there are, at least 1.
    """
    right = np.asarray(right, bool)
    if n < 1 or right.shape != np.shape(scores):
        raise ValueError(f"{right.shape} hits, {np.shape(scores)} scores, n = {n}")
    hits = np.cumsum(right[np.argsort(-np.asarray(scores, float), kind="stable")])
    return hits / n, hits / np.arange(1, len(hits) + 1)


def average_precision(recall, precision, points=None):
    """Area under the best precision still to come, over recall.

    points: recalls (p,) at which it is read and averaged (COCO takes 101 from 0 to 1);
    None for the whole area. 0 where nothing was found.
    """
    best = np.maximum.accumulate(np.asarray(precision)[::-1])[::-1]
    if points is None:
        return float((np.diff(recall, prepend=0) * best).sum())
    return float(np.append(best, 0)[np.searchsorted(recall, points)].mean())


def class_precisions(found, truth, n_classes, least=0.5, points=None):
    """Average precision of each class, (n_classes,); their mean is the mAP.

    NaN for a class without a true object. Arguments as above. Source: Lin et al.
    (2014), "Microsoft COCO: Common Objects in Context", and its pycocotools.
    """
    found, truth = _rows(found, 7, "found"), _rows(truth, 6, "truth")
    right, result = matched(found, truth, least) >= 0, np.full(n_classes, np.nan)
    for k in np.unique(truth[:, 1]).astype(int):
        own, n = found[:, 1] == k, int((truth[:, 1] == k).sum())
        pair = precision_recall(right[own], found[own, 2], n)
        result[k] = average_precision(*pair, points)
    return result


def _boxes(boxes):
    boxes = _rows(boxes, 4, "boxes")
    if (boxes[:, :2] > boxes[:, 2:]).any():
        raise ValueError(
            "a box is (left, top, right, bottom), not (x, y, width, height)"
        )
    return boxes


def _rows(rows, width, name):
    rows = np.asarray(rows, float)
    rows = rows.reshape(-1, width) if rows.size == 0 else rows
    if rows.ndim != 2 or rows.shape[1] != width or np.isnan(rows).any():
        raise ValueError(f"{name}: rows of {width} numbers, no NaN; got {rows.shape}")
    return rows
