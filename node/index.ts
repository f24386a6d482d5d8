/**
 * The node program put together: configuration, powers, what the API offers, and the faces API and command line.
 * Must not hold rules of its own: what is decided is decided in services, runtime and topologies.
 * Read first: node.ts, bin/skerry-node.ts.
 */
export type {
  ContainerView,
  DeploymentStateView,
  ExplainView,
  ImageView,
  MemberView,
  NodeView,
  ServiceInstanceView,
} from './api/index.ts'
export { type NodeConfig, readNodeConfig } from './config.ts'
export { boundGuards, deskGuards, edgeGuards, linkGuards, type NodeGuards, reportGuards } from './guards.ts'
export { createNode, type NodePowers, type SkerryNode } from './node.ts'
