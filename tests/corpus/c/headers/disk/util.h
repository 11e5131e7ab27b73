#ifndef DISK_UTIL_H
#define DISK_UTIL_H

int util_size(int value);

#endif
