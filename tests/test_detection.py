"""detection: scenes, overlaps, suppression and average precision."""

import contextlib
import io

import numpy as np
import pytest

from course_utils import detection

RNG = np.random.default_rng(0)
SQUARE = np.ones((3, 6, 6)) * np.array([0.5, 0.75, 1])[:, None, None]


def random_rows(n, n_scenes, n_classes, score=True, seed=0):
    rng = np.random.default_rng(seed)
    corner, extent = rng.uniform(0, 30, (n, 2)), rng.uniform(10, 30, (n, 2))
    heads = [rng.integers(0, n_scenes, n), rng.integers(0, n_classes, n)]
    heads += [rng.uniform(size=n)] if score else []
    return np.column_stack([*heads, corner, corner + extent])


def test_scenes_hold_the_ink_in_their_boxes_and_nowhere_else():
    scenes, truth = detection.make_scenes(SQUARE, [4, 5, 6], 30, 0, noise=0)
    assert scenes.shape == (30, 64, 64) and scenes.dtype == np.float32
    assert set(truth[:, 1]) == {4, 5, 6} and set(truth[:, 0]) == set(range(30))
    for scene, _, x1, y1, x2, y2 in truth.astype(int):
        assert 14 <= x2 - x1 == y2 - y1 <= 30
        inside = scenes[scene, y1:y2, x1:x2]
        assert inside[0].max() >= 0.5 and inside[:, -1].max() >= 0.5
    empty = scenes.copy()
    for scene, _, x1, y1, x2, y2 in truth.astype(int):
        empty[scene, y1:y2, x1:x2] = 0
    assert empty.max() == 0 < scenes.max() <= 1


def test_scenes_keep_to_the_largest_overlap_and_to_the_seed():
    for most in (0.0, 0.1, 0.4):
        _, truth = detection.make_scenes(SQUARE, [0, 1, 2], 40, 1, most=most)
        largest = 0
        for scene in range(40):
            boxes = truth[truth[:, 0] == scene, 2:]
            overlaps = detection.iou(boxes, boxes) - np.eye(len(boxes))
            largest = max(largest, overlaps.max())
        assert largest <= most and (largest > most / 2 or most == 0)
    first, again, other = (
        detection.make_scenes(SQUARE, [0, 1, 2], 3, seed) for seed in (5, 5, 6)
    )
    assert all(map(np.array_equal, first, again))
    assert not np.array_equal(first[0], other[0])


def test_noise_has_its_standard_deviation():
    faint = 0.5 * np.ones((1, 6, 6))
    scenes, truth = detection.make_scenes(faint, [0], 20, 0, count=(1, 1))
    inside = [scenes[int(s), b:d, a:c] for s, _, a, b, c, d in truth.astype(int)]
    assert abs(np.concatenate([part.ravel() for part in inside]).std() - 0.1) < 0.01


@pytest.mark.parametrize(
    "change, word",
    [
        ({"pictures": np.ones((3, 6))}, "pictures"),
        ({"labels": [1]}, "pictures"),
        ({"pictures": np.zeros((3, 6, 6))}, "ink"),
        ({"n": 0}, "at least one"),
        ({"count": (3, 2)}, "fewest"),
        ({"longest": (10, 65)}, "smallest"),
        ({"longest": (0, 5)}, "smallest"),
    ],
)
def test_scenes_refuse_bad_input(change, word):
    arguments = {"pictures": SQUARE, "labels": [0, 1, 2], "n": 2, "seed": 0}
    with pytest.raises(ValueError, match=word):
        detection.make_scenes(**arguments | change)


