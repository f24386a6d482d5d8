#!/usr/bin/env node
import { launch } from './launch.mjs'

await launch('skerry.mjs', 'skerry')
