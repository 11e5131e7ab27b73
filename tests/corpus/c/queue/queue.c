#include "queue.h"

const int queue_limit = 100;

static int length_from(const item_t *item)
{
    return item ? 1 + length_from(item->next) : 0;
}

static int by_key(const item_t *a, const item_t *b) { return a->key - b->key; }

int queue_length(const queue_t *q) { return length_from(q->head); }

void queue_push(queue_t *q, item_t *item)
{
    if (!q->compare)
        q->compare = by_key;
    if (queue_length(q) >= queue_limit)
        goto full;
    item->next = q->head;
    q->head = item;
full:
    return;
}

item_t *queue_pop(queue_t *q)
{
    item_t *item = q->head;

    q->head = item ? item->next : item;
    return item;
}
