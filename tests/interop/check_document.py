"""Holds the tables of session_v2.py to those of the document: python3 check_document.py PROTOCOL.md."""

import re
import sys

from chat import ANSWERS
import sealed  # noqa: F401: adds the rows of sealed rooms to both tables.
from session_v2 import EVENTS, REQUESTS


def rows_below(text, heading):
    """Number, name and fields of each row of the first table below a heading."""
    part = text[text.index(heading):]
    part = part[:part.index("\n#", 1)]
    rows = re.findall(r"^\| (\d+) +\| `(\w+)` +\| (.*?) +\|$", part, re.MULTILINE)
    return {int(number): (name, fields.replace(",", "").strip()) for number, name, fields in rows}


def answers_in(text):
    """What the table below S8 says answers each request."""
    part = text[text.index("**S8**"):text.index("**S9**")]
    return dict(re.findall(r"^ *\| `(\w+)` +\| ([^|]*?) +\|", part, re.MULTILINE))


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        text = file.read()
    requests = rows_below(text, "### 7.1 ")
    events = rows_below(text, "### 7.2 ")
    assert events == EVENTS, {n: (events.get(n), EVENTS.get(n)) for n in {*events, *EVENTS} if events.get(n) != EVENTS.get(n)}
    for name, number in REQUESTS.items():
        assert requests[number][0] == name, name
    answers = answers_in(text)
    for name, event in ANSWERS.items():
        assert answers.pop(name) == f"`{event}`", name
    assert len(answers) > 5
    for name, answer in answers.items():
        assert "`done`" in answer, name
    print("events, requests: %d, %d" % (len(events), len(REQUESTS)))


if __name__ == "__main__":
    main()
