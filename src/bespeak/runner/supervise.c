/* Stays with one job: claims it, runs its command, records how it ended. It does what supervise.sh does, for half of
 * the processor time; the package's build compiles it where there is a compiler, and supervise.sh serves elsewhere.
 *
 *   supervise.bin RECORD CWD COMMAND [ARGUMENT...]
 *
 * RECORD  the job's record. It is created with O_EXCL: who creates it runs the job, everybody else goes away.
 * CWD     folder to run in, or empty for the present one.
 *
 * Descriptors: 1 the job's output; 2 its error output; 3 the lock that says "this supervisor lives"; 4 and 5 the two
 * ends of the pipe on which the starter waits (both are held, so that a dead starter is no broken pipe).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOCK = 3, TELLS = 4, HEARS = 5, FIRST_FREE = 6, LINE = 160, CANNOT_RUN = 126, NOT_FOUND = 127 };

static const int CAUGHT[] = {SIGHUP, SIGINT, SIGQUIT, SIGALRM, SIGTERM, SIGUSR1, SIGUSR2};

static void nothing(int number) { (void)number; }

/* Caught, not ignored: a caught signal has its default effect again in the command. */
static void handle(void (*how)(int)) {
    struct sigaction action = {0};
    action.sa_handler = how;
    for (size_t i = 0; i < sizeof CAUGHT / sizeof *CAUGHT; i++) sigaction(CAUGHT[i], &action, NULL);
}

/* The points at which a test kills a process. */
static void die_at(const char *point, pid_t victim) {
    const char *wanted = getenv("BESPEAK_CRASH_AT");
    if (wanted != NULL && strcmp(wanted, point) == 0) kill(victim, SIGKILL);
}

/* Nothing of the caller's may stay open in the command. */
static void close_the_rest(void) {
#ifdef SYS_close_range
    if (syscall(SYS_close_range, FIRST_FREE, UINT_MAX, 0) == 0) return;
#endif
    long most = sysconf(_SC_OPEN_MAX);
    for (int i = FIRST_FREE; i < (most > 0 && most < 65536 ? most : 65536); i++) close(i);
}

/* The clock tick in which this process began: field 22 of its line, counted behind the name, which may have blanks. */
static unsigned long long born(void) {
    char line[1024];
    int file = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    ssize_t size = file < 0 ? -1 : read(file, line, sizeof line - 1);
    if (file >= 0) close(file);
    if (size <= 0) return 0;
    line[size] = 0;
    char *at = strrchr(line, ')');
    for (int field = 2; at != NULL && field < 22; field++) {
        at = strchr(at, ' ');
        if (at != NULL) at++;
    }
    return at == NULL ? 0 : strtoull(at, NULL, 10);
}

static int write_all(int file, const char *text) {
    size_t left = strlen(text);
    while (left > 0) {
        ssize_t done = write(file, text, left);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return -1;
        text += done;
        left -= (size_t)done;
    }
    return 0;
}

static void fail(int code, const char *what) {
    dprintf(2, "bespeak: cannot run %s: %s\n", what, strerror(errno));
    _exit(code);
}

/* Claim the job and become its command; runs in the child. */
static void become(const char *record, const char *cwd, char **command, pid_t supervisor, unsigned long long since) {
    char line[LINE];
    handle(SIG_DFL);
    die_at("supervisor.before_claim", supervisor);
    /* Without its supervisor nobody would see it end; the next start does better. */
    if (getppid() != supervisor) _exit(0);
    die_at("supervisor.checked", supervisor);
    snprintf(line, sizeof line, "target %ld %llu %ld %llu\n", (long)getpid(), born(), (long)supervisor, since);
    mode_t mask = umask(077);
    int file = open(record, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    umask(mask);
    if (file < 0 || write_all(file, line) != 0) _exit(0);
    close(file);
    die_at("supervisor.claimed", supervisor);
    write_all(TELLS, "begun\n");
    die_at("target.before_exec", getpid());
    if (*cwd != 0 && (chdir(cwd) != 0 || setenv("PWD", cwd, 1) != 0)) fail(CANNOT_RUN, cwd);
    execvp(command[0], command);
    fail(errno == ENOENT ? NOT_FOUND : CANNOT_RUN, command[0]);
}

/* Whether the record begins with the line that this supervisor's child wrote: another one may have won the claim. */
static int is_ours(const char *record, pid_t child, unsigned long long since) {
    char found[LINE];
    int file = open(record, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    ssize_t size = file < 0 ? -1 : read(file, found, sizeof found - 1);
    if (file >= 0) close(file);
    if (size <= 0) return 0;
    found[size] = 0;
    char *end = strchr(found, '\n');
    if (end == NULL) return 0;
    *end = 0;
    long target = 0, ours = 0;
    unsigned long long began = 0, born_at = 0;
    if (sscanf(found, "target %ld %llu %ld %llu", &target, &began, &ours, &born_at) != 4) return 0;
    return target == (long)child && ours == (long)getpid() && born_at == since;
}

int main(int count, char **words) {
    if (count < 4) return NOT_FOUND;
    const char *record = words[1], *cwd = words[2];
    char text[32];
    int status = 0;
    close_the_rest();
    for (int i = LOCK; i < FIRST_FREE; i++) fcntl(i, F_SETFD, FD_CLOEXEC);
    handle(nothing);
    unsigned long long since = born();
    pid_t me = getpid();
    die_at("supervisor.begun", me);
    pid_t child = fork();
    if (child < 0) return CANNOT_RUN;
    if (child == 0) become(record, cwd, words + 3, me, since);
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return CANNOT_RUN;
    die_at("supervisor.ended", me);
    if (!is_ours(record, child, since)) return 0;
    int code = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
    snprintf(text, sizeof text, "exit %d\n", code);
    int file = open(record, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
    if (file < 0 || write_all(file, text) != 0) return CANNOT_RUN;
    die_at("supervisor.recorded", me);
    /* Where this fails, nothing is lost but the guarantee against power loss in the next seconds. */
    fdatasync(file);
    return 0;
}
