import { laneOf, readListedScope } from './member-lanes.ts'
import type { MemberRecord } from './member-records.ts'
import type { ZoneDesk } from './zone-desk.ts'

/**
 * Takes from the lane of a site or zone below what another node of this zone wrote there, or this one before its disk went
 * back: the id of the scope, and hosts that were enrolled or got a newer certificate.
 * @returns whether anything was news
 */
export const followLane = async ({ options, register }: ZoneDesk, scope: string): Promise<boolean> => {
  const { documents } = options
  const record = register.scope(scope)
  const documentId = record && documents.idOf(laneOf(record))
  if (record === undefined || documentId === undefined) return false
  const listed = readListedScope(await documents.standing(documentId))
  const members = listed.hosts.flatMap((host): readonly MemberRecord[] => {
    const held = register.member(host.name)
    const { key, hostId, client, certificate, sealing } = host
    if (held?.scope !== scope || key === null || host.isGone) return []
    if (held.key !== null && held.certificate >= certificate) return []
    return [{ ...held, key, hostId, client, certificate, sealing }]
  })
  const id = listed.id ?? record.id
  const nextClient = Math.max(record.nextClient, ...listed.hosts.map((host) => host.client + 1))
  const isScopeNew = id !== record.id || nextClient !== record.nextClient
  if (!isScopeNew && members.length === 0) return false
  await register.save({
    members,
    ...(isScopeNew && { scopes: [{ ...record, id, nextClient }] }),
  })
  return true
}
