from .helpers import *

__all__ = ["Square", "area", "rounded"]


class Square:
    def side(self):
        return 1


def area(shape):
    return rounded(shape.side() ** 2)


def perimeter(shape):
    return 4 * shape.side()


def _hidden():
    return perimeter(Square())
