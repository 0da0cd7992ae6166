import type { RTCPeerConnection } from "werift";

/** Never rejects. */
export async function closePeer(peer: RTCPeerConnection): Promise<void> {
  try {
    await peer.close();
  } catch {
    // it was closed already, or never began
  }
}
