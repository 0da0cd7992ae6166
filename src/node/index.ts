/** `toxcore-ts/node`: the outside world as Node.js has it. */
export { type NodeClock, nodeClock } from "./clock.ts";
export { consoleLogger, LOG_LEVELS, type LogLevel } from "./console_logger.ts";
export { loadCryptoProvider } from "./crypto_loader.ts";
export { type NodeDatagramOptions, nodeDatagrams } from "./datagrams.ts";
export { type NodeEdges, type NodeEdgesOptions, nodeEdges } from "./edges.ts";
export { type FileSinkOptions, fileSink, nodeFiles } from "./file_sink.ts";
export { fileSource, openFileSource } from "./file_source.ts";
export { type FileStoreOptions, fileStore } from "./file_store/file_store.ts";
export { changeProfilePassword, type PasswordChange } from "./file_store/password_change.ts";
export { nodeInterfaces } from "./interfaces.ts";
export { type NodePortMapperOptions, nodePortMapper } from "./port_mapper.ts";
export { decryptProfile, encryptProfile } from "./profile_password.ts";
export { proxyStreams } from "./proxy_streams.ts";
export { type ProxyAddress, parseProxyUrl } from "./proxy_url.ts";
export { nodeRandom } from "./random.ts";
export { nodeResolver } from "./resolver.ts";
export { type StreamSourceOptions, streamSink, streamSource } from "./stream_files.ts";
export { type NodeStreamOptions, nodeStreams } from "./streams.ts";
