import shapes
from facade import Cube, area, measure, rounded


def perimeter(shape):
    return 1


def main():
    square = shapes.Square()
    area(square)
    shapes.shown()
    measure(Cube())
    perimeter(square)
    return rounded(1.5)


main()
