# SPDX-License-Identifier: GPL-2.0-only
"""`fleet report` and `fleet query`."""
import sys

import duckdb

import questions
import rendering
import results
import tables


def report(options):
    """Exit status: 0; 3 when some captures are not trusted; of two sets, 2 where something became worse and that was asked."""
    if len(options.sets) > 2:
        sys.exit("fleet: one set, or an old and a new one")
    try:
        return compared(options) if len(options.sets) == 2 else told(options)
    except (tables.NoResults, duckdb.Error) as error:
        sys.exit("fleet: " + str(error).split("\n")[0])


def told(options):
    connection = tables.opened(options.sets[0])
    if options.parquet:
        tables.save(connection, options.parquet)
    title, trusted = headline(connection)
    deliver(title, answered(connection, questions.QUESTIONS), options)
    return 0 if trusted else 3


def headline(connection):
    captures, trusted, hosts, kernels, tools, hours = connection.execute(
        "SELECT count(*), count(*) FILTER (trusted), count(DISTINCT host), count(DISTINCT kernel), count(DISTINCT tool), "
        "sum(trusted_ns) FILTER (trusted) / 3.6e12 FROM captures").fetchone()
    title = "%s of %s captures trusted, %s trusted hours; hosts: %s, kernels: %s" % tuple(
        map(rendering.words, (trusted, captures, hours or 0, hosts, kernels)))
    if tools > 1:
        title += "; made by %d versions of the program, whose counts may differ" % tools
    return title, trusted == captures


def compared(options):
    connection = duckdb.connect()
    for schema, out in zip(("old", "new"), options.sets):
        tables.opened(out, connection, schema)
    answers = answered(connection, questions.CHANGES)
    worse = sum(row[0] == "worse" for _, _, _, rows in answers for row in rows)
    deliver("%d rows became worse from %s to %s" % (worse, *options.sets), answers, options)
    return 2 if worse and options.fail_on_worse else 0


def answered(connection, asked):
    answers = []
    for question in asked:
        cursor = connection.execute(question.sql)
        names, rows = [column[0] for column in cursor.description], cursor.fetchall()
        if rows:
            answers.append((question.title, question.note, names, rows))
    return answers


def deliver(title, answers, options):
    title = rendering.visible(title)
    if options.html:
        results.put(options.html, rendering.page(title, answers).encode())
        sys.stderr.write("fleet: wrote %s\n" % options.html)
        return
    print(title + "\n")
    print("\n".join(rendering.text(*answer) for answer in answers), end="")


def query(options):
    try:
        connection = tables.opened(options.out)
        cursor = connection.execute(options.sql)
    except (tables.NoResults, duckdb.Error) as error:
        sys.exit("fleet: " + str(error).split("\n")[0])
    names = [column[0] for column in cursor.description]
    print(rendering.text("", "", names, cursor.fetchall()).split("\n", 1)[1], end="")
    return 0
