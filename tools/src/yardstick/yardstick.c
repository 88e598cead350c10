// yardstick - what the machine gives a broker that does next to nothing.
//
// It speaks as much of the NSQ V2 protocol as a benchmark needs and keeps none of a broker's
// promises: no checksum, channel, time-out, force or state. What it reaches is what sockets (and the
// page cache) cost, beside which a real broker's share can be seen.
//
//   nothing   reads publishes and answers OK
//   write     also writes each publish to its topic's file, by one write(2), and relays bodies to
//             the topic's subscribers, which share them whatever channel they name; from memory when
//             they keep up, else out of the file. What a connection that ends was sent is lost.
//
// Two threads with an epoll each; connections are dealt out in turn. Linux only.
//
//   cc -O2 -pthread -o yardstick yardstick.c
//   yardstick --mode write --data-path DIR --tcp-address 127.0.0.1:4150 --http-address 127.0.0.1:4151
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;

enum {
    THREADS = 2,
    EVENTS = 256,
    TOPICS = 1024,
    SUBS = 64,                  // subscribers of a topic
    READ_MIN = 64 << 10,        // room for each read
    BUF_START = 512 << 10,
    COMMAND_MAX = 16 << 20,     // a command with its body
    LINE_MAX_BYTES = 1024,
    RELAY_BYTES = 256 << 10,    // sent to one subscriber before the next has its turn
    CHUNK = 1 << 20,            // read from a file at once, at least
    IN_PLACE = 4 << 10,         // bodies from this size on are sent from where they are
    REPLY_BYTES = 64 << 10,
    FRAME_HEAD = 34             // size, type, time, attempts, id
};

typedef struct topic topic;

typedef struct conn {
    int fd, ep;
    u8 is_http, is_listener, dead;
    char *buf;                  // what came and is not handled yet
    size_t start, end, cap;
    u32 count;                  // replies that wait for the end of the read
    char reply[REPLY_BYTES];
    size_t reply_len;
    pthread_mutex_t lock;       // of what follows; other threads relay to a subscriber
    char *unsent;
    size_t unsent_off, unsent_len;
    topic *published;           // the one published to last
    topic *sub;                 // guarded by that topic's lock from here on
    u32 rdy, in_flight;
} conn;

struct topic {
    char name[72];
    int fd;
    pthread_mutex_t lock;       // taken before a connection's
    u64 end, sent, next_id;     // bytes in the file, bytes relayed
    conn *subs[SUBS];
    u32 nsubs, turn;
};

typedef struct { int ep; char *chunk, *frames; size_t chunk_cap; } thread;

static int writes;
static const char *data_path = ".";
static thread T[THREADS];
static topic *topics[TOPICS];
static int ntopics;
static pthread_mutex_t topics_lock = PTHREAD_MUTEX_INITIALIZER;

static void die(const char *fmt, ...) {
    va_list ap; va_start(ap, fmt);
    fputs("yardstick: ", stderr); vfprintf(stderr, fmt, ap); fputc('\n', stderr);
    va_end(ap);
    exit(1);
}
static void *xalloc(size_t n) {
    void *p = calloc(1, n);
    if (!p) die("out of memory (%zu bytes)", n);
    return p;
}
static inline u32 be32(const void *p) { u32 v; memcpy(&v, p, 4); return __builtin_bswap32(v); }
static inline void put32(void *p, u32 v) { v = __builtin_bswap32(v); memcpy(p, &v, 4); }
static inline void put64(void *p, u64 v) { v = __builtin_bswap64(v); memcpy(p, &v, 8); }

// ------------------------------------------------------------------ topics

static topic *topic_of(const char *name, size_t n) {
    if (!n || n >= sizeof topics[0]->name) return NULL;
    pthread_mutex_lock(&topics_lock);
    topic *t = NULL;
    for (int i = 0; i < ntopics && !t; i++)
        if (!strncmp(topics[i]->name, name, n) && !topics[i]->name[n]) t = topics[i];
    if (!t && ntopics < TOPICS) {
        t = xalloc(sizeof *t);
        memcpy(t->name, name, n);
        pthread_mutex_init(&t->lock, NULL);
        t->fd = -1;
        if (writes) {
            char path[4096];
            snprintf(path, sizeof path, "%s/%d.messages", data_path, ntopics);
            t->fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
            if (t->fd < 0) die("%s: %s", path, strerror(errno));
        }
        topics[ntopics++] = t;
    }
    pthread_mutex_unlock(&topics_lock);
    return t;
}
static void topic_empty(topic *t) {
    pthread_mutex_lock(&t->lock);
    if (t->fd >= 0 && ftruncate(t->fd, 0)) die("ftruncate: %s", strerror(errno));
    t->end = t->sent = 0;
    pthread_mutex_unlock(&t->lock);
}

