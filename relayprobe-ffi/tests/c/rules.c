/* The rules of the interface, one by one. */
#include "check.h"

#include <limits.h>
#include <stddef.h>

static void says(const char *words)
{
    CHECK(strstr(relayprobe_last_error(), words) != NULL);
}

/* A plan says what is missing, and what would be right. */
static void plans_say_what_is_missing(void)
{
    relayprobe_plan *plan = relayprobe_plan_new();
    relayprobe_session *session = NULL;

    CHECK(relayprobe_plan_check(plan, DATE) == RELAYPROBE_STATUS_INCOMPLETE);
    says("relayprobe_plan_set_target()");
    CHECK(relayprobe_plan_add_domain(plan, "target.example") == RELAYPROBE_STATUS_INCOMPLETE);
    OK(relayprobe_plan_set_target(plan, "192.0.2.25", 25));
    CHECK(relayprobe_plan_check(plan, DATE) == RELAYPROBE_STATUS_INCOMPLETE);
    says("relayprobe_plan_set_probe_domain()");
    CHECK(relayprobe_plan_set_helo(plan, "mail.example") == RELAYPROBE_STATUS_INCOMPLETE);
    OK(relayprobe_plan_set_probe_domain(plan, "probe.example"));
    CHECK(relayprobe_session_new(plan, DATE, 1, 0, &session) == RELAYPROBE_STATUS_INCOMPLETE);
    says("relayprobe_plan_set_authorization()");
    CHECK(session == NULL);
    CHECK(relayprobe_plan_add_scope(plan, "example.org") == RELAYPROBE_STATUS_INCOMPLETE);
    OK(relayprobe_plan_set_authorization(plan, "request:R1"));
    CHECK(relayprobe_plan_check(plan, DATE) == RELAYPROBE_STATUS_INVALID_PLAN);
    says("192.0.2.25 is");
    relayprobe_plan_free(plan);
}

static void plans_refuse_what_must_not_be(void)
{
    relayprobe_plan *plan = whole_plan();

    CHECK(relayprobe_plan_set_target(plan, "localhost", 25) == RELAYPROBE_STATUS_INVALID_ARGUMENT);
    CHECK(relayprobe_plan_set_target(plan, "127.0.0.1", 0) == RELAYPROBE_STATUS_INVALID_ARGUMENT);
    CHECK(relayprobe_plan_add_domain(plan, "not a domain") == RELAYPROBE_STATUS_INVALID_ARGUMENT);
    CHECK(relayprobe_plan_add_domain(plan, "\xff\xfe") == RELAYPROBE_STATUS_INVALID_ARGUMENT);
    says("UTF-8");
    CHECK(relayprobe_plan_set_authorization(plan, "me") == RELAYPROBE_STATUS_INVALID_ARGUMENT);
    CHECK(relayprobe_plan_set_organisation(plan, "a\r\nb") == RELAYPROBE_STATUS_INVALID_ARGUMENT);
    CHECK(relayprobe_plan_set_cases(plan, "no-such-case") == RELAYPROBE_STATUS_INVALID_ARGUMENT);
    CHECK(relayprobe_plan_add_case(plan, "mine", "<{sender}>", "<victim@elsewhere.example>")
        == RELAYPROBE_STATUS_INVALID_ARGUMENT);
    OK(relayprobe_plan_check(plan, DATE));

    OK(relayprobe_plan_set_history(plan, DATE - 3600, 0, 0));
    CHECK(relayprobe_plan_check(plan, DATE) == RELAYPROBE_STATUS_TOO_SOON);
    OK(relayprobe_plan_set_again(plan));
    OK(relayprobe_plan_check(plan, DATE));

    OK(relayprobe_plan_set_never_test(plan, "# asked by mail\n127.0.0.0/8\n"));
    CHECK(relayprobe_plan_check(plan, DATE) == RELAYPROBE_STATUS_NEVER_TEST);
    CHECK(relayprobe_plan_set_never_test(plan, "ok.example\n!!\n") == RELAYPROBE_STATUS_INVALID_ARGUMENT);
    says("line 2");
    OK(relayprobe_plan_set_never_test(plan, ""));

    OK(relayprobe_plan_set_authorization_end(plan, DATE - 1));
    CHECK(relayprobe_plan_check(plan, DATE) == RELAYPROBE_STATUS_NOT_AUTHORIZED);
    OK(relayprobe_plan_set_authorization_end(plan, 0));
    OK(relayprobe_plan_add_scope(plan, "198.51.100.0/24"));
    CHECK(relayprobe_plan_check(plan, DATE) == RELAYPROBE_STATUS_NOT_AUTHORIZED);
    OK(relayprobe_plan_set_authorization(plan, "own-server:tests"));
    OK(relayprobe_plan_check(plan, DATE));

    OK(relayprobe_plan_set_messages(plan, 0));
    CHECK(relayprobe_plan_check(plan, DATE) == RELAYPROBE_STATUS_INVALID_PLAN);
    relayprobe_plan_free(plan);
}

