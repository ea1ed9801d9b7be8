/*
 * Calls the functions in any order, with any handle in any state, good and bad arguments mixed:
 *
 *   random SEED CALLS
 *
 * The same seed makes the same calls. It finds something by crashing, or by the sanitizer or valgrind it runs under.
 * With -DFUZZ the octets of a fuzzer (LLVMFuzzerTestOneInput) take the place of the seed.
 */
#include "check.h"

#ifdef FUZZ
static const uint8_t *input;
static size_t left;

/* The next octets of the input, as few as will do; zeros after its end. */
static uint64_t chance_to(uint32_t count)
{
    uint64_t number = 0;
    for (uint32_t most = count - 1; most > 0 && left > 0; most >>= 8, left--)
        number = number << 8 | *input++;
    return number;
}
#else
static uint64_t state;

/* SplitMix64. */
static uint64_t chance_to(uint32_t count)
{
    uint64_t z = (state += 0x9e3779b97f4a7c15u);
    (void)count;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}
#endif

static uint64_t chance(void)
{
    return chance_to(UINT32_MAX);
}

static uint32_t upto(uint32_t count)
{
    return (uint32_t)(chance_to(count) % count);
}

#define ONE_OF(list) ((list)[upto((uint32_t)(sizeof(list) / sizeof *(list)))])

static const char *const texts[] = {
    "127.0.0.1", "127.0.0.1", "::1", "192.0.2.1", "target.example", "probe.example", "tester.example", "own-server:x",
    "request:R 1", "postmaster@target.example", "snd-null pct-domain", "127.0.0.0/8", "<{sender}>",
    "<{probe-user}%{probe-domain}@{target-domain}>", "mine", "", " ", "\xff", "a\r\nb", "TLSv1.3",
    "https://probe.example/", "0 2026-11-23T00:00:00Z 0707070707070707070707070707070707070707070707070707070707070707",
    NULL,
};
static const char *const replies[] = {
    "220 mx.target.example ESMTP\r\n", "250-mx.target.example\r\n250 PIPELINING\r\n", "250 2.1.0 Ok\r\n",
    "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n250 2.0.0 Ok\r\n", "554 5.7.1 Relay access denied\r\n", "421 4.3.2 closing\r\n", "25",
    "0 ok\r", "\n", "354 go on\r\n", "\r\n\r\n", "\xff\xfe 250", "599",
};

static relayprobe_plan *plans[2];
static relayprobe_session *sessions[3];
static relayprobe_report *reports[3];
static relayprobe_keyring *keyrings[2];
static relayprobe_stop *stop;
static uint64_t now;

#define A_PLAN (plans[upto(2)])
#define A_SESSION (sessions[upto(3)])
#define A_REPORT (reports[upto(3)])
#define A_KEYRING (keyrings[upto(2)])

static uint16_t port(void)
{
    static const uint16_t ports[] = {25, 465, 2525, 587, 0, 7, 65535};
    return ONE_OF(ports);
}

