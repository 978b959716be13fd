"""What every training run returns: a record of steps and epochs.

Knows neither framework: it holds plain Python numbers, goes to a table, and goes
to disk and back as JSON.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np


@dataclass
class History:
    """The record of one training run.

    Attributes:
        epochs: column name -> one value an epoch. Columns: ``epoch`` (from 1),
            ``train_loss``, ``validation_loss``, the metric under ``train_`` and
            ``validation_`` where the loss has one, ``learning_rate`` (of the
            epoch's last step) and ``seconds`` (training and validation).
        steps: column name -> one value a step. Columns: ``step`` (from 1),
            ``epoch``, ``loss`` (mean over the batch, before the update), the
            metric, ``learning_rate`` and ``seconds`` (its epoch's training time
            divided by the steps: a compiled epoch keeps no finer time).
        settings: how the run was made: optimiser, batch size, seed, device …
        stopped: why the run ended before its last epoch; empty if it did not.
    """

    epochs: dict[str, list] = field(default_factory=dict)
    steps: dict[str, list] = field(default_factory=dict)
    settings: dict = field(default_factory=dict)
    stopped: str = ""

    def add_epoch(self, row: dict) -> None:
        """Append one epoch's values, one number a column."""
        for name, value in row.items():
            self.epochs.setdefault(name, []).append(value)

    def add_steps(self, columns: dict) -> None:
        """Append one epoch's steps: column name -> sequence, all of one length."""
        for name, values in columns.items():
            self.steps.setdefault(name, []).extend(np.asarray(values).tolist())

    @property
    def last(self) -> dict:
        """The values of the last finished epoch; empty before the first."""
        return {name: values[-1] for name, values in self.epochs.items()}

    def frame(self, which: str = "epochs"):
        """The record as a pandas DataFrame, one row an epoch or one row a step.

        Raises:
            ValueError: if ``which`` is neither "epochs" nor "steps".
        """
        import pandas

        if which not in ("epochs", "steps"):
            raise ValueError(f'which must be "epochs" or "steps", not {which!r}')
        return pandas.DataFrame(getattr(self, which))

    def to_json(self) -> str:
        """The record as JSON text (NaN and Infinity as JavaScript writes them)."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "History":
        """The record that ``to_json`` wrote.

        Raises:
            ValueError: if the text is not such a record.
        """
        try:
            return cls(**json.loads(text))
        except (TypeError, json.JSONDecodeError) as error:
            raise ValueError(f"this is no saved History: {error}") from error

    def save(self, path) -> None:
        """Write the record to a JSON file."""
        Path(path).write_text(self.to_json())

    @classmethod
    def load(cls, path) -> "History":
        """Read a record that ``save`` wrote."""
        return cls.from_json(Path(path).read_text())
