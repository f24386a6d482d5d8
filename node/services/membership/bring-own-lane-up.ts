import { partsOf } from './bring-lanes-up.ts'
import { type OwnZone, ownLaneEdits, ownLaneOf, ownLaneValues } from './own-lane.ts'
import type { Authority, ZoneDesk } from './zone-desk.ts'

/** Brings the zone's own lane up to what its slice of the topology says; nothing is written where it says so already. */
export const bringOwnLaneUp = async (desk: ZoneDesk, { owner }: Authority, zone: OwnZone): Promise<void> => {
  const { documents, self, log } = desk.options
  const id = await documents.create(ownLaneOf(self.scope), owner, self.signer)
  const standing = await documents.standing(id)
  const edits = ownLaneEdits(ownLaneValues(zone, desk.expectedScopes(), standing.keys()), standing)
  for (const part of partsOf(edits)) {
    const [result] = await documents.write([{ documentId: id, edit: () => part }], self.signer)
    if (result?.ok === false && result.refusal.code !== 'no-change')
      log.warn("the zone's own lane could not be written", { code: result.refusal.code, why: result.refusal.message })
  }
}
