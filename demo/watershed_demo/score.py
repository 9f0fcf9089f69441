"""How well a warehouse tells who is who, measured against the truth that it never sees."""

import csv
import json
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

Entry = tuple[str, str]
"""A stream and a key in it, e.g. ``("crm-contacts", "17")``."""

SYSTEMS = ("shop", "crm", "web")
OF_TYPED_KEYS = {"web-reviews", "web-support_tickets"}


@dataclass(frozen=True)
class Score:
    """Pairs of entries that are one person.

    Attributes:
        true_pairs: in truth.
        found_pairs: in the warehouse.
        agreed: in both.
    """

    true_pairs: int
    found_pairs: int
    agreed: int

    @property
    def recall(self) -> float:
        """The share of the true pairs that is found."""
        return self.agreed / self.true_pairs

    @property
    def precision(self) -> float:
        """The share of the found pairs that is true."""
        return self.agreed / self.found_pairs


def read_truth(file: Path) -> dict[Entry, str]:
    """Read who stands behind each entry that names somebody."""
    with file.open() as lines:
        return {
            (row["system"], row["source_id"]): row["person_id"] for row in csv.DictReader(lines)
        }


def read_found(warehouse: Path) -> dict[Entry, int]:
    """Read who the warehouse thinks stands behind each entry."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        rows = connection.sql("""
            select source_system || '-' || source_entity, source_id, customer_id
            from marts.bridge_customer_identities
        """).fetchall()
    return {(stream, _plain_key(stream, key)): person for stream, key, person in rows}


def score_all(truth: Mapping[Entry, str], found: Mapping[Entry, int]) -> Score:
    """Compare all pairs; an entry that the warehouse leaves out is somebody by themselves."""
    labels = [(person, found.get(entry, entry)) for entry, person in truth.items()]
    return Score(
        true_pairs=_pairs(person for person, _ in labels),
        found_pairs=_pairs(label for _, label in labels),
        agreed=_pairs(labels),
    )


def score_across(
    truth: Mapping[Entry, str], found: Mapping[Entry, int], one: str, other: str
) -> Score:
    """Compare the pairs of an entry of one system with one of another."""
    labels = {
        system: [
            (person, found.get(entry, entry))
            for entry, person in truth.items()
            if entry[0].startswith(f"{system}-")
        ]
        for system in (one, other)
    }
    return Score(
        true_pairs=_pairs_across(*([person for person, _ in labels[s]] for s in (one, other))),
        found_pairs=_pairs_across(*([label for _, label in labels[s]] for s in (one, other))),
        agreed=_pairs_across(labels[one], labels[other]),
    )


def _pairs(labels: Iterable[Hashable]) -> int:
    return sum(size * (size - 1) // 2 for size in Counter(labels).values())


def _pairs_across(left: Iterable[Hashable], right: Iterable[Hashable]) -> int:
    others = Counter(right)
    return sum(count * others[label] for label, count in Counter(left).items())


def _plain_key(stream: str, key: str) -> str:
    """Write a document's key as the generator does: without types."""
    if stream not in OF_TYPED_KEYS:
        return key
    kind, _, value = key.partition(":")
    if kind != "object":
        return value
    plain = {
        name: int(number["$numberInt"]) if isinstance(number, dict) else number
        for name, number in json.loads(value).items()
    }
    return json.dumps(plain, separators=(",", ":"))