static void plan_call(void)
{
    static const uint32_t seconds[] = {1, 60, 0, UINT32_MAX};
    static const uint16_t some[] = {25, 465, 2525};
    relayprobe_plan *plan = A_PLAN;
    const char *text = ONE_OF(texts);

    switch (upto(46)) {
    case 0: relayprobe_plan_set_target(plan, text, port()); break;
    case 1: relayprobe_plan_set_target_name(plan, text); break;
    case 2: relayprobe_plan_add_domain(plan, text); break;
    case 3: relayprobe_plan_set_mailbox(plan, text); break;
    case 4: relayprobe_plan_set_reverse_name(plan, text); break;
    case 5: relayprobe_plan_set_other_address(plan, text); break;
    case 6: relayprobe_plan_set_expected_host(plan, text); break;
    case 7: relayprobe_plan_set_provider_domain(plan, text); break;
    case 8: relayprobe_plan_set_ports(plan, upto(2) ? some : NULL, upto(4)); break;
    case 9: relayprobe_plan_allow_port(plan, port()); break;
    case 10: relayprobe_plan_add_implicit_tls(plan, port()); break;
    case 11: relayprobe_plan_allow_private(plan); break;
    case 12: relayprobe_plan_set_source(plan, text); break;
    case 13: relayprobe_plan_set_tls(plan, (int32_t)upto(3)); break;
    case 14: relayprobe_plan_set_probe_domain(plan, text); break;
    case 15: relayprobe_plan_set_organisation(plan, text); break;
    case 16: relayprobe_plan_set_helo(plan, text); break;
    case 17: relayprobe_plan_set_sender_domain(plan, text); break;
    case 18: relayprobe_plan_set_contact(plan, text); break;
    case 19: relayprobe_plan_set_probe_uri(plan, text); break;
    case 20: relayprobe_plan_set_sink_host(plan, text); break;
    case 21: relayprobe_plan_set_sink_address(plan, text); break;
    case 22: relayprobe_plan_set_lure_mx(plan, text); break;
    case 23: relayprobe_plan_set_lure_a(plan, text); break;
    case 24: relayprobe_plan_set_authorization(plan, text); break;
    case 25: relayprobe_plan_add_scope(plan, text); break;
    case 26: relayprobe_plan_set_authorization_end(plan, upto(2) ? 0 : DATE + upto(9)); break;
    case 27: relayprobe_plan_set_never_test(plan, upto(4) ? "" : text); break;
    case 28: relayprobe_plan_set_history(plan, upto(2) ? 0 : DATE, upto(30), upto(3)); break;
    case 29: relayprobe_plan_set_matrix(plan, (int32_t)upto(5)); break;
    case 30: relayprobe_plan_set_cases(plan, text); break;
    case 31: relayprobe_plan_add_case(plan, text, ONE_OF(texts), ONE_OF(texts)); break;
    case 32: relayprobe_plan_set_profile(plan, (int32_t)upto(5)); break;
    case 33: relayprobe_plan_set_connections(plan, upto(5)); break;
    case 34: relayprobe_plan_set_budget(plan, (uint16_t)upto(9), (uint16_t)upto(9), (uint16_t)upto(9)); break;
    case 35: relayprobe_plan_set_retries(plan, seconds, upto(5)); break;
    case 36: relayprobe_plan_set_prove(plan, (int32_t)upto(4), A_KEYRING); break;
    case 37: relayprobe_plan_set_way_in(plan, text, port()); break;
    case 38: relayprobe_plan_check(plan, DATE); break;
    case 39: relayprobe_plan_add_measure(plan, (int32_t)upto(6)); break;
    case 40: relayprobe_plan_set_vantage(plan, (int32_t)upto(6)); break;
    case 41: relayprobe_plan_set_grouping(plan, (int32_t)upto(4)); break;
    case 42: relayprobe_plan_set_messages(plan, (uint16_t)upto(70)); break;
    case 43: relayprobe_plan_set_window(plan, upto(2) ? upto(700000) : chance()); break;
    case 44: relayprobe_plan_set_again(plan); break;
    default:
        if (upto(8) == 0) {
            relayprobe_plan **place = &plans[upto(2)];
            relayprobe_plan_free(*place);
            *place = upto(4) ? whole_plan() : upto(2) ? relayprobe_plan_new() : NULL;
        }
    }
}

