#pragma once

#include <vector>

template <typename T>
T larger(T a, T b)
{
    return a < b ? b : a;
}

template <typename T, int Limit = 8>
class Box {
public:
    Box() = default;
    bool put(const T &item);
    T top() const { return items_.back(); }
    int room() const { return Limit - static_cast<int>(items_.size()); }

private:
    bool full() const { return room() <= 0; }
    std::vector<T> items_;
};

template <typename T, int Limit>
bool Box<T, Limit>::put(const T &item)
{
    if (full())
        return false;
    items_.push_back(item);
    return true;
}

template <typename T>
class Counted : public Box<T> {
public:
    bool put(const T &item)
    {
        ++count_;
        return Box<T>::put(item) && item.valid();
    }
    int count() const { return count_; }

private:
    int count_ = 0;
};

template <typename First, typename... Rest>
int total(First first, Rest... rest)
{
    if constexpr (sizeof...(rest) > 0)
        return first + total(rest...);
    else
        return first;
}
