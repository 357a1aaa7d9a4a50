"""Invite links: docs/PROTOCOL.md, section 9."""

import re
from urllib.parse import quote, unquote

LINK_MAX, PORT = 2_048, 5_050
PARTS = ("fp", "secret", "token")
FORM = re.compile(r"cmdchat://(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?(?:/([^?#]*))?(?:\?(tls|wss))?(?:#(.*))?")


class BadLink(Exception):
    """Names the part at fault, and repeats nothing of the link (L2)."""


def parse(text):
    """Host, port, room, whether TLS and WebSocket are used, and the parts behind `#`."""
    text = text.strip()
    if len(text) > LINK_MAX or re.search(r"[\s\x00-\x1f\x7f-\x9f]", text):
        raise BadLink("characters")
    form = FORM.fullmatch(text)
    if form is None:
        raise BadLink("form")
    host, port, room, carrier, hidden = form.groups()
    parts = {}
    for part in (hidden or "").split("&") if hidden else []:
        name, _, value = part.partition("=")
        if name not in PARTS or name in parts:
            raise BadLink("a part behind #")
        parts[name] = unquote(value, errors="strict")
    if port is not None and not 1 <= int(port) <= 65_535:
        raise BadLink("port")
    return {
        "host": host.strip("[]"),
        "port": int(port or PORT),
        "room": unquote(room or "lobby", errors="strict"),
        "tls": carrier is not None,
        "web": carrier == "wss",
        "fingerprint": None if "fp" not in parts else "SHA256:" + parts["fp"],
        "secret": parts.get("secret"),
        "token": parts.get("token"),
    }


def make(host, port, room, carrier, fingerprint, token):
    """The link of an invite. `carrier` is empty, `tls` or `wss`."""
    place = f"[{host}]" if ":" in host else host
    port = "" if port == PORT else f":{port}"
    end = f"#fp={fingerprint.removeprefix('SHA256:')}&token={quote(token, safe='')}"
    return f"cmdchat://{place}{port}/{quote(room, safe='')}{'?' + carrier if carrier else ''}{end}"
