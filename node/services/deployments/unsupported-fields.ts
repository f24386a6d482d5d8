import type { FieldsNotYet } from './field-checks.ts'

const leaveOut = 'leave it out for now'

const later = (...names: readonly string[]): FieldsNotYet => Object.fromEntries(names.map((name) => [name, leaveOut]))

/**
 * Fields of the public interface that are refused today, per object: a field that is not done is never ignored.
 * The text is what to do instead.
 */
export const notYet = {
  application: {
    ...later('on-mutable-variable-change', 'upgrade-from'),
    network: 'applications share no network yet; leave it out',
  },
  service: {
    ...later('delayed-shutdown', 'init-containers', 'variables'),
    placement: 'instances spread over all hosts of a site; leave it out',
    'share-pid-namespace': 'containers of an instance have their own process ids; leave it out',
  },
  volume: {
    'ephemeral-volume': 'only config-map volumes exist for now',
    'persistent-volume': 'only config-map volumes exist for now',
    'vault-secret': 'secrets come with a later version; only config-map volumes exist for now',
    'system-volume': 'only config-map volumes exist for now',
  },
  container: {
    ...later('approle', 'container-log-archive', 'on-mounted-file-change', 'no-builtin-init'),
    ...later('container-layer-size', 'devices', 'gpu', 'gpus', 'cpu-shares'),
  },
  network: {
    host: 'each instance has its own network; leave it out',
    'outbound-access': 'outbound traffic is open for now; leave it out',
    'ingress-port-forward': 'use ingress-ip-per-instance: each port is forwarded from a port of the host',
    'shared-application-network': 'applications share no network yet; leave it out',
  },
  ingress: later('ingress-ipv4-ranges', 'ingress-ipv4-allocation-method', 'interface', 'match-interface-labels'),
  access: { rules: 'only allow-all: true exists for now', 'deny-all': 'only allow-all: true exists for now' },
  deployment: {
    ...later('deploy-to-sites', 'upgrade-windows'),
    'deployment-groups': leaveOut,
  },
} as const satisfies Record<string, FieldsNotYet>

/** Variables the public interface fills in; they are not expanded yet, so text that uses them is refused. */
export const builtInVariable =
  /\$\{(SYS_(?:SITE|APP|SERVICE|TENANT|GLOBAL_DOMAIN|APPROLE_SECRET_ID|API_CA_CERT)[A-Z_]*)\}/
