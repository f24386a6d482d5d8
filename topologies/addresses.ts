const dnsPattern = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i
const ipv6Pattern = /^\[(?=[^\]]*:[^\]]*:)[0-9a-f:.]{2,45}\]$/i

const isHost = (host: string): boolean => {
  if (/^[0-9.]+$/.test(host)) {
    const octets = host.split('.')
    return octets.length === 4 && octets.every((octet) => /^\d{1,3}$/.test(octet) && Number(octet) <= 255)
  }
  return host.startsWith('[') ? ipv6Pattern.test(host) : dnsPattern.test(host)
}

/** Why a text is no `host:port`, with what to write instead; undefined when it is one. */
export const addressProblem = (
  address: string,
): { readonly message: string; readonly suggestion: string } | undefined => {
  const shown = JSON.stringify(address.slice(0, 80))
  const scheme = /^[a-z0-9+]+:\/\//i.exec(address)?.[0]
  if (scheme !== undefined)
    return { message: `${shown} has a scheme`, suggestion: `write host:port, without ${scheme}` }
  const colon = address.endsWith(']') ? -1 : address.lastIndexOf(':')
  if (colon < 0 || address.slice(colon + 1) === '')
    return { message: `${shown} has no port`, suggestion: 'write host:port, like hub.example:8443' }
  const port = Number(/^\d{1,5}$/.exec(address.slice(colon + 1))?.[0] ?? 0)
  if (port < 1 || port > 65_535)
    return { message: `${shown} has no usable port`, suggestion: 'use a port from 1 to 65535' }
  if (!isHost(address.slice(0, colon)))
    return {
      message: `${shown} has no usable host`,
      suggestion: 'use a DNS name, an IPv4 address or [an IPv6 address]',
    }
  return undefined
}
