from functools import partial

import ops
from ops import clamp, compose, double

TABLE = {"double": double, "negate": ops.negate}


def apply(function, number):
    return function(number)


def pick(name):
    return TABLE[name]


def scaled(factor, number):
    return double(factor) * number


def main():
    apply(double, 1)
    apply(lambda number: clamp(number), 2)
    list(map(ops.negate, [1, 2]))
    pick("negate")(3)
    both = compose(double, clamp)
    both(4)
    tenfold = partial(scaled, 5)
    tenfold(6)
    return sorted([3, 1], key=ops.negate)


main()
