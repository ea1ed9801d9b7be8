/*
 * librelayprobe: finds out whether a mail server is an open relay, and shows the evidence.
 *
 * This file is made by cbindgen from the library's source: change it there.
 *
 * What holds for all functions:
 *
 * - A handle is what a function returns or puts where it is told to (`**`). It goes back to the function of its kind whose
 *   name ends in _free, once. There is nothing else to free. A handle that was freed must not be used again; the library
 *   notices some such mistakes, not all.
 * - Strings that go in end with a NUL, are UTF-8, and are copied. Strings that come out are static, or belong to a handle
 *   until its next call.
 * - NULL where a pointer is wanted is an error, not a crash, unless the function says that NULL will do.
 * - One thread at a time may use a handle. Another that comes meanwhile gets RELAYPROBE_STATUS_BUSY, but may come too late
 *   to be seen if the handle is being freed. A handle may go from thread to thread. Different handles are independent.
 * - The library starts no thread, installs no signal handler, raises no SIGPIPE, writes nothing to any stream, keeps no
 *   state but handles and a message for each thread, and leaves errno to chance. After fork() the child has copies of
 *   all handles, good as ever; a running relayprobe_run() belongs to the thread that called it.
 * - longjmp() and C++ exceptions have nothing to cross: the library never calls the program back.
 * - When the system has no memory left the process is aborted, as Rust does.
 */

#ifndef RELAYPROBE_H
#define RELAYPROBE_H

#include <stddef.h>
#include <stdint.h>

/**
 * The version of the interface that this header describes. See relayprobe_abi_version().
 */
#define RELAYPROBE_ABI_VERSION 1

/**
 * What a function returns that can fail: RELAYPROBE_STATUS_OK, or a negative number that says why not.
 *
 * Numbers are never used for anything else. A number that you do not know is an error all the same. After an error
 * relayprobe_last_error() says in words what was wrong and what would be right.
 */
typedef enum relayprobe_status {
    /**
     * Done.
     */
    RELAYPROBE_STATUS_OK = 0,
    /**
     * A pointer is NULL that must not be.
     */
    RELAYPROBE_STATUS_NULL_POINTER = -1,
    /**
     * A pointer leads to no handle of this kind: another kind, or one that was freed.
     */
    RELAYPROBE_STATUS_WRONG_HANDLE = -2,
    /**
     * Another thread is using the handle at this moment.
     */
    RELAYPROBE_STATUS_BUSY = -3,
    /**
     * A number or a text makes no sense.
     */
    RELAYPROBE_STATUS_INVALID_ARGUMENT = -4,
    /**
     * Something has to be said first: the server, who tests, or by whose leave.
     */
    RELAYPROBE_STATUS_INCOMPLETE = -5,
    /**
     * The plan asks for something that cannot or must not be done.
     */
    RELAYPROBE_STATUS_INVALID_PLAN = -6,
    /**
     * The authorization does not cover this server, or has ended.
     */
    RELAYPROBE_STATUS_NOT_AUTHORIZED = -7,
    /**
     * The owner asked not to be tested.
     */
    RELAYPROBE_STATUS_NEVER_TEST = -8,
    /**
     * The server was tested less than a day ago, or would be asked too much today.
     */
    RELAYPROBE_STATUS_TOO_SOON = -9,
    /**
     * The session has given its report; only relayprobe_session_free() is left.
     */
    RELAYPROBE_STATUS_SESSION_OVER = -10,
    /**
     * The field struct_size of a struct was not set to its size.
     */
    RELAYPROBE_STATUS_STRUCT_SIZE = -11,
    /**
     * The text is no report or no keyring.
     */
    RELAYPROBE_STATUS_UNREADABLE = -12,
    /**
     * The receipt does not belong to this report.
     */
    RELAYPROBE_STATUS_OTHER_RUN = -13,
    /**
     * A fault of the library. The handle is good for nothing but to be freed. Please report it.
     */
    RELAYPROBE_STATUS_INTERNAL = -14,
} relayprobe_status;

/**
 * How much is asked. See relayprobe_plan_set_matrix().
 */
typedef enum relayprobe_matrix {
    /**
     * About twenty envelopes and their controls.
     */
    RELAYPROBE_MATRIX_QUICK = 1,
    /**
     * Quick, and what a retest before lifting a block needs.
     */
    RELAYPROBE_MATRIX_STANDARD = 2,
    /**
     * Everything that can be sent without asking.
     */
    RELAYPROBE_MATRIX_FULL = 3,
} relayprobe_matrix;

/**
 * Deadlines and paces. See relayprobe_plan_set_profile().
 */
typedef enum relayprobe_profile {
    /**
     * At least what RFC 5321 asks for, with retries over hours.
     */
    RELAYPROBE_PROFILE_PATIENT = 1,
    /**
     * A run that ends while somebody waits.
     */
    RELAYPROBE_PROFILE_BRISK = 2,
    /**
     * For servers of one's own on the same machine.
     */
    RELAYPROBE_PROFILE_LAB = 3,
} relayprobe_profile;

/**
 * From where the run looks. See relayprobe_plan_set_vantage().
 */
typedef enum relayprobe_vantage {
    /**
     * From outside every network of the server's operator and provider.
     */
    RELAYPROBE_VANTAGE_OUTSIDE = 1,
    /**
     * From the provider's own network.
     */
    RELAYPROBE_VANTAGE_PROVIDER_NETWORK = 2,
    /**
     * From the server's own network.
     */
    RELAYPROBE_VANTAGE_TARGET_NETWORK = 3,
    /**
     * From the same machine.
     */
    RELAYPROBE_VANTAGE_LOOPBACK = 4,
} relayprobe_vantage;

/**
 * A block in force around the server. See relayprobe_plan_add_measure().
 */
typedef enum relayprobe_measure {
    /**
     * A filter keeps out connections from the internet; the provider still gets through.
     */
    RELAYPROBE_MEASURE_INBOUND_FILTER = 1,
    /**
     * Connections from the internet are blocked.
     */
    RELAYPROBE_MEASURE_INBOUND_BLOCK = 2,
    /**
     * The server may not use its provider's smarthost.
     */
    RELAYPROBE_MEASURE_SMARTHOST_BLOCK = 3,
    /**
     * The server may not connect to port 25 elsewhere.
     */
    RELAYPROBE_MEASURE_OUTBOUND_PORT_BLOCK = 4,
} relayprobe_measure;

/**
 * Which of the accepted cases get a message. See relayprobe_plan_set_prove().
 */
typedef enum relayprobe_prove {
    /**
     * One for each family and path, the most telling.
     */
    RELAYPROBE_PROVE_FAMILIES = 1,
    /**
     * All of them.
     */
    RELAYPROBE_PROVE_ALL = 2,
} relayprobe_prove;

/**
 * Whether commands go out in groups. See relayprobe_plan_set_grouping().
 */
