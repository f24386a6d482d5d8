import { type Random, randomHex, SkerryError } from '../base/index.ts'
import { type AuthorityPowers, type Book, fromHex, type Signer, toHex } from '../crdt/index.ts'
import type { Identity } from './identity.ts'
import type { StateFile } from './powers/index.ts'
import { foundNetwork, type HeldTenant } from './services/membership/index.ts'

/** Secrets a tower works with. Seeds are 64 hexadecimal digits. */
interface KeptAuthority {
  readonly beacon: string
  /** The salt keeps other tenants from telling by a revision what it is of. 32 hexadecimal digits. */
  readonly tenant: { readonly id: string; readonly seed: string; readonly salt: string }
}

/** What a tower may sign with beside its own key. */
export interface TowerAuthority {
  readonly beacon: Signer
  readonly tenants: readonly (HeldTenant & { readonly salt: string })[]
}

export interface FoundingPowers {
  readonly stateFile: <Value>(name: string) => StateFile<Value>
  readonly random: Random
  readonly authority: AuthorityPowers
  readonly trustedNowMs: () => number | undefined
}

/** Name of the file with the root key: to be taken offline, nothing here needs it again. */
export const rootKeyFile = 'root-key'

/**
 * Founds the network at the first start of its tower; later reads what it was founded with. Keys are on disk before any
 * record that names them, so that a crash in between leaves nothing that nobody can sign for.
 * @throws {SkerryError} `no-authority` when the network is there and its keys are not
 */
export const openTowerAuthority = async (
  { signer }: Identity,
  towerName: string,
  book: Book,
  powers: FoundingPowers,
): Promise<TowerAuthority> => {
  const file = powers.stateFile<KeptAuthority>('authority')
  if (book.networkId() === undefined) {
    const { random, authority, trustedNowMs } = powers
    const founded = foundNetwork({
      random: random.fork('founding'),
      powers: authority,
      tower: signer,
      towerName,
      trustedNowMs: trustedNowMs(),
    })
    powers.stateFile<{ seed: string }>(rootKeyFile).save({ seed: toHex(founded.rootSeed) })
    file.save({
      beacon: toHex(founded.beaconSeed),
      tenant: {
        id: founded.tenant.id,
        seed: toHex(founded.tenant.seed),
        salt: randomHex(random.fork('tenant-salt'), 16),
      },
    })
    const taken = await book.take(founded.records)
    const refused = taken.find((one) => one.kind === 'refused')
    if (refused !== undefined)
      throw new SkerryError('broken-invariant', `a network of our own making was refused: ${refused.refusal.message}`)
  }
  const kept = file.load()
  if (kept === undefined)
    throw new SkerryError(
      'no-authority',
      `${towerName} has its network and not the keys it signs with: restore authority.json in its data folder`,
    )
  const { signatures } = powers.authority
  return {
    beacon: signatures.signer(fromHex(kept.beacon)),
    tenants: [{ tenant: kept.tenant.id, signer: signatures.signer(fromHex(kept.tenant.seed)), salt: kept.tenant.salt }],
  }
}
