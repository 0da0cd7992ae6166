/**
 * What a proxy of the tests does with who asks: `relay` connects them to 127.0.0.1, whatever name they asked for; `dial` to
 * what they asked for.
 */
export type ProxyMode = "relay" | "dial" | "hang" | "refuse" | "nonsense";

export interface TestProxy {
  readonly port: number;
  /** What was asked for, as `host:port`, in order. */
  readonly targets: string[];
  close(): void;
}

export interface TestProxyOptions {
  readonly mode?: ProxyMode;
  readonly login?: { readonly user: string; readonly password: string };
  /** Where to listen; 127.0.0.1 when left out. */
  readonly listen?: { readonly host: string; readonly port: number };
  /** The addresses of names that are asked for in the mode `dial`: no DNS is asked. */
  readonly names?: Readonly<Record<string, string>>;
}

/** Where a proxy in the modes `relay` and `dial` connects to; undefined for a name that it does not know. */
export function dialed(host: string, { mode = "relay", names = {} }: TestProxyOptions): string | undefined {
  if (mode === "relay") return "127.0.0.1";
  return /^[\d.]+$|:/.test(host) ? host : names[host];
}
