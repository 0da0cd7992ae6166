/** A UDP socket inside a namespace, by lines: `HOST PORT TEXT` in is sent, the same out was received. Argument: the port. */
import { createSocket } from "node:dgram";
import { createInterface } from "node:readline";

const socket = createSocket("udp4");
socket.on("message", (text, { address, port }) => console.log(`${address} ${port} ${text}`));
socket.bind(Number(process.argv[2]), () => console.log("ready"));
createInterface({ input: process.stdin })
  .on("line", (line) => {
    const [host, port, text] = line.split(" ");
    socket.send(text ?? "", Number(port), host);
  })
  .on("close", () => process.exit());
