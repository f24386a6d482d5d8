import {
  type Capability,
  type Certificate,
  capabilities,
  type OwnerId,
  type SignedRecord,
} from '../../../crdt/index.ts'

/** What nodes of a role may do, sorted. A host writes the local lane of its site; a tower and an aggregator do all. */
export const capabilitiesOf = (role: Certificate['role']): readonly Capability[] =>
  role === 'edge' ? ['join', 'report', 'store', 'write'] : capabilities.toSorted()

/** What a certificate says, but for its number and dates. */
export type CertificateContent = Omit<Certificate, 'kind' | 'number' | 'fromMs' | 'untilMs'>

export interface CertificateQuestion {
  readonly network: string
  readonly issuer: { readonly id: OwnerId; readonly generation: number }
  readonly key: string
  readonly host: string
  readonly role: Certificate['role']
  readonly scope: string
  readonly site: string | null
  /** The key others seal to, as the node said it when it joined; null where it never did. */
  readonly sealing: string | null
}

export const contentOf = ({ issuer, role, ...rest }: CertificateQuestion): CertificateContent => ({
  ...rest,
  role,
  capabilities: capabilitiesOf(role),
  issuer: issuer.id,
  generation: issuer.generation,
})

/** Less than this part of its time left, and a certificate is renewed. */
const renewBelow = 0.5

/**
 * Why an enrolled key needs a new certificate; undefined while the one it has is good. A newer generation of an issuer that
 * still has the key which signed is no reason: a certificate is judged by the keys of now.
 * @param held the newest known of the key that its issuer's keys of now vouch for
 * @param highest the highest number known of the key
 */
export const renewalOf = (
  held: SignedRecord<Certificate> | undefined,
  wanted: CertificateContent,
  highest: number,
  trustedNowMs: number | undefined,
): 'none' | 'changed' | 'superseded' | 'early' | 'ends' | undefined => {
  if (held === undefined) return 'none'
  const { body } = held
  if (body.number < highest) return 'superseded'
  const isSame =
    body.role === wanted.role &&
    body.scope === wanted.scope &&
    body.site === wanted.site &&
    body.host === wanted.host &&
    body.issuer === wanted.issuer &&
    body.sealing === wanted.sealing &&
    body.capabilities.join(' ') === wanted.capabilities.join(' ')
  if (!isSame) return 'changed'
  if (trustedNowMs === undefined) return undefined
  if (trustedNowMs < body.fromMs) return 'early'
  return body.untilMs - trustedNowMs < (body.untilMs - body.fromMs) * renewBelow ? 'ends' : undefined
}
