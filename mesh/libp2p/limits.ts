/** What a node bears from callers. Each limit is there because its absence was tried (hostile.test.ts). */
export interface Libp2pLimits {
  /** Connections that callers may hold at a time, greeted or not. A hub: its children twice over; an edge: 64. @default 12000 */
  readonly connections: number
  /**
   * Callers that have not greeted yet; one more drops the one that waits longest. Each costs up to `helloBytes` and a
   * handshake. More than one address may have at `inboundPerSecond`, so that one address alone drops nobody.
   * @default 512
   */
  readonly inboundPending: number
  /**
   * Calls a second from one IP address (IPv6: from one /64), as many at once. All edges behind one NAT share an address:
   * libp2p's 5 keep most of them out. A core makes about 190 handshakes a second.
   * @default 100
   */
  readonly inboundPerSecond: number
  /** Bytes a caller may send before its greeting is through; a greeting takes below 2 KiB. @default 16384 */
  readonly helloBytes: number
  /**
   * From the connection to the greeting, in milliseconds: ten round trips of a slow satellite link fit, and five hundred callers
   * at once, each of whom is worth some ten milliseconds of a processor. @default 10000
   */
  readonly helloMs: number
  /**
   * Bytes of a greeted peer that may lie below its link without making a frame of it, read but not whole. Twice Yamux's
   * window, because an honest peer cannot send more than that unanswered.
   * @default 524288
   */
  readonly unframedBytes: number
  /** Links one key may have at a time: an old one that is not known dead yet beside the new. The oldest goes. @default 2 */
  readonly linksPerPeer: number
}

export const defaultLimits: Libp2pLimits = {
  connections: 12_000,
  inboundPending: 512,
  inboundPerSecond: 100,
  helloBytes: 16 * 1024,
  helloMs: 10_000,
  unframedBytes: 512 * 1024,
  linksPerPeer: 2,
}
