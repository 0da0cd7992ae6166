/** The files with one friend, who says whatever a program tells him, while our app accepts, sends, pauses and gives up. */

import { bytesSource } from "../../src/files/memory.ts";
import type { FileOutcome } from "../../src/friend/file_transfer.ts";
import type { FileTransfer } from "../../src/friend/friend.ts";
import { utf8 } from "../../src/util/text.ts";
import { Capability } from "../../src/wire/friend/extension.ts";
import { encodeFileControl } from "../../src/wire/friend/file_control.ts";
import { encodeFileData } from "../../src/wire/friend/file_data.ts";
import { encodeFileHash } from "../../src/wire/friend/file_hash.ts";
import { encodeFileRequest } from "../../src/wire/friend/file_request.ts";
import { fileBytes, TestSink } from "../../test/support/files.ts";
import { OneFriend, settle } from "../../test/unit/files/world.ts";
import { expectThat } from "../support/broken.ts";
import { Program, program, repeated, step } from "../support/program.ts";

const SIZES = [0n, 1n, 1371n, 2742n, 5000n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n];
const LENGTHS = [0, 1, 5, 1370, 1371];
const CONTROLS = ["accept", "pause", "kill", "seek"] as const;
const CONTENT = fileBytes(20_000);

export async function fuzz(data: Uint8Array): Promise<void> {
  const lab = new Lab();
  const code = new Program(data);
  for (let next = code.step(ACTIONS.length); next !== undefined; next = code.step(ACTIONS.length)) {
    await ACTIONS[next]?.(lab, code);
    lab.check();
  }
  lab.one.files.endAll({ state: "closed" });
  await settle();
  lab.checkEnd();
}

class Lab {
  readonly one = new OneFriend();

  constructor() {
    this.one.capabilities = Capability.FileHash;
    this.one.down();
    this.one.up();
  }

  readonly sinks: { readonly sink: TestSink; readonly size: number | undefined }[] = [];
  readonly transfers: FileTransfer[] = [];
  readonly ended = new Map<FileTransfer, FileOutcome>();

  watch(transfer: FileTransfer): void {
    if (this.transfers.includes(transfer)) return;
    this.transfers.push(transfer);
    void transfer.done.then((outcome) => {
      expectThat(!this.ended.has(transfer), "a transfer ends twice");
      this.ended.set(transfer, outcome);
    });
  }

  check(): void {
    const { files, offers } = this.one;
    expectThat([...files.incoming].length <= 256 && [...files.outgoing].length <= 256, "more than 256 transfers");
    for (const offer of offers) this.watch(offer);
    for (const { sink, size } of this.sinks) {
      expectThat(size === undefined || sink.bytes.length <= size, "more was written than was promised");
    }
    for (const [, outcome] of this.ended) {
      const isOurs = outcome.state === "failed" && outcome.reason === "write-failed";
      expectThat(!isOurs, () => `the sink was misused: ${JSON.stringify(outcome)}`);
    }
  }

  checkEnd(): void {
    this.check();
    expectThat(this.transfers.length === this.ended.size, "a transfer has no end");
    expectThat(!this.one.asks, "a session is asked for data of what is over");
    for (const { sink } of this.sinks) expectThat(sink.ended !== undefined, "a sink is left open");
  }
}

type Action = (lab: Lab, code: Program) => void | Promise<void>;

