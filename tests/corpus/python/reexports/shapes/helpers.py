def rounded(number):
    return _even(number)


def _even(number):
    return round(number)


def perimeter(shape):
    return 0
