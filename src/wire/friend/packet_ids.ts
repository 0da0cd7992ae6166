/** First byte of every packet inside a friend's session. c-toxcore `net_crypto.h`, `friend_connection.h`; 150 is ours. */
export const FriendPacketId = {
  Alive: 16,
  ShareRelays: 17,
  FriendRequest: 18,
  Online: 24,
  Offline: 25,
  Nickname: 48,
  StatusMessage: 49,
  UserStatus: 50,
  Typing: 51,
  Message: 64,
  Action: 65,
  Msi: 69,
  FileSendRequest: 80,
  FileControl: 81,
  FileData: 82,
  InviteGroup: 95,
  InviteConference: 96,
  ConferenceOnline: 97,
  ConferenceDirect: 98,
  ConferenceMessage: 99,
  ConferenceRejoin: 100,
  /** Everything between our own peers, by subtype: docs/extensions.md. toxcore drops it. */
  Extension: 150,
} as const;

/** The longest packet inside a session, its id included. toxcore's MAX_CRYPTO_DATA_SIZE. */
export const MAX_FRIEND_PACKET_SIZE = 1373;

/** The packets whose id alone says everything. */
export function bareFriendPacket(id: number): Uint8Array {
  return Uint8Array.of(id);
}

/** How an app's own packet with this id travels, or undefined when apps may not send it. 192–199 belong to calls. */
export function customPacketKind(id: number): "lossless" | "lossy" | undefined {
  if (id >= 160 && id <= 191) return "lossless";
  if (id >= 200 && id <= 254) return "lossy";
  return undefined;
}
