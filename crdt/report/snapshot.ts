import type { AuthorityPowers, Signer } from '../authority/index.ts'
import { openReport, type ReportHead, type ReportRefused, type SignedReport, sealReport } from './signed-report.ts'

/** What a host said of itself, once its signature was found right. Only now may the payload be decoded. */
export type Snapshot = SignedReport

export type OpenedSnapshot = { readonly ok: true; readonly snapshot: Snapshot } | ReportRefused

/**
 * Signs what leaves a host: one writer, last one wins (docs/adr/0027-reports.md).
 * @throws {RangeError} when the payload is over 1 MiB, or session or seq do not count from 1
 */
export const sealSnapshot = (
  fields: Omit<ReportHead, 'key'> & { readonly payload: Uint8Array },
  signer: Signer,
): Uint8Array => sealReport('snapshot', fields, signer)

/**
 * Whether received bytes are a snapshot that the host of `key` signed. The signature is verified before a byte of the
 * payload is decoded; `mayReplace` then says whether it is the newest. Never throws.
 * @param place the network, and the host's raw public key as 64 hexadecimal digits
 */
export const openSnapshot = (
  bytes: Uint8Array,
  { networkId, key }: { readonly networkId: string; readonly key: string },
  powers: AuthorityPowers,
): OpenedSnapshot => {
  const opened = openReport('snapshot', bytes, { networkId, keys: new Set([key]) }, powers)
  return opened.ok ? { ok: true, snapshot: opened.report } : opened
}
