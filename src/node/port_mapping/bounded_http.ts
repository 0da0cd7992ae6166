import { request } from "node:http";
import { GatewayError } from "./gateway.ts";

/** A router's longest answer, in bytes: descriptions are some 5 KiB. */
export const MAX_ANSWER_SIZE = 65_536;
/** For one request and all of its answer, in ms. */
const PATIENCE_MS = 5_000;

export interface HttpQuestion {
  readonly url: URL;
  /** POST with this XML, and GET without. */
  readonly body?: string;
  readonly soapAction?: string;
  readonly localAddress?: string | undefined;
  readonly signal: AbortSignal;
}

/** One request on a connection of its own. Redirections are not followed. Rejects with what the log is to say. */
export function ask({ url, body, soapAction, localAddress, signal }: HttpQuestion): Promise<{
  readonly status: number;
  readonly text: string;
}> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      {
        method: body === undefined ? "GET" : "POST",
        agent: false,
        family: 4,
        localAddress,
        signal,
        headers: {
          connection: "close",
          ...(body !== undefined && { "content-type": 'text/xml; charset="utf-8"' }),
          ...(body !== undefined && { "content-length": Buffer.byteLength(body) }),
          ...(soapAction !== undefined && { soapaction: `"${soapAction}"` }),
        },
      },
      (incoming) => {
        const chunks: Buffer[] = []; // bounded by MAX_ANSWER_SIZE
        let size = 0;
        incoming.on("data", (chunk: Buffer) => {
          size += chunk.length;
          if (size > MAX_ANSWER_SIZE) outgoing.destroy(new GatewayError("the router's answer does not end"));
          else chunks.push(chunk);
        });
        incoming.on("end", () => resolve({ status: incoming.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
        incoming.on("error", reject);
      },
    );
    const timer = setTimeout(() => outgoing.destroy(new GatewayError("the router is too slow")), PATIENCE_MS);
    outgoing.on("error", reject);
    outgoing.on("close", () => {
      clearTimeout(timer);
      reject(new GatewayError("the router hung up, or answered with something else")); // unless all is here
    });
    outgoing.end(body);
  });
}
