import { aggregatorCrashes } from './catalogue/aggregator-crashes.ts'
import { badPulls } from './catalogue/bad-pulls.ts'
import { bitFlips } from './catalogue/bit-flips.ts'
import { blockedSites } from './catalogue/blocked-sites.ts'
import { bothSides } from './catalogue/both-sides.ts'
import { bothSidesCrash } from './catalogue/both-sides-crash.ts'
import { bothSidesPrivate } from './catalogue/both-sides-private.ts'
import { calmDay } from './catalogue/calm-day.ts'
import { changedLabels } from './catalogue/changed-labels.ts'
import { cutUplinks } from './catalogue/cut-uplinks.ts'
import { deepTree } from './catalogue/deep-tree.ts'
import { doubtedTime } from './catalogue/doubted-time.ts'
import { dyingWriters } from './catalogue/dying-writers.ts'
import { edgeCrashes } from './catalogue/edge-crashes.ts'
import { enginesGo } from './catalogue/engines-go.ts'
import { enginesLie } from './catalogue/engines-lie.ts'
import { failingContainers } from './catalogue/failing-containers.ts'
import { fellowsApart } from './catalogue/fellows-apart.ts'
import { floodingOwners } from './catalogue/flooding-owners.ts'
import { fullDisks } from './catalogue/full-disks.ts'
import { halfOpenLinks } from './catalogue/half-open-links.ts'
import { hangingContainers } from './catalogue/hanging-containers.ts'
import { hostileEdge } from './catalogue/hostile-edge.ts'
import { narrowedZones } from './catalogue/narrowed-zones.ts'
import { nestedZones } from './catalogue/nested-zones.ts'
import { newHosts } from './catalogue/new-hosts.ts'
import { oddTime } from './catalogue/odd-time.ts'
import { oneName } from './catalogue/one-name.ts'
import { oneSite } from './catalogue/one-site.ts'
import { oneWayStreets } from './catalogue/one-way-streets.ts'
import { privateZone } from './catalogue/private-zone.ts'
import { reconnectStorm } from './catalogue/reconnect-storm.ts'
import { replacedHosts } from './catalogue/replaced-hosts.ts'
import { restoredTower } from './catalogue/restored-tower.ts'
import { sealedLanes } from './catalogue/sealed-lanes.ts'
import { slowLines } from './catalogue/slow-lines.ts'
import { swizzled } from './catalogue/swizzled.ts'
import { towerCrashes } from './catalogue/tower-crashes.ts'
import { twentyNodes } from './catalogue/twenty-nodes.ts'
import { twoAggregators } from './catalogue/two-aggregators.ts'
import { twoFacedOwners } from './catalogue/two-faced-owners.ts'
import { wornTower } from './catalogue/worn-tower.ts'
import { wrongClocks } from './catalogue/wrong-clocks.ts'
import { zoneAlone } from './catalogue/zone-alone.ts'
import type { Scenario } from './scenario.ts'

/** Every scenario, by name on the command line. A seed runs the one of its rest after a division by their number. */
export const scenarios: readonly Scenario[] = [
  calmDay,
  cutUplinks,
  oneWayStreets,
  zoneAlone,
  swizzled,
  slowLines,
  halfOpenLinks,
  towerCrashes,
  aggregatorCrashes,
  edgeCrashes,
  dyingWriters,
  wrongClocks,
  oddTime,
  doubtedTime,
  fullDisks,
  bitFlips,
  wornTower,
  hostileEdge,
  enginesGo,
  enginesLie,
  badPulls,
  failingContainers,
  reconnectStorm,
  nestedZones,
  deepTree,
  privateZone,
  blockedSites,
  oneSite,
  bothSides,
  bothSidesCrash,
  bothSidesPrivate,
  oneName,
  newHosts,
  replacedHosts,
  restoredTower,
  narrowedZones,
  changedLabels,
  sealedLanes,
  twoFacedOwners,
  twoAggregators,
  fellowsApart,
  floodingOwners,
  hangingContainers,
  twentyNodes,
]
