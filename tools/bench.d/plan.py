# SPDX-License-Identifier: GPL-2.0-only
"""Where things are in a version 6 trace.dat, for walk.c: sub-buffer size, CPU areas, three number fields per event."""
import re
import struct

FIELD = re.compile(rb"^\tfield:(.*);\toffset:(\d+);\tsize:(\d+);")


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        self.at += count
        return self.data[self.at - count:self.at]

    def number(self, size):
        return int.from_bytes(self.take(size), "little")

    def string(self):
        end = self.data.index(b"\0", self.at)
        text = self.data[self.at:end]
        self.at = end + 1
        return text


def fields_of(text):
    """`fields ID off size off size off size` of one format file: the first three numbers of the event's own."""
    identity = re.search(rb"^ID: (\d+)", text, re.M)
    numbers = []
    for line in text.split(b"\n\n", 1)[-1].split(b"\n"):
        found = FIELD.match(line)
        if found and int(found[3]) in (1, 2, 4, 8) and b"[" not in found[1] and len(numbers) < 3:
            numbers.append((int(found[2]), int(found[3])))
    numbers += [(0, 0)] * (3 - len(numbers))
    return "fields %d %s" % (int(identity[1]), " ".join("%d %d" % pair for pair in numbers)) if identity else None


def table(reader, cpus):
    for _ in range(cpus):
        offset, size = reader.number(8), reader.number(8)
        if size:
            yield "area %d %d" % (offset, size)


def plan(path):
    with open(path, "rb") as file:
        reader = Reader(file.read(64 << 20))
    assert reader.take(10) == b"\x17\x08\x44tracing" and reader.string() == b"6", "%s: no version 6 trace.dat" % path
    reader.take(2)
    lines = ["subbuffer %d" % reader.number(4)]
    for tag in (b"header_page\0", b"header_event\0"):
        assert reader.take(len(tag)) == tag
        reader.take(reader.number(8))
    systems = 1
    for index in range(2):
        if index == 1:
            systems = reader.number(4)
        for _ in range(systems):
            if index == 1:
                reader.string()
            for _ in range(reader.number(4)):
                lines.append(fields_of(reader.take(reader.number(8))))
    reader.take(reader.number(4))
    reader.take(reader.number(4))
    reader.take(reader.number(8))
    cpus = reader.number(4)
    further = []
    assert reader.take(10) == b"options  \0"
    while (option := reader.number(2)) != 0:
        body = reader.take(reader.number(4))
        if option == 3:
            further.append(struct.unpack_from("<Q", body)[0])
    assert reader.take(10) == b"flyrecord\0"
    lines += table(reader, cpus)
    for offset in further:
        reader.at = offset
        assert reader.take(10) == b"flyrecord\0"
        lines += table(reader, cpus)
    return "\n".join(line for line in lines if line) + "\n"


if __name__ == "__main__":
    import sys
    sys.stdout.write(plan(sys.argv[1]))
