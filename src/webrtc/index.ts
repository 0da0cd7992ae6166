/** `toxcore-ts/webrtc`: a page's camera, microphone and screen in a call, and the friend's in the page, as they were encoded. */
export { CallGateway, type CallGatewayOptions, type GatewayEnd, type GatewayStats } from "./call_gateway.ts";
export type { NumberedFrame, PageEvents, PageFrame, PageMedia } from "./page_media.ts";
