import assert from "node:assert/strict";
import type { Endpoint } from "../../../src/env/datagram.ts";
import type { SimHost } from "../../../src/testing/index.ts";
import { formatAddress, formatEndpoint } from "../../../src/util/endpoint.ts";
import type { Stage } from "./stage.ts";

/** Nothing of the host, neither from nor to it, is in the trace but TCP between it and the proxy. */
export function assertNothingBeside(stage: Stage, host: SimHost, proxy: SimHost): void {
  const { entries, count } = stage.universe.trace;
  assert.equal(entries.length, count, "the trace is whole");
  const ofHost = entries.filter(({ from, to }) => isAt(host, from) || isAt(host, to));
  const beside = ofHost.filter(({ protocol, from, to }) => {
    return protocol === "udp" || !(isAt(proxy, from) || isAt(proxy, to));
  });
  const told = beside.map(({ protocol, from, to }) => `${protocol} ${formatEndpoint(from)} > ${formatEndpoint(to)}`);
  assert.deepEqual(told, [], `what ${host.name} sent or got beside its proxy`);
  assert.ok(ofHost.length > 0, `${host.name} was heard of`);
}

function isAt(host: SimHost, { address }: Endpoint): boolean {
  return formatAddress(address) === host.address;
}
