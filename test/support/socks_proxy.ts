import { connect, createServer, type Socket } from "node:net";
import { dialed, type TestProxy, type TestProxyOptions } from "./proxy_modes.ts";

/** A SOCKS5 proxy (RFC 1928, 1929), on 127.0.0.1 unless told otherwise. */
export async function socksProxy(options: TestProxyOptions = {}): Promise<TestProxy> {
  const { mode = "relay", login, listen = { host: "127.0.0.1", port: 0 } } = options;
  const targets: string[] = [];
  const sockets = new Set<Socket>();
  const track = (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy()).on("close", () => sockets.delete(socket));
  };

  const serve = async (socket: Socket) => {
    const read = reader(socket);
    const [, count = 0] = await read(2);
    await read(count);
    if (mode === "hang") return;
    if (mode === "nonsense") {
      socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
      return;
    }
    socket.write(Uint8Array.of(5, login === undefined ? 0 : 2));
    if (login !== undefined) {
      const text = async () => (await read((await read(1))[0] ?? 0)).toString();
      await read(1);
      const right = (await text()) === login.user && (await text()) === login.password;
      socket.write(Uint8Array.of(1, right ? 0 : 1));
      if (!right) return;
    }
    const [, , , type] = await read(4);
    const host =
      type === 3 ? (await read((await read(1))[0] ?? 0)).toString() : addressOf(await read(type === 1 ? 4 : 16));
    const port = (await read(2)).readUInt16BE();
    targets.push(`${host}:${port}`);
    if (mode === "refuse") {
      socket.end(Uint8Array.of(5, 2, 0, 1, 0, 0, 0, 0, 0, 0));
      return;
    }
    const onwardHost = dialed(host, options);
    if (onwardHost === undefined) {
      socket.end(Uint8Array.of(5, 4, 0, 1, 0, 0, 0, 0, 0, 0));
      return;
    }
    const onward = connect(port, onwardHost, () => {
      socket.write(Uint8Array.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0));
      socket.pipe(onward).pipe(socket);
    });
    track(onward);
    onward.on("close", () => socket.destroy());
    socket.on("close", () => onward.destroy());
  };

  const server = createServer((socket) => {
    track(socket);
    serve(socket).catch(() => socket.destroy());
  }).listen(listen.port, listen.host);
  await new Promise((resolve) => server.once("listening", resolve));
  const close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { port: (server.address() as { port: number }).port, targets, close };
}

function addressOf(bytes: Buffer): string {
  return bytes.length === 4 ? bytes.join(".") : (bytes.toString("hex").match(/.{4}/g) ?? []).join(":");
}

function reader(socket: Socket): (length: number) => Promise<Buffer> {
  return async (length) => {
    if (length === 0) return Buffer.alloc(0);
    for (;;) {
      const bytes: Buffer | null = socket.read(length);
      if (bytes !== null) return bytes;
      await new Promise((resolve) => socket.once("readable", resolve));
    }
  };
}
