/*
 * Ends a process by SIGKILL at one of its write points. It is preloaded into the unmodified binary.
 *
 * A write point is a call that changes a file or sends on a socket; they are counted over all threads, from the start
 * of the process. Standard output and error (the log), pipes and event descriptors are no write points.
 *
 *   KILLAT_COUNTS  a file of eight 64-bit numbers, mapped: all points, then those of each kind (see below)
 *   KILLAT_POINT   the number of the point, from 1; 0 only counts
 *   KILLAT_WHEN    before: the call is not made; after: it has returned; torn: half of its bytes are written to a file
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { ALL, FILE_WRITE, FILE_SYNC, FILE_CHANGE, SOCKET_SEND, KINDS = 8 };
enum when { BEFORE, AFTER, TORN };

static _Atomic uint64_t *counts;
static uint64_t point;
static enum when when;

__attribute__((constructor)) static void prepare(void)
{
    const char *path = getenv("KILLAT_COUNTS");
    const char *number = getenv("KILLAT_POINT");
    const char *word = getenv("KILLAT_WHEN");
    if (path == NULL || number == NULL)
        return;
    int fd = open(path, O_RDWR);
    void *map = fd < 0 ? MAP_FAILED : mmap(NULL, KINDS * sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        abort();
    close(fd);
    point = strtoull(number, NULL, 10);
    when = word != NULL && strcmp(word, "after") == 0 ? AFTER : word != NULL && strcmp(word, "torn") == 0 ? TORN : BEFORE;
    counts = map;
}

static void die(void)
{
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

/* Counts a point; says whether it is the one. Dies here if that is to be before the call. */
static int is_the_point(enum kind kind)
{
    if (counts == NULL)
        return 0;
    counts[kind]++;
    if (++counts[ALL] != point)
        return 0;
    if (when == BEFORE || (when == TORN && kind != FILE_WRITE))
        die();
    return 1;
}

/* What a descriptor is: a file, a socket, or nothing that counts. */
static enum kind kind_of(int fd)
{
    struct stat about;
    int saved = errno;
    enum kind kind = ALL;
    if (fd > 2 && fstat(fd, &about) == 0) {
        if (S_ISREG(about.st_mode))
            kind = FILE_WRITE;
        else if (S_ISSOCK(about.st_mode))
            kind = SOCKET_SEND;
    }
    errno = saved;
    return kind;
}

#define REAL(name) \
    static __typeof__(&name) real; \
    if (real == NULL) \
        real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

/* Counts `kind`, makes the call, and dies behind it if this was the point. */
#define POINT(kind, type, call) \
    do { \
        int now = (kind) != ALL && is_the_point(kind); \
        type result = (call); \
        if (now) \
            die(); \
        return result; \
    } while (0)

#define SHARE(kind, length) ((now && when == TORN) ? (length) / 2 : (length))

ssize_t write(int fd, const void *bytes, size_t length)
{
    REAL(write);
    enum kind kind = kind_of(fd);
    POINT(kind, ssize_t, real(fd, bytes, SHARE(kind, length)));
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at)
{
    REAL(pwrite);
    enum kind kind = kind_of(fd);
    POINT(kind, ssize_t, real(fd, bytes, SHARE(kind, length), at));
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at)
{
    REAL(pwrite64);
    enum kind kind = kind_of(fd);
    POINT(kind, ssize_t, real(fd, bytes, SHARE(kind, length), at));
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    REAL(writev);
    enum kind kind = kind_of(fd);
    POINT(kind, ssize_t, real(fd, parts, count));
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at)
{
    REAL(pwritev);
    enum kind kind = kind_of(fd);
    POINT(kind, ssize_t, real(fd, parts, count, at));
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at)
{
    REAL(pwritev64);
    enum kind kind = kind_of(fd);
    POINT(kind, ssize_t, real(fd, parts, count, at));
}

ssize_t send(int fd, const void *bytes, size_t length, int flags)
{
    REAL(send);
    POINT(kind_of(fd), ssize_t, real(fd, bytes, length, flags));
}

ssize_t sendto(int fd, const void *bytes, size_t length, int flags, const struct sockaddr *to, socklen_t size)
{
    REAL(sendto);
    POINT(kind_of(fd), ssize_t, real(fd, bytes, length, flags, to, size));
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    REAL(sendmsg);
    POINT(kind_of(fd), ssize_t, real(fd, message, flags));
}

int fsync(int fd)
{
    REAL(fsync);
    POINT(FILE_SYNC, int, real(fd));
}

int fdatasync(int fd)
{
    REAL(fdatasync);
    POINT(FILE_SYNC, int, real(fd));
}

int ftruncate(int fd, off_t length)
{
    REAL(ftruncate);
    POINT(FILE_CHANGE, int, real(fd, length));
}

int ftruncate64(int fd, off64_t length)
{
    REAL(ftruncate64);
    POINT(FILE_CHANGE, int, real(fd, length));
}

int unlink(const char *path)
{
    REAL(unlink);
    POINT(FILE_CHANGE, int, real(path));
}

int unlinkat(int folder, const char *path, int flags)
{
    REAL(unlinkat);
    POINT(FILE_CHANGE, int, real(folder, path, flags));
}

int rename(const char *from, const char *to)
{
    REAL(rename);
    POINT(FILE_CHANGE, int, real(from, to));
}
