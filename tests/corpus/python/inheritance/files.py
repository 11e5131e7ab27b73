import base
from base import Loud


class File(base.Node):
    def __init__(self, name, length):
        super().__init__(name)
        self.length = length

    def size(self):
        return self.length


class Folder(base.Node):
    def setup(self):
        super().setup()
        self.inside = []

    def add(self, node: base.Node):
        self.inside.append(node)
        return self

    def size(self):
        return sum(node.size() for node in self.inside)


class LoudFile(Loud, File):
    pass


class Link(File):
    def label(self):
        return File.label(self) + "@"
