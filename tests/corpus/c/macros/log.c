#include "log.h"

#include <stdlib.h>

#define LIMIT 16
#define SQUARE(x) ((x) * (x))

static int written;

void log_write(const char *file, int line, const char *text)
{
    (void)file;
    (void)text;
    written += SQUARE(line);
}

void *pool_get(unsigned long size)
{
    if (size > LIMIT)
        FATAL("too large");
    return malloc(size);
}

void pool_put(void *item) { free(item); }

void pool_stop(void) { exit(written != 0); }
