#include "engine.h"

static int clip(int n) { return n > 100 ? 100 : n; }

int engine_run(step_fn step, int times)
{
    int n = 0;

    while (times-- > 0)
        n = clip(step(n));
    return n;
}
