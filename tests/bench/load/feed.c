// feed ws PORT STREAMS KIND     play Binance: one WebSocket client at a time, which is sent messages of STREAMS streams
// feed bus PORT STREAMS KIND    play a worker: publish the same messages as frames on the NATS server at PORT
//
// KIND is kline_1m or aggTrade.
//
// subscribed COUNT SECONDS    answers when the client has subscribed COUNT streams
// run RATE COUNT BURST        sends COUNT messages, BURST at once, RATE a second; RATE 0 is as fast as they are taken
#include "load.h"

enum { BATCH_BYTES = 64 * 1024 };

// A finished message of one stream: only the places that change are written again.
struct message {
    char *bytes;
    int length, ts_at, id_at, received_at, seq_at;
    uint32_t seq;
};

static int bus, listener = -1, peer = -1, streams, subscribed;
static int client_frame_bytes;  // of one message as clients of the gateway get it
static struct message *messages;
static const char *kind;

static void put_digits(char *out, int64_t value) {
    for (int i = DIGITS - 1; i >= 0; i--, value /= 10) out[i] = value ? '0' + value % 10 : ' ';
}

static void put_be(char *out, uint64_t value, int size) {
    for (int i = 0; i < size; i++) out[i] = value >> (8 * (size - 1 - i));
}

static void put_ns(char *out, clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    put_be(out, t.tv_sec * 1000000000ULL + t.tv_nsec, 8);
}

static void compose(struct message *message, int number) {
    char payload[512], text[640], frame[640], *at = frame;
    int payload_length = strcmp(kind, KLINE) ? sprintf(payload, AGG_TRADE_PAYLOAD, 0, number, 0)
                                              : sprintf(payload, KLINE_PAYLOAD, 0, number);
    int length = sprintf(text, "{\"stream\":\"" STREAM "\",\"data\":%s}", number, kind, payload);
    message->bytes = malloc(1024);
    client_frame_bytes = text_header((uint8_t *)message->bytes, length) + length;
    if (!bus) {
        memcpy(message->bytes + client_frame_bytes - length, text, length);
        message->length = client_frame_bytes;
    } else {
        // MessagePack, `fsnats.frames`: [1, stream, received_ns, epoch, seq, flags, payload, published_ns]
        at += sprintf(at, "\x98\x01%c" STREAM "\xcf", 0xa0 | STREAM_BYTES, number, kind);
        int received_at = at - frame;
        at += 8;
        *at++ = 0xcf;
        put_ns(at, CLOCK_REALTIME);
        at += 8;
        *at++ = 0xce;
        int seq_at = at - frame;
        at += 4;
        *at++ = 0;
        *at++ = 0xc5;
        put_be(at, payload_length, 2);
        memcpy(at + 2, payload, payload_length);
        at += 2 + payload_length;
        *at = (char)0xcf;
        put_ns(at + 1, CLOCK_REALTIME);
        int frame_length = at + 9 - frame;
        int head = sprintf(message->bytes, "PUB " SUBJECT " %d\r\n", number, kind, frame_length);
        memcpy(message->bytes + head, frame, frame_length);
        memcpy(message->bytes + head + frame_length, "\r\n", 2);
        message->length = head + frame_length + 2;
        message->received_at = head + received_at;
        message->seq_at = head + seq_at;
    }
    char *ts = memmem(message->bytes, message->length, "\"TS\":", 5);
    message->ts_at = ts + 5 - message->bytes;
    char *id = memmem(message->bytes, message->length, "\"a\":", 4);
    message->id_at = id ? id + 4 - message->bytes : 0;
}

static int stamped(struct message *message, char *out) {
    put_digits(message->bytes + message->ts_at, now_ns());
    message->seq++;
    if (message->id_at) put_digits(message->bytes + message->id_at, message->seq);
    if (bus) {
        put_be(message->bytes + message->seq_at, message->seq, 4);
        put_ns(message->bytes + message->received_at, CLOCK_REALTIME);
    }
    memcpy(out, message->bytes, message->length);
    return message->length;
}

// What the peer says.

static void hear_request(struct frame *frame) {
    int names = 0;
    for (int64_t i = 0; i < frame->length; i++) names += frame->data[i] == '@';
    subscribed += memmem(frame->data, frame->length, "\"UNSUBSCRIBE\"", 13) ? -names : names;
    char *id = memmem(frame->data, frame->length, "\"id\":", 5), answer[64];
    uint8_t header[4];
    int length = sprintf(answer, "{\"result\":null,\"id\":%ld}", id ? strtol(id + 5, 0, 10) : 0);
    write_all(peer, header, text_header(header, length));
    write_all(peer, answer, length);
}

