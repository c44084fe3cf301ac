# SPDX-License-Identifier: GPL-2.0-only
"""What the report asks. Counts are of trusted captures, unless a title says otherwise; a rate has its denominator."""
from typing import NamedTuple


class Question(NamedTuple):
    title: str
    note: str
    sql: str


DANGEROUS = "('UNSAFE', 'UNSAFE-io', 'DATA-LOSS', 'CONS-pin', 'LIVELOCK', 'I1-BREAK')"
SLOWER = "('CONS-copy', 'CONS-fault')"
# C-raw and A-or are instruments, today's kernel is the yardstick.
PROPOSAL = "NOT IN ('baseline', 'C-raw', 'A-or')"
SEVERITY = ("list_position(['UNSAFE', 'UNSAFE-io', 'DATA-LOSS', 'CONS-pin', 'LIVELOCK', 'I1-BREAK', 'CONS-copy', 'CONS-fault', "
            "'LOST', 'BETTER'], verdict)")


def rate(count, of, per=1_000_000):
    return "CASE WHEN sum(%s) > 0 THEN %d.0 * coalesce(sum(%s), 0) / sum(%s) END" % (of, per, count, of)


def among(counts):
    return ", ".join(
        "sum(v.%s) FILTER (v.verdict IN %s) AS %s_%s" % (certainty, kind, name, certainty)
        for name, kind in counts for certainty in ("definite", "possible"))


PER_ENCODING = f"""
    WITH found AS (
      SELECT e.file, e.encoding, any_value(e.checks) AS checks, {among((("bad", DANGEROUS), ("slow", SLOWER)))},
        sum(v.definite) FILTER (v.verdict = 'LOST') AS lost, bool_or(v.verdict IN {DANGEROUS} AND NOT v.observable) AS partly
      FROM encodings e LEFT JOIN verdicts v ON v.file = e.file AND v.encoding = e.encoding
      WHERE e.encoding {PROPOSAL} GROUP BY e.file, e.encoding)
    SELECT f.encoding, %s, count(*) FILTER (c.trusted) AS trusted, count(*) AS captures,
      sum(c.trusted_ns) FILTER (c.trusted) / 3.6e12 AS hours, sum(f.checks) FILTER (c.trusted) AS entries,
      {rate("CASE WHEN c.trusted THEN bad_definite END", "CASE WHEN c.trusted THEN f.checks END")} AS "dangerous/M",
      {rate("CASE WHEN c.trusted THEN bad_possible END", "CASE WHEN c.trusted THEN f.checks END")} AS "possibly/M",
      {rate("CASE WHEN c.trusted THEN slow_definite END", "CASE WHEN c.trusted THEN f.checks END")} AS "slower/M",
      {rate("CASE WHEN c.trusted THEN lost END", "CASE WHEN c.trusted THEN f.checks END")} AS "lost/M",
      {rate("CASE WHEN c.trusted THEN c.unknown + c.doubts END", "CASE WHEN c.trusted THEN c.checked + c.doubts END", 100)} AS "unknown %%",
      count(*) FILTER (c.trusted AND f.partly) AS "partly n/o"
    FROM found f JOIN captures c ON c.file = f.file GROUP BY ALL ORDER BY 1, 2"""