// ------------------------------------------------------------------ sending

static void arm(conn *c, int out) {
    struct epoll_event ev = {.events = EPOLLIN | (out ? EPOLLOUT : 0), .data.ptr = c};
    epoll_ctl(c->ep, EPOLL_CTL_MOD, c->fd, &ev);
}
static void keep(conn *c, const char *p, size_t n) {
    char *all = xalloc(c->unsent_len + n);
    if (c->unsent_len) memcpy(all, c->unsent + c->unsent_off, c->unsent_len);
    memcpy(all + c->unsent_len, p, n);
    free(c->unsent);
    c->unsent = all;
    c->unsent_off = 0;
    c->unsent_len += n;
}
// Sends, and keeps what the socket does not take. Under the connection's lock.
static void send_locked(conn *c, const char *head, size_t hn, const char *body, size_t bn) {
    if (c->dead) return;
    ssize_t w = 0;
    int waited = c->unsent_len > 0;
    if (!waited) {
        struct iovec iov[2] = {{(void *)head, hn}, {(void *)body, bn}};
        struct msghdr m = {.msg_iov = iov, .msg_iovlen = bn ? 2 : 1};
        w = bn ? sendmsg(c->fd, &m, MSG_NOSIGNAL) : send(c->fd, head, hn, MSG_NOSIGNAL);
        if (w < 0) {
            if (errno != EAGAIN && errno != EINTR) { c->dead = 1; return; }
            w = 0;
        }
    }
    size_t n = (size_t)w;
    if (n == hn + bn) return;
    if (n < hn) keep(c, head + n, hn - n);
    if (bn) keep(c, body + (n > hn ? n - hn : 0), bn - (n > hn ? n - hn : 0));
    if (!waited) arm(c, 1);
}
static void flush_reply(conn *c) {
    if (!c->reply_len) return;
    pthread_mutex_lock(&c->lock);
    send_locked(c, c->reply, c->reply_len, NULL, 0);
    pthread_mutex_unlock(&c->lock);
    c->reply_len = 0;
}
static void reply(conn *c, u32 type, const char *text) {
    size_t n = strlen(text);
    if (c->reply_len + 8 + n > sizeof c->reply) flush_reply(c);
    char *p = c->reply + c->reply_len;
    put32(p, (u32)n + 4);
    put32(p + 4, type);
    memcpy(p + 8, text, n);
    c->reply_len += 8 + n;
}
static int fail(conn *c, const char *text) {
    reply(c, 1, text);
    flush_reply(c);
    c->dead = 1;
    return 0;
}

// ------------------------------------------------------------------ relaying (mode write)

