import { isDeepStrictEqual } from "node:util";
import { Lab } from "./lab/lab.ts";
import { ROUTER_KINDS, type RouterKind } from "./lab/router_rules.ts";
import { UdpAgent } from "./lab/udp_agent.ts";

const EXPECTED = {
  "full-cone": { out: true, otherPort: true, otherHost: true, samePort: true },
  "address-restricted": { out: true, otherPort: true, otherHost: false, samePort: true },
  "port-restricted": { out: true, otherPort: false, otherHost: false, samePort: true },
  symmetric: { out: true, otherPort: false, otherHost: false, samePort: false },
  "symmetric-counting": { out: true, otherPort: false, otherHost: false, samePort: false },
  "udp-blocked": { out: false, otherPort: false, otherHost: false, samePort: false },
} as const;

/** Whether a router maps and filters as its kind says; what is wrong, if not. Plain UDP. */
async function kindTest(kind: RouterKind): Promise<string | undefined> {
  using lab = new Lab();
  const [one, two, home] = [lab.addPublicHost(), lab.addPublicHost(), lab.addHome(kind)];
  const sockets = await Promise.all(
    [[home, 5000] as const, [one, 7000] as const, [one, 7001] as const, [two, 7000] as const].map(([host, port]) =>
      UdpAgent.start(host, port),
    ),
  );
  const [inside, first, otherPort, otherHost] = sockets as [UdpAgent, UdpAgent, UdpAgent, UdpAgent];
  try {
    inside.send(one.address, 7000, "out");
    const seen = await first.receive("out");
    const port = seen?.port ?? 5000;
    otherPort.send(home.router.address, port, "other-port");
    otherHost.send(home.router.address, port, "other-host");
    const heard = await Promise.all([inside.receive("other-port"), inside.receive("other-host")]);
    inside.send(two.address, 7000, "again");
    const again = await otherHost.receive("again");
    if (again !== undefined) {
      otherHost.send(again.host, again.port, "answer");
      if ((await inside.receive("answer")) === undefined) return "the answer to a question did not come in";
    }
    const found = {
      out: seen !== undefined,
      otherPort: heard[0] !== undefined,
      otherHost: heard[1] !== undefined,
      samePort: seen !== undefined && again?.port === seen.port,
    };
    if (isDeepStrictEqual(found, EXPECTED[kind])) return undefined;
    return `found ${JSON.stringify(found)}, expected ${JSON.stringify(EXPECTED[kind])}`;
  } finally {
    await Promise.all(sockets.map((socket) => socket[Symbol.asyncDispose]()));
  }
}

/** Whether the changes of the lab change what they say. */
async function changesTest(): Promise<string | undefined> {
  using lab = new Lab();
  const [outside, home] = [lab.addPublicHost(), lab.addHome("port-restricted")];
  await using stack = new AsyncDisposableStack();
  const inside = stack.use(await UdpAgent.start(home, 5000));
  const far = stack.use(await UdpAgent.start(outside, 7000));
  const portSeen = async (word: string) => {
    inside.send(outside.address, 7000, word);
    return (await far.receive(word))?.port;
  };
  if ((await portSeen("before")) !== 5000) return "the router did not keep the port";
  lab.remap(home.router, "40000-40100");
  const port = await portSeen("remapped");
  if (port === undefined || port < 40_000 || port > 40_100) return `the new mapping is ${port}`;
  far.send(home.router.address, 5000, "to the old port");
  if ((await inside.receive("to the old port")) !== undefined) return "the old mapping still lets in";
  lab.setPower(home.router, "off");
  if ((await portSeen("off")) !== undefined) return "a router without power lets out";
  lab.setPower(home.router, "on");
  far.send(home.router.address, port, "after the reboot");
  if ((await inside.receive("after the reboot")) !== undefined)
    return "the router remembers what was before its reboot";
  return (await portSeen("on")) === undefined ? "after the reboot nothing goes out" : undefined;
}

/** Whether a router that counts gives each new destination the next port. */
async function countingTest(): Promise<string | undefined> {
  using lab = new Lab();
  const [outside, home] = [lab.addPublicHost(), lab.addHome("symmetric-counting")];
  await using stack = new AsyncDisposableStack();
  const inside = stack.use(await UdpAgent.start(home, 5000));
  const seen: (number | undefined)[] = [];
  for (const port of [7000, 7001, 7002]) {
    const far = stack.use(await UdpAgent.start(outside, port));
    inside.send(outside.address, port, "count");
    seen.push((await far.receive("count"))?.port);
  }
  const [first = Number.NaN] = seen;
  return isDeepStrictEqual(seen, [first, first + 1, first + 2]) ? undefined : `the ports were ${seen.join(", ")}`;
}

/** Whether two behind one router reach each other by its outer address when it has a hairpin, and only then. */
async function hairpinTest(): Promise<string | undefined> {
  using lab = new Lab();
  const router = lab.addRouter("port-restricted");
  const [one, two] = [lab.addInsider(router), lab.addInsider(router)];
  await using stack = new AsyncDisposableStack();
  const first = stack.use(await UdpAgent.start(one, 5000));
  const second = stack.use(await UdpAgent.start(two, 6000));
  first.send(router.address, 6000, "without");
  if ((await second.receive("without")) !== undefined) return "there is a hairpin where none should be";
  lab.addHairpin(router, one, 5000);
  lab.addHairpin(router, two, 6000);
  lab.forgetMappings(router.netns);
  first.send(router.address, 6000, "with");
  const seen = await second.receive("with");
  return seen?.host === router.address && seen.port === 5000 ? undefined : `found ${JSON.stringify(seen)}`;
}

/** What the lab says of itself, by name; each answers what is wrong. */
export const selfTests: ReadonlyMap<string, () => Promise<string | undefined>> = new Map([
  ...ROUTER_KINDS.map((kind) => [kind, () => kindTest(kind)] as const),
  ["changes", changesTest],
  ["counting", countingTest],
  ["hairpin", hairpinTest],
]);
