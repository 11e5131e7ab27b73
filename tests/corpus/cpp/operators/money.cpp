#include "money.h"

Money::Money(int whole, int cents) : Money(joined(whole, cents)) {}

Money &Money::operator+=(const Money &other)
{
    cents_ += other.cents();
    return *this;
}

Money Money::operator+(const Money &other) const
{
    Money sum = *this;
    sum += other;
    return sum;
}

void Money::set(int cents) { set(0, cents); }

void Money::set(int whole, int cents) { cents_ = joined(whole, cents); }

Money Rate::operator()(const Money &of) const
{
    return Money(of.cents() * percent_ / 100);
}
