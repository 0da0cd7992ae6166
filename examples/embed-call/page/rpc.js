const RETRY_AFTER = 2_000;

/** JSON-RPC with the program. Lost connections are tried again until there is one. */
export class Rpc {
  #socket;
  #token;
  #wasUp = false;
  #lastId = 0;
  #asked = new Map();
  #listeners = new Map();

  constructor(token) {
    this.#token = token;
  }

  /** `up`, `down` and `refused` (at the first try: the link is not the right one) are the connection; all else are notifications. */
  on(name, listener) {
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), listener]);
  }

  connect() {
    const socket = new WebSocket(`ws://${location.host}/rpc`, this.#token);
    this.#socket = socket;
    socket.onopen = () => {
      this.#wasUp = true;
      this.#tell("up");
    };
    socket.onmessage = ({ data }) => this.#take(JSON.parse(data));
    socket.onclose = () => {
      for (const { reject } of this.#asked.values()) reject(new Error("The program does not answer."));
      this.#asked.clear();
      this.#tell(this.#wasUp ? "down" : "refused");
      setTimeout(() => this.connect(), RETRY_AFTER);
    };
  }

  /** Rejects with the sentence of the error; its `code` is the library's. */
  ask(method, params = {}) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return Promise.reject(new Error("The program does not answer."));
    const id = ++this.#lastId;
    this.#socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    return new Promise((resolve, reject) => this.#asked.set(id, { resolve, reject }));
  }

  #take({ id, result, error, method, params }) {
    if (method !== undefined) {
      this.#tell(method, params);
      return;
    }
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    if (error === undefined) asked?.resolve(result);
    else asked?.reject(Object.assign(new Error(error.message), { code: error.data?.code }));
  }

  #tell(name, params) {
    for (const listener of this.#listeners.get(name) ?? []) listener(params);
  }
}