typedef enum relayprobe_grouping {
    /**
     * In groups where the server offers PIPELINING (RFC 2920).
     */
    RELAYPROBE_GROUPING_OFFERED = 1,
    /**
     * One command at a time, always.
     */
    RELAYPROBE_GROUPING_NEVER = 2,
} relayprobe_grouping;

/**
 * Why a connection could not be made, or ended. See relayprobe_session_lost().
 */
typedef enum relayprobe_loss {
    /**
     * Nothing listens there (ECONNREFUSED).
     */
    RELAYPROBE_LOSS_REFUSED = 1,
    /**
     * No answer in time (ETIMEDOUT).
     */
    RELAYPROBE_LOSS_TIMED_OUT = 2,
    /**
     * No route to the network or the host (EHOSTUNREACH, ENETUNREACH).
     */
    RELAYPROBE_LOSS_NO_ROUTE = 3,
    /**
     * A filter says so (EACCES, EPERM).
     */
    RELAYPROBE_LOSS_PROHIBITED = 4,
    /**
     * The local address or the protocol family cannot be used here (EADDRNOTAVAIL, EAFNOSUPPORT).
     */
    RELAYPROBE_LOSS_NO_ADDRESS = 5,
    /**
     * The server ended the connection in order: recv() returned 0.
     */
    RELAYPROBE_LOSS_CLOSED = 6,
    /**
     * The server reset the connection (ECONNRESET, EPIPE).
     */
    RELAYPROBE_LOSS_RESET = 7,
    /**
     * The TLS handshake failed.
     */
    RELAYPROBE_LOSS_TLS = 8,
    /**
     * Anything else.
     */
    RELAYPROBE_LOSS_OTHER = 9,
} relayprobe_loss;

/**
 * The result of a run.
 *
 * Treat a number that you do not know as RELAYPROBE_VERDICT_UNDETERMINED.
 */
typedef enum relayprobe_verdict {
    /**
     * A message of ours came back through it, or was being handed to us: it relays. Exit code 2.
     */
    RELAYPROBE_VERDICT_OPEN_RELAY = 1,
    /**
     * Something that a correct server refuses was accepted; nothing is proven yet. Exit code 1.
     */
    RELAYPROBE_VERDICT_SUSPECTED = 2,
    /**
     * It accepts what a correct server refuses, and relays nothing of it. Exit code 0.
     */
    RELAYPROBE_VERDICT_ACCEPTS_WITHOUT_RELAYING = 3,
    /**
     * Every relay case was refused. Exit code 0.
     */
    RELAYPROBE_VERDICT_CLOSED = 4,
    /**
     * The server turns us away, whatever we ask. Exit code 3.
     */
    RELAYPROBE_VERDICT_TESTER_BLOCKED = 5,
    /**
     * There was nothing to talk to. Exit code 3.
     */
    RELAYPROBE_VERDICT_UNREACHABLE = 6,
    /**
     * Something answered that is no mail server. Exit code 3.
     */
    RELAYPROBE_VERDICT_NOT_SMTP = 7,
    /**
     * Anything else. Exit code 3.
     */
    RELAYPROBE_VERDICT_UNDETERMINED = 8,
    /**
     * A domain says that it takes no mail; no run of a server ends so. Exit code 0.
     */
    RELAYPROBE_VERDICT_NO_MAIL_SERVICE = 9,
} relayprobe_verdict;

/**
 * What came of one probe.
 *
 * Treat a number that you do not know as RELAYPROBE_OUTCOME_NOT_TESTED.
 */
typedef enum relayprobe_outcome {
    /**
     * Refused for good, or for now in words that name relaying.
     */
    RELAYPROBE_OUTCOME_REFUSED = 1,
    /**
     * Refused for now, and no retry is left.
     */
    RELAYPROBE_OUTCOME_DEFERRED = 2,
    /**
     * The envelope was accepted; no message was sent.
     */
    RELAYPROBE_OUTCOME_ACCEPTED = 3,
    /**
     * The message was accepted and may still come back.
     */
    RELAYPROBE_OUTCOME_ACCEPTED_PENDING = 4,
    /**
     * The message was accepted and did not come back in time.
     */
    RELAYPROBE_OUTCOME_ACCEPTED_NO_RECEIPT = 5,
    /**
     * A report says that the message failed at the server's own side.
     */
    RELAYPROBE_OUTCOME_ACCEPTED_THEN_BOUNCED = 6,
    /**
     * The message ended at the server's own side.
     */
    RELAYPROBE_OUTCOME_DELIVERED_LOCALLY = 7,
    /**
     * The server handed the message to our receiving server, which refused it: proof.
     */
    RELAYPROBE_OUTCOME_RELAY_ATTEMPTED = 8,
    /**
     * Only a report says that the server handed the message on. A strong hint, no proof.
     */
    RELAYPROBE_OUTCOME_RELAY_REPORTED = 9,
    /**
     * The message came to our receiving server: proof.
     */
    RELAYPROBE_OUTCOME_RELAYED = 10,
    /**
     * The case makes no sense here.
     */
    RELAYPROBE_OUTCOME_NOT_APPLICABLE = 11,
    /**
     * It should have been tested and was not, or its answer does not count.
     */
    RELAYPROBE_OUTCOME_NOT_TESTED = 12,
} relayprobe_outcome;

/**
 * What a message turned out to be. See relayprobe_report_add_message().
 */
typedef enum relayprobe_receipt {
    /**
     * It carries no token: not a message of ours.
     */
    RELAYPROBE_RECEIPT_NOT_OURS = 1,
    /**
     * It carries what looks like a token and is none of ours, or is one for another server.
     */
    RELAYPROBE_RECEIPT_FORGED = 2,
    /**
     * It is of a run of ours, but not of this report's.
     */
    RELAYPROBE_RECEIPT_UNKNOWN_RUN = 3,
    /**
     * Our message came with its own envelope: the server relays.
     */
    RELAYPROBE_RECEIPT_RELAYED = 4,
    /**
     * Our message was handed over and refused, or broke off: the server relays.
     */
    RELAYPROBE_RECEIPT_ATTEMPTED = 5,
    /**
     * A report says that the server tried to hand it on, or did. A strong hint, no proof.
     */
    RELAYPROBE_RECEIPT_REPORTED = 6,
    /**
     * A report says that it is still being tried.
     */
    RELAYPROBE_RECEIPT_DELAYED = 7,
    /**
     * A report says that it failed at the server's own side.
     */
    RELAYPROBE_RECEIPT_BOUNCED = 8,
    /**
     * An automatic answer, or a report of success, from the server's own side.
     */
    RELAYPROBE_RECEIPT_DELIVERED_LOCALLY = 9,
    /**
     * A person, a list or an alias sent it on.
     */
    RELAYPROBE_RECEIPT_FORWARDED = 10,
    /**
     * Only a recipient was named.
     */
    RELAYPROBE_RECEIPT_HINT = 11,
    /**
     * It came after the token's life: an old queue was let go.
     */
    RELAYPROBE_RECEIPT_LATE = 12,
} relayprobe_receipt;

