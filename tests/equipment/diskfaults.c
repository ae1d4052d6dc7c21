/* Faults to order for a whole process: preloaded before the C library.
 *
 * DTNS_FAULTS names a file. While it holds `write ERRNO` or `fsync ERRNO`, every such call on a
 * file whose name contains DTNS_FAULTY fails with that number; while it holds `clock SECONDS`, the
 * time of day is that much later. An empty or missing file means no fault.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static long ordered(const char *fault)
{
    const char *path = getenv("DTNS_FAULTS");
    char text[64] = "";
    char name[16] = "";
    long value = 0;
    int file, kept = errno;

    if (path == NULL || (file = open(path, O_RDONLY | O_CLOEXEC)) < 0) {
        errno = kept;
        return 0;
    }
    if (read(file, text, sizeof text - 1) > 0)
        sscanf(text, "%15s %ld", name, &value);
    close(file);
    errno = kept;
    return strcmp(name, fault) == 0 ? value : 0;
}

static int is_faulty(int file)
{
    const char *part = getenv("DTNS_FAULTY");
    char link[64], name[4096];
    ssize_t length;

    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    length = readlink(link, name, sizeof name - 1);
    if (part == NULL || length < 0)
        return 0;
    name[length] = 0;
    return strstr(name, part) != NULL;
}

static int fails(const char *fault, int file)
{
    long number = ordered(fault);

    if (number == 0 || !is_faulty(file))
        return 0;
    errno = (int)number;
    return 1;
}

int fsync(int file) { return fails("fsync", file) ? -1 : REAL(fsync)(file); }
int fdatasync(int file) { return fails("fsync", file) ? -1 : REAL(fdatasync)(file); }

ssize_t write(int file, const void *octets, size_t count)
{
    return fails("write", file) ? -1 : REAL(write)(file, octets, count);
}

ssize_t pwrite(int file, const void *octets, size_t count, off_t place)
{
    return fails("write", file) ? -1 : REAL(pwrite)(file, octets, count, place);
}

ssize_t pwrite64(int file, const void *octets, size_t count, off64_t place)
{
    return fails("write", file) ? -1 : REAL(pwrite64)(file, octets, count, place);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = REAL(clock_gettime)(clock, now);

    if (clock == CLOCK_REALTIME)
        now->tv_sec += ordered("clock");
    return result;
}

time_t time(time_t *place)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    if (place != NULL)
        *place = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    int result = REAL(gettimeofday)(now, zone);

    now->tv_sec += ordered("clock");
    return result;
}
