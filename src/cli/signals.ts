/** Aborted when the person or the system asks the program to end (^C, SIGTERM); asked twice, it ends at once. */
export function endSignal(): AbortSignal {
  const controller = new AbortController();
  const end = () => controller.abort();
  process.once("SIGINT", end);
  process.once("SIGTERM", end);
  return controller.signal;
}
