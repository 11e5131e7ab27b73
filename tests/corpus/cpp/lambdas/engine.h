#ifndef ENGINE_H
#define ENGINE_H

#ifdef __cplusplus
extern "C" {
#endif

typedef int (*step_fn)(int);

int engine_run(step_fn step, int times);

#ifdef __cplusplus
}
#endif

#endif
