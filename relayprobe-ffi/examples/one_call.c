/*
 * The least that a program without a loop needs: one call.
 *
 *   cc one_call.c $(pkg-config --cflags --libs relayprobe) -o one_call
 *   ./one_call 192.0.2.25 25
 */
#include <relayprobe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    relayprobe_plan *plan = relayprobe_plan_new();
    relayprobe_report *report = NULL;
    int code = 3;

    if (argc < 3) {
        fprintf(stderr, "usage: one_call ADDRESS PORT [lab]\n");
        relayprobe_plan_free(plan);
        return 64;
    }
    if (relayprobe_plan_set_target(plan, argv[1], (uint16_t)atoi(argv[2])) == RELAYPROBE_STATUS_OK
        && relayprobe_plan_add_domain(plan, "target.example") == RELAYPROBE_STATUS_OK
        && relayprobe_plan_set_probe_domain(plan, "probe.example") == RELAYPROBE_STATUS_OK
        && relayprobe_plan_set_authorization(plan, "customer-contract:K123") == RELAYPROBE_STATUS_OK
        /* Only for a server of one's own on this machine. */
        && (argc < 4 || strcmp(argv[3], "lab") != 0
            || (relayprobe_plan_allow_private(plan) == RELAYPROBE_STATUS_OK
                && relayprobe_plan_set_profile(plan, RELAYPROBE_PROFILE_LAB) == RELAYPROBE_STATUS_OK))
        && relayprobe_run(plan, NULL, &report) == RELAYPROBE_STATUS_OK) {
        fputs(relayprobe_report_text(report), stdout);
        code = relayprobe_report_exit_code(report);
    } else {
        fprintf(stderr, "one_call: %s\n", relayprobe_last_error());
    }
    relayprobe_report_free(report);
    relayprobe_plan_free(plan);
    return code;
}