def test_a_picture_is_cropped_resized_and_pasted():
    picture = np.zeros((5, 7))
    picture[1:3, 2:6] = [[0, 0.2, 0.4, 0.6], [0.6, 0.8, 1, 0]]
    ink = detection.cropped(picture)
    assert np.array_equal(ink, picture[1:3, 2:6])
    wide = detection.resized(ink, 7)  # 2 x 4 becomes 4 x 7
    assert wide.shape == (4, 7) and np.allclose(wide[0], np.arange(7) / 10)
    assert np.allclose(wide[:, 0], [0, 0.2, 0.4, 0.6])  # linear from corner to corner
    assert np.allclose(detection.resized(ink, 4), ink)
    assert detection.resized(np.ones((1, 9)), 3).shape == (1, 3)
    canvas = np.full((10, 8), 0.5, np.float32)
    assert detection.paste(canvas, ink, 4, 8).tolist() == [4, 8, 8, 10]
    assert np.allclose(canvas[8:, 4:], np.maximum(ink, 0.5))
    assert np.all(canvas[:8] == 0.5) and np.all(canvas[:, :4] == 0.5)
    for x, y in ((5, 8), (4, 9), (-1, 0)):
        with pytest.raises(ValueError, match="x at most 4, y at most 8"):
            detection.paste(canvas, ink, x, y)
    with pytest.raises(ValueError, match="longest"):
        detection.resized(ink, 0)


def test_overlaps_by_hand():
    a = [[0, 0, 4, 4], [0, 0, 2, 1], [1, 1, 1, 3]]
    b = [[2, 2, 6, 6], [4, 0, 8, 4], [0, 0, 4, 4], [1, 1, 1, 3]]
    expected = [[1 / 7, 0, 1, 0], [0, 0, 1 / 8, 0], [0, 0, 0, 0]]
    assert np.allclose(detection.iou(a, b), expected)
    assert detection.iou([], b).shape == (0, 4) and detection.iou(b, []).shape == (4, 0)
    for bad in ([0, 0, 1, 1], [[0, 0, 1]], [[0, 0, np.nan, 1]], [[2, 0, 1, 1]]):
        with pytest.raises(ValueError, match="rows of 4|left, top"):
            detection.iou(bad, b)


def test_overlaps_agree_with_pycocotools():
    from pycocotools import mask

    a, b = (random_rows(40, 1, 1, seed=s)[:, 3:] for s in (1, 2))
    wide = [np.hstack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]]) for boxes in (a, b)]
    theirs = mask.iou(*wide, [0] * 40)
    assert np.allclose(detection.iou(a, b), theirs) and (theirs > 0.3).any()


def test_suppression_by_hand():
    boxes = [[0, 0, 10, 10], [0, 0, 10, 8], [20, 0, 30, 10], [0, 0, 10, 5]]
    scores = [0.5, 0.9, 0.2, 0.8]  # 1 and 3 have IoU 0.625, 0 and 1 have 0.8
    assert detection.suppress(boxes, scores, 0.5).tolist() == [1, 2]
    assert detection.suppress(boxes, scores, 0.7).tolist() == [1, 3, 2]
    assert detection.suppress(boxes, scores, 0.8).tolist() == [1, 3, 0, 2]
    # What was removed removes nothing itself: 0 and 3 have IoU 0.5.
    assert detection.suppress(boxes, [0.7, 0.9, 0.2, 0.1], 0.49).tolist() == [1, 2]
    assert detection.suppress(boxes, [1, 1, 1, 1], 1.0).tolist() == [0, 1, 2, 3]
    assert detection.suppress([], []).shape == (0,)
    for bad in ([0.5], [0.1, 0.2, 0.3, np.nan]):
        with pytest.raises(ValueError, match="scores"):
            detection.suppress(boxes, bad)


def test_a_removed_box_removes_nothing():
    row = [[0, 0, 10, 10], [4, 0, 14, 10], [8, 0, 18, 10]]  # a chain: 0.43, 0.43, 0.11
    assert detection.suppress(row, [0.9, 0.8, 0.7], 0.4).tolist() == [0, 2]


