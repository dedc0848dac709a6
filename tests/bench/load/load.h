// What the load tools share: time, sockets, the WebSocket handshake, the message that is sent, and the dialogue with
// the benchmark: it writes one command a line to standard input, the tool answers each with one line of JSON.  The end
// of standard input ends the tool.
#pragma once
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

// A combined message of Binance's spot kline stream is 367 bytes long, and so is what stands for one of aggTrade here;
// "TS" is ours, blanks make it and "a" a constant width.  Both kinds' names are eight characters long.
#define KLINE "kline_1m"
#define AGG_TRADE "aggTrade"
#define STREAM "sym%03dusdt@%s"
#define SUBJECT "fsnats.spot.sym%03dusdt.%s"
#define STREAM_BYTES 19
#define DIGITS 19
#define KLINE_PAYLOAD                                                                                                 \
    "{\"e\":\"kline\",\"E\":1763625612345,\"TS\":%19d,\"s\":\"SYM%03dUSDT\",\"k\":{\"t\":1763625600000,"             \
    "\"T\":1763625659999,\"i\":\"1m\",\"f\":5512345678,\"L\":5512345999,\"o\":\"91234.56000000\","                     \
    "\"c\":\"91240.01000000\",\"h\":\"91250.00000000\",\"l\":\"91230.00000000\",\"v\":\"12.34567000\",\"n\":3221,"    \
    "\"x\":false,\"q\":\"112.34\",\"V\":\"6.17283500\",\"Q\":\"563200.06172800\"}}"
#define AGG_TRADE_PAYLOAD                                                                                             \
    "{\"e\":\"aggTrade\",\"E\":1763625612345,\"TS\":%19d,\"s\":\"SYM%03dUSDT\",\"a\":%19d,\"p\":\"91234.56000000\","     \
    "\"q\":\"0.00012000\",\"f\":5512345678,\"l\":5512345679,\"T\":1763625612344,\"m\":true,\"M\":true,"                  \
    "\"like a candle's\":\"......................................................................................................\"}"

static inline __attribute__((noreturn, format(printf, 1, 2))) void die(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, errno ? ": %s\n" : "\n", strerror(errno));
    exit(1);
}

// Die with the benchmark, wake up from sleep to the microsecond, and see errors of writes as errors.
static inline void begin(void) {
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
    signal(SIGPIPE, SIG_IGN);
    setlinebuf(stdout);
    fcntl(0, F_SETFL, O_NONBLOCK);
}

static inline int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static inline void sleep_until(int64_t when) {
    int64_t wait = when - now_ns();
    if (wait > 0) {
        struct timespec t = {wait / 1000000000, wait % 1000000000};
        nanosleep(&t, 0);
    }
}

// A whole command line, if one has come.  Ends the tool with its standard input.
static inline char *command(void) {
    static char line[256];
    static int length;
    for (;;) {
        if (length == sizeof line - 1) die("a command is too long");
        ssize_t got = read(0, line + length, 1);
        if (got == 0) exit(0);
        if (got < 0) return 0;
        if (line[length] == '\n') {
            line[length] = 0;
            length = 0;
            return line;
        }
        length++;
    }
}

static inline struct sockaddr_in loopback(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static inline void no_delay(int fd) {
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static inline int tcp_listen(int port) {
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    struct sockaddr_in address = loopback(port);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (void *)&address, sizeof address) || listen(fd, 4096)) die("listening on port %d", port);
    return fd;
}

static inline int tcp_connect(int port) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = loopback(port);
    if (fd < 0 || connect(fd, (void *)&address, sizeof address)) die("connecting to port %d", port);
    no_delay(fd);
    return fd;
}

static inline void write_all(int fd, const void *data, size_t length) {
    const char *at = data;
    while (length) {
        ssize_t put = write(fd, at, length);
        if (put < 0) die("writing");
        at += put;
        length -= put;
    }
}

// The server's half of the WebSocket handshake (RFC 6455, 4.2.2).

static inline uint32_t rotated(uint32_t value, int bits) { return value << bits | value >> (32 - bits); }