static void poll_some(relayprobe_session *session)
{
    for (int i = 0; i < 20; i++) {
        relayprobe_output output;
        memset(&output, 0, sizeof output);
        output.struct_size = upto(9) ? sizeof output : upto((uint32_t)sizeof output + 1);
        if (relayprobe_session_poll(session, &output) != RELAYPROBE_STATUS_OK)
            return;
        /* Look at all that was lent: under a sanitizer that shows whether it is there. */
        if (output.octets != NULL && output.length > 0) {
            volatile uint8_t last = output.octets[output.length - 1];
            (void)last;
        }
        if (output.text != NULL)
            (void)!strlen(output.text);
        if (output.kind == RELAYPROBE_OUTPUT_KIND_WAIT) {
            if (upto(3) && output.until > now && output.until - now < 100000000u)
                now = output.until;
            return;
        }
        if (output.kind == RELAYPROBE_OUTPUT_KIND_CONNECT && upto(4))
            relayprobe_session_connected(session, output.connection, now);
        if (output.kind == RELAYPROBE_OUTPUT_KIND_SEND && upto(4))
            relayprobe_session_sent(session, output.connection, now);
        if (output.kind == RELAYPROBE_OUTPUT_KIND_FINISHED)
            return;
    }
}

static void session_call(void)
{
    relayprobe_session *session = A_SESSION;
    uint32_t connection = upto(8);
    const char *reply = ONE_OF(replies);

    now += upto(1000);
    switch (upto(16)) {
    case 0: relayprobe_session_connected(session, connection, now); break;
    case 1: relayprobe_session_sent(session, connection, now); break;
    case 2: case 3: case 4:
        relayprobe_session_received(session, connection, (const uint8_t *)reply, strlen(reply), now);
        break;
    case 5: relayprobe_session_secured(session, connection, ONE_OF(texts), ONE_OF(texts), now); break;
    case 6: relayprobe_session_add_certificate(session, connection, (const uint8_t *)reply, upto(3)); break;
    case 7: relayprobe_session_lost(session, connection, (int32_t)upto(11), now); break;
    case 8: relayprobe_session_tick(session, upto(9) ? now : chance()); break;
    case 9:
        if (upto(20) == 0)
            relayprobe_session_stop(session, now);
        break;
    case 10:
        if (upto(4) == 0) {
            relayprobe_report **place = &reports[upto(3)];
            relayprobe_report_free(*place);
            *place = NULL;
            relayprobe_session_report(session, place);
        }
        break;
    case 11:
        if (upto(4) == 0) {
            relayprobe_session **place = &sessions[upto(3)];
            relayprobe_session_free(*place);
            *place = NULL;
            if (upto(3))
                relayprobe_session_new(A_PLAN, DATE, chance(), now, place);
            else
                relayprobe_session_check_way_in(A_REPORT, A_KEYRING, DATE + upto(900000), now, place);
        }
        break;
    case 12: relayprobe_report_append(A_REPORT, session); break;
    default: poll_some(session); break;
    }
}

static void report_call(void)
{
    relayprobe_report *report = A_REPORT;
    uint32_t probe = upto(40);
    const uint8_t *octets = NULL;
    const char *text = NULL;
    size_t length = 0;
    int32_t kind;
    uint64_t date;

    switch (upto(18)) {
    case 0: text = relayprobe_report_json(report); break;
    case 1: text = relayprobe_report_text(report); break;
    case 2: text = relayprobe_report_transcript(report); break;
    case 3: text = relayprobe_report_run(report); break;
    case 4: text = relayprobe_report_probe_case(report, probe); break;
    case 5: text = relayprobe_report_probe_family(report, probe); break;
    case 6: text = relayprobe_report_probe_why(report, probe); break;
    case 7: relayprobe_report_exit_code(report); break;
    case 8: relayprobe_report_verdict(report); break;
    case 9: relayprobe_report_is_settled(report); break;
    case 10: relayprobe_report_pending_until(report, &date); relayprobe_report_date(report, &date); break;
    case 11: relayprobe_report_probe_count(report); break;
    case 12: relayprobe_report_probe_outcome(report, probe); relayprobe_report_probe_port(report, probe); break;
    case 13: relayprobe_report_probe_reply(report, probe, &octets, &length); break;
    case 14: relayprobe_report_judge(report, DATE + upto(900000)); break;
    case 15: {
        relayprobe_report *copy = NULL;
        text = relayprobe_report_json(report);
        if (text != NULL)
            relayprobe_report_from_json(text, strlen(text) - (upto(3) == 0), &copy);
        relayprobe_report_free(copy);
        return;
    }
    case 16: {
        const char *message = ONE_OF(texts);
        relayprobe_report_add_message(report, A_KEYRING, (const uint8_t *)message,
            message == NULL ? 0 : strlen(message), DATE, upto(2) ? &kind : NULL);
        break;
    }
    default:
        if (upto(9) == 0) {
            relayprobe_report **place = &reports[upto(3)];
            relayprobe_report_free(*place);
            *place = NULL;
        }
    }
    if (text != NULL)
        (void)!strlen(text);
    if (octets != NULL && length > 0) {
        volatile uint8_t last = octets[length - 1];
        (void)last;
    }
}

