def counter(start):
    count = start

    def step(by=1):
        nonlocal count
        count = add(count, by)
        return count

    def reset():
        nonlocal count
        count = start
        return step(0)

    step()
    return step, reset


def add(one, two):
    return one + two


def power(exponent):
    def raised(base):
        return multiply(base, exponent)

    def multiply(base, times):
        if times == 0:
            return 1
        return base * multiply(base, times - 1)

    return raised


class Window:
    def __init__(self):
        self.handlers = []

    def bind(self):
        def handler():
            return self.close()

        self.handlers.append(handler)
        return handler

    def close(self):
        return "closed"


def walk(tree):
    found = []

    def visit(node):
        found.append(node)
        for child in node:
            visit(child)

    visit(tree)
    return found


def main():
    step, reset = counter(1)
    step()
    reset()
    square = power(2)
    square(3)
    window = Window()
    window.bind()()
    return walk([[], [[]]])


main()
