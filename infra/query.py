"""``make query SQL=…``: DuckDB over the archive, as a convenience. The view ``ticks`` holds all archived trades.

Objects are copied into the state folder first, each only once per version, and read from there: DuckDB's own reader of
S3 is an extension that it would have to download.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from quant.errors import QuantError, SettingError
from quant.settings import Settings

EXAMPLE = (
    "select symbol, date, count(*) as trades, sum(price * quantity) as turnover from ticks group by all order by all"
)


def main(sql: str) -> int:
    try:
        settings = Settings.load()
        folder = settings.state_dir / "archive-copy"
        copied = copy(client_and_bucket(settings), folder)
        show(sql.strip() or EXAMPLE, folder, copied)
    except QuantError as exc:
        print(exc, file=sys.stderr)
        return 2
    return 0


def client_and_bucket(settings: Settings) -> tuple[Any, str]:
    """The archive; endpoint and credentials come from the environment.

    Raises:
        SettingError: no archive is named.
    """
    import boto3

    if not settings.archive_bucket:
        raise SettingError("ARCHIVE_BUCKET", "must name the archive, or a local run must be active (make run)")
    return boto3.client("s3"), settings.archive_bucket


def copy(source: tuple[Any, str], folder: Path) -> int:
    """Fetch what is new or has changed; how many objects there are."""
    client, bucket = source
    count = 0
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="ticks/"):
        for found in page.get("Contents", []):
            path = folder / bucket / found["Key"]
            version = path.with_suffix(".etag")
            if not version.exists() or version.read_text() != found["ETag"]:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(client.get_object(Bucket=bucket, Key=found["Key"])["Body"].read())
                version.write_text(found["ETag"])
            count += 1
    return count


def show(sql: str, folder: Path, count: int) -> None:
    """Run a query and print its rows.

    Raises:
        SettingError: DuckDB cannot run it.
    """
    import duckdb

    if not count:
        print("the archive is empty: the first hour is archived two minutes after it is over")
        return
    database = duckdb.connect()
    pattern = f"{folder}/*/ticks/**/*.parquet"
    database.execute(f"create view ticks as select * from read_parquet('{pattern}', hive_partitioning = true)")
    try:
        database.sql(sql).show()
    except duckdb.Error as exc:
        raise SettingError("SQL", f"cannot be run: {exc}") from exc


if __name__ == "__main__":
    sys.exit(main(" ".join(sys.argv[1:])))
