/** `toxcore-ts/testing`: a seeded universe, in which whole instances run under a virtual clock and a simulated network. */
export { memoryStore } from "../env/memory_store.ts";
export { MemoryMetrics } from "../env/metrics.ts";
export { defaultLink, type LinkProperties } from "./link.ts";
export { type LogLine, MemoryLogger } from "./memory_logger.ts";
export type { NatKind, NatMapping } from "./nat_table.ts";
export { SeededRandom } from "./seeded_random.ts";
export type { SegmentKind, StreamSettings } from "./segment.ts";
export { type HostOptions, type SimEdges, SimHost } from "./simulated_host.ts";
export { SimulatedLan } from "./simulated_lan.ts";
export { type NatOptions, type NetworkNode, SimNat } from "./simulated_nat.ts";
export { type DatagramFilter, SimulatedNetwork, type StreamFilter } from "./simulated_network.ts";
export { POISON, SimulatedSocket } from "./simulated_socket.ts";
export { SimulatedStream } from "./simulated_stream.ts";
export { SimulatedStreams } from "./simulated_streams.ts";
export { type Fate, Trace, type TraceDetails, type TraceEntry } from "./trace.ts";
export { type RunUntilOptions, replaySeed, SEED_VARIABLE, Universe, type UniverseOptions } from "./universe.ts";
export type { UplinkProperties } from "./uplink.ts";
export { VirtualClock } from "./virtual_clock.ts";
