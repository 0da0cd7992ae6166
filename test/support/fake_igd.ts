import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

export interface Action {
  readonly name: string;
  readonly values: Readonly<Record<string, string>>;
}

export interface FakeIgdOptions {
  readonly address?: string;
  readonly outer?: string;
  /** The description instead of the usual one; `port` is the server's. */
  readonly description?: (port: number) => string;
  /** UPnP error codes to answer an action with. */
  readonly refuse?: (action: Action) => number | undefined;
  readonly onAction?: (action: Action) => void;
  /** Answers in place of the server when it says true. */
  readonly instead?: (request: IncomingMessage, response: ServerResponse) => boolean;
}

const SERVICE = "urn:schemas-upnp-org:service:WANIPConnection:1";

export const usualDescription = (control = "/control", service = SERVICE): string => `<?xml version="1.0"?>
<root xmlns="urn:schemas-upnp-org:device-1-0"><device>
  <deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType><friendlyName>A &amp; B</friendlyName>
  <serviceList><service><serviceType>urn:schemas-upnp-org:service:Layer3Forwarding:1</serviceType>
    <controlURL>/other</controlURL></service></serviceList>
  <deviceList><device><deviceList><device><serviceList><service>
    <serviceType>${service}</serviceType><controlURL>${control}</controlURL>
  </service></serviceList></device></deviceList></device></deviceList>
</device></root>`;

/** A UPnP gateway over HTTP, without SSDP: `announce` adds that. */
export async function fakeIgd(options: FakeIgdOptions = {}) {
  const { address = "127.0.0.1", outer = "5.6.7.8", description = () => usualDescription() } = options;
  const actions: Action[] = [];
  const server = createServer((request, response) => {
    request.on("error", () => {});
    response.on("error", () => {});
    if (options.instead?.(request, response)) return;
    if (request.method === "GET") {
      response.end(description(port));
      return;
    }
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      const name = /<u:(\w+)/.exec(body)?.[1] ?? "";
      const values = Object.fromEntries(
        [...body.matchAll(/<(New\w+)>([^<]*)</g)].map(([, key, value]) => [key, value]),
      );
      const action = { name, values };
      actions.push(action);
      options.onAction?.(action);
      const code = options.refuse?.(action);
      if (code !== undefined) response.statusCode = 500;
      const said = name === "GetExternalIPAddress" ? `<NewExternalIPAddress>${outer}</NewExternalIPAddress>` : "";
      response.end(
        code === undefined
          ? `<s:Envelope><s:Body><u:${name}Response>${said}</u:${name}Response></s:Body></s:Envelope>`
          : `<s:Envelope><s:Body><s:Fault><detail><UPnPError><errorCode>${code}</errorCode></UPnPError></detail></s:Fault></s:Body></s:Envelope>`,
      );
    });
  });
  server.listen(0, address);
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  return {
    location: new URL(`http://${address}:${port}/description.xml`),
    actions,
    of: (name: string) => actions.filter((action) => action.name === name).map(({ values }) => values),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Answers searches with a location. It takes part in multicast: in a namespace of a test only. */
export async function announce(address: string, locations: readonly string[]) {
  const socket = createSocket({ type: "udp4", reuseAddr: true });
  socket.on("message", (request, from) => {
    const target = /^ST: (.*)\r$/m.exec(request.toString())?.[1];
    if (!target?.endsWith(":InternetGatewayDevice:1")) return;
    for (const location of locations) {
      socket.send(
        `HTTP/1.1 200 OK\r\nST: ${target}\r\nUSN: uuid:1::${target}\r\nLocation: ${location}\r\n\r\n`,
        from.port,
        from.address,
      );
    }
  });
  socket.bind(1900);
  await once(socket, "listening");
  socket.addMembership("239.255.255.250", address);
  return { close: () => void socket.close() };
}
