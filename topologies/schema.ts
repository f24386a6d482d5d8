import * as z from 'zod'
import { levelProblem, levelsOf, type PolicyKind, policyKinds } from './policy.ts'
import { fields } from './shape-problems.ts'

/** The shape of a topology file: which fields there are and of which type. What they say is checked in expand.ts. */

const labels = z.record(
  z.string(),
  z.union([z.string(), z.boolean()], { error: () => 'a label is text; put it in quotes, "" for an empty one' }),
)

const addresses = z.array(z.string()).min(1, 'the list is empty; leave it out, or write host:port')

const later = (names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, 'not supported yet; leave it out']))

const host = fields(
  { name: z.string(), 'host-id': z.string().optional(), labels: labels.optional() },
  {
    ...later(['controller', 'maintenance-mode', 'volumes', 'devices']),
    hostname: 'unknown field; did you mean "name"?',
  },
)

const hosts = z.array(host).min(1, 'has no host; name at least one, like - name: shop-1-a')

const site = fields(
  { name: z.string(), labels: labels.optional(), hosts, siblings: addresses.optional() },
  {
    ...later([
      'descriptive-name',
      'description',
      'location',
      'system-volumes',
      'device-labels',
      'gpu-labels',
      'quarantined',
      'application-upgrades-blocked',
      'allow-local-unseal',
      'when-disconnected',
      'addresses',
    ]),
    type: 'is not written; sites are of type edge, the site of the towers of type top',
    parent: 'is not written; a site belongs to the zone it stands in',
    policy: 'a site has no policy; write it at the zone around the site',
    privacy: 'a site has no privacy; write it at the zone around the site',
  },
)

const levelOf = (kind: PolicyKind) =>
  z.enum(levelsOf(kind) as [string, ...string[]], { error: (issue) => levelProblem(kind, issue.input) }).optional()

const policy = fields(Object.fromEntries(policyKinds.map((kind) => [kind, levelOf(kind)])))

const zone = fields(
  {
    name: z.string(),
    labels: labels.optional(),
    privacy: z.boolean().optional(),
    policy: policy.optional(),
    settle: z.enum(['zone', 'ancestor'], { error: () => 'must be zone or ancestor; leave it out for zone' }).optional(),
    withheld: z.literal(true, { error: () => 'is true or not there; leave it out' }).optional(),
    // Only a withheld zone may do without; expand.ts sees to that.
    aggregators: fields({ hosts, addresses: addresses.optional() }).optional(),
    get zones(): z.ZodOptional<z.ZodArray<z.ZodType>> {
      return z.array(zone).optional()
    },
    sites: z.array(site).optional(),
  },
  { hosts: 'unknown field; a zone has hosts under "aggregators", a site has "hosts"' },
)

export const topologySchema = fields(
  {
    version: z.literal(1, { error: () => 'must be the number 1; write version: 1' }),
    network: z.string(),
    towers: fields({ site: z.string(), labels: labels.optional(), hosts, addresses: addresses.optional() }),
    zones: z.array(zone).optional(),
    sites: z.array(site).optional(),
  },
  {
    privacy: 'the root zone has nobody above it to keep things from; write privacy at a zone',
    policy: 'the root zone has nobody above it to keep things from; write policy at a zone',
    settle: 'the root zone has nobody above it to disagree with; write settle at a zone',
    labels: 'the root zone has no labels; write them at zones and sites',
    tower: 'unknown field; did you mean "towers"?',
  },
)
