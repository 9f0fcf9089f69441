"""Parquet of a BATCH that is what its table holds is loaded as it lies."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from watershed_target_redshift.exceptions import StagingError

pytestmark = pytest.mark.redshift

COLUMNS = {"id": {"type": ["integer", "null"]}, "name": {"type": ["string", "null"]}}
ROWS = [(1, "a"), (2, None), (3, "ü")]
AT = "2026-03-01T10:00:00+00:00"


@pytest.fixture
def parquet(tmp_path):
    """Write rows to a file, as our taps do."""

    def write(rows, names=("name", "id")):
        table = pa.table({"name": [name for _, name in rows], "id": [number for number, _ in rows]})
        path = tmp_path / "rows.parquet"
        table = table.select(names).replace_schema_metadata({"watershed_extracted_at": AT})
        pq.write_table(table, path)
        return path

    return write


@pytest.fixture
def loaded(loader, singer, interfere):
    """Load a file; give the addresses that COPY was told."""

    def load(file, **config):
        addresses = []

        def read_manifest(_):
            key = max(key for key in loader.staged() if key.endswith("manifest"))  # the last one's
            body = loader.s3.get_object(Bucket=loader.bucket, Key=key)["Body"].read()
            addresses.extend(entry["url"] for entry in json.loads(body)["entries"])

        interfere("copy", read_manifest)
        loader.load(
            singer.schema("shop-orders", **COLUMNS), singer.batch("shop-orders", file), **config
        )
        return addresses

    return load


@pytest.fixture
def in_bucket(loader, parquet):
    """Leave rows in the bucket."""

    def put(key, rows):
        loader.s3.put_object(Bucket=loader.bucket, Key=key, Body=parquet(rows).read_bytes())
        return f"s3://{loader.bucket}/{key}"

    return put


def rows(loader):
    return loader.rows("select id, name from {raw}.orders order by id")


def test_a_file_in_the_staging_bucket_is_not_moved_again(loader, loaded, in_bucket):
    url = in_bucket(f"{loader.prefix}/tap/rows.parquet", ROWS)
    assert loaded(url) == [url]
    assert rows(loader) == ROWS
    assert loader.staged() == [], "what lies under our prefix is ours to delete"


def test_a_file_outside_of_our_prefix_stays(loader, loaded, in_bucket):
    url = in_bucket("lake/rows.parquet", ROWS)
    assert loaded(url) == [url]
    assert rows(loader) == ROWS
    assert loader.staged() == ["lake/rows.parquet"]


def test_a_file_in_another_bucket_is_refused_in_one_line(loader, loaded):
    with pytest.raises(StagingError, match="is not in the staging bucket"):
        loaded("s3://elsewhere/rows.parquet")
    assert loader.staged() == []


def test_a_missing_file_is_one_line(loader, loaded):
    with pytest.raises(StagingError, match=r"refuses: .*404"):
        loaded(f"s3://{loader.bucket}/{loader.prefix}/none.parquet")


def test_a_local_file_travels_as_it_is(loader, loaded, parquet):
    file = parquet(ROWS)
    (address,) = loaded(file)
    assert address.endswith("/rows.parquet")
    assert rows(loader) == ROWS
    stamps = loader.one(
        "select count(distinct _sdc_received_at), min(_sdc_sequence), max(_sdc_deleted_at), "
        "cast(min(_sdc_extracted_at) as varchar) from {raw}.orders"
    )
    assert stamps[0] == 1
    assert stamps[1] > 0
    assert stamps[2] is None
    assert stamps[3] == "2026-03-01 10:00:00+00"


@pytest.mark.parametrize("is_in_bucket", [True, False])
def test_a_file_that_holds_a_key_twice_is_written_anew(
    loader, loaded, in_bucket, parquet, is_in_bucket
):
    doubled = [*ROWS, (1, "last")]
    file = (
        in_bucket(f"{loader.prefix}/tap/rows.parquet", doubled)
        if is_in_bucket
        else parquet(doubled)
    )
    (address,) = loaded(file)
    assert address.endswith("/data_0.parquet")
    assert rows(loader) == [(1, "last"), *ROWS[1:]]
    assert loader.staged() == []


def test_a_file_that_lacks_a_column_is_written_anew(loader, loaded, parquet):
    (address,) = loaded(parquet(ROWS, names=["id"]))
    assert address.endswith("/data_0.parquet")
    assert rows(loader) == [(number, None) for number, _ in ROWS]


def test_rows_that_are_there_already_are_not_written_again(loader, loaded, parquet):
    loaded(parquet(ROWS))
    loaded(parquet([*ROWS[:2], (3, "new"), (4, "more")]))
    assert rows(loader) == [*ROWS[:2], (3, "new"), (4, "more")]
    found = loader.one(
        "select sum(rows_inserted), sum(rows_updated), sum(rows_unchanged) "
        "from ops.loads where {mine}"
    )
    assert found == (4, 1, 2)
