import koffi from "koffi";

/**
 * The functions of `tox.h` that the harness calls, bound to the real library.
 *
 * A pointer is a bigint in koffi 3. Functions that can fail take their error out-parameter as a one-element array.
 */
export type Pointer = bigint;
export type ErrorOut = [number];

type Bytes = Uint8Array | null;
type Status<A extends unknown[], R = boolean> = (tox: Pointer, ...args: [...A, error: ErrorOut]) => R;
type SetCallback = (tox: Pointer, callback: Pointer) => void;

export interface Library {
  versionMajor(): number;
  versionMinor(): number;
  versionPatch(): number;

  optionsNew(error: ErrorOut): Pointer | null;
  optionsFree(options: Pointer): void;
  optionsSetIpv6Enabled(options: Pointer, on: boolean): void;
  optionsSetUdpEnabled(options: Pointer, on: boolean): void;
  optionsSetLocalDiscoveryEnabled(options: Pointer, on: boolean): void;
  optionsSetHolePunchingEnabled(options: Pointer, on: boolean): void;
  optionsSetProxyType(options: Pointer, type: number): void;
  optionsSetProxyHost(options: Pointer, host: Pointer): void;
  optionsSetProxyPort(options: Pointer, port: number): void;
  optionsSetStartPort(options: Pointer, port: number): void;
  optionsSetEndPort(options: Pointer, port: number): void;
  optionsSetSavedataType(options: Pointer, type: number): void;
  optionsSetSavedataData(options: Pointer, data: Pointer, length: number): void;
  optionsSetLogCallback(options: Pointer, callback: Pointer): void;

  create(options: Pointer, error: ErrorOut): Pointer | null;
  kill(tox: Pointer): void;
  iterate(tox: Pointer, userData: null): void;
  iterationInterval(tox: Pointer): number;
  getSavedataSize(tox: Pointer): number;
  getSavedata(tox: Pointer, out: Uint8Array): void;
  conferenceNew: Status<[], number>;
  conferenceSetTitle: Status<[conference: number, bytes: Bytes, length: number]>;
  conferenceGetChatlistSize(tox: Pointer): number;

  bootstrap: Status<[host: string, port: number, publicKey: Bytes]>;
  addTcpRelay: Status<[host: string, port: number, publicKey: Bytes]>;
  selfGetConnectionStatus(tox: Pointer): number;
  selfGetAddress(tox: Pointer, out: Uint8Array): void;
  selfGetPublicKey(tox: Pointer, out: Uint8Array): void;
  selfGetDhtId(tox: Pointer, out: Uint8Array): void;
  selfGetUdpPort: Status<[], number>;
  selfSetNospam(tox: Pointer, nospam: number): void;
  selfSetName: Status<[bytes: Bytes, length: number]>;
  selfSetStatusMessage: Status<[bytes: Bytes, length: number]>;
  selfSetStatus(tox: Pointer, status: number): void;
  selfSetTyping: Status<[friend: number, on: boolean]>;
  selfGetFriendListSize(tox: Pointer): number;
  selfGetFriendList(tox: Pointer, out: Uint32Array): void;

  friendAdd: Status<[address: Bytes, message: Bytes, length: number], number>;
  friendAddNorequest: Status<[publicKey: Bytes], number>;
  friendDelete: Status<[friend: number]>;
  friendByPublicKey: Status<[publicKey: Bytes], number>;
  friendGetPublicKey: Status<[friend: number, out: Uint8Array]>;
  friendGetLastOnline: Status<[friend: number], number | bigint>;
  friendGetConnectionStatus: Status<[friend: number], number>;
  friendSendMessage: Status<[friend: number, type: number, bytes: Bytes, length: number], number>;
  friendSendLosslessPacket: Status<[friend: number, bytes: Bytes, length: number]>;
  friendSendLossyPacket: Status<[friend: number, bytes: Bytes, length: number]>;

  fileSend: Status<
    [friend: number, kind: number, size: bigint, fileId: Bytes, name: Bytes, nameLength: number],
    number
  >;
  fileSendChunk: Status<[friend: number, file: number, position: bigint, data: Bytes, length: number]>;
  fileControl: Status<[friend: number, file: number, control: number]>;
  fileSeek: Status<[friend: number, file: number, position: bigint]>;
  fileGetFileId: Status<[friend: number, file: number, out: Uint8Array]>;

