import type { Endpoint } from "../env/datagram.ts";

/** A connection to our relay, by a number that is never used again. */
export type RelayClientId = number;

/** What the relay asks of the onion: to serve clients without UDP as the first hop. `OnionRelay` has this shape. */
export interface RelayOnion {
  /** `packet`: nonce ‖ address of the second hop ‖ key ‖ box. A view. */
  requestFromClient(client: RelayClientId, from: Endpoint, packet: Uint8Array): undefined;
  /** A response that came back for a client. A view. */
  onClientResponse: ((client: RelayClientId, packet: Uint8Array) => void) | undefined;
}

/** What the relay asks of the DHT: to forward for clients without UDP. `Forwarder` has this shape. */
export interface RelayForwarding {
  forwardForClient(client: RelayClientId, to: Endpoint, data: Uint8Array): undefined;
  onClientReply: ((client: RelayClientId, data: Uint8Array) => void) | undefined;
}
