/*
 * Many sessions in one thread: a poll(2) loop with TLS by OpenSSL, one connection at once for each session.
 *
 * It does what a session says and nothing else; how fast or how broken the server is makes no difference to it.
 */
#ifndef POLL_LOOP_H
#define POLL_LOOP_H

#include "check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct run {
    relayprobe_session *session; /* NULL if nothing runs here */
    uint64_t until;              /* when it wants to be asked again */
    int socket;                  /* -1 if there is none */
    uint32_t number;
    enum { CONNECTING, SHAKING, OPEN } state;
    SSL *tls;            /* NULL in the clear */
    const uint8_t *left; /* what is still to be written; it belongs to the session */
    size_t count;
};

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

/* The TLS of all runs: any certificate will do. */
static SSL_CTX *tls_of_all(void)
{
    static SSL_CTX *made = NULL;
    if (made == NULL) {
        made = SSL_CTX_new(TLS_client_method());
        CHECK(made != NULL);
        SSL_CTX_set_verify(made, SSL_VERIFY_NONE, NULL);
        SSL_CTX_set_mode(made, SSL_MODE_ENABLE_PARTIAL_WRITE);
    }
    return made;
}

static void forget(struct run *run)
{
    SSL_free(run->tls);
    close(run->socket);
    run->socket = -1;
    run->tls = NULL;
    run->left = NULL;
    run->count = 0;
}

static void lose(struct run *run, int loss)
{
    forget(run);
    OK(relayprobe_session_lost(run->session, run->number, loss, now()));
}

static void begin(struct run *run, const relayprobe_output *output)
{
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons((uint16_t)output->port)};

    CHECK(inet_pton(AF_INET, output->text, &where.sin_addr) == 1);
    CHECK(run->socket < 0);
    run->number = output->connection;
    run->state = CONNECTING;
    run->socket = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(run->socket >= 0);
    CHECK(fcntl(run->socket, F_SETFL, O_NONBLOCK) == 0);
    if (connect(run->socket, (struct sockaddr *)&where, sizeof where) < 0 && errno != EINPROGRESS)
        lose(run, relayprobe_loss_from_errno(errno));
}

static void established(struct run *run)
{
    int error = 0;
    socklen_t length = sizeof error;

    getsockopt(run->socket, SOL_SOCKET, SO_ERROR, &error, &length);
    run->state = OPEN;
    if (error != 0)
        lose(run, relayprobe_loss_from_errno(error));
    else
        OK(relayprobe_session_connected(run->session, run->number, now()));
}

static void shake(struct run *run)
{
    int result = SSL_connect(run->tls), error = SSL_get_error(run->tls, result);
    STACK_OF(X509) *chain;

    if (result != 1) {
        if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
            lose(run, RELAYPROBE_LOSS_TLS);
        return;
    }
    chain = SSL_get_peer_cert_chain(run->tls);
    for (int i = 0; i < sk_X509_num(chain); i++) {
        unsigned char *der = NULL;
        int length = i2d_X509(sk_X509_value(chain, i), &der);
        CHECK(length > 0);
        OK(relayprobe_session_add_certificate(run->session, run->number, der, (size_t)length));
        OPENSSL_free(der);
    }
    run->state = OPEN;
    OK(relayprobe_session_secured(run->session, run->number, SSL_get_version(run->tls),
        SSL_CIPHER_standard_name(SSL_get_current_cipher(run->tls)), now()));
}

static void start_tls(struct run *run, const char *name)
{
    struct in_addr address;

    run->tls = SSL_new(tls_of_all());
    CHECK(run->tls != NULL && SSL_set_fd(run->tls, run->socket) == 1);
    /* An address is no server name (RFC 6066, section 3). */
    if (inet_pton(AF_INET, name, &address) != 1)
        SSL_set_tlsext_host_name(run->tls, name);
    run->state = SHAKING;
    shake(run);
}

/* What TLS made of a call: a count, 0 at the end, -1 for later, -2 for a loss. */
static int outcome(SSL *tls, int result)
{
    switch (SSL_get_error(tls, result)) {
    case SSL_ERROR_NONE: return result;
    case SSL_ERROR_ZERO_RETURN: return 0;
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: return -1;
    default: return -2;
    }
}