/**
 * How far a test may reach. See relayprobe_address_check().
 */
typedef enum relayprobe_scope {
    /**
     * Hosts of the internet.
     */
    RELAYPROBE_SCOPE_INTERNET = 1,
    /**
     * Loopback, private and link-local hosts too.
     */
    RELAYPROBE_SCOPE_PRIVATE = 2,
} relayprobe_scope;

/**
 * A test entry of a block list. See relayprobe_list_test_name().
 */
typedef enum relayprobe_list_test {
    /**
     * Every list of IPv4 addresses has it.
     */
    RELAYPROBE_LIST_TEST_IPV4_LISTED = 1,
    /**
     * No list of IPv4 addresses has it.
     */
    RELAYPROBE_LIST_TEST_IPV4_UNLISTED = 2,
    /**
     * Every list of IPv6 addresses has it.
     */
    RELAYPROBE_LIST_TEST_IPV6_LISTED = 3,
    /**
     * No list of IPv6 addresses has it.
     */
    RELAYPROBE_LIST_TEST_IPV6_UNLISTED = 4,
} relayprobe_list_test;

/**
 * What a block list says. See relayprobe_list_decode().
 */
typedef enum relayprobe_list_state {
    /**
     * It does not have the entry.
     */
    RELAYPROBE_LIST_STATE_NOT_LISTED = 1,
    /**
     * It has the entry.
     */
    RELAYPROBE_LIST_STATE_LISTED = 2,
    /**
     * Its answer is worth nothing: a refusal, or no code of a list.
     */
    RELAYPROBE_LIST_STATE_UNKNOWN = 3,
} relayprobe_list_state;

/**
 * What to do: the field kind of relayprobe_output. Ignore a number that you do not know, and poll again.
 */
typedef enum relayprobe_output_kind {
    /**
     * Begin a TCP connection to text and port, from source if that is not NULL; then relayprobe_session_connected() or
     * _lost().
     */
    RELAYPROBE_OUTPUT_KIND_CONNECT = 1,
    /**
     * Begin to write all of octets; then relayprobe_session_sent() or _lost().
     */
    RELAYPROBE_OUTPUT_KIND_SEND = 2,
    /**
     * Begin a TLS handshake as a client for the server name in text; then relayprobe_session_secured() or _lost().
     */
    RELAYPROBE_OUTPUT_KIND_START_TLS = 3,
    /**
     * Close the connection. It needs no answer.
     */
    RELAYPROBE_OUTPUT_KIND_CLOSE = 4,
    /**
     * Progress, to be shown or ignored: see the field event.
     */
    RELAYPROBE_OUTPUT_KIND_EVENT = 5,
    /**
     * Nothing to do until octets arrive, a connection changes, or the moment until comes; then relayprobe_session_tick().
     *
     * The moment may already have come: then read once from each connection without waiting, hand over what there was,
     * and tick. The session asks for this before it writes, so that nothing unread is ever overtaken.
     */
    RELAYPROBE_OUTPUT_KIND_WAIT = 6,
    /**
     * The run is over: relayprobe_session_report().
     */
    RELAYPROBE_OUTPUT_KIND_FINISHED = 7,
} relayprobe_output_kind;

/**
 * What progress was made: the field event of relayprobe_output.
 */
typedef enum relayprobe_event {
    /**
     * No event.
     */
    RELAYPROBE_EVENT_NONE = 0,
    /**
     * A connection is begun: connection, path.
     */
    RELAYPROBE_EVENT_CONNECTING = 1,
    /**
     * A probe was answered, for now: probe, and the reply code in count.
     */
    RELAYPROBE_EVENT_ANSWERED = 2,
    /**
     * So many probes are settled: count of total.
     */
    RELAYPROBE_EVENT_PROGRESS = 3,
    /**
     * The survey is done, and messages are sent for what was accepted: count of them.
     */
    RELAYPROBE_EVENT_PROVING = 4,
    /**
     * Deferred probes will be asked again: count of them, at the moment until.
     */
    RELAYPROBE_EVENT_RETRYING = 5,
    /**
     * Something that this version of the library has no number for.
     */
    RELAYPROBE_EVENT_OTHER = 6,
} relayprobe_event;

/**
 * The secret keys that tie a message that comes back to a run. See relayprobe_plan_set_prove().
 *
 * Not part of any plan, report or log. A keyring is used by one thread at a time.
 */
typedef struct relayprobe_keyring relayprobe_keyring;

/**
 * What is to be asked, of whom, by whom, by whose leave.
 *
 * A plan is a form to be filled in. Three things are required: relayprobe_plan_set_target(),
 * relayprobe_plan_set_probe_domain() and relayprobe_plan_set_authorization(). Making a session, or a run, checks all of
 * it and changes nothing, so one plan serves any number of servers: set the next target and make the next session.
 *
 * A plan is used by one thread at a time.
 */
typedef struct relayprobe_plan relayprobe_plan;

/**
 * What a run found, with all its evidence. A report is used by one thread at a time.
 */
typedef struct relayprobe_report relayprobe_report;

/**
 * A run against one server, without a socket and without a clock: both are the caller's.
 *
 * Call relayprobe_session_poll() and do what it says, until it says RELAYPROBE_OUTPUT_KIND_WAIT; then wait in your own
 * loop, tell the session what happened, and poll again. A session is used by one thread at a time; different sessions
 * have nothing to do with each other.
 *
 * Moments are microseconds on a clock of your own that never goes back, such as CLOCK_MONOTONIC; only differences
 * matter. An earlier moment than the last one counts as the same.
 */
typedef struct relayprobe_session relayprobe_session;

/**
 * Ends runs from elsewhere. It is the one handle that any number of threads may use at once, and a signal handler too.
 */
typedef struct relayprobe_stop relayprobe_stop;

/**
 * What to do next. Fields that do not belong to the kind are 0 or NULL.
 *
 * Set struct_size to sizeof(relayprobe_output) before the first call. The struct grows at its end; a library never writes
 * more than struct_size octets, and leaves those alone that it does not know, so set all of it to 0 at first. A struct
 * that ends before the field event is too small.
 */
