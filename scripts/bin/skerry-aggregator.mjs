#!/usr/bin/env -S node --max-semi-space-size=16
import { launch } from './launch.mjs'

await launch('skerry-node.mjs', 'skerry-aggregator', ['--max-semi-space-size=16'])
