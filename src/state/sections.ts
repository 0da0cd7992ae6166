/**
 * The frame of toxcore's savedata. c-toxcore `state.c`. Numbers are little-endian.
 *
 *   4  length of what follows the header
 *   2  type
 *   2  cookie
 */
import { ToxError } from "../util/tox_error.ts";

export const SECTION_HEADER_SIZE = 8;
/** toxcore writes ten; a file of nothing but headers would otherwise take many times its size in memory. */
const MAX_SECTIONS = 1024;

export interface Section {
  readonly type: number;
  /** A view when read. */
  readonly bytes: Uint8Array;
}

export function damaged(what: string): ToxError {
  return new ToxError("profile-damaged", `The profile is damaged (${what}): take an older copy of it.`);
}

/** All sections from `at` on, up to the one of type `end`, or the end of the bytes. Throws `profile-damaged`. */
export function readSections(bytes: Uint8Array, at: number, cookie: number, end?: number): Section[] {
  const sections: Section[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  while (at < bytes.length) {
    const bodyAt = at + SECTION_HEADER_SIZE;
    if (bodyAt > bytes.length) throw damaged("it ends within a section's header");
    const length = view.getUint32(at, true);
    const type = view.getUint16(at + 4, true);
    if (view.getUint16(at + 6, true) !== cookie) throw damaged(`no section begins at byte ${at}`);
    if (length > bytes.length - bodyAt) throw damaged(`section ${type} at byte ${at} is longer than the rest`);
    if (type === end) return sections;
    if (sections.length === MAX_SECTIONS) throw damaged("it has too many sections");
    at = bodyAt + length;
    sections.push({ type, bytes: bytes.subarray(bodyAt, at) });
  }
  return sections;
}

/** One to be written. */
export interface SectionDraft {
  readonly type: number;
  readonly size: number;
  /** Fills so many zeros. */
  write(into: Uint8Array): void;
}

export function draftOf({ type, bytes }: Section): SectionDraft {
  return { type, size: bytes.length, write: (into) => into.set(bytes) };
}

export function sizeOfSections(sections: readonly SectionDraft[]): number {
  return sections.reduce((sum, { size }) => sum + SECTION_HEADER_SIZE + size, 0);
}

/** Writes the sections one behind the other into zeros. */
export function writeSections(into: Uint8Array, at: number, cookie: number, sections: readonly SectionDraft[]): void {
  const view = new DataView(into.buffer, into.byteOffset, into.byteLength);
  for (const { type, size, write } of sections) {
    view.setUint32(at, size, true);
    view.setUint16(at + 4, type, true);
    view.setUint16(at + 6, cookie, true);
    at += SECTION_HEADER_SIZE;
    write(into.subarray(at, at + size));
    at += size;
  }
}
