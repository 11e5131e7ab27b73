#include <net/util.h>

int util_size(int value)
{
    return clamp(value) * 1500;
}
