/* Lets a process die, or its disk fail, at the n-th change of a file in one folder.
   crash_arm(n, action, moment, length) is called by the process itself, behind its fork. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

enum { KILL, NO_SPACE, IO_ERROR };
enum { BEFORE, AFTER, TORN };

static atomic_long calls;
static long at, length;
static int action, moment;

void crash_arm(long n, int what, int when, long many) {
    atomic_store(&calls, 0);
    at = n, action = what, moment = when, length = many;
}

static const char *watched(int fd, char *path) {
    static const char *folder;
    char link[64];
    ssize_t n;
    if (!at) return NULL;
    if (!folder && !(folder = getenv("CRASH_FOLDER"))) return NULL;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if ((n = readlink(link, path, 4000)) < 0) return NULL;
    path[n] = 0;
    return strncmp(path, folder, strlen(folder)) ? NULL : path + strlen(folder);
}

static void die(const char *call, const char *name) {
    char line[4200];
    static const char *moments[] = {"before", "after", "within"};
    int n = snprintf(line, sizeof line, "crash %s %s %s\n", moments[moment], call, name);
    ssize_t (*real)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    if (n > 0) real(2, line, n);
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

/* Gives 0 to go on, or the error to fail with. Sets *fatal where the call is the last one. */
static int turn(int fd, const char *call, int syncs, int *fatal, char *name) {
    char path[4096];
    const char *found = watched(fd, path);
    long n;
    *fatal = 0;
    if (!found) return 0;
    strncpy(name, found, 200), name[200] = 0;
    n = atomic_fetch_add(&calls, 1) + 1;
    if (action == KILL) {
        if (n != at) return 0;
        if (moment == BEFORE) die(call, name);
        *fatal = 1;
        return 0;
    }
    if (n < at || n >= at + length) return 0;
    if (action == NO_SPACE) return syncs ? 0 : ENOSPC;
    return EIO;
}

#define REAL(name, type) static __typeof__(type) *real; if (!real) real = (__typeof__(real))dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *data, size_t size) {
    REAL(write, ssize_t (int, const void *, size_t));
    char name[256]; int fatal, error = turn(fd, "write", 0, &fatal, name);
    if (error) { errno = error; return -1; }
    ssize_t done = real(fd, data, fatal && moment == TORN ? size / 2 : size);
    if (fatal) die("write", name);
    return done;
}

#define PWRITE(symbol, offset_type) \
    ssize_t symbol(int fd, const void *data, size_t size, offset_type offset) { \
        REAL(symbol, ssize_t (int, const void *, size_t, offset_type)); \
        char name[256]; int fatal, error = turn(fd, "pwrite", 0, &fatal, name); \
        if (error) { errno = error; return -1; } \
        ssize_t done = real(fd, data, fatal && moment == TORN ? size / 2 : size, offset); \
        if (fatal) die("pwrite", name); \
        return done; \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

#define SYNC(symbol) \
    int symbol(int fd) { \
        REAL(symbol, int (int)); \
        char name[256]; int fatal, error = turn(fd, #symbol, 1, &fatal, name); \
        if (error) { errno = error; return -1; } \
        int done = real(fd); \
        if (fatal) die(#symbol, name); \
        return done; \
    }
SYNC(fsync)
SYNC(fdatasync)

#define TRUNCATE(symbol, offset_type) \
    int symbol(int fd, offset_type size) { \
        REAL(symbol, int (int, offset_type)); \
        char name[256]; int fatal, error = turn(fd, "ftruncate", 0, &fatal, name); \
        if (error) { errno = error; return -1; } \
        int done = real(fd, size); \
        if (fatal) die("ftruncate", name); \
        return done; \
    }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

static void named(const char *call, const char *path) {
    const char *folder = getenv("CRASH_FOLDER");
    if (!at || !folder || strncmp(path, folder, strlen(folder))) return;
    if (action == KILL && atomic_fetch_add(&calls, 1) + 1 == at) die(call, path + strlen(folder));
}

int unlink(const char *path) {
    REAL(unlink, int (const char *));
    named("unlink", path);
    return real(path);
}

int rename(const char *from, const char *to) {
    REAL(rename, int (const char *, const char *));
    named("rename", from);
    return real(from, to);
}
