/**
 * How a bench gives orders to its child processes: each has a set of functions of one argument that answer something, and
 * calls travel over the process channel.
 */
export type Orders = Record<string, (argument: never) => unknown>;

export interface Call {
  readonly id: number;
  readonly order: string;
  readonly argument: unknown;
}

export type Answer =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: string };

/**
 * In the child: carries out what it is told. It ends after the order `close`, and closes by itself when the bench is gone;
 * an interrupt from the keyboard reaches it too, but the bench is who says what to do then.
 */
export function serve(orders: Orders): void {
  let closing: Promise<unknown> | undefined;
  const close = () => {
    closing ??= Promise.resolve(carryOut(orders, "close", undefined));
    return closing;
  };
  process.on("message", async ({ id, order, argument }: Call) => {
    try {
      tell({ id, result: await (order === "close" ? close() : carryOut(orders, order, argument)) });
    } catch (error) {
      tell({ id, error: String(error) });
    }
    if (order === "close") process.disconnect();
  });
  process.on("disconnect", () => close().finally(() => process.exit()));
  process.on("SIGINT", () => {});
}

function carryOut(orders: Orders, order: string, argument: unknown): unknown {
  if (!Object.hasOwn(orders, order)) throw new Error(`no such order: ${order}`);
  return (orders[order] as (argument: unknown) => unknown)(argument);
}

function tell(answer: Answer): void {
  process.send?.(answer, () => {}); // the bench may be gone: then nobody wants to know
}

/** The machine's clock in ms, the same in all processes. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
