/*
 * check_open_relay: a plugin for Nagios, Icinga and what understands their plugins.
 *
 *   cc check_open_relay.c $(pkg-config --cflags --libs relayprobe) -o check_open_relay
 *   ./check_open_relay -H mail.example.org -d example.org -c /etc/relayprobe.toml -s /var/lib/nagios/relayprobe
 *
 * It surveys: envelopes alone, no message. So an open relay shows as a warning ("suspected"), which is a reason to prove
 * it by hand. A server is asked once a day; in between the last result is shown again, with its age.
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netdb.h>
#include <relayprobe.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { OK, WARNING, CRITICAL, UNKNOWN };

static const char *const states[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};

static relayprobe_stop *stop;

/* What is wrong, on the one line that the server shows; nothing is known then. */
static void unknown(const char *form, ...)
{
    va_list arguments;
    fputs("OPEN RELAY UNKNOWN - ", stdout);
    va_start(arguments, form);
    vprintf(form, arguments);
    va_end(arguments);
    putchar('\n');
    exit(UNKNOWN);
}

static void check(relayprobe_status status)
{
    if (status != RELAYPROBE_STATUS_OK)
        unknown("%s", relayprobe_last_error());
}

/* The time is up: what was learnt so far is reported. It may be called from a signal handler. */
static void on_alarm(int signal)
{
    (void)signal;
    relayprobe_stop_now(stop);
}

/* ---- The configuration: strings in the tables [identity] and [authorization], as the command line reads them. ---- */

struct key {
    const char *table, *name;
    relayprobe_status (*set)(relayprobe_plan *, const char *);
};

static const struct key keys[] = {
    {"identity", "probe-domain", relayprobe_plan_set_probe_domain},
    {"identity", "organisation", relayprobe_plan_set_organisation},
    {"identity", "helo", relayprobe_plan_set_helo},
    {"identity", "sender-domain", relayprobe_plan_set_sender_domain},
    {"identity", "contact", relayprobe_plan_set_contact},
    {"identity", "probe-uri", relayprobe_plan_set_probe_uri},
    {"identity", "sink-host", relayprobe_plan_set_sink_host},
    {"identity", "sink-ip", relayprobe_plan_set_sink_address},
    {"identity", "lure-mx", relayprobe_plan_set_lure_mx},
    {"identity", "lure-a", relayprobe_plan_set_lure_a},
    {"authorization", "scope", relayprobe_plan_add_scope},
};

enum { ENTRIES = 64, KEYS = sizeof keys / sizeof *keys };

/* A value of the file: the same key comes more than once if it is a list. */
struct entry {
    char table[16], name[16], value[256];
    int line;
};

static struct entry entries[ENTRIES];
static int count;

static void keep(const char *file, int line, const char *table, const char *name, const char *value, size_t length)
{
    struct entry *entry = &entries[count];
    if (count == ENTRIES || length >= sizeof entry->value)
        unknown("%s:%d: this is too much", file, line);
    memcpy(entry->value, value, length);
    snprintf(entry->table, sizeof entry->table, "%s", table);
    snprintf(entry->name, sizeof entry->name, "%s", name);
    entry->line = line;
    count++;
}

/* name = "value" and name = ["value", "value"]; more of TOML is not needed here. */
static void read_line(const char *file, int line, const char *table, char *text)
{
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz-");
    char *name = text, *rest = text + length;
    int found = 0;

    rest += strspn(rest, " \t");
    if (length == 0 || *rest != '=')
        unknown("%s:%d: no key with a value", file, line);
    *rest++ = '\0';
    name[length] = '\0';
    for (;;) {
        char *end;
        rest += strspn(rest, found == 0 ? " \t[" : " \t,]");
        if (*rest != '"')
            break;
        end = strpbrk(++rest, "\"\\");
        if (end == NULL || *end == '\\')
            unknown("%s:%d: no string in quotes without a backslash", file, line);
        keep(file, line, table, name, rest, (size_t)(end - rest));
        rest = end + 1;
        found++;
    }
    if (found == 0 || (*rest != '\0' && *rest != '#'))
        unknown("%s:%d: no string in quotes", file, line);
}

