#ifdef _WIN32
#include "clock.h"

long clock_read(void) { return 0; }

void clock_wait(long until) { (void)until; }
#endif
