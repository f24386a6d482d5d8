import { InvalidInputError, SkerryError } from '../base/index.ts'
import type { Asked, ConfigChange, ConfigKind, ConfigObject, ConfigServices, ConfigWrite } from './api/index.ts'
import {
  type ConfigDocument,
  type ConfigState,
  type ConfigStore,
  createDeployments,
  createMemoryConfigStore,
  type Deployments,
  type DeploymentsOptions,
  type PutOptions,
  parseDocuments,
} from './services/deployments/index.ts'

const kindOf: Readonly<Record<ConfigDocument['kind'], ConfigKind>> = {
  application: 'applications',
  deployment: 'application-deployments',
}

export interface ConfigServicesOptions {
  readonly store: ConfigStore & { state(): ConfigState }
  readonly deployments: Deployments
  /** What the deployments were made with, for a trial run on a copy. */
  readonly trial: Omit<DeploymentsOptions, 'store'>
  readonly topology: () => Readonly<Record<string, unknown>>
}

const outcomes = { created: 'created', changed: 'updated', unchanged: 'unchanged' } as const

/** The one document of a request, of the kind and name its path says. */
const theDocument = (kind: ConfigKind, { body, name }: ConfigWrite): ConfigDocument => {
  const documents = parseDocuments(body.text, body.source)
  const refuse = (field: string, message: string) => {
    throw new InvalidInputError([{ source: body.source, field, message }])
  }
  const [document] = documents
  if (!document || documents.length > 1)
    return refuse('', `must be one document, not ${documents.length}; send them one by one`) as never
  if (kindOf[document.kind] !== kind) refuse('', `is an ${document.kind}, which does not belong under ${kind}`)
  if (name !== undefined && document.value.name !== name)
    refuse('name', `is ${document.value.name}, but the address names ${name}`)
  return document
}

const orderOf = (ifMatch: string | undefined, held: ConfigObject | undefined): PutOptions => {
  if (ifMatch === undefined) return {}
  if (ifMatch === '*') {
    if (held) return {}
    throw new SkerryError('precondition-failed', 'there is no such object, and the request asked for one that exists')
  }
  if (held?.etag !== ifMatch)
    throw new SkerryError(
      'precondition-failed',
      `the object changed since you read it (${ifMatch}, now ${held?.etag ?? 'gone'}): read it again and repeat the change`,
    )
  return { ifOrder: Number(ifMatch) }
}

/** Configuration as a tower holds it. */
export const createConfigServices = ({
  store,
  deployments,
  trial,
  topology,
}: ConfigServicesOptions): ConfigServices => {
  const list = async (kind: ConfigKind): Promise<readonly ConfigObject[]> =>
    kind === 'applications'
      ? (await store.listApplications()).map(({ name, order, revisions }) => ({
          name,
          etag: String(order),
          value: { ...revisions.at(-1)?.spec },
        }))
      : (await store.listDeployments()).map(({ order, spec }) => ({
          name: spec.name,
          etag: String(order),
          value: { ...spec },
        }))
  const read = async (kind: ConfigKind, name: string) => (await list(kind)).find((one) => one.name === name)

  /** Sites whose intent a change would touch, found by doing it on a copy. */
  const impactOf = async (change: (on: Deployments) => Promise<unknown>): Promise<readonly string[]> => {
    const copy = createMemoryConfigStore({ state: store.state() })
    const before = new Map((await copy.listIntents()).map((entry) => [`${entry.site}/${entry.application}`, entry]))
    await change(createDeployments({ ...trial, store: copy }))
    return (await copy.listIntents())
      .filter((entry) => JSON.stringify(before.get(`${entry.site}/${entry.application}`)) !== JSON.stringify(entry))
      .map(({ site, application, phase, version }) =>
        phase === 'retired'
          ? `site ${site}: ${application} is removed`
          : `site ${site}: ${application} ${version}`.trimEnd(),
      )
  }

  const write = async (kind: ConfigKind, asked: ConfigWrite): Promise<ConfigChange> => {
    const document = theDocument(kind, asked)
    const { name } = document.value
    const held = await read(kind, name)
    if (asked.mode === 'create' && held)
      throw new SkerryError('already-exists', `${document.kind} ${name} exists: change it with PUT, or skerry apply`)
    const options = orderOf(asked.ifMatch, held)
    if (asked.effect === 'validate') return { name, outcome: held ? 'updated' : 'created' }
    if (asked.effect === 'dry-run') {
      let outcome: ConfigChange['outcome'] = 'unchanged'
      const impact = await impactOf(async (on) => {
        outcome = outcomes[(await on.apply(document, options)).outcome]
      })
      return { name, outcome, impact }
    }
    const applied = await deployments.apply(document, options)
    return {
      name,
      outcome: outcomes[applied.outcome],
      etag: String(applied.order),
      ...(applied.notes.length > 0 && { impact: applied.notes }),
    }
  }

  const remove = async (
    kind: ConfigKind,
    name: string,
    asked: Asked & { readonly ifMatch?: string; readonly effect: ConfigWrite['effect'] },
  ): Promise<ConfigChange> => {
    const held = await read(kind, name)
    const options = orderOf(asked.ifMatch, held)
    const change = (on: Deployments) =>
      kind === 'applications' ? on.removeApplication(name, options) : on.removeDeployment(name, options)
    if (asked.effect !== 'apply') return { name, outcome: 'deleted', impact: await impactOf(change) }
    await change(deployments)
    return { name, outcome: 'deleted' }
  }

  return {
    list,
    read,
    versions: async (kind, name) => {
      if (kind !== 'applications') {
        const held = await read(kind, name)
        return held && [held]
      }
      const held = await store.getApplication(name)
      return held?.revisions.toReversed().map(({ spec, revision }) => ({ name, etag: revision, value: { ...spec } }))
    },
    write,
    remove,
    topology: async () => topology(),
  }
}

/** Configuration below the tower: readable as it was handed down, changed only above. */
export const createHandedConfigServices = (
  documents: () => readonly {
    readonly kind: ConfigKind
    readonly name: string
    readonly order: number
    readonly value: object
  }[],
  topology: () => Readonly<Record<string, unknown>>,
): ConfigServices => {
  const refuse = async (): Promise<never> => {
    throw new SkerryError(
      'read-only-here',
      'configuration is changed at the tower in this release; here it can only be read',
    )
  }
  const list = async (kind: ConfigKind) =>
    documents()
      .filter((one) => one.kind === kind)
      .map(({ name, order, value }) => ({ name, etag: String(order), value: { ...value } }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const read = async (kind: ConfigKind, name: string) => (await list(kind)).find((one) => one.name === name)
  return {
    list,
    read,
    versions: async (kind, name) => {
      const held = await read(kind, name)
      return held && [held]
    },
    write: refuse,
    remove: refuse,
    topology: async () => topology(),
  }
}
