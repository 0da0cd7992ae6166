/** Ends a timer. Calling it twice, or after the timer has fired, does nothing. */
export type Cancel = () => void;

/**
 * Time, as the core sees it. One clock belongs to one instance, so closing the instance can end every timer it set.
 */
export interface Clock {
  /** Milliseconds since some fixed moment; never goes back, may have fractions. */
  monotonic(): number;
  /** Seconds since 1970-01-01 UTC, whole. May jump when the machine's clock is set. */
  wall(): number;
  /** Calls `fn` once, as soon as `monotonic()` has reached `time`; never within this call, even for a time already past. */
  at(time: number, fn: () => void): Cancel;
}
