"""Where the benchmarks keep their rows: one file, each writes only its own."""

import json
from pathlib import Path

FILE = Path("_build/bench.json")


def keep(rows: list[dict]) -> None:
    """Write rows in place of those that the same benchmarks left; others stay."""
    try:
        old = json.loads(FILE.read_text())
    except (OSError, json.JSONDecodeError):
        old = []  # the first benchmark to end, or one that was cut off
    names = {row["bench"] for row in rows}
    rows = [row for row in old if row["bench"] not in names] + rows
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(rows, indent=1) + "\n")
    print(f"written to {FILE}")
