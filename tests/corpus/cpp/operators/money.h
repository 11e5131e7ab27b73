#pragma once

class Money {
public:
    Money(long cents = 0) : cents_(cents) {}
    Money(int whole, int cents);
    Money &operator+=(const Money &other);
    Money operator+(const Money &other) const;
    bool operator<(const Money &other) const { return cents_ < other.cents_; }
    explicit operator bool() const { return cents_ != 0; }
    long cents() const { return cents_; }
    void set(int cents);
    void set(int whole, int cents);

private:
    static long joined(int whole, int cents) { return 100L * whole + cents; }
    long cents_;
};

class Rate {
public:
    explicit Rate(int percent) : percent_(percent) {}
    Money operator()(const Money &of) const;

private:
    int percent_;
};
