/** A node that somebody runs for everybody. */
export interface PublicNode {
  /** An IPv4 address, or an IPv6 one where the node has no other. */
  readonly host: string;
  readonly ipv6?: string;
  /** The UDP port. */
  readonly port: number;
  /** Where it takes TCP relay connections. */
  readonly tcpPorts: readonly number[];
  /** Its DHT public key, 64 hex digits. */
  readonly publicKey: string;
}

export interface PublicNodes {
  /** The day on which the list was known to be good. */
  readonly date: string;
  readonly nodes: readonly PublicNode[];
}

/**
 * Bootstrap nodes that answered over UDP when existing clients last shipped their lists (qTox, February 2025). Plain data:
 * nothing in the library contacts them unless an app passes them to `bootstrap`. A fresher list is published, in the
 * form that `--nodes FILE` takes, at nodes.tox.chat.
 */
export const publicNodes: PublicNodes = {
  date: "2025-02-13",
  nodes: [
    {
      host: "144.217.167.73",
      port: 33445,
      tcpPorts: [3389, 33445],
      publicKey: "7E5668E0EE09E19F320AD47902419331FFEE147BB3606769CFBE921A2A2FD34C",
    },
    {
      host: "24.84.205.146",
      port: 33445,
      tcpPorts: [33445],
      publicKey: "10C00EB250C3233E343E2AEBA07115A5C28920E9C8D29492F6D00B29049EDC7E",
    },
    {
      host: "82.196.15.215",
      ipv6: "2a03:b0c0:0:1010::4c:5001",
      port: 33445,
      tcpPorts: [],
      publicKey: "82EF82BA33445A1F91A7DB27189ECFC0C013E06E3DA71F588ED692BED625EC23",
    },
    {
      host: "167.88.125.118",
      ipv6: "2604:180:1:4ab::2",
      port: 33445,
      tcpPorts: [33445],
      publicKey: "7A6098B590BDC73F9723FC59F82B3F9085A64D1B213AAF8E610FD351930D052D",
    },
    {
      host: "49.12.229.145",
      ipv6: "2a01:4f8:c2c:89f7::1",
      port: 33445,
      tcpPorts: [3389, 33445],
      publicKey: "B3E5FA80DC8EBD1149AD2AB35ED8B85BD546DEDE261CA593234C619249419506",
    },
    {
      host: "217.156.65.161",
      port: 33445,
      tcpPorts: [443, 3389, 33445],
      publicKey: "836D1DA2BE12FE0E669334E437BE3FB02806F1528C2B2782113E0910C7711409",
    },
    {
      host: "188.225.9.167",
      ipv6: "209:dead:ded:4991:49f3:b6c0:9869:3019",
      port: 33445,
      tcpPorts: [3389, 33445],
      publicKey: "1911341A83E02503AB1FD6561BD64AF3A9D6C3F12B5FBB656976B2E678644A67",
    },
    {
      host: "3.0.24.15",
      port: 33445,
      tcpPorts: [33445],
      publicKey: "E20ABCF38CDBFFD7D04B29C956B33F7B27A3BB7AF0618101617B036E4AEA402D",
    },
    {
      host: "87.202.153.79",
      ipv6: "2a02:587:4c0d:3e8c:a1d8:534b:e343:7ae0",
      port: 33445,
      tcpPorts: [33445],
      publicKey: "4B031C96673B6FF123269FF18F2847E1909A8A04642BBECD0189AC8AEEADAF64",
    },
    {
      host: "104.225.141.59",
      port: 43334,
      tcpPorts: [3389, 33445],
      publicKey: "933BA20B2E258B4C0D475B6DECE90C7E827FE83EFA9655414E7841251B19A72C",
    },
    {
      host: "139.162.110.188",
      ipv6: "2400:8902::f03c:93ff:fe69:bf77",
      port: 33445,
      tcpPorts: [443, 3389, 33445],
      publicKey: "F76A11284547163889DDC89A7738CF271797BF5E5E220643E97AD3C7E7903D55",
    },
    {
      host: "49.13.50.193",
      ipv6: "2a01:4f8:c012:cb9::1",
      port: 33445,
      tcpPorts: [3389, 33445],
      publicKey: "70EA214FDE161E7432530605213F18F7427DC773E276B3E317A07531F548545F",
    },
    {
      host: "172.105.109.31",
      ipv6: "2600:3c04::f03c:92ff:fe30:5df",
      port: 33445,
      tcpPorts: [33445],
      publicKey: "D46E97CF995DC1820B92B7D899E152A217D36ABE22730FEA4B6BF1BFC06C617C",
    },
    {
      host: "91.146.66.26",
      port: 33445,
      tcpPorts: [],
      publicKey: "B5E7DAC610DBDE55F359C7F8690B294C8E4FCEC4385DE9525DBFA5523EAD9D53",
    },
    {
      host: "107.189.12.62",
      ipv6: "2605:6400:30:ea2a:cef4:520c:f4ad:923b",
      port: 33445,
      tcpPorts: [3389, 33445],
      publicKey: "B6626D386BE7E3ACA107B46F48A5C4D522D29281750D44A0CBA6A2721E79C951",
    },
    {
      host: "172.104.215.182",
      ipv6: "2600:3c03::f03c:93ff:fe7f:6096",
      port: 33445,
      tcpPorts: [443, 3389, 33445],
      publicKey: "DA2BD927E01CD05EBCC2574EBE5BEBB10FF59AE0B2105A7D1E2B40E49BB20239",
    },
    {
      host: "114.35.245.150",
      ipv6: "2001:b011:4006:9e54::b",
      port: 33445,
      tcpPorts: [3389, 33445],
      publicKey: "3F0A45A268367C1BEA652F258C85F4A66DA76BCAA667A49E770BCC4917AB6A25",
    },
    {
      host: "51.79.254.78",
      ipv6: "2402:1f00:8000:800::328f",
      port: 33445,
      tcpPorts: [3389, 33445],
      publicKey: "F4FC9398B7167668ED2BCF85634E04D4CDCDD2F95DA5F305BD234888B6E6A771",
    },
    {
      host: "104.244.74.69",
      ipv6: "2605:6400:30:f7f4:c24:f413:e44d:a91f",
      port: 33445,
      tcpPorts: [3389, 33445],
      publicKey: "8E8B63299B3D520FB377FE5100E65E3322F7AE5B20A0ACED2981769FC5B43725",
    },
    {
      host: "188.214.122.30",
      port: 33445,
      tcpPorts: [3389, 33445],
      publicKey: "2A9F7A620581D5D1B09B004624559211C5ED3D1D712E8066ACDB0896A7335705",
    },
    {
      host: "62.183.96.32",
      port: 33445,
      tcpPorts: [33445],
      publicKey: "52BD37D53357701CB9C69ABA81E7741C5F14105523C89153A770D73F434AC473",
    },
    {
      host: "141.11.229.155",
      port: 33445,
      tcpPorts: [3389, 33445],
      publicKey: "1FD96DF8DCAC4A95C117B460F23EB740C8FBA60DE89BE7B45136790B8E3D4B63",
    },
    {
      host: "43.198.227.166",
      port: 33445,
      tcpPorts: [3389, 33445],
      publicKey: "AD13AB0D434BCE6C83FE2649237183964AE3341D0AFB3BE1694B18505E4E135E",
    },
    {
      host: "95.181.230.108",
      ipv6: "2a03:c980:db:5d::",
      port: 33445,
      tcpPorts: [3389, 33445],
      publicKey: "B5FFECB4E4C26409EBB88DB35793E7B39BFA3BA12AC04C096950CB842E3E130A",
    },
    {
      host: "165.227.194.41",
      ipv6: "2604:a880:400:d1::6365:2001",
      port: 443,
      tcpPorts: [443, 3389, 33445],
      publicKey: "5D57B95EE4A7F37BA031DAD0CBD9510A9C96FFE09C1CE24A9C33746F39817D6E",
    },
    {
      host: "141.95.53.16",
      ipv6: "2001:41d0:701:1100::77f3",
      port: 33445,
      tcpPorts: [3389, 33445],
      publicKey: "DCD342A0D5E2AA8E35C2BD2C7988F906EEB631B35100170A7F30E77D7F596442",
    },
  ],
};
