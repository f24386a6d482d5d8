import type { Signer } from '../../../crdt/index.ts'
import type { Hash } from './revision.ts'

/** @param isTaken whether something had the id, now or before @returns 32 hexadecimal digits */
export type NewConfigId = (
  kind: 'application' | 'deployment',
  name: readonly string[],
  isTaken: (id: string) => boolean,
) => string

/**
 * Ids of what people name, out of a signature that nobody sees: the same name gets the same id again from a store that was
 * restored, and so sites take it for the same; who lacks the key cannot guess a name by its id. Needs signatures that are the
 * same for the same message, as those of Ed25519 are (RFC 8032, 5.1.6).
 */
export const configIds =
  (signer: Signer, hash: Hash): NewConfigId =>
  (kind, name, isTaken) => {
    for (let time = 0; ; time++) {
      const message = ['skerry/config-id/1', kind, ...name, String(time)].join('\n')
      const id = hash(Buffer.from(signer.sign(Buffer.from(message))).toString('hex')).slice(0, 32)
      if (!isTaken(id)) return id
    }
  }
