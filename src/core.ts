/**
 * `toxcore-ts/core`: the library without a machine. `Tox.create` takes the outside world as its first argument; nothing
 * here touches sockets, clocks or files by itself, so it runs under a simulated universe and anywhere else.
 */

export { type BootstrapNode, parseBootstrapNode } from "./bootstrap_node.ts";
export type { CryptoProvider } from "./crypto/provider.ts";
export type { Cancel, Clock } from "./env/clock.ts";
export type {
  EncodedVp8Frame,
  OpusChannels,
  OpusCodec,
  OpusDecoder,
  OpusDecoderOptions,
  OpusEncoder,
  OpusEncoderOptions,
  OpusSampleRate,
  Picture,
  Vp8Codec,
  Vp8Decoder,
  Vp8EncodeOptions,
  Vp8Encoder,
  Vp8EncoderOptions,
} from "./env/codec.ts";
export type { BindOptions, DatagramHandler, DatagramPort, DatagramSocket, Endpoint, IpFamily } from "./env/datagram.ts";
export { MAX_DATAGRAM_SIZE } from "./env/datagram.ts";
export type { Edges } from "./env/edges.ts";
export type { FilePort, FileSink, FileSource } from "./env/file.ts";
export { type LogFields, type Logger, silentLogger } from "./env/logger.ts";
export { memoryStore } from "./env/memory_store.ts";
export { MemoryMetrics, type Metrics } from "./env/metrics.ts";
export type { MappedProtocol, PortMapper, PortMapperOptions, PortMapping, ReachedAt } from "./env/port_mapper.ts";
export type { Random } from "./env/random.ts";
export type { Resolver } from "./env/resolver.ts";
export type { PreviousVersion, Store } from "./env/store.ts";
export type { FriendAvatar } from "./files/avatars.ts";
export type { FileEvents } from "./files/files.ts";
export { BytesSink, bytesSource } from "./files/memory.ts";
export type { AcceptFileOptions, FileOffer } from "./files/offer.ts";
export { safeFileName } from "./files/safe_name.ts";
export type {
  AudioFrame,
  AudioTrack,
  AudioTrackEvents,
  CallEnd,
  CallEvents,
  CallOptions,
  CallState,
  CallStats,
  CallTrack,
  LostAudioFrame,
  ReceivedAudioFrame,
  ReceivedVideoFrame,
  VideoFrame,
  VideoTrack,
  VideoTrackEvents,
} from "./friend/call.ts";
export type { ConnectionState, FriendEvents, IncomingFriendRequest } from "./friend/events.ts";
export type {
  FileFailure,
  FileKind,
  FileOutcome,
  FileState,
  FileTransferEvents,
  SendFileOptions,
} from "./friend/file_transfer.ts";
export type { Call, FileTransfer, Friend, SendOptions } from "./friend/friend.ts";
export type { QueuedMessage } from "./friend/friends.ts";
export type { Message, MessageOutcome, MessageState } from "./friend/message.ts";
export { type PublicNode, type PublicNodes, publicNodes } from "./public_nodes.ts";
export { Tox, type ToxEvents } from "./tox.ts";
export type { ToxEnv } from "./tox_env.ts";
export { ToxNode, type ToxNodeOptions, type ToxNodeStats } from "./tox_node.ts";
export type { ToxOptions } from "./tox_options.ts";
export type { Unsubscribe } from "./util/emitter.ts";
export { ToxError, type ToxErrorCode } from "./util/tox_error.ts";
export {
  BOOTSTRAP_INFO_REQUEST_SIZE,
  type BootstrapInfoResponse,
  decodeBootstrapInfoResponse,
  encodeBootstrapInfoRequest,
} from "./wire/dht/bootstrap_info.ts";
export type { UserStatus } from "./wire/friend/presence.ts";
export { formatToxUri, parseToxUri, type ToxUri } from "./wire/friend/tox_uri.ts";
