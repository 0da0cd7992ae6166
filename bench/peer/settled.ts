import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { Bench } from "./bench.ts";
import type { NodeAddress } from "./processes/node_address.ts";
import { openAnswer, type Sender, sealRequest, senderTo } from "./processes/sealed_request.ts";

const PAUSE = 250;

/**
 * Waits until each node knows every other, as their answers say, at most `seconds`. Answers the share of such pairs. Who
 * asks answers nothing itself, so that no node takes it for one.
 */
export async function settled(bench: Bench, nodes: readonly NodeAddress[], seconds: number): Promise<number> {
  const socket = createSocket("udp4");
  socket.bind(0, nodes[0]?.host);
  await once(socket, "listening");
  const questions = nodes.flatMap((node) => {
    const sender = senderTo(Buffer.from(node.publicKey, "hex"));
    return nodes.filter((other) => other !== node).map((other) => new Question(sender, node, other));
  });
  socket.on("message", (bytes, { port }) => {
    for (const question of questions) if (question.node.port === port) question.hear(bytes);
  });
  try {
    for (let left = Math.ceil((seconds * 1000) / PAUSE); ; left--) {
      const open = questions.filter((question) => !question.isAnswered);
      if (open.length === 0 || left <= 0) return 1 - open.length / questions.length;
      for (const { packet, node } of open) socket.send(packet, node.port, node.host);
      await bench.pause(PAUSE);
    }
  } finally {
    socket.close();
  }
}

/** Whether `node` names `other` when asked for him. */
class Question {
  readonly node: NodeAddress;
  readonly packet: Uint8Array;
  isAnswered = false;
  readonly #sender: Sender;
  readonly #wanted: Buffer;

  constructor(sender: Sender, node: NodeAddress, other: NodeAddress) {
    this.node = node;
    this.#sender = sender;
    this.#wanted = Buffer.from(other.publicKey, "hex");
    this.packet = sealRequest(sender, this.#wanted, SENDBACK);
  }

  hear(bytes: Uint8Array): void {
    const named = openAnswer(bytes, this.#sender, SENDBACK) ?? [];
    if (named.some(({ publicKey }) => this.#wanted.equals(publicKey))) this.isAnswered = true;
  }
}

const SENDBACK = 1n;
