/** Everything of the documents is under this; other parts of a node use other prefixes. */
export const documentsPrefix = 'd/'

/** Eight digits, so that epochs sort by number. */
const epochPart = (epoch: number): string => epoch.toString(16).padStart(8, '0')

export const envelopePrefix = (documentId: string, epoch: number): string => `d/${documentId}/e/${epochPart(epoch)}/`
export const envelopeKey = (documentId: string, epoch: number, hash: string): string =>
  `${envelopePrefix(documentId, epoch)}${hash}`
export const genesisKey = (documentId: string, epoch: number): string => `d/${documentId}/g/${epochPart(epoch)}`
/** What the epoch before came to: canonical JSON, as its state hash covers it. */
export const baseKey = (documentId: string, epoch: number): string => `d/${documentId}/b/${epochPart(epoch)}`
export const latePrefix = (documentId: string): string => `d/${documentId}/l/`
export const lateKey = (documentId: string, epoch: number, hash: string): string =>
  `${latePrefix(documentId)}${epochPart(epoch)}/${hash}`
export const proofKey = (documentId: string, epoch: number, author: string): string =>
  `d/${documentId}/q/${epochPart(epoch)}/${author}`
export const summaryKey = (documentId: string): string => `d/${documentId}/s`

/** What a key of the documents says; keys of one document are neighbours: bases, envelopes, geneses, late, proofs, summary. */
export type DocumentKey =
  | { readonly kind: 'envelope' | 'late'; readonly documentId: string; readonly epoch: number; readonly hash: string }
  | { readonly kind: 'genesis' | 'base'; readonly documentId: string; readonly epoch: number }
  | { readonly kind: 'proof'; readonly documentId: string; readonly epoch: number; readonly author: string }
  | { readonly kind: 'summary'; readonly documentId: string }

const pattern = /^d\/([0-9a-f]{32})\/(?:([elq])\/([0-9a-f]{8})\/([0-9a-f]{64})|([bg])\/([0-9a-f]{8})|s)$/

/** Undefined for a key that is none of these: a flipped bit, or one of a later program. */
export const readDocumentKey = (key: string): DocumentKey | undefined => {
  const [, documentId, many, manyEpoch = '', hash = '', one, oneEpoch = ''] = pattern.exec(key) ?? []
  if (documentId === undefined) return undefined
  const epoch = Number.parseInt(manyEpoch || oneEpoch, 16)
  if (many === 'q') return { kind: 'proof', documentId, epoch, author: hash }
  if (many !== undefined) return { kind: many === 'e' ? 'envelope' : 'late', documentId, epoch, hash }
  if (one !== undefined) return { kind: one === 'g' ? 'genesis' : 'base', documentId, epoch }
  return { kind: 'summary', documentId }
}