static void hang_up(void) {
    close(peer);
    peer = -1;
    subscribed = 0;
}

// Read and handle what has come, without waiting.
static void drain(void) {
    static uint8_t buffer[64 * 1024];
    static int length;
    if (peer < 0) {
        peer = accept4(listener, 0, 0, 0);
        if (peer < 0) return;
        length = 0;
        no_delay(peer);
        if (!shake_hands(peer)) {
            hang_up();
            return;
        }
    }
    ssize_t got = recv(peer, buffer + length, sizeof buffer - length - 1, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
        if (bus) die("the NATS server hung up");
        hang_up();
        return;
    }
    length += got;
    if (bus) {
        buffer[length] = 0;
        if (strstr((char *)buffer, "-ERR")) die("NATS: %s", buffer);
        if (strstr((char *)buffer, "PING\r\n")) write_all(peer, "PONG\r\n", 6);
        length = 0;
        return;
    }
    struct frame frame;
    int64_t used;
    while (peer >= 0 && (used = read_frame(buffer, length, &frame))) {
        if (frame.opcode == 1) hear_request(&frame);
        if (frame.opcode == 8) hang_up();
        memmove(buffer, buffer + used, length -= used);
    }
}

static void run(double rate, long count, int burst) {
    static long number;
    static char batch[BATCH_BYTES];
    long sent = 0, late = 0, bytes = 0;
    int64_t start = now_ns(), next = start;
    if (peer < 0) die("nobody to send to");
    while (sent < count) {
        int length = 0;
        if (rate) {
            if (now_ns() > next + 1000000) late++;
            sleep_until(next);
        }
        for (int i = 0; (i < burst || !rate) && sent < count && length < BATCH_BYTES - 1024; i++, sent++)
            length += stamped(&messages[number++ % streams], batch + length);
        write_all(peer, batch, length);
        bytes += length;
        drain();
        if (peer < 0) die("the client hung up after %ld messages", sent);
        if (rate) next += 1e9 * burst / rate;
    }
    printf("{\"sent\": %ld, \"late\": %ld, \"seconds\": %.3f, \"frame_bytes\": %d}\n", sent, late,
           (now_ns() - start) / 1e9, client_frame_bytes);
}

static void greet_nats(void) {
    char info[8192] = "";
    for (int length = 0; !strstr(info, "\r\n");) {
        ssize_t got = read(peer, info + length, sizeof info - 1 - length);
        if (got <= 0) die("no greeting from NATS");
        length += got;
    }
    const char *hello = "CONNECT {\"verbose\":false,\"name\":\"bench-feed\"}\r\n";
    write_all(peer, hello, strlen(hello));
}

int main(int argc, char **argv) {
    if (argc != 5) die("usage: feed ws|bus PORT STREAMS KIND");
    begin();
    bus = !strcmp(argv[1], "bus");
    streams = atoi(argv[3]);
    kind = argv[4];
    messages = calloc(streams, sizeof *messages);
    for (int i = 0; i < streams; i++) compose(&messages[i], i);
    if (bus) {
        peer = tcp_connect(atoi(argv[2]));
        greet_nats();
    } else {
        listener = tcp_listen(atoi(argv[2]));
        fcntl(listener, F_SETFL, O_NONBLOCK);
    }
    printf("{\"ready\": true}\n");
    long wanted = 0;  // answer when so many streams are subscribed
    int64_t deadline = 0;
    for (;;) {
        struct pollfd ready[2] = {{0, POLLIN, 0}, {peer >= 0 ? peer : listener, POLLIN, 0}};
        poll(ready, 2, 50);
        if (ready[1].revents) drain();
        if (deadline && (subscribed >= wanted || now_ns() > deadline)) {
            printf("{\"subscribed\": %d}\n", subscribed);
            deadline = 0;
        }
        char *line = ready[0].revents ? command() : 0;
        double rate, seconds;
        long count;
        int burst;
        if (!line) continue;
        if (sscanf(line, "subscribed %ld %lf", &wanted, &seconds) == 2) deadline = now_ns() + seconds * 1e9;
        else if (sscanf(line, "run %lf %ld %d", &rate, &count, &burst) == 3) run(rate, count, burst);
        else die("unknown command: %s", line);
    }
}
