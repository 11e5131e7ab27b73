/* Stays with one job: claims it, runs its command, records how it ended. It does what supervise.sh does, for half of
 * the processor time; the package's build compiles it where there is a compiler, and supervise.sh serves elsewhere.
 *
 *   supervise.bin RECORD CWD COMMAND [ARGUMENT...]
 *   supervise.bin --serve
 *
 * With --serve it makes such a supervisor for each message on the socket at 0, until the socket's other end is closed.
 * Each is a process of its own that outlives the server, so what kills one, or the server, ends nothing else; but no
 * program has to be loaded for it. A message has these texts, each ended by NUL: a number for the answers, RECORD, the
 * files of the job's output and error output, CWD, how many words, the words, NAME=VALUE... An answer begins with the
 * number: "N begun SUPERVISOR COMMAND" with the two pids, or "N gone 0 0" where the supervisor left without having
 * begun, or could not be made. It takes the lock of the job by itself.
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
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOCK = 3, TELLS = 4, HEARS = 5, FIRST_FREE = 6, LINE = 160, CANNOT_RUN = 126, NOT_FOUND = 127 };
enum { MESSAGE = 1 << 17, MOST_SUPERVISORS = 4096, LOCK_TRIES = 50, LOCK_PAUSE_US = 1000 };

extern char **environ;

/* The number of the message that this supervisor was made for; 0 where it was started as a program. */
static long number;

static const int CAUGHT[] = {SIGHUP, SIGINT, SIGQUIT, SIGALRM, SIGTERM, SIGUSR1, SIGUSR2};

static void nothing(int signal_number) { (void)signal_number; }

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

/* Never waits for who asked, and no signal says that it is gone: it finds all of it in the record. */
static void tell(int file, const char *what, long first, long second) {
    char text[LINE];
    int size = snprintf(text, sizeof text, "%ld %s %ld %ld", number, what, first, second);
    send(file, text, (size_t)size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Claim the job and become its command; runs in the child, in the memory of its supervisor, which waits until then. */
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
    if (number != 0)
        tell(TELLS, "begun", (long)supervisor, (long)getpid());
    else
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

/* Stay with the job until it has ended; 0 where all went as it should, or another supervisor has the job. */
static int supervise(const char *record, const char *cwd, char **command) {
    char text[32];
    int status = 0;
    handle(nothing);
    unsigned long long since = born();
    pid_t me = getpid();
    die_at("supervisor.begun", me);
    pid_t child = vfork();
    if (child < 0) return CANNOT_RUN;
    if (child == 0) become(record, cwd, command, me, since);
    if (number != 0) close(TELLS); /* so that its other end hears when the server has gone */
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return CANNOT_RUN;
    die_at("supervisor.ended", me);
    if (!is_ours(record, child, since)) return number == 0 ? 0 : CANNOT_RUN;
    int code = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
    snprintf(text, sizeof text, "exit %d\n", code);
    int file = open(record, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
    if (file < 0 || write_all(file, text) != 0) return CANNOT_RUN;
    die_at("supervisor.recorded", me);
    /* Where this fails, nothing is lost but the guarantee against power loss in the next seconds. */
    fdatasync(file);
    return 0;
}

/* A regular file, opened without ever waiting; leaves where there is something else. */
static int open_regular(const char *path, int how) {
    struct stat found;
    int file = open(path, how | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (file >= 0 && fstat(file, &found) == 0 && S_ISREG(found.st_mode)) {
        fcntl(file, F_SETFL, how);
        return file;
    }
    _exit(CANNOT_RUN);
}

/* Whoever only looks at the job holds its lock for a moment. */
static int locked(int file) {
    for (int i = 0; i < LOCK_TRIES; i++) {
        if (flock(file, LOCK_EX | LOCK_NB) == 0) return 1;
        usleep(LOCK_PAUSE_US);
    }
    return 0;
}

/* Become the supervisor of the job in a message, with the descriptors that a started one is given. */
static void serve_one(char *at, char *end) {
    char *texts[6], **words, *none[] = {NULL};
    for (int i = 0; i < 6; i++, at += strlen(at) + 1) texts[i] = at;
    long count = atol(texts[5]);
    words = calloc((size_t)count + 1, sizeof *words);
    if (words == NULL || count < 1) _exit(CANNOT_RUN);
    for (long i = 0; i < count && at < end; i++, at += strlen(at) + 1) words[i] = at;
    if (environ == NULL) environ = none;
    for (; at < end; at += strlen(at) + 1)
        if (putenv(at) != 0) _exit(CANNOT_RUN);
    setsid();
    int lock = open_regular(texts[3], O_RDWR);
    if (!locked(lock) || access(texts[1], F_OK) == 0) _exit(CANNOT_RUN);
    int out = open_regular(texts[2], O_WRONLY | O_APPEND), err = open_regular(texts[3], O_WRONLY | O_APPEND);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    /* What was opened lies above the places: 0 is the socket, 1 to 5 are held by the server. */
    dup3(0, TELLS, O_CLOEXEC);
    dup2(null, 0);
    dup2(out, 1);
    dup2(err, 2);
    dup3(lock, LOCK, O_CLOEXEC);
    for (int i = HEARS; i <= null; i++) close(i);
    _exit(supervise(texts[1], texts[4], words));
}

static struct {
    pid_t pid;
    long number;
} made[MOST_SUPERVISORS];

/* Tell of supervisors that left without having begun. */
static void reap(void) {
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (size_t i = 0; i < MOST_SUPERVISORS; i++)
            if (made[i].pid == pid) {
                made[i].pid = 0;
                number = made[i].number;
                if (status != 0) tell(0, "gone", 0, 0);
                break;
            }
}

static void make_supervisor(char *message, size_t size) {
    size_t i = 0;
    while (i < MOST_SUPERVISORS && made[i].pid != 0) i++;
    number = atol(message);
    pid_t pid = fork();
    if (pid == 0) {
        sigset_t all_pass;
        sigemptyset(&all_pass);
        sigprocmask(SIG_SETMASK, &all_pass, NULL);
        serve_one(message, message + size);
    }
    if (pid < 0) tell(0, "gone", 0, 0);
    if (pid > 0 && i < MOST_SUPERVISORS) {
        made[i].pid = pid;
        made[i].number = number;
    }
}

static int serve(void) {
    static char message[MESSAGE + 1];
    struct pollfd asked = {.fd = 0, .events = POLLIN};
    sigset_t child, all_pass;
    sigemptyset(&all_pass);
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    signal(SIGCHLD, nothing);
    handle(nothing);
    for (;;) {
        int ready = ppoll(&asked, 1, NULL, &all_pass);
        reap();
        if (ready <= 0) continue;
        ssize_t size = recv(0, message, MESSAGE, 0);
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) return 0;
        message[size] = 0;
        make_supervisor(message, (size_t)size);
    }
}

int main(int count, char **words) {
    if (count == 2 && strcmp(words[1], "--serve") == 0) {
        for (int i = 1; i < FIRST_FREE; i++) dup2(0, i);
        close_the_rest();
        return serve();
    }
    if (count < 4) return NOT_FOUND;
    close_the_rest();
    for (int i = LOCK; i < FIRST_FREE; i++) fcntl(i, F_SETFD, FD_CLOEXEC);
    return supervise(words[1], words[2], words + 3);
}
