#include "util.h"

static int blocks(int value)
{
    return (value + 511) / 512;
}

int util_size(int value)
{
    return blocks(value) * 512;
}