QUESTIONS = [
    Question("CAPTURES", "By workload; `unknown %` is the share of what the kernel showed about which the model had no opinion.", """
        SELECT workload, count(*) AS captures, count(*) FILTER (trusted) AS trusted,
          sum(trusted_ns) FILTER (trusted) / 3.6e12 AS hours, sum(entries) FILTER (trusted) AS entries, sum(forks) FILTER (trusted) AS forks,
          sum(faults) FILTER (trusted) AS faults,
          CASE WHEN sum(checked + doubts) > 0 THEN 100.0 * sum(unknown + doubts) / sum(checked + doubts) END AS "unknown %"
        FROM captures GROUP BY workload ORDER BY workload"""),
    Question("NOT TRUSTED", "Why, by number of captures; their counts are in no rate.", """
        SELECT unnest(reasons) AS reason, count(*) AS captures, string_agg(DISTINCT workload, ' ' ORDER BY workload) AS workloads
        FROM captures WHERE NOT trusted GROUP BY reason ORDER BY captures DESC, reason"""),
    Question("FAILED", "Captures without a result.", """
        SELECT reason, count(*) AS captures, min(path) AS first FROM failures GROUP BY reason ORDER BY captures DESC, reason"""),
    Question("ENCODINGS", "Per million entries judged. `dangerous`: certain; `possibly`: for some values of what is unknown; the two are "
             "never added up. `partly n/o`: captures that cannot show some dangerous verdict.", PER_ENCODING % "'all' AS over"),
    Question("ENCODINGS BY WORKLOAD", "", PER_ENCODING % "c.workload"),
    Question("ENCODINGS BY KERNEL", "", PER_ENCODING % "c.kernel"),
    Question("ENCODINGS BY SETTING OF HUGE PAGES", "", PER_ENCODING % "c.setting"),
    Question("DIVERGENCES BY ORDER", "Of proposals; `per M` of all entries judged by that encoding.", f"""
        WITH judged AS (SELECT encoding, sum(checks) AS checks FROM encodings JOIN captures USING (file) WHERE trusted GROUP BY encoding)
        SELECT d.encoding, d."order", d.verdict, d.certainty, sum(d.count) AS entries, count(DISTINCT d.file) AS captures,
          1e6 * sum(d.count) / any_value(j.checks) AS "per M"
        FROM divergences d JOIN captures c ON c.file = d.file AND c.trusted JOIN judged j ON j.encoding = d.encoding
        WHERE d.encoding {PROPOSAL} GROUP BY d.encoding, d."order", d.verdict, d.certainty
        ORDER BY d.encoding, d."order", {SEVERITY}, d.certainty"""),
    Question("COSTS PER FORK", "Of captures that show forks; a range depends on writes that leave no event. Peaks are no sums and are left out.", f"""
        SELECT o.encoding, o.cost, count(*) AS captures, sum(c.forks) AS forks, sum(o.low) AS low, sum(o.high) AS high,
          sum(o.low) / sum(c.forks) AS "low/fork", sum(o.high) / sum(c.forks) AS "high/fork"
        FROM costs o JOIN captures c ON c.file = o.file AND c.trusted AND c.forks > 0
        WHERE o.observable AND NOT ends_with(o.cost, '_peak') AND NOT ends_with(o.cost, '_now')
          AND o.encoding NOT IN ('C-raw', 'A-or')
        GROUP BY o.encoding, o.cost HAVING sum(o.high) > 0 ORDER BY o.encoding, o.cost"""),
    Question("PEAKS", "The highest of any trusted capture.", f"""
        SELECT o.encoding, o.cost, max(o.high) AS peak, max_by(c.workload, row(o.high, c.workload, c.host)) AS workload, max_by(c.host, row(o.high, c.workload, c.host)) AS host
        FROM costs o JOIN captures c ON c.file = o.file AND c.trusted WHERE o.observable AND ends_with(o.cost, '_peak')
        GROUP BY o.encoding, o.cost HAVING max(o.high) > 0 ORDER BY o.encoding, o.cost"""),
    Question("CALL SITES FOR C", "Where the entries of today's kernel do not say what today's flag says; by kernel path, certain.", """
        SELECT d.transition, d.verdict, sum(d.count) AS entries, count(DISTINCT d.file) AS captures
        FROM divergences d JOIN captures c ON c.file = d.file AND c.trusted WHERE d.encoding = 'C-raw' AND d.certainty = 'definite'
        GROUP BY d.transition, d.verdict ORDER BY entries DESC, d.transition, d.verdict"""),
    Question("AUDITS", "Of today's kernel; `shown by`: captures that can show it. A peak is the highest, all else a sum.", """
        SELECT a.audit, a.figure, count(*) FILTER (a.observable) AS "shown by",
          CASE WHEN ends_with(a.figure, '_peak') THEN max(a.count) ELSE sum(a.count) END AS count
        FROM audits a JOIN captures c ON c.file = a.file AND c.trusted GROUP BY a.audit, a.figure
        HAVING sum(a.count) > 0 ORDER BY a.audit, a.figure"""),
    Question("EXEMPLARS", "Of the worst signatures of proposals, one each, chosen by hash; also of captures that are not trusted.", f"""
        SELECT d.encoding, d.verdict, d.certainty, d.rule, d.transition, d."order", sum(d.count) AS entries,
          count(DISTINCT d.file) AS captures, count(DISTINCT d.file) FILTER (c.trusted) AS trusted,
          arg_min(c.host, md5(d.file || d.rule || d.transition)) AS host,
          arg_min('cowscope replay ' || CASE WHEN regexp_full_match(c.name, '[A-Za-z0-9_./=%+,:@-]+') THEN c.name
            ELSE '''' || replace(c.name, '''', '''"''"''') || '''' END || ' --until ' || d.first_seq ||
            coalesce(' --pfn ' || d.pfn, ''), md5(d.file || d.rule || d.transition)) AS reproduce
        FROM divergences d JOIN captures c ON c.file = d.file WHERE d.encoding {PROPOSAL} AND d.verdict <> 'BETTER' AND d.count > 0
        GROUP BY d.encoding, d.verdict, d.certainty, d.rule, d.transition, d."order"
        ORDER BY {SEVERITY}, d.certainty, entries DESC, d.encoding, d.rule, d.transition, d."order" LIMIT 20"""),
]

