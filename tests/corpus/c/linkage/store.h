#ifndef STORE_H
#define STORE_H

struct store;

struct store *store_open(const char *path);
int store_put(struct store *s, int value);
void store_close(struct store *s);

#endif