typedef struct relayprobe_output {
    /**
     * Size of this struct in the caller's program. Never written.
     */
    size_t struct_size;
    /**
     * One of relayprobe_output_kind.
     */
    int32_t kind;
    /**
     * The connection, by the number that the session gave it. Numbers are not used twice.
     */
    uint32_t connection;
    /**
     * What to write. It stays until relayprobe_session_sent() or _lost() for the connection, until the poll after
     * RELAYPROBE_OUTPUT_KIND_CLOSE, or until the session gives its report or is freed.
     */
    const uint8_t *octets;
    /**
     * How many octets.
     */
    size_t length;
    /**
     * An address or a name. It stays until the next poll.
     */
    const char *text;
    /**
     * The local address to connect from, or NULL for any. It stays until the next poll.
     */
    const char *source;
    /**
     * The moment at which to tick at the latest, in microseconds.
     */
    uint64_t until;
    /**
     * The port to connect to.
     */
    uint32_t port;
    /**
     * One of relayprobe_event.
     */
    int32_t event;
    /**
     * Index of the path, as in the report.
     */
    uint32_t path;
    /**
     * Number of the probe, as in the report.
     */
    uint32_t probe;
    /**
     * See the event.
     */
    uint32_t count;
    /**
     * See the event.
     */
    uint32_t total;
} relayprobe_output;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * What was wrong with the last call on this thread that failed, in words that say what would be right.
 *
 * Empty before anything has failed; calls that succeed leave it as it is. The string belongs to the thread and stays
 * until the next call on it fails. It is one line, whatever it quotes, and no format: print it with `"%s"`. Longer messages
 * are cut at 1023 octets. Never NULL.
 */
const char *relayprobe_last_error(void);

/**
 * Makes a keyring of one key, from 32 octets that nobody can guess (getrandom()) and the date (seconds since 1970). No
 * pointer may be NULL. Free it with relayprobe_keyring_free().
 */
enum relayprobe_status relayprobe_keyring_new(const uint8_t *secret,
                                              size_t length,
                                              uint64_t date,
                                              struct relayprobe_keyring **keyring);

/**
 * Reads the form in which a keyring is kept: `text` is what relayprobe_keyring_text() gave, or the key file of the
 * command line. No pointer may be NULL. Free it with relayprobe_keyring_free().
 */
enum relayprobe_status relayprobe_keyring_from_text(const char *text,
                                                    struct relayprobe_keyring **keyring);

/**
 * Puts a new key into use, made as for relayprobe_keyring_new(). Older ones still check what they made, for 8 days.
 * No pointer may be NULL.
 */
enum relayprobe_status relayprobe_keyring_roll(struct relayprobe_keyring *keyring,
                                               const uint8_t *secret,
                                               size_t length,
                                               uint64_t date);

/**
 * The form in which a keyring is kept, for a file that only its owner can read. It holds the secrets. NULL after an
 * error. The string stays until the next call with this keyring. `keyring` must not be NULL.
 */
const char *relayprobe_keyring_text(struct relayprobe_keyring *keyring);

/**
 * Frees a keyring. NULL is fine. Plans that were given it keep their copy.
 */
void relayprobe_keyring_free(struct relayprobe_keyring *keyring);

/**
 * Whether a server at an address may be tested at all: RELAYPROBE_STATUS_OK, or RELAYPROBE_STATUS_INVALID_PLAN for an
 * address of a special-purpose range, a metadata service, or one at which no server can be.
 *
 * `address` is IPv4 or IPv6 without brackets; an address that carries another is judged by that one. `scope` is one of
 * relayprobe_scope. Ask for the address that you are about to connect to, not for one that its name had before: names can
 * be made to lead anywhere. relayprobe_plan_check() and relayprobe_session_new() ask the same of their plan.
 *
 * `address` must not be NULL.
 */
enum relayprobe_status relayprobe_address_check(const char *address,
                                                int32_t scope);

/**
 * Puts the name at which the reverse name of an address is found (PTR), such as "1.2.0.192.in-addr.arpa", into a buffer
 * of `size` octets, with a NUL. 256 are always enough; RELAYPROBE_STATUS_INVALID_ARGUMENT if they are not.
 *
 * `address` and `buffer` must not be NULL.
 */
enum relayprobe_status relayprobe_reverse_name(const char *address,
                                               char *buffer,
                                               size_t size);

/**
 * Puts the name at which a block list has an address (RFC 5782), such as "1.2.0.192.bl.example", into a buffer of `size`
 * octets, with a NUL. 256 are always enough. Ask for A records of it, and for TXT records if it is listed.
 *
 * Before you believe a list, see that it works: of the names that relayprobe_list_test_name() gives, the first must be
 * listed and the second must not.
 *
 * `address`, `zone` and `buffer` must not be NULL.
 */
enum relayprobe_status relayprobe_list_name(const char *address,
                                            const char *zone,
                                            char *buffer,
                                            size_t size);

/**
 * Puts the name of a test entry of a block list (RFC 5782 section 5) into a buffer of `size` octets, with a NUL. 256 are
 * always enough. `test` is one of relayprobe_list_test.
 *
 * `zone` and `buffer` must not be NULL.
 */
enum relayprobe_status relayprobe_list_test_name(int32_t test,
                                                 const char *zone,
                                                 char *buffer,
                                                 size_t size);

/**
 * What a block list has answered: one of relayprobe_list_state, or a negative status.
 *
 * `answers` is where the addresses of its A records stand, with blanks between them, such as "127.0.0.2 127.0.0.4"; empty
 * if there is no such name or no record. If your resolver failed or nothing came there is no answer to decode: nothing is
 * known. A listing never changes a verdict.
 *
 * `answers` must not be NULL.
 */
int32_t relayprobe_list_decode(const char *answers);

/**
 * What a system error (errno) says about a connection: one of relayprobe_loss, for relayprobe_session_lost().
 *
 * EAGAIN, EINTR and EINPROGRESS are no losses; do not ask about them.
 */
int32_t relayprobe_loss_from_errno(int32_t error);

/**
 * The stored word for a verdict, such as "open-relay"; "undetermined" for a number that is none. The string is static.
 */
const char *relayprobe_verdict_name(int32_t verdict);

/**
 * The stored word for an outcome, such as "refused"; "not-tested" for a number that is none. The string is static.
 */
const char *relayprobe_outcome_name(int32_t outcome);

/**
 * The stored word for what a message turned out to be, such as "relayed"; "not-ours" for a number that is none. The
 * string is static.
 */
const char *relayprobe_receipt_name(int32_t receipt);

/**
 * A new plan in which nothing is filled in. Free it with relayprobe_plan_free(). NULL only after a fault of the
 * library.
 */
struct relayprobe_plan *relayprobe_plan_new(void);

/**
 * Frees a plan. NULL is fine. Sessions made from it go on.
 */
void relayprobe_plan_free(struct relayprobe_plan *plan);

/**
 * Whether a session could be made from the plan on `date` (seconds since 1970), without making one.
 *
 * `plan` must not be NULL. RELAYPROBE_STATUS_OK, or what relayprobe_session_new() would return.
 */
enum relayprobe_status relayprobe_plan_check(struct relayprobe_plan *plan, uint64_t date);

