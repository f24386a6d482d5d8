/**
 * One host: the port to whatever runs containers and its drivers, the planner that decides what to do, the reconciler
 * that does it, probes and container logs. Must not know of documents, the mesh, sites or the API; must not stop a
 * healthy container whose specification did not change. Read first: containers.ts, plan.ts.
 */
export type {
  ConfigMount,
  ContainerOwner,
  ContainerSpec,
  ContainerState,
  Containers,
  ContainersErrorCode,
  DriverFacts,
  ExecResult,
  ExitReason,
  LogRecord,
  NetworkSpec,
  ObservedContainer,
  ObservedHost,
  ObservedImage,
  ObservedNetwork,
  PortMapping,
} from './containers.ts'
export type {
  DesiredApplication,
  DesiredContainer,
  DesiredImage,
  DesiredInstance,
  ProbeKind,
  ProbeSpec,
} from './desired.ts'
export type { ImageSource } from './executors.ts'
export { lastLineMark } from './last-line.ts'
export { createNetProbes } from './net-probes.ts'
export { type ArchiveFile, buildArchive, openArchive } from './oci/index.ts'
export { type PlanGuard, planGuards } from './plan-guards.ts'
export type { Policy } from './policy.ts'
export type { ProbeRunner } from './prober.ts'
export type { ProbeAnswer } from './probes.ts'
export { createReconciler, type Histories, type Reconciler, type ReconcilerOptions } from './reconciler.ts'
export { createSimulatedHost, type SimulatedHost } from './simulated/index.ts'
export type {
  ApplicationStatus,
  ContainerStatus,
  HostStatus,
  InstanceStatus,
  ProbeStatus,
  Waiting,
  WaitingReason,
} from './status.ts'
