// sendloop PORT CLIENTS BYTES    the bound to compare with: accept CLIENTS WebSocket clients, then send() to each of them
//
// run RATE COUNT BURST    sends COUNT messages of BYTES bytes to every client, RATE a second, BURST in one send()
#include "load.h"

int main(int argc, char **argv) {
    if (argc != 4) die("usage: sendloop PORT CLIENTS BYTES");
    begin();
    int count = atoi(argv[2]), size = atoi(argv[3]), listener = tcp_listen(atoi(argv[1]));
    int *fds = calloc(count, sizeof *fds);
    printf("{\"ready\": true}\n");
    for (int i = 0; i < count;) {
        fds[i] = accept(listener, 0, 0);
        if (fds[i] < 0) die("accepting");
        no_delay(fds[i]);
        if (shake_hands(fds[i])) i++;
        else close(fds[i]);
    }
    uint8_t header[4];
    int head = text_header(header, size), frame_bytes = head + size;
    printf("{\"accepted\": %d}\n", count);
    for (;;) {
        struct pollfd ready = {0, POLLIN, 0};
        poll(&ready, 1, -1);
        char *line = command();
        double rate;
        long messages;
        int burst;
        if (!line) continue;
        if (sscanf(line, "run %lf %ld %d", &rate, &messages, &burst) != 3) die("unknown command: %s", line);
        uint8_t *data = malloc((size_t)frame_bytes * burst);
        for (int i = 0; i < burst; i++) {
            memcpy(data + i * frame_bytes, header, head);
            memset(data + i * frame_bytes + head, 'x', size);
        }
        int64_t start = now_ns(), next = start;
        for (long sent = 0; sent < messages; sent += burst, next += 1e9 * burst / rate) {
            sleep_until(next);
            for (int i = 0; i < count; i++) write_all(fds[i], data, (size_t)frame_bytes * burst);
        }
        free(data);
        printf("{\"sent\": %ld, \"late\": 0, \"seconds\": %.3f, \"frame_bytes\": %d}\n", messages,
               (now_ns() - start) / 1e9, frame_bytes);
    }
}
