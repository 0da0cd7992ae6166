import { httpProxy } from "../../support/http_proxy.ts";
import type { TestProxyOptions } from "../../support/proxy_modes.ts";
import { socksProxy } from "../../support/socks_proxy.ts";

/** One proxy in a process of its own: `KIND OPTIONS`. A line when it listens; ends with its input. */
const [kind, options = "{}"] = process.argv.slice(2);
const start = kind === "http" ? httpProxy : socksProxy;
const proxy = await start(JSON.parse(options) as TestProxyOptions);
console.log(JSON.stringify({ port: proxy.port }));
process.stdin.resume().once("end", () => {
  console.log(JSON.stringify({ targets: proxy.targets }));
  proxy.close();
});