  onFileChunkRequest: SetCallback;
  onFileRecv: SetCallback;
  onFileRecvChunk: SetCallback;
  onFileRecvControl: SetCallback;
  onSelfConnectionStatus: SetCallback;
  onFriendRequest: SetCallback;
  onFriendConnectionStatus: SetCallback;
  onFriendName: SetCallback;
  onFriendStatusMessage: SetCallback;
  onFriendStatus: SetCallback;
  onFriendTyping: SetCallback;
  onFriendMessage: SetCallback;
  onFriendReadReceipt: SetCallback;
  onFriendLosslessPacket: SetCallback;
  onFriendLossyPacket: SetCallback;
}

/** One prototype a callback typedef of `tox.h`; enums are ints. */
const CALLBACKS = {
  log: "void LogCb(Tox *tox, int level, const char *file, uint32_t line, const char *func, const char *text, void *u)",
  connection: "void ConnectionCb(Tox *tox, int state, void *u)",
  request: "void RequestCb(Tox *tox, const uint8_t *key, const uint8_t *data, size_t length, void *u)",
  friendInt: "void FriendIntCb(Tox *tox, uint32_t friend, int value, void *u)",
  friendBool: "void FriendBoolCb(Tox *tox, uint32_t friend, bool value, void *u)",
  friendUint: "void FriendUintCb(Tox *tox, uint32_t friend, uint32_t value, void *u)",
  friendBytes: "void FriendBytesCb(Tox *tox, uint32_t friend, const uint8_t *data, size_t length, void *u)",
  chunkRequest:
    "void ChunkRequestCb(Tox *tox, uint32_t friend, uint32_t file, uint64_t position, size_t length, void *u)",
  fileRecv:
    "void FileRecvCb(Tox *tox, uint32_t friend, uint32_t file, uint32_t kind, uint64_t size, const uint8_t *name, size_t length, void *u)",
  fileRecvChunk:
    "void FileRecvChunkCb(Tox *tox, uint32_t friend, uint32_t file, uint64_t position, const uint8_t *data, size_t length, void *u)",
  fileControl: "void FileControlCb(Tox *tox, uint32_t friend, uint32_t file, int control, void *u)",
  message: "void MessageCb(Tox *tox, uint32_t friend, int type, const uint8_t *data, size_t length, void *u)",
} as const;

export type CallbackKind = keyof typeof CALLBACKS;

/** Arguments that a callback gets, in the order of its prototype. */
export interface CallbackArguments {
  log: [
    tox: Pointer,
    level: number,
    file: string | null,
    line: number,
    func: string | null,
    text: string | null,
    userData: null,
  ];
  connection: [tox: Pointer, state: number, userData: null];
  request: [tox: Pointer, publicKey: Pointer, data: Pointer | null, length: number, userData: null];
  friendInt: [tox: Pointer, friend: number, value: number, userData: null];
  friendBool: [tox: Pointer, friend: number, value: boolean, userData: null];
  friendUint: [tox: Pointer, friend: number, value: number, userData: null];
  friendBytes: [tox: Pointer, friend: number, data: Pointer | null, length: number, userData: null];
  chunkRequest: [
    tox: Pointer,
    friend: number,
    file: number,
    position: number | bigint,
    length: number | bigint,
    userData: null,
  ];
  fileRecv: [
    tox: Pointer,
    friend: number,
    file: number,
    kind: number,
    size: number | bigint,
    name: Pointer | null,
    length: number | bigint,
    userData: null,
  ];
  fileRecvChunk: [
    tox: Pointer,
    friend: number,
    file: number,
    position: number | bigint,
    data: Pointer | null,
    length: number | bigint,
    userData: null,
  ];
  fileControl: [tox: Pointer, friend: number, file: number, control: number, userData: null];
  message: [tox: Pointer, friend: number, type: number, data: Pointer | null, length: number, userData: null];
}

/** Binds one C function by its prototype. */
export type Bind = (prototype: string) => unknown;

export interface LoadedLibrary {
  tox: Library;
  version: string;
  /** Binds other functions of the same file. */
  func: Bind;
  /** A C function pointer to `fn`; it stays valid for the life of the process. */
  callback<K extends CallbackKind>(kind: K, fn: (...args: CallbackArguments[K]) => void): Pointer;
}

const CANDIDATES = ["libtoxcore.so.2", "libtoxcore.so"];