/**
 * How much is asked: one of relayprobe_matrix; RELAYPROBE_MATRIX_QUICK otherwise. `plan` must not be NULL.
 *
 * Cases that were added before are forgotten.
 */
enum relayprobe_status relayprobe_plan_set_matrix(struct relayprobe_plan *plan,
                                                  int32_t matrix);

/**
 * Asks cases by name instead of a whole matrix: `ids` holds one or more, with blanks between them. `plan` and `ids`
 * must not be NULL.
 *
 * Controls come along by themselves. Such a run never says that a server is closed.
 */
enum relayprobe_status relayprobe_plan_set_cases(struct relayprobe_plan *plan,
                                                 const char *ids);

/**
 * Adds a case of your own: its id, and what is written for the sender and the recipient, such as "<{sender}>" and
 * "<{probe-user}%{probe-domain}@{target-domain}>". No pointer may be NULL.
 *
 * The recipient must be in the probe domain, whichever way the form is read; others are refused.
 */
enum relayprobe_status relayprobe_plan_add_case(struct relayprobe_plan *plan,
                                                const char *id,
                                                const char *sender,
                                                const char *recipient);

/**
 * The domain of every test recipient, your own; its MX is your receiving server. Required. `plan` and `domain` must not
 * be NULL.
 *
 * The rest of who tests follows from it: it is also the HELO name, the sender domain and the organisation, the contact
 * is its postmaster. The functions that say otherwise come after this one; calling it again begins anew.
 */
enum relayprobe_status relayprobe_plan_set_probe_domain(struct relayprobe_plan *plan,
                                                        const char *domain);

/**
 * The name of your organisation: 1 to 200 printable characters of ASCII. `plan` and `name` must not be NULL.
 */
enum relayprobe_status relayprobe_plan_set_organisation(struct relayprobe_plan *plan,
                                                        const char *name);

/**
 * What to call ourselves in EHLO; should resolve forward and back. `plan` and `name` must not be NULL.
 */
enum relayprobe_status relayprobe_plan_set_helo(struct relayprobe_plan *plan,
                                                const char *name);

/**
 * The domain of the test senders, your own; best in another zone than the probe domain. `plan` and `domain` must not be
 * NULL.
 */
enum relayprobe_status relayprobe_plan_set_sender_domain(struct relayprobe_plan *plan,
                                                         const char *domain);

/**
 * The mailbox where people reach you. `plan` and `mailbox` must not be NULL.
 */
enum relayprobe_status relayprobe_plan_set_contact(struct relayprobe_plan *plan,
                                                   const char *mailbox);

/**
 * A page that describes the test (RFC 9511). `plan` and `uri` must not be NULL.
 */
enum relayprobe_status relayprobe_plan_set_probe_uri(struct relayprobe_plan *plan, const char *uri);

/**
 * The name of your receiving server. `plan` and `name` must not be NULL.
 */
enum relayprobe_status relayprobe_plan_set_sink_host(struct relayprobe_plan *plan,
                                                     const char *name);

/**
 * The address of your receiving server, as text; one of each family can be set. `plan` and `address` must not be NULL.
 */
enum relayprobe_status relayprobe_plan_set_sink_address(struct relayprobe_plan *plan,
                                                        const char *address);

/**
 * A name in your zones whose MX records name your receiving server and the server under test. `plan` and `name` must
 * not be NULL.
 */
enum relayprobe_status relayprobe_plan_set_lure_mx(struct relayprobe_plan *plan,
                                                   const char *name);

/**
 * A name in your zones with the address of the server under test and no MX. `plan` and `name` must not be NULL.
 */
enum relayprobe_status relayprobe_plan_set_lure_a(struct relayprobe_plan *plan,
                                                  const char *name);

/**
 * Says by whose leave the test runs, as KIND:REFERENCE, such as "customer-contract:K123". Required. `plan` and `who`
 * must not be NULL.
 *
 * The kinds are own-server, customer-contract, request, complaint and peer-initiated. The kind stands in every message;
 * the reference stays in the report and is never sent. Calling it again forgets scope and end.
 */
enum relayprobe_status relayprobe_plan_set_authorization(struct relayprobe_plan *plan,
                                                         const char *who);

/**
 * A network like 192.0.2.0/24 or a domain like example.org that the leave covers; everything unless one is added.
 * `plan` and `scope` must not be NULL.
 */
enum relayprobe_status relayprobe_plan_add_scope(struct relayprobe_plan *plan,
                                                 const char *scope);

/**
 * The last second of the leave, in seconds since 1970; 0 for none, as it is otherwise. `plan` must not be NULL.
 */
enum relayprobe_status relayprobe_plan_set_authorization_end(struct relayprobe_plan *plan,
                                                             uint64_t date);

/**
 * Who asked not to be tested: the text of a list with a network, an address or a domain on each line; # begins a
 * comment. It takes the place of an earlier list. `plan` and `list` must not be NULL.
 */
enum relayprobe_status relayprobe_plan_set_never_test(struct relayprobe_plan *plan,
                                                      const char *list);

/**
 * What earlier runs did to the same server: when the last one began (seconds since 1970, 0 for never), and how many
 * refusals and messages there were today. `plan` must not be NULL.
 *
 * The library remembers nothing from run to run; this is how it keeps to one run a day and to the limits of a day.
 */
enum relayprobe_status relayprobe_plan_set_history(struct relayprobe_plan *plan,
                                                   uint64_t last_run,
                                                   uint32_t refusals_today,
                                                   uint32_t messages_today);

/**
 * Tests servers although they were tested less than a day ago: a person asks for it. `plan` must not be NULL.
 */
enum relayprobe_status relayprobe_plan_set_again(struct relayprobe_plan *plan);

/**
 * Deadlines and paces: one of relayprobe_profile; RELAYPROBE_PROFILE_BRISK otherwise. `plan` must not be NULL.
 */
enum relayprobe_status relayprobe_plan_set_profile(struct relayprobe_plan *plan,
                                                   int32_t profile);

/**
 * Connections open at once, 1 to 3; 1 otherwise. `plan` must not be NULL.
 */
enum relayprobe_status relayprobe_plan_set_connections(struct relayprobe_plan *plan,
                                                       uint32_t count);

/**
 * What one connection may ask, instead of what the kind of server allows: refusals to be expected, forms that strict
 * servers call a syntax error, and transactions. UINT16_MAX lifts a limit. `plan` must not be NULL.
 *
 * For servers of your own: an unknown server's limit is only learnt by being punished.
 */
enum relayprobe_status relayprobe_plan_set_budget(struct relayprobe_plan *plan,
                                                  uint16_t refusals,
                                                  uint16_t odd,
                                                  uint16_t transactions);

/**
 * Whether commands go out in groups: one of relayprobe_grouping; the profile decides otherwise. `plan` must not be
 * NULL.
 */
enum relayprobe_status relayprobe_plan_set_grouping(struct relayprobe_plan *plan,
                                                    int32_t grouping);

