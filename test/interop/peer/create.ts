import { CallError, checked } from "./errors.ts";
import { type LoadedLibrary, type Pointer, stableBytes } from "./library.ts";
import { type CreateParams, LOG_LEVELS, type LogLevel } from "./protocol.ts";
import { bytesOf, nameOf } from "./values.ts";

const SAVEDATA_TOX_SAVE = 1;
const SAVEDATA_SECRET_KEY = 2;
const PROXY_HTTP = 1;
const PROXY_SOCKS5 = 2;

/** `tox_new`; throws `CallError` when it fails. LAN discovery, which toxcore has on by default, is off but in a namespace. */
export function create(library: LoadedLibrary, params: CreateParams): Pointer {
  const c = library.tox;
  const options = checked("OPTIONS_NEW", (error) => c.optionsNew(error));
  if (options === null) throw new CallError("TOX_ERR_OPTIONS_NEW_MALLOC", "no memory for options");
  c.optionsSetUdpEnabled(options, params.udp);
  c.optionsSetLocalDiscoveryEnabled(options, params.localDiscovery ?? false);
  c.optionsSetIpv6Enabled(options, params.ipv6);
  c.optionsSetHolePunchingEnabled(options, params.holePunching);
  c.optionsSetStartPort(options, params.startPort);
  c.optionsSetEndPort(options, params.endPort);
  if (params.proxy !== undefined) {
    const { kind, host, port } = params.proxy;
    c.optionsSetProxyType(options, kind === "http" ? PROXY_HTTP : PROXY_SOCKS5);
    c.optionsSetProxyHost(options, stableBytes(new TextEncoder().encode(`${host}\0`)));
    c.optionsSetProxyPort(options, port);
  }
  const setSavedata = (type: number, bytes: Uint8Array) => {
    c.optionsSetSavedataType(options, type);
    // The options keep the pointer, so it must outlive this call.
    c.optionsSetSavedataData(options, stableBytes(bytes), bytes.length);
  };
  if (params.savedata !== undefined) setSavedata(SAVEDATA_TOX_SAVE, bytesOf(params.savedata));
  if (params.secretKey !== undefined) setSavedata(SAVEDATA_SECRET_KEY, bytesOf(params.secretKey, 32));
  if (params.log !== undefined) c.optionsSetLogCallback(options, logCallback(library, params.log));
  const tox = checked("NEW", (error) => c.create(options, error));
  c.optionsFree(options);
  if (tox === null) throw new CallError("TOX_ERR_NEW_NULL", "tox_new gave no instance");
  return tox;
}

function logCallback(library: LoadedLibrary, lowest: LogLevel): Pointer {
  const floor = LOG_LEVELS.indexOf(lowest);
  return library.callback("log", (_tox, level, file, line, _func, text) => {
    if (level >= floor) process.stderr.write(`${nameOf(LOG_LEVELS, level)} ${file}:${line} ${text}\n`);
  });
}
