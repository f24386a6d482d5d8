#!/usr/bin/env node
import { launch } from './launch.mjs'

await launch('skerry-node.mjs', 'skerry-edge')