/**
 * Seconds to wait before deferred probes are asked again, an entry for each try; the profile decides otherwise. `plan`
 * must not be NULL, nor `seconds` unless the count is 0.
 */
enum relayprobe_status relayprobe_plan_set_retries(struct relayprobe_plan *plan,
                                                   const uint32_t *seconds,
                                                   size_t count);

/**
 * From where the run looks: one of relayprobe_vantage; otherwise RELAYPROBE_VANTAGE_LOOPBACK at a loopback address, and
 * RELAYPROBE_VANTAGE_OUTSIDE at any other. `plan` must not be NULL.
 */
enum relayprobe_status relayprobe_plan_set_vantage(struct relayprobe_plan *plan,
                                                   int32_t vantage);

/**
 * A block in force around the server: one of relayprobe_measure. It changes what a run can show. `plan` must not be
 * NULL.
 */
enum relayprobe_status relayprobe_plan_add_measure(struct relayprobe_plan *plan,
                                                   int32_t measure);

/**
 * Sends messages for the cases that are accepted: `which` is one of relayprobe_prove. Envelopes alone otherwise. `plan`
 * and `keyring` must not be NULL; the keyring is copied.
 *
 * Somebody must listen at the probe domain from then on, and what comes goes into relayprobe_report_add_message().
 * Recipients are only ever in your own domains.
 */
enum relayprobe_status relayprobe_plan_set_prove(struct relayprobe_plan *plan,
                                                 int32_t which,
                                                 struct relayprobe_keyring *keyring);

/**
 * Messages of the run, 1 to 64; 12 otherwise. `plan` must not be NULL.
 */
enum relayprobe_status relayprobe_plan_set_messages(struct relayprobe_plan *plan, uint16_t count);

/**
 * After how many seconds a message that was accepted and has not come back is taken for not relayed, 1 to 691200 (8
 * days); 21600 (6 hours) otherwise. `plan` must not be NULL.
 */
enum relayprobe_status relayprobe_plan_set_window(struct relayprobe_plan *plan,
                                                  uint64_t seconds);

/**
 * Where your receiving server is reached by those who deliver to the probe domain: an address as text, and a port.
 * `plan` and `address` must not be NULL.
 *
 * A run with proof then begins with a message of our own by that way: without it nobody can say later that nothing
 * came.
 */
enum relayprobe_status relayprobe_plan_set_way_in(struct relayprobe_plan *plan,
                                                  const char *address,
                                                  uint16_t port);

/**
 * Names the server: an IPv4 or IPv6 address as text, and a port, mostly 25. Required. `plan` and `address` must not be
 * NULL.
 *
 * What was said about an earlier server is forgotten: its names, domains, mailbox, other address and history. So this
 * comes first, and the functions that say more about the server after it.
 */
enum relayprobe_status relayprobe_plan_set_target(struct relayprobe_plan *plan,
                                                  const char *address,
                                                  uint16_t port);

/**
 * The host name by which you know the server; used for TLS only. `plan` and `name` must not be NULL.
 */
enum relayprobe_status relayprobe_plan_set_target_name(struct relayprobe_plan *plan,
                                                       const char *name);

/**
 * A mail domain of the server's own, the main one first. `plan` and `domain` must not be NULL.
 *
 * Without any the controls use the names that the server gives itself, and the verdict may be undetermined.
 */
enum relayprobe_status relayprobe_plan_add_domain(struct relayprobe_plan *plan,
                                                  const char *domain);

/**
 * A real mailbox on the server, named by its operator for controls. It never gets a message. `plan` and `mailbox` must
 * not be NULL.
 */
enum relayprobe_status relayprobe_plan_set_mailbox(struct relayprobe_plan *plan,
                                                   const char *mailbox);

/**
 * The reverse name of the server's address. `plan` and `name` must not be NULL.
 */
enum relayprobe_status relayprobe_plan_set_reverse_name(struct relayprobe_plan *plan,
                                                        const char *name);

/**
 * Another address of the same host in the other family, for forms that hold it. It is not connected to. `plan` and
 * `address` must not be NULL.
 */
enum relayprobe_status relayprobe_plan_set_other_address(struct relayprobe_plan *plan,
                                                         const char *address);

/**
 * What the server called itself when it was last tested; another name now makes the verdict undetermined. `plan` and
 * `name` must not be NULL.
 */
enum relayprobe_status relayprobe_plan_set_expected_host(struct relayprobe_plan *plan,
                                                         const char *name);

/**
 * The domain of the server's internet provider. `plan` and `domain` must not be NULL.
 */
enum relayprobe_status relayprobe_plan_set_provider_domain(struct relayprobe_plan *plan,
                                                           const char *domain);

/**
 * Which ports to ask on, the main one first; the target's otherwise, also after a count of 0. `plan` must not be NULL,
 * nor `ports` unless the count is 0.
 */
enum relayprobe_status relayprobe_plan_set_ports(struct relayprobe_plan *plan,
                                                 const uint16_t *ports,
                                                 size_t count);

/**
 * Takes a port for a mail port although it is none of the usual ones. `plan` must not be NULL.
 */
enum relayprobe_status relayprobe_plan_allow_port(struct relayprobe_plan *plan, uint16_t port);

/**
 * Takes a port for one on which TLS begins with the first octet, as it does on 465. `plan` must not be NULL.
 */
enum relayprobe_status relayprobe_plan_add_implicit_tls(struct relayprobe_plan *plan,
                                                        uint16_t port);

/**
 * Allows loopback, private and link-local targets, on mail ports and from 1024 on. `plan` must not be NULL.
 */
enum relayprobe_status relayprobe_plan_allow_private(struct relayprobe_plan *plan);

/**
 * Local address to connect from, as text; the system's choice otherwise. `plan` and `address` must not be NULL.
 */
enum relayprobe_status relayprobe_plan_set_source(struct relayprobe_plan *plan,
                                                  const char *address);

/**
 * Whether your own loop can do TLS: 1 it can, 0 it cannot, which is what is assumed otherwise. `plan` must not be NULL.
 *
 * With 0, probes behind TLS are "not-tested". relayprobe_run() has TLS of its own and takes no notice of this.
 */
enum relayprobe_status relayprobe_plan_set_tls(struct relayprobe_plan *plan,
                                               int32_t able);

/**
 * The report as JSON, on one line. NULL after an error. The string stays until the next call with this report. `report`
 * must not be NULL.
 *
 * It holds everything, so it is what to store: relayprobe_report_from_json() reads it. Whatever a server sent is
 * escaped.
 */
const char *relayprobe_report_json(struct relayprobe_report *report);

/**
 * The report as a person reads it in a terminal. NULL after an error. The string stays until the next call with this
 * report. `report` must not be NULL.
 */
const char *relayprobe_report_text(struct relayprobe_report *report);

