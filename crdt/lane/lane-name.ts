import { parseName, parseScopePath, type ScopePath, SkerryError } from '../../base/index.ts'
import { type Lane, laneOwner } from '../authority/index.ts'

/** Which lane a document is. Who may write it follows from the name: `laneOwner`. */
export type LaneName = Exclude<Lane, { readonly kind: 'tenant' }> | TenantLane

/** A tenant's configuration, cut into sections so that no document grows without need. */
export interface TenantLane {
  readonly kind: 'tenant'
  readonly tenant: string
  readonly section: string
}

export type LaneKind = LaneName['kind']

/** `/de/bavaria` is written `.de.bavaria` and the root `.`: names hold no dots, so a scope is one part of the name. */
const writeScope = (scope: ScopePath): string => scope.replaceAll('/', '.')

const refuse = (text: string): never => {
  throw new SkerryError('invalid-lane-name', `${JSON.stringify(text.slice(0, 120))} is not the name of a lane`)
}

const readScope = (part: string): ScopePath =>
  part.startsWith('.') ? parseScopePath(part.replaceAll('.', '/')) : refuse(part)

/** The id of an owner: 16 random bytes, or 24 bytes of the hash of its first key list. */
const readTenant = (part: string): string => (/^([0-9a-f]{32}|[0-9a-f]{48})$/.test(part) ? part : refuse(part))

/** The one written form: `intent/.de.bavaria/<tenant>/.de`. */
export const formatLaneName = (name: LaneName): string => {
  switch (name.kind) {
    case 'tenant':
      return `tenant/${name.tenant}/${name.section}`
    case 'intent':
      return `intent/${writeScope(name.scope)}/${name.tenant}/${writeScope(name.owner)}`
    case 'local':
    case 'access':
      return `${name.kind}/${writeScope(name.scope)}/${name.tenant}`
    case 'zone':
      return `zone/${writeScope(name.scope)}/${name.side}`
    case 'member':
    case 'report':
      return `${name.kind}/${writeScope(name.scope)}`
  }
}

const readParts = (text: string): LaneName => {
  const [kind, a = '', b = '', c = ''] = text.split('/')
  if (kind === 'tenant') return { kind, tenant: readTenant(a), section: parseName(b) }
  if (kind === 'intent') return { kind, scope: readScope(a), tenant: readTenant(b), owner: readScope(c) }
  if (kind === 'local' || kind === 'access') return { kind, scope: readScope(a), tenant: readTenant(b) }
  if (kind === 'zone' && (b === 'parent' || b === 'own')) return { kind, scope: readScope(a), side: b }
  if (kind === 'member' || kind === 'report') return { kind, scope: readScope(a) }
  return refuse(text)
}

/**
 * @throws {SkerryError} `invalid-lane-name` or `invalid-id` when the text names no lane, is not its written form, or is
 * of a lane nobody may write, like an intent whose owner is not the scope's direct parent
 */
export const parseLaneName = (text: string): LaneName => {
  const name = readParts(text)
  return formatLaneName(name) === text && laneOwner(name) !== undefined ? name : refuse(text)
}

/** Whether `parseLaneName` takes the text. */
export const isLaneName = (text: string): boolean => {
  try {
    return parseLaneName(text) !== undefined
  } catch (error) {
    if (error instanceof SkerryError) return false
    throw error
  }
}
