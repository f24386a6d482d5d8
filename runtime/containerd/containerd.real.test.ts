import test from 'ava'
import { containersContract } from '../containers.contract.ts'
import { createRealHost, type RealHost, whySkipped } from './real-host.contract.ts'

const why = whySkipped()
if (why !== undefined) test.skip(`contract containers · containerd (skipped: ${why})`, () => {})
else {
  let host: Promise<RealHost> | undefined
  containersContract(test, 'containerd', () => {
    host ??= createRealHost('con')
    return host
  })
  test.after.always('nothing of the machine is left', async (t) => {
    t.deepEqual(await (await host)?.destroy(), [])
  })
}