/**
 * The dialogue as a person reads it, in lines of "S:" and "C:". NULL after an error. The string stays until the next
 * call with this report. `report` must not be NULL.
 */
const char *relayprobe_report_transcript(struct relayprobe_report *report);

/**
 * The exit status that says the verdict: 0 it does not relay, 1 suspected, 2 open relay, 3 nothing is known; a negative
 * relayprobe_status after an error. These are the states of Nagios too. `report` must not be NULL.
 */
int32_t relayprobe_report_exit_code(struct relayprobe_report *report);

/**
 * The verdict: one of relayprobe_verdict, or a negative relayprobe_status after an error. `report` must not be NULL.
 */
int32_t relayprobe_report_verdict(struct relayprobe_report *report);

/**
 * Whether nothing that is still to come can change the verdict: 1 or 0, or a negative relayprobe_status after an error.
 * `report` must not be NULL.
 */
int32_t relayprobe_report_is_settled(struct relayprobe_report *report);

/**
 * Until when messages are waited for, in seconds since 1970; 0 if none are. `report` and `date` must not be NULL.
 */
enum relayprobe_status relayprobe_report_pending_until(struct relayprobe_report *report,
                                                       uint64_t *date);

/**
 * When the run was planned, in seconds since 1970: for relayprobe_plan_set_history() of the next one. `report` and `date`
 * must not be NULL.
 */
enum relayprobe_status relayprobe_report_date(struct relayprobe_report *report,
                                              uint64_t *date);

/**
 * The name of the run, such as "vbakchg3": it stands in every message. NULL after an error. The string stays until the
 * next call with this report. `report` must not be NULL.
 */
const char *relayprobe_report_run(struct relayprobe_report *report);

/**
 * Reads a stored report and judges it anew: what the stored report says of itself is ignored. `json` and `report` must
 * not be NULL; `length` is without a NUL, which need not be there. Free the report with relayprobe_report_free().
 */
enum relayprobe_status relayprobe_report_from_json(const char *json,
                                                   size_t length,
                                                   struct relayprobe_report **report);

/**
 * Judges anew as of a later date (seconds since 1970): windows may have ended since. An earlier date changes nothing.
 * `report` must not be NULL.
 */
enum relayprobe_status relayprobe_report_judge(struct relayprobe_report *report,
                                               uint64_t date);

/**
 * Frees a report, and the strings that it lent. NULL is fine.
 */
void relayprobe_report_free(struct relayprobe_report *report);

/**
 * How many probes the run had; a negative relayprobe_status after an error. `report` must not be NULL.
 *
 * A probe is a case over a path. They are counted from 0, and the number of a probe is the same everywhere.
 */
int32_t relayprobe_report_probe_count(struct relayprobe_report *report);

/**
 * The id of a probe's case, such as "snd-null". NULL after an error. The string stays until the next call with this
 * report. `report` must not be NULL.
 */
const char *relayprobe_report_probe_case(struct relayprobe_report *report,
                                         uint32_t probe);

/**
 * The family of a probe's case, such as "percent"; "control" for one that says nothing about relaying by itself. NULL
 * after an error. The string stays until the next call with this report. `report` must not be NULL.
 */
const char *relayprobe_report_probe_family(struct relayprobe_report *report,
                                           uint32_t probe);

/**
 * The port of a probe's path; a negative relayprobe_status after an error. `report` must not be NULL.
 */
int32_t relayprobe_report_probe_port(struct relayprobe_report *report,
                                     uint32_t probe);

/**
 * What came of a probe: one of relayprobe_outcome, or a negative relayprobe_status after an error. `report` must not be
 * NULL.
 */
int32_t relayprobe_report_probe_outcome(struct relayprobe_report *report,
                                        uint32_t probe);

/**
 * What a refusal is about, or why a probe was not tested, in the word of the JSON, such as "relay-denied"; empty for
 * other outcomes. NULL after an error. The string stays until the next call with this report. `report` must not be NULL.
 */
const char *relayprobe_report_probe_why(struct relayprobe_report *report,
                                        uint32_t probe);

/**
 * The reply that settled a probe, as it came, which may hold any octet; NULL and 0 if there was none. No pointer may be
 * NULL. The octets stay until the next call that changes the report: relayprobe_report_add_message(), _append(),
 * _judge(), _check_way_in(), _free().
 */
enum relayprobe_status relayprobe_report_probe_reply(struct relayprobe_report *report,
                                                     uint32_t probe,
                                                     const uint8_t **octets,
                                                     size_t *length);

/**
 * Takes in a message that came to the probe domain, and judges anew. `report`, `keyring` and `message` must not be NULL.
 *
 * `message` is the whole message as your receiving server stored it, with the Received line and the Return-Path that it
 * put on top: what they say of the envelope is believed. `date` is when it came (seconds since 1970). `kind` is where to
 * put what it turned out to be, one of relayprobe_receipt, or NULL.
 *
 * Mail that is not ours, or of another run, changes nothing and is no error, so a mailbox can be gone through with any
 * report. The same message twice counts once. One that carries the tokens of several probes counts for each, and `kind` is
 * what it is to the first.
 */
enum relayprobe_status relayprobe_report_add_message(struct relayprobe_report *report,
                                                     struct relayprobe_keyring *keyring,
                                                     const uint8_t *message,
                                                     size_t length,
                                                     uint64_t date,
                                                     int32_t *kind);

/**
 * A handle that lets runs go on. Free it with relayprobe_stop_free(). NULL only after a fault of the library.
 */
struct relayprobe_stop *relayprobe_stop_new(void);

/**
 * Ends the runs that were given the handle, and those that will be: within a tenth of a second they end politely and
 * keep their record. `stop` must not be NULL.
 *
 * It may be called from another thread or from a signal handler.
 */
enum relayprobe_status relayprobe_stop_now(struct relayprobe_stop *stop);

/**
 * Frees the handle. NULL is fine. Runs that were given it go on and can no longer be stopped by it. No other thread may
 * be in a call with it.
 */
void relayprobe_stop_free(struct relayprobe_stop *stop);

/**
 * Runs a plan to its end on this thread, and gives its report. `plan` and `report` must not be NULL; `stop` may be NULL.
 * Free the report with relayprobe_report_free().
 *
 * For programs without a loop of their own: it waits for the server, for minutes if need be. It opens sockets and closes
 * them, and starts no thread. TLS is built in. Date and seed are taken from the system. A server that is closed, silent
 * or not there is no error: the report says so.
 */
enum relayprobe_status relayprobe_run(struct relayprobe_plan *plan,
                                      struct relayprobe_stop *stop,
                                      struct relayprobe_report **report);

