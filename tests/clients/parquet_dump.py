"""What DuckDB and pyarrow read from Parquet files, for a test: `parquet_dump.py types FILE`, `parquet_dump.py rows FILE-OR-FOLDER`.

The types are one JSON object: column to what DuckDB and pyarrow call it. Rows are told as text, every value of every column, by both.
"""

import json
import sys
from pathlib import Path

import duckdb
import pyarrow.parquet as parquet


def types(file):
    arrow = {field.name: str(field.type) for field in parquet.read_schema(file)}
    described = duckdb.sql(f"DESCRIBE SELECT * FROM read_parquet('{file}')").fetchall()
    duck = {name: kind for name, kind, *_ in described}
    assert list(arrow) == list(duck), (arrow, duck)
    print(json.dumps({name: [duck[name], arrow[name]] for name in arrow}))


def rows(place):
    files = [place] if place.is_file() else sorted(place.rglob("*.parquet"))
    for file in files:
        table = parquet.read_table(file, partitioning=None).to_pylist()
        relation = duckdb.sql(f"SELECT * FROM read_parquet('{file}', hive_partitioning = false)")
        found = relation.to_arrow_table().to_pylist()
        assert len(table) == len(found), file
        for row, other in zip(table, found):
            print(json.dumps({"file": str(file), **row}, default=str, ensure_ascii=False))
            print(json.dumps(other, default=str, ensure_ascii=False))


if __name__ == "__main__":
    {"types": types, "rows": rows}[sys.argv[1]](Path(sys.argv[2]))