/* Numbers from C are looked at, never believed. */
static void numbers_out_of_range_are_refused(void)
{
    static const int32_t wrong[] = {0, -1, 5, 100, INT32_MAX, INT32_MIN};
    relayprobe_plan *plan = whole_plan();
    relayprobe_keyring *keyring = a_keyring();
    relayprobe_session *session = session_of(plan);

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CHECK(relayprobe_plan_set_matrix(plan, wrong[i]) == RELAYPROBE_STATUS_INVALID_ARGUMENT);
        CHECK(relayprobe_plan_set_profile(plan, wrong[i]) == RELAYPROBE_STATUS_INVALID_ARGUMENT);
        CHECK(relayprobe_plan_set_vantage(plan, wrong[i]) == RELAYPROBE_STATUS_INVALID_ARGUMENT);
        CHECK(relayprobe_plan_add_measure(plan, wrong[i]) == RELAYPROBE_STATUS_INVALID_ARGUMENT);
        CHECK(relayprobe_plan_set_grouping(plan, wrong[i]) == RELAYPROBE_STATUS_INVALID_ARGUMENT);
        CHECK(relayprobe_plan_set_prove(plan, wrong[i], keyring) == RELAYPROBE_STATUS_INVALID_ARGUMENT);
        CHECK(relayprobe_plan_set_connections(plan, (uint32_t)wrong[i]) == RELAYPROBE_STATUS_INVALID_ARGUMENT);
        if (wrong[i] != 5)
            CHECK(relayprobe_session_lost(session, 0, wrong[i], 0) == RELAYPROBE_STATUS_INVALID_ARGUMENT);
        CHECK(strcmp(relayprobe_verdict_name(wrong[i] == 5 ? 0 : wrong[i]), "undetermined") == 0);
        CHECK(strlen(relayprobe_status_text(wrong[i])) > 0);
    }
    CHECK(relayprobe_plan_set_tls(plan, 2) == RELAYPROBE_STATUS_INVALID_ARGUMENT);
    CHECK(relayprobe_session_received(session, 0, (const uint8_t *)"", SIZE_MAX, 0)
        == RELAYPROBE_STATUS_INVALID_ARGUMENT);
    relayprobe_session_free(session);
    relayprobe_keyring_free(keyring);
    relayprobe_plan_free(plan);
}

/* A handle of another kind is seen. */
static void handles_of_another_kind_are_refused(void)
{
    relayprobe_plan *plan = whole_plan();
    relayprobe_keyring *keyring = a_keyring();
    relayprobe_report *report = refused_report(plan);
    relayprobe_stop *stop = relayprobe_stop_new();

    CHECK(relayprobe_plan_check((relayprobe_plan *)(void *)keyring, DATE) == RELAYPROBE_STATUS_WRONG_HANDLE);
    CHECK(relayprobe_report_exit_code((relayprobe_report *)(void *)plan) == RELAYPROBE_STATUS_WRONG_HANDLE);
    CHECK(relayprobe_report_json((relayprobe_report *)(void *)keyring) == NULL);
    CHECK(relayprobe_run(plan, (relayprobe_stop *)(void *)plan, &report) == RELAYPROBE_STATUS_WRONG_HANDLE);
    CHECK(relayprobe_stop_now((relayprobe_stop *)(void *)report) == RELAYPROBE_STATUS_WRONG_HANDLE);
    says("relayprobe_stop");
    relayprobe_plan_free((relayprobe_plan *)(void *)report);
    OK(relayprobe_plan_check(plan, DATE));
    relayprobe_stop_free(stop);
    relayprobe_report_free(report);
    relayprobe_keyring_free(keyring);
    relayprobe_plan_free(plan);
    relayprobe_plan_free(NULL);
    relayprobe_session_free(NULL);
    relayprobe_report_free(NULL);
    relayprobe_keyring_free(NULL);
    relayprobe_stop_free(NULL);
}

