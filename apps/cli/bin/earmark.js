#!/usr/bin/env node
import { existsSync } from 'node:fs';

const main = new URL('../dist/main.js', import.meta.url);
if (Number(process.versions.node.split('.')[0]) < 24) {
  console.error(
    `earmark needs Node 24 or later, this is ${process.version}; run it through npx or an npm script`,
  );
  process.exit(2);
} else if (!existsSync(main)) {
  console.error('earmark is not built yet; run: npm run build');
  process.exit(2);
} else {
  await import(main.href);
}
