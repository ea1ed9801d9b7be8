/*
 * One server with STARTTLS or implicit TLS by OpenSSL, in a loop of one's own.
 *
 *   cc tls.c $(pkg-config --cflags --libs relayprobe openssl) -o tls
 *   ./tls [-l] [-i] ADDRESS PORT
 *
 * It prints the report as JSON. -i speaks TLS from the first octet, as on port 465; -l is for a server of one's own on this
 * machine. agent.c shows how one loop serves many servers; here it is the four functions about TLS that matter.
 */
#define _POSIX_C_SOURCE 200809L

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <relayprobe.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* The plan asks for one connection at once. */
static struct {
    int socket; /* -1 if there is none */
    uint32_t number;
    enum { CONNECTING, SHAKING, OPEN } state;
    SSL *tls; /* NULL in the clear */
    const uint8_t *left;
    size_t count;
} wire = {.socket = -1};

static SSL_CTX *context;
static relayprobe_session *session;

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

static void check(relayprobe_status status)
{
    if (status != RELAYPROBE_STATUS_OK) {
        fprintf(stderr, "tls: %s\n", relayprobe_last_error());
        exit(64);
    }
}

static void forget(void)
{
    if (wire.tls != NULL)
        SSL_free(wire.tls);
    close(wire.socket);
    wire.socket = -1;
    wire.tls = NULL;
    wire.left = NULL;
    wire.count = 0;
}

static void lose(int loss)
{
    forget();
    check(relayprobe_session_lost(session, wire.number, loss, now()));
}

/* ---- TLS. ---- */

/* Any certificate and any version will do: what there was is reported, and a test is no place for secrets. */
static SSL_CTX *lenient(void)
{
    SSL_CTX *made = SSL_CTX_new(TLS_client_method());
    if (made == NULL || SSL_CTX_set_cipher_list(made, "ALL:@SECLEVEL=0") != 1
        || SSL_CTX_set_min_proto_version(made, TLS1_VERSION) != 1)
        exit(74);
    SSL_CTX_set_verify(made, SSL_VERIFY_NONE, NULL);
    return made;
}

/* RELAYPROBE_OUTPUT_KIND_START_TLS: the handshake begins on the socket as it is, with nothing read ahead. */
static void start_tls(const char *name)
{
    unsigned char address[sizeof(struct in6_addr)];
    wire.tls = SSL_new(context);
    if (wire.tls == NULL || SSL_set_fd(wire.tls, wire.socket) != 1)
        exit(74);
    /* An address is no server name (RFC 6066, section 3). */
    if (inet_pton(AF_INET, name, address) != 1 && inet_pton(AF_INET6, name, address) != 1)
        SSL_set_tlsext_host_name(wire.tls, name);
    wire.state = SHAKING;
}

/* Goes on with the handshake; when it is done, the certificates and what was agreed are handed over. */
static void shake(void)
{
    int result = SSL_connect(wire.tls), error = SSL_get_error(wire.tls, result);
    STACK_OF(X509) *chain;

    if (result != 1) {
        if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
            lose(RELAYPROBE_LOSS_TLS);
        return;
    }
    chain = SSL_get_peer_cert_chain(wire.tls);
    for (int i = 0; i < sk_X509_num(chain) && i < 16; i++) {
        unsigned char *der = NULL;
        int length = i2d_X509(sk_X509_value(chain, i), &der);
        if (length > 0)
            check(relayprobe_session_add_certificate(session, wire.number, der, (size_t)length));
        OPENSSL_free(der);
    }
    wire.state = OPEN;
    check(relayprobe_session_secured(session, wire.number, SSL_get_version(wire.tls),
        SSL_CIPHER_standard_name(SSL_get_current_cipher(wire.tls)), now()));
}

/* What recv() and send() return: a count, 0 at the end, -1 for later, and -2 for a loss. */
static int outcome(int result)
{
    switch (SSL_get_error(wire.tls, result)) {
    case SSL_ERROR_NONE: return result;
    case SSL_ERROR_ZERO_RETURN: return 0;
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: return -1;
    default: return -2;
    }
}

/* ---- The loop. ---- */

static void write_on(void)
{
    while (wire.count > 0) {
        int part = wire.count > 16384 ? 16384 : (int)wire.count;
        ssize_t written = wire.tls != NULL ? outcome(SSL_write(wire.tls, wire.left, part))
                                           : send(wire.socket, wire.left, (size_t)part, MSG_NOSIGNAL);
        /* A loss shows in the next read, after what the server sent before it. */
        if (written <= 0)
            return;
        wire.left += written;
        wire.count -= (size_t)written;
    }
    if (wire.left != NULL) {
        wire.left = NULL;
        check(relayprobe_session_sent(session, wire.number, now()));
    }
}

/* Reads once: who reads until nothing is left never comes back from a server that sends faster than that. */
static void read_on(void)
{
    uint8_t octets[16384];
    int tls = wire.tls != NULL;
    ssize_t count = tls ? outcome(SSL_read(wire.tls, octets, sizeof octets))
                        : recv(wire.socket, octets, sizeof octets, 0);

    if (count > 0)
        check(relayprobe_session_received(session, wire.number, octets, (size_t)count, now()));
    else if (count == 0)
        lose(RELAYPROBE_LOSS_CLOSED);
    else if (tls ? count == -2 : (errno != EAGAIN && errno != EINTR))
        lose(tls ? RELAYPROBE_LOSS_CLOSED : relayprobe_loss_from_errno(errno));
}