const ACTIONS: readonly Action[] = [
  () => settle(),
  ({ one }, code) => {
    const fileId = new Uint8Array(32).fill(code.byte() & 3);
    const request = {
      slot: code.byte() & 7,
      kind: code.byte() & 3,
      size: code.pick(SIZES),
      fileId,
      name: utf8("../x"),
    };
    one.files.handleRequest(code.damaged(encodeFileRequest(request)));
  },
  ({ one }, code) => {
    const control = code.pick(CONTROLS);
    const position = control === "seek" ? code.pick(SIZES) : 0n;
    const packet = { byReceiver: code.flag(), slot: code.byte() & 7, control, position };
    one.files.handleControl(code.damaged(encodeFileControl(packet)));
  },
  ({ one }, code) => {
    const slot = code.byte() & 7;
    const piece = encodeFileData({ slot, data: CONTENT.subarray(0, code.pick(LENGTHS)) });
    one.files.handleData(code.damaged(piece));
  },
  (lab, code) => {
    const offer = code.recent(lab.one.offers);
    if (offer === undefined || offer.accepted || offer.isOver) return;
    const sink = new TestSink();
    lab.sinks.push({ sink, size: offer.size });
    offer.accept(sink, 0);
  },
  (lab, code) => {
    const { one } = lab;
    const id = code.byte() & 3;
    const size = Number(code.pick(SIZES.slice(0, 5)));
    const known = code.flag();
    const source = { ...bytesSource(CONTENT.subarray(0, size), "x"), size: known ? size : undefined };
    const facts = { friend: one.friend, fileId: new Uint8Array(32).fill(id), kind: 0, name: "x", size: source.size };
    const canSeek = code.flag();
    if (!one.files.hasOutgoing("0".concat(String(id)).repeat(32))) {
      lab.watch(one.files.send({ ...source, canSeek }, facts));
    }
  },
  ({ one }, code) => {
    for (let count = code.byte() & 15; count > 0; count--) one.pull();
  },
  ({ transfers }, code) => code.recent(transfers)?.pause(),
  ({ transfers }, code) => code.recent(transfers)?.resume(),
  ({ transfers }, code) => code.recent(transfers)?.cancel(),
  ({ one }) => {
    one.down();
    one.up();
  },
  ({ one }, code) => {
    one.takes = code.flag();
    if (one.takes) one.files.writable();
  },
  ({ one }, code) => {
    const packet = encodeFileHash({ fileId: new Uint8Array(32).fill(code.byte() & 3), hash: code.bytes(32) });
    one.files.handleHash(code.damaged(packet));
  },
  ({ one }, code) => one.pass(1000 * code.byte()),
];

const Do = {
  Settle: 0,
  Request: 1,
  Control: 2,
  Data: 3,
  Accept: 4,
  Send: 5,
  Pull: 6,
  Pause: 7,
  Cancel: 9,
  Lose: 10,
} as const;
const Control = { Accept: 0, Pause: 1, Kill: 2, Seek: 3 } as const;

export function* corpus(): Iterable<Uint8Array> {
  const settled = step(Do.Settle);
  const offer = (slot: number, size: number, id = 1) => step(Do.Request, id, slot, 0, size, 0);
  const control = (kind: number, byReceiver: number, slot: number, position = 0) =>
    kind === Control.Seek
      ? step(Do.Control, kind, position, byReceiver, slot, 0)
      : step(Do.Control, kind, byReceiver, slot, 0);
  const data = (slot: number, length: number) => step(Do.Data, slot, length, 0);
  yield program(
    ...[offer(2, 4), step(Do.Accept, 0), data(2, 4), data(2, 4), settled, step(Do.Lose), offer(5, 4), data(5, 4)],
    ...[data(5, 4), settled, step(Do.Lose), offer(6, 4), data(6, 1), settled],
  );
  yield program(
    ...[step(Do.Send, 1, 4, 1, 1), control(Control.Seek, 1, 0, 1), control(Control.Accept, 1, 0), settled],
    ...[step(Do.Pull, 2), control(Control.Pause, 1, 0), step(Do.Pull, 2), control(Control.Accept, 1, 0)],
    ...[step(Do.Pull, 9), step(Do.Lose), control(Control.Accept, 1, 1), settled, step(Do.Pull, 9)],
  );
  yield program(
    repeated(8, (slot) => offer(slot, slot, slot)),
    step(Do.Accept, 1),
    control(Control.Kill, 0, 3),
    step(Do.Pause, 0),
    step(Do.Cancel, 1),
    step(Do.Lose),
    repeated(8, (slot) => offer(slot, slot, slot)),
  );
}
