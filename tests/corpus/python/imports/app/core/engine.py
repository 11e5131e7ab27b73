from ..util import text
from ..util.numbers import double as twice
from . import parts
from .parts import Wheel


def build():
    wheel = Wheel(twice(2))
    parts.fasten(wheel)
    return text.label("built")
