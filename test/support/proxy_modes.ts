/** What a proxy of the tests does with who asks: `relay` connects them to 127.0.0.1, whatever name they asked for. */
export type ProxyMode = "relay" | "hang" | "refuse" | "nonsense";

export interface TestProxy {
  readonly port: number;
  /** What was asked for, as `host:port`, in order. */
  readonly targets: string[];
  close(): void;
}

export interface TestProxyOptions {
  readonly mode?: ProxyMode;
  readonly login?: { readonly user: string; readonly password: string };
}