static void write_on(struct run *run)
{
    while (run->count > 0) {
        int part = run->count > 16384 ? 16384 : (int)run->count;
        ssize_t written = run->tls != NULL ? outcome(run->tls, SSL_write(run->tls, run->left, part))
                                           : send(run->socket, run->left, (size_t)part, MSG_NOSIGNAL);
        /* A loss shows in the next read, after what the server sent before it. */
        if (written <= 0)
            return;
        run->left += written;
        run->count -= (size_t)written;
    }
    if (run->left != NULL) {
        run->left = NULL;
        OK(relayprobe_session_sent(run->session, run->number, now()));
    }
}

/* Reads once. Who reads until nothing is left never comes back from a server that sends faster than that. */
static void read_on(struct run *run)
{
    uint8_t octets[16384];
    int tls = run->tls != NULL;
    ssize_t count = tls ? outcome(run->tls, SSL_read(run->tls, octets, sizeof octets))
                        : recv(run->socket, octets, sizeof octets, 0);

    if (count > 0)
        OK(relayprobe_session_received(run->session, run->number, octets, (size_t)count, now()));
    else if (count == 0)
        lose(run, RELAYPROBE_LOSS_CLOSED);
    else if (tls && count == -2)
        lose(run, RELAYPROBE_LOSS_CLOSED);
    else if (!tls && errno != EAGAIN && errno != EINTR)
        lose(run, relayprobe_loss_from_errno(errno));
}

/* Does what the session says until there is something to wait for; whether it is finished. */
static int turn(struct run *run)
{
    for (;;) {
        relayprobe_output output = poll_of(run->session);
        int mine = run->socket >= 0 && run->number == output.connection;

        switch (output.kind) {
        case RELAYPROBE_OUTPUT_KIND_CONNECT:
            begin(run, &output);
            break;
        case RELAYPROBE_OUTPUT_KIND_SEND:
            if (mine) {
                run->left = output.octets;
                run->count = output.length;
                write_on(run);
            }
            break;
        case RELAYPROBE_OUTPUT_KIND_START_TLS:
            if (mine)
                start_tls(run, output.text);
            break;
        case RELAYPROBE_OUTPUT_KIND_CLOSE:
            if (mine)
                forget(run);
            break;
        case RELAYPROBE_OUTPUT_KIND_WAIT:
            if (output.until > now()) {
                run->until = output.until;
                return 0;
            }
            /* Nothing unread may be overtaken. */
            if (run->socket >= 0 && run->state == OPEN)
                read_on(run);
            OK(relayprobe_session_tick(run->session, now()));
            break;
        case RELAYPROBE_OUTPUT_KIND_FINISHED:
            if (run->socket >= 0)
                forget(run);
            return 1;
        default:
            break;
        }
    }
}

/* Octets that wait in OpenSSL, of which poll() knows nothing. */
static int has_pending(const struct run *run)
{
    return run->socket >= 0 && run->state == OPEN && run->tls != NULL && SSL_pending(run->tls) > 0;
}

static void step(struct run *run)
{
    if (run->state == CONNECTING) {
        established(run);
    } else if (run->state == SHAKING) {
        shake(run);
    } else {
        if (run->left != NULL)
            write_on(run);
        read_on(run);
    }
}

/* Waits for all runs at once, and does what their sockets are ready for. */
static void wait_for(struct run *runs, size_t count)
{
    struct pollfd fds[64];
    uint64_t first = UINT64_MAX, begun = now();
    int pending = 0;

    CHECK(count <= sizeof fds / sizeof *fds);
    for (size_t i = 0; i < count; i++) {
        struct run *run = &runs[i];
        int idle = run->session == NULL || run->socket < 0;
        int shaking = !idle && run->state == SHAKING;

        fds[i] = (struct pollfd){.fd = idle ? -1 : run->socket, .events = POLLIN};
        if (run->state == CONNECTING || run->left != NULL || (shaking && SSL_want_write(run->tls)))
            fds[i].events |= POLLOUT;
        if (run->session != NULL && run->until < first)
            first = run->until;
        pending |= !idle && has_pending(run);
    }
    CHECK(poll(fds, (nfds_t)count, pending || first <= begun ? 0 : (int)((first - begun) / 1000u + 1u)) >= 0);
    for (size_t i = 0; i < count; i++)
        if (fds[i].fd >= 0 && (fds[i].revents != 0 || has_pending(&runs[i])))
            step(&runs[i]);
}

#endif
