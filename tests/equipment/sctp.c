/* SCTP for kernels without it, as far as Osmocom's programs need it on one machine: a stand-in over
 * TCP, to be preloaded. Each message travels behind a head that tells its length, its payload
 * protocol and its stream. One address, no events, no multihoming.
 *
 *     cc -shared -fPIC -o sctp.so sctp.c -ldl
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <linux/sctp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define SCTP 132
#define MOST_OCTETS 65536

struct head {
    uint32_t length;
    uint32_t ppid;
    uint32_t stream;
};

int socket(int domain, int type, int protocol)
{
    static int (*next)(int, int, int);
    if (!next)
        next = dlsym(RTLD_NEXT, "socket");
    if (protocol == SCTP)
        return next(domain, SOCK_STREAM | (type & (SOCK_NONBLOCK | SOCK_CLOEXEC)), IPPROTO_TCP);
    return next(domain, type, protocol);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
    static int (*next)(int, int, int, const void *, socklen_t);
    if (!next)
        next = dlsym(RTLD_NEXT, "setsockopt");
    return level == SCTP ? 0 : next(fd, level, name, value, size);
}

int getsockopt(int fd, int level, int name, void *value, socklen_t *size)
{
    static int (*next)(int, int, int, void *, socklen_t *);
    if (!next)
        next = dlsym(RTLD_NEXT, "getsockopt");
    if (level != SCTP)
        return next(fd, level, name, value, size);
    memset(value, 0, *size);
    return 0;
}

static socklen_t size_of(const struct sockaddr *address)
{
    return address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                          : sizeof(struct sockaddr_in);
}

int sctp_bindx(int fd, struct sockaddr *addresses, int count, int flags)
{
    return bind(fd, addresses, size_of(addresses));
}

int sctp_connectx(int fd, struct sockaddr *addresses, int count, sctp_assoc_t *id)
{
    if (id)
        *id = fd;
    return connect(fd, addresses, size_of(addresses));
}

static int put(int fd, const void *message, size_t length, uint32_t ppid, uint16_t stream)
{
    struct head head = {htonl(length), ppid, htonl(stream)};
    struct iovec parts[] = {{&head, sizeof head}, {(void *)message, length}};
    struct msghdr whole = {.msg_iov = parts, .msg_iovlen = 2};
    return sendmsg(fd, &whole, MSG_NOSIGNAL) < 0 ? -1 : (int)length;
}

int sctp_send(int fd, const void *message, size_t length, const struct sctp_sndrcvinfo *info,
              int flags)
{
    return put(fd, message, length, info->sinfo_ppid, info->sinfo_stream);
}

int sctp_sendmsg(int fd, const void *message, size_t length, struct sockaddr *to, socklen_t size,
                 uint32_t ppid, uint32_t flags, uint16_t stream, uint32_t ttl, uint32_t context)
{
    return put(fd, message, length, ppid, stream);
}

int sctp_recvmsg(int fd, void *message, size_t length, struct sockaddr *from, socklen_t *size,
                 struct sctp_sndrcvinfo *info, int *flags)
{
    struct head head;
    int there = 0;
    ssize_t got = recv(fd, &head, sizeof head, MSG_PEEK);
    if (got <= 0)
        return got;
    uint32_t octets = ntohl(head.length);
    if (octets > MOST_OCTETS || octets > length) {
        errno = EMSGSIZE;
        return -1;
    }
    if (got < (ssize_t)sizeof head || ioctl(fd, FIONREAD, &there) < 0
        || there < (int)(sizeof head + octets)) {
        errno = EAGAIN;
        return -1;
    }
    recv(fd, &head, sizeof head, 0);
    if (info) {
        memset(info, 0, sizeof *info);
        info->sinfo_ppid = head.ppid;
        info->sinfo_stream = ntohl(head.stream);
    }
    if (flags)
        *flags = MSG_EOR;
    if (from && size)
        getpeername(fd, from, size);
    return recv(fd, message, octets, MSG_WAITALL);
}