/* A program that was compiled when the struct was smaller, or larger, than it is now. */
static void structs_of_other_sizes_keep_their_place(void)
{
    static const size_t least = offsetof(relayprobe_output, event);
    relayprobe_plan *plan = whole_plan();

    for (size_t size = 0; size <= sizeof(relayprobe_output) + 64; size++) {
        unsigned char *place = malloc(size < sizeof(size_t) ? sizeof(size_t) : size);
        relayprobe_session *session = session_of(plan);
        relayprobe_status status;

        CHECK(place != NULL);
        memset(place, 0xa5, size < sizeof(size_t) ? sizeof(size_t) : size);
        memcpy(place, &size, sizeof size);
        status = relayprobe_session_poll(session, (relayprobe_output *)(void *)place);
        if (size < least) {
            CHECK(status == RELAYPROBE_STATUS_STRUCT_SIZE);
        } else {
            int32_t kind;
            size_t kept;
            OK(status);
            memcpy(&kept, place, sizeof kept);
            CHECK(kept == size);
            memcpy(&kind, place + offsetof(relayprobe_output, kind), sizeof kind);
            CHECK(kind == RELAYPROBE_OUTPUT_KIND_EVENT);
            for (size_t i = sizeof(relayprobe_output); i < size; i++)
                CHECK(place[i] == 0xa5);
        }
        relayprobe_session_free(session);
        free(place);
    }
    relayprobe_plan_free(plan);
}

/* What a session lends stays as long as it says. */
static void octets_stay_until_they_are_sent(void)
{
    static const char greeting[] = "220 mx.target.example ESMTP\r\n";
    relayprobe_plan *plan = whole_plan();
    relayprobe_session *session = session_of(plan);
    relayprobe_output connect = next_of(session, RELAYPROBE_OUTPUT_KIND_CONNECT);
    relayprobe_output send;

    CHECK(strcmp(connect.text, "127.0.0.1") == 0 && connect.port == 2525 && connect.source == NULL);
    OK(relayprobe_session_connected(session, connect.connection, 1));
    OK(relayprobe_session_received(session, connect.connection, (const uint8_t *)greeting, sizeof greeting - 1, 2));
    send = next_of(session, RELAYPROBE_OUTPUT_KIND_SEND);
    CHECK(send.length == 20 && memcmp(send.octets, "EHLO probe.example\r\n", 20) == 0);
    CHECK(poll_of(session).kind == RELAYPROBE_OUTPUT_KIND_WAIT);
    OK(relayprobe_session_received(session, connect.connection, (const uint8_t *)"250", 3, 3));
    CHECK(memcmp(send.octets, "EHLO probe.example\r\n", 20) == 0);
    OK(relayprobe_session_sent(session, connect.connection, 4));
    relayprobe_session_free(session);
    relayprobe_plan_free(plan);
}

