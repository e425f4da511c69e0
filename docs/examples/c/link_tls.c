/* With TLS (OpenSSL 3): the broker proves its name by the authority in the file that ALATAU_CA names, or the system's. */
#define _POSIX_C_SOURCE 200809L
#include <openssl/ssl.h>
#include <openssl/err.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include "link.h"

static BIO *stream;
static SSL *session;

static SSL_CTX *trust(void)
{
    static SSL_CTX *context;
    const char *authority = getenv("ALATAU_CA");
    if (context)
        return context;
    signal(SIGPIPE, SIG_IGN);           /* OpenSSL writes without MSG_NOSIGNAL */
    context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    if (authority ? SSL_CTX_load_verify_file(context, authority) != 1 : SSL_CTX_set_default_verify_paths(context) != 1)
        ERR_print_errors_fp(stderr), exit(1);
    return context;
}

/* Until OpenSSL can go on; false: it cannot, or nothing came of it for too long. */
static bool wait_for_it(void)
{
    struct pollfd watched = {.fd = (int)BIO_get_fd(stream, NULL), .events = BIO_should_read(stream) ? POLLIN : POLLOUT};
    return BIO_should_retry(stream) && poll(&watched, 1, PATIENCE * 1000) > 0;
}

int link_open(const char *host, const char *port)
{
    stream = BIO_new_ssl_connect(trust());
    BIO_get_ssl(stream, &session);
    SSL_set_tlsext_host_name(session, host);
    SSL_set1_host(session, host);
    BIO_set_conn_hostname(stream, host);
    BIO_set_conn_port(stream, port);
    BIO_set_nbio(stream, 1);            /* half a record, and then nothing: that must not hold us up for ever */
    bool open;
    while (!(open = BIO_do_connect(stream) == 1) && wait_for_it())
        ;
    if (open)
        return (int)BIO_get_fd(stream, NULL);
    if (SSL_get_verify_result(session) != X509_V_OK)
        fprintf(stderr, "%s: %s\n", host, X509_verify_cert_error_string(SSL_get_verify_result(session)));
    ERR_clear_error();
    link_close();
    return -1;
}

bool link_send(const void *bytes, size_t size)
{
    int sent = 0;
    for (const char *rest = bytes; size > 0; rest += sent, size -= (size_t)sent)
        if ((sent = BIO_write(stream, rest, (int)size)) <= 0) {
            if (!wait_for_it())
                return false;
            sent = 0;
        }
    return true;
}

/* Of what OpenSSL has read already the descriptor no longer tells: all of it is taken. */
ssize_t link_receive(void *bytes, size_t most)
{
    size_t size = 0;
    do {
        int more = BIO_read(stream, (char *)bytes + size, (int)(most - size));
        if (more <= 0 && !BIO_should_retry(stream))
            return -1;
        size += more > 0 ? (size_t)more : 0;
    } while (size < most && SSL_pending(session) > 0);
    return (ssize_t)size;
}

void link_close(void)
{
    BIO_free_all(stream);
    stream = NULL;
}
