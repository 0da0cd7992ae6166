/**
 * A router inside a namespace, by lines: UPnP and PCP as the first argument says, at the address that is the second. It
 * writes a JSON line for each thing that it is asked.
 *
 *   upnp      SSDP that also tells of descriptions elsewhere and without an end, then of one that works; PCP says garbage
 *   pcp       PCP that works
 *   impostor  SSDP that tells of itself, from an address that is not the router's
 */
import { announce, fakeIgd } from "../../support/fake_igd.ts";
import { fakePmpRouter, PMP_PORT } from "../../support/fake_pmp_router.ts";

const [kind, address = ""] = process.argv.slice(2);
const tell = (what: object) => console.log(JSON.stringify(what));

if (kind === "pcp") {
  await fakePmpRouter({ speaks: "pcp", address, port: PMP_PORT, onRequest: tell });
} else {
  const endless = await fakeIgd({
    address,
    instead: (_request, response) => {
      const pour = (): boolean => response.write("<a>".repeat(5_000), () => response.destroyed || pour());
      return pour() || true;
    },
  });
  const igd = await fakeIgd({ address, onAction: tell });
  if (kind === "upnp") {
    await fakePmpRouter({
      speaks: "pcp",
      address,
      port: PMP_PORT,
      spoil: () => [new Uint8Array(), Buffer.alloc(900, 7)],
    });
  }
  await announce(address, ["http://11.18.1.1/", "file:///etc/passwd", "%", endless.location.href, igd.location.href]);
}
process.stdin.resume().on("end", () => process.exit());
tell({ name: "ready" });