static size_t frame_head(char *p, topic *t, u64 now, u32 body) {
    static const char hex[] = "0123456789abcdef";
    put32(p, FRAME_HEAD - 4 + body);
    put32(p + 4, 2);
    put64(p + 8, now);
    p[16] = 0; p[17] = 1;
    u64 id = t->next_id++;
    for (int i = 15; i >= 0; i--, id >>= 4) p[18 + i] = hex[id & 15];
    return FRAME_HEAD;
}
static conn *ready_sub(topic *t) {
    for (u32 i = 0; i < t->nsubs; i++) {
        conn *c = t->subs[t->turn++ % t->nsubs];
        if (!c->dead && c->rdy > c->in_flight && !c->unsent_len) return c;
    }
    return NULL;
}
// Sends whole messages out of p[0..n) to one subscriber; says how many bytes of them went.
static size_t relay_to(thread *th, topic *t, conn *c, const char *p, size_t n, u64 now) {
    size_t done = 0, used = 0;
    pthread_mutex_lock(&c->lock);
    while (done < RELAY_BYTES && c->rdy > c->in_flight && !c->unsent_len && n - done >= 4) {
        u32 size = be32(p + done);
        if (n - done - 4 < size) break;
        const char *body = p + done + 4;
        if (used + FRAME_HEAD + (size < IN_PLACE ? size : 0) > RELAY_BYTES) break;
        used += frame_head(th->frames + used, t, now, size);
        if (size < IN_PLACE) {
            memcpy(th->frames + used, body, size);
            used += size;
        } else {
            send_locked(c, th->frames, used, body, size);
            used = 0;
        }
        c->in_flight++;
        done += 4 + size;
    }
    if (used) send_locked(c, th->frames, used, NULL, 0);
    pthread_mutex_unlock(&c->lock);
    return done;
}
// Relays what subscribers take. fresh[0..n) is what was written last, as it is in memory. Under the
// topic's lock.
static void relay(thread *th, topic *t, const char *fresh, size_t n) {
    if (t->sent == t->end || !t->nsubs) return;
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    u64 now = (u64)ts.tv_sec * 1000000000ull + (u64)ts.tv_nsec, from = t->end - n;
    size_t have = 0, at = 0;
    conn *c;
    while (t->sent < t->end && (c = ready_sub(t))) {
        if (fresh && t->sent >= from) {
            t->sent += relay_to(th, t, c, fresh + (t->sent - from), n - (t->sent - from), now);
            continue;
        }
        if (have - at < 4 || have - at - 4 < be32(th->chunk + at)) {
            size_t want = have - at >= 4 ? 4 + (size_t)be32(th->chunk + at) : CHUNK;
            if (want < CHUNK) want = CHUNK;
            if (want > th->chunk_cap) {
                free(th->chunk);
                th->chunk = xalloc(want);
                th->chunk_cap = want;
            }
            if (want > t->end - t->sent) want = t->end - t->sent;
            ssize_t r = pread(t->fd, th->chunk, want, (off_t)t->sent);
            if (r < 4) die("pread: %s", r < 0 ? strerror(errno) : "too short");
            have = (size_t)r;
            at = 0;
        }
        size_t went = relay_to(th, t, c, th->chunk + at, have - at, now);
        at += went;
        t->sent += went;
    }
}
static void leave(conn *c) {
    topic *t = c->sub;
    if (!t) return;
    pthread_mutex_lock(&t->lock);
    for (u32 i = 0; i < t->nsubs; i++)
        if (t->subs[i] == c) { t->subs[i] = t->subs[--t->nsubs]; break; }
    pthread_mutex_unlock(&t->lock);
}

// ------------------------------------------------------------------ commands