/* Every input at a time when nobody asked for it. */
static void calls_out_of_order_change_nothing_for_the_worse(void)
{
    relayprobe_plan *plan = whole_plan();
    relayprobe_session *session = session_of(plan);
    relayprobe_report *report = NULL, *second = NULL;

    OK(relayprobe_session_sent(session, 9, 5));
    OK(relayprobe_session_received(session, 9, (const uint8_t *)"250 ok\r\n", 8, 5));
    OK(relayprobe_session_received(session, 9, NULL, 0, 5));
    OK(relayprobe_session_secured(session, 9, "TLSv1.3", "TLS_AES_128_GCM_SHA256", 4));
    OK(relayprobe_session_lost(session, 9, RELAYPROBE_LOSS_CLOSED, 3));
    OK(relayprobe_session_connected(session, UINT32_MAX, UINT64_MAX / 2));
    OK(relayprobe_session_tick(session, 0));
    for (int i = 0; i < 16; i++)
        OK(relayprobe_session_add_certificate(session, 1, (const uint8_t *)"x", 1));
    CHECK(relayprobe_session_add_certificate(session, 1, (const uint8_t *)"x", 1)
        == RELAYPROBE_STATUS_INVALID_ARGUMENT);
    OK(relayprobe_session_stop(session, 1));
    OK(relayprobe_session_stop(session, 1));
    OK(relayprobe_session_report(session, &report));
    CHECK(relayprobe_report_exit_code(report) == 3);
    CHECK(relayprobe_session_report(session, &second) == RELAYPROBE_STATUS_SESSION_OVER);
    CHECK(second == NULL);
    CHECK(relayprobe_session_tick(session, 1) == RELAYPROBE_STATUS_SESSION_OVER);
    CHECK(relayprobe_session_stop(session, 1) == RELAYPROBE_STATUS_SESSION_OVER);
    CHECK(relayprobe_session_connected(session, 0, 1) == RELAYPROBE_STATUS_SESSION_OVER);
    relayprobe_session_free(session);
    CHECK(strcmp(relayprobe_verdict_name(relayprobe_report_verdict(report)), "undetermined") == 0);
    relayprobe_report_free(report);
    relayprobe_plan_free(plan);
}

static void reports_are_read_and_written(void)
{
    relayprobe_plan *plan = whole_plan();
    relayprobe_report *report = refused_report(plan), *again = NULL;
    relayprobe_keyring *keyring = a_keyring();
    char *json;
    uint64_t until = 1;
    int32_t kind = 0;
    int count = relayprobe_report_probe_count(report);

    CHECK(relayprobe_report_verdict(report) == RELAYPROBE_VERDICT_UNREACHABLE);
    CHECK(relayprobe_report_is_settled(report) == 1);
    OK(relayprobe_report_pending_until(report, &until));
    CHECK(until == 0);
    OK(relayprobe_report_date(report, &until));
    CHECK(until == DATE);
    CHECK(strlen(relayprobe_report_run(report)) == 8);
    CHECK(strncmp(relayprobe_report_text(report), "unreachable", 11) == 0);
    CHECK(relayprobe_report_transcript(report) != NULL);
    CHECK(count > 20);
    for (int i = 0; i < count; i++) {
        const uint8_t *octets = (const uint8_t *)"";
        size_t length = 1;
        CHECK(relayprobe_report_probe_case(report, (uint32_t)i) != NULL);
        CHECK(relayprobe_report_probe_family(report, (uint32_t)i) != NULL);
        CHECK(relayprobe_report_probe_why(report, (uint32_t)i) != NULL);
        CHECK(relayprobe_report_probe_port(report, (uint32_t)i) == 2525);
        CHECK(relayprobe_report_probe_outcome(report, (uint32_t)i) > 0);
        OK(relayprobe_report_probe_reply(report, (uint32_t)i, &octets, &length));
        CHECK(octets == NULL && length == 0);
    }
    CHECK(relayprobe_report_probe_case(report, (uint32_t)count) == NULL);
    CHECK(relayprobe_report_probe_outcome(report, UINT32_MAX) == RELAYPROBE_STATUS_INVALID_ARGUMENT);

    json = strdup(relayprobe_report_json(report));
    CHECK(json != NULL && json[0] == '{');
    OK(relayprobe_report_from_json(json, strlen(json), &again));
    CHECK(strcmp(relayprobe_report_json(again), json) == 0);
    relayprobe_report_free(again);
    again = NULL;
    for (size_t length = 0; length < strlen(json); length += 97)
        CHECK(relayprobe_report_from_json(json, length, &again) == RELAYPROBE_STATUS_UNREADABLE);
    CHECK(again == NULL);
    CHECK(relayprobe_report_from_json("\xff", 1, &again) == RELAYPROBE_STATUS_UNREADABLE);
    free(json);

    OK(relayprobe_report_judge(report, DATE + 86400));
    OK(relayprobe_report_judge(report, 0));
    OK(relayprobe_report_check_way_in(report, keyring, NULL));
    OK(relayprobe_report_add_message(report, keyring, (const uint8_t *)"\0\r\n", 3, DATE, &kind));
    CHECK(kind == RELAYPROBE_RECEIPT_NOT_OURS);
    CHECK(strcmp(relayprobe_receipt_name(kind), "not-ours") == 0);
    relayprobe_keyring_free(keyring);
    relayprobe_report_free(report);
    relayprobe_plan_free(plan);
}

