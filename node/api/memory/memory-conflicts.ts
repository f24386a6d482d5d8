import { SkerryError } from '../../../base/index.ts'
import type { ConflictView } from '../conflict-views.ts'
import type { ConflictServices } from '../services.ts'

const shop: ConflictView = {
  application: 'shop',
  'application-id': '5a'.repeat(16),
  scope: '/north',
  'since-ms': 90_000,
  candidates: [
    {
      id: 'a1b2c3d4e5f6',
      voice: 'intent',
      scope: '/',
      by: 'tower',
      version: '3',
      revision: 'cc'.repeat(32),
      deployment: 'shop-rollout',
      sites: [],
      runs: false,
    },
    {
      id: 'f6e5d4c3b2a1',
      voice: 'local',
      scope: '/north',
      by: 'north-aggregator',
      version: '2-north',
      revision: 'dd'.repeat(32),
      deployment: 'shop-rollout',
      sites: ['n1', 'n2'],
      runs: true,
    },
  ],
  withheld: [],
  'can-settle': true,
  note: 'end it with "skerry conflicts settle shop --take CANDIDATE --zone /north"',
}

/** One conflict, about `shop`, until it is settled. */
export const createMemoryConflicts = (): ConflictServices => {
  let open: readonly ConflictView[] = [shop]
  return {
    list: async () => open,
    settle: async (application, { take }) => {
      const conflict = open.find((one) => one.application === application)
      const voice = take === 'local' ? 'local' : take === 'above' ? 'intent' : undefined
      const taken = conflict?.candidates.find((one) => one.id.startsWith(take) || one.voice === voice)
      if (conflict === undefined || taken === undefined)
        throw new SkerryError('not-found', `there is no conflict about ${application} with a candidate ${take} here`)
      open = []
      const { id, voice: of, scope, version = '' } = taken
      return { application, scope: conflict.scope, taken: { id, voice: of, scope, version } }
    },
  }
}
