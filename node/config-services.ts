import { InvalidInputError, nameHint, type Problem, SkerryError } from '../base/index.ts'
import type {
  Asked,
  ConfigBatch,
  ConfigChange,
  ConfigKind,
  ConfigObject,
  ConfigServices,
  ConfigWrite,
  DocumentChange,
} from './api/index.ts'
import { mergePatch } from './merge-patch.ts'
import {
  type ConfigDocument,
  type ConfigState,
  type ConfigStore,
  createDeployments,
  createMemoryConfigStore,
  type Deployments,
  type DeploymentsOptions,
  type ImageCatalogue,
  type PutOptions,
  parseApplication,
  parseDeployment,
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
  if (kindOf[document.kind] !== kind)
    refuse(
      '',
      `is ${document.kind === 'application' ? 'an application' : 'a deployment'}, which does not belong under ${kind}`,
    )
  if (name !== undefined && document.value.name !== name)
    refuse('name', `is ${document.value.name}, but the address names ${name}`)
  return document
}

/** Every document of several files, applications first; all problems of all files at once. */
const allDocuments = (files: ConfigBatch['files']): readonly ConfigDocument[] => {
  const problems: Problem[] = []
  const documents = files.flatMap(({ text, source }) => {
    try {
      return parseDocuments(text, source)
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error
      problems.push(...error.problems)
      return []
    }
  })
  if (problems.length > 0) throw new InvalidInputError(problems)
  return documents.toSorted((a, b) => Number(a.kind === 'deployment') - Number(b.kind === 'deployment'))
}

/** The images held and those that will be. */
const withComing = (held: ImageCatalogue, coming: ConfigBatch['images']): ImageCatalogue => ({
  resolve: (name) => {
    const image = coming.find((one) => one.name === name)
    return image ? { digest: image.digest, archive: '' } : held.resolve(name)
  },
  names: () => [...new Set([...coming.map(({ name }) => name), ...held.names()])].toSorted(),
})

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

  /** A copy to try changes on; each answers the sites whose intent it would touch. */
  const createTrial = (images: ImageCatalogue = trial.images) => {
    const copy = createMemoryConfigStore({ state: store.state() })
    const on = createDeployments({ ...trial, images, store: copy })
    return async (change: (on: Deployments) => Promise<unknown>): Promise<readonly string[]> => {
      const before = new Map((await copy.listIntents()).map((entry) => [`${entry.site}/${entry.application}`, entry]))
      await change(on)
      return (await copy.listIntents())
        .filter((entry) => JSON.stringify(before.get(`${entry.site}/${entry.application}`)) !== JSON.stringify(entry))
        .map(({ site, application, phase, version }) =>
          phase === 'retired'
            ? `site ${site}: ${application} is removed`
            : `site ${site}: ${application} ${version}`.trimEnd(),
        )
    }
  }

  const tryOne = async (
    attempt: ReturnType<typeof createTrial>,
    document: ConfigDocument,
    options: PutOptions = {},
  ): Promise<ConfigChange> => {
    let outcome: ConfigChange['outcome'] = 'unchanged'
    const impact = await attempt(async (on) => {
      outcome = outcomes[(await on.apply(document, options)).outcome]
    })
    return { name: document.value.name, outcome, impact }
  }

  const applyOne = async (document: ConfigDocument, options: PutOptions = {}): Promise<ConfigChange> => {
    const { name, outcome, order, notes } = await deployments.apply(document, options)
    return {
      name,
      outcome: outcomes[outcome],
      etag: String(order),
      ...(notes.length > 0 && { impact: notes }),
    }
  }

  const writeOne = async (
    document: ConfigDocument,
    held: ConfigObject | undefined,
    effect: ConfigWrite['effect'],
    options: PutOptions,
  ): Promise<ConfigChange> => {
    if (effect === 'validate') return { name: document.value.name, outcome: held ? 'updated' : 'created' }
    return effect === 'dry-run' ? tryOne(createTrial(), document, options) : applyOne(document, options)
  }

  const write = async (kind: ConfigKind, asked: ConfigWrite): Promise<ConfigChange> => {
    const document = theDocument(kind, asked)
    const { name } = document.value
    const held = await read(kind, name)
    if (asked.mode === 'create' && held)
      throw new SkerryError(
        'already-exists',
        `${document.kind} ${name} exists: change it with PUT, or "skerry apply -f FILE"`,
      )
    return writeOne(document, held, asked.effect, orderOf(asked.ifMatch, held))
  }

  const patch: ConfigServices['patch'] = async (kind, name, asked) => {
    const held = await read(kind, name)
    if (!held) {
      const names = (await list(kind)).map((one) => one.name)
      const word = kind === 'applications' ? 'application' : 'deployment'
      throw new SkerryError('not-found', `there is no ${word} ${name} to change; ${nameHint(name, names)}`)
    }
    orderOf(asked.ifMatch, held)
    const value = mergePatch(held.value, asked.patch)
    if (value.name !== name)
      throw new InvalidInputError([{ source: asked.source, field: 'name', message: 'cannot be changed' }])
    const document: ConfigDocument =
      kind === 'applications'
        ? { kind: 'application', value: parseApplication(value, asked.source) }
        : { kind: 'deployment', value: parseDeployment(value, asked.source) }
    // What was merged into must still be there when it is written.
    return writeOne(document, held, asked.effect, { ifOrder: Number(held.etag) })
  }

  const writeAll = async ({ files, images, effect }: ConfigBatch): Promise<readonly DocumentChange[]> => {
    const documents = allDocuments(files)
    const changes: DocumentChange[] = []
    const add = (document: ConfigDocument, { etag: _, ...change }: ConfigChange) =>
      changes.push({ kind: document.kind, ...change })
    if (effect === 'validate') {
      for (const document of documents) {
        const held = await read(kindOf[document.kind], document.value.name)
        add(document, await writeOne(document, held, effect, {}))
      }
      return changes
    }
    const attempt = createTrial(withComing(trial.images, images))
    for (const document of documents) add(document, await tryOne(attempt, document))
    if (effect === 'dry-run') return changes
    changes.length = 0
    for (const document of documents) add(document, await applyOne(document))
    return changes
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
    if (asked.effect !== 'apply') return { name, outcome: 'deleted', impact: await createTrial()(change) }
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
    writeAll,
    patch,
    remove,
    topology: async () => topology(),
  }
}
