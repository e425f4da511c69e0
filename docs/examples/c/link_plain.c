/* Without TLS: for a broker on the same machine alone. */
#define _POSIX_C_SOURCE 200809L
#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include "link.h"

static int stream = -1;

int link_open(const char *host, const char *port)
{
    struct addrinfo wanted = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    struct timeval patience = {.tv_sec = PATIENCE};
    if (getaddrinfo(host, port, &wanted, &found))
        return -1;
    stream = socket(found->ai_family, found->ai_socktype, 0);
    setsockopt(stream, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);     /* of connect(), too */
    if (stream >= 0 && connect(stream, found->ai_addr, found->ai_addrlen))
        link_close();
    freeaddrinfo(found);
    return stream;
}

bool link_send(const void *bytes, size_t size)
{
    ssize_t sent = 0;
    for (const char *rest = bytes; size > 0; rest += sent, size -= (size_t)sent)
        if ((sent = send(stream, rest, size, MSG_NOSIGNAL)) < 0)
            return false;
    return true;
}

ssize_t link_receive(void *bytes, size_t most)
{
    ssize_t size = recv(stream, bytes, most, 0);
    return size > 0 ? size : -1;
}

void link_close(void)
{
    if (stream >= 0)
        close(stream);
    stream = -1;
}
