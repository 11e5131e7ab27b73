#include "net/util.h"

int link_up(int value)
{
    return util_size(value) + clamp(-value);
}