static void read_config(const char *file)
{
    char text[1024], table[16] = "";
    FILE *stream = fopen(file, "r");

    if (stream == NULL)
        unknown("%s: %s", file, strerror(errno));
    for (int line = 1; fgets(text, sizeof text, stream) != NULL; line++) {
        char *begin = text + strspn(text, " \t");
        begin[strcspn(begin, "\r\n")] = '\0';
        if (*begin == '\0' || *begin == '#')
            continue;
        if (*begin == '[') {
            if (sscanf(begin, "[%15[a-z]]", table) != 1)
                unknown("%s:%d: no table like [identity]", file, line);
            continue;
        }
        read_line(file, line, table, begin);
    }
    fclose(stream);
}

static const char *value_of(const char *table, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(entries[i].table, table) == 0 && strcmp(entries[i].name, name) == 0)
            return entries[i].value;
    return NULL;
}

/* Who tests, and by whose leave. The probe domain comes first: the rest follows from it. */
static void configure(relayprobe_plan *plan, const char *file)
{
    const char *domain, *kind, *reference;
    char leave[600];

    read_config(file);
    domain = value_of("identity", "probe-domain");
    kind = value_of("authorization", "kind");
    reference = value_of("authorization", "reference");
    if (domain == NULL || kind == NULL || reference == NULL)
        unknown("%s: probe-domain in [identity], kind and reference in [authorization] are needed", file);
    check(relayprobe_plan_set_probe_domain(plan, domain));
    snprintf(leave, sizeof leave, "%s:%s", kind, reference);
    check(relayprobe_plan_set_authorization(plan, leave));
    for (int i = 0; i < count; i++) {
        const struct entry *entry = &entries[i];
        int k = 0;
        if (entry->value == domain || entry->value == kind || entry->value == reference)
            continue;
        while (k < KEYS && (strcmp(keys[k].table, entry->table) != 0 || strcmp(keys[k].name, entry->name) != 0))
            k++;
        if (k == KEYS)
            unknown("%s:%d: %s is not known here", file, entry->line, entry->name);
        if (keys[k].set(plan, entry->value) != RELAYPROBE_STATUS_OK)
            unknown("%s:%d: %s", file, entry->line, relayprobe_last_error());
    }
}

/* ---- What is kept: the last report, and when the last run began, which stands though the run was killed. ---- */

