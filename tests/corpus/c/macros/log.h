#ifndef LOG_H
#define LOG_H

void log_write(const char *file, int line, const char *text);
void *pool_get(unsigned long size);
void pool_put(void *item);

#define LOG(text) log_write(__FILE__, __LINE__, (text))
#define FATAL(text)         \
    do {                    \
        LOG(text);          \
        pool_stop();        \
    } while (0)
#define NEW(type) ((type *)pool_get(sizeof(type)))
#define drop pool_put

void pool_stop(void);

#endif
