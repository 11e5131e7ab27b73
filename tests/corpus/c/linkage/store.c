#include "store.h"

#include <stdlib.h>

struct store {
    int last;
};

static void check(struct store *s)
{
    if (s == NULL)
        abort();
}

struct store *store_open(const char *path)
{
    struct store *s = malloc(sizeof(struct store));

    check(s);
    s->last = path != NULL;
    return s;
}

int store_put(struct store *s, int value)
{
    check(s);
    s->last = value;
    return value;
}

void store_close(struct store *s)
{
    check(s);
    free(s);
}
