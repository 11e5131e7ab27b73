import deco
from deco import Cached, logged, opened


@logged
def greet(name):
    return name


@deco.repeated(2)
@logged
def shout(name):
    return greet(name.upper())


@Cached
def slow(number):
    return number


def main():
    shout("ann")
    slow(1)
    with opened("x") as resource:
        resource.use()


main()
