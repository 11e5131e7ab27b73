import names
from names import Box, load, run


def call(run):
    return run()


def pick(items):
    return [load for load in items if load()]


def again():
    load = int
    return load("1")


def loop():
    for run in (str, bytes):
        run()


def later(load=load):
    return load("x")


def caught():
    try:
        return names.run()
    except ValueError as run:
        return run


class Runner:
    run = None

    def go(self):
        return run()

    def load(self):
        return load("y")


def swap():
    global helper
    helper = run
    return helper()


def main():
    call(load_one)
    pick([bool])
    again()
    loop()
    later()
    caught()
    Runner().go()
    Runner().load()
    swap()
    box = Box()
    box.run()
    names.print("z")
    print("z")


def load_one():
    return load("one")


main()
