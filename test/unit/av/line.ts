import { FriendCall } from "../../../src/av/call.ts";
import type { Friend } from "../../../src/core.ts";
import { silentLogger } from "../../../src/env/logger.ts";
import { Timeline } from "../../../src/testing/timeline.ts";
import { VirtualClock } from "../../../src/testing/virtual_clock.ts";
import type { MsiMessage } from "../../../src/wire/av/msi.ts";
import type { DropReason } from "../../../src/wire/drop.ts";

/** A call with somebody who says whatever a test makes him say. */
export class Line {
  readonly timeline = new Timeline();
  readonly clock = new VirtualClock(this.timeline, 1_700_000_000);
  readonly signals: MsiMessage[] = [];
  readonly sent: Uint8Array[] = [];
  readonly drops: DropReason[] = [];
  over = false;
  readonly call: FriendCall;

  constructor(capabilities: number | undefined, { ours = true } = {}) {
    const pipe = {
      ...{ online: true, capabilities: ours ? 0xff : 0, roundTripMs: 50 },
      send: (packet: Uint8Array) => this.sent.push(packet) > 0,
      sendLossy: (packet: Uint8Array) => this.sent.push(packet) > 0,
      setBulkSource: () => {},
      bulkReady: () => {},
    };
    this.call = new FriendCall(
      {
        ...{ clock: this.clock, logger: silentLogger, pipe, ssrc: 1 },
        drop: (reason) => {
          this.drops.push(reason);
          return undefined;
        },
        signal: (message) => void this.signals.push(message),
        over: () => {
          this.over = true;
        },
      },
      { publicKey: "F".repeat(64) } as Friend,
      { audio: true, video: true },
      capabilities,
    );
  }

  pass(ms: number): void {
    const end = this.timeline.now + ms;
    while (this.timeline.step(end));
    this.timeline.advance(end);
  }
}
