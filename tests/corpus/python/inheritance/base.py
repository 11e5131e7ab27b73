from abc import ABC, abstractmethod


class Node(ABC):
    def __init__(self, name):
        self.name = name
        self.setup()

    def setup(self):
        self.ready = True

    @abstractmethod
    def size(self):
        """How large it is."""

    def describe(self):
        return f"{self.label()} {self.size()}"

    def label(self):
        return self.name


class Loud:
    def label(self):
        return super().label().upper()
