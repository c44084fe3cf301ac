# SPDX-License-Identifier: GPL-2.0-only
"""Tables as text and as one HTML page."""
import decimal
import html
import unicodedata

STYLE = "body{font:14px system-ui;margin:2em;max-width:90em}table{border-collapse:collapse;margin:.5em 0 2em}" \
        "td,th{padding:.2em .7em;border-bottom:1px solid #ccc;text-align:right}td.t,th.t{text-align:left}p{color:#555}"


def words(value):
    """A cell. What is not known is no number."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (float, decimal.Decimal)):
        value = float(value)
        return "{:,.0f}".format(value) if value == int(value) or value >= 1000 else "%.4g" % value
    if isinstance(value, int):
        return "{:,}".format(value)
    if isinstance(value, (list, tuple)):
        return " ".join(map(words, value))
    return visible(str(value))


def visible(text):
    """Names come from whoever made a capture: nothing that a terminal would obey."""
    return "".join(c if unicodedata.category(c)[0] != "C" else "\\u{%x}" % ord(c) for c in text)


def is_number(value):
    return isinstance(value, (int, float, decimal.Decimal)) and not isinstance(value, bool)


def text(title, note, names, rows):
    lines = [title + (": " + note if note else "")]
    cells = [[words(value) for value in row] for row in rows]
    right = [any(is_number(row[i]) for row in rows) for i in range(len(names))]
    widths = [max(len(cell) for cell in column) for column in zip(names, *cells)]
    for row in [list(names)] + cells:
        padded = [cell.rjust(width) if flush else cell.ljust(width) for cell, width, flush in zip(row, widths, right)]
        lines.append(("  " + "  ".join(padded)).rstrip())
    return "\n".join(lines) + "\n"


def page(title, tables):
    parts = ["<!doctype html><meta charset=utf-8><title>%s</title><style>%s</style><h1>%s</h1>" % (
        html.escape(title), STYLE, html.escape(title))]
    for heading, note, names, rows in tables:
        parts.append("<h2>%s</h2><p>%s</p><table><tr>" % (html.escape(heading.capitalize()), html.escape(note)))
        parts += ["<th class=t>%s" % html.escape(name) for name in names]
        for row in rows:
            parts.append("<tr>")
            parts += ["<td%s>%s" % ("" if is_number(value) else " class=t", html.escape(words(value))) for value in row]
        parts.append("</table>")
    return "".join(parts) + "\n"