def test_matches_by_hand():
    truth = [[0, 1, 0, 0, 10, 10], [0, 1, 8, 0, 18, 10], [1, 1, 0, 0, 10, 10]]
    found = [
        [0, 1, 0.5, 0, 0, 10, 10],  # taken already by the next, which is surer
        [0, 1, 0.9, 0, 0, 10, 9],
        [0, 2, 0.8, 8, 0, 18, 10],  # the wrong class
        [0, 1, 0.7, 9, 0, 18, 10],
        [1, 1, 0.6, 0, 0, 10, 4.9],  # overlaps too little
        [2, 1, 0.6, 0, 0, 10, 10],  # the wrong scene
    ]
    assert detection.matched(found, truth).tolist() == [-1, 0, -1, 1, -1, -1]
    assert detection.matched(found, truth, 0.49).tolist() == [-1, 0, -1, 1, 2, -1]
    assert detection.matched([], truth).shape == (0,)
    assert detection.matched(found, []).max() == -1
    with pytest.raises(ValueError, match="found: rows of 7"):
        detection.matched(truth, truth)


def test_average_precision_by_hand():
    pair = detection.precision_recall([True, True, False], [0.9, 0.7, 0.8], 2)
    assert np.allclose(pair, [[0.5, 0.5, 1], [1, 0.5, 2 / 3]])
    assert np.isclose(detection.average_precision(*pair), 5 / 6)
    points = [0, 0.5, 0.6, 1]
    assert np.isclose(detection.average_precision(*pair, points), (2 + 4 / 3) / 4)
    assert detection.average_precision([], []) == 0
    assert detection.average_precision([], [], [0, 1]) == 0
    for bad in (([True], [0.5], 0), ([True], [0.5, 0.4], 1)):
        with pytest.raises(ValueError, match="hits"):
            detection.precision_recall(*bad)


def test_a_class_without_objects_has_no_precision():
    truth = [[0, 1, 0, 0, 10, 10], [0, 2, 0, 0, 10, 10]]
    found = [[0, 1, 0.5, 0, 0, 10, 10], [0, 0, 0.9, 0, 0, 10, 10]]
    found = detection.class_precisions(found, truth, 4)
    assert np.array_equal(found, [np.nan, 1, 0, np.nan], equal_nan=True)


def judged(found, truth, n_scenes, n_classes):
    """pycocotools' precision at ten demands, for each class: (10, n_classes)."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    def rows(table, first):
        for i, row in enumerate(table):
            w, h = row[first + 2 :] - row[first : first + 2]
            box = [*row[first : first + 2], w, h]
            yield {"id": i + 1, "image_id": int(row[0]), "category_id": int(row[1])} | {
                "bbox": box, "area": w * h, "iscrowd": 0, "score": row[2],
            }  # fmt: skip

    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "images": [{"id": i} for i in range(n_scenes)],
            "categories": [{"id": k} for k in range(n_classes)],
            "annotations": list(rows(truth, 2)),
        }
        coco.createIndex()
        judge = COCOeval(coco, coco.loadRes(list(rows(found, 3))), "bbox")
        judge.evaluate()
        judge.accumulate()
    return judge.eval["precision"][..., 0, -1].mean(1)


def test_average_precision_agrees_with_pycocotools():
    truth = random_rows(200, 30, 3, score=False)
    found = np.vstack([random_rows(300, 30, 3, seed=4)] * 2)
    shifted = truth[:, [0, 1, 0, 2, 3, 4, 5]] + RNG.normal(0, 2, (200, 7))
    shifted[:, :2], shifted[:, 2] = truth[:, :2], RNG.uniform(size=200)
    found[:200] = shifted  # hits, random boxes and doubles of these
    points, theirs = np.linspace(0, 1, 101), judged(found, truth, 30, 3)
    ours = [
        detection.class_precisions(found, truth, 3, least, points)
        for least in np.linspace(0.5, 0.95, 10)
    ]
    assert np.abs(ours - theirs).max() < 1e-9
    assert 0.2 < theirs[0].mean() < 0.9 and theirs[-1].mean() < theirs[0].mean()
