import json as _json


def load(text):
    return _json.loads(text)


def _save(value):
    return _json.dumps(value)


save = _save
read = load
write = save


class Reader:
    def get(self):
        return read("1")

    fetch = get


Source = Reader
