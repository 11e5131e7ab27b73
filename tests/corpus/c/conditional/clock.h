#ifndef CLOCK_H
#define CLOCK_H

#ifdef __cplusplus
extern "C" {
#endif

long clock_read(void);
void clock_wait(long until);

#ifdef __cplusplus
}
#endif

#endif