static void begin(const relayprobe_output *output)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)output->port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)output->port)};
    int is_v6 = inet_pton(AF_INET6, output->text, &v6.sin6_addr) == 1;
    const struct sockaddr *where = is_v6 ? (const struct sockaddr *)&v6 : (const struct sockaddr *)&v4;

    inet_pton(AF_INET, output->text, &v4.sin_addr);
    wire.number = output->connection;
    wire.state = CONNECTING;
    wire.socket = socket(where->sa_family, SOCK_STREAM, 0);
    if (wire.socket < 0) {
        check(relayprobe_session_lost(session, wire.number, relayprobe_loss_from_errno(errno), now()));
        return;
    }
    if (fcntl(wire.socket, F_SETFL, O_NONBLOCK) < 0
        || (connect(wire.socket, where, is_v6 ? sizeof v6 : sizeof v4) < 0 && errno != EINPROGRESS))
        lose(relayprobe_loss_from_errno(errno));
}

static void established(void)
{
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(wire.socket, SOL_SOCKET, SO_ERROR, &error, &length);
    wire.state = OPEN;
    if (error != 0)
        lose(relayprobe_loss_from_errno(error));
    else
        check(relayprobe_session_connected(session, wire.number, now()));
}

/* Waits for the socket, and does what it is ready for. */
static void wait_until(uint64_t until)
{
    uint64_t begun = now();
    struct pollfd fd = {.fd = wire.socket, .events = POLLIN};
    int timeout = until <= begun ? 0 : until - begun > 60000000u ? 60000 : (int)((until - begun) / 1000u + 1u);

    if (wire.state == CONNECTING || wire.left != NULL || (wire.state == SHAKING && SSL_want_write(wire.tls)))
        fd.events |= POLLOUT;
    if (wire.socket >= 0 && wire.state == OPEN && wire.left != NULL)
        write_on();
    /* Octets that wait in OpenSSL, of which poll() knows nothing. */
    if (wire.socket >= 0 && wire.state == OPEN && wire.tls != NULL && SSL_pending(wire.tls) > 0) {
        read_on();
        return;
    }
    if (poll(&fd, 1, timeout) <= 0 || wire.socket < 0)
        return;
    if (wire.state == CONNECTING)
        established();
    else if (wire.state == SHAKING)
        shake();
    else
        read_on();
}

static void run(void)
{
    for (;;) {
        relayprobe_output output;
        memset(&output, 0, sizeof output);
        output.struct_size = sizeof output;
        check(relayprobe_session_poll(session, &output));
        switch (output.kind) {
        case RELAYPROBE_OUTPUT_KIND_CONNECT:
            begin(&output);
            break;
        case RELAYPROBE_OUTPUT_KIND_SEND:
            wire.left = output.octets;
            wire.count = output.length;
            write_on();
            break;
        case RELAYPROBE_OUTPUT_KIND_START_TLS:
            start_tls(output.text);
            shake();
            break;
        case RELAYPROBE_OUTPUT_KIND_CLOSE:
            if (wire.socket >= 0 && wire.number == output.connection)
                forget();
            break;
        case RELAYPROBE_OUTPUT_KIND_WAIT:
            if (output.until > now()) {
                wait_until(output.until);
                break;
            }
            if (wire.socket >= 0 && wire.state == OPEN)
                read_on();
            check(relayprobe_session_tick(session, now()));
            break;
        case RELAYPROBE_OUTPUT_KIND_FINISHED:
            return;
        default:
            break;
        }
    }
}

int main(int argc, char **argv)
{
    relayprobe_plan *plan = relayprobe_plan_new();
    relayprobe_report *report = NULL;
    int option, lab = 0, implicit = 0;
    uint16_t port;

    while ((option = getopt(argc, argv, "li")) != -1) {
        lab |= option == 'l';
        implicit |= option == 'i';
    }
    if (argc - optind != 2) {
        fprintf(stderr, "usage: tls [-l] [-i] ADDRESS PORT\n");
        relayprobe_plan_free(plan);
        return 64;
    }
    /* OpenSSL writes without MSG_NOSIGNAL. The library never raises the signal; a program decides for itself. */
    signal(SIGPIPE, SIG_IGN);
    context = lenient();
    port = (uint16_t)atoi(argv[optind + 1]);
    check(relayprobe_plan_set_target(plan, argv[optind], port));
    check(relayprobe_plan_add_domain(plan, "target.example"));
    check(relayprobe_plan_set_probe_domain(plan, "probe.example"));
    check(relayprobe_plan_set_authorization(plan, "customer-contract:K123"));
    check(relayprobe_plan_set_matrix(plan, RELAYPROBE_MATRIX_STANDARD));
    /* This loop can do TLS: without this line the cases behind it are "not-tested". */
    check(relayprobe_plan_set_tls(plan, 1));
    if (implicit)
        check(relayprobe_plan_add_implicit_tls(plan, port));
    if (lab) {
        check(relayprobe_plan_allow_private(plan));
        check(relayprobe_plan_set_profile(plan, RELAYPROBE_PROFILE_LAB));
    }
    /* The seed must not repeat; time and process are enough for one machine. */
    check(relayprobe_session_new(plan, (uint64_t)time(NULL), (uint64_t)getpid() << 32 ^ now(), now(), &session));
    relayprobe_plan_free(plan);
    run();
    check(relayprobe_session_report(session, &report));
    puts(relayprobe_report_json(report));
    relayprobe_report_free(report);
    relayprobe_session_free(session);
    if (wire.socket >= 0)
        forget();
    SSL_CTX_free(context);
    return 0;
}