static inline void sha1(const uint8_t *data, size_t length, uint8_t digest[20]) {
    uint32_t h[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
    uint8_t padded[256] = {0};
    size_t size = ((length + 8) / 64 + 1) * 64;
    memcpy(padded, data, length);
    padded[length] = 0x80;
    for (int i = 0; i < 8; i++) padded[size - 1 - i] = (uint64_t)length * 8 >> (8 * i);
    for (size_t block = 0; block < size; block += 64) {
        uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
        for (int i = 0; i < 16; i++) {
            const uint8_t *at = padded + block + i * 4;
            w[i] = (uint32_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
        }
        for (int i = 16; i < 80; i++) w[i] = rotated(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
        for (int i = 0; i < 80; i++) {
            uint32_t f = i < 20 ? (b & c) | (~b & d) : i >= 40 && i < 60 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
            static const uint32_t k[4] = {0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xCA62C1D6};
            uint32_t next = rotated(a, 5) + f + e + k[i / 20] + w[i];
            e = d, d = c, c = rotated(b, 30), b = a, a = next;
        }
        h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
    }
    for (int i = 0; i < 20; i++) digest[i] = h[i / 4] >> (24 - 8 * (i % 4));
}

static inline void base64(const uint8_t *data, int length, char *out) {
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (int i = 0; i < length; i += 3) {
        uint32_t bits = data[i] << 16 | (i + 1 < length ? data[i + 1] << 8 : 0) | (i + 2 < length ? data[i + 2] : 0);
        *out++ = alphabet[bits >> 18 & 63];
        *out++ = alphabet[bits >> 12 & 63];
        *out++ = i + 1 < length ? alphabet[bits >> 6 & 63] : '=';
        *out++ = i + 2 < length ? alphabet[bits & 63] : '=';
    }
    *out = 0;
}

// Accept a WebSocket request; `fd` must block.  Returns 0 for one who leaves or asks for something else, and says what on
// standard error: on a busy machine somebody may look for another program on a port that was his a moment ago.
static inline int shake_hands(int fd) {
    static const char refusal[] = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    char request[8192], key[128], accept[40], response[256];
    uint8_t digest[20];
    int length = 0;
    do {
        ssize_t got = read(fd, request + length, sizeof request - 1 - length);
        if (got <= 0) {
            fprintf(stderr, "somebody hung up after %d bytes of a handshake\n", length);
            return 0;
        }
        length += got;
        request[length] = 0;
    } while (!strstr(request, "\r\n\r\n"));
    char *found = strcasestr(request, "sec-websocket-key:");
    if (!found || sscanf(found + 18, " %60[^ \r\n]", key) != 1) {
        fprintf(stderr, "a request is not a WebSocket handshake: %.500s", request);
        if (write(fd, refusal, sizeof refusal - 1) < 0) perror("refusing it");
        return 0;
    }
    strcat(key, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    sha1((uint8_t *)key, strlen(key), digest);
    base64(digest, 20, accept);
    length = snprintf(response, sizeof response,
                      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                      "Sec-WebSocket-Accept: %s\r\n\r\n",
                      accept);
    write_all(fd, response, length);
    return 1;
}

// A text frame's header as a server sends it; returns its length.
static inline int text_header(uint8_t *out, int length) {
    out[0] = 0x81;
    if (length < 126) {
        out[1] = length;
        return 2;
    }
    out[1] = 126;
    out[2] = length >> 8;
    out[3] = length;
    return 4;
}

// One frame at the beginning of `length` bytes.
struct frame {
    int opcode;
    uint8_t *data;
    int64_t length;
};

// Returns how many bytes the frame takes, 0 while it is not complete.  A masked one is unmasked in place.
static inline int64_t read_frame(uint8_t *bytes, int64_t available, struct frame *frame) {
    if (available < 2) return 0;
    int masked = bytes[1] >> 7, head = 2;
    int64_t length = bytes[1] & 127;
    if (length > 125) {
        int size = length == 126 ? 2 : 8;
        if (available < 2 + size) return 0;
        length = 0;
        for (int i = 0; i < size; i++) length = length << 8 | bytes[2 + i];
        head += size;
    }
    uint8_t *mask = bytes + head;
    head += masked * 4;
    if (available < head + length) return 0;
    *frame = (struct frame){bytes[0] & 15, bytes + head, length};
    for (int64_t i = 0; masked && i < length; i++) frame->data[i] ^= mask[i % 4];
    return head + length;
}
