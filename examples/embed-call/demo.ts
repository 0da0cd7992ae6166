import { type Call, Tox } from "toxcore-ts";

const LOOPBACK = "127.0.0.1";
const QUIET = { bindIpv4: LOOPBACK, ipv6: false, port: 0 } as const;

/** A Tox network in this process, on loopback: a node, ourselves, and a friend who sends back what he hears and sees. */
export interface Demo {
  readonly tox: Tox;
  close(): Promise<void>;
}

export async function startDemo(name: string): Promise<Demo> {
  const node = await Tox.create(QUIET);
  const bootstrap = [{ host: LOOPBACK, port: node.udpPort, publicKey: node.dhtPublicKey }];
  const echo = await Tox.create({
    ...QUIET,
    bootstrap,
    name: "echo",
    statusMessage: "I send back what you say and show",
  });
  const tox = await Tox.create({ ...QUIET, bootstrap, name });
  echo.on("incomingCall", echoCall);
  echo.on("message", ({ friend, text, action }) => void friend.send(text, { action }));
  await Promise.all([echo.addFriendWithoutRequest(tox.publicKey), tox.addFriendWithoutRequest(echo.publicKey)]);
  return {
    tox,
    close: async () => {
      await Promise.all([tox, echo, node].map((one) => one.close()));
    },
  };
}

/** Answers, and sends each frame straight back: nothing is decoded. */
function echoCall(call: Call): void {
  const { audio, video } = call;
  audio.on("arrived", ({ data, sampleRate, timestamp }) => audio.send({ data, sampleRate, timestamp }));
  video.on("frame", ({ data, timestamp }) => video.send({ data, timestamp }));
  video.on("keyFrameWanted", () => video.requestKeyFrame());
  call.on("peer", () => {
    video.sending = video.peer.sending;
    audio.sending = audio.peer.sending;
  });
  call.answer({ video: video.peer.sending });
}
