def double(number):
    return number * 2


def negate(number):
    return -number


def clamp(number):
    return max(0, number)


def compose(first, second):
    def both(number):
        return second(first(number))

    return both
