import { Tox } from "../index.ts";

/** A whole Tox network in this process: real UDP, on loopback only. */
export interface DemoNetwork {
  /** For `Tox.create`: where to listen, and the node to start from. */
  readonly options: {
    readonly bindIpv4: string;
    readonly ipv6: false;
    readonly port: 0;
    readonly bootstrap: [NodeOfDemo];
  };
  /** The Tox ID of the friend who repeats what he is told. */
  readonly echoId: string;
  close(): Promise<void>;
}

interface NodeOfDemo {
  readonly host: string;
  readonly port: number;
  readonly publicKey: string;
}

const LOOPBACK = "127.0.0.1";

/** Starts a bootstrap node and a friend named `echo`, who accepts every request and repeats every message. */
export async function startDemoNetwork(): Promise<DemoNetwork> {
  const quiet = { bindIpv4: LOOPBACK, ipv6: false, port: 0 } as const;
  const node = await Tox.create(quiet);
  const bootstrap: [NodeOfDemo] = [{ host: LOOPBACK, port: node.udpPort, publicKey: node.dhtPublicKey }];
  const options = { ...quiet, bootstrap };
  const echo = await Tox.create({ ...options, name: "echo", statusMessage: "I repeat what you say" });
  echo.on("friendRequest", (request) => {
    request.accept();
  });
  echo.on("message", ({ friend, text, action }) => {
    friend.send(text, { action });
  });
  return {
    options,
    echoId: echo.id,
    close: async () => {
      await Promise.all([echo.close(), node.close()]);
    },
  };
}
