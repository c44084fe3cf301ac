# SPDX-License-Identifier: GPL-2.0-only
"""A version 6 trace.dat as if the same had been recorded several times over: every CPU's sub-buffers repeated, each
repetition later by the length of the original. Programs that must not need more memory, or allocations, for a longer
trace are tried with it."""
import struct

from plan import Reader


def areas_of(path):
    """File offsets of the {offset, size} pairs of all CPUs, and the sub-buffer size."""
    with open(path, "rb") as file:
        data = file.read()
    reader = Reader(data)
    reader.take(10), reader.string(), reader.take(2)
    size = reader.number(4)
    for tag in (b"header_page\0", b"header_event\0"):
        reader.take(len(tag))
        reader.take(reader.number(8))
    for _ in range(reader.number(4)):
        reader.take(reader.number(8))
    for _ in range(reader.number(4)):
        reader.string()
        for _ in range(reader.number(4)):
            reader.take(reader.number(8))
    reader.take(reader.number(4)), reader.take(reader.number(4)), reader.take(reader.number(8))
    cpus = reader.number(4)
    tables = []
    reader.take(10)
    while (option := reader.number(2)) != 0:
        body = reader.take(reader.number(4))
        if option == 3:
            tables.append(struct.unpack_from("<Q", body)[0] + 10)
    tables.insert(0, reader.at + 10)
    return data, size, [table + 16 * cpu for table in tables for cpu in range(cpus)]


def lengthen(source, target, times):
    data, size, pairs = areas_of(source)
    places = [(pair,) + struct.unpack_from("<QQ", data, pair) for pair in pairs]
    places = [place for place in places if place[2] > 0]
    stamps = [struct.unpack_from("<Q", data, at)[0] for _, start, length in places for at in range(start, start + length, size)]
    span = max(stamps) - min(stamps) + 1_000_000_000
    head = bytearray(data[:min(start for _, start, _ in places)])
    body = bytearray()
    for pair, start, length in places:
        struct.pack_into("<QQ", head, pair, len(head) + len(body), length * times)
        for repetition in range(times):
            area = bytearray(data[start:start + length])
            for at in range(0, length, size):
                struct.pack_into("<Q", area, at, struct.unpack_from("<Q", area, at)[0] + repetition * span)
            body += area
    with open(target, "wb") as file:
        file.write(head)
        file.write(body)
