import { linkVersion } from './frames.ts'

/**
 * Payload of the first frame of each end: one byte, the version of the link it speaks. A newer version may say more after
 * it. Who the other end is and which network it belongs to was proved below, by whoever carries the frames.
 */
export const encodeHello = (version: number = linkVersion): Uint8Array => Uint8Array.of(version)

/** What an end makes of the other end's `hello`. */
export type HelloVerdict =
  | { readonly kind: 'welcome' }
  | { readonly kind: 'garbage' }
  /** `toPeer` is sent in a `refuse` frame, `here` is for this end's own log or error. */
  | { readonly kind: 'other-version'; readonly toPeer: string; readonly here: string }

/** @param version what this end speaks */
export const judgeHello = (payload: Uint8Array, version: number = linkVersion): HelloVerdict => {
  const theirs = payload[0] ?? 0
  if (theirs === 0 || (theirs <= version && payload.byteLength !== 1)) return { kind: 'garbage' }
  if (theirs === version) return { kind: 'welcome' }
  const newer = theirs > version
  return {
    kind: 'other-version',
    toPeer: `you speak version ${theirs} of the link, this node ${newer ? 'only' : 'already'} ${version}: update ${newer ? 'it' : 'yours'}`,
    here: `the other end speaks version ${theirs} of the link, this node ${newer ? 'only' : 'already'} ${version}: update ${newer ? 'this node' : 'the other'}`,
  }
}
