"""The training loops beside their peers: one network, one data set, same batches.

Every entry trains the 784-128-10 network on the packaged MNIST with Adam for the
same epochs as its group, in one process, in interleaved repetitions, so that a busy
moment of the machine strikes all alike. What counts is the ratio to the reference,
the first entry of the group.

Lightning and skorch are timed with their usual loaders and, in a second row, fed
with the very batches of the index loop. Run with ``make bench``.
"""

import argparse
import logging
import os
import statistics
import time
import warnings

os.environ["COURSE_UTILS_QUIET"] = "1"  # no progress bars while the clock runs

import peers_torch  # noqa: E402  (torch before tensorflow)
from record import keep  # noqa: E402

import peers_tf  # noqa: E402, isort: skip

from course_utils import data  # noqa: E402

BAND = (0.90, 0.95)  # test accuracy that every entry must reach
LIMITS = {  # what the project promises: entry -> largest ratio to its reference
    "course_utils.training_torch": 1.05,
    "course_utils.training_tf": 0.50,
}


def measure(groups, dataset, repetitions):
    """Seconds of each entry in each repetition, and its test accuracies."""
    entries = [
        (name, entry, epochs)
        for group, epochs in groups
        for name, entry in group.items()
    ]
    seconds = {name: [] for name, _, _ in entries}
    accuracy = {}
    for repetition in range(repetitions + 1):
        for name, (prepare, score), epochs in entries:
            job, model = prepare(dataset, epochs, seed=repetition)
            started = time.perf_counter()
            job()
            taken = time.perf_counter() - started
            if repetition > 0:  # the first round warms caches and compilers
                seconds[name].append(taken)
            accuracy.setdefault(name, []).append(score(model, dataset.test))
        print(f"round {repetition} of {repetitions}", flush=True)
    return seconds, accuracy


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=9)
    options = parser.parse_args()
    # Both libraries advise on loaders and devices, which is not what is measured.
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="lightning")
    dataset = data.mnist()
    # TensorFlow's entries compile first; 100 epochs show what a long run costs.
    groups = [(peers_torch.ENTRIES, 20), (peers_tf.ENTRIES, 100)]
    seconds, accuracy = measure(groups, dataset, options.repetitions)
    rows = []
    for group, _ in groups:
        reference = next(iter(group))
        base = statistics.median(seconds[reference])
        for name in group:
            median = statistics.median(seconds[name])
            rows.append(
                {
                    "bench": "mlp-mnist",
                    "entry": name,
                    "seconds": median,
                    "reference": reference,
                    "ratio": median / base,
                }
            )
    print(f"\n{'entry':44}{'seconds':>9}{'ratio':>8}{'test accuracy':>18}")
    for row in rows:
        low, high = min(accuracy[row["entry"]]), max(accuracy[row["entry"]])
        limit = LIMITS.get(row["entry"])
        note = f"   limit {limit}" if limit else ""
        print(
            f"{row['entry']:44}{row['seconds']:9.2f}{row['ratio']:8.2f}"
            f"{low:10.3f}–{high:.3f}{note}"
        )
    for name, values in accuracy.items():
        if not BAND[0] <= statistics.mean(values) <= BAND[1]:
            raise SystemExit(f"{name}: accuracy {values} outside {BAND}")
    print("\nratio = median seconds over those of the group's first entry")
    keep(rows)


if __name__ == "__main__":
    main()
