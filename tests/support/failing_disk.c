/* A disk that fails: loaded with LD_PRELOAD, it lets the n-th call of one kind fail, of those for files below a folder.

   `fail_at` chooses the kind, the number, the error, and whether all later calls of that kind fail, too. `fail_count`
   returns how many such calls there were since. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { NONE, OPEN, WRITE, SYNC, RENAME };
enum { MAX_FILES = 65536 };

static char folder[4096];
static int kind_to_fail = NONE, error_to_set, nth_to_fail, later_ones_too;
static atomic_int calls;
static atomic_char is_below[MAX_FILES];

void fail_at(const char *below, int kind, int nth, int error, int rest) {
    strncpy(folder, below, sizeof folder - 1);
    nth_to_fail = nth, error_to_set = error, later_ones_too = rest;
    atomic_store(&calls, 0);
    kind_to_fail = kind;
}

int fail_count(void) { return atomic_load(&calls); }

static int fails(int kind, int concerns_folder) {
    if (kind_to_fail != kind || !concerns_folder) return 0;
    int number = atomic_fetch_add(&calls, 1) + 1;
    if (number != nth_to_fail && !(later_ones_too && number > nth_to_fail)) return 0;
    errno = error_to_set;
    return 1;
}

static int path_is_below(const char *path) {
    return folder[0] && path && strncmp(path, folder, strlen(folder)) == 0;
}

static int file_is_below(int file) { return file >= 0 && file < MAX_FILES && atomic_load(&is_below[file]); }

static int remember(int file, const char *path) {
    if (file >= 0 && file < MAX_FILES) atomic_store(&is_below[file], (char)path_is_below(path));
    return file;
}

#define REAL(name) \
    static __typeof__(name) *real; \
    if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

#define MODE(flags, mode) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | O_TMPFILE)) { \
        va_list rest; \
        va_start(rest, flags); \
        mode = va_arg(rest, mode_t); \
        va_end(rest); \
    }

#define DEFINE_OPEN(name) \
    int name(const char *path, int flags, ...) { \
        MODE(flags, mode) \
        REAL(name); \
        return fails(OPEN, path_is_below(path)) ? -1 : remember(real(path, flags, mode), path); \
    }
DEFINE_OPEN(open)
DEFINE_OPEN(open64)

#define DEFINE_OPENAT(name) \
    int name(int at, const char *path, int flags, ...) { \
        MODE(flags, mode) \
        REAL(name); \
        return fails(OPEN, path_is_below(path)) ? -1 : remember(real(at, path, flags, mode), path); \
    }
DEFINE_OPENAT(openat)
DEFINE_OPENAT(openat64)

int close(int file) {
    REAL(close);
    if (file >= 0 && file < MAX_FILES) atomic_store(&is_below[file], 0);
    return real(file);
}

ssize_t write(int file, const void *data, size_t size) {
    REAL(write);
    return fails(WRITE, file_is_below(file)) ? -1 : real(file, data, size);
}

#define DEFINE_PWRITE(name, offset_type) \
    ssize_t name(int file, const void *data, size_t size, offset_type offset) { \
        REAL(name); \
        return fails(WRITE, file_is_below(file)) ? -1 : real(file, data, size, offset); \
    }
DEFINE_PWRITE(pwrite, off_t)
DEFINE_PWRITE(pwrite64, off64_t)

ssize_t writev(int file, const struct iovec *parts, int count) {
    REAL(writev);
    return fails(WRITE, file_is_below(file)) ? -1 : real(file, parts, count);
}

#define DEFINE_TRUNCATE(name, size_type) \
    int name(int file, size_type size) { \
        REAL(name); \
        return fails(WRITE, file_is_below(file)) ? -1 : real(file, size); \
    }
DEFINE_TRUNCATE(ftruncate, off_t)
DEFINE_TRUNCATE(ftruncate64, off64_t)

#define DEFINE_SYNC(name) \
    int name(int file) { \
        REAL(name); \
        return fails(SYNC, file_is_below(file)) ? -1 : real(file); \
    }
DEFINE_SYNC(fsync)
DEFINE_SYNC(fdatasync)

int rename(const char *old, const char *new) {
    REAL(rename);
    return fails(RENAME, path_is_below(new)) ? -1 : real(old, new);
}

int renameat(int from, const char *old, int to, const char *new) {
    REAL(renameat);
    return fails(RENAME, path_is_below(new)) ? -1 : real(from, old, to, new);
}
