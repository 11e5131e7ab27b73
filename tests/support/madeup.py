"""Files of made-up languages: definitions as tuples become facts, so that pure rules can be tested without grammars."""

from hashlib import blake2b

from bespeak.coord.merge.definitions import Source
from bespeak_symbols.model import Facts, Symbol


def digest(text):
    return blake2b(text.encode(), digest_size=8).hexdigest() if text else ""


def one(name, body="", signature="()", doc="", kind=""):
    """Return a definition: dots in its name put it inside others."""
    return name, body, signature, doc, kind or ("method" if "." in name else "function")


def source(path, *definitions, language="python"):
    """Return a file with these definitions, outer ones before what is in them."""
    symbols, lines = [], []
    for name, body, signature, doc, kind in definitions:
        first = len(lines) + 1
        last = name.rpartition(".")[2]
        lines += [f"begin {last}{signature}", *body.split("\n"), "end", ""]
        symbols.append([name, kind, first, len(lines) - 1, signature, body, doc])
    for symbol in symbols:
        inner = [other for other in symbols if other[0].startswith(symbol[0] + ".")]
        symbol[3] = max([symbol[3], *(other[3] for other in inner)])
    made = []
    for name, kind, first, last, signature, body, doc in symbols:
        inner = [other for other in symbols if other[0].startswith(name + ".")]
        whole = body + "".join(f"|{other[0].rpartition('.')[2]}{other[4]}{other[5]}" for other in inner)
        made.append(Symbol(name, kind, first, last, signature, digest(whole), digest(doc), own=digest(body or " ")))
    return Source(path, Facts(language, symbols=tuple(made)), "\n".join(lines).encode())


def version(*sources):
    return {one.path: one for one in sources}
