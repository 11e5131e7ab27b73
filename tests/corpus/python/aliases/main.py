import tools as t
from tools import Source as Input
from tools import write as put

show = print
get = t.read


def load(text):
    return text


def main():
    source = Input()
    source.get()
    source.fetch()
    put(1)
    get("2")
    t.save(3)
    mine = load
    mine("4")
    show("5")
    keep = t
    return keep.load("6")


run = main
run()
