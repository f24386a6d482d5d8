import type { Random } from '../../../base/index.ts'
import { pause } from '../../demo/index.ts'
import { changing, deploymentDocument, deploymentOf, type Version } from './applications.ts'
import type { Wanted } from './change-ledger.ts'
import { askChange } from './tower-client.ts'
import type { TreeScene } from './tree-scene.ts'

/** Time between the answer to a change and the next one of the same application. A plain process takes longer to start. */
const pausesMs = { containerd: { least: 200, most: 1_500 }, process: { least: 800, most: 4_000 } } as const

export interface Ask {
  readonly kind: 'put' | 'rollback' | 'remove'
  readonly to: Wanted
}

/** The next change of an application that is at `now`: another version, the same by rolling back, or its removal. */
export const drawAsk = (random: Random, now: Wanted): Ask => {
  const unit = random.unit()
  if (now === undefined) return { kind: 'put', to: unit < 0.5 ? '1' : '2' }
  const other: Version = now === '1' ? '2' : '1'
  if (unit < 0.12) return { kind: 'remove', to: undefined }
  return { kind: unit < 0.4 ? 'rollback' : 'put', to: other }
}

const ask = async ({ world, ledger }: TreeScene, application: string, { kind, to }: Ask) => {
  const socket = world.node('tower')['api-socket']
  const deployment = deploymentOf(application)
  const answered = ledger.ask(application, to)
  const config = `/v1/config/application-deployments/${deployment}`
  const json = { mediaType: 'application/json', text: JSON.stringify({ 'to-version': to }) }
  const yaml = { mediaType: 'application/yaml', text: to === undefined ? '' : deploymentDocument(application, to) }
  const sent =
    kind === 'remove'
      ? askChange(socket, 'DELETE', config)
      : kind === 'rollback'
        ? askChange(socket, 'POST', `/v1/state/application-deployments/${deployment}/rollback`, json)
        : askChange(socket, 'PUT', config, yaml)
  const { answer, why } = await sent
  answered(answer)
  return { answer, why }
}

/**
 * Changes versions through the tower's API all the time, each application on its own.
 * @returns how to end it; that resolves once nothing is asked any more and every answer is written down
 */
export const startLoad = (scene: TreeScene, random: Random): (() => Promise<void>) => {
  const { least, most } = pausesMs[scene.place.driver]
  let isOver = false
  const work = async (application: string) => {
    const own = random.fork(application)
    while (!isOver) {
      const { answer, why } = await ask(scene, application, drawAsk(own, scene.ledger.candidates(application).at(-1)))
      if (answer === 'refused' && why?.startsWith('4')) scene.refusals.push(`${application}: ${why}`)
      const waitMs = least + own.unit() * (most - least)
      for (let waited = 0; waited < waitMs && !isOver; waited += 50) await pause(50)
    }
  }
  const workers = Promise.all(changing.map(work))
  return async () => {
    isOver = true
    await workers
  }
}
