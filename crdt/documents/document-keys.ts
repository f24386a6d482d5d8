/** Everything of the documents is under this; other parts of a node use other prefixes. */
export const documentsPrefix = 'd/'

/** Eight digits, so that epochs sort by number. */
const epochPart = (epoch: number): string => epoch.toString(16).padStart(8, '0')

export const envelopePrefix = (documentId: string, epoch: number): string => `d/${documentId}/e/${epochPart(epoch)}/`
export const envelopeKey = (documentId: string, epoch: number, hash: string): string =>
  `${envelopePrefix(documentId, epoch)}${hash}`
export const genesisKey = (documentId: string, epoch: number): string => `d/${documentId}/g/${epochPart(epoch)}`
export const summaryKey = (documentId: string): string => `d/${documentId}/s`

/** What a key of the documents says; keys of one document are neighbours: its envelopes, geneses, summary. */
export type DocumentKey =
  | { readonly kind: 'envelope'; readonly documentId: string; readonly epoch: number; readonly hash: string }
  | { readonly kind: 'genesis'; readonly documentId: string; readonly epoch: number }
  | { readonly kind: 'summary'; readonly documentId: string }

const pattern = /^d\/([0-9a-f]{32})\/(?:e\/([0-9a-f]{8})\/([0-9a-f]{64})|g\/([0-9a-f]{8})|(s))$/

/** Undefined for a key that is none of these: a flipped bit, or one of a later program. */
export const readDocumentKey = (key: string): DocumentKey | undefined => {
  const [, documentId, epoch, hash, genesisEpoch, summary] = pattern.exec(key) ?? []
  if (documentId === undefined) return undefined
  if (summary !== undefined) return { kind: 'summary', documentId }
  if (genesisEpoch !== undefined) return { kind: 'genesis', documentId, epoch: Number.parseInt(genesisEpoch, 16) }
  return { kind: 'envelope', documentId, epoch: Number.parseInt(epoch ?? '', 16), hash: hash ?? '' }
}