SIGNATURE = "encoding, verdict, certainty, rule, transition, \"order\""
TOLERANCE = 1.1

CHANGES = [
    Question("SETS", "What the rates below are rates of.", " UNION ALL ".join(f"""
        SELECT '{which}' AS set, count(*) AS captures, count(*) FILTER (trusted) AS trusted, sum(trusted_ns) FILTER (trusted) / 3.6e12 AS hours,
          sum(entries) FILTER (trusted) AS entries, sum(forks) FILTER (trusted) AS forks,
          CASE WHEN sum(checked + doubts) > 0 THEN 100.0 * sum(unknown + doubts) / sum(checked + doubts) END AS "unknown %",
          (SELECT count(*) FROM {which}.failures) AS failed FROM {which}.captures""" for which in ("old", "new"))),
    Question("DIVERGENCES", "Of trusted captures, per million entries judged; worse: new, or more than a tenth more often.", f"""
        WITH {", ".join(f'''{which}_judged AS (SELECT encoding, sum(checks) AS checks FROM {which}.encodings e JOIN {which}.captures c USING (file)
            WHERE c.trusted GROUP BY encoding),
          {which}_found AS (SELECT {SIGNATURE}, sum(count) AS count FROM {which}.divergences d JOIN {which}.captures c USING (file)
            WHERE c.trusted AND encoding {PROPOSAL} GROUP BY ALL)''' for which in ("old", "new"))},
          pairs AS (SELECT {SIGNATURE}, coalesce(o.count, 0) AS old, coalesce(n.count, 0) AS new
            FROM old_found o FULL JOIN new_found n USING ({SIGNATURE})),
          rates AS (SELECT b.*, 1e6 * b.old / oj.checks AS old_rate, 1e6 * b.new / nj.checks AS new_rate
            FROM pairs b LEFT JOIN old_judged oj USING (encoding) LEFT JOIN new_judged nj USING (encoding))
        SELECT CASE WHEN new_rate IS NULL OR old_rate IS NULL THEN 'not compared' WHEN new = 0 THEN 'gone' WHEN verdict = 'BETTER' THEN 'other'
            WHEN old = 0 OR new_rate > {TOLERANCE} * old_rate THEN 'worse' WHEN new_rate * {TOLERANCE} < old_rate THEN 'rarer' ELSE 'same' END AS change,
          {SIGNATURE}, old_rate AS "old/M", new_rate AS "new/M"
        FROM rates ORDER BY list_position(['worse', 'not compared', 'other', 'gone', 'rarer', 'same'], change), {SEVERITY}, {SIGNATURE}"""),
    Question("COSTS PER FORK", "Low ends; worse: more than a tenth more.", f"""
        WITH {", ".join(f'''{which}_costs AS (SELECT encoding, cost, sum(low) / sum(forks) AS value FROM {which}.costs o JOIN {which}.captures c
            USING (file) WHERE c.trusted AND c.forks > 0 AND o.observable AND NOT ends_with(cost, '_peak') AND NOT ends_with(cost, '_now') AND encoding NOT IN ('C-raw', 'A-or')
            GROUP BY ALL)''' for which in ("old", "new"))}
        SELECT CASE WHEN o.value IS NULL OR n.value IS NULL THEN 'not compared' WHEN n.value > {TOLERANCE} * o.value THEN 'worse'
            WHEN n.value * {TOLERANCE} < o.value THEN 'better' ELSE 'same' END AS change, encoding, cost, o.value AS old, n.value AS new
        FROM old_costs o FULL JOIN new_costs n USING (encoding, cost) WHERE coalesce(o.value, 0) + coalesce(n.value, 0) > 0
        ORDER BY list_position(['worse', 'not compared', 'better', 'same'], change), encoding, cost"""),
]