static void keyrings_are_read_and_written(void)
{
    static const uint8_t secret[32] = {1, 2, 3};
    relayprobe_keyring *keyring = a_keyring(), *again = NULL;
    char *text;

    OK(relayprobe_keyring_roll(keyring, secret, sizeof secret, DATE + 1));
    text = strdup(relayprobe_keyring_text(keyring));
    OK(relayprobe_keyring_from_text(text, &again));
    CHECK(strcmp(relayprobe_keyring_text(again), text) == 0);
    free(text);
    relayprobe_keyring_free(again);
    again = NULL;
    CHECK(relayprobe_keyring_new(secret, 31, DATE, &again) == RELAYPROBE_STATUS_INVALID_ARGUMENT);
    CHECK(relayprobe_keyring_from_text("0 today secret", &again) == RELAYPROBE_STATUS_UNREADABLE);
    CHECK(strstr(relayprobe_last_error(), "secret ") == NULL);
    CHECK(again == NULL);
    relayprobe_keyring_free(keyring);
}

/* Whether the receiving server is still there: nothing is done for a survey, and no session ends where it does not belong. */
static void a_check_of_the_way_in_belongs_to_its_run(void)
{
    relayprobe_plan *plan = whole_plan();
    relayprobe_keyring *keyring = a_keyring();
    relayprobe_report *survey = refused_report(plan), *report = NULL, *other = NULL;
    relayprobe_session *session = (relayprobe_session *)(void *)plan, *run;
    relayprobe_output output;

    OK(relayprobe_session_check_way_in(survey, keyring, DATE, 0, &session));
    CHECK(session == NULL);
    OK(relayprobe_plan_set_way_in(plan, "127.0.0.3", 2525));
    OK(relayprobe_plan_set_prove(plan, RELAYPROBE_PROVE_FAMILIES, keyring));
    report = refused_report(plan);
    OK(relayprobe_session_check_way_in(report, keyring, DATE + 86400, 0, &session));
    CHECK(session != NULL);
    output = next_of(session, RELAYPROBE_OUTPUT_KIND_CONNECT);
    CHECK(strcmp(output.text, "127.0.0.3") == 0);
    CHECK(relayprobe_session_report(session, &other) == RELAYPROBE_STATUS_INVALID_ARGUMENT);
    says("relayprobe_report_append()");
    CHECK(other == NULL);
    OK(relayprobe_session_new(plan, DATE, 8, 0, &run));
    CHECK(relayprobe_report_append(report, run) == RELAYPROBE_STATUS_OTHER_RUN);
    relayprobe_session_free(run);
    run = session_of(plan);
    CHECK(relayprobe_report_append(report, run) == RELAYPROBE_STATUS_INVALID_ARGUMENT);
    says("relayprobe_session_report()");
    relayprobe_session_free(run);
    OK(relayprobe_session_lost(session, output.connection, RELAYPROBE_LOSS_REFUSED, 1));
    OK(relayprobe_report_append(report, session));
    CHECK(relayprobe_report_append(report, session) == RELAYPROBE_STATUS_SESSION_OVER);
    CHECK(strstr(relayprobe_report_json(report), "127.0.0.3") != NULL);
    relayprobe_session_free(session);
    relayprobe_report_free(report);
    relayprobe_report_free(survey);
    relayprobe_keyring_free(keyring);
    relayprobe_plan_free(plan);
}

/* A run that is stopped before it begins, and one against a port where nothing listens. */
static void runs_can_be_stopped(void)
{
    relayprobe_plan *plan = whole_plan();
    relayprobe_stop *stop = relayprobe_stop_new();
    relayprobe_report *report = NULL;

    OK(relayprobe_stop_now(stop));
    OK(relayprobe_run(plan, stop, &report));
    CHECK(relayprobe_report_exit_code(report) == 3);
    relayprobe_report_free(report);
    relayprobe_stop_free(stop);
    report = NULL;
    OK(relayprobe_plan_set_target(plan, "127.0.0.1", 1));
    OK(relayprobe_plan_allow_port(plan, 1));
    OK(relayprobe_run(plan, NULL, &report));
    CHECK(relayprobe_report_verdict(report) == RELAYPROBE_VERDICT_UNREACHABLE);
    relayprobe_report_free(report);
    relayprobe_plan_free(plan);
}

