/** A host of the site as the member lane lists it. */
export interface ViewHost {
  /** The id its keys begin with. */
  readonly hostId: string
  /** Given by the parent when it admits the host, and never given again in the site: 1 to 4,294,967,295. */
  readonly clientId: number
}

const hostIdPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,126}$/
const highestClientId = 0xffffffff

/**
 * The hosts by their client ids.
 * @throws {RangeError} when an id has the wrong form or is there twice: the member lane would be wrong
 */
export const hostsByClient = (hosts: readonly ViewHost[]): ReadonlyMap<number, ViewHost> => {
  for (const { hostId, clientId } of hosts) {
    if (!hostIdPattern.test(hostId)) throw new RangeError(`${JSON.stringify(hostId)} is not the id of a host`)
    if (!Number.isInteger(clientId) || clientId < 1 || clientId > highestClientId)
      throw new RangeError(`the client id of ${hostId} is not a number from 1 to ${highestClientId}`)
  }
  const byClient = new Map(hosts.map((host) => [host.clientId, host]))
  if (byClient.size !== hosts.length || new Set(hosts.map(({ hostId }) => hostId)).size !== hosts.length)
    throw new RangeError('two hosts of the site have one id or one client id')
  return byClient
}

/** Whether a host may write under the key: its id alone, or `<id>/<field>`. */
export const ownsKey = ({ hostId }: ViewHost, key: string): boolean =>
  key.length <= 256 && (key === hostId || key.startsWith(`${hostId}/`))
