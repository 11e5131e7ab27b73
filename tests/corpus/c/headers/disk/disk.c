#include "util.h"

static int clamp(int value)
{
    return value & 0xff;
}

int main(void)
{
    return clamp(util_size(3));
}
