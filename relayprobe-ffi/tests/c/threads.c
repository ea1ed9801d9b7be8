/*
 * Threads: a handle that two use at once is seen and left alone, different handles have nothing to do with each other, and
 * each thread has the words of its own last error.
 */
#include "check.h"

#include <pthread.h>

enum { THREADS = 4, CALLS = 20000 };

static relayprobe_plan *shared;
static relayprobe_stop *stop;

static void *use_the_same(void *unused)
{
    long busy = 0;
    for (int i = 0; i < CALLS; i++) {
        relayprobe_status status = relayprobe_plan_set_connections(shared, 2);
        CHECK(status == RELAYPROBE_STATUS_OK || status == RELAYPROBE_STATUS_BUSY);
        if (status == RELAYPROBE_STATUS_BUSY) {
            CHECK(strstr(relayprobe_last_error(), "one thread at a time") != NULL);
            busy++;
        }
        OK(relayprobe_stop_now(stop));
    }
    (void)unused;
    return (void *)busy;
}

static void *use_its_own(void *place)
{
    relayprobe_plan *plan = whole_plan();
    char words[32], *verdict = place;
    relayprobe_report *report;

    snprintf(words, sizeof words, "not a domain %p", place);
    for (int i = 0; i < 20; i++) {
        CHECK(relayprobe_plan_set_cases(plan, words) == RELAYPROBE_STATUS_INVALID_ARGUMENT);
        report = refused_report(plan);
        snprintf(verdict, 32, "%s", relayprobe_verdict_name(relayprobe_report_verdict(report)));
        relayprobe_report_free(report);
    }
    CHECK(relayprobe_plan_set_matrix(plan, -1) == RELAYPROBE_STATUS_INVALID_ARGUMENT);
    CHECK(strstr(relayprobe_last_error(), "relayprobe_matrix") != NULL);
    relayprobe_plan_free(plan);
    return NULL;
}

/* A handle wanders: made in one thread, used in another, freed in a third. */
static void *make(void *unused)
{
    (void)unused;
    return whole_plan();
}

static void *check_it(void *plan)
{
    OK(relayprobe_plan_check(plan, DATE));
    return NULL;
}

static void *free_it(void *plan)
{
    relayprobe_plan_free(plan);
    return NULL;
}

static void *in_a_thread(void *(*call)(void *), void *argument)
{
    pthread_t thread;
    void *result;
    CHECK(pthread_create(&thread, NULL, call, argument) == 0 && pthread_join(thread, &result) == 0);
    return result;
}

int main(void)
{
    pthread_t threads[THREADS];
    char verdicts[THREADS][32];
    void *plan;

    shared = whole_plan();
    stop = relayprobe_stop_new();
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, use_the_same, NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    OK(relayprobe_plan_check(shared, DATE));
    relayprobe_stop_free(stop);
    relayprobe_plan_free(shared);

    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, use_its_own, verdicts[i]) == 0);
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        CHECK(strcmp(verdicts[i], "unreachable") == 0);
    }

    plan = in_a_thread(make, NULL);
    in_a_thread(check_it, plan);
    in_a_thread(free_it, plan);
    return 0;
}
