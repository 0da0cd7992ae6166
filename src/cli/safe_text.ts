/**
 * Text that a stranger wrote, made fit for a terminal: control characters (and so escape sequences), and the marks that
 * reorder a line, are shown as U+FFFD; line ends become " / ".
 */
export function safeText(text: string): string {
  return text.replace(/\r\n|[\r\n\u2028\u2029]/g, " / ").replace(UNSAFE, "\ufffd");
}

const UNSAFE = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
