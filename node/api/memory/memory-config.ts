import { parse, parseAllDocuments, stringify } from 'yaml'
import { InvalidInputError, SkerryError } from '../../../base/index.ts'
import type { ConfigChange, ConfigKind, ConfigObject, ConfigServices, ConfigWrite } from '../services.ts'

interface Stored {
  readonly value: Record<string, unknown>
  readonly order: number
}

/** Configuration in memory: takes any document with a name; a field `colour` is refused. */
export const createMemoryConfig = (): ConfigServices => {
  const stored: Record<ConfigKind, Map<string, Stored>> = {
    applications: new Map(),
    'application-deployments': new Map(),
  }
  let order = 0
  const etag = (found: Stored) => `v${found.order}`
  const objectOf = (name: string, found: Stored): ConfigObject => ({ name, etag: etag(found), value: found.value })
  const sorted = (kind: ConfigKind) => [...stored[kind]].toSorted(([a], [b]) => (a < b ? -1 : 1))
  const checkMatch = (found: Stored | undefined, ifMatch: string | undefined) => {
    if (ifMatch === undefined || (found && (ifMatch === '*' || ifMatch === etag(found)))) return
    throw new SkerryError('precondition-failed', 'the object is not the one you read: read it again')
  }
  const parsed = ({ body, name }: Pick<ConfigWrite, 'body' | 'name'>): Record<string, unknown> & { name: string } => {
    const value = parse(body.text) as Record<string, unknown> | null
    const problem = (field: string, message: string) =>
      new InvalidInputError([{ source: body.source, line: 1, field, message }])
    if (typeof value?.name !== 'string') throw problem('name', 'is missing')
    if (name !== undefined && value.name !== name) throw problem('name', `is not ${name}`)
    if ('colour' in value) throw problem('colour', 'unknown field')
    return value as Record<string, unknown> & { name: string }
  }
  const write = async (kind: ConfigKind, write: Omit<ConfigWrite, 'caller' | 'signal'>): Promise<ConfigChange> => {
    const value = parsed(write)
    const found = stored[kind].get(value.name)
    checkMatch(found, write.ifMatch)
    if (found && write.mode === 'create') throw new SkerryError('already-exists', `${value.name} exists already`)
    const same = found && JSON.stringify(found.value) === JSON.stringify(value)
    const outcome = same ? 'unchanged' : found ? 'updated' : 'created'
    const impact = ['site shop-1']
    if (write.effect !== 'apply') return { name: value.name, outcome, impact }
    const now = same ? found : { value, order: ++order }
    stored[kind].set(value.name, now)
    return { name: value.name, outcome, etag: etag(now) }
  }
  return {
    list: async (kind) => sorted(kind).map(([name, found]) => objectOf(name, found)),
    read: async (kind, name) => {
      const found = stored[kind].get(name)
      return found && objectOf(name, found)
    },
    versions: async (kind, name) => {
      const found = stored[kind].get(name)
      return found && [objectOf(name, found)]
    },
    write,
    writeAll: async ({ files, effect }) => {
      const documents = files.flatMap(({ text, source }) =>
        [...parseAllDocuments(text)].map((document) => {
          const value = document.toJS() as Record<string, unknown>
          const kind = 'application' in value ? ('deployment' as const) : ('application' as const)
          return { kind, body: { text: stringify(value), mediaType: 'application/yaml' as const, source } }
        }),
      )
      const changes = []
      for (const { kind, body } of documents.toSorted((a, b) => (a.kind < b.kind ? -1 : 1))) {
        const of = kind === 'application' ? 'applications' : 'application-deployments'
        const { etag: _, ...change } = await write(of, { body, mode: 'replace', effect })
        changes.push({ kind, ...change })
      }
      return changes
    },
    patch: async (kind, name, { patch, ifMatch, effect, source }) => {
      const found = stored[kind].get(name)
      if (!found) throw new SkerryError('not-found', `there is no ${name}`)
      const text = stringify({ ...found.value, ...patch })
      const body = { text, mediaType: 'application/yaml' as const, source }
      return write(kind, { name, body, mode: 'replace', effect, ...(ifMatch !== undefined && { ifMatch }) })
    },
    remove: async (kind, name, { effect, ifMatch }) => {
      const found = stored[kind].get(name)
      if (!found) throw new SkerryError('not-found', `there is no ${name}`)
      checkMatch(found, ifMatch)
      if (effect === 'apply') stored[kind].delete(name)
      return { name, outcome: 'deleted' }
    },
    topology: async () => ({ version: 1, network: 'demo' }),
  }
}
