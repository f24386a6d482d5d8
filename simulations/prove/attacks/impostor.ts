import { parseScopePath, silentLog } from '../../../base/index.ts'
import { createMemoryDisk } from '../../../crdt/index.ts'
import { createNode, type NodeConfig, type NodePowers } from '../../../node/index.ts'
import { createBlobStoreOver, createMemoryBlobDisk, type StateFile } from '../../../node/powers/index.ts'
import { createSimulatedHost } from '../../../runtime/index.ts'
import { simulatedConfig } from '../../world/index.ts'
import type { Doctor } from '../guard.ts'
import { goldEdge, goldScope, ironEdge, northGate } from '../scenes.ts'

/** It comes once everybody is where they belong. */
const comesAfterMs = 8_000

const files = (): NodePowers['stateFile'] => {
  const texts = new Map<string, string>()
  return <Value>(name: string): StateFile<Value> => ({
    load: () => {
      const text = texts.get(name)
      return text === undefined ? undefined : (JSON.parse(text) as Value)
    },
    save: (value) => void texts.set(name, JSON.stringify(value)),
  })
}

const configOf = (networkId: string): NodeConfig =>
  simulatedConfig({
    name: goldEdge,
    role: 'edge',
    scope: parseScopePath(goldScope),
    networkId,
    site: goldScope.slice(goldScope.lastIndexOf('/') + 1),
    dataDir: '/nowhere',
    runDir: '/nowhere/run',
    parents: [northGate],
    hostId: 'another machine',
    logLevel: 'error',
  })

/**
 * A second node on the machine of the iron site: it has found the token with which the gold one joined, and says it is
 * that one, with a key of its own.
 */
export const impostor = (): Doctor => {
  let token = ''
  return (machine, powers) => {
    if (machine === goldEdge)
      return {
        ...powers,
        joinTokens: () => {
          const tokens = powers.joinTokens()
          token = tokens[0] ?? token
          return tokens
        },
      }
    if (machine !== ironEdge) return powers
    return {
      ...powers,
      openMesh: (identity) => {
        const random = powers.random.fork('impostor')
        const stateFile = files()
        powers.clock.setTimer(comesAfterMs, () => {
          const node = createNode(configOf(identity.networkId), {
            ...powers,
            random,
            log: silentLog,
            stateFile,
            containers: createSimulatedHost({ clock: powers.clock }).connect(),
            store: createMemoryDisk().store(),
            blobs: createBlobStoreOver({
              files: createMemoryBlobDisk((hex) => hex).files(),
              pinsFile: stateFile('pins'),
              random: random.fork('blobs'),
            }),
            hostId: 'another machine',
            joinTokens: () => [token],
          })
          node.start().catch(() => {})
        })
        return powers.openMesh(identity)
      },
    }
  }
}
