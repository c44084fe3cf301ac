# SPDX-License-Identifier: GPL-2.0-only
"""Results as tables of DuckDB: made from NDJSON, or taken from the Parquet files of an earlier report."""
import glob
import json
import os
import tempfile

import duckdb

LARGEST_LINE = 256 << 20
COLUMNS = {
    "file": "VARCHAR", "type": "VARCHAR", "name": "VARCHAR", "kernel": "VARCHAR", "command": "VARCHAR[]", "records": "UBIGINT",
    "span_ns": "UBIGINT", "limits": "VARCHAR[]", "trust": "JSON", "id": "VARCHAR", "checks": "UBIGINT",
    "verdicts": "JSON", "costs": "JSON", "states": "JSON", "encoding": "VARCHAR", "verdict": "VARCHAR",
    "certainty": "VARCHAR", "rule": "VARCHAR", "transition": "VARCHAR", "order": "INTEGER", "count": "UBIGINT",
    "first_seq": "UBIGINT", "mm": "UINTEGER", "addr": "VARCHAR", "pfn": "UBIGINT", "figures": "JSON",
    "severity": "VARCHAR", "denominators": "JSON", "verify": "JSON", "capture": "VARCHAR", "host": "VARCHAR",
    "tool": "VARCHAR", "workload": "VARCHAR", "thp": "VARCHAR", "mthp": "JSON",
}
TABLES = ("captures", "encodings", "verdicts", "costs", "states", "divergences", "audits", "gaps", "failures")

NUMBER = "CAST(json_extract(%s, '$.%s') AS UBIGINT)"
SUM = " + ".join("coalesce(%s, 0)" % (NUMBER % ("s.verify", kind + ".%s")) for kind in (
    "decisions", "entries", "pages", "tables", "scans"))


def each(source, column, key):
    """A row per name of an object: file, id or name, key, value."""
    return f"""SELECT file, subject, one AS {key}, json_extract(object, '$."' || one || '"') AS value
        FROM (SELECT file, {"id" if source == "encoding" else "name"} AS subject, {column} AS object, unnest(json_keys({column})) AS one
          FROM lines WHERE type = '{source}' AND {column} IS NOT NULL)"""


SQL = {
    "captures": f"""
        SELECT o.file, o.capture, o.host, o.kernel, o.tool,
          coalesce(o.workload, regexp_extract(c.command[1], '[^/]+$'), 'unknown') AS workload, o.thp,
          coalesce(o.thp, 'unknown') || coalesce((SELECT string_agg(' ' || k || '=' || json_extract_string(o.mthp, '$."' || k || '"'), '' ORDER BY k)
            FROM (SELECT unnest(json_keys(o.mthp)) AS k)), '') AS setting,
          c.name, array_to_string(c.command, ' ') AS command, c.records, c.span_ns, c.limits,
          json_extract_string(c.trust, '$.state') = 'trusted' AS trusted,
          list_distinct(CAST(json_extract_string(c.trust, '$.reasons[*].name') AS VARCHAR[])) AS reasons,
          {NUMBER % ("s.denominators", "trusted_ns")} AS trusted_ns, {NUMBER % ("s.denominators", "events")} AS events,
          {NUMBER % ("s.denominators", "checked_entries")} AS entries, {NUMBER % ("s.denominators", "forks")} AS forks,
          {NUMBER % ("s.denominators", "faults")} AS faults, {SUM.replace("%s", "checked")} AS checked,
          {SUM.replace("%s", "disagree")} AS disagree, {SUM.replace("%s", "unknown")} AS unknown,
          coalesce((SELECT sum(g.count) FROM lines g WHERE g.file = o.file AND g.type = 'gap' AND g.severity = 'doubt'), 0) AS doubts
        FROM lines o JOIN lines c ON c.file = o.file AND c.type = 'capture'
          JOIN lines s ON s.file = o.file AND s.type = 'summary'
        WHERE o.type = 'origin'""",
    "encodings": "SELECT file, id AS encoding, checks FROM lines WHERE type = 'encoding'",
    "verdicts": f"""
        SELECT file, subject AS encoding, verdict, json_type(value) = 'OBJECT' AS observable,
          coalesce(CAST(json_extract(value, '$.definite') AS UBIGINT), 0) AS definite,
          coalesce(CAST(json_extract(value, '$.possible') AS UBIGINT), 0) AS possible
        FROM ({each("encoding", "verdicts", "verdict")})""",
    "costs": f"""
        SELECT file, subject AS encoding, cost, json_type(value) <> 'VARCHAR' AS observable,
          CASE json_type(value) WHEN 'ARRAY' THEN CAST(json_extract(value, '$[0]') AS UBIGINT)
            WHEN 'VARCHAR' THEN NULL ELSE CAST(value AS UBIGINT) END AS low,
          CASE json_type(value) WHEN 'ARRAY' THEN CAST(json_extract(value, '$[1]') AS UBIGINT)
            WHEN 'VARCHAR' THEN NULL ELSE CAST(value AS UBIGINT) END AS high
        FROM ({each("encoding", "costs", "cost")})""",
    "states": f"""
        SELECT file, subject AS encoding, rule, CAST(json_extract(value, '$.checked') AS UBIGINT) AS checked,
          CAST(json_extract(value, '$.definite') AS UBIGINT) AS definite,
          CAST(json_extract(value, '$.possible') AS UBIGINT) AS possible
        FROM ({each("encoding", "states", "rule")})""",
    "divergences": """
        SELECT file, encoding, verdict, certainty, rule, transition, "order", count, first_seq, mm, addr, pfn
        FROM lines WHERE type = 'divergence'""",
    "audits": f"""
        SELECT file, subject AS audit, figure, json_type(value) <> 'VARCHAR' AS observable,
          CASE json_type(value) WHEN 'VARCHAR' THEN NULL ELSE CAST(value AS UBIGINT) END AS count
        FROM ({each("audit", "figures", "figure")})""",
    "gaps": "SELECT file, name AS gap, severity, count FROM lines WHERE type = 'gap'",
}


