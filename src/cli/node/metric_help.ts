/** What each metric of a node counts, by its name in the library; the table in docs/node.md is this one. */
export const METRIC_HELP: Readonly<Record<string, string>> = {
  "udp.received": "datagrams that came in with a known first byte",
  "udp.sent": "datagrams handed to the system",
  "udp.sendDropped": "datagrams not sent, since too much was waiting for the system",
  "udp.queueFull": "times that a socket's send queue was full",
  "udp.sendError": "datagrams that the system could not send",
  "udp.socketError": "errors of UDP sockets",
  "tcp.listenError": "errors of the relay's listening sockets",
  "tcp.socketError": "connections that ended with an error of the system",
  "tcp.queueFull": "times that a connection's send queue was full",
  "dht.pingRequest.received": "pings of nodes, which are answered",
  "dht.pingRequest.sent": "pings to nodes",
  "dht.pingResponse.received": "answers to our pings",
  "dht.nodesRequest.received": "questions for nodes near a key, which are answered",
  "dht.nodesRequest.sent": "our questions for nodes near a key",
  "dht.nodesResponse.received": "answers to these",
  "dht.bootstrapInfo.received": "questions for version and message of the day",
  "dht.dhtRequest.received": "DHT requests for this node itself",
  "dht.dhtRequest.sent": "DHT requests of this node",
  "dht.dhtRequest.passedOn": "DHT requests passed on to the node that they are for",
  "dht.natPing.received": "NAT pings for this node",
  "dht.natPing.sent": "NAT pings of this node",
  "dht.punch.sent": "datagrams to open a way through a NAT; a node without friends sends none",
  "dht.lanDiscovery.received": "nodes heard of in the local network",
  "dht.lanDiscovery.sent": "broadcasts to the local network",
  "dht.forwardRequest.passedOn": "packets forwarded for somebody, towards a node",
  "dht.forwardReply.passedOn": "their answers, on the way back",
  "dht.dataSearchRequest.received": "searches in the DHT's announce store",
  "dht.dataRetrieveRequest.received": "questions for what lies in it",
  "dht.storeAnnounceRequest.received": "requests to keep something in it",
  "onion.requestsPassedOn": "onion packets passed on towards their end",
  "onion.responsesPassedBack": "answers passed back along the onion",
  "onion.announceRequests": "announcements and searches of people that ended here",
  "onion.announcementsStored": "announcements that were taken or renewed",
  "onion.announcementsRefused": "announcements with no place, since people nearer to this node have it",
  "onion.dataPassedOn": "onion data packets, such as friend requests, passed on to somebody announced here",
  "onion.announcements": "people announced here, as of the last announcement",
  "relay.server.clients": "clients of the TCP relay",
  "relay.server.refused": "connections to the relay refused, since their address makes too many",
  "relay.server.packetsPassedOn": "packets that the relay passed on",
  "relay.server.packetsDropped": "packets that the relay dropped, since their receiver reads too slowly",
  "relay.server.paused": "times that the relay read no more from an address for a while, since it sends too much",
  "portMapping.ports": "ports that the router has mapped",
  "portMapping.granted": "mappings granted or renewed by the router",
  "portMapping.refused": "mappings refused by the router",
  "portMapping.failed": "rounds in which a port stayed without a mapping",
  "portMapping.unmapped": "mappings given back",
  "node.nodes": "nodes of the DHT known to be alive",
  "node.announcements": "people announced here, now",
  "node.relayConnections": "connections to the TCP relay, those that are not yet clients included",
};

/** Names that end in a reason, which the source has. */
const FAMILIES: readonly (readonly [RegExp, string])[] = [
  [/^drop\.([^.]+)\.(.+)$/, "packets ($1) that were not taken: $2"],
  [/^relay\.server\.ended\.(.+)$/, "connections to the TCP relay that have ended: $1"],
];

export function metricHelp(name: string): string | undefined {
  if (Object.hasOwn(METRIC_HELP, name)) return METRIC_HELP[name];
  const [pattern, sentence] = FAMILIES.find(([one]) => one.test(name)) ?? [];
  return pattern && sentence && name.replace(pattern, sentence);
}
