/* The way to the broker: link_plain.c or link_tls.c. One link at a time. */
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#ifndef PATIENCE
#define PATIENCE 15     /* seconds: no call below takes much longer, whatever the other side does not do */
#endif

int link_open(const char *host, const char *port);      /* a descriptor to poll, or -1 */
bool link_send(const void *bytes, size_t size);         /* all of them */
ssize_t link_receive(void *bytes, size_t most);         /* 0: nothing yet; -1: the link has ended */
void link_close(void);
