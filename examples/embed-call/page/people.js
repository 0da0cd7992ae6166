import { byId, notice } from "./dom.js";

/** Ourselves, friends, and who wants to be one. */
export class People {
  friends = new Map();
  selected;
  #rpc;
  #changed;

  constructor(rpc, changed) {
    this.#rpc = rpc;
    this.#changed = changed;
    for (const name of ["friendConnection", "friendName", "friendStatus", "friendStatusMessage", "friendRequest"]) {
      rpc.on(name, () => this.refresh());
    }
    rpc.on("message", ({ friend, text }) => notice(`${this.nameOf(friend)}: ${text}`));
    byId("copy-id").onclick = async () => {
      await navigator.clipboard.writeText(byId("own-id").textContent);
      notice("Your Tox ID is copied.");
    };
    byId("add").onsubmit = (event) => {
      event.preventDefault();
      this.#do("addFriend", { id: byId("add-id").value.trim(), message: "I would like to call you." }).then((done) => {
        if (done) event.target.reset();
      });
    };
  }

  nameOf(publicKey) {
    return this.friends.get(publicKey)?.name || `${publicKey.slice(0, 8)}…`;
  }

  isOnline(publicKey) {
    return (this.friends.get(publicKey)?.connection ?? "none") !== "none";
  }

  async refresh() {
    const [self, friends, requests] = await Promise.all(
      ["self", "friends", "friendRequests"].map((one) => this.#rpc.ask(one)),
    );
    byId("own-name").textContent = self.name || "Without a name";
    byId("own-id").textContent = self.id;
    this.friends = new Map(friends.map((friend) => [friend.publicKey, friend]));
    if (!this.friends.has(this.selected)) this.selected = friends[0]?.publicKey;
    this.#showRequests(requests);
    this.#showFriends();
    this.#changed();
  }

  /** Rows stay where they are, so that the keyboard does, too. */
  #showFriends() {
    const list = byId("friends");
    const rows = new Map([...list.children].map((row) => [row.dataset.friend, row]));
    for (const [key, row] of rows) if (!this.friends.has(key)) row.remove();
    for (const [key, { connection, status, statusMessage }] of this.friends) {
      const row = rows.get(key) ?? this.#newRow(key);
      row.dataset.connection = connection;
      row.dataset.status = status;
      const [button] = row.children;
      button.setAttribute("aria-current", String(key === this.selected));
      button.querySelector("b").textContent = this.nameOf(key);
      button.querySelector("small").textContent = connection === "none" ? "offline" : statusMessage || "online";
      list.append(...(rows.has(key) ? [] : [row]));
    }
  }

  #newRow(key) {
    const row = document.createElement("li");
    row.dataset.friend = key;
    const button = document.createElement("button");
    button.append(document.createElement("b"), document.createElement("small"));
    button.onclick = () => {
      this.selected = key;
      this.#showFriends();
      this.#changed();
    };
    row.append(button);
    return row;
  }

  #showRequests(requests) {
    const rows = requests.map(({ publicKey, message }) => {
      const row = document.createElement("li");
      const said = document.createElement("p");
      said.textContent = `${publicKey.slice(0, 8)}… wants to be your friend: “${message}”`;
      const button = (label, method) => {
        const made = Object.assign(document.createElement("button"), { textContent: label });
        made.onclick = () => this.#do(method, { publicKey });
        return made;
      };
      row.dataset.request = publicKey;
      row.append(said, button("Accept", "acceptFriend"), button("Decline", "declineFriend"));
      return row;
    });
    byId("requests").replaceChildren(...rows);
  }

  async #do(method, params) {
    try {
      await this.#rpc.ask(method, params);
      await this.refresh();
      return true;
    } catch ({ message }) {
      notice(message);
      return false;
    }
  }
}
