#include "clock.h"

#if defined(FAST) && FAST
static int scale(void) { return 1; }
#else
static int scale(void) { return 10; }
#endif

#ifdef TRACE
#define STEP(x) trace(x)
static void trace(int x) { (void)x; }
#else
#define STEP(x) (void)(x)
#endif

int main(void)
{
    long now = clock_read();

    STEP(1);
    clock_wait(now + scale());
    return 0;
}