static void private_folder(const char *folder)
{
    struct stat found;
    if (mkdir(folder, 0700) < 0 && errno != EEXIST)
        unknown("%s: %s", folder, strerror(errno));
    if (lstat(folder, &found) < 0 || !S_ISDIR(found.st_mode))
        unknown("%s is no folder", folder);
    if (found.st_uid != geteuid() || (found.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        unknown("%s: only the user who runs this may own it and write there", folder);
}

/* Waits until no other check of the same server is running. Nothing that is older than the alarm waits for ever. */
static int lock(const char *file)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int descriptor = open(file, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (descriptor < 0)
        unknown("%s: %s", file, strerror(errno));
    if (fcntl(descriptor, F_SETLKW, &whole) < 0)
        unknown("another check of this server is still running");
    return descriptor;
}

static uint64_t last_begun(int descriptor)
{
    char text[32] = "";
    if (pread(descriptor, text, sizeof text - 1, 0) < 0)
        unknown("the time of the last run cannot be read: %s", strerror(errno));
    return strtoull(text, NULL, 10);
}

static void begin_now(int descriptor, uint64_t date)
{
    char text[32];
    int length = snprintf(text, sizeof text, "%020" PRIu64 "\n", date);
    if (pwrite(descriptor, text, (size_t)length, 0) != length)
        unknown("the time of this run cannot be kept, so it does not begin: %s", strerror(errno));
}

static relayprobe_report *stored(const char *file)
{
    relayprobe_report *report = NULL;
    char *text = NULL;
    size_t length = 0, room = 0;
    FILE *stream = fopen(file, "r");

    if (stream == NULL && errno == ENOENT)
        unknown("the last run was cut off before it had a result, and the next may come a day after it");
    if (stream == NULL)
        unknown("%s: %s", file, strerror(errno));
    while (!feof(stream) && !ferror(stream)) {
        if (length == room) {
            char *more = realloc(text, room = room * 2 + 65536);
            if (more == NULL)
                unknown("there is no memory");
            text = more;
        }
        length += fread(text + length, 1, room - length, stream);
    }
    fclose(stream);
    if (relayprobe_report_from_json(text, length, &report) != RELAYPROBE_STATUS_OK)
        unknown("%s: %s", file, relayprobe_last_error());
    free(text);
    return report;
}

/* The old report stays until the new one is whole. */
static void store(const char *file, relayprobe_report *report)
{
    char fresh[1100];
    FILE *stream;
    int good;

    snprintf(fresh, sizeof fresh, "%s.new", file);
    stream = fopen(fresh, "w");
    good = stream != NULL && fputs(relayprobe_report_json(report), stream) >= 0;
    if (stream == NULL || fclose(stream) != 0 || !good || rename(fresh, file) < 0)
        unknown("%s: the result cannot be kept: %s", file, strerror(errno));
}

/* ---- The result. ---- */

/* One line and figures; with -v the whole report follows. A bar would begin figures of its own. */
static int show(relayprobe_report *report, const char *host, uint64_t today, int verbose)
{
    int state = relayprobe_report_exit_code(report), probes = relayprobe_report_probe_count(report);
    int refused = 0, accepted = 0;
    uint64_t date = today;

    if (state < OK || state > UNKNOWN)
        unknown("%s", relayprobe_last_error());
    check(relayprobe_report_date(report, &date));
    for (int i = 0; i < probes; i++) {
        int outcome = relayprobe_report_probe_outcome(report, (uint32_t)i);
        const char *family = relayprobe_report_probe_family(report, (uint32_t)i);
        /* Controls are no relay cases: a good server takes the first of them. */
        if (family == NULL || strcmp(family, "control") == 0)
            continue;
        refused += outcome == RELAYPROBE_OUTCOME_REFUSED;
        accepted += outcome == RELAYPROBE_OUTCOME_ACCEPTED;
    }
    date = date > today ? 0 : today - date;
    printf("OPEN RELAY %s - %s: %s, %d refused, %d accepted, tested %" PRIu64 " min ago"
           " | refused=%d;;;0 accepted=%d;;;0 age=%" PRIu64 "s;;;0\n",
        states[state], host, relayprobe_verdict_name(relayprobe_report_verdict(report)), refused, accepted, date / 60,
        refused, accepted, date);
    if (verbose)
        for (const char *text = relayprobe_report_text(report); text != NULL && *text != '\0'; text++)
            putchar(*text == '|' ? '/' : *text);
    return state;
}

/* The first address of a name, as text. The name is whole: a search list could make another host of it. */
static void resolve(const char *host, char *address, size_t room)
{
    struct addrinfo hints, *found = NULL;
    int error;

    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    setenv("LOCALDOMAIN", ".", 1);
    error = getaddrinfo(host, NULL, &hints, &found);
    if (error != 0)
        unknown("%s: %s", host, gai_strerror(error));
    error = getnameinfo(found->ai_addr, found->ai_addrlen, address, (socklen_t)room, NULL, 0, NI_NUMERICHOST);
    freeaddrinfo(found);
    if (error != 0)
        unknown("%s: %s", host, gai_strerror(error));
}

static void help(void)
{
    puts("check_open_relay -H HOST -c CONFIG [-p PORT] [-d DOMAIN] [-s FOLDER] [-t SECONDS] [-l] [-v]\n"
         "\n"
         "  -H HOST     the mail server: an address or a name\n"
         "  -c CONFIG   who tests and by whose leave: the TOML file of the command line\n"
         "  -p PORT     25 unless given\n"
         "  -d DOMAIN   a mail domain of the server's own; without it less can be said\n"
         "  -s FOLDER   where the last result is kept, /var/lib/nagios/relayprobe unless given\n"
         "  -t SECONDS  ends the run and reports what was learnt, after 50 unless given\n"
         "  -l          a server of one's own on this machine or network\n"
         "  -v          the whole report below the line\n"
         "  -V, -h      version, this help\n"
         "\n"
         "0 it does not relay, 1 suspected, 2 open relay, 3 nothing is known.");
    exit(UNKNOWN);
}

int main(int argc, char **argv)
{
    const char *host = NULL, *config = NULL, *domain = NULL, *folder = "/var/lib/nagios/relayprobe";
    long port = 25, seconds = 50;
    int option, verbose = 0, lab = 0, state, descriptor;
    char address[64], file[1024], locked[1100];
    uint64_t today = (uint64_t)time(NULL);
    struct sigaction action;
    relayprobe_plan *plan;
    relayprobe_report *report = NULL;
    relayprobe_status due;

    while ((option = getopt(argc, argv, "H:c:p:d:s:t:lvVh")) != -1) {
        switch (option) {
        case 'H': host = optarg; break;
        case 'c': config = optarg; break;
        case 'p': port = strtol(optarg, NULL, 10); break;
        case 'd': domain = optarg; break;
        case 's': folder = optarg; break;
        case 't': seconds = strtol(optarg, NULL, 10); break;
        case 'l': lab = 1; break;
        case 'v': verbose = 1; break;
        case 'V': printf("check_open_relay %s\n", relayprobe_version()); return UNKNOWN;
        case 'h': help(); break;
        default: unknown("this is no option of check_open_relay; -h shows those that are");
        }
    }
    if (host == NULL || config == NULL || optind != argc)
        unknown("-H HOST and -c CONFIG are needed; -h shows more");
    if (port < 1 || port > 65535 || seconds < 1 || seconds > 86400)
        unknown("-p wants a port and -t wants seconds");
    resolve(host, address, sizeof address);
    if (snprintf(file, sizeof file, "%s/%s-%ld.json", folder, address, port) >= (int)sizeof file)
        unknown("-s %s is too long", folder);
    snprintf(locked, sizeof locked, "%s.begun", file);

    plan = relayprobe_plan_new();
    check(relayprobe_plan_set_target(plan, address, (uint16_t)port));
    if (strcmp(host, address) != 0)
        check(relayprobe_plan_set_target_name(plan, host));
    if (domain != NULL)
        check(relayprobe_plan_add_domain(plan, domain));
    if (lab) {
        check(relayprobe_plan_allow_private(plan));
        check(relayprobe_plan_set_profile(plan, RELAYPROBE_PROFILE_LAB));
    }
    configure(plan, config);

    stop = relayprobe_stop_new();
    memset(&action, 0, sizeof action);
    action.sa_handler = on_alarm;
    sigaction(SIGALRM, &action, NULL);
    alarm((unsigned)seconds);

    private_folder(folder);
    descriptor = lock(locked);
    check(relayprobe_plan_set_history(plan, last_begun(descriptor), 0, 0));
    due = relayprobe_plan_check(plan, today);
    if (due == RELAYPROBE_STATUS_TOO_SOON) {
        report = stored(file);
    } else {
        check(due);
        begin_now(descriptor, today);
        unlink(file);
        check(relayprobe_run(plan, stop, &report));
        store(file, report);
    }
    state = show(report, host, today, verbose);
    relayprobe_report_free(report);
    relayprobe_stop_free(stop);
    relayprobe_plan_free(plan);
    close(descriptor);
    return state;
}
