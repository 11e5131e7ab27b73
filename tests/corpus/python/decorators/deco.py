import functools
from contextlib import contextmanager

REGISTRY = {}


def logged(function):
    @functools.wraps(function)
    def wrapper(*args):
        note(function.__name__)
        return function(*args)

    return wrapper


def repeated(times):
    def decorate(function):
        def wrapper(*args):
            for _ in range(times):
                function(*args)

        return wrapper

    return decorate


def registered(cls):
    REGISTRY[key(cls)] = cls
    return cls


def key(cls):
    return cls.__name__


def note(text):
    return text


class Cached:
    def __init__(self, function):
        self.function = function

    def __call__(self, *args):
        return self.function(*args)


@contextmanager
def opened(name):
    note(name)
    yield Resource(name)
    note("closed")


@registered
class Resource:
    def __init__(self, name):
        self.name = name

    @logged
    def use(self):
        return self.name