static void other_call(void)
{
    static const uint8_t secret[32] = {9};
    relayprobe_keyring **place = &keyrings[upto(2)];

    switch (upto(8)) {
    case 0: relayprobe_keyring_roll(A_KEYRING, secret, upto(33), DATE); break;
    case 1: (void)!relayprobe_keyring_text(A_KEYRING); break;
    case 2:
        relayprobe_keyring_free(*place);
        *place = NULL;
        relayprobe_keyring_from_text(ONE_OF(texts), place);
        break;
    case 3:
        relayprobe_keyring_free(*place);
        *place = NULL;
        relayprobe_keyring_new(secret, 32, DATE, place);
        break;
    case 4: relayprobe_stop_now(upto(2) ? stop : NULL); break;
    case 5:
        (void)!strlen(relayprobe_last_error());
        (void)!strlen(relayprobe_status_text((int32_t)chance()));
        (void)!strlen(relayprobe_outcome_name((int32_t)upto(14)));
        (void)!strlen(relayprobe_verdict_name((int32_t)upto(14)));
        (void)!strlen(relayprobe_receipt_name((int32_t)upto(14)));
        break;
    case 6: relayprobe_loss_from_errno((int32_t)chance()); break;
    default:
        /* Stopped at once, so that it opens nothing. */
        if (upto(4) == 0) {
            relayprobe_report *report = NULL;
            relayprobe_stop *stopped = relayprobe_stop_new();
            relayprobe_stop_now(stopped);
            relayprobe_run(A_PLAN, stopped, &report);
            relayprobe_report_free(report);
            relayprobe_stop_free(stopped);
        }
    }
}

static void begin(void)
{
    plans[0] = whole_plan();
    OK(relayprobe_plan_set_way_in(plans[0], "127.0.0.3", 2525));
    plans[1] = relayprobe_plan_new();
    keyrings[0] = a_keyring();
    OK(relayprobe_plan_set_prove(plans[0], RELAYPROBE_PROVE_FAMILIES, keyrings[0]));
    stop = relayprobe_stop_new();
    for (int i = 0; i < 2; i++)
        sessions[i] = session_of(plans[0]);
    reports[0] = refused_report(plans[0]);
    now = 0;
}

static void call(void)
{
    switch (upto(8)) {
    case 0: plan_call(); break;
    case 1: report_call(); break;
    case 2: other_call(); break;
    default: session_call(); break;
    }
}

static void end(void)
{
    for (int i = 0; i < 3; i++) {
        relayprobe_session_free(sessions[i]);
        relayprobe_report_free(reports[i]);
        sessions[i] = NULL;
        reports[i] = NULL;
    }
    for (int i = 0; i < 2; i++) {
        relayprobe_plan_free(plans[i]);
        relayprobe_keyring_free(keyrings[i]);
        plans[i] = NULL;
        keyrings[i] = NULL;
    }
    relayprobe_stop_free(stop);
}

#ifdef FUZZ
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input = data;
    left = size;
    begin();
    while (left > 0)
        call();
    end();
    return 0;
}
#else
int main(int argc, char **argv)
{
    unsigned long calls = argc > 2 ? strtoul(argv[2], NULL, 10) : 10000;

    state = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    begin();
    for (unsigned long i = 0; i < calls; i++)
        call();
    end();
    return 0;
}
#endif
