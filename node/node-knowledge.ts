import type { ScopePath } from '../base/index.ts'
import { scopeOfSite, visibleTo } from '../topologies/index.ts'
import type { EdgeHost } from './edge-host.ts'
import { type HandedQuestion, handedDown, intentsInside, namesOfHanded } from './handed-down.ts'
import { type Knowledge, knowledgeOfIntents } from './knowledge.ts'
import type { ReportDesk } from './report-desk.ts'
import type { ScopeLanes } from './scope-lanes.ts'
import { namesOfIntents, type SiteIntent } from './services/deployments/index.ts'
import type { SiteIntents } from './site-intents.ts'
import type { TowerDesk } from './tower-desk.ts'
import type { ZoneDesk } from './zone-desk.ts'

export interface NodeKnowledgeOptions extends Omit<HandedQuestion, 'topology' | 'effective' | 'told'> {
  readonly tree: () => HandedQuestion['topology']
  readonly tower: TowerDesk | undefined
  readonly edge: EdgeHost | undefined
  readonly zoneDesk: ZoneDesk | undefined
  readonly lanes: ScopeLanes
  readonly siteIntents: () => SiteIntents
  readonly reports: () => Pick<ReportDesk, 'hosts' | 'summaries' | 'intendedOrderOf'>
}

/** What a node knows at one moment: a tower from its configuration, others from what they were handed down. */
export const createNodeKnowledge = (options: NodeKnowledgeOptions) => {
  const { tower, edge, zoneDesk, siteIntents, reports, sight } = options
  const orderOf = (site: string) => siteIntents().orderOf(site) ?? reports().intendedOrderOf(site) ?? 0

  const ofZone = async () => {
    const effective = await options.lanes.effective()
    const told: HandedQuestion['told'] = async (child, tenant) => zoneDesk?.told(child, tenant)
    const question = { ...options, topology: options.tree(), effective, told }
    const handed = await handedDown(question)
    return { handed, intents: [...siteIntents().all(), ...(await intentsInside(question, handed))] }
  }

  /** What hosts of a site say may be read here: of others a row would be unknown for ever, beside what their zone counts. */
  const isHeard = (site: string): boolean => {
    const topology = options.tree()
    const scope = topology && scopeOfSite(topology, site)
    return topology === undefined || scope === undefined
      ? true
      : visibleTo(topology, scope, options.scope as ScopePath, 'reports') === 'all'
  }
  const heardOf = (known: Knowledge): Knowledge => ({
    ...known,
    entries: known.entries.filter(({ site }) => isHeard(site)),
  })

  return {
    /** What each site below is to do, as far as this zone knows: those right below as they were told. None at a tower. */
    intents: async (): Promise<readonly SiteIntent[]> =>
      tower || edge ? [] : (await ofZone()).intents.filter(({ site }) => isHeard(site)),
    knowledge: async (): Promise<Knowledge> => {
      const heard = reports().hosts()
      if (tower)
        return heardOf({
          ...(await tower.knowledge(heard)),
          summaries: reports().summaries(tower.names()),
          intentOrder: orderOf,
        })
      if (edge) {
        const accepted = edge.accepted()
        const intents = accepted ? [accepted] : []
        return knowledgeOfIntents(intents, heard, reports().summaries(namesOfIntents(intents)))
      }
      const { handed, intents } = await ofZone()
      const [told, known] = [namesOfHanded(handed), namesOfIntents(intents)]
      const summaries = reports().summaries((id, record) => told(id, record) ?? known(id, record))
      return heardOf({ ...knowledgeOfIntents(intents, heard, summaries, { handed, sight }), intentOrder: orderOf })
    },
  }
}
