#include "queue.h"

static int is_odd(int n);

static int is_even(int n) { return n == 0 || is_odd(n - 1); }

static int is_odd(int n) { return n != 0 && is_even(n - 1); }

static item_t *first(queue_t *q) { return queue_pop(q); }

int main(void)
{
    queue_t q = {0};
    item_t a = {1, 0};
    int sizes[] = {queue_length(&q), is_even(4) ? 1 : 0};

    queue_push(&q, &a);
    return is_odd(first(&q)->key) + sizes[0];
}
