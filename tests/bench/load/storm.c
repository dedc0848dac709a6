// storm PORT PATH    WebSocket clients that come and go, each in another way
//
// visit RATE SECONDS    lets RATE of them a second come for so long, and answers when the last one has gone: how many
//                       shook hands (`opened`), how many were refused or cut off (`failed`), and how long after the
//                       first byte of TCP a handshake was answered
#include "load.h"

enum { MOST = 2048, HOMES = 16, WAYS = 5 };
enum way { CLOSES, LEAVES, RESETS, HALF_CLOSES, TEARS };

struct visitor {
    int fd, opened;
    enum way way;
    int64_t came;
};

static struct visitor visitors[MOST];
static int idle[MOST], idlers, epoll, port, opened, failed;
static const char *path;
static int64_t *latencies;
static long measured, room;

static void gone(struct visitor *visitor) {
    close(visitor->fd);
    idle[idlers++] = visitor - visitors;
}

static void reset(struct visitor *visitor) {
    struct linger at_once = {1, 0};
    setsockopt(visitor->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    gone(visitor);
}

// One address alone has too few ports for all that come within the minute that TCP remembers them.
static void come(void) {
    static unsigned number;
    struct visitor *visitor = &visitors[idle[--idlers]];
    struct sockaddr_in home = loopback(0), there = loopback(port);
    struct epoll_event event = {.events = EPOLLOUT, .data.u32 = visitor - visitors};
    int on = 1;
    *visitor = (struct visitor){socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), 0, number % WAYS, now_ns()};
    if (visitor->fd < 0) die("a socket");
    home.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + number++ % HOMES);
    setsockopt(visitor->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (bind(visitor->fd, (void *)&home, sizeof home)) die("binding");
    if (connect(visitor->fd, (void *)&there, sizeof there) && errno != EINPROGRESS) die("connecting to port %d", port);
    epoll_ctl(epoll, EPOLL_CTL_ADD, visitor->fd, &event);
}

static void ask(struct visitor *visitor) {
    char text[1024];
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = visitor - visitors};
    int length = snprintf(text, sizeof text,
                          "GET %s HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                          path);
    epoll_ctl(epoll, EPOLL_CTL_MOD, visitor->fd, &event);
    if (write(visitor->fd, text, length) != length) {
        failed++;
        gone(visitor);
    }
}

static void note(int64_t latency) {
    if (measured == room) latencies = realloc(latencies, (room = room ? room * 2 : 1 << 16) * sizeof *latencies);
    latencies[measured++] = latency;
}

static void go(struct visitor *visitor) {
    static const uint8_t goodbye[] = {0x88, 0x82, 0, 0, 0, 0, 3, 0xe8}, torn[] = {0x81, 0x90, 0, 0, 0, 0, '{'};
    switch (visitor->way) {
        case CLOSES:
            if (write(visitor->fd, goodbye, sizeof goodbye) < 0) failed++;
            return;
        case HALF_CLOSES: shutdown(visitor->fd, SHUT_WR); return;
        case LEAVES: gone(visitor); return;
        case TEARS:
            if (write(visitor->fd, torn, sizeof torn) < 0) failed++;  // and then as those that reset
        case RESETS: reset(visitor);
    }
}

static void hear(struct visitor *visitor) {
    char text[16384];
    ssize_t got = read(visitor->fd, text, sizeof text);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
        if (got < 0 || !visitor->opened) failed++;
        gone(visitor);
    } else if (!visitor->opened) {
        if (got < 12 || memcmp(text, "HTTP/1.1 101", 12)) {
            failed++;
            reset(visitor);
            return;
        }
        visitor->opened = 1;
        opened++;
        note(now_ns() - visitor->came);
        go(visitor);
    }
}

static int ascending(const void *left, const void *right) {
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static void visit(double rate, double seconds) {
    struct epoll_event events[512];
    int64_t start = now_ns();
    long wanted = rate * seconds, begun = 0;
    opened = failed = measured = 0;
    while (begun < wanted || idlers < MOST) {
        while (idlers && begun < wanted && now_ns() >= start + begun / rate * 1e9) come(), begun++;
        int ready = epoll_wait(epoll, events, 512, 1);
        for (int i = 0; i < ready; i++) {
            struct visitor *visitor = &visitors[events[i].data.u32];
            if (events[i].events & EPOLLOUT) ask(visitor);
            else hear(visitor);
        }
    }
    qsort(latencies, measured, sizeof *latencies, ascending);
    printf("{\"opened\": %d, \"failed\": %d, \"seconds\": %.3f, \"p50\": %.4f, \"p99\": %.4f}\n", opened, failed,
           (now_ns() - start) / 1e9, measured ? latencies[measured / 2] / 1e6 : 0,
           measured ? latencies[(long)(measured * .99)] / 1e6 : 0);
}

int main(int argc, char **argv) {
    if (argc != 3) die("usage: storm PORT PATH");
    begin();
    port = atoi(argv[1]);
    path = argv[2];
    epoll = epoll_create1(0);
    while (idlers < MOST) idle[idlers] = idlers, idlers++;
    printf("{\"ready\": true}\n");
    for (;;) {
        struct pollfd input = {0, POLLIN, 0};
        poll(&input, 1, -1);
        char *line = command();
        double rate, seconds;
        if (!line) continue;
        if (sscanf(line, "visit %lf %lf", &rate, &seconds) != 2) die("unknown command: %s", line);
        visit(rate, seconds);
    }
}