// A topic's name among the words of a line.
static topic *named(conn *c, const char *p, const char *end) {
    const char *space = memchr(p, ' ', (size_t)(end - p));
    size_t n = (size_t)((space ? space : end) - p);
    topic *t = c->published;
    if (t && !strncmp(t->name, p, n) && !t->name[n]) return t;
    return topic_of(p, n);
}
static int publish(thread *th, conn *c, topic *t, const char *messages, size_t n) {
    if (!t) return fail(c, "E_BAD_TOPIC");
    c->published = t;
    if (writes) {
        pthread_mutex_lock(&t->lock);
        if (pwrite(t->fd, messages, n, (off_t)t->end) != (ssize_t)n)
            die("%s: cannot write %zu bytes: %s", t->name, n, strerror(errno));
        t->end += n;
        relay(th, t, messages, n);
        pthread_mutex_unlock(&t->lock);
    }
    reply(c, 0, "OK");
    return 1;
}
static int subscribe(conn *c, topic *t) {
    if (!t || c->sub) return fail(c, "E_INVALID");
    pthread_mutex_lock(&t->lock);
    int full = t->nsubs == SUBS;
    if (!full) { t->subs[t->nsubs++] = c; c->sub = t; }
    pthread_mutex_unlock(&t->lock);
    if (full) return fail(c, "E_INVALID too many subscribers");
    reply(c, 0, "OK");
    return 1;
}
// Runs the command at p; says how long it was, 0 when it is not all there or the connection ends.
static size_t command(thread *th, conn *c, const char *p, size_t n, u32 *fins) {
    const char *nl = memchr(p, '\n', n < LINE_MAX_BYTES ? n : LINE_MAX_BYTES);
    if (!nl) {
        if (n >= LINE_MAX_BYTES) fail(c, "E_INVALID line");
        return 0;
    }
    size_t line = (size_t)(nl - p) + 1, rest = n - line;
    const char *body = nl + 1;
    int mpub = line > 5 && !memcmp(p, "MPUB ", 5), pub = line > 4 && !memcmp(p, "PUB ", 4);
    if (pub || mpub || (line == 9 && !memcmp(p, "IDENTIFY", 8))) {
        if (rest < 4) return 0;
        u32 size = be32(body);
        if (size > COMMAND_MAX || size < (mpub ? 8 : 1)) { fail(c, "E_BAD_BODY"); return 0; }
        if (rest - 4 < size) return 0;
        if (pub && !publish(th, c, named(c, p + 4, nl), body, 4 + (size_t)size)) return 0;
        // The messages of an MPUB lie behind its size and count as those of PUBs would.
        if (mpub && !publish(th, c, named(c, p + 5, nl), body + 8, size - 4)) return 0;
        if (!pub && !mpub) reply(c, 0, "OK");
        return line + 4 + size;
    }
    if (line == 21 && !memcmp(p, "FIN ", 4)) ++*fins;
    else if (line > 4 && !memcmp(p, "RDY ", 4)) {
        if (c->sub) {
            pthread_mutex_lock(&c->sub->lock);
            c->rdy = (u32)strtoul(p + 4, NULL, 10);
            relay(th, c->sub, NULL, 0);
            pthread_mutex_unlock(&c->sub->lock);
        }
    } else if (line > 4 && !memcmp(p, "SUB ", 4)) {
        if (!subscribe(c, named(c, p + 4, nl))) return 0;
    } else if (line == 4 && !memcmp(p, "CLS", 3)) {
        leave(c);
        reply(c, 0, "CLOSE_WAIT");
    } else if (line != 4 || memcmp(p, "NOP", 3)) {
        fail(c, "E_INVALID");
        return 0;
    }
    return line;
}
static void commands(thread *th, conn *c) {
    u32 fins = 0;
    while (!c->dead && c->end > c->start) {
        const char *p = c->buf + c->start;
        size_t n = c->end - c->start, used;
        if (n >= 4 && !memcmp(p, "  V2", 4)) used = 4;
        else if (!(used = command(th, c, p, n, &fins))) break;
        c->start += used;
    }
    if (fins && c->sub) {
        pthread_mutex_lock(&c->sub->lock);
        c->in_flight -= fins < c->in_flight ? fins : c->in_flight;
        relay(th, c->sub, NULL, 0);
        pthread_mutex_unlock(&c->sub->lock);
    }
    flush_reply(c);
}

// ------------------------------------------------------------------ HTTP: /ping, and topics

static void http(conn *c) {
    while (c->end > c->start) {
        char *p = c->buf + c->start, *end = memmem(p, c->end - c->start, "\r\n\r\n", 4);
        if (!end) return;
        *end = 0;
        c->start = (size_t)(end + 4 - c->buf);
        char *name = strstr(p, "?topic=");
        if (name && !strncmp(p, "POST /topic/delete", 18)) {
            name += 7;
            topic *t = topic_of(name, strcspn(name, "& \r"));
            if (t) topic_empty(t);
        }
        static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK";
        pthread_mutex_lock(&c->lock);
        send_locked(c, ok, sizeof ok - 1, NULL, 0);
        pthread_mutex_unlock(&c->lock);
    }
}

// ------------------------------------------------------------------ the loops

