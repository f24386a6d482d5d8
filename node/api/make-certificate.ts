import 'reflect-metadata' // first: @peculiar/x509 does not load without it
import { webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import * as x509 from '@peculiar/x509'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

const pem = (label: string, der: ArrayBuffer): string =>
  `-----BEGIN ${label}-----\n${Buffer.from(der)
    .toString('base64')
    .replace(/.{64}(?!$)/g, '$&\n')}\n-----END ${label}-----\n`

/**
 * A self-signed P-256 certificate for a node and for the loopback address, with its key.
 * @returns the key (PKCS #8) and the certificate, both in PEM, in one text
 */
export const makeCertificate = async (name: string, address: string): Promise<string> => {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const addresses = [...new Set(['127.0.0.1', address])].filter((one) => isIP(one) !== 0)
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [name] }],
    keys,
    signingAlgorithm: algorithm,
    // A node without a battery-backed clock boots in 1970 and must be able to serve at once, so the certificate is valid
    // from then on. The end is the date RFC 5280 section 4.1.2.5 gives for none: clients pin the fingerprint.
    notBefore: new Date('1970-01-01T00:00:00Z'),
    notAfter: new Date('9999-12-31T23:59:59Z'),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        { type: 'dns', value: name },
        { type: 'dns', value: 'localhost' },
        ...addresses.map((value) => ({ type: 'ip' as const, value })),
      ]),
    ],
  })
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)
  return `${pem('PRIVATE KEY', key)}${pem('CERTIFICATE', certificate.rawData)}`
}
