import type { PeerKey } from './mesh.ts'

/** The first thing each end of a plain local link says. */
export interface Hello {
  readonly version: number
  readonly name: PeerKey
  readonly network: string
}

export const encodeHello = (hello: Hello): Uint8Array => new TextEncoder().encode(JSON.stringify(hello))

/** Who the other end is, and in words why it is refused, if it is. */
export const checkHello = (self: Hello, payload: Uint8Array): { peer: PeerKey; refusal?: string } => {
  const hello = parseHello(payload)
  if (!hello) return { peer: '', refusal: 'the greeting is not readable' }
  const { name: peer, network, version } = hello
  if (version > self.version)
    return {
      peer,
      refusal: `${peer} speaks version ${version} of the local link, ${self.name} only ${self.version}: update ${self.name}`,
    }
  if (version < self.version)
    return {
      peer,
      refusal: `${peer} speaks version ${version} of the local link, ${self.name} already ${self.version}: update ${peer}`,
    }
  if (network !== self.network)
    return { peer, refusal: `${peer} belongs to network ${network}, ${self.name} to ${self.network}` }
  return { peer }
}

const parseHello = (payload: Uint8Array): Hello | undefined => {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload))
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { version, name, network } = value as Record<string, unknown>
  const isLabel = (text: unknown): text is string => typeof text === 'string' && /^[\x21-\x7e]{1,200}$/.test(text)
  return Number.isSafeInteger(version) && isLabel(name) && isLabel(network)
    ? { version: version as number, name, network }
    : undefined
}
