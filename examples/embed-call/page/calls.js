import { showConnection } from "./connection.js";
import { byId, notice, press } from "./dom.js";
import { listDevices, Media } from "./media.js";
import { ring } from "./ring.js";

/** What our picture was before this page was loaded again. A screen is not shared again by itself. */
const REMEMBERED = "picture";
const ENDS = {
  "hung-up": (by) => (by === "them" ? "has hung up" : undefined),
  vanished: () => "went offline",
  failed: () => "cannot go on with this call",
};

/** The calls there are; of one of them, this page has sound and picture. */
export class Calls {
  #rpc;
  #people;
  #all = new Map();
  /** The call that is in this page: its friend, media and what was asked of it. */
  #mine;

  constructor(rpc, people) {
    this.#rpc = rpc;
    this.#people = people;
    rpc.on("incomingCall", ({ friend, audio, video }) => {
      const peer = { audio: { peer: { sending: audio } }, video: { peer: { sending: video } } };
      this.#all.set(friend, { friend, direction: "incoming", state: "ringing", ...peer });
      this.show();
    });
    rpc.on("callState", (news) => this.#changed(news));
    rpc.on("callPeer", ({ friend, audio, video }) => {
      const call = this.#all.get(friend);
      if (call)
        this.#all.set(friend, {
          ...call,
          audio: { ...call.audio, peer: audio },
          video: { ...call.video, peer: video },
        });
      this.show();
    });
    rpc.on("callBitRate", ({ friend, audio }) => this.#mine?.friend === friend && this.#mine.media.limitSound(audio));
    rpc.on("callTaken", ({ friend }) => this.#mine?.friend === friend && this.#leave());
    this.#listen();
    setInterval(() => this.#measure(), 1_000);
  }

  /** The program is there, again or for the first time: goes on with the call that no window has. */
  async resume() {
    this.#leave();
    const [calls, joined] = await Promise.all(["calls", "joinedCalls"].map((one) => this.#rpc.ask(one)));
    this.#all = new Map(calls.map((call) => [call.friend, call]));
    const left = calls.find(({ friend, direction, state }) => {
      return !joined.includes(friend) && (direction === "outgoing" || state !== "ringing");
    });
    this.show();
    if (left) await this.#take(left, sessionStorage.getItem(REMEMBERED) === "camera");
  }

  /** Without the program, there is no call. */
  lost() {
    this.#all.clear();
    this.#leave();
  }

  show() {
    const { friend, view } = this.#view();
    const call = this.#all.get(friend);
    const name = friend ? this.#people.nameOf(friend) : "";
    byId("stage").dataset.view = view;
    document.body.dataset.view = view;
    for (const place of document.querySelectorAll("#stage .name")) place.textContent = name;
    for (const place of document.querySelectorAll("#stage .face"))
      place.textContent = [...name][0]?.toUpperCase() ?? "";
    document.title = view === "incoming" ? `${name} calls` : "Tox calls";
    if (view === "friend") {
      const isOnline = this.#people.isOnline(friend);
      byId("friend-status").textContent = isOnline ? "online" : "offline: can be called when he is back";
      for (const id of ["call-voice", "call-video"]) byId(id).disabled = !isOnline;
    }
    if (view === "incoming") {
      const kind = call.video.peer.sending ? "Video call" : "Voice call";
      byId("incoming-kind").textContent = this.#mine ? `${kind}. Answering it hangs up the one you have.` : kind;
    }
    ring(view === "incoming");
    if (view === "call") this.#showCall(call);
  }

  #view() {
    const mine = this.#mine?.friend;
    const calls = [...this.#all.values()];
    const rings = ({ friend, direction, state }) => direction === "incoming" && state === "ringing" && friend !== mine;
    const ringing = calls.find(rings);
    if (ringing) return { friend: ringing.friend, view: "incoming" };
    if (mine) return { friend: mine, view: "call" };
    if (calls.length > 0) return { friend: calls[0].friend, view: "elsewhere" };
    return { friend: this.#people.selected, view: this.#people.selected ? "friend" : "nobody" };
  }

  #showCall(call) {
    const { media, muted, paused } = this.#mine;
    const { audio, video, state } = call ?? { state: "ringing" };
    const isSeen = state === "active" && video?.peer.sending;
    byId("call").dataset.seen = String(Boolean(isSeen));
    const said = { ringing: "Ringing …", paused: paused ? "Paused by you" : "Paused" }[state] ?? "";
    byId("call-state").textContent = said || (audio?.peer.sending === false ? "Your friend's microphone is off" : "");
    byId("local").hidden = media.kind === "none";
    byId("local").dataset.kind = media.kind;
    if (byId("local").srcObject?.getTracks()[0] !== media.picture) {
      byId("local").srcObject = media.picture ? new MediaStream([media.picture]) : null;
    }
    byId("mute").setAttribute("aria-label", muted ? "Turn my microphone on" : "Mute my microphone");
    press("mute", muted);
    press("camera", media.kind === "camera");
    press("screen", media.kind === "screen");
    press("pause", paused);
  }

  #listen() {
    const mine = (id, work) => {
      byId(id).onclick = () => this.#mine && this.#try(() => work(this.#mine));
    };
    byId("call-voice").onclick = () => this.#try(() => this.#call(this.#people.selected, "none"));
    byId("call-video").onclick = () => this.#try(() => this.#call(this.#people.selected, "camera"));
    byId("answer-voice").onclick = () => this.#try(() => this.#answer(this.#view().friend, "none"));
    byId("answer-video").onclick = () => this.#try(() => this.#answer(this.#view().friend, "camera"));
    byId("reject").onclick = () => this.#try(() => this.#ask("hangUp", this.#view().friend));
    byId("hang-up-elsewhere").onclick = byId("reject").onclick;
    byId("take").onclick = () => this.#try(() => this.#take(this.#all.get(this.#view().friend), false));
    mine("hang-up", ({ friend }) => this.#ask("hangUp", friend));
    mine("mute", (call) => this.#mute(call, !call.muted));
    mine("camera", (call) => this.#picture(call, call.media.kind === "camera" ? "none" : "camera"));
    mine("screen", (call) => this.#picture(call, call.media.kind === "screen" ? "none" : "screen"));
    mine("pause", async (call) => {
      call.paused = !call.paused;
      await this.#ask("callControl", call.friend, { pause: call.paused });
    });
    byId("choose").onclick = () => {
      byId("devices").hidden = !byId("devices").hidden;
      byId("choose").setAttribute("aria-expanded", String(!byId("devices").hidden));
    };
    byId("microphone").onchange = ({ target }) => this.#mine?.media.openMicrophone(target.value);
    byId("webcam").onchange = () =>
      this.#mine?.media.kind === "camera" && this.#try(() => this.#picture(this.#mine, "camera"));
    byId("speaker").onchange = ({ target }) =>
      byId("remote")
        .setSinkId?.(target.value)
        .catch(() => {});
    navigator.mediaDevices?.addEventListener("devicechange", () => this.#mine && listMenus());
  }

  async #call(friend, kind) {
    const call = await this.#open(friend, kind);
    await this.#ask("call", friend, { audio: !call.muted, video: kindSends(call) });
    await this.#connect(call);
  }

  async #answer(friend, kind) {
    if (this.#mine) await this.#ask("hangUp", this.#mine.friend);
    this.#leave();
    const call = await this.#open(friend, kind);
    await this.#connect(call);
    await this.#ask("answer", friend, { audio: !call.muted, video: kindSends(call) });
  }

  /** A call that goes on already. */
  async #take({ friend, audio, state, pausedBy }, withCamera) {
    const call = await this.#open(friend, withCamera ? "camera" : "none");
    call.muted ||= !audio.sending;
    if (call.media.microphone) call.media.microphone.enabled = !call.muted;
    call.paused = pausedBy === "us" || pausedBy === "both";
    this.show();
    await this.#connect(call);
    if (state !== "ringing")
      await this.#ask("callControl", friend, { sendAudio: !call.muted, sendVideo: kindSends(call) });
  }

  /** With what there is of microphone and camera; who has neither listens. */
  async #open(friend, kind) {
    const again = () => this.#try(() => this.#picture(this.#mine, "none"));
    const call = { friend, media: new Media(notice, again), muted: false, paused: false };
    this.#mine = call;
    this.show();
    await call.media.openMicrophone(byId("microphone").value);
    call.muted = call.media.microphone === undefined;
    if (kind !== "none") await call.media.show(kind, byId("webcam").value);
    sessionStorage.setItem(REMEMBERED, call.media.kind);
    if (this.#mine !== call) throw new Error("The call was over before it began.");
    await listMenus();
    this.show();
    return call;
  }

  async #connect(call) {
    const { friend, media } = call;
    const exchange = async (sdp) => (await this.#ask("joinCall", friend, { sdp })).sdp;
    const failed = () => this.#mine === call && this.#try(() => this.#connect(call));
    await media.connect(exchange, byId("remote"), failed);
    const { audioBitRate } = await this.#ask("callStats", friend);
    await media.limitSound(audioBitRate);
    byId("remote")
      .play()
      .catch(({ name }) => {
        if (name !== "NotAllowedError") return; // it was replaced meanwhile
        notice("Click anywhere to hear your friend.");
        addEventListener("pointerdown", () => byId("remote").play(), { once: true });
      });
  }

  async #mute(call, muted) {
    if (!muted && !call.media.microphone) await call.media.openMicrophone(byId("microphone").value);
    if (!call.media.microphone) return;
    call.media.microphone.enabled = !muted;
    call.muted = muted;
    await this.#ask("callControl", call.friend, { sendAudio: !muted });
  }

  async #picture(call, kind) {
    await call.media.show(kind, byId("webcam").value);
    sessionStorage.setItem(REMEMBERED, call.media.kind);
    await listMenus();
    await this.#ask("callControl", call.friend, { sendVideo: kindSends(call) });
  }

  #changed({ friend, state, reason, by }) {
    if (state !== "ended") {
      const none = { sending: true, peer: { sending: true, receiving: true } };
      const call = this.#all.get(friend) ?? {
        friend,
        direction: "outgoing",
        audio: none,
        video: { ...none, peer: {} },
      };
      this.#all.set(friend, { ...call, state });
    } else {
      this.#all.delete(friend);
      const why = ENDS[reason]?.(by);
      if (why) notice(`${this.#people.nameOf(friend)} ${why}.`);
      if (this.#mine?.friend === friend) this.#leave();
    }
    this.show();
  }

  /** This page lets go of the call, which may go on. */
  #leave() {
    this.#mine?.media.close();
    this.#mine = undefined;
    byId("remote").srcObject = null;
    byId("local").srcObject = null;
    byId("stats").replaceChildren();
    this.show();
  }

  async #measure() {
    const call = this.#mine;
    if (!call || !this.#all.has(call.friend)) return;
    try {
      const [stats, measured] = await Promise.all([this.#ask("callStats", call.friend), call.media.measure()]);
      const way = this.#people.friends.get(call.friend)?.connection ?? "none";
      if (this.#mine === call) showConnection(way, stats, measured, byId("remote"));
    } catch {
      // it is over
    }
  }

  #ask(method, friend, params = {}) {
    return this.#rpc.ask(method, { friend, ...params });
  }

  /** What fails is told; a call that was not made leaves nothing. */
  async #try(work) {
    try {
      await work();
    } catch ({ message }) {
      notice(message);
      if (this.#mine && !this.#all.has(this.#mine.friend)) this.#leave();
    }
    this.show();
  }
}

function kindSends({ media }) {
  return media.kind !== "none";
}

function listMenus() {
  const menus = { audioinput: byId("microphone"), videoinput: byId("webcam") };
  if (byId("remote").setSinkId) menus.audiooutput = byId("speaker");
  else byId("speaker").closest("label").hidden = true;
  return listDevices(menus);
}
