/** Loaded only by need: see web-sockets.ts. */
export { webSockets } from '@libp2p/websockets'
