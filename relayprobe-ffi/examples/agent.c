/*
 * An agent with a poll(2) loop of its own that tests many servers in one thread.
 *
 *   cc agent.c $(pkg-config --cflags --libs relayprobe) -o agent
 *   ./agent [-l] ADDRESS:PORT...
 *
 * It prints a line for each server: address, verdict, exit code, how many probes were refused. -l is for servers of
 * one's own on this machine. TLS is left out; the guide docs/c.md shows where OpenSSL goes.
 */
#define _POSIX_C_SOURCE 200809L

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <relayprobe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* A session has at most three connections at once; the plan below asks for one. */
#define CONNECTIONS 3

struct connection {
    int socket; /* -1 if there is none */
    uint32_t number;
    int connecting;
    const uint8_t *left; /* what is still to be written; it belongs to the session */
    size_t count;
};

struct target {
    const char *name;
    relayprobe_session *session;
    struct connection connections[CONNECTIONS];
    uint64_t until;
    int done;
};

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

static void check(relayprobe_status status)
{
    if (status != RELAYPROBE_STATUS_OK) {
        fprintf(stderr, "agent: %s\n", relayprobe_last_error());
        exit(64);
    }
}

/* A number that names the run and must not repeat. */
static uint64_t seed(void)
{
    uint64_t number = 0;
    FILE *chance = fopen("/dev/urandom", "rb");
    if (chance == NULL || fread(&number, sizeof number, 1, chance) != 1) {
        perror("agent: /dev/urandom");
        exit(74);
    }
    fclose(chance);
    return number;
}

static struct connection *find(struct target *target, uint32_t number)
{
    for (int i = 0; i < CONNECTIONS; i++)
        if (target->connections[i].socket >= 0 && target->connections[i].number == number)
            return &target->connections[i];
    return NULL;
}

static void forget(struct connection *connection)
{
    close(connection->socket);
    connection->socket = -1;
    connection->connecting = 0;
    connection->left = NULL;
    connection->count = 0;
}

static void lose(struct target *target, struct connection *connection, int loss)
{
    uint32_t number = connection->number;
    forget(connection);
    check(relayprobe_session_lost(target->session, number, loss, now()));
}

static void begin(struct target *target, const relayprobe_output *output)
{
    struct sockaddr_storage where;
    socklen_t length;
    struct connection *connection = NULL;

    memset(&where, 0, sizeof where);
    if (strchr(output->text, ':') != NULL) {
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&where;
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)output->port);
        inet_pton(AF_INET6, output->text, &v6->sin6_addr);
        length = sizeof *v6;
    } else {
        struct sockaddr_in *v4 = (struct sockaddr_in *)&where;
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)output->port);
        inet_pton(AF_INET, output->text, &v4->sin_addr);
        length = sizeof *v4;
    }
    for (int i = 0; i < CONNECTIONS; i++)
        if (target->connections[i].socket < 0)
            connection = &target->connections[i];
    if (connection == NULL) {
        check(relayprobe_session_lost(target->session, output->connection, RELAYPROBE_LOSS_OTHER, now()));
        return;
    }
    connection->socket = socket(where.ss_family, SOCK_STREAM, 0);
    if (connection->socket < 0) {
        int loss = relayprobe_loss_from_errno(errno);
        check(relayprobe_session_lost(target->session, output->connection, loss, now()));
        return;
    }
    connection->number = output->connection;
    connection->connecting = 1;
    if (fcntl(connection->socket, F_SETFL, O_NONBLOCK) < 0
        || (connect(connection->socket, (struct sockaddr *)&where, length) < 0 && errno != EINPROGRESS))
        lose(target, connection, relayprobe_loss_from_errno(errno));
}

/* Writes as much as there is room for. */
static void write_on(struct target *target, struct connection *connection)
{
    while (connection->count > 0) {
        ssize_t count = send(connection->socket, connection->left, connection->count, MSG_NOSIGNAL);
        if (count < 0) {
            /* A loss shows in the next read, after what the server sent before it. */
            return;
        }
        connection->left += count;
        connection->count -= (size_t)count;
    }
    if (connection->left != NULL) {
        connection->left = NULL;
        check(relayprobe_session_sent(target->session, connection->number, now()));
    }
}

/* Reads once. */
static void read_on(struct target *target, struct connection *connection)
{
    uint8_t octets[4096];
    ssize_t count = recv(connection->socket, octets, sizeof octets, 0);
    if (count > 0)
        check(relayprobe_session_received(target->session, connection->number, octets, (size_t)count, now()));
    else if (count == 0)
        lose(target, connection, RELAYPROBE_LOSS_CLOSED);
    else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
        lose(target, connection, relayprobe_loss_from_errno(errno));
}

static void established(struct target *target, struct connection *connection)
{
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(connection->socket, SOL_SOCKET, SO_ERROR, &error, &length);
    connection->connecting = 0;
    if (error != 0)
        lose(target, connection, relayprobe_loss_from_errno(error));
    else
        check(relayprobe_session_connected(target->session, connection->number, now()));
}

static void finish(struct target *target)
{
    relayprobe_report *report = NULL;
    int refused = 0;
    check(relayprobe_session_report(target->session, &report));
    for (int i = 0; i < relayprobe_report_probe_count(report); i++)
        refused += relayprobe_report_probe_outcome(report, (uint32_t)i) == RELAYPROBE_OUTCOME_REFUSED;
    printf("%s %s %d %d\n", target->name, relayprobe_verdict_name(relayprobe_report_verdict(report)),
        relayprobe_report_exit_code(report), refused);
    relayprobe_report_free(report);
    relayprobe_session_free(target->session);
    target->session = NULL;
    target->done = 1;
}

