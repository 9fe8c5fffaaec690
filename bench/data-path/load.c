/*
 * Load for a TCP path, and the server at its far end, in one program: a client thread on processor core 0 and a server
 * thread on core 1, each an epoll loop. It is written in C so that the load is a small part of what the cores do.
 *
 *   load bulk|download|ping|connect|idle TARGET-PORT SERVER-PORT CONNECTIONS BYTES WARM-UP SECONDS
 *
 * bulk      every connection sends as fast as it can; bytes that reached the server count
 * download  the same the other way round
 * ping      every connection sends BYTES, waits until as many have come back, and begins anew
 * connect   as ping, on a new connection each time
 * idle      opens CONNECTIONS, one ping on each, and holds them open until its standard input ends
 *
 * Writes the line "begin" when it begins to count and then one line of JSON; "idle" writes its JSON once all are open.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum mode { BULK, DOWNLOAD, PING, CONNECT, IDLE, MODES };
static const char *const names[MODES] = {"bulk", "download", "ping", "connect", "idle"};

enum { BUFFER = 1 << 16, EVENTS = 256, OPENING = 64, MAX_LATENCIES = 1 << 23 };

static enum mode mode;
static int target_port, server_port, connections, message;
static double warm_up, seconds;

static atomic_int stopping, counting;
static atomic_ullong received, operations, failures;
static float *latencies;
static uint64_t latency_count;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec * 1e-9;
}

/* Without a second core both share the one there is. */
static void hold_to_core(int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

static struct sockaddr_in loopback(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static int tcp_socket(void) {
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0) fail("socket");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static void watch(int epoll, int operation, int fd, uint32_t events, uint64_t data) {
    struct epoll_event event = {.events = events, .data.u64 = data};
    if (epoll_ctl(epoll, operation, fd, &event) != 0) fail("epoll_ctl");
}

/* The far end. */

static int listen_on(int port) {
    int one = 1, fd = tcp_socket();
    struct sockaddr_in address = loopback(port);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0) fail("bind");
    if (listen(fd, 4096) != 0) fail("listen");
    return fd;
}

static void accept_all(int epoll, int listener) {
    int fd, one = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        watch(epoll, EPOLL_CTL_ADD, fd, EPOLLIN | (mode == DOWNLOAD ? EPOLLOUT : 0), fd);
    }
}

/* Counts what comes, and in the modes that wait for an answer sends it back; small messages always fit. */
static void serve(int fd, uint32_t events, char *buffer) {
    if (events & EPOLLOUT && write(fd, buffer, BUFFER) < 0 && errno != EAGAIN) {
        close(fd);
        return;
    }
    if (!(events & ~(uint32_t)EPOLLOUT)) return;
    ssize_t length = read(fd, buffer, BUFFER);
    if (length == 0 || (length < 0 && errno != EAGAIN)) {
        close(fd);
    } else if (length > 0) {
        if (mode != BULK && mode != DOWNLOAD && write(fd, buffer, length) != length) failures++;
        if (mode == BULK) received += length;
    }
}

static void *run_server(void *given) {
    int listener = *(int *)given, epoll = epoll_create1(0);
    char *buffer = calloc(1, BUFFER);
    struct epoll_event events[EVENTS];
    hold_to_core(1);
    watch(epoll, EPOLL_CTL_ADD, listener, EPOLLIN, listener);
    while (!stopping) {
        int count = epoll_wait(epoll, events, EVENTS, 100);
        for (int i = 0; i < count; i++) {
            int fd = (int)events[i].data.u64;
            if (fd == listener) accept_all(epoll, listener);
            else serve(fd, events[i].events, buffer);
        }
    }
    return NULL;
}

/* The client. */

struct connection {
    int fd;
    int connected;
    int answered; /* bytes of the present message that came back */
    double began;
};

static struct connection *all;
static int client_epoll, opened, opening;

static void open_one(int index) {
    struct connection *c = &all[index];
    struct sockaddr_in address = loopback(target_port);
    *c = (struct connection){.fd = tcp_socket(), .began = now()};
    if (connect(c->fd, (struct sockaddr *)&address, sizeof address) != 0 && errno != EINPROGRESS) fail("connect");
    watch(client_epoll, EPOLL_CTL_ADD, c->fd, EPOLLIN | EPOLLOUT, index);
    opening++;
}

static void give_up(int index) {
    failures++;
    close(all[index].fd);
    if (mode == IDLE) opening--;
    else open_one(index);
}

static void record(double began) {
    if (!counting) return;
    operations++;
    if (latency_count < MAX_LATENCIES) latencies[latency_count++] = (float)((now() - began) * 1e6);
}

