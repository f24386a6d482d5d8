import { errorText, SkerryError } from '../../base/index.ts'
import type { SkerryNode } from '../../node/index.ts'
import type { World } from '../world/index.ts'
import type { VersionLedger } from './ledger.ts'
import { firstVersion } from './plan.ts'
import { applicationText, deploymentName, deploymentText, guestDeploymentText, guestName } from './shown-application.ts'

export const asked = {
  caller: { tenant: 'default', user: 'operator' },
  signal: new AbortController().signal,
} as const

/** How long an operator waits for an answer before it counts as none. */
const patienceMs = 30_000

const document = (text: string) => ({
  ...asked,
  body: { text, mediaType: 'application/yaml' as const, source: 'simulated.yaml' },
  mode: 'replace' as const,
  effect: 'apply' as const,
})

/** What a call into a process that has ended throws. */
const wentAway = (error: unknown): boolean => error instanceof SkerryError && error.code === 'power-revoked'

/** What came of one change. */
export interface Answer {
  /** The version that is wanted from now on, or may be. */
  readonly version: string
  readonly refused: string | undefined
  readonly answeredMs: number
}

/** Somebody at the tower who deploys one application, one version after the other. */
export interface Operator {
  /** Asks for a version everywhere; `answered` hears once, while the world runs. */
  deploy(version: string, answered: (answer: Answer) => void): void
  /** Puts out the second application, which goes where its label is. @throws {SkerryError} as the tower says */
  deployGuest(): Promise<void>
  /** Takes the newest version back, to the one before or a named one. */
  rollback(version: string | undefined, answered: (answer: Answer) => void): void
}

export const createOperator = (world: World, ledger: VersionLedger): Operator => {
  const known: string[] = []
  const tower = () => world.machines.find(({ place, node }) => place.role === 'tower' && node())?.node()

  const change = (
    versions: ReadonlySet<string>,
    answered: (answer: Answer) => void,
    work: (node: SkerryNode) => Promise<string>,
  ) => {
    const askedMs = world.nowMs()
    const at = ledger.ask(versions)
    let isOver = false
    const finish = (outcome: 'done' | 'refused' | 'unknown', version: string, refused: string | undefined) => {
      if (isOver) return
      isOver = true
      ledger.answer(at, outcome, outcome === 'done' ? version : undefined)
      answered({ version, refused, answeredMs: world.nowMs() - askedMs })
    }
    const [first = ''] = versions
    const node = tower()
    if (!node) return finish('refused', '', 'no tower answers')
    world.at(askedMs + patienceMs, 'operator gives up', () =>
      finish('unknown', first, `no answer within ${patienceMs / 1000} s`),
    )
    work(node).then(
      (version) => finish('done', version, undefined),
      // It may be done in part, so it may come into force.
      (error: unknown) =>
        finish('unknown', '', wentAway(error) ? 'the tower went away before it answered' : errorText(error)),
    )
  }

  return {
    deploy: (version, answered) => {
      if (!known.includes(version)) known.push(version)
      change(new Set([version]), answered, async ({ services: { config } }) => {
        await config.write('applications', document(applicationText(version)))
        await config.write('application-deployments', document(deploymentText(version)))
        return version
      })
    },
    deployGuest: async () => {
      const config = tower()?.services.config
      await config?.write('applications', document(applicationText(firstVersion, guestName)))
      await config?.write('application-deployments', document(guestDeploymentText(firstVersion)))
    },
    rollback: (version, answered) =>
      change(new Set(version === undefined ? known : [version]), answered, async ({ services: { operations } }) => {
        const toVersion = version === undefined ? {} : { toVersion: version }
        const done = await operations.rollback(deploymentName, { ...asked, ...toVersion })
        return done['to-version']
      }),
  }
}