static void add(int ep, int fd, int is_http, int is_listener) {
    conn *c = xalloc(sizeof *c);
    c->fd = fd;
    c->ep = ep;
    c->is_http = (u8)is_http;
    c->is_listener = (u8)is_listener;
    pthread_mutex_init(&c->lock, NULL);
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};
    if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev)) die("epoll_ctl: %s", strerror(errno));
}
static void accept_one(conn *l) {
    static unsigned turn;
    int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1;
    if (fd < 0) return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    add(l->is_http ? l->ep : T[turn++ % THREADS].ep, fd, l->is_http, 0);
}
static void drop(conn *c) {
    leave(c);
    close(c->fd);
    free(c->buf);
    free(c->unsent);
    pthread_mutex_destroy(&c->lock);
    free(c);
}
static void writable(thread *th, conn *c) {
    pthread_mutex_lock(&c->lock);
    ssize_t w = send(c->fd, c->unsent + c->unsent_off, c->unsent_len, MSG_NOSIGNAL);
    if (w > 0) {
        c->unsent_off += (size_t)w;
        c->unsent_len -= (size_t)w;
        if (!c->unsent_len) arm(c, 0);
    } else if (w < 0 && errno != EAGAIN && errno != EINTR) c->dead = 1;
    int idle = !c->unsent_len;
    pthread_mutex_unlock(&c->lock);
    if (idle && c->sub) {
        pthread_mutex_lock(&c->sub->lock);
        relay(th, c->sub, NULL, 0);
        pthread_mutex_unlock(&c->sub->lock);
    }
}
static void readable(thread *th, conn *c) {
    if (c->start == c->end) c->start = c->end = 0;
    if (c->cap - c->end < READ_MIN) {
        // Little is left of what was read: it moves to the front, or the command needs more room.
        size_t n = c->end - c->start, cap = c->cap;
        while (cap - n < READ_MIN) cap = cap ? 2 * cap : c->is_http ? 2 * READ_MIN : BUF_START;
        char *to = cap == c->cap ? c->buf : xalloc(cap);
        if (n) memmove(to, c->buf + c->start, n);
        if (to != c->buf) { free(c->buf); c->buf = to; c->cap = cap; }
        c->start = 0;
        c->end = n;
    }
    ssize_t r = recv(c->fd, c->buf + c->end, c->cap - c->end, 0);
    if (r < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (r <= 0) { c->dead = 1; return; }
    c->end += (size_t)r;
    if (c->is_http) http(c);
    else commands(th, c);
}
static void *loop(void *arg) {
    thread *th = arg;
    struct epoll_event ev[EVENTS];
    for (;;) {
        int n = epoll_wait(th->ep, ev, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            conn *c = ev[i].data.ptr;
            if (c->is_listener) { accept_one(c); continue; }
            if (ev[i].events & EPOLLOUT) writable(th, c);
            if (ev[i].events & ~(u32)EPOLLOUT) readable(th, c);
            if (c->dead) drop(c);
        }
    }
    return NULL;
}

// ------------------------------------------------------------------ main

static int listen_on(const char *address) {
    char host[64];
    const char *colon = strrchr(address, ':');
    struct sockaddr_in sa = {.sin_family = AF_INET};
    if (!colon || (size_t)(colon - address) >= sizeof host) die("%s is no HOST:PORT", address);
    snprintf(host, sizeof host, "%.*s", (int)(colon - address), address);
    sa.sin_port = htons((uint16_t)atoi(colon + 1));
    if (inet_pton(AF_INET, host, &sa.sin_addr) != 1) die("%s is no IPv4 address", host);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof sa) || listen(fd, 1024))
        die("listen (%s) failed: %s", address, strerror(errno));
    return fd;
}
int main(int argc, char **argv) {
    static const struct option options[] = {
        {"mode", required_argument, 0, 'm'},
        {"data-path", required_argument, 0, 'd'},
        {"tcp-address", required_argument, 0, 't'},
        {"http-address", required_argument, 0, 'h'},
        {0, 0, 0, 0}};
    const char *mode = "", *tcp = "127.0.0.1:4150", *web = "127.0.0.1:4151";
    for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (o == 'm') mode = optarg;
        else if (o == 'd') data_path = optarg;
        else if (o == 't') tcp = optarg;
        else if (o == 'h') web = optarg;
        else return 1;
    }
    writes = !strcmp(mode, "write");
    if ((!writes && strcmp(mode, "nothing")) || optind < argc)
        die("--mode nothing or --mode write; --data-path, --tcp-address, --http-address");
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < THREADS; i++) {
        T[i].ep = epoll_create1(EPOLL_CLOEXEC);
        T[i].chunk_cap = CHUNK;
        T[i].chunk = xalloc(CHUNK);
        T[i].frames = xalloc(RELAY_BYTES);
    }
    add(T[0].ep, listen_on(tcp), 0, 1);
    add(T[0].ep, listen_on(web), 1, 1);
    for (int i = 1; i < THREADS; i++) {
        pthread_t t;
        if (pthread_create(&t, NULL, loop, &T[i])) die("no thread");
    }
    loop(&T[0]);
    return 0;
}
