def run():
    return "run"


def load(name):
    return name


def print(*words):
    return words


class Box:
    def load(self):
        return "box"

    def run(self):
        load = self.load
        return load(), run()
