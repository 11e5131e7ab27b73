#include <stdlib.h>

#include "events.h"

static int seen;

static void note(int code) { seen += code; }

static int bigger(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static int motor_start(struct device *self) { return self->name != 0; }
static void motor_stop(struct device *self) { fire(self->name == 0); }

static struct device motor = {
    .name = "motor",
    .start = motor_start,
    .stop = motor_stop,
};

static int apply(int (*fn)(int), int value)
{
    return fn(value);
}

static int twice(int value) { return 2 * value; }

int main(void)
{
    int numbers[] = {3, 1, 2};
    struct device *d = &motor;

    on_event(note);
    on_event(&note);
    qsort(numbers, 3, sizeof numbers[0], bigger);
    if (d->start(d))
        d->stop(d);
    fire(apply(twice, numbers[0]));
    return seen == 0;
}
