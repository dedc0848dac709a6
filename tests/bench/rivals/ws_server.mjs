// Node's ws: one send a client and message.  PORT CLIENTS BYTES
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const { WebSocketServer } = createRequire(`${process.cwd()}/`)("ws");
const [port, count, size] = process.argv.slice(2).map(Number);
const text = Buffer.from("x".repeat(size));
const server = new WebSocketServer({ port, host: "127.0.0.1", perMessageDeflate: false, backlog: 4096 });
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

server.on("listening", () => say({ ready: true }));
server.on("connection", () => {
  if (server.clients.size === count) say({ accepted: count });
});

async function run(rate, messages, burst) {
  const start = performance.now();
  for (let sent = 0; sent < messages; sent++) {
    if (sent % burst === 0) {
      const wait = start + (sent * 1000) / rate - performance.now();
      await new Promise((done) => (wait > 1 ? setTimeout(done, wait) : setImmediate(done)));
    }
    for (const client of server.clients) client.send(text, { binary: false });
  }
  say({ sent: messages, seconds: (performance.now() - start) / 1000, frame_bytes: size + 4 });
}

const lines = createInterface({ input: process.stdin });
for await (const line of lines) await run(...line.split(" ").slice(1).map(Number));
process.exit(0);
