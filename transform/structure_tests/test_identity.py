"""People in three systems against the generator's truth, on a seed the rules were not made with."""

import csv
import json
from collections import Counter
from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dbt.contracts.graph.manifest import Manifest

from watershed_demo import DEFAULT_SEED
from watershed_demo.identity import write_identity_truth

pytestmark = pytest.mark.model

Entry = tuple[str, str]

LEAST_RECALL = 0.95
LEAST_PRECISION = 0.98


@pytest.fixture(scope="module")
def truth(company: tuple[float, int], tmp_path_factory: pytest.TempPathFactory) -> dict[Entry, str]:
    """Who stands behind each entry that names somebody."""
    scale, seed = company
    assert seed != DEFAULT_SEED
    file = tmp_path_factory.mktemp("truth") / "identity_truth.csv"
    write_identity_truth(file, scale=scale, seed=seed, day=0)
    with file.open() as lines:
        return {
            (row["system"], row["source_id"]): row["person_id"] for row in csv.DictReader(lines)
        }


@pytest.fixture(scope="module")
def found(built_warehouse: Path) -> dict[Entry, int]:
    """Who the warehouse thinks stands behind each entry."""
    with duckdb.connect(str(built_warehouse), read_only=True) as connection:
        rows = connection.sql("""
            select source_system || '-' || source_entity, source_id, customer_id
            from marts.bridge_customer_identities
        """).fetchall()
    return {(system, plain_id(system, source_id)): person for system, source_id, person in rows}


def plain_id(system: str, source_id: str) -> str:
    """Write a document's key as the generator does: without types."""
    if system not in {"web-reviews", "web-support_tickets"}:
        return source_id
    kind, _, key = source_id.partition(":")
    if kind != "object":
        return key
    plain = {
        name: int(value["$numberInt"]) if isinstance(value, dict) else value
        for name, value in json.loads(key).items()
    }
    return json.dumps(plain, separators=(",", ":"))


def pairs(labels: Iterable[Hashable]) -> int:
    """Count the pairs of entries that bear the same label."""
    return sum(size * (size - 1) // 2 for size in Counter(labels).values())


def test_people_are_found_again_and_not_mixed_up(
    truth: dict[Entry, str], found: dict[Entry, int]
) -> None:
    """R-5: an entry the warehouse leaves out is somebody by themselves."""
    labels = [(person, found.get(entry, entry)) for entry, person in truth.items()]
    true_pairs = pairs(person for person, _ in labels)
    found_pairs = pairs(label for _, label in labels)
    agreed = pairs(labels)
    assert true_pairs > 3_000
    assert agreed / true_pairs >= LEAST_RECALL
    assert agreed / found_pairs >= LEAST_PRECISION


@pytest.mark.parametrize(("one", "other"), [("shop", "crm"), ("shop", "web"), ("crm", "web")])
def test_people_are_found_across_each_pair_of_systems(
    one: str, other: str, truth: dict[Entry, str], found: dict[Entry, int]
) -> None:
    def entries(wanted: str) -> Counter[tuple[str, int | None]]:
        return Counter(
            (person, found.get(entry))
            for entry, person in truth.items()
            if entry[0].startswith(f"{wanted}-")
        )

    left, right = entries(one), entries(other)
    people: Counter[str] = Counter()
    for (person, _), count in right.items():
        people[person] += count
    true_pairs = sum(count * people[person] for (person, _), count in left.items())
    agreed = sum(count * right[label] for label, count in left.items())
    assert true_pairs > 500
    assert agreed / true_pairs >= LEAST_RECALL


def test_all_entries_and_no_others_are_people(
    truth: dict[Entry, str], found: dict[Entry, int]
) -> None:
    assert not found.keys() - truth.keys()
    assert len(truth.keys() - found.keys()) < len(truth) / 1000


def test_a_person_keeps_the_number_while_entries_come(
    warehouse: Path, invoke: Any, manifest: Manifest
) -> None:
    """An entry that makes two people one leaves one number; the bridge knows the other."""
    numbers = "select identity_id, customer_id from marts.bridge_customer_identities"
    with duckdb.connect(str(warehouse)) as connection:
        before = dict(connection.sql(numbers).fetchall())
        # Two contacts whom the shop does not know, hence with numbers of their own.
        (first_email, _), (_, second_id) = connection.sql("""
            select email, customer_id
            from marts.dim_customers
            where
                is_current
                and has_crm
                and not has_shop
                and email is not null
                and phone is not null
                and full_name is not null
            order by customer_id
            limit 2
        """).fetchall()
        connection.execute(
            """
            insert into raw_crm.contacts
            by name
            select
                (select max(contact_id) + 1 from raw_crm.contacts) as contact_id,
                $1 as email,
                phone,
                full_name,
                timestamp '2026-07-01' as created_at,
                timestamptz '2026-07-01 00:00:00+00' as updated_at
            from marts.dim_customers
            where customer_id = $2 and is_current
            """,
            [first_email, second_id],
        )
    selection = ("--select", "+bridge_customer_identities")
    assert invoke(warehouse, "run", *selection, manifest=manifest).success
    with duckdb.connect(str(warehouse)) as connection:
        after = dict(connection.sql(numbers).fetchall())
        changed = {key for key in before if before[key] != after[key]}
        old = {before[key] for key in changed}
        new = {after[key] for key in changed}
        told = connection.execute(
            "select distinct customer_id from marts.bridge_customer_identities"
            " where own_customer_id in (select unnest($1))",
            [list(old)],
        ).fetchall()
    assert len(old) == len(new) == 1
    assert min(new) < min(old)
    assert {number for (number,) in told} == new