class NoResults(Exception):
    pass


def opened(out, connection=None, schema="main"):
    """A connection with the tables of OUT, which is a directory of results or of Parquet files."""
    connection = connection or duckdb.connect()
    connection.execute("CREATE SCHEMA IF NOT EXISTS %s; SET schema = '%s'" % (schema, schema))
    if os.path.exists(os.path.join(out, "captures.parquet")):
        for table in TABLES:
            connection.execute("CREATE TABLE %s AS SELECT * FROM read_parquet(?)" % table, [os.path.join(out, table + ".parquet")])
        return connection
    # Names of directories may hold what a pattern means something else by.
    pattern = os.path.join(glob.escape(out), "**", "capture=*.ndjson")
    files = sorted(glob.glob(pattern, recursive=True))
    if not files:
        raise NoResults("%s: no results: `fleet run` leaves capture=*.ndjson there" % out)
    with tempfile.NamedTemporaryFile(prefix="cowscope-fleet-", suffix=".ndjson") as all_lines:
        joined(files, all_lines)
        connection.execute(
            "CREATE TEMP TABLE lines AS SELECT * FROM read_json(?, columns = %r, format = 'newline_delimited', "
            "maximum_object_size = %d)" % (COLUMNS, LARGEST_LINE), [all_lines.name])
    for table, sql in SQL.items():
        connection.execute("CREATE TABLE %s AS %s" % (table, sql))
    failures(connection, os.path.join(out, "failures.ndjson"))
    connection.execute("DROP TABLE lines")
    whole = connection.execute("SELECT count(*) FROM captures").fetchone()[0]
    if whole != len(files):
        raise NoResults("%s: %d of %d results are not whole or do not say where they are from" % (out, len(files) - whole, len(files)))
    return connection


def joined(files, stream):
    """All lines of all files in one, each with its file: thousands of small files take DuckDB ten times as long."""
    for path in files:
        prefix = b'{"file":%s,' % json.dumps(path).encode()
        with open(path, "rb") as file:
            for line in file:
                if line.startswith(b'{"'):
                    stream.write(prefix + line[1:])
    stream.flush()


def failures(connection, path):
    connection.execute(
        "CREATE TABLE failures(\"at\" VARCHAR, path VARCHAR, host VARCHAR, reason VARCHAR, detail VARCHAR)")
    if os.path.exists(path) and os.path.getsize(path):
        connection.execute(
            "INSERT INTO failures SELECT \"at\", path, host, reason, detail FROM read_json(?, format = 'newline_delimited', columns = "
            "{'at': 'VARCHAR', 'path': 'VARCHAR', 'host': 'VARCHAR', 'reason': 'VARCHAR', 'detail': 'VARCHAR'})", [path])


def save(connection, directory):
    os.makedirs(directory, exist_ok=True)
    for table in TABLES:
        path = os.path.join(directory, table + ".parquet").replace("'", "''")
        connection.execute("COPY %s TO '%s' (FORMAT parquet)" % (table, path))
