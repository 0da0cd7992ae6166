import { createServer } from "node:http";
import { connect, type Socket } from "node:net";
import { dialed, type TestProxy, type TestProxyOptions } from "./proxy_modes.ts";

/** An HTTP proxy that knows CONNECT alone, on 127.0.0.1 unless told otherwise. */
export async function httpProxy(options: TestProxyOptions = {}): Promise<TestProxy> {
  const { mode = "relay", login, listen = { host: "127.0.0.1", port: 0 } } = options;
  const targets: string[] = [];
  const sockets = new Set<Socket>();
  const track = (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy()).on("close", () => sockets.delete(socket));
  };
  const server = createServer({ insecureHTTPParser: true }); // toxcore ends a line with \n alone
  server.on("connection", track);
  server.on("connect", (asked, client) => {
    if (mode === "hang") return;
    if (mode === "nonsense") {
      client.end("\x05\xff what?\r\n\r\n");
      return;
    }
    const right = login && `Basic ${Buffer.from(`${login.user}:${login.password}`).toString("base64")}`;
    if (right !== undefined && asked.headers["proxy-authorization"] !== right) {
      client.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
      return;
    }
    const target = asked.url ?? "";
    targets.push(target);
    if (mode === "refuse") {
      client.end("HTTP/1.1 403 Forbidden\r\n\r\n");
      return;
    }
    const [, host = "", port] = /^\[?([^\]]*)\]?:(\d+)$/.exec(target) ?? [];
    const onwardHost = dialed(host, options);
    if (onwardHost === undefined) {
      client.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
      return;
    }
    const onward = connect(Number(port), onwardHost, () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      client.pipe(onward).pipe(client);
    });
    track(onward);
    onward.on("close", () => client.destroy());
    client.on("close", () => onward.destroy());
  });
  server.listen(listen.port, listen.host);
  await new Promise((resolve) => server.once("listening", resolve));
  const close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { port: (server.address() as { port: number }).port, targets, close };
}