/* Does what the session says until there is something to wait for. */
static void turn(struct target *target)
{
    for (;;) {
        relayprobe_output output;
        struct connection *connection;

        memset(&output, 0, sizeof output);
        output.struct_size = sizeof output;
        check(relayprobe_session_poll(target->session, &output));
        connection = find(target, output.connection);
        switch (output.kind) {
        case RELAYPROBE_OUTPUT_KIND_CONNECT:
            begin(target, &output);
            break;
        case RELAYPROBE_OUTPUT_KIND_SEND:
            if (connection != NULL) {
                connection->left = output.octets;
                connection->count = output.length;
                write_on(target, connection);
            }
            break;
        case RELAYPROBE_OUTPUT_KIND_START_TLS:
            if (connection != NULL)
                lose(target, connection, RELAYPROBE_LOSS_TLS);
            break;
        case RELAYPROBE_OUTPUT_KIND_CLOSE:
            if (connection != NULL)
                forget(connection);
            break;
        case RELAYPROBE_OUTPUT_KIND_WAIT:
            if (output.until > now()) {
                target->until = output.until;
                return;
            }
            /* Nothing unread may be overtaken: read once from each, then tick. */
            for (int i = 0; i < CONNECTIONS; i++) {
                connection = &target->connections[i];
                if (connection->socket >= 0 && !connection->connecting)
                    read_on(target, connection);
            }
            check(relayprobe_session_tick(target->session, now()));
            break;
        case RELAYPROBE_OUTPUT_KIND_FINISHED:
            finish(target);
            return;
        default:
            break;
        }
    }
}

static void ready(struct target *target, struct connection *connection, short events)
{
    if (connection->connecting) {
        established(target, connection);
        return;
    }
    if ((events & POLLOUT) != 0)
        write_on(target, connection);
    if ((events & (POLLIN | POLLHUP | POLLERR)) != 0 && connection->socket >= 0)
        read_on(target, connection);
}

static void loop(struct target *targets, size_t count)
{
    struct pollfd *fds = calloc(count * CONNECTIONS, sizeof *fds);
    size_t open = count;

    if (fds == NULL)
        exit(74);
    while (open > 0) {
        uint64_t until = UINT64_MAX;
        int timeout;

        open = 0;
        for (size_t t = 0; t < count; t++) {
            if (!targets[t].done)
                turn(&targets[t]);
            if (targets[t].done)
                continue;
            open++;
            if (targets[t].until < until)
                until = targets[t].until;
        }
        if (open == 0)
            break;
        for (size_t i = 0; i < count * CONNECTIONS; i++) {
            const struct connection *connection = &targets[i / CONNECTIONS].connections[i % CONNECTIONS];
            fds[i].fd = connection->socket;
            fds[i].events = POLLIN;
            fds[i].revents = 0;
            if (connection->connecting || connection->left != NULL)
                fds[i].events |= POLLOUT;
        }
        timeout = until > now() ? (int)((until - now()) / 1000u + 1u) : 0;
        if (poll(fds, (nfds_t)(count * CONNECTIONS), timeout) < 0 && errno != EINTR) {
            perror("agent: poll");
            exit(74);
        }
        for (size_t i = 0; i < count * CONNECTIONS; i++) {
            struct target *target = &targets[i / CONNECTIONS];
            if (fds[i].revents != 0 && fds[i].fd == target->connections[i % CONNECTIONS].socket)
                ready(target, &target->connections[i % CONNECTIONS], fds[i].revents);
        }
    }
    free(fds);
}

int main(int argc, char **argv)
{
    relayprobe_plan *plan = relayprobe_plan_new();
    struct target *targets = calloc((size_t)argc, sizeof *targets);
    size_t count = 0;
    int lab = argc > 1 && strcmp(argv[1], "-l") == 0;

    if (targets == NULL || argc < 2 + lab) {
        fprintf(stderr, "usage: agent [-l] ADDRESS:PORT...\n");
        return 64;
    }
    /* One plan serves all: it is copied by each session. */
    check(relayprobe_plan_set_probe_domain(plan, "probe.example"));
    check(relayprobe_plan_set_authorization(plan, "customer-contract:K123"));
    if (lab) {
        check(relayprobe_plan_allow_private(plan));
        check(relayprobe_plan_set_profile(plan, RELAYPROBE_PROFILE_LAB));
    }
    for (int i = 1 + lab; i < argc; i++) {
        struct target *target = &targets[count++];
        char address[64];
        const char *colon = strrchr(argv[i], ':');
        size_t length = colon == NULL ? strlen(argv[i]) : (size_t)(colon - argv[i]);

        if (length >= sizeof address)
            length = sizeof address - 1;
        memcpy(address, argv[i], length);
        address[length] = '\0';
        target->name = argv[i];
        for (int c = 0; c < CONNECTIONS; c++)
            target->connections[c].socket = -1;
        check(relayprobe_plan_set_target(plan, address, (uint16_t)(colon == NULL ? 25 : atoi(colon + 1))));
        check(relayprobe_plan_add_domain(plan, "target.example"));
        check(relayprobe_session_new(plan, (uint64_t)time(NULL), seed(), now(), &target->session));
    }
    relayprobe_plan_free(plan);
    loop(targets, count);
    free(targets);
    return 0;
}