/** Loads libtoxcore; throws when there is none. To be called once a process (koffi's type names are global). */
export function loadLibrary(path: string | undefined): LoadedLibrary {
  const lib = open(path === undefined ? CANDIDATES : [path]);
  koffi.opaque("Tox");
  koffi.opaque("Tox_Options");
  const prototypes = Object.fromEntries(
    Object.entries(CALLBACKS).map(([kind, definition]) => [kind, koffi.pointer(koffi.proto(definition))]),
  );
  const tox = bind((prototype) => lib.func(prototype));
  return {
    tox,
    func: (prototype) => lib.func(prototype),
    version: `${tox.versionMajor()}.${tox.versionMinor()}.${tox.versionPatch()}`,
    callback(kind, fn) {
      const prototype = prototypes[kind];
      if (prototype === undefined) throw new Error(`no callback prototype ${kind}`);
      return koffi.register(fn, prototype);
    },
  };
}

/** Copies C memory: it is valid only inside the callback. */
export function copyBytes(pointer: Pointer | null, length: number): Buffer {
  if (pointer === null || length === 0) return Buffer.alloc(0);
  return Buffer.from(new Uint8Array(koffi.view(pointer, length)));
}

/** Bytes that C may keep pointing at; never freed. */
export function stableBytes(bytes: Uint8Array): Pointer {
  const pointer: Pointer = koffi.alloc("uint8_t", bytes.length);
  new Uint8Array(koffi.view(pointer, bytes.length)).set(bytes);
  return pointer;
}

