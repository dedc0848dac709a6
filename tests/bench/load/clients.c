// clients PORT COUNT count|latency PATH             open COUNT WebSocket clients of the same path
// clients PORT COUNT count|latency STREAMS all      … each of which listens to STREAMS streams
// clients PORT COUNT count|latency STREAMS share    … of which number i listens to the streams j with j % COUNT == i
// clients PORT COUNT count nats                     … which speak NATS over WebSocket and listen to all subjects
//
// `count` throws away what comes and counts its bytes, at almost no cost; `latency` reads every message and compares
// the time in it with the clock; `sample` does so with every fiftieth client and counts at the others.
//
// until BYTES SECONDS    answers when that many have come since the last answer, or when the time is over
#include "load.h"

enum { AT_ONCE = 64, REQUEST_BYTES = 64 * 1024, BUFFER_BYTES = 256 * 1024, SAMPLE = 50 };

struct client {
    int fd, open, length, measures;
    uint8_t *buffer;  // of the handshake, then of unfinished frames
};

static struct client *clients;
static int port, count, nats, epoll, begun, opened, closed;
static const char *mode;
static long bytes, messages;
static int64_t *latencies;
static long latencies_room;

static int request(int number, char **arguments, char *out) {
    char *at = out + sprintf(out, "GET ");
    if (arguments[1]) {
        int streams = atoi(arguments[0]), share = !strcmp(arguments[1], "share");
        const char *separator = "/stream?streams=";
        for (int stream = share ? number : 0; stream < streams; stream += share ? count : 1, separator = "/")
            at += sprintf(at, "%s" STREAM, separator, stream, KLINE);
    } else {
        at += sprintf(at, "%s", nats ? "/" : arguments[0]);
    }
    at += sprintf(at,
                  " HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                  port);
    return at - out;
}

static void dial(int number, char **arguments) {
    static char text[REQUEST_BYTES];
    struct client *client = &clients[number];
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = number};
    client->fd = tcp_connect(port);
    client->measures = !strcmp(mode, "latency") || (!strcmp(mode, "sample") && number % SAMPLE == 0);
    client->buffer = malloc(client->measures ? BUFFER_BYTES : 8192);
    write_all(client->fd, text, request(number, arguments, text));
    fcntl(client->fd, F_SETFL, O_NONBLOCK);
    epoll_ctl(epoll, EPOLL_CTL_ADD, client->fd, &event);
}

static void hang_up(struct client *client) {
    close(client->fd);
    closed++;
}

// One masked frame (with a mask of zeros) that asks a NATS server for everything.
static void ask_nats(struct client *client) {
    static const char ask[] = "CONNECT {\"verbose\":false}\r\nSUB fsnats.> 1\r\n";
    uint8_t frame[128] = {0x82, 0x80 | (sizeof ask - 1)};
    memcpy(frame + 6, ask, sizeof ask - 1);
    write_all(client->fd, frame, 6 + sizeof ask - 1);
}

static void shake(struct client *client) {
    ssize_t got = read(client->fd, client->buffer + client->length, 4095 - client->length);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) die("a handshake was cut off");
    client->length += got;
    client->buffer[client->length] = 0;
    char *end = strstr((char *)client->buffer, "\r\n\r\n");
    if (!end) return;
    if (strncmp((char *)client->buffer, "HTTP/1.1 101", 12)) die("refused: %s", client->buffer);
    client->open = 1;
    opened++;
    if (nats) ask_nats(client);
    client->length -= end + 4 - (char *)client->buffer;
    if (client->measures) {
        memmove(client->buffer, end + 4, client->length);
    } else {
        bytes += client->length;
        free(client->buffer);
    }
}

static void discard(struct client *client) {
    static char nowhere[1 << 20];
    ssize_t got = recv(client->fd, nowhere, sizeof nowhere, MSG_TRUNC);  // TCP drops it without copying
    if (got > 0) bytes += got;
    else if (!got || errno != EAGAIN) hang_up(client);
}

static void note(struct frame *frame, int64_t now) {
    char *found = memmem(frame->data, frame->length, "\"TS\":", 5);
    if (!found) return;
    if (messages == latencies_room) {
        latencies_room = latencies_room ? latencies_room * 2 : 1 << 16;
        latencies = realloc(latencies, latencies_room * sizeof *latencies);
    }
    latencies[messages++] = now - strtoll(found + 5, 0, 10);
}

static void measure(struct client *client) {
    ssize_t got = recv(client->fd, client->buffer + client->length, BUFFER_BYTES - client->length, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
        hang_up(client);
        return;
    }
    client->length += got;
    struct frame frame;
    int64_t now = now_ns(), used, at = 0;
    while ((used = read_frame(client->buffer + at, client->length - at, &frame))) {
        if (frame.opcode == 1) {  // a ping is nothing that was waited for
            note(&frame, now);
            bytes += used;
        }
        at += used;
    }
    memmove(client->buffer, client->buffer + at, client->length -= at);
}

static int ascending(const void *left, const void *right) {
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static void answer(void) {
    printf("{\"bytes\": %ld, \"closed\": %d, \"messages\": %ld", bytes, closed, messages);
    if (messages) {
        qsort(latencies, messages, sizeof *latencies, ascending);
        printf(", \"p50\": %.4f, \"p99\": %.4f, \"p999\": %.4f, \"max\": %.4f", latencies[messages / 2] / 1e6,
               latencies[(long)(messages * .99)] / 1e6, latencies[(long)(messages * .999)] / 1e6,
               latencies[messages - 1] / 1e6);
    }
    printf("}\n");
    bytes = messages = 0;
}

int main(int argc, char **argv) {
    if (argc < 5) die("usage: clients PORT COUNT count|latency|sample PATH | STREAMS all|share | nats");
    begin();
    port = atoi(argv[1]);
    count = atoi(argv[2]);
    mode = argv[3];
    nats = !strcmp(argv[4], "nats");
    clients = calloc(count, sizeof *clients);
    epoll = epoll_create1(0);
    struct epoll_event input = {.events = EPOLLIN, .data.u32 = count}, events[512];
    epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &input);
    int64_t start = now_ns(), deadline = 0;
    long wanted = 0;
    for (int said = 0;;) {
        while (begun < count && begun - opened < AT_ONCE) dial(begun++, argv + 4);
        int ready = epoll_wait(epoll, events, 512, 50);
        for (int i = 0; i < ready; i++) {
            unsigned number = events[i].data.u32;
            if (number == (unsigned)count) {
                double seconds;
                char *line = command();
                if (!line) continue;
                if (sscanf(line, "until %ld %lf", &wanted, &seconds) != 2) die("unknown command: %s", line);
                deadline = now_ns() + seconds * 1e9;
            } else if (!clients[number].open) shake(&clients[number]);
            else if (clients[number].measures) measure(&clients[number]);
            else discard(&clients[number]);
        }
        if (opened == count && !said++) printf("{\"opened\": %d, \"seconds\": %.3f}\n", opened, (now_ns() - start) / 1e9);
        if (deadline && (bytes >= wanted || now_ns() > deadline)) {
            answer();
            deadline = 0;
        }
    }
}
