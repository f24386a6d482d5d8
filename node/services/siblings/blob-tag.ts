import { type Hash, toHex } from '../../../crdt/index.ts'

/**
 * What a blob is asked for by between siblings: a hash of what both ends know who hold it, and of a nonce drawn for the link.
 * Who holds the blob for the same tenant finds it among its own; who does not learns nothing of what the asker runs.
 *
 * @param digest `sha256:` and 64 hexadecimal digits
 * @param tenant its id
 * @returns 64 hexadecimal digits
 */
export const blobTag = (
  { nonce, tenant, digest }: { readonly nonce: string; readonly tenant: string; readonly digest: string },
  hash: Hash,
): string => toHex(hash.sha256(Buffer.from(`skerry/sibling-blob/1\n${nonce}\n${tenant}\n${digest}`)))