/* An agent with a resolver of its own: what may be connected to, what is asked, what an answer means. */
static void names_and_lists_are_for_ones_own_resolver(void)
{
    char name[256];

    OK(relayprobe_address_check("8.8.8.8", RELAYPROBE_SCOPE_INTERNET));
    CHECK(relayprobe_address_check("64:ff9b::7f00:1", RELAYPROBE_SCOPE_INTERNET) == RELAYPROBE_STATUS_INVALID_PLAN);
    says("loopback");
    OK(relayprobe_address_check("127.0.0.1", RELAYPROBE_SCOPE_PRIVATE));
    CHECK(relayprobe_address_check("::ffff:169.254.169.254", RELAYPROBE_SCOPE_PRIVATE)
        == RELAYPROBE_STATUS_INVALID_PLAN);
    says("metadata");
    CHECK(relayprobe_address_check("mail.example", 1) == RELAYPROBE_STATUS_INVALID_ARGUMENT);
    CHECK(relayprobe_address_check("8.8.8.8", 3) == RELAYPROBE_STATUS_INVALID_ARGUMENT);

    OK(relayprobe_reverse_name("192.0.2.1", name, sizeof name));
    CHECK(strcmp(name, "1.2.0.192.in-addr.arpa") == 0);
    OK(relayprobe_list_name("192.0.2.1", "bl.example", name, 21));
    CHECK(strcmp(name, "1.2.0.192.bl.example") == 0);
    CHECK(relayprobe_list_name("192.0.2.1", "bl.example", name, 20) == RELAYPROBE_STATUS_INVALID_ARGUMENT);
    says("21 octets are needed");
    CHECK(relayprobe_list_name("192.0.2.1", "bl.example", name, 0) == RELAYPROBE_STATUS_INVALID_ARGUMENT);
    CHECK(relayprobe_list_name("192.0.2.1", "bl example", name, sizeof name) == RELAYPROBE_STATUS_INVALID_ARGUMENT);
    OK(relayprobe_list_test_name(RELAYPROBE_LIST_TEST_IPV4_LISTED, "bl.example", name, sizeof name));
    CHECK(strcmp(name, "2.0.0.127.bl.example") == 0);
    OK(relayprobe_list_test_name(RELAYPROBE_LIST_TEST_IPV6_UNLISTED, "bl.example", name, sizeof name));
    CHECK(strncmp(name, "1.0.0.0.0.0.f.7.f.f.f.f.0.", 26) == 0);

    CHECK(relayprobe_list_decode("") == RELAYPROBE_LIST_STATE_NOT_LISTED);
    CHECK(relayprobe_list_decode("127.0.0.2 127.0.0.4") == RELAYPROBE_LIST_STATE_LISTED);
    CHECK(relayprobe_list_decode("127.0.0.2 127.255.255.254") == RELAYPROBE_LIST_STATE_UNKNOWN);
    CHECK(relayprobe_list_decode("203.0.113.1") == RELAYPROBE_LIST_STATE_UNKNOWN);
    CHECK(relayprobe_list_decode("listed") == RELAYPROBE_STATUS_INVALID_ARGUMENT);
}

int main(void)
{
    CHECK(relayprobe_last_error()[0] == '\0');
    plans_say_what_is_missing();
    plans_refuse_what_must_not_be();
    numbers_out_of_range_are_refused();
    handles_of_another_kind_are_refused();
    structs_of_other_sizes_keep_their_place();
    octets_stay_until_they_are_sent();
    calls_out_of_order_change_nothing_for_the_worse();
    reports_are_read_and_written();
    keyrings_are_read_and_written();
    a_check_of_the_way_in_belongs_to_its_run();
    runs_can_be_stopped();
    names_and_lists_are_for_ones_own_resolver();
    return 0;
}
