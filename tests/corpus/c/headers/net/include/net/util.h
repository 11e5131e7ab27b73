#ifndef NET_UTIL_H
#define NET_UTIL_H

static inline int clamp(int value)
{
    return value < 0 ? 0 : value;
}

int util_size(int value);

#endif
