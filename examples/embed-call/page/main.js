import { Calls } from "./calls.js";
import { byId, notice } from "./dom.js";
import { People } from "./people.js";
import { Rpc } from "./rpc.js";

/** The part of the link that a browser keeps to itself. */
const token = location.hash.slice(1);

function banner(sentence) {
  byId("banner").textContent = sentence;
  byId("banner").hidden = sentence === "";
}

addEventListener("hashchange", () => location.reload());
if (token === "") banner("Open the link that the program has printed: this one lacks its last part.");
else start();

function start() {
  const rpc = new Rpc(token);
  const people = new People(rpc, () => calls.show());
  const calls = new Calls(rpc, people);
  rpc.on("up", async () => {
    banner("");
    byId("app").hidden = false;
    try {
      await people.refresh();
      await calls.resume();
    } catch ({ message }) {
      notice(message);
    }
  });
  rpc.on("refused", () =>
    banner("The program does not take this link: open the one that it has printed last, all of it."),
  );
  rpc.on("down", () => {
    calls.lost();
    byId("app").hidden = true;
    banner("The program does not answer; trying again. If it was started anew, open the link that it has printed.");
  });
  addEventListener("focus", () => people.refresh().catch(() => {}));
  rpc.connect();
}
