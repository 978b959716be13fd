"""MovieLens-100k: 100,000 ratings of 1,682 films by 943 people, with their dates.

The files come inside the package recbole, which is installed without what it needs
and never imported. Their licence allows research; nothing may be passed on.
Source: Harper and Konstan (2015), "The MovieLens Datasets: History and Context",
ACM Transactions on Interactive Intelligent Systems 5(4).
"""

from importlib.util import find_spec
from pathlib import Path

import pandas as pd

INSTALL = "pip install --no-deps recbole==1.2.1"
COUNT = 100_000
NAMES = {"user_id": "user", "item_id": "item", "timestamp": "time"}


def movielens() -> pd.DataFrame:
    """The ratings in the order in which they were given.

    Returns:
        one row a rating: ``user`` and ``item`` count from 0, ``rating`` is 1 to 5
        stars, ``time`` in seconds since 1970.
    Raises ModuleNotFoundError, with the command, where the files are not installed;
    ValueError where there are other than 100,000 ratings.
    """
    table = _read("inter")[["user", "item", "rating", "time"]].astype("int64")
    if len(table) != COUNT:
        raise ValueError(
            f"{len(table):,} ratings instead of {COUNT:,}; reinstall: {INSTALL}"
        )
    table[["user", "item"]] -= 1
    return table.sort_values(["time", "user", "item"], ignore_index=True)


def titles() -> pd.Series:
    """Title of every film by its ``item``, which counts from 0.

    Raises ModuleNotFoundError, with the command, where the files are not installed.
    """
    films = _read("item").set_index("item")["movie_title"]
    return films.set_axis(films.index.astype("int64") - 1).sort_index()


def people() -> pd.DataFrame:
    """``age`` in years, ``gender`` and ``occupation`` of every ``user``, from 0.

    Raises ModuleNotFoundError, with the command, where the files are not installed.
    """
    found = _read("user").astype({"user": "int64", "age": "int64"})
    found["user"] -= 1
    return found.set_index("user").sort_index()[["age", "gender", "occupation"]]


def films() -> pd.DataFrame:
    """``year`` of release and ``genres``, words in one text, of every ``item``, from 0.

    A year or a genre that is not known is missing (NaN).
    Raises ModuleNotFoundError, with the command, where the files are not installed.
    """
    found = _read("item").rename(columns={"release_year": "year", "class": "genres"})
    found["item"] = found["item"].astype("int64") - 1
    found["year"] = pd.to_numeric(found["year"], errors="coerce")
    found["genres"] = found["genres"].where(found["genres"] != "unknown")
    return found.set_index("item").sort_index()[["year", "genres"]]


def _read(kind) -> pd.DataFrame:
    """A file of the data set, all columns as text, without the types in their names."""
    package = find_spec("recbole")
    if package is None:
        raise ModuleNotFoundError(f"the ratings are not installed: run `{INSTALL}`")
    folder = Path(package.submodule_search_locations[0]) / "dataset_example/ml-100k"
    table = pd.read_csv(folder / f"ml-100k.{kind}", sep="\t", dtype=str)
    return table.rename(columns=lambda name: name.split(":")[0]).rename(columns=NAMES)
