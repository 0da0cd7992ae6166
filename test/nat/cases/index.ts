import type { NatCase } from "../nat_case.ts";
import { changes } from "./changes.ts";
import { families } from "./families.ts";
import { mappedPorts } from "./mapped_ports.ts";
import { pairs } from "./pairs.ts";
import { sharedRouters } from "./shared_routers.ts";

export const cases: readonly NatCase[] = [...pairs, ...sharedRouters, ...families, ...changes, ...mappedPorts];
