#include "log.h"

struct point {
    int x, y;
};

int main(void)
{
    struct point *p = NEW(struct point);

    LOG("begin");
    p->x = 1;
    drop(p);
    return 0;
}
