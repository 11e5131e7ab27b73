#ifndef _WIN32
#include "clock.h"

static long ticks;

static long tick(void) { return ++ticks; }

long clock_read(void) { return tick(); }

void clock_wait(long until)
{
    while (clock_read() < until)
        ;
}
#endif
