/* What the programs of these tests share. */
#ifndef CHECK_H
#define CHECK_H

#include <relayprobe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: %s\n(last error: %s)\n", __FILE__, __LINE__, #condition,                 \
                relayprobe_last_error());                                                                    \
            exit(1);                                                                                         \
        }                                                                                                    \
    } while (0)

#define OK(call) CHECK((call) == RELAYPROBE_STATUS_OK)

#define DATE 1795473834u

/* A whole plan against a server on loopback that need not be there. */
static inline relayprobe_plan *whole_plan(void)
{
    relayprobe_plan *plan = relayprobe_plan_new();
    CHECK(plan != NULL);
    OK(relayprobe_plan_set_target(plan, "127.0.0.1", 2525));
    OK(relayprobe_plan_add_domain(plan, "target.example"));
    OK(relayprobe_plan_set_probe_domain(plan, "probe.example"));
    OK(relayprobe_plan_set_authorization(plan, "own-server:tests"));
    OK(relayprobe_plan_allow_private(plan));
    OK(relayprobe_plan_set_profile(plan, RELAYPROBE_PROFILE_LAB));
    return plan;
}

static inline relayprobe_session *session_of(relayprobe_plan *plan)
{
    relayprobe_session *session = NULL;
    OK(relayprobe_session_new(plan, DATE, 7, 0, &session));
    CHECK(session != NULL);
    return session;
}

static inline relayprobe_output poll_of(relayprobe_session *session)
{
    relayprobe_output output;
    memset(&output, 0, sizeof output);
    output.struct_size = sizeof output;
    OK(relayprobe_session_poll(session, &output));
    return output;
}

/* The next output of this kind; others are passed over. */
static inline relayprobe_output next_of(relayprobe_session *session, int kind)
{
    for (int i = 0; i < 1000; i++) {
        relayprobe_output output = poll_of(session);
        if (output.kind == kind)
            return output;
        if (output.kind == RELAYPROBE_OUTPUT_KIND_WAIT)
            OK(relayprobe_session_tick(session, output.until));
        CHECK(output.kind != RELAYPROBE_OUTPUT_KIND_FINISHED);
    }
    fprintf(stderr, "no output of kind %d comes\n", kind);
    exit(1);
}

/* A report of a server that refused the connection. */
static inline relayprobe_report *refused_report(relayprobe_plan *plan)
{
    relayprobe_session *session = session_of(plan);
    relayprobe_report *report = NULL;
    relayprobe_output output = next_of(session, RELAYPROBE_OUTPUT_KIND_CONNECT);
    OK(relayprobe_session_lost(session, output.connection, RELAYPROBE_LOSS_REFUSED, 1));
    do {
        output = poll_of(session);
        if (output.kind == RELAYPROBE_OUTPUT_KIND_WAIT)
            OK(relayprobe_session_tick(session, output.until));
        if (output.kind == RELAYPROBE_OUTPUT_KIND_CONNECT)
            OK(relayprobe_session_lost(session, output.connection, RELAYPROBE_LOSS_REFUSED, 1));
    } while (output.kind != RELAYPROBE_OUTPUT_KIND_FINISHED);
    OK(relayprobe_session_report(session, &report));
    relayprobe_session_free(session);
    return report;
}

static inline relayprobe_keyring *a_keyring(void)
{
    static const uint8_t secret[32] = {7};
    relayprobe_keyring *keyring = NULL;
    OK(relayprobe_keyring_new(secret, sizeof secret, DATE, &keyring));
    return keyring;
}

#endif