function open(candidates: string[]) {
  const failures: string[] = [];
  for (const candidate of candidates) {
    try {
      return koffi.load(candidate);
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new Error(`cannot load libtoxcore: ${failures.join("; ")}`);
}

function bind(func: Bind): Library {
  const declare = (result: string, name: string, parameters: string) => func(`${result} tox_${name}(${parameters})`);
  const call = (result: string, name: string, parameters = "") =>
    declare(result, name, parameters === "" ? "Tox *tox" : `Tox *tox, ${parameters}`);
  const option = (name: string, parameter: string) =>
    declare("void", `options_set_${name}`, `Tox_Options *o, ${parameter}`);
  const fallible = (result: string, name: string, parameters = "") =>
    call(result, name, parameters === "" ? "_Out_ int *error" : `${parameters}, _Out_ int *error`);
  const setCallback = (name: string, type: string) => call("void", `callback_${name}`, `${type} *callback`);
  const bytes = "const uint8_t *data, size_t length";

  // The one place where the C prototypes and the TypeScript signatures above are matched by hand.
  return {
    versionMajor: declare("uint32_t", "version_major", "void"),
    versionMinor: declare("uint32_t", "version_minor", "void"),
    versionPatch: declare("uint32_t", "version_patch", "void"),

    optionsNew: declare("Tox_Options *", "options_new", "_Out_ int *error"),
    optionsFree: declare("void", "options_free", "Tox_Options *o"),
    optionsSetIpv6Enabled: option("ipv6_enabled", "bool on"),
    optionsSetUdpEnabled: option("udp_enabled", "bool on"),
    optionsSetLocalDiscoveryEnabled: option("local_discovery_enabled", "bool on"),
    optionsSetHolePunchingEnabled: option("hole_punching_enabled", "bool on"),
    optionsSetProxyType: option("proxy_type", "int type"),
    optionsSetProxyHost: option("proxy_host", "const uint8_t *host"),
    optionsSetProxyPort: option("proxy_port", "uint16_t port"),
    optionsSetStartPort: option("start_port", "uint16_t port"),
    optionsSetEndPort: option("end_port", "uint16_t port"),
    optionsSetSavedataType: option("savedata_type", "int type"),
    optionsSetSavedataData: option("savedata_data", bytes),
    optionsSetLogCallback: option("log_callback", "LogCb *callback"),

    create: declare("Tox *", "new", "Tox_Options *o, _Out_ int *error"),
    kill: call("void", "kill"),
    iterate: call("void", "iterate", "void *u"),
    iterationInterval: call("uint32_t", "iteration_interval"),
    getSavedataSize: call("size_t", "get_savedata_size"),
    getSavedata: call("void", "get_savedata", "uint8_t *out"),
    conferenceNew: fallible("uint32_t", "conference_new"),
    conferenceSetTitle: fallible(
      "bool",
      "conference_set_title",
      "uint32_t number, const uint8_t *title, size_t length",
    ),
    conferenceGetChatlistSize: call("size_t", "conference_get_chatlist_size"),

    bootstrap: fallible("bool", "bootstrap", "const char *host, uint16_t port, const uint8_t *key"),
    addTcpRelay: fallible("bool", "add_tcp_relay", "const char *host, uint16_t port, const uint8_t *key"),
    selfGetConnectionStatus: call("int", "self_get_connection_status"),
    selfGetAddress: call("void", "self_get_address", "uint8_t *out"),
    selfGetPublicKey: call("void", "self_get_public_key", "uint8_t *out"),
    selfGetDhtId: call("void", "self_get_dht_id", "uint8_t *out"),
    selfGetUdpPort: fallible("uint16_t", "self_get_udp_port"),
    selfSetNospam: call("void", "self_set_nospam", "uint32_t nospam"),
    selfSetName: fallible("bool", "self_set_name", bytes),
    selfSetStatusMessage: fallible("bool", "self_set_status_message", bytes),
    selfSetStatus: call("void", "self_set_status", "int status"),
    selfSetTyping: fallible("bool", "self_set_typing", "uint32_t friend, bool on"),
    selfGetFriendListSize: call("size_t", "self_get_friend_list_size"),
    selfGetFriendList: call("void", "self_get_friend_list", "uint32_t *out"),

    friendAdd: fallible("uint32_t", "friend_add", `const uint8_t *address, ${bytes}`),
    friendAddNorequest: fallible("uint32_t", "friend_add_norequest", "const uint8_t *key"),
    friendDelete: fallible("bool", "friend_delete", "uint32_t friend"),
    friendByPublicKey: fallible("uint32_t", "friend_by_public_key", "const uint8_t *key"),
    friendGetPublicKey: fallible("bool", "friend_get_public_key", "uint32_t friend, uint8_t *out"),
    friendGetLastOnline: fallible("uint64_t", "friend_get_last_online", "uint32_t friend"),
    friendGetConnectionStatus: fallible("int", "friend_get_connection_status", "uint32_t friend"),
    friendSendMessage: fallible("uint32_t", "friend_send_message", `uint32_t friend, int type, ${bytes}`),
    friendSendLosslessPacket: fallible("bool", "friend_send_lossless_packet", `uint32_t friend, ${bytes}`),
    friendSendLossyPacket: fallible("bool", "friend_send_lossy_packet", `uint32_t friend, ${bytes}`),

    fileSend: fallible(
      "uint32_t",
      "file_send",
      "uint32_t friend, uint32_t kind, uint64_t size, const uint8_t *file_id, const uint8_t *name, size_t name_length",
    ),
    fileSendChunk: fallible("bool", "file_send_chunk", `uint32_t friend, uint32_t file, uint64_t position, ${bytes}`),
    fileControl: fallible("bool", "file_control", "uint32_t friend, uint32_t file, int control"),
    fileSeek: fallible("bool", "file_seek", "uint32_t friend, uint32_t file, uint64_t position"),
    fileGetFileId: fallible("bool", "file_get_file_id", "uint32_t friend, uint32_t file, uint8_t *out"),

    onFileChunkRequest: setCallback("file_chunk_request", "ChunkRequestCb"),
    onFileRecv: setCallback("file_recv", "FileRecvCb"),
    onFileRecvChunk: setCallback("file_recv_chunk", "FileRecvChunkCb"),
    onFileRecvControl: setCallback("file_recv_control", "FileControlCb"),
    onSelfConnectionStatus: setCallback("self_connection_status", "ConnectionCb"),
    onFriendRequest: setCallback("friend_request", "RequestCb"),
    onFriendConnectionStatus: setCallback("friend_connection_status", "FriendIntCb"),
    onFriendName: setCallback("friend_name", "FriendBytesCb"),
    onFriendStatusMessage: setCallback("friend_status_message", "FriendBytesCb"),
    onFriendStatus: setCallback("friend_status", "FriendIntCb"),
    onFriendTyping: setCallback("friend_typing", "FriendBoolCb"),
    onFriendMessage: setCallback("friend_message", "MessageCb"),
    onFriendReadReceipt: setCallback("friend_read_receipt", "FriendUintCb"),
    onFriendLosslessPacket: setCallback("friend_lossless_packet", "FriendBytesCb"),
    onFriendLossyPacket: setCallback("friend_lossy_packet", "FriendBytesCb"),
  } as unknown as Library;
}
