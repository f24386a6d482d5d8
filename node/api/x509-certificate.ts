import { X509Certificate } from 'node:crypto'
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { createSecureContext } from 'node:tls'
import { errorText, type Log } from '../../base/index.ts'

/** Key and certificate in PEM, and what clients pin. */
export interface ApiCertificate {
  readonly keyPem: string
  readonly certificatePem: string
  /** sha256 of the certificate's DER, upper-case hexadecimal with colons. */
  readonly fingerprint: string
}

const read = (text: string): ApiCertificate => {
  const block = (label: string) =>
    new RegExp(`-----BEGIN ${label}-----[^-]+-----END ${label}-----\n`).exec(text)?.[0] ?? ''
  const keyPem = block('PRIVATE KEY')
  const certificatePem = block('CERTIFICATE')
  createSecureContext({ key: keyPem, cert: certificatePem }) // throws when they do not belong together
  return { keyPem, certificatePem, fingerprint: new X509Certificate(certificatePem).fingerprint256 }
}

const store = (path: string, text: string): void => {
  const next = `${path}.next`
  const file = openSync(next, 'w', 0o600)
  writeSync(file, text)
  fsyncSync(file)
  closeSync(file)
  renameSync(next, path)
}

/**
 * The node's own certificate: P-256, self-signed, made on the first call and kept in one file (mode 600) in `dir`, so
 * that key and certificate can never be of two makings. An unreadable file is replaced, with a warning: clients then
 * have to be given the new fingerprint.
 */
export const keepCertificate = async (options: {
  readonly dir: string
  /** Name of the node. */
  readonly name: string
  /** Address it listens at; goes into the certificate where it is an IP address. */
  readonly address: string
  readonly log: Log
}): Promise<ApiCertificate> => {
  const path = join(options.dir, 'api.pem')
  try {
    return read(readFileSync(path, 'utf8'))
  } catch (error) {
    const absent = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    if (!absent)
      options.log.warn('the certificate of the API cannot be read; a new one is made and clients must pin it anew', {
        path,
        error: errorText(error),
      })
  }
  mkdirSync(options.dir, { recursive: true, mode: 0o700 })
  // Loaded only here: a node makes one certificate in its life, and what that takes is some megabytes.
  const { makeCertificate } = await import('./make-certificate.ts')
  const text = await makeCertificate(options.name, options.address)
  store(path, text)
  return read(text)
}
