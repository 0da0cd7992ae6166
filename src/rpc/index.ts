/** `toxcore-ts/rpc`: JSON-RPC 2.0 over an instance, on a pair of streams, a Unix socket, or whatever else carries lines. */
export { type Method, type Methods, type Params, RpcError, RpcErrorCode } from "./json_rpc.ts";
export { type ServeOptions, serveSocket, serveStdio } from "./serve.ts";
export { RpcServer, type RpcServerOptions, type WriteLine } from "./server.ts";
