// clients PORT COUNT count|latency PATH             open COUNT WebSocket clients of the same path
// clients PORT COUNT count|latency STREAMS all      … each of which listens to STREAMS streams
// clients PORT COUNT count|latency STREAMS share    … of which number i listens to the streams j with j % COUNT == i
// clients PORT COUNT count nats                     … which speak NATS over WebSocket and listen to all subjects
// clients PORT COUNT events PATH                    … which read server-sent events over plain HTTP
//
// `count` throws away what comes and counts its bytes, at almost no cost; `latency` reads every message and compares
// the time in it with the clock; `sample` does so with every fiftieth client and counts at the others; `events` does so
// where there is a time in an event, and counts all that have an id.
//
// until BYTES SECONDS    answers when that many have come since the last answer, or when the time is over
// heard EVENTS SECONDS   the same, by the number of events
#include "load.h"

enum { AT_ONCE = 64, REQUEST_BYTES = 64 * 1024, BUFFER_BYTES = 256 * 1024, SAMPLE = 50 };

struct client {
    int fd, open, length, measures;
    uint8_t *buffer;  // of the handshake, then of unfinished frames
};

static struct client *clients;
static int port, count, nats, events_only, epoll, begun, opened, closed;
static const char *mode;
static long bytes, messages, measured;
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
    if (events_only) return at + sprintf(at, " HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", port) - out;
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
    client->measures = !strcmp(mode, "latency") || events_only || (!strcmp(mode, "sample") && number % SAMPLE == 0);
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
    if (strncmp((char *)client->buffer, events_only ? "HTTP/1.1 200" : "HTTP/1.1 101", 12)) die("refused: %s", client->buffer);
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

// Returns whether there was a time in it.
static int note(void *data, int64_t length, int64_t now) {
    char *found = memmem(data, length, "\"TS\":", 5);
    if (!found) return 0;
    if (measured == latencies_room) {
        latencies_room = latencies_room ? latencies_room * 2 : 1 << 16;
        latencies = realloc(latencies, latencies_room * sizeof *latencies);
    }
    latencies[measured++] = now - strtoll(found + 5, 0, 10);
    return 1;
}

// What of these bytes was whole events.
static int64_t note_events(uint8_t *data, int64_t length, int64_t now) {
    int64_t at = 0;
    for (uint8_t *end; (end = memmem(data + at, length - at, "\n\n", 2)); at = end + 2 - data) {
        if (end - data - at < 4 || memcmp(data + at, "id: ", 4)) continue;  // a heartbeat, or a notice
        note(data + at, end - data - at, now);
        messages++;
    }
    bytes += at;
    return at;
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
    if (events_only) at = note_events(client->buffer, client->length, now);
    else while ((used = read_frame(client->buffer + at, client->length - at, &frame))) {
        if (frame.opcode == 1) {  // a ping is nothing that was waited for
            messages += note(frame.data, frame.length, now);
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
    if (measured) {
        qsort(latencies, measured, sizeof *latencies, ascending);
        printf(", \"p50\": %.4f, \"p99\": %.4f, \"p999\": %.4f, \"max\": %.4f", latencies[measured / 2] / 1e6,
               latencies[(long)(measured * .99)] / 1e6, latencies[(long)(measured * .999)] / 1e6,
               latencies[measured - 1] / 1e6);
    }
    printf("}\n");
    bytes = messages = measured = 0;
}

int main(int argc, char **argv) {
    if (argc < 5) die("usage: clients PORT COUNT count|latency|sample|events PATH | STREAMS all|share | nats");
    begin();
    port = atoi(argv[1]);
    count = atoi(argv[2]);
    mode = argv[3];
    nats = !strcmp(argv[4], "nats");
    events_only = !strcmp(mode, "events");
    clients = calloc(count, sizeof *clients);
    epoll = epoll_create1(0);
    struct epoll_event input = {.events = EPOLLIN, .data.u32 = count}, events[512];
    epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &input);
    int64_t start = now_ns(), deadline = 0;
    long wanted = 0, *counted = &bytes;
    for (int said = 0;;) {
        while (begun < count && begun - opened < AT_ONCE) dial(begun++, argv + 4);
        int ready = epoll_wait(epoll, events, 512, 50);
        for (int i = 0; i < ready; i++) {
            unsigned number = events[i].data.u32;
            if (number == (unsigned)count) {
                double seconds;
                char *line = command();
                if (!line) continue;
                counted = strncmp(line, "heard ", 6) ? &bytes : &messages;
                if (sscanf(line, "until %ld %lf", &wanted, &seconds) != 2 &&
                    sscanf(line, "heard %ld %lf", &wanted, &seconds) != 2)
                    die("unknown command: %s", line);
                deadline = now_ns() + seconds * 1e9;
            } else if (!clients[number].open) shake(&clients[number]);
            else if (clients[number].measures) measure(&clients[number]);
            else discard(&clients[number]);
        }
        if (opened == count && !said++) printf("{\"opened\": %d, \"seconds\": %.3f}\n", opened, (now_ns() - start) / 1e9);
        if (deadline && (*counted >= wanted || now_ns() > deadline)) {
            answer();
            deadline = 0;
        }
    }
}
