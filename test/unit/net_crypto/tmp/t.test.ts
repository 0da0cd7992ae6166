import { it } from "vitest";
import { Universe } from "/work/main/src/testing/index.ts";
import { connectedPair, numbered } from "/work/main/test/unit/net_crypto/support.ts";
it("x", async () => {
  for (const [buffer, poll] of [[180, 50], [550, 50], [180, 10]] as const) {
      const universe = new Universe({ seed: 31, link: { latency: [0.2, 0.3] } });
      const pair = await connectedPair(universe);
      const q: any[] = []; let lost = 0;
      const sock: any = pair.b.host.sockets[0];
      const orig = sock.onDatagram;
      sock.onDatagram = (bytes: Uint8Array, from: any) => { if (q.length >= buffer) lost++; else q.push([bytes.slice(), from]); };
      const tick = () => { for (const [b, f] of q.splice(0)) orig(b, f); universe.at(universe.now + poll, tick); };
      tick();
      let received = 0;
      pair.heardByB.onLossless = (_, packet) => { received ++; };
      const chunk = new Uint8Array(1371).fill(82);
      pair.ab.setBulkSource(() => chunk);
      for (let i = 0; i < 6; i++) { const r = received; await universe.run(1000); console.log(`${received - r}/s of ${buffer * 1000 / poll}, lost ${lost}, rtt ${pair.ab.roundTripMs}, resent ${pair.a.host.edges.metrics.get("netCrypto.resent")}`); }
      pair.ab.setBulkSource(undefined);
      await universe.run(2000);
      const t = universe.now; let n = 0, acked = 0;
      const count = 20000;
      while (n < count) { pair.ab.send(numbered(n), "message", () => acked++); n++; }
      await universe.runUntil(() => acked === count, {timeout: 120000});
      console.log("20000 messages", universe.now - t);
  }
});
