"""Holds the tables of session_v2.py to those of the document: python3 check_document.py PROTOCOL.md."""

import re
import sys

import sealed  # noqa: F401: adds the rows of sealed rooms to both tables.
from session_v2 import EVENTS, REQUESTS


def rows_below(text, heading):
    """Number, name and fields of each row of the first table below a heading."""
    part = text[text.index(heading):]
    part = part[:part.index("\n#", 1)]
    rows = re.findall(r"^\| (\d+) +\| `(\w+)` +\| (.*?) +\|$", part, re.MULTILINE)
    return {int(number): (name, fields.replace(",", "").strip()) for number, name, fields in rows}


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        text = file.read()
    requests = rows_below(text, "### 7.1 ")
    events = rows_below(text, "### 7.2 ")
    assert events == EVENTS, {n: (events.get(n), EVENTS.get(n)) for n in {*events, *EVENTS} if events.get(n) != EVENTS.get(n)}
    for name, number in REQUESTS.items():
        assert requests[number][0] == name, name
    print("events, requests: %d, %d" % (len(events), len(REQUESTS)))


if __name__ == "__main__":
    main()
