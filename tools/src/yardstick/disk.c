// What the kernel asks for appending to files and for forcing them, without a broker: the ways in
// which a journal could be written, side by side (storage/README.md, Ways to append).
//
//   cc -O2 -pthread -o disk tools/src/yardstick/disk.c
//   disk append DIR [ROUNDS [MB]]   each way of appending: MB/s, CPU per MB, how long a force takes
//   disk force DIR [SECONDS]        one force after the other, and two under way
//
// Appending: batches of 200 messages of 200 bytes go to files of 64 MiB, of which three are kept; another
// thread forces what is new as soon as that is 2,500 messages, as a broker with sync_every does. DIR is
// to be on the disk that is asked for; what is made there is removed again.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum {
    FILE_BYTES = 64 << 20,
    BATCH_BYTES = 200 * 216,
    FORCE_BYTES = 2500 * 216,
    LARGE_BYTES = 1 << 20,
    AHEAD_BYTES = 8 << 20,
    KEPT = 3,
    UNDER_WAY = 4,
    MAX_WAYS = 16
};

static const char *dir;
static char body[LARGE_BYTES];
static char zeros[LARGE_BYTES];

static void die(const char *what, ...) {
    va_list args;
    va_start(args, what);
    fprintf(stderr, "disk: ");
    vfprintf(stderr, what, args);
    fprintf(stderr, ": %s\n", strerror(errno));
    va_end(args);
    exit(1);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

// CPU seconds of the whole process so far.
static double cpu(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return u.ru_utime.tv_sec + u.ru_stime.tv_sec + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e-6;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(double *values, int n) {
    qsort(values, n, sizeof *values, compare);
    return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

// ------------------------------------------------------------------ io_uring, without a library

static struct {
    int fd;
    unsigned *sq_tail, *sq_array, *cq_head, *cq_tail, sq_mask, cq_mask;
    struct io_uring_sqe *entries;
    struct io_uring_cqe *done;
    unsigned under_way;
} ring;

// False where the kernel has none.
static int ring_open(void) {
    struct io_uring_params p = {.flags = IORING_SETUP_SINGLE_ISSUER};
    ring.fd = syscall(SYS_io_uring_setup, 2 * UNDER_WAY, &p);
    if (ring.fd < 0) return 0;
    size_t sq_bytes = p.sq_off.array + p.sq_entries * sizeof(unsigned);
    size_t cq_bytes = p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe);
    size_t bytes = sq_bytes > cq_bytes ? sq_bytes : cq_bytes;
    char *rings = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring.fd, IORING_OFF_SQ_RING);
    ring.entries = mmap(NULL, p.sq_entries * sizeof(struct io_uring_sqe), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_POPULATE, ring.fd, IORING_OFF_SQES);
    if (rings == MAP_FAILED || ring.entries == MAP_FAILED) die("mapping io_uring");
    ring.sq_tail = (unsigned *)(rings + p.sq_off.tail);
    ring.sq_array = (unsigned *)(rings + p.sq_off.array);
    ring.sq_mask = *(unsigned *)(rings + p.sq_off.ring_mask);
    ring.cq_head = (unsigned *)(rings + p.cq_off.head);
    ring.cq_tail = (unsigned *)(rings + p.cq_off.tail);
    ring.cq_mask = *(unsigned *)(rings + p.cq_off.ring_mask);
    ring.done = (struct io_uring_cqe *)(rings + p.cq_off.cqes);
    return 1;
}

static void ring_enter(unsigned submit, unsigned wait) {
    if (syscall(SYS_io_uring_enter, ring.fd, submit, wait, wait ? IORING_ENTER_GETEVENTS : 0, NULL, 0) < 0)
        die("io_uring_enter");
}

// Takes what is done, after waiting until at most so many are under way.
static void ring_reap(unsigned at_most) {
    while (ring.under_way > at_most) {
        unsigned head = *ring.cq_head;
        if (head == atomic_load((_Atomic unsigned *)ring.cq_tail)) {
            ring_enter(0, 1);
            continue;
        }
        struct io_uring_cqe *c = &ring.done[head & ring.cq_mask];
        if (c->res != BATCH_BYTES) {
            errno = c->res < 0 ? -c->res : EIO;
            die("writing by io_uring");
        }
        atomic_store((_Atomic unsigned *)ring.cq_head, head + 1);
        ring.under_way--;
    }
}

static void ring_write(int fd, const char *from, size_t n, off_t at) {
    ring_reap(UNDER_WAY - 1);
    unsigned tail = *ring.sq_tail, i = tail & ring.sq_mask;
    ring.entries[i] = (struct io_uring_sqe){
        .opcode = IORING_OP_WRITE, .fd = fd, .addr = (uintptr_t)from, .len = n, .off = at};
    ring.sq_array[i] = i;
    atomic_store((_Atomic unsigned *)ring.sq_tail, tail + 1);
    ring.under_way++;
    ring_enter(1, 0);
}

// ------------------------------------------------------------------ appending

enum how { WRITE, MAP, RING };

struct way {
    const char *name;
    enum how how;
    int again;       // a finished file becomes the next one
    int populated;   // another thread makes the pages of a mapping ready
    int early;       // the kernel is asked to write each MiB as soon as it is full
    long zeros;      // a batch that goes beyond what was written is followed by zeros up to a multiple of this
    size_t batch;
};

static const struct way ways[] = {
    {"write, new files", WRITE, 0, 0, 0, 0, BATCH_BYTES},
    {"write, files used again", WRITE, 1, 0, 0, 0, BATCH_BYTES},
    {"write, new, sync_file_range for each MiB", WRITE, 0, 0, 1, 0, BATCH_BYTES},
    {"write, new, zeros ahead to the next 128 KiB", WRITE, 0, 0, 0, 128 << 10, BATCH_BYTES},
    {"write, new, zeros ahead to the next 256 KiB", WRITE, 0, 0, 0, 256 << 10, BATCH_BYTES},
    {"write, new, zeros ahead to the next MiB", WRITE, 0, 0, 0, 1 << 20, BATCH_BYTES},
    {"write, new, 1 MiB at once (large folios)", WRITE, 0, 0, 0, 0, LARGE_BYTES},
    {"mapping, new files", MAP, 0, 0, 0, 0, BATCH_BYTES},
    {"mapping, new, MADV_POPULATE_WRITE ahead", MAP, 0, 1, 0, 0, BATCH_BYTES},
    {"mapping, files used again", MAP, 1, 0, 0, 0, BATCH_BYTES},
    {"io_uring, new files, 4 under way", RING, 0, 0, 0, 0, BATCH_BYTES},
    {"io_uring, files used again, 4 under way", RING, 1, 0, 0, 0, BATCH_BYTES},
};

// What the forcing thread shares with the appending one; the lock guards all of it.
static struct {
    pthread_mutex_t lock;
    pthread_cond_t more;
    int fd;             // of the file that is written
    long unforced;      // bytes
    int ended;
    char *map;          // to be populated ahead; null for none
    size_t wanted, ready;
} shared = {.lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER};

static long forces;
static double force_seconds;

static void *force_loop(void *arg) {
    (void)arg;
    pthread_mutex_lock(&shared.lock);
    while (!shared.ended) {
        if (shared.unforced < FORCE_BYTES) {
            pthread_cond_wait(&shared.more, &shared.lock);
            continue;
        }
        shared.unforced = 0;
        int fd = dup(shared.fd);
        pthread_mutex_unlock(&shared.lock);
        double from = now();
        if (fd < 0 || fdatasync(fd)) die("fdatasync");
        force_seconds += now() - from;
        forces++;
        close(fd);
        pthread_mutex_lock(&shared.lock);
    }
    pthread_mutex_unlock(&shared.lock);
    return NULL;
}

static void *populate_loop(void *arg) {
    (void)arg;
    pthread_mutex_lock(&shared.lock);
    while (!shared.ended) {
        if (!shared.map || shared.ready >= shared.wanted) {
            pthread_cond_wait(&shared.more, &shared.lock);
            continue;
        }
        char *from = shared.map + shared.ready;
        // While the lock is held: the appending thread unmaps under it. It does not wait otherwise.
        if (madvise(from, LARGE_BYTES, MADV_POPULATE_WRITE)) die("MADV_POPULATE_WRITE");
        shared.ready += LARGE_BYTES;
    }
    pthread_mutex_unlock(&shared.lock);
    return NULL;
}

static char *name(int i) {
    static char path[2][4096];
    static int turn;
    snprintf(path[turn ^= 1], sizeof path[0], "%s/disk-%d-%d.tmp", dir, getpid(), i);
    return path[turn];
}

// Ends a file; the oldest of those that are kept is removed, or becomes the next.
static int next_file(const struct way *w, int i) {
    if (i >= KEPT) {
        if (w->again) {
            if (rename(name(i - KEPT), name(i))) die("rename");
        } else if (unlink(name(i - KEPT))) {
            die("unlink");
        }
    }
    int fd = open(name(i), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) die("%s", name(i));
    return fd;
}

static void append(const struct way *w, long bytes, double *rate, double *us, double *force_ms) {
    pthread_t forcing, populating;
    shared.ended = 0;
    shared.unforced = 0;
    shared.map = NULL;
    forces = 0;
    force_seconds = 0;
    // Files to use again are there before: that they are is what is asked about.
    int first = w->again ? KEPT : 0;
    for (int i = 0; i < first; i++) {
        int fd = open(name(i), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        for (long at = 0; at < FILE_BYTES; at += LARGE_BYTES)
            if (pwrite(fd, body, LARGE_BYTES, at) != LARGE_BYTES) die("%s", name(i));
        if (fsync(fd)) die("fsync");
        close(fd);
    }
    sync();
    pthread_create(&forcing, NULL, force_loop, NULL);
    pthread_create(&populating, NULL, populate_loop, NULL);
    double from = now(), cpu_from = cpu();
    long done = 0;
    int i = first;
    for (; done < bytes; i++) {
        int fd = next_file(w, i);
        char *map = NULL;
        if (w->how == MAP) {
            if (ftruncate(fd, FILE_BYTES)) die("ftruncate");
            map = mmap(NULL, FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
            if (map == MAP_FAILED) die("mmap");
        }
        pthread_mutex_lock(&shared.lock);
        shared.fd = fd;
        shared.map = w->populated ? map : NULL;
        shared.ready = shared.wanted = 0;
        pthread_mutex_unlock(&shared.lock);
        long at = 0, early = 0, written = 0;
        for (; at + (long)w->batch <= FILE_BYTES; at += w->batch) {
            if (w->how == MAP) memcpy(map + at, body, w->batch);
            else if (w->how == RING) ring_write(fd, body, w->batch, at);
            else if (w->zeros && at + (long)w->batch > written) {
                long to = (at + w->batch + w->zeros - 1) / w->zeros * w->zeros;
                struct iovec parts[] = {{body, w->batch}, {zeros, to - at - w->batch}};
                if (pwritev(fd, parts, 2, at) != to - at) die("pwritev");
                written = to;
            } else if (pwrite(fd, body, w->batch, at) != (ssize_t)w->batch) die("pwrite");
            if (w->early && at - early >= LARGE_BYTES) {
                if (sync_file_range(fd, early, LARGE_BYTES, SYNC_FILE_RANGE_WRITE)) die("sync_file_range");
                early += LARGE_BYTES;
            }
            pthread_mutex_lock(&shared.lock);
            shared.unforced += w->batch;
            if (w->populated) {
                size_t wanted = at + AHEAD_BYTES;
                shared.wanted = wanted > FILE_BYTES ? FILE_BYTES : wanted;
            }
            if (shared.unforced >= FORCE_BYTES || w->populated) pthread_cond_broadcast(&shared.more);
            pthread_mutex_unlock(&shared.lock);
        }
        if (w->how == RING) ring_reap(0);
        pthread_mutex_lock(&shared.lock);
        shared.map = NULL;
        if (map) munmap(map, FILE_BYTES);
        // What is not forced of it yet is forced before the next one has bytes.
        if (fdatasync(fd)) die("fdatasync");
        shared.unforced = 0;
        shared.fd = -1;
        close(fd);
        pthread_mutex_unlock(&shared.lock);
        done += at;
    }
    double seconds = now() - from;
    pthread_mutex_lock(&shared.lock);
    shared.ended = 1;
    pthread_cond_broadcast(&shared.more);
    pthread_mutex_unlock(&shared.lock);
    pthread_join(forcing, NULL);
    pthread_join(populating, NULL);
    *us = (cpu() - cpu_from) * 1e6 / (done / 1e6);
    *rate = done / 1e6 / seconds;
    *force_ms = forces ? force_seconds * 1e3 / forces : 0;
    for (int k = i - KEPT; k < i; k++) unlink(name(k));
}

static void append_all(int rounds, long bytes) {
    enum { N = sizeof ways / sizeof ways[0] };
    double rate[N][99], us[N][99], ms[N][99];
    int has_ring = ring_open();
    if (!has_ring) fprintf(stderr, "disk: no io_uring here: %s\n", strerror(errno));
    for (int r = 0; r < rounds; r++)
        for (int k = 0; k < N; k++) {
            int i = r % 2 ? N - 1 - k : k;
            if (ways[i].how != RING || has_ring) append(&ways[i], bytes, &rate[i][r], &us[i][r], &ms[i][r]);
        }
    printf("| way | MB/s | CPU us/MB | a force, ms |\n|---|---|---|---|\n");
    for (int i = 0; i < N; i++)
        if (ways[i].how != RING || has_ring)
            printf("| %s | %.0f | %.0f | %.2f |\n", ways[i].name, median(rate[i], rounds), median(us[i], rounds),
                   median(ms[i], rounds));
}

// ------------------------------------------------------------------ forcing

static double force_until;
static atomic_long forced;
static size_t force_bytes;

// Writes over a file that has all its blocks, and forces it, until the time is over.
static void *force_own(void *arg) {
    int fd = *(int *)arg;
    for (off_t at = 0; now() < force_until; at = (at + force_bytes) % (FILE_BYTES / 2)) {
        if (pwrite(fd, body, force_bytes, at) != (ssize_t)force_bytes) die("pwrite");
        if (fdatasync(fd)) die("fdatasync");
        forced++;
    }
    return NULL;
}

static void force_all(double seconds) {
    int fds[2];
    for (int i = 0; i < 2; i++) {
        fds[i] = open(name(i), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (fds[i] < 0) die("%s", name(i));
        unlink(name(i));
        for (long at = 0; at < FILE_BYTES; at += LARGE_BYTES)
            if (pwrite(fds[i], body, LARGE_BYTES, at) != LARGE_BYTES) die("pwrite");
        if (fsync(fds[i])) die("fsync");
    }
    printf("| bytes | one after the other, forces/s | two under way, one file | two, a file each | gain |\n"
           "|---|---|---|---|---|\n");
    static const size_t sizes[] = {4096, 16384, 65536, 262144};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        double rate[3][5];
        for (int r = 0; r < 5; r++)
            for (int mode = 0; mode < 3; mode++) {
                pthread_t t[2];
                int threads = mode ? 2 : 1;
                force_bytes = sizes[s];
                forced = 0;
                double from = now();
                force_until = from + seconds;
                for (int i = 0; i < threads; i++) pthread_create(&t[i], NULL, force_own, &fds[mode == 2 ? i : 0]);
                for (int i = 0; i < threads; i++) pthread_join(t[i], NULL);
                rate[mode][r] = forced / (now() - from);
            }
        double one = median(rate[0], 5), same = median(rate[1], 5), own = median(rate[2], 5);
        printf("| %zu | %.0f | %.0f | %.0f | %.2f, %.2f |\n", sizes[s], one, same, own, same / one, own / one);
    }
}

int main(int argc, char **argv) {
    if (argc >= 3 && !strcmp(argv[1], "append") && argc <= 5) {
        dir = argv[2];
        int rounds = argc > 3 ? atoi(argv[3]) : 5;
        long mb = argc > 4 ? atol(argv[4]) : 1500;
        if (rounds >= 1 && rounds <= 99 && mb >= 1) {
            memset(body, 'x', sizeof body);
            append_all(rounds, mb * 1000000);
            return 0;
        }
    } else if (argc >= 3 && !strcmp(argv[1], "force") && argc <= 4) {
        dir = argv[2];
        double seconds = argc > 3 ? atof(argv[3]) : 2;
        if (seconds > 0) {
            memset(body, 'x', sizeof body);
            force_all(seconds);
            return 0;
        }
    }
    fprintf(stderr, "usage: disk append DIR [ROUNDS [MB]] | disk force DIR [SECONDS]\n");
    return 1;
}
