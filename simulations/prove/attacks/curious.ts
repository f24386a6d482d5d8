import type { MeshLink } from '../../../mesh/index.ts'
import { ask } from '../../../node/links/index.ts'
import type { Doctor } from '../guard.ts'
import { goldEdge, ironEdge } from '../scenes.ts'
import { every, watchLinks, watchStore } from './watched.ts'

const everyMs = 2_000
const versionKey = /^r\/deployment-version\/([0-9a-f]{64})$/
const genesisKey = /^d\/([0-9a-f]{32})\/g\//

/** What somebody at one site lets a friend at another know: ids, which are no secret, and nothing they stand for. */
interface Gossip {
  readonly versions: Set<string>
  readonly revisions: Set<string>
}

const listen =
  (gossip: Gossip): Doctor =>
  (_machine, powers) =>
    watchStore(powers, ({ key, value }) => {
      const [, version] = versionKey.exec(key) ?? []
      if (version === undefined) return
      gossip.versions.add(version)
      const [, revision] = /"revision":"([0-9a-f]{64})"/.exec(Buffer.from(value).toString('latin1')) ?? []
      if (revision !== undefined) gossip.revisions.add(revision)
    })

/** An edge of the iron site that asks its parent for all its friend at the gold site has. */
const pry =
  (gossip: Gossip, what: 'versions' | 'blobs'): Doctor =>
  (_machine, powers) => {
    let link: MeshLink | undefined
    const documents = new Set<string>()
    const question = (): readonly ['versions' | 'blob', unknown][] =>
      what === 'versions'
        ? [['versions', { v: 1, ids: [...gossip.versions] }]]
        : [...gossip.revisions].flatMap((revision) =>
            [...documents].map((document): ['blob', unknown] => [
              'blob',
              {
                v: 1,
                tenant: '0'.repeat(32),
                digest: `sha256:${revision}`,
                reference: { document, application: '0'.repeat(32) },
                offset: 0,
              },
            ]),
          )
    every(powers, everyMs, () => {
      for (const [purpose, asked] of question())
        if (link)
          ask(link, purpose, asked).then(
            async ({ body }) => {
              for await (const _ of body);
            },
            () => {},
          )
    })
    const noting = watchStore(powers, ({ key }) => {
      const [, document] = genesisKey.exec(key) ?? []
      if (document !== undefined) documents.add(document)
    })
    return watchLinks(noting, (made) => {
      link = made
    })
  }

const curious = (what: 'versions' | 'blobs') => (): Doctor => {
  const gossip: Gossip = { versions: new Set(), revisions: new Set() }
  const [atGold, atIron] = [listen(gossip), pry(gossip, what)]
  return (machine, powers) => {
    if (machine === goldEdge) return atGold(machine, powers)
    return machine === ironEdge ? atIron(machine, powers) : powers
  }
}

/** Asks for signed versions of other sites. */
export const curiousOfVersions = curious('versions')
/** Asks for specifications of other sites. */
export const curiousOfBlobs = curious('blobs')
