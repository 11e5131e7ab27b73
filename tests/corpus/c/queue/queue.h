#pragma once

typedef struct item {
    int key;
    struct item *next;
} item_t;

typedef struct {
    item_t *head;
    int (*compare)(const item_t *, const item_t *);
} queue_t;

extern const int queue_limit;

void queue_push(queue_t *q, item_t *item);
item_t *queue_pop(queue_t *q);
int queue_length(const queue_t *q);
