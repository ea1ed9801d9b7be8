/*
 * Hostile servers through the C interface.
 *
 *   hostile loop      64 sessions at once in one thread, in a loop of its own
 *   hostile threads   64 threads, each with relayprobe_run()
 *   hostile alone     one after another by relayprobe_run(), each with what the process grew by
 *
 * Standard input names a fault in each line, with a tab between the words and "-" for what is not wished for: NAME ADDRESS
 * PORT MATRIX CASES MAILBOX PROVE IMPLICIT-TLS. Standard output has for each NAME VERDICT MILLISECONDS KIB and the report (but not from
 * `alone`, where it would be part of the growth), and at the end the growth of the whole.
 */
#define _GNU_SOURCE

#include "poll_loop.h"

#include <pthread.h>
#include <signal.h>

enum { AT_ONCE = 64, MOST = 1024 };

struct fault {
    char line[512];
    char *name, *address, *port, *matrix, *cases, *mailbox, *prove, *implicit;
    uint64_t begun;
};

static struct fault faults[MOST];
static size_t count, next_one;
static relayprobe_keyring *keyring;
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

static void read_faults(void)
{
    for (; count < MOST && fgets(faults[count].line, sizeof faults->line, stdin) != NULL; count++) {
        struct fault *fault = &faults[count];
        char *rest = fault->line;
        char **words[] = {&fault->name, &fault->address, &fault->port, &fault->matrix, &fault->cases, &fault->mailbox,
            &fault->prove, &fault->implicit};
        rest[strcspn(rest, "\n")] = '\0';
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            CHECK((*words[i] = strsep(&rest, "\t")) != NULL);
    }
}

static int is_wished(const char *word)
{
    return strcmp(word, "-") != 0;
}

static relayprobe_plan *plan_of(const struct fault *fault)
{
    relayprobe_plan *plan = whole_plan();

    OK(relayprobe_plan_set_target(plan, fault->address, (uint16_t)atoi(fault->port)));
    OK(relayprobe_plan_set_tls(plan, 1));
    if (strcmp(fault->matrix, "standard") == 0)
        OK(relayprobe_plan_set_matrix(plan, RELAYPROBE_MATRIX_STANDARD));
    if (is_wished(fault->cases))
        OK(relayprobe_plan_set_cases(plan, fault->cases));
    if (is_wished(fault->mailbox))
        OK(relayprobe_plan_set_mailbox(plan, fault->mailbox));
    if (is_wished(fault->implicit))
        OK(relayprobe_plan_add_implicit_tls(plan, (uint16_t)atoi(fault->port)));
    if (is_wished(fault->prove)) {
        /* A keyring is used by one thread at a time, and there is one for all. */
        pthread_mutex_lock(&one_at_a_time);
        OK(relayprobe_plan_set_prove(plan, RELAYPROBE_PROVE_ALL, keyring));
        pthread_mutex_unlock(&one_at_a_time);
    }
    return plan;
}

static void tell(const struct fault *fault, relayprobe_report *report, uint64_t took, long grown)
{
    const char *verdict = relayprobe_verdict_name(relayprobe_report_verdict(report));
    const char *json = grown < 0 ? relayprobe_report_json(report) : "";

    CHECK(verdict != NULL && json != NULL);
    printf("%s\t%s\t%llu\t%ld\t%s\n", fault->name, verdict, (unsigned long long)(took / 1000u), grown, json);
    relayprobe_report_free(report);
}

/* ---- Memory. ---- */

/* A size of this process, in KiB. */
static long status(const char *key)
{
    char line[256];
    long size = -1;
    FILE *file = fopen("/proc/self/status", "r");

    CHECK(file != NULL);
    while (size < 0 && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, key, strlen(key)) == 0)
            size = atol(line + strlen(key) + 1);
    fclose(file);
    CHECK(size > 0);
    return size;
}

/* Forgets how large the process was at most; how large it is. */
static long forget_peak(void)
{
    FILE *file = fopen("/proc/self/clear_refs", "w");
    CHECK(file != NULL && fputs("5", file) >= 0 && fclose(file) == 0);
    return status("VmRSS");
}

/* ---- The three ways. ---- */

static void in_a_loop(void)
{
    struct run runs[AT_ONCE];
    const struct fault *whose[AT_ONCE];
    size_t running = 0;

    for (size_t i = 0; i < AT_ONCE; i++)
        runs[i] = (struct run){.socket = -1};
    do {
        for (size_t i = 0; i < AT_ONCE; i++) {
            struct run *run = &runs[i];
            relayprobe_report *report = NULL;

            if (run->session == NULL && next_one < count) {
                struct fault *fault = &faults[next_one++];
                relayprobe_plan *plan = plan_of(fault);
                fault->begun = now();
                whose[i] = fault;
                OK(relayprobe_session_new(plan, DATE, next_one, fault->begun, &run->session));
                relayprobe_plan_free(plan);
                running++;
            }
            if (run->session == NULL || !turn(run))
                continue;
            OK(relayprobe_session_report(run->session, &report));
            relayprobe_session_free(run->session);
            run->session = NULL;
            tell(whose[i], report, now() - whose[i]->begun, -1);
            running--;
        }
        if (running > 0)
            wait_for(runs, AT_ONCE);
    } while (running > 0 || next_one < count);
    SSL_CTX_free(tls_of_all());
}

static relayprobe_report *report_of(struct fault *fault)
{
    relayprobe_plan *plan = plan_of(fault);
    relayprobe_report *report = NULL;

    fault->begun = now();
    OK(relayprobe_run(plan, NULL, &report));
    relayprobe_plan_free(plan);
    return report;
}

static void *in_a_thread(void *unused)
{
    for (;;) {
        struct fault *fault = NULL;
        relayprobe_report *report;
        uint64_t took;

        pthread_mutex_lock(&one_at_a_time);
        if (next_one < count)
            fault = &faults[next_one++];
        pthread_mutex_unlock(&one_at_a_time);
        if (fault == NULL)
            return unused;
        report = report_of(fault);
        took = now() - fault->begun;
        pthread_mutex_lock(&one_at_a_time);
        tell(fault, report, took, -1);
        pthread_mutex_unlock(&one_at_a_time);
    }
}

static void in_threads(void)
{
    pthread_t threads[AT_ONCE];
    for (size_t i = 0; i < AT_ONCE; i++)
        CHECK(pthread_create(&threads[i], NULL, in_a_thread, NULL) == 0);
    for (size_t i = 0; i < AT_ONCE; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
}

static void one_by_one(void)
{
    for (; next_one < count; next_one++) {
        struct fault *fault = &faults[next_one];
        long before = forget_peak();
        relayprobe_report *report = report_of(fault);
        uint64_t took = now() - fault->begun;
        tell(fault, report, took, status("VmHWM") - before);
    }
}

int main(int argc, char **argv)
{
    long before;

    CHECK(argc == 2);
    /* OpenSSL writes without MSG_NOSIGNAL. */
    signal(SIGPIPE, SIG_IGN);
    keyring = a_keyring();
    read_faults();
    before = forget_peak();
    if (strcmp(argv[1], "loop") == 0)
        in_a_loop();
    else if (strcmp(argv[1], "threads") == 0)
        in_threads();
    else
        one_by_one();
    printf("growth\t%ld\n", status("VmHWM") - before);
    relayprobe_keyring_free(keyring);
    return 0;
}
