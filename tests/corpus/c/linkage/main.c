#include "store.h"

static int check(int status)
{
    return status > 0 ? 0 : 1;
}

extern int version(void);
static int run(void);

int main(void)
{
    return run();
}

static int run(void)
{
    struct store *s = store_open("x");
    int status = store_put(s, version());

    store_close(s);
    return check(status);
}
