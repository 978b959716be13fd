"""Six hundred small networks as one batched model, beside a plain loop over them.

200 settings × 3 seeds, equal steps, no metrics on either side. Both sides run in one
process in interleaved rounds; what counts is the median ratio. The plain loop trains
12 of the 600 runs, three of each optimiser, and is scaled. Peak memory is measured in
a fresh process for each side, which trains the same runs once. Run with ``make bench``.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys

LIMITS = {"sweep-digits": 12, "sweep-moons": 25}  # promised: times as fast
THREADS = 2


def memory(case, side):
    """MiB at the end of the imports and at the peak, of a process of its own."""
    command = [sys.executable, __file__, "--memory", case, side]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def measure_memory(case, side):
    import peers_sweep

    before = peak()
    peers_sweep.SIDES[side](*peers_sweep.problem(case))
    print(json.dumps([before, peak()]))


def peak():
    """The greatest resident memory of this process so far, in MiB."""
    import resource

    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def measure(case, repetitions):
    """Seconds of both sides in each round."""
    import peers_sweep
    import torch

    torch.set_num_threads(THREADS)
    seconds = {side: [] for side in peers_sweep.SIDES}
    for repetition in range(repetitions + 1):
        last = {}
        for side, train in peers_sweep.SIDES.items():
            taken, last[side] = train(*peers_sweep.problem(case))
            if repetition > 0:  # the first round warms caches
                seconds[side].append(taken)
        check(last)
        print(f"{case}: round {repetition} of {repetitions}", flush=True)
    return seconds


def check(last):
    """Both sides must have done the same work: their last losses agree."""
    far = [
        key
        for key, loss in last["plain"].items()
        if abs(last["batched"][key] - loss) > 0.02 * loss + 1e-3
    ]
    if len(far) > 1:  # in float32, a run at the edge of stability may drift
        raise SystemExit(f"the two sides end with different losses: {far}")


def rows_of(case, peaks, repetitions):
    seconds = measure(case, repetitions)
    pairs = zip(seconds["batched"], seconds["plain"], strict=True)
    ratio = statistics.median(ours / theirs for ours, theirs in pairs)
    return [
        {
            "bench": case,
            "entry": side,
            "seconds": statistics.median(seconds[side]),
            "reference": "plain",
            "ratio": ratio if side == "batched" else 1.0,
            "peak_mib": peaks[side][1],
            "above_imports_mib": peaks[side][1] - peaks[side][0],
        }
        for side in seconds
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--memory", nargs=2, metavar=("CASE", "SIDE"))
    options = parser.parse_args()
    os.environ["COURSE_UTILS_QUIET"] = "1"
    if options.memory:
        return measure_memory(*options.memory)
    # Before anything is imported here: a child starts with its parent's peak.
    sides = ("batched", "plain")
    peaks = {case: {side: memory(case, side) for side in sides} for case in LIMITS}
    rows = [
        row
        for case in LIMITS
        for row in rows_of(case, peaks[case], options.repetitions)
    ]
    heads = f"{'side':9}{'seconds':>9}{'times as fast':>15}{'peak MiB':>10}"
    print(f"\n{'600 runs':14}{heads}")
    for row in rows:
        fast, limit = 1 / row["ratio"], LIMITS[row["bench"]]
        note = f"   at least {limit}" if row["entry"] == "batched" else ""
        print(
            f"{row['bench']:14}{row['entry']:9}{row['seconds']:9.2f}{fast:15.1f}"
            f"{row['peak_mib']:7.0f} (+{row['above_imports_mib']:.0f}){note}"
        )
    print("\nplain: 12 of the runs, scaled; (+…): above the imports")
    from record import keep

    keep(rows)


if __name__ == "__main__":
    main()
