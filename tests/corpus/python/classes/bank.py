from dataclasses import dataclass
from functools import cached_property


class Account:
    count = 0

    def __init__(self, owner, balance=0):
        self.owner = owner
        self.balance = self._checked(balance)
        Account.count += 1

    @classmethod
    def empty(cls, owner):
        return cls(owner, cls.least())

    @staticmethod
    def least():
        return 0

    @property
    def rich(self):
        return self.balance > self.limit

    @cached_property
    def limit(self):
        return self.least() + 100

    def _checked(self, amount):
        if amount < self.least():
            raise Overdrawn(amount)
        return amount

    def pay(self, amount):
        self.balance = self._checked(self.balance - amount)
        return self

    def transfer(self, other: "Account", amount):
        self.pay(amount)
        other.receive(amount)

    def receive(self, amount):
        self.balance += amount

    def __call__(self):
        return self.rich


class Overdrawn(Exception):
    def __init__(self, amount):
        super().__init__(amount)
        self.amount = amount


@dataclass
class Entry:
    amount: int
    note: str = ""

    def __post_init__(self):
        self.note = tidy(self.note)

    class Kind:
        def name(self):
            return "entry"

    def kind(self):
        return self.Kind().name()


def tidy(text):
    return text.strip()


def main():
    one = Account("ann", 10)
    two = Account.empty("bob")
    one.pay(1).pay(2)
    one.transfer(two, 3)
    Account.receive(one, 4)
    entry = Entry(5)
    entry.kind()
    if one.rich:
        return one()
    return Account.least()


main()
