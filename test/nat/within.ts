/** What is promised, or an error that names it when it takes longer. */
export async function within<T>(timeoutMs: number, what: string, promised: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`${what} did not come in ${timeoutMs / 1000} s`)), timeoutMs);
  try {
    return await Promise.race([promised, promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Looks every 20 ms until something is so. */
export async function until(timeoutMs: number, what: string, isSo: () => boolean): Promise<void> {
  for (const start = performance.now(); !isSo(); ) {
    if (performance.now() - start > timeoutMs) throw new Error(`${what} was not so in ${timeoutMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
