#include "events.h"

static handler handlers[8];
static int count;

static int full(void)
{
    return count == 8;
}

void on_event(handler h)
{
    if (!full())
        handlers[count++] = h;
}

void fire(int code)
{
    for (int i = 0; i < count; i++)
        handlers[i](code);
}
