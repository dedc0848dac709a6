// tap PORT STREAMS KIND    subscribe to every stream's frames on the NATS server at PORT, count them and check the sequences
//
// until FRAMES SECONDS    answers when that many have come since the last answer, or when the time is over
#include "load.h"

static uint8_t buffer[1 << 20];
static int fd, streams, length;
static long frames, lost, repeated;
static uint64_t *newest;  // by stream, the last sequence number

static uint64_t be(const uint8_t *at, int size) {
    uint64_t value = 0;
    while (size--) value = value << 8 | *at++;
    return value;
}

// [1, stream, received_ns, epoch, seq, …]: both times are 64-bit, seq is as short as it can be.
static void check(const uint8_t *frame) {
    int number = atoi((const char *)frame + 3 + 3);
    const uint8_t *at = frame + 3 + STREAM_BYTES + 9 + 9;
    uint64_t seq = *at < 0x80 ? *at : be(at + 1, 1 << (*at - 0xcc));
    if (frame[0] != 0x98 || frame[1] != 1 || number >= streams) die("not a frame");
    if (seq <= newest[number]) repeated++;
    else lost += seq - newest[number] - 1, newest[number] = seq;
    frames++;
}

static void receive(void) {
    ssize_t got = recv(fd, buffer + length, sizeof buffer - length - 1, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) die("the NATS server hung up");
    length += got;
    uint8_t *at = buffer, *end = buffer + length, *line;
    while ((line = memchr(at, '\n', end - at))) {
        if (!memcmp(at, "MSG ", 4)) {
            uint8_t *size_at = memrchr(at, ' ', line - at);
            int size = atoi((char *)size_at);
            if (line + 1 + size + 2 > end) break;
            check(line + 1);
            at = line + 1 + size + 2;
        } else {
            if (!memcmp(at, "PING", 4)) write_all(fd, "PONG\r\n", 6);
            if (!memcmp(at, "-ERR", 4)) die("NATS refused");
            at = line + 1;
        }
    }
    memmove(buffer, at, length = end - at);
}

int main(int argc, char **argv) {
    if (argc != 4) die("usage: tap PORT STREAMS KIND");
    begin();
    fd = tcp_connect(atoi(argv[1]));
    streams = atoi(argv[2]);
    newest = calloc(streams, sizeof *newest);
    char hello[128];
    write_all(fd, hello, sprintf(hello, "CONNECT {\"verbose\":false,\"name\":\"bench-tap\"}\r\nSUB fsnats.spot.*.%s 1\r\n", argv[3]));
    printf("{\"ready\": true}\n");
    long wanted = 0;
    int64_t deadline = 0;
    for (;;) {
        struct pollfd ready[2] = {{0, POLLIN, 0}, {fd, POLLIN, 0}};
        poll(ready, 2, 50);
        if (ready[1].revents) receive();
        if (deadline && (frames >= wanted || now_ns() > deadline)) {
            printf("{\"frames\": %ld, \"lost\": %ld, \"repeated\": %ld}\n", frames, lost, repeated);
            frames = lost = repeated = 0;
            deadline = 0;
        }
        char *line = ready[0].revents ? command() : 0;
        double seconds;
        if (!line) continue;
        if (sscanf(line, "until %ld %lf", &wanted, &seconds) != 2) die("unknown command: %s", line);
        deadline = now_ns() + seconds * 1e9;
    }
}
