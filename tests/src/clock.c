/* A system whose clock is wrong, and is set while a program runs: CLOCK_SHIFT seconds off, CLOCK_STEP more at each look,
   and CLOCK_JUMP more from the second second on. */
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static atomic_long looks;

static long wish(const char *name)
{
    const char *text = getenv(name);
    return text ? atol(text) : 0;
}

static long since_start(void)
{
    static atomic_long start;
    struct timespec now;
    long unset = 0;

    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    atomic_compare_exchange_strong(&start, &unset, now.tv_sec + 1);
    return now.tv_sec + 1 - atomic_load(&start);
}

int clock_gettime(clockid_t id, struct timespec *now)
{
    int failed = (int)syscall(SYS_clock_gettime, id, now);

    if (!failed && id == CLOCK_REALTIME) {
        now->tv_sec += wish("CLOCK_SHIFT") + wish("CLOCK_STEP") * atomic_fetch_add(&looks, 1);
        if (since_start() >= 2)
            now->tv_sec += wish("CLOCK_JUMP");
    }
    return failed;
}