/* A message is whole: the next one, the next connection, or no more. */
static void answered(int index, char *buffer) {
    struct connection *c = &all[index];
    record(c->began);
    c->answered = 0;
    if (mode == PING) {
        c->began = now();
        if (write(c->fd, buffer, message) != message) give_up(index);
    } else if (mode == CONNECT) {
        close(c->fd);
        open_one(index);
    } else {
        opening--;
        operations++;
    }
}

static void advance(int index, uint32_t events, char *buffer) {
    struct connection *c = &all[index];
    if (!c->connected) {
        int waits_for = mode == BULK ? EPOLLOUT : EPOLLIN;
        if (events & (EPOLLERR | EPOLLHUP)) return give_up(index);
        if (!(events & EPOLLOUT)) return;
        c->connected = 1;
        watch(client_epoll, EPOLL_CTL_MOD, c->fd, waits_for, index);
        if (mode >= PING && write(c->fd, buffer, message) != message) give_up(index);
        return;
    }
    if (mode == BULK) {
        if (events & EPOLLOUT && write(c->fd, buffer, BUFFER) < 0 && errno != EAGAIN) give_up(index);
        return;
    }
    ssize_t length = read(c->fd, buffer, BUFFER);
    if (length < 0 && errno == EAGAIN) return;
    if (length <= 0) return give_up(index);
    if (mode == DOWNLOAD) {
        received += length;
        return;
    }
    c->answered += length;
    if (c->answered >= message) answered(index, buffer);
}

static void *run_client(void *unused) {
    char *buffer = calloc(1, BUFFER);
    struct epoll_event events[EVENTS];
    (void)unused;
    hold_to_core(0);
    client_epoll = epoll_create1(0);
    while (!stopping) {
        /* Idle connections are opened a few at a time: it is not their opening that is looked at. */
        while (opened < connections && (mode != IDLE || opening < OPENING)) open_one(opened++);
        int count = epoll_wait(client_epoll, events, EVENTS, 100);
        for (int i = 0; i < count; i++) advance((int)events[i].data.u64, events[i].events, buffer);
    }
    return NULL;
}

/* The measurement. */

static void pause_for(double time) {
    struct timespec left = {.tv_sec = (time_t)time, .tv_nsec = (long)((time - (time_t)time) * 1e9)};
    while (nanosleep(&left, &left) != 0) continue;
}

static int ascending(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static double percentile(double share) {
    return latency_count == 0 ? 0 : latencies[(uint64_t)((latency_count - 1) * share)];
}

/* Ends both threads: what they counted is read after that. */
static void finish(pthread_t server, pthread_t client) {
    stopping = 1;
    pthread_join(client, NULL);
    pthread_join(server, NULL);
}

static void hold_idle(pthread_t server, pthread_t client) {
    double deadline = now() + seconds;
    while ((int)(operations + failures) < connections && now() < deadline) pause_for(0.02);
    printf("{\"operations\":%llu,\"failures\":%llu}\n", (unsigned long long)operations,
           (unsigned long long)failures);
    fflush(stdout);
    while (getchar() != EOF) continue;
    finish(server, client);
}

static void measure(pthread_t server, pthread_t client) {
    pause_for(warm_up);
    printf("begin\n");
    fflush(stdout);
    unsigned long long before = received;
    double began = now();
    counting = 1;
    pause_for(seconds);
    counting = 0;
    double time = now() - began;
    unsigned long long bytes = received - before;
    finish(server, client);
    qsort(latencies, latency_count, sizeof *latencies, ascending);
    printf("{\"seconds\":%.6f,\"bytes\":%llu,\"operations\":%llu,\"failures\":%llu,\"p50\":%.1f,\"p99\":%.1f}\n", time,
           bytes, (unsigned long long)operations, (unsigned long long)failures, percentile(0.5), percentile(0.99));
}

int main(int count, char **words) {
    struct rlimit files;
    pthread_t server, client;
    if (count != 8) {
        fprintf(stderr, "usage: load MODE TARGET-PORT SERVER-PORT CONNECTIONS BYTES WARM-UP SECONDS\n");
        return 64;
    }
    while (mode < MODES && strcmp(names[mode], words[1]) != 0) mode++;
    if (mode == MODES) {
        fprintf(stderr, "expected a mode, got %s\n", words[1]);
        return 64;
    }
    target_port = atoi(words[2]);
    server_port = atoi(words[3]);
    connections = atoi(words[4]);
    message = atoi(words[5]);
    warm_up = atof(words[6]);
    seconds = atof(words[7]);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    all = calloc(connections, sizeof *all);
    latencies = malloc(sizeof *latencies * MAX_LATENCIES);
    int listener = listen_on(server_port);
    pthread_create(&server, NULL, run_server, &listener);
    pthread_create(&client, NULL, run_client, NULL);
    if (mode == IDLE) hold_idle(server, client);
    else measure(server, client);
    return 0;
}
