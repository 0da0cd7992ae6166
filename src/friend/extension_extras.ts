/** What else travels as our extension, beside messages. */
export interface ExtensionExtras {
  /** Bits that we have. */
  readonly capabilities: number;
  /** Bits that the peer has. */
  peerHas(capabilities: number): void;
  /** False when the packet is nothing that is known. */
  handle(packet: Uint8Array): boolean;
}