/**
 * Sees once more whether your receiving server is there, by a message of our own through the run's way in, and adds what
 * was said to the report. `report` and `keyring` must not be NULL; `stop` may be NULL. It waits as relayprobe_run() does.
 *
 * To be done after the window has ended (relayprobe_report_pending_until()), before relayprobe_report_judge(): when this
 * message comes, and nothing else came, silence means that nothing was relayed. Without a way in, for a survey, or with
 * keys that are not those of the run, it does nothing. Agents with a loop: relayprobe_session_check_way_in().
 */
enum relayprobe_status relayprobe_report_check_way_in(struct relayprobe_report *report,
                                                      struct relayprobe_keyring *keyring,
                                                      struct relayprobe_stop *stop);

/**
 * Checks the plan, and makes a session of it. `plan` and `session` must not be NULL. Free it with
 * relayprobe_session_free().
 *
 * `date` is the wall clock in seconds since 1970. `seed` names the run and must not repeat; it need not be secret: take
 * 8 octets from getrandom(). `now` is the moment at which the run begins. The plan is not used up, and may be changed or
 * freed.
 */
enum relayprobe_status relayprobe_session_new(struct relayprobe_plan *plan,
                                              uint64_t date,
                                              uint64_t seed,
                                              uint64_t now,
                                              struct relayprobe_session **session);

/**
 * Ends the run politely and keeps what was learnt. Go on until RELAYPROBE_OUTPUT_KIND_FINISHED. `session` must not be
 * NULL.
 */
enum relayprobe_status relayprobe_session_stop(struct relayprobe_session *session,
                                               uint64_t now);

/**
 * Judges the run. `session` and `report` must not be NULL. Free the report with relayprobe_report_free().
 *
 * It is meant for the end, after RELAYPROBE_OUTPUT_KIND_FINISHED; before that it ends the run as it stands, impolitely.
 * Afterwards the session can only be freed.
 */
enum relayprobe_status relayprobe_session_report(struct relayprobe_session *session,
                                                 struct relayprobe_report **report);

/**
 * A session that sees once more whether your receiving server is there, by a message of our own through the run's way in.
 * No pointer may be NULL. Free the session with relayprobe_session_free().
 *
 * It is driven as any session, and ends with relayprobe_report_append(). To be done after the window has ended
 * (relayprobe_report_pending_until()): when this message comes, and nothing else came, silence means that nothing was
 * relayed. For a run without a way in, a survey, or with keys that are not those of the run there is nothing to do:
 * RELAYPROBE_STATUS_OK, and `session` is set to NULL. `date` is the wall clock in seconds since 1970.
 */
enum relayprobe_status relayprobe_session_check_way_in(struct relayprobe_report *report,
                                                       struct relayprobe_keyring *keyring,
                                                       uint64_t date,
                                                       uint64_t now,
                                                       struct relayprobe_session **session);

/**
 * Adds what a session of relayprobe_session_check_way_in() recorded to the report of its run, and judges anew. `report`
 * and `session` must not be NULL. Afterwards the session can only be freed.
 */
enum relayprobe_status relayprobe_report_append(struct relayprobe_report *report,
                                                struct relayprobe_session *session);

/**
 * Frees a session. NULL is fine. Its connections are the caller's, and stay open.
 */
void relayprobe_session_free(struct relayprobe_session *session);

/**
 * The connection was made: connect() succeeded, or the socket became writable without an error (SO_ERROR). `session`
 * must not be NULL.
 */
enum relayprobe_status relayprobe_session_connected(struct relayprobe_session *session,
                                                    uint32_t connection,
                                                    uint64_t now);

/**
 * Everything of the last RELAYPROBE_OUTPUT_KIND_SEND was written. `session` must not be NULL.
 */
enum relayprobe_status relayprobe_session_sent(struct relayprobe_session *session,
                                               uint32_t connection,
                                               uint64_t now);

/**
 * Octets came; inside TLS once it is on. `session` must not be NULL, nor `octets` unless `length` is 0, which changes
 * nothing: the end of a connection is relayprobe_session_lost(). The octets are copied.
 *
 * Give them as they come, cut anywhere. Keep none back across RELAYPROBE_OUTPUT_KIND_START_TLS.
 */
enum relayprobe_status relayprobe_session_received(struct relayprobe_session *session,
                                                   uint32_t connection,
                                                   const uint8_t *octets,
                                                   size_t length,
                                                   uint64_t now);

/**
 * A certificate of the server, in DER, for the relayprobe_session_secured() that follows; the leaf first. `session` and
 * `der` must not be NULL. The octets are copied; certificates of more than 64 KiB, or more than 16, are refused.
 */
enum relayprobe_status relayprobe_session_add_certificate(struct relayprobe_session *session,
                                                          uint32_t connection,
                                                          const uint8_t *der,
                                                          size_t length);

/**
 * The TLS handshake is done: the protocol version, such as "TLSv1.3", and the cipher suite, by its registered name. No
 * pointer may be NULL.
 *
 * No certificate has to be valid for a test to go on: take any, and report what there was.
 */
enum relayprobe_status relayprobe_session_secured(struct relayprobe_session *session,
                                                  uint32_t connection,
                                                  const char *version,
                                                  const char *cipher,
                                                  uint64_t now);

/**
 * The connection could not be made, or has ended, or its handshake failed: `loss` is one of relayprobe_loss. `session`
 * must not be NULL.
 *
 * First hand over what had arrived before. The socket is yours to close.
 */
enum relayprobe_status relayprobe_session_lost(struct relayprobe_session *session,
                                               uint32_t connection,
                                               int32_t loss,
                                               uint64_t now);

/**
 * The moment of RELAYPROBE_OUTPUT_KIND_WAIT has come, and everything that has arrived was handed over. `session` must
 * not be NULL. It may be called at any time.
 */
enum relayprobe_status relayprobe_session_tick(struct relayprobe_session *session,
                                               uint64_t now);

/**
 * What to do next. Call it until it says RELAYPROBE_OUTPUT_KIND_WAIT or RELAYPROBE_OUTPUT_KIND_FINISHED. `session` and
 * `output` must not be NULL; the field struct_size of `output` must be set.
 */
enum relayprobe_status relayprobe_session_poll(struct relayprobe_session *session,
                                               struct relayprobe_output *output);

/**
 * What an error number means, in general; relayprobe_last_error() says it of the case at hand. The string is static.
 */
const char *relayprobe_status_text(int32_t status);

/**
 * The version of the interface that the loaded library has.
 *
 * It is RELAYPROBE_ABI_VERSION of the header that the library was built with. Functions and constants are added without
 * a new number, and structs grow at their end. The number goes up when something that was there changes or goes; the
 * SONAME changes with it. A program that loads the library with dlopen() compares it with its own
 * RELAYPROBE_ABI_VERSION before it calls anything else.
 */
uint32_t relayprobe_abi_version(void);

/**
 * The version of the library, such as "0.1.0". The string is static.
 */
const char *relayprobe_version(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* RELAYPROBE_H */
