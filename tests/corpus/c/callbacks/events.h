#pragma once

typedef void (*handler)(int code);

struct device {
    const char *name;
    int (*start)(struct device *self);
    void (*stop)(struct device *self);
};

void on_event(handler h);
void fire(int code);
