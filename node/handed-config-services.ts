import { SkerryError } from '../base/index.ts'
import type { ConfigKind, ConfigServices } from './api/index.ts'

/** Configuration at a site: readable as it was handed down, changed only above. */
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
      'configuration is changed at a tower or at an aggregator; here it can only be read',
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
    writeAll: refuse,
    patch: refuse,
    remove: refuse,
    topology: async () => topology(),
  }
}
